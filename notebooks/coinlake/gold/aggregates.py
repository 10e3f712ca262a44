"""The aggregates that reports read: moving averages, trends, months, candles, correlations.

All but the hourly candles are made from complete days of fact_price_daily. Windows are calendar windows (RANGE
over days): a gap in the data does not stretch them. Returns, shares and volatilities are fractions. Sums of
floating-point numbers run in a fixed order, so that every result is the same to the last bit in any run.
"""

import math
from collections.abc import Iterable
from datetime import date
from itertools import combinations
from statistics import correlation

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.star import day_of, mean_in_order, sum_in_order

COIN = ("coin_id", "vs_currency")
LONGEST_WINDOW = 201  # days: 200, and the day before them for a crossing
CORRELATED_COINS = 15
CORRELATION_DAYS = 90
CORRELATION_MINIMUM_DAYS = 60
RATE_LASTS_DAYS = 14


def last_days(days: int) -> WindowSpec:
    """The window of the last `days` calendar days of a coin, today included."""
    return _by_day().rangeBetween(1 - days, 0)


def days_before(days: int) -> WindowSpec:
    """The window that holds one calendar day of a coin: the one `days` days before."""
    return _by_day().rangeBetween(-days, -days)


def mean_close(days: int) -> Column:
    """Simple moving average: the mean of the closes of the last `days` calendar days; NULL until all exist.

    Source: Murphy, Technical Analysis of the Financial Markets (1999), chapter 9.
    """
    window = last_days(days)
    return F.when(F.count("close").over(window) == days, F.avg("close").over(window))


def crossing(fast: str, slow: str, up: str, down: str) -> Column:
    """The label `up` or `down` on the day the average `fast` crosses the average `slow`, else NULL.

    Upwards: above today, and below or equal on the calendar day before; downwards the reverse. NULL when one
    of the four averages is. Source: `ta.crossover` and `ta.crossunder` of TradingView's Pine Script.
    """
    distance = F.col(fast) - F.col(slow)
    before = F.max(distance).over(days_before(1))
    return F.when((distance > 0) & (before <= 0), up).when((distance < 0) & (before >= 0), down)


def price_averages(closes: DataFrame) -> DataFrame:
    """price_averages_daily from complete days (coin_id, vs_currency, date, close)."""
    windows = (7, 30, 90, 200)
    averages = [mean_close(days).alias(f"average_{days}d") for days in windows]
    counts = [F.count("close").over(last_days(days)).cast("int").alias(f"days_{days}d") for days in windows]
    return (
        closes.select(*COIN, "date", "close", *averages, *counts)
        .withColumn("cross_30d_90d", crossing("average_30d", "average_90d", up="up", down="down"))
        .select(*schema.PRICE_AVERAGES_DAILY.column_names)
    )


def with_extremes(closes: DataFrame) -> DataFrame:
    """Adds what needs a coin's whole past: `first_close`, its first close above 0, and `peak_close`."""
    so_far = Window.partitionBy(*COIN).orderBy("date").rowsBetween(Window.unboundedPreceding, 0)
    return closes.select(
        *COIN,
        "date",
        "close",
        "market_cap",
        F.first(F.when(F.col("close") > 0, F.col("close")), ignorenulls=True).over(so_far).alias("first_close"),
        F.max("close").over(so_far).alias("peak_close"),
    )


