"""price_averages_daily: moving averages of 7, 30, 90 and 200 days, and where two of them cross.

Windows are calendar windows (RANGE over days): a gap in the data does not stretch them.
"""

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.days import COIN, days_earlier
from coinlake.gold.facts import complete_days
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.update import Update, stored_from

LONGEST_WINDOW = 201  # days: 200, and the day before them for a crossing


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


def price_averages_daily_update(inputs: Inputs, reach: Reach) -> Update | None:
    """From the first changed close on, the averages of the coins whose closes changed; the longest window before
    it is read and not written."""
    since = reach.since
    if since is None:
        return None
    averages = price_averages(complete_days(inputs, reach, days_earlier(since, LONGEST_WINDOW)))
    rows = averages.where(F.col("date") >= since)
    return Update(schema.PRICE_AVERAGES_DAILY, rows, stored_from("date", since))


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


def last_days(days: int) -> WindowSpec:
    """The window of the last `days` calendar days of a coin, today included."""
    return _by_day().rangeBetween(1 - days, 0)


def days_before(days: int) -> WindowSpec:
    """The window that holds one calendar day of a coin: the one `days` days before."""
    return _by_day().rangeBetween(-days, -days)


def preceding_days(days: int) -> WindowSpec:
    """The window of the `days` calendar days of a coin before today."""
    return _by_day().rangeBetween(-days, -1)


def _by_day() -> WindowSpec:
    return Window.partitionBy(*COIN).orderBy(F.unix_date("date"))
