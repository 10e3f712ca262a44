"""Gold is a function of silver: whatever arrives in whatever order, N builds end with the rows of one build."""

import dataclasses
import importlib
import random
import shutil
from datetime import date, datetime, timedelta

import pytest

from coinlake import Lakehouse, delta, gold, schema
from coinlake.delta import DeltaTable
from coinlake.gold.inputs import Change, Plan, Reach
from tests.support.gold_lake import STAR_AND_AGGREGATES, contents
from tests.support.silver_frames import at, daily, frame, hourly, snapshot, values

CATALOG = "spark_catalog"
GOLD = [table for table in schema.TABLES if table.schema == schema.AGGREGATED]


def silver() -> list[tuple]:
    """A small market as (table, row), in no order that matters: eight months of days, hours around a midnight,
    coins that change, a coin that only charts know, a dollar, a coin that has both, and the context."""
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
            traded = price * (5 if number == 240 else 1)
            rows.append((schema.COIN_PRICES, daily(coin, stamp, close, market_cap=cap, total_volume=traded)))
        off = 0.9 if number in (220, 221) else 1.0 + 0.001 * chance.random()
        rows.append((schema.COIN_PRICES, daily("dollar", stamp, off)))
    midnight = at("2026-08-08 00:00")
    for number in range(-30, 16):
        stamp = f"{midnight + timedelta(hours=number):%Y-%m-%d %H:%M}"
        for coin in ("bitcoin", "ether", "young"):
            rows.append((schema.COIN_PRICES, hourly(coin, stamp, 100 * chance.random())))
    for number in (-5, -4, -3, 1, 2, 6):
        stamp = f"{midnight + timedelta(hours=number, minutes=22):%Y-%m-%d %H:%M}"
        supply = 21e6 if number < -3 or number == 2 else 22e6
        high = {"ath": 70_000.0 + number, "ath_date": at(stamp), "market_cap_rank": 10 - number}
        of_bitcoin = snapshot("bitcoin", stamp, price=60_000.0 + number, max_supply=supply, **high)
        rows.append((schema.COIN_SNAPSHOTS, of_bitcoin))
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
    kinds = {row[1]: row[-2:] for row in built_at_once["dim_coin"]}
    assert kinds == dict.fromkeys(("bitcoin", "ether", "charted", "young"), ("free", None)) | {
        "dollar": ("pegged", None)
    }
    assert {row[2] for row in built_at_once["market_events"]} == {
        *("record_high", "peg_lost", "peg_regained", "volume_anomaly"),
        *("trend_up", "trend_down", "entered", "left"),
    }


def instant(row: dict):
    return next(
        row[name] for name in ("observed_at", "snapshot_at", "fetched_at", "last_listed_at") if name in row
    )


def refuse(monkeypatch, refused: schema.Table) -> None:
    """Lets every write to this table fail."""
    for way in ("merge", "replace"):
        write = getattr(DeltaTable, way)

        def write_or_refuse(stored, *arguments, write=write, **options):
            if stored.table == refused:
                raise OSError(f"No space for {refused.name}")
            return write(stored, *arguments, **options)

        monkeypatch.setattr(DeltaTable, way, write_or_refuse)


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
    # In the order of work: what stands before the refused table is written, the rest is not.
    for table in (schema.PRICE_AVERAGES_DAILY, schema.DIM_COIN):
        with monkeypatch.context() as broken:
            refuse(broken, table)
            with pytest.raises(OSError, match=f"No space for {table.name}"):
                gold.build(lake)
    gold.build(lake)
    assert contents(lake) == built_at_once


