"""What the answers of each endpoint mean: schemas of the JSON, and functions from records to rows.

A record is what the reader gives, with what `silver.with_response` adds. A row has the columns of its table,
and beside them what the rules ask (names that begin with _), `_record` and `_body_reasons`.
"""

from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

PLAIN_NUMBER = r"^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$"
DAY_MS = 86_400_000
HALF_HOUR_MS = 1_800_000
SPARKLINE_HOURS = 168


# /coins/markets

MARKETS_SCHEMA = """
    id STRING, symbol STRING, name STRING, image STRING,
    current_price DOUBLE, market_cap DOUBLE, market_cap_rank INT,
    market_cap_rank_with_rehypothecated INT, fully_diluted_valuation DOUBLE, total_volume DOUBLE, high_24h DOUBLE,
    low_24h DOUBLE, price_change_24h DOUBLE, price_change_percentage_24h DOUBLE, market_cap_change_24h DOUBLE,
    market_cap_change_percentage_24h DOUBLE, circulating_supply DOUBLE, total_supply DOUBLE, max_supply DOUBLE,
    ath DOUBLE, ath_change_percentage DOUBLE, ath_date TIMESTAMP, atl DOUBLE, atl_change_percentage DOUBLE,
    atl_date TIMESTAMP, roi STRUCT<times: DOUBLE, currency: STRING, percentage: DOUBLE>, last_updated TIMESTAMP,
    sparkline_in_7d STRUCT<price: ARRAY<DOUBLE>>, price_change_percentage_1h_in_currency DOUBLE,
    price_change_percentage_24h_in_currency DOUBLE, price_change_percentage_7d_in_currency DOUBLE,
    price_change_percentage_14d_in_currency DOUBLE, price_change_percentage_30d_in_currency DOUBLE,
    price_change_percentage_200d_in_currency DOUBLE, price_change_percentage_1y_in_currency DOUBLE
"""


def coin_snapshots(records: DataFrame) -> DataFrame:
    """Coins of /coins/markets -> rows of coin_snapshots (without warnings), and what the rules need.

    Besides: _sparkline (ARRAY<DOUBLE>), _last_hour (the UTC hour of its last price, NULL when that cannot be
    known), _place_of_id (1: the record of this id in the page that counts), _coins_of_rank.

    A full sparkline of 168 prices ends with the hour in which the response was made. In recorded pages that
    holds for every coin that still trades, also where `last_updated` lies a minute before that hour. A thinner
    one has holes anywhere, and nothing tells where.
    """
    change_24h = F.coalesce(
        _number("price_change_percentage_24h"), _number("price_change_percentage_24h_in_currency")
    )
    sparkline = F.col("sparkline_in_7d.price")
    is_current = F.col("last_updated") > F.col("_served_at") - F.expr("INTERVAL 1 HOUR")
    rank = _number("market_cap_rank")
    rows = records.select(
        F.col("id").alias("coin_id"),
        _parameter("vs_currency").alias("vs_currency"),
        F.col("fetched_at").alias("snapshot_at"),
        month("fetched_at").alias("period"),
        "symbol",
        "name",
        _number("current_price").alias("price"),
        _positive(_number("market_cap")).alias("market_cap"),
        F.when(rank == F.floor(rank), rank.try_cast("int")).alias("market_cap_rank"),
        *(
            _number(name).alias(name)
            for name in ("fully_diluted_valuation", "total_volume", "high_24h", "low_24h")
        ),
        _number("price_change_24h").alias("price_change_24h"),
        _number("price_change_percentage_1h_in_currency").alias("price_change_percentage_1h"),
        change_24h.alias("price_change_percentage_24h"),
        _number("price_change_percentage_7d_in_currency").alias("price_change_percentage_7d"),
        _number("price_change_percentage_30d_in_currency").alias("price_change_percentage_30d"),
        *(
            _number(name).alias(name)
            for name in (
                "market_cap_change_24h",
                "market_cap_change_percentage_24h",
                "circulating_supply",
                "total_supply",
                "max_supply",
                "ath",
                "ath_change_percentage",
            )
        ),
        "ath_date",
        _number("atl").alias("atl"),
        _number("atl_change_percentage").alias("atl_change_percentage"),
        "atl_date",
        "last_updated",
        _rescued().alias("rescued"),
        "file",
        "landing_run",
        "fetched_at",
        sparkline.alias("_sparkline"),
        F.when((F.size(sparkline) == SPARKLINE_HOURS) & is_current, F.date_trunc("hour", "_served_at")).alias(
            "_last_hour"
        ),
        "_record",
        "_body_reasons",
    )
    contents = F.xxhash64(
        *(name for name in rows.columns if name not in ("_record", "_sparkline", "_body_reasons"))
    )
    of_id = Window.partitionBy("file", "coin_id").orderBy(F.desc_nulls_last("last_updated"), contents)
    of_rank = Window.partitionBy("file", "market_cap_rank")
    coins_of_rank = F.count_if(F.col("_place_of_id") == 1).over(of_rank)
    return rows.withColumn(
        "_place_of_id", F.when(F.col("coin_id").isNull(), 1).otherwise(F.row_number().over(of_id))
    ).withColumn("_coins_of_rank", F.when(F.col("market_cap_rank").isNull(), 1).otherwise(coins_of_rank))


