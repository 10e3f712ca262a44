"""The star's dimensions and facts on tiny literal frames."""

from datetime import date, datetime

import pytest

from coinlake import gold, schema
from coinlake.gold import dimensions, facts
from tests.support.rows import assert_rows
from tests.support.silver_frames import at, daily, frame, hourly, snapshot, values

FIRST, LAST = datetime(1900, 1, 1), datetime(9999, 12, 31)
BTC = ("BTC", "Bitcoin", 21e6)


def seen(spark, *rows):
    """Sightings from (coin, instant, symbol, name, max_supply)."""
    schema = "coin_id STRING, seen_at TIMESTAMP, symbol STRING, name STRING, max_supply DOUBLE"
    return spark.createDataFrame([(coin, at(instant), *rest) for coin, instant, *rest in rows], schema)


def versions(spark, *rows):
    """The coin's versions without keys, oldest first: symbol, max_supply, from, to, current, first seen."""
    found = gold.coin_versions(seen(spark, *rows)).orderBy("coin_id", "valid_from").collect()
    return [(r.symbol, r.max_supply, r.valid_from, r.valid_to, r.is_current, r.first_seen_at) for r in found]


def keys(spark, *rows):
    """(symbol, how often before) -> key, of one coin."""
    found = gold.coin_versions(seen(spark, *rows)).orderBy("valid_from").collect()
    symbols = [row.symbol for row in found]
    return {(row.symbol, symbols[:place].count(row.symbol)): row.coin_key for place, row in enumerate(found)}


def test_a_version_lasts_until_the_coin_is_seen_to_differ(spark):
    assert_rows(
        versions(
            spark,
            ("x", "2026-08-01 10:00", "X", "Ex", None),
            ("x", "2026-08-01 11:00", "X", "Ex", None),
            ("x", "2026-08-01 12:00", "X", "Ex", 100.0),
            ("x", "2026-08-01 13:00", "X", "Ex", None),
        ),
        [
            ("X", None, FIRST, datetime(2026, 8, 1, 12), False, datetime(2026, 8, 1, 10)),
            ("X", 100.0, datetime(2026, 8, 1, 12), datetime(2026, 8, 1, 13), False, datetime(2026, 8, 1, 12)),
            ("X", None, datetime(2026, 8, 1, 13), LAST, True, datetime(2026, 8, 1, 13)),
        ],
    )


def test_a_late_sighting_splits_a_version_and_no_key_disappears(spark):
    a, b = ("A", "Ex", None), ("B", "Ex", None)
    rows = [("x", "2026-08-01 10:00", *a), ("x", "2026-08-01 12:00", *a)]
    before = keys(spark, *rows)
    after = keys(spark, *rows, ("x", "2026-08-01 11:00", *b))
    assert before.items() <= after.items()
    assert list(after) == [("A", 0), ("B", 0), ("A", 1)]
    assert len(set(after.values())) == 3


def test_keys_tell_null_from_empty_and_one_column_from_another(spark):
    found = gold.coin_versions(
        seen(
            spark,
            ("x", "2026-08-01 10:00", None, "y", None),
            ("x", "2026-08-01 11:00", "", "y", None),
            ("x", "2026-08-01 12:00", "y", "", None),
            ("x", "2026-08-01 13:00", "y", "", 0.0),
        )
    )
    found = values(found, "coin_key")
    assert len(set(found)) == 4
    assert all(key > 0 for (key,) in found)


def test_of_two_currencies_at_one_instant_the_first_in_the_alphabet_names_the_coin(spark):
    snapshots = frame(
        spark,
        schema.COIN_SNAPSHOTS,
        [
            snapshot("x", "2026-08-01 10:00", vs_currency="usd", symbol="usd-x", name=None, max_supply=1.0),
            snapshot("x", "2026-08-01 10:00", vs_currency="eur", symbol="eur-x", name=None, max_supply=2.0),
        ],
    )
    assert_rows(dimensions.sightings(snapshots), [("x", datetime(2026, 8, 1, 10), "EUR-X", "x", 2.0)])


