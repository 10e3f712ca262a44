"""Gold is a function of silver over any history: late days, corrected prices, coins that come and go, gaps."""

from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinlake import Lakehouse, gold, lakehouse, schema
from tests.support.gold_lake import STAR_AND_AGGREGATES, contents
from tests.support.silver_frames import at, daily, frame, hourly, snapshot

CATALOG = "spark_catalog"
BUILDS = 3
FIRST = at("2026-05-20 00:00")  # a month begins amid the history, and a week
DAYS = 70
GAP = range(20, 23)
DEAD_SINCE = 45
FETCHED = at("2026-09-01 00:00")
TABLES = (*gold.SOURCES, *STAR_AND_AGGREGATES, schema.GOLD_PROGRESS)


class Event(NamedTuple):
    """Something that silver learns: what, of which coin or currency, when (days and hours after FIRST), how much.

    build: the build before which it comes.
    """

    what: str
    of: str
    day: int
    hour: int
    amount: float
    build: int


COINS = st.sampled_from(("bitcoin", "ether", "young", "dollar"))
AMOUNTS = st.sampled_from((0.0, 0.5, 1.0, 1.25, 3.0))
EVENTS = st.builds(
    Event,
    what=st.sampled_from(("close", "hour", "snapshot", "rate", "mood", "totals")),
    of=COINS,
    day=st.integers(0, DAYS),
    hour=st.integers(0, 23),
    amount=AMOUNTS,
    build=st.integers(0, BUILDS - 1),
)
HISTORIES = st.lists(EVENTS, min_size=6, max_size=14)
ONCE = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def instant(day: int, hour: int = 0) -> str:
    return f"{FIRST + timedelta(days=day, hours=hour):%Y-%m-%d %H:%M}"


def before() -> list[tuple]:
    """What the first build finds: Bitcoin every day, Ether with a gap and then dead, a dollar that is too young to
    be known as one, and rates of the euro."""
    rows = []
    for day in range(DAYS - 5):
        rows.append((schema.COIN_PRICES, daily("bitcoin", instant(day), 100.0 + day % 7, market_cap=1e6 + day)))
        if day not in GAP and day < DEAD_SINCE:
            rows.append((schema.COIN_PRICES, daily("ether", instant(day), 10.0 + day % 5, market_cap=1e5)))
        if day < 25:
            rows.append((schema.COIN_PRICES, dollar(day)))
        if day % 3 == 0:
            rows.append((schema.FX_RATES, rate("eur", day, 0.9 + day / 1000, FETCHED)))
    return [*rows, (schema.COIN_SNAPSHOTS, snapshot("bitcoin", instant(1, 10), max_supply=21e6))]


def later() -> list[tuple]:
    """What the second build finds: days enough to know the dollar, off its peg at last."""
    return [(schema.COIN_PRICES, dollar(day)) for day in range(25, DAYS - 5)]


def dollar(day: int) -> dict:
    return daily("dollar", instant(day), 0.9 if day > DAYS - 9 else 1.0 + day % 3 / 1000, total_volume=10.0)


def rate(currency: str, day: int, amount: float, fetched_at) -> dict:
    date = (FIRST + timedelta(days=day)).date()
    pair = {"base_currency": "usd", "currency": currency}
    return {"date": date, "rate": amount, "fetched_at": fetched_at, "file": "fx"} | pair


def row(event: Event, number: int) -> tuple:
    """The event as (table, row of silver). Of two rows of a key the one with the greater number is the newer."""
    what, of, day, hour, amount, _ = event
    newer = FETCHED + timedelta(minutes=1 + number)
    response = {"fetched_at": newer, "file": f"response-{number:02}"}
    if what == "close":
        told = {"market_cap": amount, "total_volume": 10.0 * amount}
        return schema.COIN_PRICES, daily(of, instant(day), 100.0 * amount, **told, **response)
    if what == "hour":
        return schema.COIN_PRICES, hourly(of, instant(day, hour), 100.0 * amount, **response)
    if what == "snapshot":
        seen = {"price": 100.0 * amount, "max_supply": amount or None, "market_cap": amount, "last_updated": newer}
        seen |= {"market_cap_rank": 1 + hour % 3, "ath": 100.0 + amount, "ath_date": at(instant(day, hour))}
        return schema.COIN_SNAPSHOTS, snapshot(of, instant(day, hour), file=response["file"], **seen)
    if what == "rate":
        return schema.FX_RATES, rate({"bitcoin": "eur"}.get(of, "chf"), day, amount + 0.1, newer)
    if what == "mood":
        mood = {"value": int(10 * amount), "classification": "Fear"}
        return schema.FEAR_GREED, mood | {"date": (FIRST + timedelta(days=day)).date()} | response
    maps = {"total_market_cap": {"usd": 1e9 * amount}, "total_volume": {"usd": 1.0}}
    shares = {"market_cap_percentage": {"btc": 50.0 + amount}}
    seen = {"snapshot_at": at(instant(day, hour)), "updated_at": newer, "file": response["file"]}
    return schema.MARKET_TOTALS, maps | shares | seen


def arrive(lake: Lakehouse, rows: list[tuple]) -> None:
    """Rows (table, row) are merged into silver."""
    for table in gold.SOURCES:
        arriving = [each for target, each in rows if target is table]
        if arriving:
            lake.table(table).merge(frame(lake.spark, table, arriving))


@pytest.fixture
def new_lake(spark, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(lakehouse, "TABLES", TABLES)
    return lambda: Lakehouse.create(CATALOG, str(tmp_path_factory.mktemp("history") / "lake"), spark)


@pytest.mark.slow
@pytest.mark.whole
@settings(ONCE, max_examples=60)
@given(history=HISTORIES)
def test_increments_end_where_one_build_does(new_lake, history):
    rows = [(event.build, row(event, number)) for number, event in enumerate(history)]
    arriving = [[each for build, each in rows if build == number] for number in range(BUILDS)]
    increments, at_once = new_lake(), new_lake()
    arriving[0] = before() + arriving[0]
    arriving[1] = later() + arriving[1]
    for part in arriving:
        arrive(increments, part)
        gold.build(increments)
        arrive(at_once, part)
    gold.build(at_once)
    expected, found = contents(at_once), contents(increments)
    for table in expected:
        assert found[table] == expected[table], table