def sparkline_prices(snapshots: DataFrame) -> DataFrame:
    """Accepted snapshots -> rows of coin_prices, hourly, from each sparkline whose hours are known."""
    hours = snapshots.where("_last_hour IS NOT NULL").select(
        "coin_id",
        "vs_currency",
        "_last_hour",
        "fetched_at",
        "file",
        F.posexplode("_sparkline").alias("_place", "price"),
    )
    back = F.make_dt_interval(hours=SPARKLINE_HOURS - 1 - F.col("_place"))
    return hours.where("price >= 0 AND price < DOUBLE('Infinity')").select(
        "coin_id",
        "vs_currency",
        (F.col("_last_hour") - back).alias("observed_at"),
        F.lit("hourly").alias("granularity"),
        month(F.col("_last_hour") - back).alias("period"),
        "price",
        F.lit(None).cast("double").alias("market_cap"),
        F.lit(None).cast("double").alias("total_volume"),
        F.lit("sparkline").alias("source"),
        "fetched_at",
        "file",
    )


# /coins/{id}/market_chart

CHART_SCHEMA = """
    prices ARRAY<ARRAY<DOUBLE>>, market_caps ARRAY<ARRAY<DOUBLE>>, total_volumes ARRAY<ARRAY<DOUBLE>>
"""


