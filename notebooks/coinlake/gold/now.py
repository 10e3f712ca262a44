"""market_now: each coin as its newest snapshot shows it, beside what is usual for it."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.arithmetic import mean_in_order
from coinlake.gold.days import COIN, FIRST_DAY, day_at, day_of, days_earlier, from_instant
from coinlake.gold.facts import complete_days, stated_returns
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.kinds import Kinds, kind_of
from coinlake.gold.update import Update

RANK_HOURS = (24, 48)  # how much older the snapshot is whose rank is compared
VOLUME_DAYS = 30
LEAST_VOLUMES = 20  # of these days; a chart that comes later leaves the newest day's volume open for a while


def market_now(snapshots: DataFrame, days: DataFrame, kinds: Kinds) -> DataFrame:
    """market_now from coin_snapshots, complete days of fact_price_daily, and the kinds of coins.

    The usual volume is the mean over those of the 30 days before the snapshot's day whose volume is known, added
    in order of time. A price above the all-time high, which the API renews a little later, is at its high.
    """
    shown = F.struct(
        "snapshot_at",
        F.upper("symbol").alias("symbol"),
        F.coalesce("name", "coin_id").alias("name"),
        *("price", "market_cap", "market_cap_rank"),
        *stated_returns(),
        F.col("total_volume").alias("volume_24h"),
        F.col("ath").alias("high"),
        F.col("ath_date").alias("high_at"),
    )
    ranked = F.when(F.col("market_cap_rank").isNotNull(), F.struct("snapshot_at", "market_cap_rank"))
    newest = snapshots.groupBy(*COIN).agg(
        F.max_by(shown, "snapshot_at").alias("shown"), F.collect_list(ranked).alias("ranks")
    )
    known = F.when(F.col("total_volume").isNotNull(), F.struct("date", "total_volume"))
    traded = days.groupBy(*COIN).agg(F.array_sort(F.collect_list(known)).alias("traded"))
    day = day_of("snapshot_at")
    usual = F.filter(
        "traded", lambda other: (other["date"] >= F.date_sub(day, VOLUME_DAYS)) & (other["date"] < day)
    )
    volumes = F.transform(usual, lambda other: other["total_volume"])
    enough = F.size(volumes) >= LEAST_VOLUMES
    return (
        newest.join(traded, list(COIN), "left")
        .select(*COIN, "shown.*", "ranks", "traded")
        .withColumn("rank_change_24h", _rank_before() - F.col("market_cap_rank"))
        .withColumn("volume_ratio", F.when(enough, F.try_divide("volume_24h", mean_in_order(volumes))))
        .withColumn("distance_from_high", F.least(F.try_divide("price", "high") - 1, F.lit(0.0)))
        .withColumn("kind", kind_of(kinds))
        .select(*schema.MARKET_NOW.column_names)
    )


def _rank_before() -> Column:
    """The rank in the newest snapshot that is 24 to 48 hours older; NULL without one."""
    latest, earliest = (F.timestamp_add("HOUR", F.lit(-hours), F.col("snapshot_at")) for hours in RANK_HOURS)
    older = F.filter("ranks", lambda rank: (rank["snapshot_at"] <= latest) & (rank["snapshot_at"] >= earliest))
    return F.array_max(older)["market_cap_rank"]


def market_now_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The whole table: the coins that new snapshots, prices or kinds touch are computed again, the others stay as
    they are."""
    plan, table = inputs.plan, schema.MARKET_NOW
    snapshots = inputs.read(schema.COIN_SNAPSHOTS)
    if plan.is_first:
        return Update(table, market_now(snapshots, complete_days(inputs, reach, FIRST_DAY), reach.kinds))
    newest = _newest_snapshots(inputs)
    priced = {(coin_id, vs_currency) for coin_id, vs_currency, _ in plan.coin_days(schema.COIN_PRICES)}
    shown = {(coin_id, vs_currency) for coin_id, vs_currency, _ in plan.coin_days(schema.COIN_SNAPSHOTS)}
    touched = {coin for coin in newest if coin in shown | priced or coin[0] in reach.changed_kinds}
    if not touched:
        return None
    first = min(newest[coin] for coin in touched)
    since = from_instant("snapshot_at", first - timedelta(hours=RANK_HOURS[1]))
    theirs = snapshots.where(since)
    days = complete_days(inputs, reach, days_earlier(day_at(first), VOLUME_DAYS), all_coins=True)
    if newest.keys() == touched:
        return Update(table, market_now(theirs, days, reach.kinds), is_whole=True)
    coins = F.broadcast(inputs.lake.spark.createDataFrame(sorted(touched), "coin_id STRING, vs_currency STRING"))
    rows = market_now(theirs.join(coins, list(COIN), "left_semi"), days, reach.kinds)
    others = inputs.read(table).join(coins, list(COIN), "left_anti")
    return Update(table, rows.union(others.select(*rows.columns)), is_whole=True)


def _newest_snapshots(inputs: Inputs) -> dict[tuple[str, str], datetime]:
    """For each coin and currency with a snapshot an instant that its newest one does not come before: that of
    market_now, or the start of the first day that is new."""
    found = {
        (row["coin_id"], row["vs_currency"]): row["snapshot_at"]
        for row in inputs.lake.table(schema.MARKET_NOW).collected()
    }
    for coin_id, vs_currency, day in sorted(inputs.plan.coin_days(schema.COIN_SNAPSHOTS)):
        found.setdefault((coin_id, vs_currency), datetime.combine(day, datetime.min.time()))
    return found