def market_trends(closes: DataFrame) -> DataFrame:
    """market_trends_daily from complete days with their extremes (see `with_extremes`).

    - return over n days: close / close n calendar days before - 1.
    - index_100: 100 * close / first close above 0.
    - volatility_30d: sample standard deviation of the last 30 daily log returns ln(close / close the day
      before), times sqrt(365), as crypto trades every day (Hull, Options, Futures, and Other Derivatives,
      "Estimating volatility from historical data").
    - drawdown: close / highest close so far - 1 (Magdon-Ismail and Atiya, Maximum Drawdown, 2004).
    - cross: the golden and the death cross of the 50- and the 200-day average (Murphy 1999, chapter 9).
    - trend: up when close > 30-day average > 90-day average, down when <, else sideways; NULL without them.
    """
    month = last_days(30)
    full_month = F.count("log_return").over(month) == 30
    up = (F.col("close") > F.col("average_30d")) & (F.col("average_30d") > F.col("average_90d"))
    down = (F.col("close") < F.col("average_30d")) & (F.col("average_30d") < F.col("average_90d"))
    return (
        closes.select(
            "*",
            *(_return_over(days).alias(f"return_{days}d") for days in (1, 7, 30, 90)),
            *(mean_close(days).alias(f"average_{days}d") for days in (30, 50, 90, 200)),
            F.ln(F.try_divide("close", _close_before(1))).alias("log_return"),
        )
        .select(
            "*",
            (100 * F.try_divide("close", "first_close")).alias("index_100"),
            (F.col("close") > F.col("average_50d")).alias("above_average_50d"),
            F.when(full_month, F.stddev_samp("log_return").over(month) * math.sqrt(365)).alias("volatility_30d"),
            F.coalesce(F.try_divide("close", "peak_close") - 1, F.lit(0.0)).alias("drawdown"),
            crossing("average_50d", "average_200d", up="golden", down="death").alias("cross"),
            F.when(
                F.col("average_90d").isNotNull(), F.when(up, "up").when(down, "down").otherwise("sideways")
            ).alias("trend"),
        )
        .select(*schema.MARKET_TRENDS_DAILY.column_names)
    )


def market_daily(trends: DataFrame, totals: DataFrame, fear_greed: DataFrame) -> DataFrame:
    """market_daily from market_trends_daily, market_totals and fear_greed.

    Medians are exact. The whole market is the day's last /global answer; `bitcoin_dominance` is its share of
    Bitcoin. Sums run over the coins in order of coin_id.
    """
    caps = F.array_sort(F.collect_list(F.when(F.col("market_cap").isNotNull(), F.struct("coin_id", "market_cap"))))
    days = (
        trends.groupBy("date", "vs_currency")
        .agg(
            F.count("*").cast("int").alias("coins"),
            F.count_if(F.col("return_1d") > 0).cast("int").alias("advancers"),
            F.count_if(F.col("return_1d") < 0).cast("int").alias("decliners"),
            F.count("average_50d").cast("int").alias("coins_with_average_50d"),
            F.try_divide(F.count_if("above_average_50d"), F.count("average_50d")).alias("share_above_average_50d"),
            F.median("return_1d").alias("median_return_1d"),
            F.median("index_100").alias("median_index"),
            F.median("drawdown").alias("median_drawdown"),
            F.median("volatility_30d").alias("median_volatility_30d"),
            F.max(F.when(F.col("coin_id") == "bitcoin", F.col("market_cap"))).alias("bitcoin_cap"),
            F.transform(caps, lambda coin: coin["market_cap"]).alias("caps"),
        )
        .withColumn("tracked_market_cap", F.when(F.size("caps") > 0, sum_in_order("caps")))
        .withColumn("bitcoin_share", F.try_divide("bitcoin_cap", "tracked_market_cap"))
    )
    last_of_day = totals.groupBy(day_of("snapshot_at").alias("date")).agg(
        F.max_by("total_market_cap", "snapshot_at").alias("caps_by_currency"),
        F.max_by("market_cap_percentage", "snapshot_at").alias("shares_by_symbol"),
    )
    mood = fear_greed.select(
        "date",
        F.col("value").alias("fear_greed_value"),
        F.col("classification").alias("fear_greed_classification"),
    )
    return (
        days.join(last_of_day, "date", "left")
        .join(mood, "date", "left")
        .withColumn("total_market_cap", F.try_element_at("caps_by_currency", "vs_currency"))
        .withColumn("bitcoin_dominance", F.try_element_at("shares_by_symbol", F.lit("btc")) / 100)
        .select(*schema.MARKET_DAILY.column_names)
    )