def test_a_coin_without_snapshots_is_inferred_from_the_coin_list_or_its_id(spark):
    coins = spark.createDataFrame([("a",), ("b",)], "coin_id STRING")
    listed = frame(spark, schema.COIN_LIST, [{"coin_id": "a", "symbol": "aa", "name": "Alpha"}])
    found = dimensions.inferred_coins(coins, listed)
    assert_rows(
        found.drop("coin_key"),
        [
            ("a", "AA", "Alpha", None, FIRST, LAST, True, None),
            ("b", None, "b", None, FIRST, LAST, True, None),
        ],
    )
    real = gold.coin_versions(seen(spark, ("a", "2026-08-01 10:00", "AA", "Alpha", None)))
    assert values(real, "coin_key")[0] in values(found, "coin_key")


@pytest.mark.parametrize(
    ("sighting", "is_news"),
    [
        (("x", "2026-08-01 10:00", "X", "Ex", None), False),
        (("x", "2026-08-01 11:30", "X", "Ex", None), False),
        (("x", "2026-08-01 12:00", "X", "Ex", None), True),
        (("x", "2026-08-01 12:00", "X", "Ex", 100.0), False),
        (("x", "2026-08-01 09:00", "X", "Ex", None), True),
        (("y", "2026-08-01 10:00", "X", "Ex", None), True),
    ],
)
def test_only_a_sighting_that_dim_coin_does_not_explain_is_news(spark, sighting, is_news):
    known = gold.coin_versions(
        seen(
            spark,
            ("x", "2026-08-01 10:00", "X", "Ex", None),
            ("x", "2026-08-01 12:00", "X", "Ex", 100.0),
        )
    )
    assert (dimensions.contradicting(seen(spark, sighting), known).count() == 1) == is_news


def test_the_calendar_knows_iso_weeks(spark):
    assert_rows(
        dimensions.calendar(spark, date(2026, 12, 31), date(2027, 1, 4)),
        [
            (20261231, date(2026, 12, 31), 2026, 4, 12, "December", 53, 4, "Thursday", False),
            (20270101, date(2027, 1, 1), 2027, 1, 1, "January", 53, 5, "Friday", False),
            (20270102, date(2027, 1, 2), 2027, 1, 1, "January", 53, 6, "Saturday", True),
            (20270103, date(2027, 1, 3), 2027, 1, 1, "January", 53, 7, "Sunday", True),
            (20270104, date(2027, 1, 4), 2027, 1, 1, "January", 1, 1, "Monday", False),
        ],
    )


def test_a_snapshot_points_to_the_version_of_its_time_and_to_the_day_that_it_ends(spark):
    coins = gold.coin_versions(
        seen(spark, ("x", "2026-08-01 10:00", "X", "Ex", None), ("x", "2026-08-02 00:00", "X", "Ex", 5.0))
    )
    rows = [
        snapshot("x", "2026-08-01 23:59", vs_currency="eur", price_change_percentage_24h=-5.0, price=2.0),
        snapshot("x", "2026-08-02 00:00", price_change_percentage_1h=1.0, market_cap=10.0, market_cap_rank=3),
    ]
    old, new = (row.coin_key for row in coins.orderBy("valid_from").collect())
    snapshots = facts.market_snapshots(frame(spark, schema.COIN_SNAPSHOTS, rows), coins)
    assert snapshots.columns == schema.FACT_MARKET_SNAPSHOT.column_names
    found = values(
        snapshots, "coin_key", "currency_key", "date_key", "price", "market_cap_rank", "return_1h", "return_24h"
    )
    assert_rows(
        sorted(found, key=lambda row: row[2:]),
        sorted(
            [(old, 2, 20260801, 2.0, None, None, -0.05), (new, 1, 20260801, 1.0, 3, 0.01, None)],
            key=lambda row: row[2:],
        ),
    )


def days(spark, *rows):
    columns = ("coin_id", "date", "open", "high", "low", "close", "average", "samples", "is_complete", "file")
    return values(gold.daily_prices(frame(spark, schema.COIN_PRICES, rows)), *columns)


