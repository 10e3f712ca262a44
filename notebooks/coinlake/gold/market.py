"""market_daily: how many coins rose, where the median coin stands, the whole market and its mood."""

from collections.abc import Mapping
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.arithmetic import sum_in_order
from coinlake.gold.days import day_of, earliest
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.kinds import COPY, FREE, Kinds, is_kind
from coinlake.gold.update import Update, stored_from


def market_daily(
    trends: DataFrame,
    totals: DataFrame,
    fear_greed: DataFrame,
    kinds: Kinds,
    index_before: Mapping[str, float] | None = None,
) -> DataFrame:
    """market_daily from market_trends_daily, market_totals, fear_greed and the kinds of coins.

    - Counts and medians are over free coins; medians are exact. The median drawdown is over those with 50 days of
      history: a younger coin is never far below a high of last week.
    - The median index is chained, so that coins that come or go do not move it: each day multiplies it by the
      median of index_100 over that of the calendar day before, both of the coins that cost something on both. On
      the first day it is 100, or goes on from `index_before` (by currency); where there is no such coin, it stays.
    - Market caps are those of all coins but copies, whose originals count already. Sums run over the coins in
      order of coin_id.
    - The whole market is the day's last /global answer; `bitcoin_dominance` is its share of Bitcoin.
    """
    index_a_day_before = F.when(F.col("index_100") > 0, F.try_divide("index_100", 1 + F.col("return_1d")))
    rows = trends.withColumn("is_free", is_kind(kinds, FREE)).select(
        *("date", "vs_currency", "coin_id", "is_free"),
        *(
            F.when(F.col("is_free"), value).alias(name)
            for name, value in {
                **{name: F.col(name) for name in ("return_1d", "volatility_30d", "above_average_50d")},
                "old_drawdown": F.when(F.col("average_50d").isNotNull(), F.col("drawdown")),
                "index_now": F.when(index_a_day_before.isNotNull(), F.col("index_100")),
                "index_a_day_before": index_a_day_before,
            }.items()
        ),
        F.when(~is_kind(kinds, COPY), F.col("market_cap")).alias("market_cap"),
    )
    caps = F.array_sort(F.collect_list(F.when(F.col("market_cap").isNotNull(), F.struct("coin_id", "market_cap"))))
    known = sorted((index_before or {}).items())
    so_far = Window.partitionBy("vs_currency").orderBy("date").rowsBetween(Window.unboundedPreceding, 0)
    start = F.coalesce(*(F.when(F.col("vs_currency") == code, index) for code, index in known), F.lit(100.0))
    days = (
        rows.groupBy("date", "vs_currency")
        .agg(
            F.count_if("is_free").cast("int").alias("coins"),
            F.count_if(F.col("return_1d") > 0).cast("int").alias("advancers"),
            F.count_if(F.col("return_1d") < 0).cast("int").alias("decliners"),
            *(
                F.count(value).cast("int").alias(f"coins_with_{name}")
                for name, value in {
                    "average_50d": "above_average_50d",
                    "return_1d": "return_1d",
                    "volatility_30d": "volatility_30d",
                    "market_cap": "market_cap",
                }.items()
            ),
            F.try_divide(F.count_if("above_average_50d"), F.count("above_average_50d")).alias(
                "share_above_average_50d"
            ),
            F.median("return_1d").alias("median_return_1d"),
            F.try_divide(F.median("index_now"), F.median("index_a_day_before")).alias("link"),
            F.median("old_drawdown").alias("median_drawdown"),
            F.median("volatility_30d").alias("median_volatility_30d"),
            F.max(F.when(F.col("coin_id") == "bitcoin", F.col("market_cap"))).alias("bitcoin_cap"),
            F.transform(caps, lambda coin: coin["market_cap"]).alias("caps"),
        )
        .withColumn("links", F.collect_list(F.coalesce("link", F.lit(1.0))).over(so_far))
        .withColumn("median_index", F.aggregate("links", start, lambda index, link: index * link))
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


def market_daily_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The days of the market from the first changed close on, or from the first day that news of the whole market
    or its mood reaches; all of them when a coin's kind changed."""
    since = earliest(reach.since_of_kinds, inputs.plan.market_since)
    if since is None:
        return None
    trends = inputs.read(schema.MARKET_TRENDS_DAILY).where(F.col("date") >= since)
    totals = inputs.read(schema.MARKET_TOTALS).where(day_of("snapshot_at") >= since)
    moods = inputs.read(schema.FEAR_GREED).where(F.col("date") >= since)
    rows = market_daily(trends, totals, moods, reach.kinds, _index_before(inputs, since))
    return Update(schema.MARKET_DAILY, rows, stored_from("date", since))


def _index_before(inputs: Inputs, since: date) -> dict[str, float]:
    """The median index of each currency on its last day before this one."""
    if inputs.plan.is_first:
        return {}
    stored = sorted(inputs.lake.table(schema.MARKET_DAILY).collected(), key=lambda row: row["date"])
    return {row["vs_currency"]: row["median_index"] for row in stored if row["date"] < since}
