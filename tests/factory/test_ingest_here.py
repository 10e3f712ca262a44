"""pl_ingest on this machine: copies from the simulated market land like the notebooks' own answers."""

import json

import pytest

from adf_lab import load_factory
from coinlake import sources
from coinlake_ops.dev.lake_contents import files
from coinlake_ops.factory import FACTORY
from coinlake_ops.factory.executors.notebooks import run_notebook
from tests.support.local_world import run, world
from tests.support.pipelines import activities

pytestmark = pytest.mark.processes

MOMENT = "2026-08-12T14:22:00Z"
COPY = {"as_of": "", "history_days": 30, "ingest_with": "copy", "moment": MOMENT}
MARKET, CONTEXT = "01_ingest_market_data", "02_ingest_context_data"


def landed(lake):
    """endpoint and page -> content of every landed answer."""
    found = files(lake, "landing")
    return {(name.split("/")[1].split("=")[1], name[-10:-5]): json.loads(body) for name, body in found.items()}


def land(here, told, *names, run_id="r1"):
    """What the job does first: the notebooks, with what pl_ingest tells them."""
    texts = {name: str(value) for name, value in (here.parameters | {"run_id": run_id} | told).items()}
    for name in names:
        run_notebook(here, name, texts, 300.0)


def bodies_waiting(lake):
    return len(list((lake / "copied").rglob("p*.json")))


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """A lake into which two pages of coins, and one source more than in git, were copied."""
    factory = load_factory(FACTORY)
    listed = factory.pipelines["pl_ingest"]["properties"]["parameters"]["sources"]["defaultValue"]
    solana = json.loads(json.dumps(listed[3]).replace("bitcoin", "solana")) | {"name": "solana_chart"}
    solana["sink"]["page"] = 3
    lake = tmp_path_factory.mktemp("copied") / "lake"
    with world(lake, "coins=300", factory=factory) as here:
        # The pause between pages is the API's, and this market has none.
        for copy in _copies(factory):
            copy["typeProperties"]["source"]["requestInterval"] = "00.00:00:00.010"
        finished = run(here, "pl_ingest", COPY | {"sources": [*listed, solana]})
        assert finished.status == "Succeeded", finished.message
        land(here, finished.return_value, MARKET, CONTEXT)
    return lake, finished


def _copies(factory):
    return [activity for _, activity in activities(factory) if activity["type"] == "Copy"]


def test_copies_land_with_names_hashes_and_meta_lines(copied):
    lake, finished = copied
    [folder] = (lake / "copied").iterdir()
    assert finished.return_value == {
        "source": "replay",
        "as_of": "",
        "history_days": "30",
        "tape_path": str(folder),
        "copied_folder": f"copied/{folder.name}",
    }
    assert sorted(landed(lake)) == [
        ("coin_categories", "p0001"),
        ("coins_list", "p0001"),
        ("coins_market_chart", "p0001"),
        ("coins_market_chart", "p0002"),
        ("coins_market_chart", "p0003"),
        ("coins_markets", "p0001"),
        ("fear_greed", "p0001"),
        ("fx_rates", "p0001"),
        ("global", "p0001"),
        ("weather_daily", "p0001"),
    ]
    lines = [json.loads(line) for body in files(lake, "landing_meta").values() for line in body.splitlines()]
    assert {line["source"] for line in lines} == {"simulated"}
    assert {line["fetched_at"] for line in lines} == {"2026-08-12T14:22:00.000Z"}
    assert all(len(line["sha256"]) == 64 for line in lines)


def test_a_source_added_to_the_list_lands_without_another_change(copied):
    charts = landed(copied[0])
    assert charts["coins_market_chart", "p0003"]["prices"] != charts["coins_market_chart", "p0001"]["prices"]


def test_both_ways_land_the_same_data(copied, tmp_path):
    with world(tmp_path / "lake", "coins=150", "history_coins=2") as here:
        finished = run(here, "pl_ingest", COPY | {"ingest_with": "notebook"})
        assert (finished.return_value["source"], finished.return_value["tape_path"]) == ("simulated", "")
        land(here, finished.return_value, MARKET, CONTEXT)
    assert not (tmp_path / "lake/copied").exists()
    by_notebook, by_copy = landed(tmp_path / "lake"), landed(copied[0])
    for name in ("coins_list", "fx_rates", "weather_daily"):
        assert by_notebook[name, "p0001"] == by_copy[name, "p0001"]
    assert by_notebook["global", "p0001"].keys() == by_copy["global", "p0001"].keys()
    categories = [[each["id"] for each in bodies["coin_categories", "p0001"]] for bodies in (by_notebook, by_copy)]
    assert categories[0] == categories[1]
    ids = [coin["id"] for coin in by_copy["coins_markets", "p0001"]]
    assert ids[:150] == [coin["id"] for coin in by_notebook["coins_markets", "p0001"]]
    assert len(ids) == 300


@pytest.mark.parametrize("broken", ["copy_pages", "copy_once", "write_meta"])
def test_a_copy_that_fails_leaves_landing_as_it_was(tmp_path, broken):
    with world(tmp_path / "lake") as here:
        finished = run(here, "pl_ingest", COPY, [broken])
    assert finished.status == "Failed"
    assert files(tmp_path / "lake", "landing", "landing_meta") == {}


def test_what_one_notebook_left_undone_the_next_run_completes(tmp_path):
    lake = tmp_path / "lake"
    with world(lake) as here:
        land(here, run(here, "pl_ingest", COPY).return_value, MARKET)
        assert {name for name, _ in landed(lake)} == {source.name for source in sources.of_group("market")}
        assert bodies_waiting(lake) == 9
        land(here, run(here, "pl_ingest", COPY).return_value, MARKET, CONTEXT, run_id="r2")
    assert {"fear_greed", "fx_rates", "weather_daily"} <= {name for name, _ in landed(lake)}
