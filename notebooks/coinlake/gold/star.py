"""The star schema: dimensions and facts as functions of silver, frame in, frame out.

A day D is the UTC interval (D 00:00, D+1 00:00]: the daily point that CoinGecko stamps D+1 00:00 is the close
of D, so that hourly and daily sources agree. The facts' `coin_key` is the version of the coin at their time.
"""

from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.currencies import CURRENCIES

BEGINNING = datetime(1900, 1, 1)
END = datetime(9999, 12, 31)
ATTRIBUTES = ("symbol", "name", "max_supply")


def day_of(instant: str | Column) -> Column:
    """The UTC day D whose interval (D 00:00, D+1 00:00] holds the instant."""
    return F.to_date(F.timestamp_add("MICROSECOND", F.lit(-1), _column(instant)))


def day(instant: datetime) -> date:
    """`day_of` for an instant of Python."""
    return (instant - timedelta(microseconds=1)).date()


def close_of(day: str | Column) -> Column:
    """The instant at which the UTC day ends: the next day's 00:00."""
    return F.date_add(day, 1).cast("timestamp")


def date_key(day: str | Column) -> Column:
    """The day as a number, yyyymmdd: dim_date.date_key."""
    return F.date_format(day, "yyyyMMdd").cast("int")


def currency_key(code: str | Column) -> Column:
    """dim_currency.currency_key of a currency's code; NULL when the catalogue does not have it."""
    pairs = [F.lit(value) for currency in CURRENCIES for value in (currency.code, currency.key)]
    return F.try_element_at(F.create_map(*pairs), _column(code))


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
    """Slowly changing dimension of type 2 (Kimball): the rows of dim_coin for the coins in `seen`.

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
    """The rows of dim_coin for coins that no snapshot has shown: known from charts only.

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
    at = _column(at)
    is_valid = (at >= F.col("valid_from")) & (at < F.col("valid_to"))
    return rows.join(
        versions.withColumnRenamed("coin_id", "version_of"), is_valid & _same("coin_id", "version_of")
    ).drop("version_of", "valid_from", "valid_to")


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


def currencies(spark: SparkSession) -> DataFrame:
    """The rows of dim_currency: the catalogue of coinlake.currencies."""
    schema = "currency_key INT NOT NULL, currency STRING NOT NULL, name STRING NOT NULL, kind STRING NOT NULL"
    return spark.createDataFrame([tuple(currency) for currency in CURRENCIES], schema)


def market_snapshots(snapshots: DataFrame, coins: DataFrame) -> DataFrame:
    """fact_market_snapshot: coin_snapshots with the keys of the star, returns as fractions.

    `snapshots` has the columns of coin_snapshots, `coins` those of dim_coin.
    """
    returns = {span: F.col(f"price_change_percentage_{span}") / 100 for span in ("1h", "24h", "7d", "30d")}
    keyed = snapshots.select(
        "*",
        currency_key("vs_currency").alias("currency_key"),
        date_key(day_of("snapshot_at")).alias("date_key"),
        *(fraction.alias(f"return_{span}") for span, fraction in returns.items()),
    )
    return with_coin_key(keyed, coins, "snapshot_at").select(*schema.FACT_MARKET_SNAPSHOT.column_names)


def daily_prices(prices: DataFrame) -> DataFrame:
    """Open, high, low, close and mean of each UTC day, from hourly prices and daily closes.

    `prices` has the columns of coin_prices; the result has coin_id, vs_currency, date and the measures of
    fact_price_daily, without the star's keys. A daily price outranks the hourly one of the same instant.
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
        prices.groupBy("coin_id", "vs_currency", day_of("observed_at").alias("date"))
        .agg(F.array_sort(F.collect_list(point)).alias("points"))
        .withColumn("kept", F.filter("points", _outranked_by_none))
        .withColumn("last", F.element_at("kept", -1))
        .withColumn("prices", F.transform("kept", lambda kept: kept["price"]))
    )
    return days.select(
        "coin_id",
        "vs_currency",
        "date",
        F.element_at("prices", 1).alias("open"),
        F.array_max("prices").alias("high"),
        F.array_min("prices").alias("low"),
        F.element_at("prices", -1).alias("close"),
        mean_in_order("prices").alias("average"),
        F.size("prices").alias("samples"),
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


def mean_in_order(values: str | Column) -> Column:
    """The arithmetic mean of an array of numbers, added from first to last.

    Floating-point addition is not associative: Spark's `avg` over groups adds in the order in which
    partitions happen to arrive, this does not.
    """
    return sum_in_order(values) / F.size(values)


def sum_in_order(values: str | Column) -> Column:
    """The sum of an array of numbers, added from first to last."""
    return F.aggregate(values, F.lit(0.0), lambda total, value: total + value)


def _attributes(max_supply: Column | None = None) -> tuple[Column, Column, Column]:
    return (
        F.upper("symbol").alias("symbol"),
        F.coalesce("name", "coin_id").alias("name"),
        (F.col("max_supply") if max_supply is None else max_supply).alias("max_supply"),
    )


def _outranked_by_none(point: Column, index: Column) -> Column:
    """Of an hourly and a daily price at one instant, sorted in this order, only the daily one stays."""
    following = F.get(F.col("points"), index + 1)
    return following.isNull() | (following["observed_at"] > point["observed_at"])


def _newest_known(measure: str) -> Column:
    known = F.filter("points", lambda point: point[measure].isNotNull())
    return F.try_element_at(known, F.lit(-1))[measure]


def _same(left: str, right: str) -> Column:
    return F.col(left) == F.col(right)


def _column(name: str | Column) -> Column:
    return F.col(name) if isinstance(name, str) else name