def chart_points(records: DataFrame) -> DataFrame:
    """Charts -> one row for each instant: the columns of coin_prices, and _stamp (Unix ms), _is_fine, _has_chart.

    The three series are joined on time, because they may differ in length. A chart is daily when all its points
    but the last are stamped 00:00; its last point, stamped otherwise, is "now" and no end of a day: it is left
    out. Any other point belongs to the hour that its stamp is in. _is_fine: points are minutes apart, not hours.
    """

    def series(name: str, *values: str) -> Column:
        empty = F.lit(None).cast("double")

        def point(pair: Column) -> Column:
            value = F.get(pair, F.lit(1))
            return F.struct(
                F.get(pair, F.lit(0)).alias("stamp"),
                *(
                    (value if each == name else empty).alias(each)
                    for each in ("prices", "market_caps", "total_volumes")
                ),
            )

        return F.coalesce(
            F.transform(name, point),
            F.array().cast("array<struct<stamp:double,prices:double,market_caps:double,total_volumes:double>>"),
        )

    stamps = F.transform("prices", lambda pair: F.get(pair, F.lit(0)))
    all_but_last = F.slice(stamps, 1, F.greatest(F.size(stamps) - 1, F.lit(1)))
    points = F.concat(series("prices"), series("market_caps"), series("total_volumes"))
    # As LONG: two months of hourly points are more milliseconds than an INT holds.
    half_hours = (F.size(stamps).cast("long") - 1) * HALF_HOUR_MS
    charts = records.select(
        F.nullif(F.try_url_decode(F.regexp_extract("_url", "/coins/([^/?]+)/market_chart", 1)), F.lit("")).alias(
            "coin_id"
        ),
        _parameter("vs_currency").alias("vs_currency"),
        F.col("prices").isNotNull().alias("_has_chart"),
        F.forall(all_but_last, lambda stamp: stamp % DAY_MS == 0).alias("_is_daily"),
        ((F.array_max(stamps) - F.array_min(stamps)) < half_hours).alias("_is_fine"),
        "file",
        "landing_run",
        "fetched_at",
        "_body_reasons",
        "_record",
        points.alias("_points"),
    )
    keys = [name for name in charts.columns if name not in ("_points", "_record")]
    whole = F.size("_body_reasons") > 0
    nothing = F.array(F.lit(None))
    exploded = charts.withColumn(
        "_point", F.explode(F.when(whole | ~F.col("_has_chart"), nothing).otherwise(F.col("_points")))
    )
    joined = (
        exploded.withColumn("_stamp", F.col("_point.stamp"))
        .groupBy(*keys, "_stamp")
        .agg(
            F.max("_point.prices").alias("price"),
            _positive(F.max("_point.market_caps")).alias("market_cap"),
            F.max("_point.total_volumes").alias("total_volume"),
            F.any_value(F.when(F.col("_point").isNull(), F.col("_record"))).alias("_body"),
        )
    )
    instant = F.when(F.col("_stamp").between(0, 1e14), F.timestamp_millis(F.col("_stamp").cast("long")))
    return (
        joined.where(
            ~(F.coalesce("_is_daily", F.lit(False)) & F.coalesce(F.col("_stamp") % DAY_MS != 0, F.lit(False)))
        )
        .withColumn("observed_at", F.when(F.col("_is_daily"), instant).otherwise(F.date_trunc("hour", instant)))
        .withColumn("granularity", F.when(F.col("_is_daily"), "daily").otherwise("hourly"))
        .withColumn("period", F.date_format("observed_at", "yyyy"))
        .withColumn("period", F.when(F.col("_is_daily"), F.col("period")).otherwise(month("observed_at")))
        .withColumn("source", F.lit("market_chart"))
        .withColumn(
            "_record",
            F.coalesce(
                "_body",
                F.to_json(
                    F.struct(F.col("_stamp").cast("long").alias("time"), "price", "market_cap", "total_volume")
                ),
            ),
        )
    )


def chart_prices(points: DataFrame) -> DataFrame:
    """Accepted chart points -> rows of coin_prices, one for each hour or day of a response.

    Of several points in an hour the latest counts; where points are minutes apart the first, which is on the hour.
    """
    order = F.when(F.col("_is_fine"), -F.col("_stamp")).otherwise(F.col("_stamp"))
    keys = ("coin_id", "vs_currency", "observed_at", "granularity", "period", "source", "fetched_at", "file")
    values = F.struct("price", "market_cap", "total_volume")
    return points.groupBy(*keys).agg(F.max_by(values, order).alias("_point")).select(*keys, "_point.*")


# /global

GLOBAL_SCHEMA = """
    data STRUCT<active_cryptocurrencies: INT, upcoming_icos: INT, ongoing_icos: INT, ended_icos: INT, markets: INT,
        total_market_cap: MAP<STRING, DOUBLE>, total_volume: MAP<STRING, DOUBLE>,
        market_cap_percentage: MAP<STRING, DOUBLE>, market_cap_change_percentage_24h_usd: DOUBLE,
        volume_change_percentage_24h_usd: DOUBLE, updated_at: BIGINT>
"""


def market_totals(records: DataFrame) -> DataFrame:
    """Bodies of /global -> rows of market_totals."""
    return records.select(
        F.col("fetched_at").alias("snapshot_at"),
        F.timestamp_seconds("data.updated_at").alias("updated_at"),
        *(
            f"data.{name}"
            for name in (
                "active_cryptocurrencies",
                "markets",
                "total_market_cap",
                "total_volume",
                "market_cap_percentage",
                "market_cap_change_percentage_24h_usd",
            )
        ),
        _rescued().alias("rescued"),
        "file",
        "landing_run",
        "fetched_at",
        "_record",
        "_body_reasons",
    )


# /coins/list

LIST_SCHEMA = "id STRING, symbol STRING, name STRING, platforms MAP<STRING, STRING>"


def listed_coins(records: DataFrame) -> DataFrame:
    """Entries of /coins/list -> rows of coin_list, as if each list were the first and the newest."""
    return records.select(
        F.col("id").alias("coin_id"),
        "symbol",
        "name",
        F.col("fetched_at").alias("first_listed_at"),
        F.col("fetched_at").alias("last_listed_at"),
        "file",
        "landing_run",
        "fetched_at",
        "_record",
        "_body_reasons",
    )


