"""What waits in quarantine is put through the expectations as they are now: once, whatever interrupts it."""

from dataclasses import replace
from datetime import datetime

import pytest
from pyspark.sql import functions as F

from coinlake import lakehouse, schema, silver, sources
from coinlake.delta import DeltaTable
from coinlake.silver import Replay, Waiting
from coinlake.sources import REJECT, Expectation
from tests.support.silver_lake import SilverLake

TABLES = (schema.RESPONSES, schema.COIN_LIST, schema.COIN_CATEGORIES, schema.QUARANTINE)
LISTED, CATEGORISED = (sources.SOURCES[name] for name in ("coins_list", "coin_categories"))
LARGE = Expectation("small", "A category is worth 10 dollars or more.", "market_cap >= 10", REJECT)


def category(id: str, market_cap: float, volume: float = 1.0) -> dict:
    return {"id": id, "name": "N", "market_cap": market_cap, "volume_24h": volume, "top_3_coins_id": []}


@pytest.fixture(scope="module")
def lake(spark, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lakehouse, "TABLES", TABLES)
        yield SilverLake(spark, tmp_path_factory.mktemp("replay") / "lake")


def quarantined(lake, *files: str) -> list[tuple]:
    named = ", ".join(f"'{file}'" for file in files)
    return lake.rows(schema.QUARANTINE, "reasons", "replayed_at", where=f"file IN ({named})")


def versions(lake) -> list[int]:
    return [lake.version(table) for table in TABLES]


def refuse_to_mark(stored, frame, merge=DeltaTable.merge, **options):
    """Writes as ever, but no mark into quarantine."""
    if stored.table is schema.QUARANTINE and not frame.where("replayed_at IS NOT NULL").isEmpty():
        raise KeyboardInterrupt
    return merge(stored, frame, **options)


def test_what_passes_now_comes_back_once_and_the_rest_waits_with_its_reason(lake, monkeypatch):
    assert silver.replay_quarantine(lake.lakehouse) == Replay()
    with monkeypatch.context() as strict:
        expectations = (*CATEGORISED.expectations, LARGE)
        strict.setitem(sources.SOURCES, "coin_categories", replace(CATEGORISED, expectations=expectations))
        page = [category("large", 20.0), category("little", 2.0), category("", 3.0)]
        file = lake.land("coin_categories", page, "2026-08-12T12:22:00Z")
        torn = lake.put("coin_categories", "20260812T122200Z-0000000a", b'[{"id": "torn')
        lake.log("coin_categories", torn, "2026-08-12T12:22:00Z")
        lake.stream("coin_categories")
        before = [(["id_missing", "small"], None), (["not_json"], None), (["small"], None)]
        assert quarantined(lake, file, torn) == before

    with monkeypatch.context() as cut_off, pytest.raises(KeyboardInterrupt):
        cut_off.setattr(DeltaTable, "merge", refuse_to_mark)
        silver.replay_quarantine(lake.lakehouse)
    assert lake.rows(schema.COIN_CATEGORIES, "category_id", "market_cap") == [("large", 20.0), ("little", 2.0)]
    assert quarantined(lake, file) == [(["id_missing"], None), (["small"], None)]

    replayed = silver.replay_quarantine(lake.lakehouse)
    assert (replayed.records, replayed.passed, replayed.counts.written) == (3, 1, 0)
    assert replayed.reasons == [
        Waiting("coin_categories", "id_missing", 1, 0),
        Waiting("coin_categories", "not_json", 1, 0),
        Waiting("coin_categories", "small", 1, 1),
    ]
    at_noon = datetime(2026, 8, 12, 12, 22)
    assert quarantined(lake, file, torn) == [(["id_missing"], None), (["not_json"], None), (["small"], at_noon)]

    done = versions(lake)
    again = silver.replay_quarantine(lake.lakehouse)
    assert (again.records, again.passed, again.counts.written) == (2, 0, 0)
    assert versions(lake) == done


def unable(records):
    """No row can be made of the records."""
    return LISTED.rows(records.withColumn("id", F.raise_error(F.lit("no"))))


def test_a_file_that_could_not_be_processed_comes_back_whole_and_one_that_is_gone_waits_on(lake, monkeypatch):
    with monkeypatch.context() as faulty:
        faulty.setitem(sources.SOURCES, "coins_list", replace(LISTED, rows=unable))
        listed = [{"id": "bitcoin", "symbol": "btc", "name": "Bitcoin"}, {"id": "", "symbol": "", "name": ""}]
        whole = lake.land("coins_list", listed, "2026-08-12T13:00:00Z")
        gone = lake.land("coins_list", listed, "2026-08-12T14:00:00Z")
        lake.stream("coins_list")
    assert quarantined(lake, whole, gone) == [(["unprocessable"], None)] * 2
    (lake.path / "landing" / gone).unlink()

    silver.replay_quarantine(lake.lakehouse)
    at_one = datetime(2026, 8, 12, 13)
    assert lake.rows(schema.COIN_LIST, "coin_id", "first_listed_at") == [("bitcoin", at_one)]
    assert quarantined(lake, whole) == [(["id_missing"], None), (["unprocessable"], at_one)]
    assert quarantined(lake, gone) == [(["unprocessable"], None)]


@pytest.mark.whole
def test_what_the_table_still_refuses_waits_on_and_is_named(lake, monkeypatch):
    file = lake.land("coin_categories", [category("below", 2.0, volume=-1.0)], "2026-08-12T15:00:00Z")
    lake.stream("coin_categories")
    kept = tuple(each for each in CATEGORISED.expectations if each.name != "volume_impossible")
    monkeypatch.setitem(sources.SOURCES, "coin_categories", replace(CATEGORISED, expectations=kept))
    replay = silver.replay_quarantine(lake.lakehouse)
    assert list(replay.counts.faults) == [file]
    assert quarantined(lake, file) == [(["unprocessable"], None), (["volume_impossible"], None)]
