"""The dimensions of the star: dim_coin, dim_date and dim_currency.

dim_coin is a slowly changing dimension of type 2 (SCD type 2): it keeps what a coin was at any time.

For each table: its rows as a function of frames, then what a build writes to it.
"""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.currencies import CURRENCIES
from coinlake.gold.days import as_column, date_key, earliest, from_instant
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.kinds import Kinds, with_kinds
from coinlake.gold.update import Update

BEGINNING = datetime(1900, 1, 1)
END = datetime(9999, 12, 31)
ATTRIBUTES = ("symbol", "name", "max_supply")
VERSION = ("coin_key", "coin_id", *ATTRIBUTES, "valid_from", "valid_to", "is_current", "first_seen_at")

# dim_coin


def sightings(snapshots: DataFrame) -> DataFrame:
    """What each snapshot says a coin is: coin_id, seen_at, symbol (upper case), name, max_supply.

    One row per coin and instant: of two currencies at one instant the first in the alphabet speaks.
    """
    return (
        snapshots.groupBy("coin_id", F.col("snapshot_at").alias("seen_at"))
        .agg(F.min_by(F.struct(*_attributes()), "vs_currency").alias("coin"))
        .select("coin_id", "seen_at", "coin.*")
    )


def coin_versions(seen: DataFrame) -> DataFrame:
    """Slowly changing dimension of type 2 (Kimball): the rows of dim_coin for the coins in `seen`, without kinds.

    `seen` has coin_id, seen_at, symbol, name, max_supply. A version begins at the first sighting that differs
    from the one before and ends, half-open, where the next begins; the first is valid from 1900-01-01.
    Versions are sightings too: what went before an instant may be given as the versions of that time.
    """
    in_order = Window.partitionBy("coin_id").orderBy("seen_at")
    state = F.struct(*ATTRIBUTES)
    again = Window.partitionBy("coin_id", *ATTRIBUTES).orderBy("seen_at")
    valid_to = F.lead("seen_at").over(in_order)
    return (
        seen.withColumn("is_new", ~state.eqNullSafe(F.lag(state).over(in_order)))
        .where("is_new")
        .select(
            coin_key(F.row_number().over(again)).alias("coin_key"),
            "coin_id",
            *ATTRIBUTES,
            F.when(F.row_number().over(in_order) == 1, F.lit(BEGINNING))
            .otherwise(F.col("seen_at"))
            .alias("valid_from"),
            F.coalesce(valid_to, F.lit(END)).alias("valid_to"),
            valid_to.isNull().alias("is_current"),
            F.col("seen_at").alias("first_seen_at"),
        )
    )


def contradicting(seen: DataFrame, known: DataFrame) -> DataFrame:
    """The sightings that are news to dim_coin: what was seen differs from the version of its time, or that
    version was not known so early, or not from a snapshot at all. Columns as in `sightings`."""
    in_time = F.expr("seen.coin_id = known.coin_id AND seen_at >= valid_from AND seen_at < valid_to")
    agrees = F.col("seen_at") >= F.col("first_seen_at")
    for name in ATTRIBUTES:
        agrees = agrees & F.col(f"seen.{name}").eqNullSafe(F.col(f"known.{name}"))
    return (
        seen.alias("seen")
        .join(known.alias("known"), in_time, "left")
        .where(~F.coalesce(agrees, F.lit(False)))
        .select("seen.*")
    )


def inferred_coins(coin_ids: DataFrame, coin_list: DataFrame) -> DataFrame:
    """The rows of dim_coin, without kinds, for coins that no snapshot has shown: known from charts only.

    Symbol and name come from coin_list, else the name is the id; `first_seen_at` is NULL, and the first
    snapshot of the coin takes the row's place.
    """
    listed = coin_list.select("coin_id", *_attributes(max_supply=F.lit(None).cast("double")))
    return (
        coin_ids.join(listed, "coin_id", "left")
        .select(
            "coin_id",
            "symbol",
            F.coalesce("name", "coin_id").alias("name"),
            "max_supply",
        )
        .select(
            coin_key(F.lit(1)).alias("coin_key"),
            "coin_id",
            *ATTRIBUTES,
            F.lit(BEGINNING).alias("valid_from"),
            F.lit(END).alias("valid_to"),
            F.lit(True).alias("is_current"),
            F.lit(None).cast("timestamp").alias("first_seen_at"),
        )
    )