def coins_ever_listed(stored: DataFrame, listed: DataFrame) -> DataFrame:
    """Rows of coin_list, stored and new ones, as one row for each coin: named as in the newest list."""
    newest = F.struct("last_listed_at", "file", "symbol", "name")
    rows = stored.unionByName(listed.select(*stored.columns))
    return (
        rows.groupBy("coin_id")
        .agg(F.min("first_listed_at").alias("first_listed_at"), F.max(newest).alias("_newest"))
        .select("coin_id", "first_listed_at", "_newest.*")
    )


# Context

FEAR_GREED_SCHEMA = """
    name STRING, metadata STRUCT<error: STRING>,
    data ARRAY<STRUCT<value: STRING, value_classification: STRING, timestamp: STRING, time_until_update: STRING>>
"""


def fear_greed(records: DataFrame) -> DataFrame:
    """Answers of alternative.me -> rows of fear_greed; all its values are texts."""
    return _each(records, F.col("data")).select(
        F.timestamp_seconds(F.expr("try_cast(_element.timestamp AS BIGINT)")).cast("date").alias("date"),
        F.expr("try_cast(_element.value AS INT)").alias("value"),
        F.col("_element.value_classification").alias("classification"),
        "fetched_at",
        "file",
        "landing_run",
        "_record",
        "_body_reasons",
    )


FX_SCHEMA = "amount DOUBLE, base STRING, date DATE, start_date DATE, end_date DATE, rates VARIANT"


def fx_rates(records: DataFrame) -> DataFrame:
    """Answers of Frankfurter, for one day or a range of days -> rows of fx_rates, for one unit of the base."""
    by_day = F.try_variant_get("rates", "$", "map<string, map<string, double>>")
    of_day = F.create_map(F.col("date").cast("string"), F.try_variant_get("rates", "$", "map<string, double>"))
    days = F.map_entries(F.when(F.col("date").isNull(), by_day).otherwise(of_day))
    pairs = F.flatten(
        F.transform(
            days,
            lambda day: F.transform(
                F.map_entries(day["value"]),
                lambda pair: F.struct(
                    day["key"].alias("date"), pair["key"].alias("currency"), pair["value"].alias("rate")
                ),
            ),
        )
    )
    return _each(records, pairs).select(
        F.expr("try_cast(_element.date AS DATE)").alias("date"),
        F.lower("base").alias("base_currency"),
        F.lower("_element.currency").alias("currency"),
        (F.col("_element.rate") / F.coalesce(F.when(F.col("amount") > 0, F.col("amount")), F.lit(1.0))).alias(
            "rate"
        ),
        "fetched_at",
        "file",
        "landing_run",
        "_record",
        "_body_reasons",
    )


WEATHER_SCHEMA = """
    latitude DOUBLE, longitude DOUBLE, generationtime_ms DOUBLE, utc_offset_seconds INT, timezone STRING,
    timezone_abbreviation STRING, elevation DOUBLE, daily_units MAP<STRING, STRING>,
    daily STRUCT<time: ARRAY<STRING>, temperature_2m_max: ARRAY<DOUBLE>, temperature_2m_min: ARRAY<DOUBLE>,
        precipitation_sum: ARRAY<DOUBLE>, wind_speed_10m_max: ARRAY<DOUBLE>, windspeed_10m_max: ARRAY<DOUBLE>,
        weather_code: ARRAY<DOUBLE>, weathercode: ARRAY<DOUBLE>>
"""
WEATHER_VALUES = (
    "temperature_2m_max",
    "temperature_2m_min",
    "precipitation_sum",
    "wind_speed_10m_max",
    "weather_code",
)
WEATHER_UNITS = {
    "temperature_2m_max": "°C",
    "temperature_2m_min": "°C",
    "precipitation_sum": "mm",
    "wind_speed_10m_max": "km/h",
    "windspeed_10m_max": "km/h",
}


