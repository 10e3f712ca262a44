"""market_events on tiny literal frames: what closes show, and what one page shows against the page before."""

from datetime import date, datetime, timedelta

from coinlake import schema
from coinlake.gold.events import events_of_closes, events_of_pages
from coinlake.gold.kinds import Kind
from tests.support.rows import assert_rows
from tests.support.silver_frames import at, frame, snapshot

FIRST = date(2026, 1, 1)


def close_at(number: int) -> datetime:
    """The instant at which the day of this number ends."""
    return datetime.combine(FIRST + timedelta(days=number + 1), datetime.min.time())


def of_closes(spark, closes, volumes=None, kinds=None):
    """The events of coins: coin -> day number -> close, and volume."""
    rows = [
        {"coin_id": coin_id, "vs_currency": "usd", "date": FIRST + timedelta(days=number), "close": close}
        | {"total_volume": (volumes or {}).get(coin_id, {}).get(number)}
        for coin_id, by_day in closes.items()
        for number, close in by_day.items()
    ]
    found = events_of_closes(frame(spark, schema.FACT_PRICE_DAILY, rows).repartition(3), kinds or {})
    assert found.columns == schema.MARKET_EVENTS.column_names
    return found


def test_a_trend_turns_where_the_close_of_a_free_coin_crosses_its_200_day_average(spark):
    path = dict.fromkeys(range(200), 10.0) | {200: 11.0, 201: 12.0, 202: 9.0}
    with_a_gap = {number: close for number, close in path.items() if number != 100}
    kinds = {"copy": Kind("copy", "free"), "pegged": Kind("pegged")}
    found = of_closes(spark, {"free": path, "copy": path, "young": with_a_gap}, kinds=kinds)
    average = (10.0 * 199 + 11.0) / 200
    last = (10.0 * 197 + 11.0 + 12.0 + 9.0) / 200
    assert_rows(
        found,
        [
            ("usd", "free", "trend_down", close_at(202), 9.0, last),
            ("usd", "free", "trend_up", close_at(200), 11.0, average),
        ],
    )


def test_a_volume_is_unusual_from_three_times_the_mean_on_and_told_once(spark):
    closes = dict.fromkeys(range(40), 1.0)
    steady = dict.fromkeys(range(40), 10.0)
    volumes = {
        "once": steady | {30: 30.0},
        "almost": steady | {30: 29.9},
        "lasting": steady | {31: 31.0, 32: 100.0, 34: 100.0},
        "early": steady | {29: 99.0},
        "unknown": steady | {5: None, 30: 99.0},
        "dead": dict.fromkeys(range(40), 0.0),
    }
    found = of_closes(spark, dict.fromkeys(volumes, closes), volumes)
    after = (10.0 * 28 + 31.0 + 100.0) / 30
    assert_rows(
        found.select("coin_id", "kind", "happened_at", "value", "reference"),
        [
            ("lasting", "volume_anomaly", close_at(31), 31.0, 10.0),
            ("lasting", "volume_anomaly", close_at(34), 100.0, after),
            ("once", "volume_anomaly", close_at(30), 30.0, 10.0),
        ],
    )


def test_a_peg_is_lost_and_regained_by_pegged_coins_only(spark):
    path = dict.fromkeys(range(30), 1.0) | {30: 0.97, 31: 0.9, 32: 1.0, 33: 1.01}
    found = of_closes(spark, {"dollar": path, "free": path}, kinds={"dollar": Kind("pegged")})
    assert_rows(
        found,
        [
            ("usd", "dollar", "peg_lost", close_at(30), 0.97, 1.0),
            ("usd", "dollar", "peg_regained", close_at(32), 1.0, (28.0 + 0.97 + 0.9) / 30),
        ],
    )


def page(instant: str, *coins: tuple, **columns) -> list[dict]:
    """Snapshots of one instant: coins as (coin_id, rank)."""
    return [snapshot(coin_id, instant, market_cap_rank=rank, **columns) for coin_id, rank in coins]


