"""The aggregates against plain Python on small markets, and by hand on the tiniest ones."""

import math
import random
import statistics
from datetime import date, datetime, timedelta

import pytest

from coinlake import gold, schema
from coinlake.gold.averages import price_averages
from coinlake.gold.candles import candle_hourly, candle_weekly
from coinlake.gold.correlation import correlations, returns_of_the_largest
from coinlake.gold.kinds import Kind
from coinlake.gold.market import market_daily
from coinlake.gold.monthly import coin_monthly, converted, daily_rates
from coinlake.gold.trends import market_trends, with_extremes
from tests.support.rows import assert_rows
from tests.support.silver_frames import at, daily, frame, hourly, snapshot, values

START = date(2025, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def prices(count: int, gap: range = range(0)) -> dict[int, float]:
    """A price for each day number, up and down in waves; none inside the gap."""
    return {n: 100 + 30 * math.sin(n / 25) + 5 * math.cos(n / 3) for n in range(count) if n not in gap}


def closes(spark, closes_of: dict[str, dict[int, float]], caps: dict[str, float] | None = None):
    """Complete days of fact_price_daily: coin -> day number -> close."""
    rows = [
        {
            "coin_id": coin,
            "vs_currency": "usd",
            "date": day(number),
            "open": close,
            "high": close + 1,
            "low": close - 1,
            "close": close,
            "average": close,
            "samples": 2,
            "market_cap": (caps or {}).get(coin),
            "is_complete": True,
        }
        for coin, by_day in closes_of.items()
        for number, close in by_day.items()
    ]
    return frame(spark, schema.FACT_PRICE_DAILY, rows)


def mean(known: dict[int, float], number: int, days: int) -> float | None:
    """The mean of the last `days` closes, added from first to last; None when one is missing."""
    window = [known.get(n) for n in range(number - days + 1, number + 1)]
    if None in window:
        return None
    total = 0.0
    for value in window:
        total += value
    return total / days


def crossed(known, number, fast, slow, up, down):
    now = [mean(known, number, days) for days in (fast, slow)]
    before = [mean(known, number - 1, days) for days in (fast, slow)]
    if None in now or None in before:
        return None
    if now[0] > now[1] and before[0] <= before[1]:
        return up
    return down if now[0] < now[1] and before[0] >= before[1] else None


def test_averages_are_those_of_calendar_windows(spark):
    known = prices(520, gap=range(480, 483))
    expected = [
        (
            "x",
            "usd",
            day(n),
            close,
            *(
                value
                for days in (7, 30, 90, 200)
                for value in (mean(known, n, days), sum(m in known for m in range(n - days + 1, n + 1)))
            ),
            crossed(known, n, 30, 90, "up", "down"),
        )
        for n, close in known.items()
    ]
    found = price_averages(closes(spark, {"x": known}).repartition(4))
    assert found.columns == schema.PRICE_AVERAGES_DAILY.column_names
    assert [tuple(row) for row in found.orderBy("date").collect()] == expected
    assert {row[-1] for row in expected} == {None, "up", "down"}


def trends(spark, closes_of, caps=None):
    return market_trends(with_extremes(closes(spark, closes_of, caps)))


def test_trends_agree_with_plain_python(spark):
    known = prices(520, gap=range(480, 483))
    rows = trends(spark, {"x": known}, caps={"x": 7.0}).orderBy("date").collect()
    assert [row.date for row in rows] == [day(n) for n in known]
    logs = {n: math.log(known[n] / known[n - 1]) for n in known if n - 1 in known}
    for row, n in zip(rows, known, strict=True):
        close = known[n]
        month = [logs.get(m) for m in range(n - 29, n + 1)]
        averages = {days: mean(known, n, days) for days in (30, 50, 90)}
        trend = None
        if averages[90] is not None:
            up, down = close > averages[30] > averages[90], close < averages[30] < averages[90]
            trend = "up" if up else "down" if down else "sideways"
        assert (row.coin_id, row.vs_currency, row.close, row.market_cap) == ("x", "usd", close, 7.0)
        for days in (1, 7, 30, 90):
            before = known.get(n - days)
            assert row[f"return_{days}d"] == (None if before is None else close / before - 1)
        assert row.index_100 == 100 * (close / known[0])
        assert row.average_50d == averages[50]
        assert row.above_average_50d == (None if averages[50] is None else close > averages[50])
        if None in month:
            assert row.volatility_30d is None
        else:
            assert row.volatility_30d == pytest.approx(statistics.stdev(month) * math.sqrt(365), rel=1e-12)
        assert row.drawdown == close / max(known[m] for m in known if m <= n) - 1
        assert row.cross == crossed(known, n, 50, 200, "golden", "death")
        assert row.trend == trend
    assert {row.trend for row in rows} == {None, "up", "down", "sideways"}
    assert {row.cross for row in rows} == {None, "golden", "death"}


def test_a_price_of_zero_has_no_return_and_no_index_and_stops_nothing(spark):
    rows = values(
        trends(spark, {"x": {0: 0.0, 1: 0.0, 2: 4.0, 3: 2.0}}), "date", "return_1d", "index_100", "drawdown"
    )
    assert rows == [
        (day(0), None, None, 0.0),
        (day(1), None, None, 0.0),
        (day(2), None, 100.0, 0.0),
        (day(3), -0.5, 50.0, -0.5),
    ]


def test_the_market_of_a_day_is_that_of_its_coins(spark):
    of_coins = trends(
        spark,
        {"bitcoin": {0: 10.0, 1: 11.0}, "b": {0: 10.0, 1: 5.0}, "c": {0: 10.0, 1: 10.0}, "d": {1: 3.0}},
        caps={"bitcoin": 60.0, "b": 20.0, "c": 0.1},
    )
    totals = [
        {
            "snapshot_at": at(instant),
            "total_market_cap": {"usd": cap, "eur": cap / 2},
            "total_volume": {},
            "market_cap_percentage": {"btc": share},
            "file": instant,
        }
        for instant, cap, share in (
            ("2025-01-02 00:00", 100.0, 50.0),
            ("2025-01-02 00:01", 101.0, 51.0),
            ("2025-01-03 00:00", 102.0, 52.0),
        )
    ]
    moods = [{"date": day(0), "value": 20, "classification": "Extreme Fear"}]
    found = market_daily(
        of_coins.repartition(3),
        frame(spark, schema.MARKET_TOTALS, totals),
        frame(spark, schema.FEAR_GREED, moods),
        kinds={},
    )
    assert found.columns == schema.MARKET_DAILY.column_names
    tracked = (20.0 + 60.0) + 0.1
    assert_rows(
        found,
        [
            (
                *(day(0), "usd", 3, 0, 0, 0, None, None, 100.0, None, None, tracked, 60.0 / tracked),
                *(100.0, 0.5, 20, "Extreme Fear", 0, 0, 3),
            ),
            (
                *(day(1), "usd", 4, 1, 1, 0, None, 0.0, 100.0, None, None, tracked, 60.0 / tracked),
                *(102.0, 0.52, None, None, 3, 0, 3),
            ),
        ],
    )


def market_of(spark, closes_of, *columns, kinds=None, caps=None, **options):
    """Some columns of market_daily of these coins, by day."""
    context = (frame(spark, table, []) for table in (schema.MARKET_TOTALS, schema.FEAR_GREED))
    found = market_daily(trends(spark, closes_of, caps), *context, kinds or {}, **options)
    return [tuple(row) for row in found.orderBy("date").select(*columns).collect()]


def test_coins_that_come_or_go_do_not_move_the_index(spark):
    old = {f"old-{n}": {0: 8.0, 1: 4.0, 2: 4.0, 3: 2.0} for n in range(2)}
    # They come on the third day, more of them than there were, and rise while the old ones fall.
    young = {f"young-{n}": {2: 1.0, 3: 2.0, 4: 4.0} for n in range(5)}
    columns = ("coins", "coins_with_return_1d", "median_return_1d", "median_index")
    assert market_of(spark, old, *columns) == [
        (2, 0, None, 100.0),
        (2, 2, -0.5, 50.0),
        (2, 2, 0.0, 50.0),
        (2, 2, -0.5, 25.0),
    ]
    assert market_of(spark, old | young, *columns) == [
        (2, 0, None, 100.0),
        (2, 2, -0.5, 50.0),
        (7, 2, 0.0, 50.0),
        (7, 7, 1.0, 100.0),
        (5, 5, 1.0, 200.0),
    ]


def test_the_index_stays_where_no_coin_has_two_days_and_goes_on_from_the_day_before(spark):
    closes_of = {"a": {0: 4.0, 1: 8.0, 3: 1.0, 4: 2.0}, "b": {0: 0.0, 1: 5.0}}
    # Nothing is no price.
    assert market_of(spark, {"a": {0: 4.0, 1: 0.0, 2: 4.0, 3: 8.0}}, "median_index") == [
        (100.0,),
        (100.0,),
        (100.0,),
        (200.0,),
    ]
    assert market_of(spark, closes_of, "coins", "median_index") == [
        (2, 100.0),
        (2, 200.0),
        (1, 200.0),
        (1, 400.0),
    ]
    goes_on = {"index_before": {"usd": 50.0, "eur": 7.0}}
    assert [index for (index,) in market_of(spark, closes_of, "median_index", **goes_on)] == [
        50.0,
        100.0,
        100.0,
        200.0,
    ]


def test_pegged_coins_and_copies_are_not_counted(spark):
    closes_of = {"bitcoin": {0: 2.0, 1: 4.0}, "wrapped": {0: 2.0, 1: 4.0}, "dollar": {0: 1.0, 1: 1.0}}
    kinds = {"wrapped": Kind("copy", "bitcoin"), "dollar": Kind("pegged")}
    columns = ("coins", "advancers", "coins_with_return_1d", "median_return_1d", "median_index")
    columns += ("coins_with_market_cap", "tracked_market_cap", "bitcoin_share")
    caps = {"bitcoin": 6.0, "wrapped": 100.0, "dollar": 2.0}
    assert market_of(spark, closes_of, *columns, kinds=kinds, caps=caps) == [
        (1, 0, 0, None, 100.0, 2, 8.0, 0.75),
        (1, 1, 1, 1.0, 200.0, 2, 8.0, 0.75),
    ]
    none_free = {coin_id: Kind("pegged") for coin_id in closes_of}
    assert market_of(spark, closes_of, "coins", "median_index", kinds=none_free) == [(0, 100.0), (0, 100.0)]


def test_the_median_drawdown_is_that_of_coins_with_fifty_days(spark):
    old = dict.fromkeys(range(50), 4.0) | {50: 2.0}
    young = {49: 1.0, 50: 1.0}
    closes_of = {"old": old, "young-1": young, "young-2": young}
    columns = ("coins", "coins_with_average_50d", "median_drawdown")
    assert market_of(spark, closes_of, *columns)[-3:] == [(1, 0, None), (3, 1, 0.0), (3, 1, -0.5)]


def test_a_rate_lasts_until_the_next_one_and_at_most_fourteen_days(spark):
    rates = [
        {"date": date(2026, 8, 7), "base_currency": "usd", "currency": "eur", "rate": 0.9},
        {"date": date(2026, 8, 10), "base_currency": "usd", "currency": "eur", "rate": 0.8},
        {"date": date(2026, 8, 7), "base_currency": "usd", "currency": "chf", "rate": 0.7},
    ]
    found = values(daily_rates(frame(spark, schema.FX_RATES, rates)), "currency", "date", "rate")
    assert found == sorted(
        [("eur", date(2026, 8, d), 0.9) for d in (7, 8, 9)]
        + [("eur", date(2026, 8, d), 0.8) for d in range(10, 25)]
        + [("chf", date(2026, 8, d), 0.7) for d in range(7, 22)],
        key=repr,
    )


def test_months_in_quoted_and_converted_currencies(spark):
    days = closes(spark, {"x": {30: 10.0, 31: 20.0, 32: 40.0}})
    quoted_in_euro = frame(
        spark,
        schema.FACT_PRICE_DAILY,
        [{"coin_id": "x", "vs_currency": "eur", "date": day(32), "high": 31.0, "low": 29.0, "close": 30.0}],
    )
    rates = [{"date": day(31), "base_currency": "usd", "currency": "eur", "rate": 0.5}]
    months = coin_monthly(converted(days.union(quoted_in_euro), frame(spark, schema.FX_RATES, rates)))
    assert months.columns == schema.COIN_MONTHLY.column_names
    january, february = date(2025, 1, 1), date(2025, 2, 1)
    assert_rows(
        months,
        sorted(
            [
                ("x", "usd", january, 10.0, 10.0, 11.0, 9.0, None, 1, False),
                ("x", "usd", february, 30.0, 40.0, 41.0, 19.0, 3.0, 2, False),
                ("x", "eur", february, 20.0, 30.0, 31.0, 9.5, None, 2, False),
            ],
            key=repr,
        ),
    )


def test_a_month_is_complete_when_it_has_all_its_days(spark):
    days = closes(spark, {"x": dict.fromkeys(range(59), 1.0), "y": dict.fromkeys(range(58), 1.0)})
    assert_rows(
        coin_monthly(days).select("coin_id", "month", "days", "is_complete", "return_1m"),
        [
            ("x", date(2025, 1, 1), 31, True, None),
            ("x", date(2025, 2, 1), 28, True, 0.0),
            ("y", date(2025, 1, 1), 31, True, None),
            ("y", date(2025, 2, 1), 27, False, 0.0),
        ],
    )


def test_correlations_of_the_largest_coins_that_have_sixty_common_days(spark):
    wave = prices(91)
    steady = dict.fromkeys(range(91), 100.0)
    opposite = {n: 1e4 / close for n, close in wave.items()}
    other = {n: 100 + 20 * math.cos(n / 5) for n in range(91)}
    sixty = {n: close for n, close in other.items() if n >= 30}
    fifty_nine = {n: close for n, close in other.items() if n >= 31}
    of_coins = {"a": wave, "b": opposite, "c": sixty, "d": fifty_nine, "e": steady}
    small = {f"small-{n:02}": other for n in range(12)}
    caps = dict.fromkeys(of_coins, 1000.0) | dict.fromkeys(small, 1.0)
    returns = returns_of_the_largest(trends(spark, of_coins | small, caps).repartition(5))
    found = correlations(returns.collect())
    rows = {(row[0], row[1]): (row[4], row[5], row[3], row[2]) for row in found}
    assert found == sorted(found)

    def expected(one, two):
        common = [n for n in range(1, 91) if all(m in which for which in (one, two) for m in (n, n - 1))]
        x, y = ([math.log(which[n] / which[n - 1]) for n in common] for which in (one, two))
        return pytest.approx(statistics.correlation(x, y), abs=1e-12), len(common), day(90), "usd"

    big = {"a": wave, "b": opposite, "c": sixty}
    kept = big | {f"small-{n:02}": other for n in range(10)}
    assert rows == {(one, two): expected(kept[one], kept[two]) for one in kept for two in kept if one < two}
    assert rows["a", "b"][0] == pytest.approx(-1.0)


def test_an_hour_holds_its_snapshots_and_ends_with_the_next_hourly_price(spark):
    hours = [
        hourly("x", "2026-08-01 10:00", 5.0),
        hourly("x", "2026-08-01 11:00", 6.0),
        hourly("x", "2026-08-01 13:00", 9.0),
    ]
    shots = [
        snapshot("x", "2026-08-01 10:22", price=8.0),
        snapshot("x", "2026-08-01 11:00", price=1.0),
        snapshot("x", "2026-08-01 14:10", price=7.0),
        snapshot("y", "2026-08-31 23:59", price=2.0),
    ]
    prices, snapshots = frame(spark, schema.COIN_PRICES, hours), frame(spark, schema.COIN_SNAPSHOTS, shots)
    candles = candle_hourly(prices, snapshots)
    assert candles.columns == schema.CANDLE_HOURLY.column_names

    def hour(number):
        return datetime(2026, 8, 1, number)

    assert_rows(
        [tuple(row) for row in candles.orderBy("coin_id", "hour").collect()],
        [
            ("x", "usd", hour(9), "2026-08", 5.0, 5.0, 5.0, 5.0, 1),
            ("x", "usd", hour(10), "2026-08", 5.0, 8.0, 1.0, 6.0, 3),
            ("x", "usd", hour(12), "2026-08", 9.0, 9.0, 9.0, 9.0, 1),
            ("x", "usd", hour(14), "2026-08", 7.0, 7.0, 7.0, 7.0, 1),
            ("y", "usd", datetime(2026, 8, 31, 23), "2026-08", 2.0, 2.0, 2.0, 2.0, 1),
        ],
        candles.columns,
    )


def test_weeks_begin_on_monday(spark):
    known = {n: float(n) for n in range(3, 12)}  # 2025-01-04, a Saturday, to 2025-01-12, a Sunday
    assert_rows(
        candle_weekly(closes(spark, {"x": known})),
        [
            ("x", "usd", date(2024, 12, 30), 3.0, 5.0, 2.0, 4.0, 4, 2, False),
            ("x", "usd", date(2025, 1, 6), 5.0, 12.0, 4.0, 11.0, 14, 7, True),
        ],
    )


def test_candles_agree_at_every_level(spark):
    chance = random.Random(3)
    start, told = at("2026-08-01 00:00"), []
    for number in range(17 * 24 + 6):
        stamp = f"{start + timedelta(hours=number):%Y-%m-%d %H:%M}"
        if chance.random() > 0.15 and stamp != "2026-08-05 00:00":
            told.append(hourly("x", stamp, 100 * chance.random()))
            if stamp.endswith("00:00"):
                told.append(daily("x", stamp, told[-1]["price"]))
    found = gold.daily_prices(frame(spark, schema.COIN_PRICES, told))
    days = {row.date: row for row in found.collect()}
    hours = candle_hourly(frame(spark, schema.COIN_PRICES, told), frame(spark, schema.COIN_SNAPSHOTS, []))
    of_day: dict = {}
    for row in hours.orderBy("hour").collect():
        of_day.setdefault(row.hour.date(), []).append(row)
    assert days.keys() == of_day.keys()
    for date_, day in days.items():
        its = of_day[date_]
        assert (day.close, day.samples) == (its[-1].close, sum(hour.samples for hour in its))
        before = days.get(date_ - timedelta(days=1))
        if before and before.is_complete:
            assert day.open == before.close
        if its[0].hour.hour == 0:
            extremes = max(hour.high for hour in its), min(hour.low for hour in its)
            assert (day.open, day.high, day.low) == (its[0].open, *extremes)
    # Both kinds of day are there: with the first hour and without, after a known midnight and after none.
    assert {its[0].hour.hour == 0 for its in of_day.values()} == {True, False}
    assert {day.is_complete for day in days.values()} == {True, False}

    weeks: dict = {}
    for day in (days[date_] for date_ in sorted(days) if days[date_].is_complete):
        weeks.setdefault(day.date - timedelta(days=day.date.weekday()), []).append(day)
    assert {
        row.week: (row.open, row.high, row.low, row.close)
        for row in candle_weekly(found.where("is_complete")).collect()
    } == {
        week: (its[0].open, max(day.high for day in its), min(day.low for day in its), its[-1].close)
        for week, its in weeks.items()
    }
