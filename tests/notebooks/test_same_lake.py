"""pl_main, which nothing disturbs, and a batch run that is killed and repeated leave the same lake."""

import json
import subprocess
import sys

import pytest

from adf_lab import monitor
from coinlake import Lakehouse, delta
from coinlake.schema import TABLES
from coinlake_ops import batch, notebooks, parameter_files, spark_server
from coinlake_ops.dev import crash
from coinlake_ops.dev import lake_contents as lakes
from coinlake_ops.dev.crash import Point
from coinlake_ops.project import ROOT

# Small, and with everything in it.
SMALL = ("coins=30", "history_coins=3", "history_days=60")
# A run says in these tables that it was there, whatever it found.
NOTED_BY_EVERY_RUN = {"run_steps", "pipeline_runs"}
BRONZE = ("landing", "landing_meta")
# Where runs are killed: among the streams, and when the warehouse is loaded and not yet published.
MOMENTS = (
    Point("after", "append cleaned_data.coin_prices", 0),
    Point("before", "rename warehouse.duckdb", 0),
)


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
    """The lake of batch runs that were killed, each at a later moment, and completed by the next one."""
    lake = tmp_path_factory.mktemp("killed") / "lake"
    for moment in MOMENTS:
        assert crash.cut_off(lake, crash.run_of(lake, SMALL), moment), moment
    command = coinlake("run", "--quiet", f"lake_path={lake}", *SMALL)
    done = subprocess.run(**command, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return lake


def test_the_factory_is_green_and_hands_its_results_up(by_factory):
    _, run = by_factory
    assert run["status"] == "Succeeded"
    activities = list(monitor.rows(run))
    assert not [each.path for each in activities if each.record["status"] == "Failed"]
    returned = (each for each in activities if (each.depth, each.name) == (0, "return_results"))
    result = next(returned).record["output"]["value"]
    assert result["landed"] > 8
    assert result["lost"] == 0
    assert min(result[name] for name in ("gold_rows", "loaded_rows")) > 0


def test_both_leave_the_same_answers_tables_and_reports(spark, by_factory, killed):
    lake, _ = by_factory
    assert lakes.files(lake, *BRONZE) == lakes.files(killed, *BRONZE)
    expected, found = (lakes.contents(spark, path) for path in (lake, killed))
    assert expected.keys() == found.keys()
    for table in expected:
        assert found[table] == expected[table], table
    assert lakes.warehouse(killed) == lakes.warehouse(lake)
    reports = {f"{name}.html" for name in notebooks.REPORTS.values()}
    for path in (lake, killed):
        assert {page.name for page in (path / "reports").iterdir()} == reports


def test_another_run_over_the_same_answers_changes_no_table(spark, standing_server, killed):
    before = versions(spark, killed)
    answers = lakes.files(killed, *BRONZE)
    values = parameter_files.load("local", [f"lake_path={killed}", *SMALL])
    batch.execute(batch.Run(values, "another", batch.silent), standing_server)
    assert versions(spark, killed) == before
    assert lakes.files(killed, *BRONZE) == answers


def test_nothing_of_a_run_is_left_behind(killed):
    assert not spark_server.stop(killed)
    assert not list((killed / "landing_staging").rglob("*.json"))