def test_what_did_not_change_is_not_written_again(lake_built_at_once):
    lake, _ = lake_built_at_once
    before = versions(lake)
    assert gold.build(lake) == {}
    assert versions(lake) == before
    # Files of silver that are compacted are a new version without a new row.
    lake.spark.sql(f"OPTIMIZE {lake.table(schema.COIN_PRICES).name}")
    assert {name: merged.inserted for name, merged in gold.build(lake).items()} == {
        "aggregated_data.gold_progress": 9
    }
    # An hour within the day leaves the aggregates of complete days alone, and brings no event.
    high = {"ath": 70_006.0, "ath_date": at("2026-08-08 06:22"), "market_cap_rank": 4}
    arrive(
        lake,
        [
            (schema.COIN_PRICES, hourly("bitcoin", "2026-08-08 16:00", 61_000.0)),
            (
                schema.COIN_SNAPSHOTS,
                snapshot("bitcoin", "2026-08-08 16:22", price=61_500.0, max_supply=22e6, **high),
            ),
        ],
    )
    written = gold.build(lake)
    assert {name: (merged.inserted, merged.updated) for name, merged in written.items()} == {
        "aggregated_data.fact_market_snapshot": (1, 0),
        "aggregated_data.fact_price_daily": (0, 1),
        "aggregated_data.candle_hourly": (2, 0),
        "aggregated_data.market_now": (4, 0),
        "aggregated_data.gold_progress": (9, 0),
    }


@pytest.mark.both_sessions
def test_silver_without_a_snapshot_is_enough(lake):
    arrive(lake, [row for row in silver() if row[0] is schema.COIN_PRICES][:20])
    written = gold.build(lake)
    assert written["aggregated_data.fact_market_snapshot"].inserted == 0
    assert written["aggregated_data.price_averages_daily"].inserted > 0


def small_market() -> list[tuple]:
    """Five complete days of Bitcoin, and a snapshot on each of the two days after 31 July."""
    closes = [
        (schema.COIN_PRICES, daily("bitcoin", f"2026-08-{day:02} 00:00", 100.0 + day)) for day in range(1, 6)
    ]
    seen = [
        (schema.COIN_SNAPSHOTS, snapshot("bitcoin", f"2026-08-{day} 10:22", max_supply=21e6))
        for day in ("01", "05")
    ]
    return closes + seen


def next_hour() -> list[tuple]:
    """An hour of 5 August: a price, a snapshot with another supply, a coin that only charts know, and context."""
    mood = {"date": date(2026, 8, 2), "value": 20, "classification": "Fear", "fetched_at": at("2026-08-05 11:00")}
    rate = {"date": date(2026, 8, 3), "base_currency": "usd", "currency": "eur", "rate": 0.9}
    return [
        (schema.COIN_PRICES, hourly("bitcoin", "2026-08-05 11:00", 111.0)),
        (schema.COIN_PRICES, daily("charted", "2026-08-05 00:00", 0.5)),
        (schema.COIN_SNAPSHOTS, snapshot("bitcoin", "2026-08-05 11:22", max_supply=22e6)),
        (schema.FEAR_GREED, mood | {"file": "m"}),
        (schema.FX_RATES, rate | {"fetched_at": at("2026-08-05 11:00"), "file": "fx"}),
    ]


def test_plan_and_reach_are_plain_data(lake):
    arrive(lake, small_market())
    first = gold.plan(lake)
    assert (first.is_first, first.has_changes, first.held) == (True, True, {})
    assert first.rows == {
        "coin_snapshots": 2,
        "coin_prices": 5,
        "coin_list": 0,
        "market_totals": 0,
        "fear_greed": 0,
        "fx_rates": 0,
    }
    gold.build(lake)
    assert not gold.plan(lake).has_changes

    arrive(lake, next_hour())
    plan = gold.plan(lake)
    nothing = dict.fromkeys(first.rows, 0)
    assert dataclasses.replace(plan, changes=frozenset(plan.changes)) == Plan(
        versions=nothing | {"coin_snapshots": 2, "coin_prices": 2, "fear_greed": 1, "fx_rates": 1},
        held=nothing
        | {"coin_snapshots": 1, "coin_prices": 1, "fact_price_daily": 1, "market_now": 1, "market_events": 0},
        changes=frozenset(
            (
                Change("coin_snapshots", "bitcoin", "usd", date(2026, 8, 5), 1),
                Change("coin_prices", "bitcoin", "usd", date(2026, 8, 5), 1),
                Change("coin_prices", "charted", "usd", date(2026, 8, 4), 1),
                Change("fear_greed", None, None, date(2026, 8, 2), 1),
                Change("fx_rates", None, None, date(2026, 8, 3), 1),
            )
        ),
        calendar=(date(2026, 7, 31), date(2026, 8, 5)),
        changed_coins={"bitcoin": datetime(2026, 8, 5, 11, 22), "charted": None},
        moved_coins={"bitcoin": datetime(2026, 8, 5, 11, 22)},
        market_since=date(2026, 8, 2),
        rates_since=date(2026, 8, 3),
    )
    gold.write_star(lake, plan)
    august_4 = date(2026, 8, 4)
    assert gold.reach(lake, plan) == Reach(2, since=august_4, closes={("charted", "usd"): august_4})


