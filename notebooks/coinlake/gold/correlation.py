"""correlation_90d: how alike the largest coins moved over 90 days."""

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from statistics import correlation
from typing import Any

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.days import COIN
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.kinds import FREE, is_kind
from coinlake.gold.update import Update

CORRELATED_COINS = 15
CORRELATION_DAYS = 90
CORRELATION_MINIMUM_DAYS = 60


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


def correlations(returns: Iterable[tuple[Any, ...]]) -> list[tuple[str, str, str, date, float, int]]:
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


def correlation_90d_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The whole table when a close changed and any correlation of free coins with it."""
    if reach.since is None:
        return None
    table = schema.CORRELATION_90D
    stored = [tuple(row[name] for name in table.column_names) for row in inputs.lake.table(table).collected()]
    of_free_coins = inputs.read(schema.MARKET_TRENDS_DAILY).where(is_kind(reach.kinds, FREE))
    rows = correlations(returns_of_the_largest(of_free_coins).collect())
    if rows == sorted(stored):
        return None
    return Update(table, inputs.lake.spark.createDataFrame(rows, table.ddl), is_whole=True)
