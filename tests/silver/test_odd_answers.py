"""No answer, however odd, stops silver: what fits comes in, the rest waits in quarantine with its reason."""

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from coinlake import Lakehouse, gold, lakehouse, schema, sources
from coinlake.delta import DeltaTable
from coinlake.errors import StorageError
from coinlake.gold.kinds import with_kinds
from coinlake.silver import Counts
from coinlake.warehouse import DuckDBWarehouse
from coinlake_ops.dev import fuzz
from tests.support import azure
from tests.support.silver_lake import CATALOG, SilverLake
from tests.support.tds import Double
from tests.support.warehouse_rows import change, contents, load

NOON = "2026-08-12T12:22:00Z"
DAY = 1786406400  # 2026-08-11
LONG = "x" * 500


def listed(*ids):
    return [{"id": id, "symbol": id, "name": id} for id in ids]


def coin(id, **fields):
    return {"id": id, "symbol": id, "name": id, "current_price": 2.5, "last_updated": NOON} | fields


def chart(*points, **series):
    return {"prices": [[stamp, price] for stamp, price in points], "market_caps": [], "total_volumes": []} | series


def moods(*stamps):
    return {"data": [{"value": "40", "value_classification": "Fear", "timestamp": stamp} for stamp in stamps]}


def totals(**fields):
    maps = {"total_market_cap": {"usd": 1.0}, "total_volume": {"usd": 1.0}, "market_cap_percentage": {"btc": 50.0}}
    return {"data": maps | {"active_cryptocurrencies": 1, "updated_at": DAY} | fields}


def weather(latitude, *codes, highs=(20.0, 21.0)):
    days = {"time": ["2026-08-10", "2026-08-11"], "temperature_2m_max": list(highs), "weather_code": list(codes)}
    return {"latitude": latitude, "longitude": 8.5, "timezone": "GMT", "daily": days}


def rates(base, **days):
    """Rates of days of August, such as d10."""
    return {"amount": 1.0, "base": base, "rates": {f"2026-08-{day[1:]}": its for day, its in days.items()}}


