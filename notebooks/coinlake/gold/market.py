"""market_daily: how many coins rose, where the median coin stands, the whole market and its mood."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.arithmetic import sum_in_order
from coinlake.gold.days import day_of, earliest
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.update import Update, stored_from


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


def market_daily_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The days of the market from the first changed close on, or from the first day that news of the whole market
    or its mood reaches."""
    since = earliest(reach.since, inputs.plan.market_since)
    if since is None:
        return None
    trends = inputs.read(schema.MARKET_TRENDS_DAILY).where(F.col("date") >= since)
    totals = inputs.read(schema.MARKET_TOTALS).where(day_of("snapshot_at") >= since)
    moods = inputs.read(schema.FEAR_GREED).where(F.col("date") >= since)
    return Update(schema.MARKET_DAILY, market_daily(trends, totals, moods), stored_from("date", since))
