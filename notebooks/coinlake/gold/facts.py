"""The facts of the star: fact_market_snapshot and fact_price_daily.

Their `coin_key` is the version of the coin at their time. For each table: its rows as a function of frames,
then what a build writes to it.
"""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import delta, schema
from coinlake.delta import DeltaTable
from coinlake.gold.arithmetic import mean_in_order
from coinlake.gold.days import (
    COIN,
    close_of,
    date_key,
    day_at,
    day_of,
    earliest,
    frame_of_days,
    from_instant,
    of_days,
)
from coinlake.gold.dimensions import coins_of, currency_key, with_coin_key
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.intervals import with_openings, with_the_days_they_open
from coinlake.gold.update import Update, stored_from

# fact_market_snapshot


def market_snapshots(snapshots: DataFrame, coins: DataFrame) -> DataFrame:
    """fact_market_snapshot: coin_snapshots with the keys of the star, returns as fractions.

    `snapshots` has the columns of coin_snapshots, `coins` those of dim_coin.
    """
    keyed = snapshots.select(
        "*",
        currency_key("vs_currency").alias("currency_key"),
        date_key(day_of("snapshot_at")).alias("date_key"),
        *stated_returns(),
    )
    return with_coin_key(keyed, coins, "snapshot_at").select(*schema.FACT_MARKET_SNAPSHOT.column_names)


def stated_returns() -> list[Column]:
    """return_1h, return_24h, return_7d and return_30d of coin_snapshots: per cent there, fractions here."""
    return [
        (F.col(f"price_change_percentage_{span}") / 100).alias(f"return_{span}")
        for span in ("1h", "24h", "7d", "30d")
    ]


def fact_market_snapshot_update(inputs: Inputs) -> Update | None:
    """The snapshots that are new or differ, and those of coins whose versions moved."""
    plan = inputs.plan
    if not plan.is_new(schema.COIN_SNAPSHOTS):
        return None
    snapshots = inputs.newest_changed_rows(schema.COIN_SNAPSHOTS)
    first = earliest(*plan.days(schema.COIN_SNAPSHOTS))
    moved = [since for coin, since in plan.changed_coins.items() if since and coin in plan.moved_coins]
    if moved:
        first = earliest(first, day_at(min(moved)))
        theirs = F.col("coin_id").isin(*plan.moved_coins) & from_instant("snapshot_at", min(moved))
        again = inputs.read(schema.COIN_SNAPSHOTS).where(theirs)
        snapshots = snapshots.union(again).dropDuplicates(list(schema.COIN_SNAPSHOTS.key))
    where = None if first is None else f"t.period >= '{first:%Y-%m}' AND t.snapshot_at >= '{first}'"
    return Update(schema.FACT_MARKET_SNAPSHOT, market_snapshots(snapshots, coins_of(inputs)), where)


# fact_price_daily


def daily_prices(prices: DataFrame) -> DataFrame:
    """Open, high, low, close and mean of each UTC day, from hourly prices and daily closes.

    `prices` has the columns of coin_prices; the result has coin_id, vs_currency, date and the measures of
    fact_price_daily, without the star's keys. A daily price outranks the hourly one of the same instant.
    The price at the day's start opens it, as `coinlake.gold.intervals` says; it is no sample of the day.
    Market cap and volume are the newest of the day that are known. The day is complete when the price at its
    end is known. The mean adds the prices in order of time, so that it is the same to the last bit every time.
    """
    point = F.struct(
        "observed_at",
        (F.col("granularity") == "daily").alias("is_daily"),
        "price",
        "market_cap",
        "total_volume",
        "file",
    )
    days = (
        with_openings(prices, "observed_at", "day")
        .groupBy("coin_id", "vs_currency", "start")
        .agg(F.array_sort(F.collect_list(point)).alias("points"))
        .withColumn("date", F.to_date("start"))
        .withColumn("kept", F.filter("points", _outranked_by_none))
        .withColumn("prices", _prices("kept"))
        .withColumn("points", F.filter("points", _is_of_the_day))
        .withColumn("sampled", _prices(F.filter("kept", _is_of_the_day)))
        .where(F.size("sampled") > 0)
        .withColumn("last", F.element_at("kept", -1))
    )
    return days.select(
        "coin_id",
        "vs_currency",
        "date",
        F.element_at("prices", 1).alias("open"),
        F.array_max("prices").alias("high"),
        F.array_min("prices").alias("low"),
        F.element_at("prices", -1).alias("close"),
        mean_in_order("sampled").alias("average"),
        F.size("sampled").alias("samples"),
        _newest_known("market_cap").alias("market_cap"),
        _newest_known("total_volume").alias("total_volume"),
        (F.col("last.observed_at") == close_of("date")).alias("is_complete"),
        F.col("last.file").alias("file"),
    )


