"""pl_main on this machine, over the simulated market, gives the same tables as the batch run."""

import pytest

from ops.adf.engine import Engine, RealClock, walk
from ops.adf.executors import local_executors
from tests.support import lake as lakes
from tests.support.local_world import world
from tests.support.small_run import SMALL


@pytest.fixture(scope="module")
def by_factory(tmp_path_factory):
    """The lake of a run of pl_main, and the run's record."""
    lake = tmp_path_factory.mktemp("factory") / "lake"
    with world(lake, *SMALL) as here:
        engine = Engine(here.factory.pipelines, local_executors(here), RealClock(), here.parameters)
        return lake, engine.run("pl_main")


def test_the_run_is_green_and_hands_its_results_up(by_factory):
    _, run = by_factory
    assert run.status == "Succeeded", run.message
    assert run.return_value["landed"] > 8
    assert run.return_value["lost"] == 0
    assert min(run.return_value[name] for name in ("gold_rows", "loaded_rows")) > 0
    assert not [found for found in walk(run.activities) if found.status == "Failed"]


def test_both_leave_the_same_answers_tables_warehouse_and_reports(whole_run, by_factory, spark):
    lake, _ = by_factory
    assert lakes.files(whole_run, "landing", "landing_meta") == lakes.files(lake, "landing", "landing_meta")
    expected, found = (lakes.contents(spark, path) for path in (whole_run, lake))
    assert expected.keys() == found.keys()
    for table in expected:
        assert expected[table] == found[table], table
    names = sorted(path.name for path in (whole_run / "reports").iterdir())
    assert sorted(path.name for path in (lake / "reports").iterdir()) == names
    assert len(names) == 3