def coin_key(occurrence: Column) -> Column:
    """The key of a coin's version: 63 bits of xxHash64 over what the coin is and how often it was that before.

    It depends on nothing else, so that a version keeps its key whatever arrives late.
    A NULL is hashed as such: xxhash64 alone would skip it.
    """
    known = [part for name in ATTRIBUTES for part in (F.col(name).isNull(), F.col(name))]
    return F.xxhash64("coin_id", *known, occurrence).bitwiseAND(F.lit(2**63 - 1))


def with_coin_key(rows: DataFrame, coins: DataFrame, at: str | Column) -> DataFrame:
    """Adds `coin_key`, the version of the coin that is valid at the instant `at`; a coin without one is lost."""
    versions = F.broadcast(coins.select("coin_id", "coin_key", "valid_from", "valid_to"))
    at = as_column(at)
    is_valid = (at >= F.col("valid_from")) & (at < F.col("valid_to"))
    return rows.join(
        versions.withColumnRenamed("coin_id", "version_of"), is_valid & (F.col("coin_id") == F.col("version_of"))
    ).drop("version_of", "valid_from", "valid_to")


def changed_coins(inputs: Inputs) -> dict[str, datetime | None]:
    """The coins whose versions must be worked out again: from which instant; None: without a snapshot.

    A snapshot shows something else than the version of its time, or shows that version earlier than it
    was known. Without a snapshot: a coin that only charts know is new, or the coin list names it anew.
    """
    plan = inputs.plan
    if not any(map(plan.is_new, (schema.COIN_SNAPSHOTS, schema.COIN_PRICES, schema.COIN_LIST))):
        return {}
    known = inputs.read(schema.DIM_COIN)
    seen = sightings(inputs.newest_changed_rows(schema.COIN_SNAPSHOTS))
    surprising = contradicting(seen, known).select("coin_id", "seen_at")
    charted = sorted({(coin_id,) for coin_id, _, _ in plan.coin_days(schema.COIN_PRICES)})
    unknown = inputs.lake.spark.createDataFrame(charted, "coin_id STRING").join(known, "coin_id", "left_anti")
    inferred = known.where("first_seen_at IS NULL").select("coin_id")
    renamed = inferred.join(inputs.changed_rows(schema.COIN_LIST), "coin_id", "left_semi")
    rows = (
        surprising.union(unknown.union(renamed).withColumn("seen_at", F.lit(None)))
        .groupBy("coin_id")
        .agg(F.min("seen_at").alias("since"))
        .collect()
    )
    return {row["coin_id"]: row["since"] for row in rows}


def moved_coins(inputs: Inputs, changed: Mapping[str, datetime | None]) -> dict[str, datetime]:
    """The changed coins that have facts already, and the instant from which their facts' keys may move."""
    if not changed:
        return {}
    known = (
        inputs.read(schema.DIM_COIN)
        .where(F.col("coin_id").isin(*changed))
        .groupBy("coin_id")
        .agg(F.min("first_seen_at").alias("first_seen_at"))
        .collect()
    )
    moved = {}
    for coin_id, first_seen_at in known:
        since = changed[coin_id]
        moved[coin_id] = since if since and first_seen_at and first_seen_at < since else BEGINNING
    return moved


def coins_of(inputs: Inputs) -> DataFrame:
    """The versions of dim_coin as they will be: of changed coins worked out again, the others as they are."""
    stored, changed_coins = inputs.read(schema.DIM_COIN).select(*VERSION), inputs.plan.changed_coins
    if not changed_coins:
        return stored
    columns = "coin_id STRING, since TIMESTAMP"
    changed = F.broadcast(inputs.lake.spark.createDataFrame(list(changed_coins.items()), columns))
    seen = (
        stored.join(changed, "coin_id")
        .where("first_seen_at < since")
        .select("coin_id", F.col("first_seen_at").alias("seen_at"), *ATTRIBUTES)
    )
    since = earliest(*changed_coins.values())
    if since is not None:
        snapshots = inputs.read(schema.COIN_SNAPSHOTS).where(from_instant("snapshot_at", since))
        seen = seen.union(sightings(snapshots.join(changed, "coin_id").where("snapshot_at >= since")))
    unseen = changed.where("since IS NULL").select("coin_id")
    return (
        stored.join(changed, "coin_id", "left_anti")
        .select(*VERSION)
        .union(coin_versions(seen))
        .union(inferred_coins(unseen, inputs.read(schema.COIN_LIST)))
    )


