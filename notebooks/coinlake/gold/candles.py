"""candle_hourly, from silver's prices and snapshots, and candle_weekly, from complete days."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.days import COIN, days_earlier, frame_of_days, of_days
from coinlake.gold.facts import complete_days
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.intervals import start_of, with_openings, with_the_days_they_open
from coinlake.gold.update import Update, stored_from


def candle_hourly(prices: DataFrame, snapshots: DataFrame) -> DataFrame:
    """candle_hourly from hourly rows of coin_prices and from coin_snapshots.

    The hour H is the interval (H, H + 1 h]: it holds the snapshots inside and the hourly price of H + 1 h,
    which is the close; the hourly price of H opens it. `order` sorts an hourly price behind a snapshot of the
    same instant.
    """
    hourly = with_openings(prices.where("granularity = 'hourly'"), "observed_at", "hour").select(
        *COIN,
        F.col("start").alias("hour"),
        (F.unix_micros("observed_at") * 2 + 1).alias("order"),
        "price",
        (F.col("observed_at") > F.col("start")).alias("is_sample"),
    )
    inside = snapshots.select(
        *COIN, start_of("hour", "snapshot_at"), F.unix_micros("snapshot_at") * 2, "price", F.lit(True)
    )
    return (
        hourly.union(inside)
        .groupBy(*COIN, "hour")
        .agg(
            F.min_by("price", "order").alias("open"),
            F.max("price").alias("high"),
            F.min("price").alias("low"),
            F.max_by("price", "order").alias("close"),
            F.count_if("is_sample").cast("int").alias("samples"),
        )
        .where("samples > 0")
        .withColumn("period", F.date_format("hour", "yyyy-MM"))
        .select(*schema.CANDLE_HOURLY.column_names)
    )


def candle_hourly_update(inputs: Inputs) -> Update | None:
    """The candles of the days that new prices and snapshots touch."""
    plan, table = inputs.plan, schema.CANDLE_HOURLY
    prices, snapshots = inputs.read(schema.COIN_PRICES), inputs.read(schema.COIN_SNAPSHOTS)
    if plan.is_first:
        return Update(table, candle_hourly(prices, snapshots))
    new = plan.coin_days(schema.COIN_PRICES, schema.COIN_SNAPSHOTS)
    if not new:
        return None
    touched = with_the_days_they_open(new)
    days = sorted({day for _, _, day in touched})
    candles = (
        candle_hourly(prices.where(of_days("observed_at", days)), snapshots.where(of_days("snapshot_at", days)))
        .withColumn("date", F.to_date("hour"))
        .join(frame_of_days(inputs.lake.spark, touched), [*COIN, "date"], "left_semi")
    )
    months = ", ".join(sorted({f"'{day:%Y-%m}'" for day in days}))
    return Update(table, candles, f"t.period IN ({months}) AND t.hour >= '{days[0]}'")


def candle_weekly(days: DataFrame) -> DataFrame:
    """candle_weekly from complete days of fact_price_daily; weeks begin on Monday (ISO 8601).

    A week opens as its first day does: with the close of the day before, where that is known.
    """
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


def candle_weekly_update(inputs: Inputs, reach: Reach) -> Update | None:
    """From the week of the first changed close on, the weeks of the coins whose closes changed."""
    if reach.since is None:
        return None
    monday = days_earlier(reach.since, reach.since.weekday())
    weeks = candle_weekly(complete_days(inputs, reach, monday))
    return Update(schema.CANDLE_WEEKLY, weeks, stored_from("week", monday))
