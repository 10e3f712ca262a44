"""/coins/markets: the largest coins, each with its price, its market cap and the prices of its last week."""

import math
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, LARGEST_PAGE, Endpoint, Request
from coinlake.sources import coingecko
from coinlake.sources.columns import (
    CARRIED,
    fitting,
    month,
    number,
    parameter,
    partitions,
    periods,
    positive,
    possible,
    short,
    whole,
    with_rescued,
)
from coinlake.sources.source import REJECT, WARN, Expectation, Settings, Source, Target

SPARKLINE_HOURS = 168
TEXTS = {"symbol": schema.LONGEST_SYMBOL, "name": schema.LONGEST_NAME}

ENDPOINT = Endpoint(
    name="coins_markets",
    group="market",
    root=COINGECKO,
    path="/coins/markets",
    query={
        "vs_currency": "{vs_currency}",
        "order": "market_cap_desc",
        "per_page": "{per_page}",
        "page": "{page}",
        "sparkline": "true",
        "price_change_percentage": "1h,24h,7d,30d",
    },
    shape=list,
    page_size=LARGEST_PAGE,
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """One request a page."""
    values = {"vs_currency": settings.vs_currency, "per_page": settings.page_length}
    pages = range(1, math.ceil(settings.coins / settings.page_length) + 1)
    return [coingecko.request(ENDPOINT, settings, page, **values) for page in pages]


SCHEMA = """
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
    """Coins of /coins/markets -> rows of coin_snapshots (without warnings), and what the expectations ask.

    Besides: _sparkline (ARRAY<DOUBLE>), _last_hour (the UTC hour of its last price, NULL when that cannot be
    known), _place_of_id (1: the record of this id in the page that counts), _coins_of_rank.

    A full sparkline of 168 prices ends with the hour in which the response was made. In recorded pages that
    holds for every coin that still trades, also where `last_updated` lies a minute before that hour. A thinner
    one has holes anywhere, and nothing tells where.
    """
    change_24h = F.coalesce(
        number("price_change_percentage_24h"), number("price_change_percentage_24h_in_currency")
    )
    sparkline = F.col("sparkline_in_7d.price")
    times = {name: possible(name) for name in ("ath_date", "atl_date", "last_updated")}
    is_current = times["last_updated"] > F.col("_served_at") - F.expr("INTERVAL 1 HOUR")
    unfit = {name: (F.col(name), fitting(name, most)) for name, most in TEXTS.items()}
    unfit |= {name: (F.col(name), time) for name, time in times.items()}
    rows = with_rescued(records, **unfit).select(
        F.col("id").alias("coin_id"),
        parameter("vs_currency").alias("vs_currency"),
        F.col("fetched_at").alias("snapshot_at"),
        month("fetched_at").alias("period"),
        *(short(name, most).alias(name) for name, most in TEXTS.items()),
        number("current_price").alias("price"),
        positive(number("market_cap")).alias("market_cap"),
        whole(number("market_cap_rank")).alias("market_cap_rank"),
        *(number(name).alias(name) for name in ("fully_diluted_valuation", "total_volume", "high_24h", "low_24h")),
        number("price_change_24h").alias("price_change_24h"),
        number("price_change_percentage_1h_in_currency").alias("price_change_percentage_1h"),
        change_24h.alias("price_change_percentage_24h"),
        number("price_change_percentage_7d_in_currency").alias("price_change_percentage_7d"),
        number("price_change_percentage_30d_in_currency").alias("price_change_percentage_30d"),
        *(
            number(name).alias(name)
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
        times["ath_date"].alias("ath_date"),
        number("atl").alias("atl"),
        number("atl_change_percentage").alias("atl_change_percentage"),
        times["atl_date"].alias("atl_date"),
        times["last_updated"].alias("last_updated"),
        "rescued",
        *CARRIED,
        sparkline.alias("_sparkline"),
        F.when((F.size(sparkline) == SPARKLINE_HOURS) & is_current, F.date_trunc("hour", "_served_at")).alias(
            "_last_hour"
        ),
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


def months_of_snapshots() -> Column:
    """The months of the snapshots, and in these the files that reach as far back as the first of them."""
    first = F.min(F.when(F.size("_reasons") == 0, F.col("snapshot_at")))
    since = F.concat(F.lit("t.snapshot_at >= TIMESTAMP_MICROS("), F.unix_micros(first), F.lit(")"))
    return F.concat_ws(" AND ", periods(), since)


def months_of_sparklines() -> Column:
    """The months that the sparklines reach into."""
    first = F.col("_last_hour") - F.make_dt_interval(hours=F.lit(SPARKLINE_HOURS - 1))
    return partitions(month(first), month("_last_hour"))


EXPECTATIONS = (
    Expectation("id_missing", "A coin has an id.", "coin_id <> ''", REJECT),
    coingecko.ID_TOO_LONG,
    Expectation("price_missing", "A coin has a price.", "price IS NOT NULL", REJECT),
    coingecko.PRICE_POSSIBLE,
    coingecko.CURRENCY_KNOWN,
    Expectation(
        "repeated_in_page",
        "A page names a coin once; of several records the one that was updated last counts.",
        "_place_of_id = 1",
        REJECT,
    ),
    Expectation("rank_missing", "A coin has a rank.", "market_cap_rank IS NOT NULL", WARN),
    Expectation("rank_repeated", "No other coin of the page has this rank.", "_coins_of_rank = 1", WARN),
    Expectation(
        "signs_disagree",
        "The change of the price and its percentage point the same way.",
        "coalesce(signum(price_change_24h) * signum(price_change_percentage_24h) >= 0, true)",
        WARN,
    ),
    Expectation(
        "stale",
        "The coin was updated within a day before the response.",
        "last_updated > fetched_at - INTERVAL 1 DAY",
        WARN,
    ),
    Expectation(
        "sparkline_thin",
        "A sparkline, where there is one, has 168 prices.",
        "_sparkline IS NULL OR (size(_sparkline) = 168 AND forall(_sparkline, price -> price >= 0))",
        WARN,
    ),
    Expectation(
        "sparkline_hours_unknown",
        "It can be told which hour each price of the sparkline belongs to: there are 168, and the newest is "
        "no older than an hour.",
        "_sparkline IS NULL OR _last_hour IS NOT NULL",
        WARN,
    ),
    Expectation("fields_rescued", "Every field is known, of its type and in its range.", "rescued IS NULL", WARN),
    Expectation(
        "ath_below_price",
        "No price is above the all-time high.",
        "coalesce(price <= ath, true)",
        WARN,
    ),
    Expectation(
        "atl_above_price",
        "No price is below the all-time low.",
        "coalesce(price >= atl, true)",
        WARN,
    ),
)

SOURCE = Source(
    order=1,
    endpoint=ENDPOINT,
    requests=requests,
    settings=("coins", "vs_currency", *coingecko.SETTINGS),
    lists_coins=True,
    schema=SCHEMA,
    essential="id",
    rows=coin_snapshots,
    expectations=EXPECTATIONS,
    targets=(
        Target(schema.COIN_SNAPSHOTS, search=months_of_snapshots),
        Target(schema.COIN_PRICES, sparkline_prices, months_of_sparklines),
    ),
)