def daily_rates(rates: DataFrame) -> DataFrame:
    """ECB rates for every day: base_currency, currency, date, rate.

    A rate holds until the next one, over weekends and holidays, but for at most 14 days after its own: so far
    does Frankfurter carry a rate forward (its version 1 API).
    """
    in_order = Window.partitionBy("base_currency", "currency").orderBy("date")
    next_rate = F.coalesce(F.lead("date").over(in_order), F.lit(date(9999, 12, 31)))
    last = F.least(F.date_sub(next_rate, 1), F.date_add("date", RATE_LASTS_DAYS))
    days = F.explode(F.sequence("date", "last"))
    return rates.withColumn("last", last).select("base_currency", "currency", days.alias("date"), "rate")


def converted(days: DataFrame, rates: DataFrame) -> DataFrame:
    """Complete days (coin_id, vs_currency, date, high, low, close) in their own and in other currencies.

    Each value is multiplied by the day's rate from its currency. A price that was quoted in a currency
    outranks one that was converted into it; a day without a rate has no row.
    """
    quoted = days.select(*COIN, "date", F.struct("high", "low", "close").alias("price"), F.lit(0).alias("rank"))
    by_rate = daily_rates(rates).withColumnRenamed("base_currency", "vs_currency")
    other = days.join(F.broadcast(by_rate), ["vs_currency", "date"]).select(
        "coin_id",
        F.col("currency").alias("vs_currency"),
        "date",
        F.struct(*((F.col(price) * F.col("rate")).alias(price) for price in ("high", "low", "close"))),
        F.lit(1),
    )
    return (
        quoted.union(other)
        .groupBy(*COIN, "date")
        .agg(F.min_by("price", "rank").alias("price"))
        .select(*COIN, "date", "price.*")
    )


def coin_monthly(days: DataFrame) -> DataFrame:
    """coin_monthly from complete days in all currencies (see `converted`).

    The return compares the last close with the last close of the calendar month before.
    """
    closes = F.array_sort(F.collect_list(F.struct("date", "close")))
    months_apart = F.year("month") * 12 + F.month("month")
    month_before = Window.partitionBy(*COIN).orderBy(months_apart).rangeBetween(-1, -1)
    return (
        days.groupBy(*COIN, F.trunc("date", "month").alias("month"))
        .agg(
            F.transform(closes, lambda day: day["close"]).alias("closes"),
            F.max("high").alias("high"),
            F.min("low").alias("low"),
        )
        .select(
            *COIN,
            "month",
            mean_in_order("closes").alias("average"),
            F.element_at("closes", -1).alias("close"),
            "high",
            "low",
            F.size("closes").alias("days"),
        )
        .withColumn("return_1m", F.try_divide("close", F.max("close").over(month_before)) - 1)
        .withColumn("is_complete", F.col("days") == F.day(F.last_day("month")))
        .select(*schema.COIN_MONTHLY.column_names)
    )


def returns_of_the_largest(trends: DataFrame) -> DataFrame:
    """What correlation_90d is made from: the daily log returns of the 15 largest coins of each currency.

    `trends` has the columns of market_trends_daily. The result has vs_currency, coin_id, date, log_return, and
    `newest`, the currency's newest day; it holds the 90 days that end with that day. The size of a coin is its
    newest known market cap in these days.
    """
    newest = trends.groupBy("vs_currency").agg(F.max("date").alias("newest"))
    window = trends.join(F.broadcast(newest), "vs_currency").where(
        F.col("date") > F.date_sub("newest", CORRELATION_DAYS)
    )
    by_size = Window.partitionBy("vs_currency").orderBy(F.desc("size"), "coin_id")
    largest = (
        window.where("market_cap IS NOT NULL")
        .groupBy(*COIN)
        .agg(F.max_by("market_cap", "date").alias("size"))
        .withColumn("place", F.row_number().over(by_size))
        .where(F.col("place") <= CORRELATED_COINS)
    )
    return (
        window.join(F.broadcast(largest), list(COIN), "left_semi")
        .withColumn("log_return", F.log1p("return_1d"))
        .where("log_return IS NOT NULL")
        .select("vs_currency", "coin_id", "date", "log_return", "newest")
    )


