"""Gold is a function of silver: whatever arrives in whatever order, N builds end with the rows of one build."""

import random
from datetime import timedelta

import pytest

from coinlake import Lakehouse, delta, gold, schema
from tests.support.silver_frames import at, daily, frame, hourly, snapshot, values

CATALOG = "spark_catalog"
GOLD = [table for table in schema.TABLES if table.schema == schema.AGGREGATED]
STAR_AND_AGGREGATES = [
    table
    for table in GOLD
    if table.name
    not in {"run_steps", "pipeline_runs", "api_usage", "freshness", "quarantine_daily", "gold_progress"}
]


def silver() -> list[tuple]:
    """A small market as (table, row), in no order that matters: eight months of days, hours around a midnight,
    coins that change, a coin that only charts know, a coin that has both, and the context."""
    chance = random.Random(7)
    rows = []
    start = at("2025-12-01 00:00")
    for number in range(250):
        stamp = f"{start + timedelta(days=number):%Y-%m-%d %H:%M}"
        for coin, price in (("bitcoin", 60_000.0), ("ether", 3_000.0), ("charted", 0.002)):
            if coin == "ether" and number in (100, 101):
                continue
            cap = None if number % 7 == 3 else price * 1e6 * (1 + number / 100)
            close = price * (1 + 0.3 * chance.random())
            rows.append((schema.COIN_PRICES, daily(coin, stamp, close, market_cap=cap, total_volume=price)))
    midnight = at("2026-08-08 00:00")
    for number in range(-30, 16):
        stamp = f"{midnight + timedelta(hours=number):%Y-%m-%d %H:%M}"
        for coin in ("bitcoin", "ether", "young"):
            rows.append((schema.COIN_PRICES, hourly(coin, stamp, 100 * chance.random())))
    for number in (-5, -4, -3, 1, 2, 6):
        stamp = f"{midnight + timedelta(hours=number, minutes=22):%Y-%m-%d %H:%M}"
        supply = 21e6 if number < -3 or number == 2 else 22e6
        rows.append(
            (schema.COIN_SNAPSHOTS, snapshot("bitcoin", stamp, price=60_000.0 + number, max_supply=supply))
        )
        rows.append((schema.COIN_SNAPSHOTS, snapshot("young", stamp, price=50.0 + number, market_cap=7.0)))
        rows.append((schema.COIN_SNAPSHOTS, snapshot("young", stamp, price=45.0 + number, vs_currency="eur")))
        if number > 0:
            rows.append((schema.COIN_SNAPSHOTS, snapshot("ether", stamp, price=3_000.0, symbol=f"e{number // 6}")))
        total = {"total_market_cap": {"usd": 1e12 + number}, "total_volume": {"usd": 1e9}}
        shares = {"market_cap_percentage": {"btc": 50.0 + number}}
        rows.append((schema.MARKET_TOTALS, {"snapshot_at": at(stamp), "file": stamp} | total | shares))
    for number, rate in enumerate((0.9, 0.91, None, None, 0.92, 0.93)):
        for currency in ("eur", "chf"):
            if rate:
                day = (at("2026-07-29 00:00") + timedelta(days=number)).date()
                pair = {"base_currency": "usd", "currency": currency, "rate": rate}
                rows.append(
                    (schema.FX_RATES, {"date": day, "fetched_at": at("2026-08-08 01:00"), "file": "fx"} | pair)
                )
    for number in range(200, 252):
        day = (start + timedelta(days=number)).date()
        mood = {"value": number % 100, "classification": "Fear", "fetched_at": at("2026-08-08 01:00"), "file": "m"}
        rows.append((schema.FEAR_GREED, {"date": day} | mood))
    for coin in ("charted", "young"):
        listed = {"first_listed_at": at("2026-08-01 00:00"), "last_listed_at": at("2026-08-08 00:00"), "file": "l"}
        rows.append((schema.COIN_LIST, {"coin_id": coin, "symbol": coin[:3], "name": coin.upper()} | listed))
    return rows


@pytest.fixture
def lake(spark, tmp_path):
    return Lakehouse.create(CATALOG, str(tmp_path / "lake"), spark)


