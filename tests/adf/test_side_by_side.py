"""pl_main on this machine, over the simulated market, gives the same tables as the batch run."""

import shutil

import pytest

from ops import batch, settings
from ops.adf.engine import Engine, RealClock, walk
from ops.adf.executors import local_executors
from tests.support import lake as lakes
from tests.support.local_world import world

SMALL = ("coins=30", "history_coins=3", "history_days=60")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The lakes of a batch run and of a run of pl_main, and the latter's record."""
    folder = tmp_path_factory.mktemp("both")
    by_batch, by_factory = folder / "batch", folder / "factory"
    values = settings.load("local", [f"lake_path={by_batch}", *SMALL])
    batch.execute(batch.Run(values, "side-by-side", lambda event, facts: None))
    with world(by_factory, *SMALL) as here:
        engine = Engine(here.factory.pipelines, local_executors(here), RealClock(), here.parameters)
        run = engine.run("pl_main")
    yield by_batch, by_factory, run
    shutil.rmtree(folder)


def test_the_run_is_green_and_hands_its_results_up(both):
    _, _, run = both
    assert run.status == "Succeeded", run.message
    assert run.return_value["landed"] > 8
    assert run.return_value["lost"] == 0
    assert min(run.return_value[name] for name in ("gold_rows", "loaded_rows")) > 0
    assert not [found for found in walk(run.activities) if found.status == "Failed"]


def test_both_leave_the_same_answers_tables_warehouse_and_reports(both, spark):
    by_batch, by_factory, _ = both
    assert lakes.files(by_batch, "landing", "landing_meta") == lakes.files(by_factory, "landing", "landing_meta")
    expected, found = (lakes.contents(spark, lake) for lake in (by_batch, by_factory))
    assert expected.keys() == found.keys()
    for table in expected:
        assert expected[table] == found[table], table
    names = sorted(path.name for path in (by_batch / "reports").iterdir())
    assert sorted(path.name for path in (by_factory / "reports").iterdir()) == names
    assert len(names) == 3