def of_pages(spark, *rows):
    found = events_of_pages(frame(spark, schema.COIN_SNAPSHOTS, list(rows)).repartition(3))
    assert found.columns == schema.MARKET_EVENTS.column_names
    return found


def test_coins_enter_and_leave_the_page(spark):
    found = of_pages(
        spark,
        *page("2026-08-01 09:00", ("a", 1), ("b", 2), ("c", 3)),
        *page("2026-08-01 09:00", ("x", 1), vs_currency="eur"),
        *page("2026-08-03 08:00", ("a", 1), ("c", 2)),
        *page("2026-08-03 09:00", ("a", 2), ("d", 1), ("c", 3)),
        *page("2026-08-04 00:00", ("a", 2), ("d", 1), ("c", 3)),
        # The page of 4 August, which ends on the 5th.
        *page("2026-08-05 00:00", ("a", 1), ("b", 2), ("d", None)),
    )
    assert_rows(
        found,
        [
            ("usd", "b", "entered", datetime(2026, 8, 5), 2.0, 3.0),
            ("usd", "b", "left", datetime(2026, 8, 3, 8), 2.0, 3.0),
            ("usd", "c", "left", datetime(2026, 8, 5), 3.0, 3.0),
            ("usd", "d", "entered", datetime(2026, 8, 3, 9), 1.0, 3.0),
        ],
    )


def test_as_many_coins_are_compared_as_both_pages_have(spark):
    many = [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    found = of_pages(
        spark,
        *page("2026-08-01 09:00", *many),
        *page("2026-08-02 09:00", ("a", 1), ("c", 2)),
        *page("2026-08-03 09:00", *many),
        # Eight days later is too late to say what happened.
        *page("2026-08-11 09:00", ("e", 1), ("f", 2)),
    )
    assert_rows(
        found,
        [
            ("usd", "b", "entered", datetime(2026, 8, 3, 9), 2.0, 2.0),
            ("usd", "b", "left", datetime(2026, 8, 2, 9), 2.0, 2.0),
            ("usd", "c", "entered", datetime(2026, 8, 2, 9), 2.0, 2.0),
            ("usd", "c", "left", datetime(2026, 8, 3, 9), 2.0, 2.0),
        ],
    )


def test_a_record_is_a_higher_and_a_younger_high(spark):
    old, new = at("2025-10-06 18:00"), at("2026-08-02 08:30")
    rows = [
        snapshot(coin_id, instant, market_cap_rank=1, ath=high, ath_date=high_at)
        for coin_id, seen in {
            "record": {
                "2026-08-01 09:00": (5.0, old),
                "2026-08-02 08:00": (5.0, old),
                "2026-08-02 09:00": (6.0, new),
            },
            "not on the page between": {"2026-08-01 09:00": (5.0, old), "2026-08-03 07:00": (6.0, new)},
            "restated": {"2026-08-01 09:00": (5.0, old), "2026-08-02 09:00": (6.0, old)},
            "lower": {"2026-08-01 09:00": (5.0, old), "2026-08-02 09:00": (4.0, new)},
            "unknown": {"2026-08-01 09:00": (None, None), "2026-08-02 09:00": (4.0, new)},
        }.items()
        for instant, (high, high_at) in seen.items()
    ]
    assert_rows(
        of_pages(spark, *rows).where("kind = 'record_high'"),
        [("usd", "record", "record_high", datetime(2026, 8, 2, 8, 30), 6.0, 5.0)],
    )


def test_a_record_has_an_instant_of_the_day_whose_page_shows_it(spark):
    found = of_pages(
        spark,
        snapshot("a", "2026-08-01 09:00", ath=5.0, ath_date=at("2025-10-06 18:00")),
        snapshot("a", "2026-08-02 09:00", ath=6.0, ath_date=at("2026-08-01 23:00")),
    )
    assert_rows(found, [("usd", "a", "record_high", datetime(2026, 8, 2, 9), 6.0, 5.0)])
