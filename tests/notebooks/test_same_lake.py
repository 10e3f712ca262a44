"""pl_main, which nothing disturbs, and a batch run that is killed and repeated leave the same lake; any row of it
leads back to the answers that it is made from."""

import json
import random
import subprocess
import sys
from datetime import date

import pytest

from adf_lab import monitor
from coinlake import Lakehouse, delta, observability, schema
from coinlake.bronze import LandingZone
from coinlake.errors import StorageError
from coinlake.reports import market_trends, price_averages
from coinlake.schema import STEPS, SUCCEEDED, TABLES
from coinlake_ops import batch, cli, notebooks, parameter_files, spark_server, trace
from coinlake_ops.dev import crash
from coinlake_ops.dev import lake_contents as lakes
from coinlake_ops.dev.crash import Point
from coinlake_ops.project import ROOT
from tests.support import traced
from tests.support.built_reports import BUILT_AT
from tests.support.expected_reports import ExpectedReports
from tests.support.expected_tables import ExpectedTables

# Small, and with everything in it.
SMALL = ("coins=30", "history_coins=3", "history_days=75")
# A run says in these tables that it was there, whatever it found.
NOTED_BY_EVERY_RUN = {"run_steps", "pipeline_runs"}
BRONZE = ("landing", "landing_meta")
# Where a run is killed: among the streams.
MOMENT = Point("after", "append cleaned_data.coin_prices", 0)


pytestmark = [pytest.mark.connect, pytest.mark.slow]


def coinlake(*arguments):
    return {"args": [sys.executable, "-m", "coinlake_ops", *arguments], "cwd": ROOT, "text": True}


def versions(spark, lake):
    lakehouse = Lakehouse.open("spark_catalog", str(lake), spark)
    return delta.versions(lakehouse.table(table) for table in TABLES if table.name not in NOTED_BY_EVERY_RUN)