def weather_daily(records: DataFrame) -> DataFrame:
    """Answers of Open-Meteo -> rows of weather_daily. Wind and weather code also go by their names of 2023.

    The archive names days that it has no value of yet: they are left out, unless the body has no other.
    """
    has_units = reduce(
        and_, (F.coalesce(F.col("daily_units")[name] == unit, F.lit(True)) for name, unit in WEATHER_UNITS.items())
    )

    def value(name: str, place: Column) -> Column:
        return F.get(F.col(f"daily.{name}"), place)

    days = F.transform(
        "daily.time",
        lambda time, place: F.struct(
            time.alias("time"),
            *(value(name, place).alias(name) for name in WEATHER_VALUES[:3]),
            F.coalesce(value("wind_speed_10m_max", place), value("windspeed_10m_max", place)).alias(
                "wind_speed_10m_max"
            ),
            F.coalesce(value("weather_code", place), value("weathercode", place)).alias("weather_code"),
        ),
    )
    known = F.filter(days, lambda day: F.coalesce(*(day[name] for name in WEATHER_VALUES)).isNotNull())
    has_values = F.coalesce(F.size(known) > 0, F.lit(False))
    bodies = records.withColumns(
        {"_has_units": has_units, "_has_values": has_values, "_days": F.when(has_values, known)}
    )
    return _each(bodies, F.col("_days")).select(
        "latitude",
        "longitude",
        F.expr("try_cast(_element.time AS DATE)").alias("date"),
        "timezone",
        "_element.temperature_2m_max",
        "_element.temperature_2m_min",
        "_element.precipitation_sum",
        "_element.wind_speed_10m_max",
        F.col("_element.weather_code").cast("int").alias("weather_code"),
        "fetched_at",
        "file",
        "landing_run",
        "_has_units",
        "_has_values",
        "_record",
        "_body_reasons",
    )


# The response log

RESPONSE_LOG_SCHEMA = """
    run STRING, endpoint STRING, page INT, attempt INT, method STRING, url STRING, status INT,
    fetched_at TIMESTAMP,
    elapsed_ms BIGINT, headers MAP<STRING, STRING>, file STRING, bytes BIGINT, sha256 STRING,
    content_encoding STRING, outcome STRING, error STRING, source STRING
"""


def responses(records: DataFrame) -> DataFrame:
    """Lines of the response log -> rows of responses; the line's own file as _line_file."""
    return records.withColumn("landing_run", F.coalesce("run", "landing_run")).withColumn(
        "headers", F.to_json("headers")
    )


# Values


def _number(name: str) -> Column:
    """A number of a record; one that was sent as text counts where it is plainly a number. Never NaN."""
    sent = F.col(f"_odd.{name}")
    number = F.coalesce(F.col(name), F.when(sent.rlike(PLAIN_NUMBER), sent.try_cast("double")))
    return F.when(F.abs(number) < float("inf"), number)


def _positive(number: Column) -> Column:
    """A market cap: 0 is how CoinGecko says that it does not know."""
    return F.when((number > 0) & (number < float("inf")), number)


def _parameter(name: str) -> Column:
    """A parameter of the response's address, trimmed; NULL when it is not there or empty."""
    text = F.regexp_extract("_url", rf"[?&]{name}=([^&#]*)", 1)
    return F.nullif(F.trim(F.lower(F.try_url_decode(text))), F.lit(""))


def _rescued() -> Column:
    """What was rescued, names sorted, without the file's path, which differs from lake to lake."""
    found = F.from_json("_rescued_data", "map<string,variant>")
    names = F.filter(F.array_sort(F.map_keys(found)), lambda name: name != "_file_path")
    fields = F.map_from_entries(F.transform(names, lambda name: F.struct(name, found[name])))
    return F.when(F.col("_rescued_data").isNotNull(), F.to_json(fields))


def month(instant: str | Column) -> Column:
    """The partition of an hourly row: yyyy-MM."""
    return F.date_format(instant, "yyyy-MM")


def _each(records: DataFrame, elements: Column, name: str = "_element") -> DataFrame:
    """One row for each element of an array, its text as _record; one row for a body that is rejected whole."""
    is_whole = F.size("_body_reasons") > 0
    exploded = records.withColumn(
        name, F.explode(F.when(is_whole | elements.isNull(), F.array(F.lit(None))).otherwise(elements))
    )
    return exploded.withColumn("_record", F.coalesce(F.to_json(name), "_record"))