def test_a_day_opens_with_its_midnight_and_ends_with_the_next(spark):
    assert_rows(
        days(
            spark,
            hourly("x", "2026-08-01 00:00", 9.0),
            hourly("x", "2026-08-01 01:00", 1.0),
            hourly("x", "2026-08-01 12:00", 4.0),
            hourly("x", "2026-08-02 00:00", 2.5),
            hourly("x", "2026-08-02 01:00", 7.0),
        ),
        [
            ("x", date(2026, 7, 31), 9.0, 9.0, 9.0, 9.0, 9.0, 1, True, "hourly-20260801T0000"),
            ("x", date(2026, 8, 1), 9.0, 9.0, 1.0, 2.5, 2.5, 3, True, "hourly-20260802T0000"),
            ("x", date(2026, 8, 2), 2.5, 7.0, 2.5, 7.0, 7.0, 1, False, "hourly-20260802T0100"),
        ],
    )


def test_the_daily_point_outranks_the_hourly_one_of_the_same_instant_and_counts_once(spark):
    assert_rows(
        days(
            spark,
            hourly("x", "2026-08-01 06:00", 3.0),
            hourly("x", "2026-08-02 00:00", 100.0),
            daily("x", "2026-08-02 00:00", 5.0),
            hourly("x", "2026-08-02 06:00", 4.0),
            daily("y", "2026-08-02 00:00", 8.0),
        ),
        [
            ("x", date(2026, 8, 1), 3.0, 5.0, 3.0, 5.0, 4.0, 2, True, "chart-x-20260802"),
            ("x", date(2026, 8, 2), 5.0, 5.0, 4.0, 4.0, 4.0, 1, False, "hourly-20260802T0600"),
            ("y", date(2026, 8, 1), 8.0, 8.0, 8.0, 8.0, 8.0, 1, True, "chart-y-20260802"),
        ],
    )


def test_cap_and_volume_are_the_newest_of_the_day_that_are_known(spark):
    rows = [
        hourly("x", "2026-08-01 06:00", 3.0, market_cap=30.0, total_volume=1.0),
        hourly("x", "2026-08-01 07:00", 3.0, market_cap=31.0),
        hourly("x", "2026-08-01 08:00", 3.0),
        hourly("y", "2026-08-01 06:00", 3.0, market_cap=30.0, total_volume=1.0),
        daily("y", "2026-08-02 00:00", 3.0, market_cap=40.0, total_volume=0.0),
        hourly("y", "2026-08-02 06:00", 3.0),
        hourly("z", "2026-08-01 06:00", 3.0),
    ]
    found = gold.daily_prices(frame(spark, schema.COIN_PRICES, rows))
    assert values(found, "coin_id", "market_cap", "total_volume") == [
        ("x", 31.0, 1.0),
        ("y", 40.0, 0.0),
        ("y", None, None),
        ("z", None, None),
    ]


def test_the_mean_adds_in_order_of_time(spark):
    prices = [0.1, 1e16, -1e16, 0.3, 0.7]
    rows = [hourly("x", f"2026-08-01 {hour + 1:02}:00", price) for hour, price in enumerate(prices)]
    expected = (((((0.0 + 0.1) + 1e16) - 1e16) + 0.3) + 0.7) / 5
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        found = gold.daily_prices(frame(spark, schema.COIN_PRICES, order).repartition(3))
        assert values(found, "average") == [(expected,)]


def test_a_day_points_to_the_coin_as_it_is_at_the_close(spark):
    coins = gold.coin_versions(
        seen(spark, ("x", "2026-08-01 10:00", "X", "Ex", None), ("x", "2026-08-02 00:00", "X", "Ex", 5.0))
    )
    old, new = (row.coin_key for row in coins.orderBy("valid_from").collect())
    prices = [daily("x", "2026-08-01 00:00", 1.0), daily("x", "2026-08-02 00:00", 2.0)]
    found = facts.keyed_days(gold.daily_prices(frame(spark, schema.COIN_PRICES, prices)), coins)
    assert found.columns == schema.FACT_PRICE_DAILY.column_names
    assert values(found, "date_key", "coin_key", "currency_key") == [(20260731, old, 1), (20260801, new, 1)]