def test_what_comes_into_silver_after_the_plan_is_of_the_next_build(lake, spark, tmp_path, monkeypatch):
    expected = Lakehouse.create(CATALOG, str(tmp_path / "expected"), spark)
    for each in (lake, expected):
        arrive(each, small_market())
        gold.build(each)
        arrive(each, next_hour())
    gold.build(expected)

    def after_the_plan(into):
        """New rows, and one of silver's oldest that changes: its day is before all that the plan has seen."""
        arrive(into, [(schema.COIN_PRICES, hourly("bitcoin", "2026-08-03 05:00", 1.0)), *next_days()])
        corrected = snapshot("bitcoin", "2026-08-01 10:22", price=7.0, max_supply=21e6, file="z")
        into.table(schema.COIN_SNAPSHOTS).merge(frame(spark, schema.COIN_SNAPSHOTS, [corrected]))

    plan_of = gold.plan
    building = importlib.import_module("coinlake.gold.build")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(building, "plan_of", lambda lake: (plan_of(lake), after_the_plan(lake))[0])
        gold.build(lake)
    assert contents(lake) == contents(expected)

    after_the_plan(expected)
    for each in (lake, expected):
        gold.build(each)
    assert contents(lake) == contents(expected)
    for table in STAR_AND_AGGREGATES:
        keys = values(lake.table(table).read(), *table.key)
        assert len(keys) == len(set(keys)), table.name
    assert (at("2026-08-01 10:22").replace(tzinfo=None), 7.0) in values(
        lake.table(schema.FACT_MARKET_SNAPSHOT).read(), "snapshot_at", "price"
    )


def test_a_price_of_midnight_that_comes_late_or_is_corrected_opens_the_next_day_anew(lake, spark):
    def prices(*of_days):
        return [daily("bitcoin", f"2026-08-{day:02} 00:00", price) for day, price in of_days]

    def opened():
        found = lake.table(schema.FACT_PRICE_DAILY).read()
        return values(found, "date", "open", "high", "low", "close")

    noon = hourly("bitcoin", "2026-08-02 12:00", 99.0)
    arrive(
        lake,
        [(schema.COIN_PRICES, row) for row in (*prices((1, 101.0), (2, 102.0), (4, 104.0), (5, 105.0)), noon)],
    )
    gold.build(lake)
    assert opened() == [
        (date(2026, 7, 31), 101.0, 101.0, 101.0, 101.0),
        (date(2026, 8, 1), 101.0, 102.0, 101.0, 102.0),
        (date(2026, 8, 2), 102.0, 102.0, 99.0, 99.0),
        (date(2026, 8, 3), 104.0, 104.0, 104.0, 104.0),
        (date(2026, 8, 4), 104.0, 105.0, 104.0, 105.0),
    ]
    late_and_corrected = [row | {"file": "z"} for row in prices((3, 103.0), (4, 90.0))]
    lake.table(schema.COIN_PRICES).merge(frame(spark, schema.COIN_PRICES, late_and_corrected))
    gold.build(lake)
    assert opened() == [
        (date(2026, 7, 31), 101.0, 101.0, 101.0, 101.0),
        (date(2026, 8, 1), 101.0, 102.0, 101.0, 102.0),
        (date(2026, 8, 2), 102.0, 103.0, 99.0, 103.0),
        (date(2026, 8, 3), 103.0, 103.0, 90.0, 90.0),
        (date(2026, 8, 4), 90.0, 105.0, 90.0, 105.0),
    ]
    assert values(lake.table(schema.CANDLE_WEEKLY).read(), "week", "open", "high", "low", "close", "days") == [
        (date(2026, 7, 27), 101.0, 103.0, 99.0, 103.0, 3),
        (date(2026, 8, 3), 103.0, 105.0, 90.0, 105.0, 2),
    ]


