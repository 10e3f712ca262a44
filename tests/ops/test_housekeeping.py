"""What is put away, when, and what stays."""

import os
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from coinlake import Lakehouse, delta, lakehouse, schema
from coinlake.errors import CoinlakeError
from coinlake_ops import housekeeping
from tests.support.silver_frames import at, frame

NOW = datetime(2026, 8, 12, 12, tzinfo=UTC)
CATALOG = "spark_catalog"


def note(lake: Path) -> str:
    return (lake / housekeeping.NOTE).read_text()


def test_it_is_due_a_day_after_the_first_run_and_then_a_day_after_the_last_time(tmp_path):
    assert not housekeeping.is_due(tmp_path, NOW)
    assert not housekeeping.is_due(tmp_path, NOW + timedelta(hours=23, minutes=59))
    assert housekeeping.is_due(tmp_path, NOW + timedelta(days=1))
    (tmp_path / housekeeping.NOTE).write_text("cut")
    assert not housekeeping.is_due(tmp_path, NOW)
    assert note(tmp_path) == '{\n "done_at": "2026-08-12T12:00:00+00:00"\n}\n'


@pytest.mark.parametrize("text", ["0", "-3", "ninety", "1.5"])
def test_a_number_of_days_that_is_none_is_refused(text):
    assert housekeeping.days_to_keep({}) == housekeeping.days_to_keep({housekeeping.DAYS: ""}) == 90
    assert housekeeping.days_to_keep({housekeeping.DAYS: "30"}) == 30
    with pytest.raises(CoinlakeError, match=f"COINLAKE_KEEP_DAYS={text} is no number of days"):
        housekeeping.days_to_keep({housekeeping.DAYS: text})


def test_a_failure_is_said_and_tried_again(tmp_path, monkeypatch, capsys):
    called = []

    def fails(command, *, env, **_):
        called.append((command[1:], env["SPARK_REMOTE"]))
        return subprocess.CompletedProcess(command, 1, "", "Traceback\nOSError: the disk is full\n")

    monkeypatch.setattr(subprocess, "run", fails)
    (tmp_path / housekeeping.NOTE).write_text('{"done_at": "2026-01-01T00:00:00+00:00"}')
    for _ in range(2):
        housekeeping.when_due(tmp_path, {"SPARK_REMOTE": "sc://localhost:1"})
    assert called == [(["-m", "coinlake_ops.housekeeping", str(tmp_path)], "sc://localhost:1")] * 2
    assert capsys.readouterr().err == 2 * (
        "Housekeeping did not come to its end, and is tried again after the next run: OSError: the disk is full\n"
    )


def test_files_older_than_the_days_to_keep_go_and_the_landing_zone_stays(tmp_path):
    for name in (
        "steps/date=2026-05-13/r1/a.json",
        "steps/date=2026-05-14/r2/a.json",
        "landing_errors/endpoint=global/date=2026-05-13/run=x/p0001-a1.txt",
        "landing_errors/endpoint=global/date=2026-05-14/run=x/p0001-a1.txt",
        "landing/endpoint=global/date=2020-01-01/run=x/p0001.json",
        "landing_meta/date=2020-01-01/run=x.jsonl",
        *(f"{folder}/r{number}/a.ipynb" for folder in ("runs", "lineage") for number in (1, 2)),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for number, day in ((1, datetime(2026, 3, 1)), (2, datetime(2026, 4, 1))):
        for folder in ("runs", "lineage"):
            os.utime(tmp_path / folder / f"r{number}", (day.timestamp(),) * 2)
    said = list(housekeeping._keep_files(tmp_path, date(2026, 5, 14)))
    assert said == [
        "records of steps: 1 folders removed, of days before 2026-05-14",
        "bodies of errors: 1 folders removed, of days before 2026-05-14",
        "lineage: 2 folders removed, of days before 2026-05-14",
        "executed notebooks: 1 folders removed, of days before 2026-05-14",
    ]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        "landing/endpoint=global/date=2020-01-01/run=x/p0001.json",
        "landing_errors/endpoint=global/date=2026-05-14/run=x/p0001-a1.txt",
        "landing_meta/date=2020-01-01/run=x.jsonl",
        # The newest, whatever its age: the reports are rendered from it.
        "runs/r2/a.ipynb",
        "steps/date=2026-05-14/r2/a.json",
    ]


