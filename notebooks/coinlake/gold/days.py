"""The day of a coin: what a day is, which keys it has, and conditions that keep some days.

A day D is the UTC interval (D 00:00, D+1 00:00]: the daily point that CoinGecko stamps D+1 00:00 is the close
of D, so that hourly and daily sources agree.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TypeVar

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

COIN = ("coin_id", "vs_currency")
FIRST_DAY = date(1900, 1, 1)  # a Monday, and before all prices

Moment = TypeVar("Moment", date, datetime)


def day_of(instant: str | Column) -> Column:
    """The UTC day D whose interval (D 00:00, D+1 00:00] holds the instant."""
    return F.to_date(F.timestamp_add("MICROSECOND", F.lit(-1), as_column(instant)))


def day_at(instant: datetime) -> date:
    """`day_of` for an instant of Python."""
    return (instant - timedelta(microseconds=1)).date()


def close_of(day: str | Column) -> Column:
    """The instant at which the UTC day ends: the next day's 00:00."""
    return F.date_add(day, 1).cast("timestamp")


def date_key(day: str | Column) -> Column:
    """The day as a number, yyyymmdd: dim_date.date_key."""
    return F.date_format(day, "yyyyMMdd").cast("int")


def of_days(instant: str, days: Iterable[date]) -> Column:
    """A condition of literals that keeps the files and rows of silver that can hold these days."""
    both_ends = {end for day in days for end in (day, day + timedelta(days=1))}
    if not both_ends:
        return F.lit(False)
    periods = sorted({f"{day:%Y-%m}" for day in both_ends} | {f"{day:%Y}" for day in both_ends})
    first, last = (datetime.combine(day, datetime.min.time()) for day in (min(both_ends), max(both_ends)))
    return F.col("period").isin(periods) & F.col(instant).between(first, last)


def from_instant(instant: str, first: datetime) -> Column:
    """A condition of literals that keeps the files and rows of silver from this instant on."""
    return (F.col("period") >= f"{first:%Y-%m}") & (F.col(instant) >= first)


def frame_of_days(spark: SparkSession, coin_days: Iterable[tuple[str, str, date]]) -> DataFrame:
    """Days of coins as a frame to join with: coin_id, vs_currency, date."""
    return spark.createDataFrame(sorted(coin_days), "coin_id STRING, vs_currency STRING, date DATE")


def earliest(*moments: Moment | None) -> Moment | None:
    """The earliest of the moments that are known; None when none is."""
    return min((moment for moment in moments if moment is not None), default=None)


def days_earlier(day: date, days: int) -> date:
    """The day so many days before, but never before all days."""
    return max(day - timedelta(days=days), FIRST_DAY)


def as_column(name: str | Column) -> Column:
    """The column of this name; a column is itself."""
    return F.col(name) if isinstance(name, str) else name