def correlations(returns: Iterable[tuple]) -> list[tuple]:
    """The rows of correlation_90d, sorted, from the rows of `returns_of_the_largest`.

    Pearson's r = sum((x - mean x)(y - mean y)) / sqrt(sum((x - mean x)^2) sum((y - mean y)^2)) of two coins'
    log returns on the days that both have (Pearson, Proc. R. Soc. London 58, 1895). A pair with fewer than 60
    such days, or with a coin that does not move at all, has no row. At most 105 pairs: no work for a cluster.
    """
    by_coin: dict[tuple[str, date], dict[str, dict[date, float]]] = {}
    for vs_currency, coin_id, day, log_return, newest in returns:
        by_coin.setdefault((vs_currency, newest), {}).setdefault(coin_id, {})[day] = log_return
    rows = []
    for (vs_currency, newest), coins in by_coin.items():
        for coin_a, coin_b in combinations(sorted(coins), 2):
            days = sorted(coins[coin_a].keys() & coins[coin_b].keys())
            x, y = ([coins[coin][day] for day in days] for coin in (coin_a, coin_b))
            if len(days) >= CORRELATION_MINIMUM_DAYS and min(x) < max(x) and min(y) < max(y):
                r = max(-1.0, min(1.0, correlation(x, y)))
                rows.append((coin_a, coin_b, vs_currency, newest, r, len(days)))
    return sorted(rows)


def candle_hourly(prices: DataFrame, snapshots: DataFrame) -> DataFrame:
    """candle_hourly from hourly rows of coin_prices and from coin_snapshots.

    The hour H is the interval (H, H + 1 h]: it holds the snapshots inside and the hourly price of H + 1 h,
    which is the close. The open is the hourly price of H where that is known; it does not count as a sample,
    and alone it makes no candle. `order` sorts an hourly price behind a snapshot of the same instant.
    """
    hourly = prices.where("granularity = 'hourly'")
    at, an_hour_before = F.col("observed_at"), F.timestamp_add("HOUR", F.lit(-1), F.col("observed_at"))
    in_time = F.unix_micros("observed_at") * 2 + 1
    opening = hourly.select(*COIN, at.alias("hour"), in_time.alias("order"), "price", F.lit(0).alias("samples"))
    closing = hourly.select(*COIN, an_hour_before, in_time, "price", F.lit(1))
    inside = snapshots.select(*COIN, hour_of("snapshot_at"), F.unix_micros("snapshot_at") * 2, "price", F.lit(1))
    return (
        opening.union(closing)
        .union(inside)
        .groupBy(*COIN, "hour")
        .agg(
            F.min_by("price", "order").alias("open"),
            F.max("price").alias("high"),
            F.min("price").alias("low"),
            F.max_by("price", "order").alias("close"),
            F.sum("samples").cast("int").alias("samples"),
        )
        .where("samples > 0")
        .withColumn("period", F.date_format("hour", "yyyy-MM"))
        .select(*schema.CANDLE_HOURLY.column_names)
    )


def hour_of(instant: str) -> Column:
    """The start H of the UTC hour (H, H + 1 h] that holds the instant."""
    return F.date_trunc("hour", F.timestamp_add("MICROSECOND", F.lit(-1), F.col(instant)))


def candle_weekly(days: DataFrame) -> DataFrame:
    """candle_weekly from complete days of fact_price_daily; weeks begin on Monday (ISO 8601)."""
    return (
        days.groupBy(*COIN, F.trunc("date", "week").alias("week"))
        .agg(
            F.min_by("open", "date").alias("open"),
            F.max("high").alias("high"),
            F.min("low").alias("low"),
            F.max_by("close", "date").alias("close"),
            F.sum("samples").cast("int").alias("samples"),
            F.count("*").cast("int").alias("days"),
        )
        .withColumn("is_complete", F.col("days") == 7)
        .select(*schema.CANDLE_WEEKLY.column_names)
    )


def _by_day() -> WindowSpec:
    return Window.partitionBy(*COIN).orderBy(F.unix_date("date"))


def _close_before(days: int) -> Column:
    return F.max("close").over(days_before(days))


def _return_over(days: int) -> Column:
    return F.try_divide("close", _close_before(days)) - 1
