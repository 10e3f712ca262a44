"""/coins/{id}/market_chart: the price of one coin over time, daily for a year back, hourly for less."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.errors import ConfigurationError
from coinlake.sources import coingecko
from coinlake.sources.columns import CARRIED, month, parameter, periods, positive
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

DAY_MS = 86_400_000
HALF_HOUR_MS = 1_800_000

# Without `interval` the API chooses the granularity itself, which every plan may use.
ENDPOINT = Endpoint(
    name="coins_market_chart",
    group="market",
    root=COINGECKO,
    path="/coins/{coin_id}/market_chart",
    query={"vs_currency": "{vs_currency}", "days": "{days}"},
    shape=dict,
    holds=("prices", list),
    once_a_day=True,
)


def for_coins(settings: Settings, coin_ids: Iterable[str]) -> list[Request]:
    """The chart of each of the first `history_coins` coins.

    Raises ConfigurationError for more days than the plan sees.
    """
    limit = settings.api_plan.history_days
    if limit is not None and settings.history_coins and settings.history_days > limit:
        raise ConfigurationError(
            f"history_days={settings.history_days}: the plan {settings.api_plan.name} sees {limit} days back. "
            f"Set history_days to at most {limit}, or use plan=pro."
        )
    largest = list(dict.fromkeys(coin_ids))[: settings.history_coins]
    values = {"vs_currency": settings.vs_currency, "days": settings.history_days}
    return [
        coingecko.request(ENDPOINT, settings, number, coin_id=coin_id, **values)
        for number, coin_id in enumerate(largest, start=1)
    ]


SCHEMA = """
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
        parameter("vs_currency").alias("vs_currency"),
        F.col("prices").isNotNull().alias("_has_chart"),
        F.forall(all_but_last, lambda stamp: stamp % DAY_MS == 0).alias("_is_daily"),
        ((F.array_max(stamps) - F.array_min(stamps)) < half_hours).alias("_is_fine"),
        *CARRIED,
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
            positive(F.max("_point.market_caps")).alias("market_cap"),
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


EXPECTATIONS = (
    Expectation("id_missing", "The address names the coin.", "coin_id <> ''", REJECT),
    coingecko.CURRENCY_KNOWN,
    Expectation("chart_missing", "The body has a chart.", "_has_chart", REJECT),
    Expectation(
        "time_impossible",
        "A price has an instant, since 2009 and not after the response.",
        "NOT _has_chart OR (observed_at >= '2009-01-01' AND observed_at < fetched_at + INTERVAL 1 DAY)",
        REJECT,
    ),
    Expectation("price_missing", "An instant has a price.", "NOT _has_chart OR price IS NOT NULL", REJECT),
    coingecko.PRICE_POSSIBLE,
)

SOURCE = Source(
    order=4,
    endpoint=ENDPOINT,
    for_coins=for_coins,
    settings=("history_coins", "history_days", "vs_currency", *coingecko.SETTINGS),
    schema=SCHEMA,
    essential="prices",
    rows=chart_points,
    expectations=EXPECTATIONS,
    targets=(Target(schema.COIN_PRICES, chart_prices, periods),),
)
