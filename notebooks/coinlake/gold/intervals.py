"""The intervals of prices: the hour and the day, and which price opens one.

An interval is (start, end]: it holds its end and not its start. It closes with the last price that it holds and
opens with the price at its start, which is the close of the interval before; where that is not known, with the
first price that it holds. The opening price counts in high and low; it is no sample, it does not enter the
average, and alone it makes no interval. The week is made of days: it opens as its first day does.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake.gold.days import as_column


def start_of(unit: str, instant: str | Column) -> Column:
    """The start of the hour or day (`unit`) that holds the instant."""
    return F.date_trunc(unit, F.timestamp_add("MICROSECOND", F.lit(-1), as_column(instant)))


def with_openings(prices: DataFrame, instant: str, unit: str) -> DataFrame:
    """Each price with the `start` of the hour or day (`unit`) that holds it; one that stands at the start of the
    next is there a second time, as the opening of that: its instant is not after `start`."""
    starts = F.array_distinct(F.array(start_of(unit, instant), F.date_trunc(unit, F.col(instant))))
    return prices.withColumn("start", F.explode(starts))


def with_the_days_they_open(
    coin_days: Iterable[tuple[str, str, date]],
) -> set[tuple[str, str, date]]:
    """Days of coins (coin_id, vs_currency, date), and the days after them: the price at midnight closes one day
    and opens the next."""
    return {
        (coin_id, vs_currency, day + timedelta(days=days))
        for coin_id, vs_currency, day in coin_days
        for days in (0, 1)
    }