MS, HOUR = DAY * 1000, 3_600_000
FAR = {"amount": 1.0, "base": "CCC", "rates": {"9999-12-31": {"EUR": 1}, "2101-01-01": {"EUR": 1}}}
# endpoint, body, rows that come in, reason -> records in quarantine
ODD = [
    ("coins_markets", [coin("a"), coin(LONG), coin("b")], 2, {"id_too_long": 1}),
    ("coins_markets", [coin("c", symbol=LONG, name="😀" * 300, market_cap_rank=1e20)], 1, {}),
    ("coins_markets", [coin("d", ath_date="0001-01-01T00:00:00Z", last_updated="+58581-01-01T00:00:00Z")], 1, {}),
    ("coins_list", [*listed("e", LONG), {"id": "f", "symbol": LONG, "name": LONG}], 2, {"id_too_long": 1}),
    ("global", totals(updated_at=9 * 10**18), 1, {}),
    ("global", totals(updated_at=-(9 * 10**18)), 1, {}),
    ("global", totals(updated_at=MS, total_volume={"usd": float("nan"), "eur": 2.0}), 1, {}),
    ("fear_greed", moods(f"{DAY}", f"{9 * 10**18}", f"-{9 * 10**18}", "1e400", f"{MS}"), 1, {"date_missing": 4}),
    ("fear_greed", moods("1e9", "4102444801", "NaN"), 1, {"date_missing": 2}),
    ("weather_daily", weather(1, 1e20, 3), 1, {"value_impossible": 1}),
    ("weather_daily", weather(2, float("nan"), 3), 1, {"value_impossible": 1}),
    ("weather_daily", weather(3, 1, 3, highs=("warm", 21.0)), 1, {"value_impossible": 1}),
    ("weather_daily", weather(float("nan"), 1, 3), 0, {"place_missing": 2}),
    ("fx_rates", rates("AAA", d10={"EUR": 0.9, "CHF": "text"}, d12={"EUR": 0.8}), 2, {"rate_impossible": 1}),
    ("fx_rates", rates("BBB", d10={"EUR": 0.9}, d11=5), 1, {"currency_unknown": 1}),
    ("fx_rates", FAR, 0, {"date_missing": 2}),
    ("coins_market_chart", chart((MS + HOUR, 1.0), (1e300, 2.0), (MS + 2 * HOUR, 3.0)), 2, {"time_impossible": 1}),
    ("coins_market_chart", chart((MS, 1.0), (float("inf"), 2.0), (float("nan"), 2.0)), 1, {"time_impossible": 2}),
    ("coins_market_chart", chart((MS, 1.0), ("soon", 2.0), (9e13, 2.0)), 1, {"time_impossible": 2}),
    ("coins_market_chart", chart((MS, 1.0), market_caps=[[MS, "much"]], total_volumes=[[MS, 1e400]]), 1, {}),
    ("coins_market_chart", chart((MS, 1.0), market_caps=[7]), 1, {"price_missing": 1, "time_impossible": 1}),
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(spark, tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setattr(lakehouse, "TABLES", tuple(t for t in schema.TABLES if t.schema != schema.AGGREGATED))
    yield SilverLake(spark, tmp_path_factory.mktemp("odd") / "lake")
    patch.undo()


def land(lake, number, endpoint, body):
    """Writes an answer that no landing has judged; returns its path below landing/."""
    file = lake.put(endpoint, f"20260812T122200Z-{number:08x}", json.dumps(body).encode())
    url = f"/coins/odd-{number}/market_chart?vs_currency=usd" if endpoint == "coins_market_chart" else ""
    lake.log(endpoint, file, f"2026-08-12T12:22:00.{number:03}Z", url)
    return file


def test_what_fits_comes_in_and_the_rest_waits_with_its_reason(lake):
    files = [land(lake, number, endpoint, body) for number, (endpoint, body, *_) in enumerate(ODD)]
    counts = lake.stream_all()
    assert not any(its.faults for its in counts.values())
    found = []
    for file, (endpoint, *_) in zip(files, ODD, strict=True):
        rows = lake.rows(sources.SOURCES[endpoint].table, "file", where=f"file = '{file}'")
        reasons = Counter()
        for broken, copies, _ in lake.quarantined(file):
            reasons.update(dict.fromkeys(broken, copies))
        found.append((file, len(rows), dict(reasons)))
    assert found == [(file, *expected) for file, (_, _, *expected) in zip(files, ODD, strict=True)]


def test_what_did_not_fit_is_kept_as_it_was_sent(lake):
    (row,) = lake.rows(
        schema.COIN_SNAPSHOTS, "symbol", "name", "market_cap_rank", "rescued", where="coin_id = 'c'"
    )
    assert row[:3] == ("x" * 50, "😀" * 200, None)
    assert json.loads(row[3]) == {"market_cap_rank": 1e20, "name": "😀" * 300, "symbol": LONG}
    (row,) = lake.rows(schema.COIN_SNAPSHOTS, "ath_date", "last_updated", "rescued", where="coin_id = 'd'")
    assert row[:2] == (None, None)
    assert json.loads(row[2]).keys() == {"ath_date", "last_updated"}
    updates = lake.rows(schema.MARKET_TOTALS, "updated_at", "rescued")
    assert [(at, json.loads(rescued)) for at, rescued in updates] == [
        (None, {"data.updated_at": sent}) for sent in (-(9 * 10**18), MS, 9 * 10**18)
    ]
    assert lake.rows(
        schema.MARKET_TOTALS, "total_volume", where="size(total_volume) = 1 AND total_volume['eur'] = 2"
    )


def test_a_file_that_cannot_be_processed_goes_to_quarantine_and_the_others_come_in(lake, monkeypatch):
    source = sources.SOURCES["coin_categories"]

    def explosive(records):
        boom = F.when(F.col("id") == "bomb", F.raise_error(F.lit("boom"))).otherwise(F.col("id"))
        return source.rows(records.withColumn("id", boom))

    monkeypatch.setitem(sources.SOURCES, "coin_categories", replace(source, rows=explosive))
    files = [
        land(lake, 100 + number, "coin_categories", listed(id)) for number, id in enumerate(("a", "bomb", "b"))
    ]
    counts = lake.stream("coin_categories")
    assert (counts.read, counts.written, counts.rejected, list(counts.faults)) == (3, 2, 1, [files[1]])
    assert lake.rows(schema.COIN_CATEGORIES, "category_id") == [("a",), ("b",)]
    [(reasons, copies, record)] = lake.quarantined(*files)
    assert (reasons, copies) == (["unprocessable"], 1)
    assert "boom" in record["error"]
    assert lake.stream("coin_categories") == Counts()


def test_a_fault_that_is_no_files_loses_nothing(lake, monkeypatch):
    file = land(lake, 200, "coin_categories", listed("c"))
    with monkeypatch.context() as patch, pytest.raises(Exception, match="the disk is full"):
        patch.setattr(DeltaTable, "merge", refuse)
        lake.stream("coin_categories")
    assert lake.quarantined(file) == []
    assert lake.stream("coin_categories").written == 1


def refuse(*_, **__):
    raise StorageError("the disk is full")


def test_a_table_that_was_made_anew_is_filled_from_all_files(lake):
    before = lake.rows(schema.COIN_LIST)
    shutil.rmtree(lake.lakehouse.table(schema.COIN_LIST).folder)
    Lakehouse.create(CATALOG, str(lake.path), lake.spark)
    assert lake.rows(schema.COIN_LIST) == []
    lake.stream("coins_list")
    assert lake.rows(schema.COIN_LIST) == before != []


@pytest.mark.parametrize("count", [240, pytest.param(20_000, marks=[pytest.mark.slow, pytest.mark.whole])])
def test_odd_answers_without_end_are_all_accounted_for(lake, tmp_path, count):
    assert fuzz.run(lake.spark, tmp_path, count, seed=20260812) == []


def test_a_text_that_is_too_long_costs_its_row_and_not_the_load(lake, tmp_path):
    """The narrowest place on the way is silver: what it lets through, a server's columns hold."""
    file = land(lake, 900, "coins_markets", [coin("g"), coin(LONG), coin("h", symbol=LONG, name="😀" * 300)])
    lake.stream("coins_markets")
    seen = lake.lakehouse.table(schema.COIN_SNAPSHOTS).read().where(F.col("file") == file)
    seen = seen.withColumnRenamed("snapshot_at", "seen_at")
    coins = [found.asDict() for found in with_kinds(gold.coin_versions(seen), {}).collect()]
    with Double() as server:
        for target in (DuckDBWarehouse(tmp_path / "warehouse.duckdb"), azure.on_double(server)):
            load(target, change(schema.DIM_COIN, *coins, full=True))
            held = {one["coin_id"]: (one["symbol"], one["name"]) for one in contents(target, schema.DIM_COIN)}
            # An id makes the row what it is, so one that does not fit is refused; a name is cut.
            assert held == {"g": ("g", "g"), "h": ("x" * 50, "😀" * 200)}
    assert [reasons for reasons, *_ in lake.quarantined(file)] == [["id_too_long"]]