def test_tables_lose_what_no_version_uses_and_watermarks_move_with_them(spark, tmp_path, monkeypatch):
    few = (schema.FEAR_GREED, schema.FX_RATES, schema.GOLD_PROGRESS)
    for module in (lakehouse, schema):
        monkeypatch.setattr(module, "TABLES", few)
    monkeypatch.setattr(housekeeping, "MANY_FILES", 3)
    lake = Lakehouse.create(CATALOG, str(tmp_path), spark)
    moods, rates = lake.table(schema.FEAR_GREED), lake.table(schema.FX_RATES)
    row = {"date": date(2026, 8, 1), "classification": "Fear", "fetched_at": at("2026-08-12 12:00"), "file": "f"}
    for value in (1, 2):
        moods.replace(frame(spark, schema.FEAR_GREED, [row | {"value": value}]))
    rate = {"base_currency": "usd", "currency": "eur", "fetched_at": at("2026-08-12 12:00"), "file": "f"}
    for number in (1, 2, 3):
        rates.merge(frame(spark, schema.FX_RATES, [rate | {"date": date(2026, 8, number), "rate": 0.9}]))
    spark.sql(f"ALTER TABLE {rates.name} UNSET TBLPROPERTIES ('delta.deletedFileRetentionDuration')")
    progress = lake.table(schema.GOLD_PROGRESS)
    delta.write_watermarks(progress, [(moods, moods.version()), (rates, rates.version())])
    old = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    for path in tmp_path.rglob("*"):
        os.utime(path, (old, old))

    said = []
    housekeeping.keep(tmp_path, lambda: spark, 90, datetime.now(UTC), said.append)
    assert said[:2] == [
        "cleaned_data.fear_greed: 1 files removed that no version of the last 7 days uses",
        "cleaned_data.fx_rates: 3 small files were looked at to be made fewer",
    ]
    assert [row["value"] for row in moods.read().collect()] == [2]
    assert rates.read().count() == 3
    assert spark.sql(f"DESCRIBE DETAIL {rates.name}").first()["numFiles"] == 1
    assert spark.sql(f"DESCRIBE DETAIL {rates.name}").first()["properties"].items() >= delta.PROPERTIES.items()
    assert delta.read_watermarks(progress, [moods, rates]) == {
        "fear_greed": moods.version(),
        "fx_rates": rates.version(),
    }


def test_nothing_is_removed_of_a_table_that_gold_has_still_to_read(spark, tmp_path, monkeypatch):
    few = (schema.FEAR_GREED, schema.GOLD_PROGRESS)
    for module in (lakehouse, schema):
        monkeypatch.setattr(module, "TABLES", few)
    lake = Lakehouse.create(CATALOG, str(tmp_path), spark)
    moods = lake.table(schema.FEAR_GREED)
    row = {"date": date(2026, 8, 1), "classification": "Fear", "fetched_at": at("2026-08-12 12:00"), "file": "f"}
    for value in (1, 2):
        moods.replace(frame(spark, schema.FEAR_GREED, [row | {"value": value}]))
    delta.write_watermarks(lake.table(schema.GOLD_PROGRESS), [(moods, 1)])
    old = (datetime.now(UTC) - timedelta(days=8)).timestamp()
    data = list(Path(moods.folder).glob("*.parquet"))
    for path in data:
        os.utime(path, (old, old))
    said = []
    housekeeping.keep(tmp_path, lambda: spark, 90, datetime.now(UTC), said.append)
    assert said == [
        "cleaned_data.fear_greed: gold has not read its newest rows yet, so that nothing of it is removed"
    ]
    assert all(path.exists() for path in data)