def keyed_days(days: DataFrame, coins: DataFrame) -> DataFrame:
    """fact_price_daily: the days of `daily_prices` with the keys of the star; the coin as it is at the close."""
    keyed = days.select(
        "*",
        F.date_format("date", "yyyy-MM").alias("period"),
        currency_key("vs_currency").alias("currency_key"),
        date_key("date").alias("date_key"),
    )
    return with_coin_key(keyed, coins, close_of("date")).select(*schema.FACT_PRICE_DAILY.column_names)


def fact_price_daily_update(inputs: Inputs) -> Update | None:
    """The days that new prices touch, computed again, and the days of coins whose versions moved."""
    plan = inputs.plan
    if not plan.is_new(schema.COIN_PRICES) and not plan.moved_coins:
        return None
    if plan.is_first:
        days = daily_prices(inputs.read(schema.COIN_PRICES))
        return Update(schema.FACT_PRICE_DAILY, keyed_days(days, coins_of(inputs)))
    new_days = plan.days(schema.COIN_PRICES)
    touched_days = with_the_days_they_open(plan.coin_days(schema.COIN_PRICES))
    touched = frame_of_days(inputs.lake.spark, touched_days)
    first = earliest(*new_days)
    prices = inputs.read(schema.COIN_PRICES).where(of_days("observed_at", {day for _, _, day in touched_days}))
    days = daily_prices(prices).join(touched, [*COIN, "date"], "left_semi")
    if plan.moved_coins:
        first = min([*new_days, *map(day_at, plan.moved_coins.values())])
        theirs = F.col("coin_id").isin(*plan.moved_coins) & (F.col("date") >= first)
        facts = inputs.read(schema.FACT_PRICE_DAILY).where(theirs)
        days = days.union(facts.join(touched, [*COIN, "date"], "left_anti").select(*days.columns))
    return Update(schema.FACT_PRICE_DAILY, keyed_days(days, coins_of(inputs)), stored_from("date", first))


def changed_closes(stored: DeltaTable, since: int, until: int) -> dict[tuple[str, str], date]:
    """The first complete day of each coin and currency that is new or has other values, from the Change Data Feed
    of fact_price_daily after the version `since`, up to `until`. A new key of the star is no other value."""
    if until == since:
        return {}
    values = F.struct("open", "high", "low", "close", "samples", "market_cap", "is_complete")
    rows = (
        delta.changes_since(stored, since, until)
        .groupBy(*schema.FACT_PRICE_DAILY.key)
        .agg(
            F.bool_or("is_complete").alias("is_complete"),
            F.bool_or(F.col("_change_type") == "insert").alias("is_new"),
            F.size(F.collect_set(values)).alias("states"),
        )
        .where("is_complete AND (is_new OR states > 1)")
        .groupBy(*COIN)
        .agg(F.min("date"))
        .collect()
    )
    return {(coin_id, vs_currency): first for coin_id, vs_currency, first in rows}


def complete_days(inputs: Inputs, reach: Reach, first: date, all_coins: bool = False) -> DataFrame:
    """What the aggregates are made from: the complete days of fact_price_daily from `first` on, of the coins whose
    closes changed, or of all coins."""
    facts = inputs.lake.table(schema.FACT_PRICE_DAILY).read(reach.fact_version)
    days = facts.where("is_complete").where(F.col("date") >= first)
    if inputs.plan.is_first or all_coins:
        return days
    changed = inputs.lake.spark.createDataFrame(sorted(reach.closes), "coin_id STRING, vs_currency STRING")
    return days.join(F.broadcast(changed), list(COIN), "left_semi")


def _prices(points: str | Column) -> Column:
    return F.transform(points, lambda point: point["price"])


def _is_of_the_day(point: Column) -> Column:
    return point["observed_at"] > F.col("start")


def _outranked_by_none(point: Column, index: Column) -> Column:
    """Of an hourly and a daily price at one instant, sorted in this order, only the daily one stays."""
    following = F.get(F.col("points"), index + 1)
    return following.isNull() | (following["observed_at"] > point["observed_at"])


def _newest_known(measure: str) -> Column:
    known = F.filter("points", lambda point: point[measure].isNotNull())
    return F.try_element_at(known, F.lit(-1))[measure]