def arrive(lake, rows) -> None:
    """Rows (table, row) come into silver."""
    for table in gold.SOURCES:
        arriving = [row for target, row in rows if target is table]
        if arriving:
            frame(lake.spark, table, arriving).writeTo(lake.table(table).name).append()


def contents(lake) -> dict[str, list[tuple]]:
    return {table.name: values(lake.table(table).read()) for table in STAR_AND_AGGREGATES}


def versions(lake) -> dict[str, int]:
    return delta.versions(map(lake.table, GOLD))


@pytest.fixture(scope="module")
def lake_built_at_once(spark, tmp_path_factory):
    lake = Lakehouse.create(CATALOG, str(tmp_path_factory.mktemp("once") / "lake"), spark)
    arrive(lake, silver())
    gold.build(lake)
    return lake, contents(lake)


@pytest.fixture
def built_at_once(lake_built_at_once):
    return lake_built_at_once[1]


def test_one_build_fills_every_table(built_at_once):
    assert [name for name, rows in built_at_once.items() if not rows] == []
    assert next(row for row in built_at_once["dim_coin"] if row[1] == "charted")[2:4] == ("CHA", "CHARTED")
    assert {row[2] for row in built_at_once["coin_monthly"]} >= {at("2026-08-01 00:00").date()}
    assert {row[1] for row in built_at_once["coin_monthly"]} == {"usd", "eur", "chf"}


def instant(row: dict):
    return next(
        row[name] for name in ("observed_at", "snapshot_at", "fetched_at", "last_listed_at") if name in row
    )


def test_late_rows_and_interrupted_builds_end_with_the_same_gold(lake, built_at_once, monkeypatch):
    chance = random.Random(4)
    early, next_hour, rest = [], [], []
    for table, row in silver():
        # One row in ten comes after newer ones.
        is_late = chance.random() < 0.1
        if row.get("coin_id") == "young" and at("2026-08-07 00:00") <= instant(row) <= at("2026-08-08 00:00"):
            # Of this day only the price at its beginning: it counts to the day before, and opens this one.
            is_late = instant(row) == at("2026-08-07 00:00")
        known_at = at("2100-01-01 00:00") if is_late else instant(row)
        if known_at < at("2026-08-08 00:10"):
            early.append((table, row))
        elif known_at < at("2026-08-08 01:30"):
            next_hour.append((table, row))
        else:
            rest.append((table, row))
    for part in (early, next_hour):
        arrive(lake, part)
        gold.build(lake)
    arrive(lake, rest)
    for step in ("aggregates_of_coins", "finish"):
        with monkeypatch.context() as broken:
            broken.setattr(gold.Build, step, lambda self: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                gold.build(lake)
    gold.build(lake)
    assert contents(lake) == built_at_once


def test_what_did_not_change_is_not_written_again(lake_built_at_once):
    lake, _ = lake_built_at_once
    before = versions(lake)
    assert gold.build(lake) == {}
    assert versions(lake) == before
    # An hour within the day leaves the aggregates of complete days alone.
    arrive(
        lake,
        [
            (schema.COIN_PRICES, hourly("bitcoin", "2026-08-08 16:00", 61_000.0)),
            (schema.COIN_SNAPSHOTS, snapshot("bitcoin", "2026-08-08 16:22", price=61_500.0, max_supply=22e6)),
        ],
    )
    written = gold.build(lake)
    assert {name: (merged.inserted, merged.updated) for name, merged in written.items()} == {
        "aggregated_data.fact_market_snapshot": (1, 0),
        "aggregated_data.fact_price_daily": (0, 1),
        "aggregated_data.candle_hourly": (2, 0),
        "aggregated_data.gold_progress": (7, 0),
    }


@pytest.mark.both_sessions
def test_silver_without_a_snapshot_is_enough(lake):
    arrive(lake, [row for row in silver() if row[0] is schema.COIN_PRICES][:20])
    written = gold.build(lake)
    assert written["aggregated_data.fact_market_snapshot"].inserted == 0
    assert written["aggregated_data.price_averages_daily"].inserted > 0
