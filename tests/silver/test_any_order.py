"""Silver is a function of what has landed: any order, repetition and split of the files over runs, same rows."""

import json
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake import files, lakehouse, schema, silver
from coinlake.silver import streams
from tests.support.silver_lake import SilverLake

RUNS = 3
TABLES = (
    schema.RESPONSES,
    schema.COIN_SNAPSHOTS,
    schema.COIN_PRICES,
    schema.COIN_LIST,
    schema.QUARANTINE,
)
NOON = datetime(2026, 8, 12, 12)
CHART = "/coins/bitcoin/market_chart?vs_currency=usd&days=2"


def coin(price: float, minutes: int, sparkline: float | None = None) -> dict:
    """Bitcoin of /coins/markets as it was so many minutes after noon; the sparkline holds one price 168 times."""
    line = {"sparkline_in_7d": {"price": [sparkline] * 168}} if sparkline else {}
    updated = f"{NOON + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "id": "bitcoin",
        "symbol": "btc",
        "name": "Bitcoin",
        "current_price": price,
        "last_updated": updated,
    } | line


def chart(price: float) -> dict:
    hours = [int((NOON - timedelta(hours=hours)).timestamp() * 1000) for hours in (30, 2, 1)]
    return {"prices": [[hour, price] for hour in hours], "market_caps": [], "total_volumes": []}


def listed(name: str) -> list[dict]:
    return [{"id": "bitcoin", "symbol": "btc", "name": name}, {"id": "", "symbol": "", "name": "Nobody"}]


# endpoint, body, minutes after noon. Everything is contested: keys occur twice, with different values.
FILES = (
    ("coins_markets", [coin(1.0, 20, 10.0), coin(1.5, 21, 11.0)], 22),
    ("coins_markets", [coin(2.0, 20, 12.0), coin(-1.0, 20)], 22),
    ("coins_markets", [coin(3.0, 80, 13.0), {"id": "nobody"}], 82),
    ("coins_market_chart", chart(20.0), 30),
    ("coins_market_chart", chart(21.0), 90),
    ("coins_list", listed("Old"), 5),
    ("coins_list", listed("New"), 65),
    ("coins_list", b'[{"id": "torn', 66),
)


class Arrival(NamedTuple):
    """When a file comes: the run before which its body lies there, and whether its log line comes one later."""

    run: int
    log_is_late: bool


class History(NamedTuple):
    """A way for FILES into silver. forgetful: whether each run finds its checkpoints gone, and reads all again."""

    arrivals: list[Arrival]
    forgetful: list[bool]
    files_per_batch: int


HISTORIES = st.builds(
    History,
    arrivals=st.lists(
        st.builds(Arrival, st.integers(0, RUNS - 1), st.booleans()), min_size=len(FILES), max_size=len(FILES)
    ),
    forgetful=st.lists(st.booleans(), min_size=RUNS + 1, max_size=RUNS + 1),
    files_per_batch=st.sampled_from((2, 200)),
)
IN_ONE_RUN = History([Arrival(0, False)] * len(FILES), [False] * (RUNS + 1), 200)
# Of the first files: the newest comes first, another before its line of the log, and the last run reads all again.
ODD = History([Arrival(1, False), Arrival(0, True), Arrival(0, False)], [False, False, True, False], 2)
ONCE = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def take_in(lake: SilverLake, history: History) -> None:
    """Lets the first of FILES, as many as arrive, come as the history says; their streams run each time."""
    landed = FILES[: len(history.arrivals)]
    for run in range(RUNS + 1):
        arrived = False
        for number, ((endpoint, body, minutes), arrival) in enumerate(zip(landed, history.arrivals, strict=True)):
            fetched = NOON + timedelta(minutes=minutes, milliseconds=number)
            name = f"{fetched:%Y%m%dT%H%M%SZ}-{number:08x}"
            file = f"endpoint={endpoint}/date={fetched:%Y-%m-%d}/run={name}/p0001.json"
            if arrival.run == run:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                assert lake.put(endpoint, name, content) == file
                arrived = True
            if arrival.run + arrival.log_is_late == run:
                url = CHART if endpoint == "coins_market_chart" else ""
                lake.log(endpoint, file, f"{fetched.isoformat(timespec='milliseconds')}Z", url)
                arrived = True
        if history.forgetful[run]:
            files.at(lake.path).remove(lake.path / "checkpoints")
        if arrived or history.forgetful[run]:
            silver.load_responses(lake.lakehouse)
            for endpoint in dict.fromkeys(endpoint for endpoint, _, _ in landed):
                silver.stream_endpoint(lake.lakehouse, endpoint)
            silver.replay_uncommitted(lake.lakehouse)


def contents(lake: SilverLake) -> dict[str, list[tuple]]:
    """All rows of silver, and what waits in quarantine: what came before its log has its own rows there."""
    found = {table.name: lake.rows(table) for table in TABLES if table is not schema.QUARANTINE}
    return found | {"quarantine": lake.rows(schema.QUARANTINE, where="replayed_at IS NULL")}


@pytest.fixture(scope="module")
def new_lake(spark, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lakehouse, "TABLES", TABLES)
        yield lambda: SilverLake(spark, tmp_path_factory.mktemp("order") / "lake")


def silver_of(lake: SilverLake, history: History) -> dict[str, list[tuple]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "FILES_PER_BATCH", history.files_per_batch)
        take_in(lake, history)
    return contents(lake)


def test_an_odd_order_with_repetitions_gives_the_silver_of_one_run(new_lake):
    in_one_run = IN_ONE_RUN._replace(arrivals=IN_ONE_RUN.arrivals[: len(ODD.arrivals)])
    expected = silver_of(new_lake(), in_one_run)
    assert [name for name, rows in expected.items() if not rows] == ["coin_list"]
    assert silver_of(new_lake(), ODD) == expected


@pytest.fixture(scope="module")
def of_one_run(new_lake):
    found = silver_of(new_lake(), IN_ONE_RUN)
    assert [name for name, rows in found.items() if not rows] == []
    return found


@pytest.mark.slow
@pytest.mark.whole
@settings(ONCE, max_examples=100)
@given(history=HISTORIES)
def test_any_order_repetition_and_split_gives_the_same_silver(new_lake, of_one_run, history):
    found = silver_of(new_lake(), history)
    for table in of_one_run:
        assert found[table] == of_one_run[table], table
