"""Sums in a fixed order, so that a number is the same to the last bit in every run.

Floating-point addition is not associative: Spark's `sum` and `avg` over groups add in the order in which
partitions happen to arrive. A window has an order of its own and needs none of this.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F


def mean_in_order(values: str | Column) -> Column:
    """The arithmetic mean of an array of numbers, added from first to last."""
    return sum_in_order(values) / F.size(values)


def sum_in_order(values: str | Column) -> Column:
    """The sum of an array of numbers, added from first to last."""
    return F.aggregate(values, F.lit(0.0), lambda total, value: total + value)
