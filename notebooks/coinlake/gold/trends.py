"""market_trends_daily: returns, index, volatility, drawdown, golden and death cross, and trend of each coin.

Windows are calendar windows; returns, drawdowns and volatilities are fractions.
"""

import math

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.averages import LONGEST_WINDOW, crossing, days_before, last_days, mean_close
from coinlake.gold.days import COIN, FIRST_DAY, days_earlier
from coinlake.gold.facts import complete_days
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.update import Update, stored_from


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


def market_trends_daily_update(inputs: Inputs, reach: Reach) -> Update | None:
    """From the first changed close on, the trends of the coins whose closes changed. Their whole past is read for
    the extremes, the longest window for the rest."""
    since = reach.since
    if since is None:
        return None
    closes = with_extremes(complete_days(inputs, reach, FIRST_DAY))
    in_reach = closes.where(F.col("date") >= days_earlier(since, LONGEST_WINDOW))
    rows = market_trends(in_reach).where(F.col("date") >= since)
    return Update(schema.MARKET_TRENDS_DAILY, rows, stored_from("date", since))


def _close_before(days: int) -> Column:
    return F.max("close").over(days_before(days))


def _return_over(days: int) -> Column:
    return F.try_divide("close", _close_before(days)) - 1