def dim_coin_first(inputs: Inputs, kinds: Kinds = MappingProxyType({})) -> Update | None:
    """The first build's dim_coin: the versions of all coins. Facts point to it, so it is written before them, and
    what the coins are is known after them: all are free so far."""
    if not inputs.plan.is_first:
        return None
    snapshots = inputs.read(schema.COIN_SNAPSHOTS)
    charted = inputs.read(schema.COIN_PRICES).select("coin_id").distinct()
    unseen = charted.join(inputs.read(schema.COIN_SNAPSHOTS), "coin_id", "left_anti")
    inferred = inferred_coins(unseen, inputs.read(schema.COIN_LIST))
    return Update(schema.DIM_COIN, with_kinds(coin_versions(sightings(snapshots)).union(inferred), kinds))


def dim_coin_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The versions of the changed coins in the place of those that they had, and what coins are now; of a first
    build, all versions with what the coins are.

    It is written when all else is: were the build interrupted, the next one must find the same coins changed.
    """
    changed = inputs.plan.changed_coins.keys() | reach.changed_kinds
    if not changed:
        return None
    coins = with_kinds(coins_of(inputs), reach.kinds)
    if inputs.plan.is_first:
        return Update(schema.DIM_COIN, coins)
    of_changed_coins = F.col("coin_id").isin(*changed)
    return Update(schema.DIM_COIN, coins.where(of_changed_coins), replaces=of_changed_coins)


def _attributes(max_supply: Column | None = None) -> tuple[Column, Column, Column]:
    return (
        F.upper("symbol").alias("symbol"),
        F.coalesce("name", "coin_id").alias("name"),
        (F.col("max_supply") if max_supply is None else max_supply).alias("max_supply"),
    )


# dim_date


def calendar(spark: SparkSession, first: date, last: date) -> DataFrame:
    """The rows of dim_date from the first day to the last. Weeks are those of ISO 8601."""
    day = F.col("date")
    days = spark.range(1).select(F.explode(F.sequence(F.lit(first), F.lit(last))).alias("date"))
    return days.select(
        date_key(day).alias("date_key"),
        "date",
        F.year(day).alias("year"),
        F.quarter(day).alias("quarter"),
        F.month(day).alias("month"),
        F.date_format(day, "MMMM").alias("month_name"),
        F.weekofyear(day).alias("iso_week"),
        (F.weekday(day) + 1).alias("day_of_week"),
        F.date_format(day, "EEEE").alias("day_name"),
        (F.weekday(day) >= 5).alias("is_weekend"),
    )


def days_of_calendar(inputs: Inputs) -> tuple[date, date] | None:
    """The first and the last day of dim_date; None when it is empty."""
    days = [row["date"] for row in inputs.lake.table(schema.DIM_DATE).collected()]
    return (min(days), max(days)) if days else None


def dim_date_update(inputs: Inputs) -> Update | None:
    """The days that new prices and snapshots reach before or after those that dim_date has."""
    known = inputs.plan.calendar or ()
    reached = (*known, *inputs.plan.days(schema.COIN_PRICES, schema.COIN_SNAPSHOTS))
    if not reached or (min(reached), max(reached)) == known:
        return None
    days = calendar(inputs.lake.spark, min(reached), max(reached))
    return Update(schema.DIM_DATE, days.where(~F.col("date").between(*known)) if known else days)


# dim_currency


def currencies(spark: SparkSession) -> DataFrame:
    """The rows of dim_currency: the catalogue of coinlake.currencies."""
    schema = "currency_key INT NOT NULL, currency STRING NOT NULL, name STRING NOT NULL, kind STRING NOT NULL"
    return spark.createDataFrame([tuple(currency) for currency in CURRENCIES], schema)


def currency_key(code: str | Column) -> Column:
    """dim_currency.currency_key of a currency's code; NULL when the catalogue does not have it."""
    pairs = [F.lit(value) for currency in CURRENCIES for value in (currency.code, currency.key)]
    return F.try_element_at(F.create_map(*pairs), as_column(code))


def dim_currency_update(inputs: Inputs) -> Update | None:
    """The catalogue of currencies, in the first build."""
    return Update(schema.DIM_CURRENCY, currencies(inputs.lake.spark)) if inputs.plan.is_first else None
