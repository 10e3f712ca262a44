"""market_now on tiny literal frames: the newest snapshot of each coin, beside what is usual for it."""

from datetime import date, datetime, timedelta

from coinlake import schema
from coinlake.gold.kinds import Kind
from coinlake.gold.now import market_now
from tests.support.rows import assert_rows
from tests.support.silver_frames import at, frame, snapshot

NOW = "2026-08-12 14:22"


def days(coin_id: str, volumes: dict[int, float | None]) -> list[dict]:
    """Complete days of a coin: days before 12 August -> volume."""
    return [
        {"coin_id": coin_id, "vs_currency": "usd", "date": date(2026, 8, 12) - timedelta(days=before)}
        | {"total_volume": volume, "is_complete": True}
        for before, volume in volumes.items()
    ]


def now(spark, snapshots, closed=(), kinds=None):
    return market_now(
        frame(spark, schema.COIN_SNAPSHOTS, snapshots), frame(spark, schema.FACT_PRICE_DAILY, closed), kinds or {}
    )


def test_a_coin_is_what_its_newest_snapshot_says(spark):
    high_at = at("2025-10-06 18:00")
    newest = {
        "market_cap": 8.0,
        "market_cap_rank": 2,
        "price_change_percentage_1h": 1.0,
        "price_change_percentage_24h": -2.0,
        "price_change_percentage_30d": 25.0,
        "ath": 4.0,
        "ath_date": high_at,
    }
    found = now(
        spark,
        [
            snapshot("b", "2026-08-12 13:22", price=9.0, ath=9.0),
            snapshot("b", NOW, price=3.0, **newest),
            snapshot("b", NOW, vs_currency="eur", name=None, price=5.0, ath=4.0),
        ],
        kinds={"b": Kind("copy", "a"), "c": Kind("pegged")},
    )
    assert found.columns == schema.MARKET_NOW.column_names
    when, nothing = datetime(2026, 8, 12, 14, 22), (None,) * 3
    assert_rows(
        found,
        [
            ("eur", "b", when, "B", "b", 5.0, *nothing, *nothing, None, None, None, 4.0, None, 0.0, "copy"),
            (
                *("usd", "b", when, "B", "B", 3.0, 8.0, 2, None, 0.01, -0.02, None, 0.25, None, None),
                *(4.0, datetime(2025, 10, 6, 18), -0.25, "copy"),
            ),
        ],
    )


def test_a_rank_is_compared_with_the_newest_that_is_one_to_two_days_older(spark):
    ranks = {
        "risen": {"2026-08-10 14:22": 9, "2026-08-11 14:22": 7, "2026-08-11 14:23": 1, NOW: 5},
        "two days": {"2026-08-10 14:22": 9, NOW: 11},
        "too old": {"2026-08-10 14:21": 9, NOW: 5},
        "unranked": {"2026-08-11 14:22": None, "2026-08-11 10:00": 4, NOW: 5},
        "lost": {"2026-08-11 14:22": 4, NOW: None},
    }
    rows = [
        snapshot(coin_id, instant, market_cap_rank=rank)
        for coin_id, seen in ranks.items()
        for instant, rank in seen.items()
    ]
    assert_rows(
        now(spark, rows).select("coin_id", "rank_change_24h"),
        [("lost", None), ("risen", 2), ("too old", None), ("two days", -2), ("unranked", -1)],
    )


def test_the_usual_volume_is_that_of_thirty_closed_days_of_which_twenty_are_known(spark):
    usual = dict.fromkeys(range(2, 32), 4.0)
    closed = [
        *days("whole", dict.fromkeys(range(1, 31), 4.0) | {0: 1e9, 31: 1e9}),
        *days("newest open", {1: None, 0: 1e9, 30: 23.0} | dict.fromkeys(range(2, 21), 3.0)),
        *days("too few", dict.fromkeys(range(1, 20), 4.0) | {31: 4.0}),
        *days("nothing usual", dict.fromkeys(usual, 0.0)),
    ]
    coins = ("whole", "newest open", "too few", "nothing usual", "unknown")
    rows = [snapshot(coin_id, NOW, total_volume=10.0) for coin_id in coins]
    assert_rows(
        now(spark, [*rows, snapshot("whole", NOW, vs_currency="eur", total_volume=1.0)], closed).select(
            "coin_id", "vs_currency", "volume_ratio"
        ),
        [
            ("newest open", "usd", 2.5),
            ("nothing usual", "usd", None),
            ("too few", "usd", None),
            ("unknown", "usd", None),
            ("whole", "eur", None),
            ("whole", "usd", 2.5),
        ],
    )