@pytest.fixture(scope="module")
def by_factory(tmp_path_factory):
    """The lake of a run of pl_main, and the run's record."""
    folder = tmp_path_factory.mktemp("factory")
    sets = [part for value in (f"lake_path={folder / 'lake'}", *SMALL) for part in ("--set", value)]
    command = coinlake("factory", "run", "pl_main", *sets, "--record", str(folder / "record.json"))
    done = subprocess.run(**command, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "lake", json.loads((folder / "record.json").read_text())


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The lake of a batch run that was killed among its streams and completed by the next one."""
    lake = tmp_path_factory.mktemp("killed") / "lake"
    assert crash.cut_off(lake, crash.run_of(lake, SMALL), MOMENT)
    command = coinlake("run", "--quiet", f"lake_path={lake}", *SMALL)
    done = subprocess.run(**command, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return lake


def test_the_factory_is_green_and_gives_the_id_under_which_the_results_are(by_factory):
    lake, run = by_factory
    assert run["status"] == "Succeeded"
    activities = list(monitor.rows(run))
    assert not [each.path for each in activities if each.record["status"] == "Failed"]
    returned = (each for each in activities if (each.depth, each.name) == (0, "return_results"))
    result = next(returned).record["output"]["value"]
    records = {record["step"]: record for record in observability.read_records(str(lake), date.min)}
    assert {(record["run_id"], record["status"]) for record in records.values()} == {(result["run_id"], SUCCEEDED)}
    assert [*records] == [*STEPS]
    written = {step: record["rows_written"] for step, record in records.items()}
    assert written["01_ingest_market_data"] + written["02_ingest_context_data"] > 8
    assert min(written["04_build_gold"], written["05_load_sql"]) > 0


def test_both_leave_the_same_answers_tables_and_reports(spark, by_factory, killed):
    lake, _ = by_factory
    assert lakes.files(lake, *BRONZE) == lakes.files(killed, *BRONZE)
    expected, found = (lakes.contents(spark, path) for path in (lake, killed))
    assert expected.keys() == found.keys()
    for table in expected:
        assert found[table] == expected[table], table
    assert lakes.warehouse(killed) == lakes.warehouse(lake)
    shown = (*notebooks.REPORTS.values(), *notebooks.BESIDE.values())
    reports = {f"{name}.{kind}" for name in shown for kind in ("html", "json")}
    for path in (lake, killed):
        assert {page.name for page in (path / "reports").iterdir()} == reports | {"index.html"}


def test_another_run_over_the_same_answers_changes_no_table(spark, standing_server, killed):
    before = versions(spark, killed)
    answers = lakes.files(killed, *BRONZE)
    values = parameter_files.load("local", [f"lake_path={killed}", *SMALL])
    batch.execute(batch.Run(values, "another", batch.silent), standing_server)
    assert versions(spark, killed) == before
    assert lakes.files(killed, *BRONZE) == answers


@pytest.mark.parametrize("count", [1, pytest.param(12, marks=pytest.mark.whole)])
def test_any_row_leads_back_to_the_answers_that_make_it(spark, killed, count):
    lake = Lakehouse.open("spark_catalog", str(killed), spark)
    chance = random.Random(20260801)
    tried = set()
    for table in TABLES:
        rows = sorted(map(tuple, lake.table(table).read().select(*table.key).collect()), key=repr)
        for row in chance.sample(rows, min(count, len(rows))):
            trail = trace.follow(
                lake, traced.question(table.qualified_name, dict(zip(table.key, row, strict=True)))
            )
            assert trail.problems == (), (table.name, row)
            traced.assert_made_of_its_answers(lake, table, trail)
            tried.add(table.name)
    # The market of this lake does what it should: nothing is in quarantine, and nothing happens to its coins.
    assert {table.name for table in TABLES} - tried == {"market_events", "quarantine", "quarantine_daily"}


def test_a_row_of_the_warehouse_leads_back_through_gold(spark, killed):
    lake = Lakehouse.open("spark_catalog", str(killed), spark)
    key = {"coin_id": "bitcoin", "vs_currency": "usd", "date": "2026-08-01"}
    of_gold = trace.follow(lake, traced.question("fact_price_daily", key))
    of_warehouse = trace.follow(lake, traced.question("warehouse.fact_price_daily", key))
    assert (of_warehouse.row, of_warehouse.problems) == (of_gold.row, ())
    assert traced.answers(of_warehouse.node) == traced.answers(of_gold.node)
    of_view = trace.follow(lake, traced.question("reporting.coin_day", key))
    assert {name: of_view.row[name] for name in ("open", "high", "low", "close")} == {
        name: of_gold.row[name] for name in ("open", "high", "low", "close")
    }
    assert {answer.file for answer in traced.answers(of_gold.node)} < {
        answer.file for answer in traced.answers(of_view.node)
    }
    now = trace.follow(lake, traced.question("reporting.coin_now", {"coin_id": "bitcoin", "vs_currency": "usd"}))
    assert (now.problems, [node.table for node in now.node.nodes]) == (
        (),
        ["aggregated_data.market_now", "aggregated_data.fact_market_snapshot", "aggregated_data.dim_coin"],
    )


def test_a_trail_says_where_bytes_have_changed_and_what_is_not_there(spark, killed, capsys):
    lake = Lakehouse.open("spark_catalog", str(killed), spark)
    newest = lake.table(schema.FEAR_GREED).read().orderBy("date", ascending=False).first()
    call = ["trace", "fear_greed", f"date={newest['date']}", "--lake", str(killed), "--json"]
    assert cli.main(call) == cli.DONE
    assert json.loads(capsys.readouterr().out)["row"]["value"] == newest["value"]
    body = killed / "landing" / newest["file"]
    as_it_was = body.read_bytes()
    try:
        body.write_bytes(as_it_was + b" ")
        assert cli.main(call) == cli.FAILED
        changed = f"{body} has changed since it was landed (sha256 differs). Restore the file."
        assert json.loads(capsys.readouterr().out)["problems"] == [changed]
        body.unlink()
        assert cli.main(call[:-1]) == cli.FAILED
        assert f"✗ {body} is missing, but run " in capsys.readouterr().out
    finally:
        body.write_bytes(as_it_was)
    for key, said in (
        ({"coin_id": "bitcoin", "date": "2020-01-01"}, "Of coin_id=bitcoin vs_currency=usd it has "),
        ({"coin_id": "bitcoyn", "date": "2026-08-01"}, "did you mean bitcoin"),
    ):
        with pytest.raises(StorageError, match=said):
            trace.follow(lake, traced.question("fact_price_daily", {"vs_currency": "usd"} | key))


def test_the_reports_say_what_the_answers_say(spark, killed):
    lake = Lakehouse.open("spark_catalog", str(killed), spark)
    zone = LandingZone(killed)
    lines = [line for run in zone.runs() for line in zone.lines(run) if line["outcome"] == "landed"]
    expected = ExpectedReports(ExpectedTables(map(traced.answer_of(killed), lines), traced.no_keys))
    averages, trends = (
        module.build(module.read(lake), built_at=BUILT_AT) for module in (price_averages, market_trends)
    )
    assert (averages.headline, trends.headline) == (expected.averages_headline, expected.trends_headline)
    assert averages.sections["weeks"].finding == expected.weeks_finding
    candles = averages.sections["weeks"].figure["data"][0]
    drawn = dict(zip(candles["x"], zip(candles["open"], candles["close"], strict=True), strict=True))
    for monday, week in expected.weeks_of_bitcoin.items():
        assert drawn[f"{monday}"] == pytest.approx(week, rel=1e-5)
    bars = averages.sections["distance"].figure["data"][0]["x"]
    assert bars == pytest.approx(
        sorted(expected.distances(expected.longest_window).values(), reverse=True), rel=1e-4
    )
    (bars,) = trends.sections["ranking"].figure["data"]
    assert bars["x"] == pytest.approx([*expected.returns.values()], rel=1e-4)


def test_nothing_of_a_run_is_left_behind(killed):
    assert not spark_server.stop(killed)
    assert not list((killed / "landing_staging").rglob("*.json"))
