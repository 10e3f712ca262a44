"""A batch run that is killed and repeated ends with the tables of one that was not."""

import subprocess
import sys
import threading

import pytest

from coinlake import storage
from coinlake.tables import TABLES
from ops import spark_server
from ops.settings import ROOT
from tests.support import lake as lakes
from tests.support.small_run import SMALL

# A run says in these tables that it was there, and when.
ABOUT_RUNS = {"run_steps", "pipeline_runs"}


def command(lake):
    return [sys.executable, "-m", "ops.batch", "--quiet", f"lake_path={lake}", *SMALL]


def run_and_kill(lake, written):
    """Runs until the file `written` is there, and kills the run in that moment."""
    run = subprocess.Popen(command(lake), cwd=ROOT)
    pause = threading.Event()
    while not written.exists():
        assert run.poll() is None, f"the run ended before it wrote {written}"
        pause.wait(0.05)
    run.kill()
    run.wait()


def run_to_the_end(lake):
    done = subprocess.run(command(lake), cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def first_write(lake, table):
    return lake / "tables" / table / "_delta_log" / f"{1:020}.json"


def versions(spark, lake):
    storage.ensure(spark, "spark_catalog", str(lake))
    tables = [table for table in TABLES if table.name not in ABOUT_RUNS]
    return {table.name: storage.version(spark, "spark_catalog", table) for table in tables}


@pytest.fixture(scope="module")
def killed_twice(tmp_path_factory):
    """A lake whose first run was killed among the streams, its second one among the aggregates."""
    lake = tmp_path_factory.mktemp("killed") / "lake"
    run_and_kill(lake, first_write(lake, "cleaned_data/coin_prices"))
    run_and_kill(lake, first_write(lake, "aggregated_data/price_averages_daily"))
    run_to_the_end(lake)
    return lake


def test_a_run_that_was_killed_is_completed_by_the_next(spark, killed_twice, whole_run):
    expected, found = (lakes.contents(spark, lake) for lake in (whole_run, killed_twice))
    assert expected.keys() == found.keys()
    for table in expected:
        assert found[table] == expected[table], table
    bronze = ("landing", "landing_meta")
    assert lakes.files(killed_twice, *bronze) == lakes.files(whole_run, *bronze)


def test_another_run_over_the_same_answers_changes_no_table(spark, killed_twice):
    before = versions(spark, killed_twice)
    answers = lakes.files(killed_twice, "landing", "landing_meta")
    run_to_the_end(killed_twice)
    assert versions(spark, killed_twice) == before
    assert lakes.files(killed_twice, "landing", "landing_meta") == answers


def test_nothing_of_a_run_is_left_behind(killed_twice):
    assert not spark_server.stop(killed_twice)
    assert not list((killed_twice / "landing_staging").rglob("*.json"))