def next_days() -> list[tuple]:
    """A day later: a close, a snapshot of a coin that nobody knew, the list, a rate, a mood and the totals."""
    total = {
        "total_market_cap": {"usd": 1e12},
        "total_volume": {"usd": 1e9},
        "market_cap_percentage": {"btc": 50.0},
    }
    listed = {"coin_id": "charted", "symbol": "cha", "name": "Charted"}
    seen = {"first_listed_at": at("2026-08-06 00:00"), "last_listed_at": at("2026-08-06 00:00"), "file": "l"}
    mood = {"date": date(2026, 8, 4), "value": 30, "classification": "Fear", "fetched_at": at("2026-08-06 01:00")}
    rate = {"date": date(2026, 8, 4), "base_currency": "usd", "currency": "chf", "rate": 0.8}
    return [
        (schema.COIN_PRICES, daily("bitcoin", "2026-08-06 00:00", 120.0)),
        (schema.COIN_SNAPSHOTS, snapshot("young", "2026-08-06 10:22")),
        (schema.COIN_LIST, listed | seen),
        (schema.MARKET_TOTALS, {"snapshot_at": at("2026-08-05 23:22"), "file": "t"} | total),
        (schema.FEAR_GREED, mood | {"file": "m"}),
        (schema.FX_RATES, rate | {"fetched_at": at("2026-08-06 01:00"), "file": "fx"}),
    ]


def forget_a_watermark(lake):
    name = lake.table(schema.GOLD_PROGRESS).name
    lake.spark.sql(f"DELETE FROM {name} WHERE table_name = 'fact_price_daily'")


def make_anew(lake):
    """A table of silver is deleted, made again and filled again: its versions begin from 0."""
    rows = lake.table(schema.COIN_LIST).read().collect()
    shutil.rmtree(lake.table(schema.COIN_LIST).folder)
    again = Lakehouse.create(CATALOG, lake.path, lake.spark).table(schema.COIN_LIST)
    lake.spark.createDataFrame(rows, again.read().schema).writeTo(again.name).append()


def vacuum(lake):
    """The feed no longer reaches back: a price is corrected twice, and VACUUM takes what the corrections left."""
    name = lake.table(schema.COIN_PRICES).name
    for change in ("price + 1", "price - 1"):
        lake.spark.sql(f"UPDATE {name} SET price = {change} WHERE coin_id = 'bitcoin'")
    check = "spark.databricks.delta.retentionDurationCheck.enabled"
    lake.spark.conf.set(check, "false")
    try:
        lake.spark.sql(f"VACUUM {name} RETAIN 0 HOURS")
    finally:
        lake.spark.conf.unset(check)


def test_where_it_cannot_be_known_what_changed_gold_is_made_whole_again(lake):
    arrive(lake, small_market())
    gold.build(lake)
    before = contents(lake)
    for change in (forget_a_watermark, make_anew, vacuum):
        change(lake)
        assert gold.plan(lake).is_first, change
        gold.build(lake)
        assert contents(lake) == before, change
    assert not gold.plan(lake).has_changes
