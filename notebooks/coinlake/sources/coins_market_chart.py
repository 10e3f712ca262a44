"""/coins/{id}/market_chart: the price of one coin over time, daily for a year back, hourly for less."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.errors import ConfigurationError
from coinlake.sources import coingecko
from coinlake.sources.columns import (
    CARRIED,
    LATEST_SECONDS,
    finite,
    instant,
    month,
    parameter,
    periods,
    plain_number,
    positive,
)
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


SERIES = ("prices", "market_caps", "total_volumes")


def is_possible(stamp: Column) -> Column:
    """Whether a stamp, in Unix milliseconds, is an instant between 1970 and 2100."""
    return stamp.between(0, LATEST_SECONDS * 1000)


def odd_pairs(name: str) -> Column:
    """ARRAY<ARRAY<DOUBLE>>: a series that one odd value made unreadable; what is no number in it is NULL."""
    pairs = F.from_json(F.col("_odd")[name], "array<string>")
    return F.transform(pairs, lambda pair: F.transform(F.from_json(pair, "array<string>"), plain_number))


def chart_points(records: DataFrame) -> DataFrame:
    """Charts -> one row for each instant: the columns of coin_prices, and _stamp (Unix ms), _is_fine, _has_chart.

    The three series are joined on time, because they may differ in length. A chart is daily when all its points
    but the last are stamped 00:00; its last point, stamped otherwise, is "now" and no end of a day: it is left
    out. Any other point belongs to the hour that its stamp is in. _is_fine: points are minutes apart, not hours.
    """

    no_number, no_text = F.lit(None).cast("double"), F.lit(None).cast("string")

    def point(body: Column, stamp: Column, **values: Column) -> Column:
        numbers = (values.get(name, no_number).alias(name) for name in SERIES)
        return F.struct(body.alias("body"), stamp.alias("stamp"), *numbers)

    def series(pairs: Column, name: str) -> Column:
        return F.transform(
            pairs, lambda pair: point(no_text, F.get(pair, F.lit(0)), **{name: F.get(pair, F.lit(1))})
        )

    pairs = {name: F.coalesce(name, odd_pairs(name)) for name in SERIES}
    prices = pairs["prices"]
    stamps = F.filter(F.transform(prices, lambda pair: F.get(pair, F.lit(0))), is_possible)
    all_but_last = F.slice(stamps, 1, F.greatest(F.size(stamps) - 1, F.lit(1)))
    none = F.array().cast("array<array<double>>")
    points = F.concat(*(series(F.coalesce(pairs[name], none), name) for name in SERIES))
    # A body that is rejected whole is one point without a time. It must not ride along with each of its points.
    is_whole = (F.size("_body_reasons") > 0) | prices.isNull()
    body = F.array(point(F.col("_record"), no_number))
    # As LONG: two months of hourly points are more milliseconds than an INT holds.
    half_hours = (F.size(stamps).cast("long") - 1) * HALF_HOUR_MS
    charts = records.select(
        F.nullif(F.try_url_decode(F.regexp_extract("_url", "/coins/([^/?]+)/market_chart", 1)), F.lit("")).alias(
            "coin_id"
        ),
        parameter("vs_currency").alias("vs_currency"),
        prices.isNotNull().alias("_has_chart"),
        F.forall(all_but_last, lambda stamp: stamp % DAY_MS == 0).alias("_is_daily"),
        ((F.array_max(stamps) - F.array_min(stamps)) < half_hours).alias("_is_fine"),
        *CARRIED,
        F.when(is_whole, body).otherwise(points).alias("_points"),
    ).drop("_record")
    keys = [name for name in charts.columns if name != "_points"]
    joined = (
        charts.withColumn("_point", F.explode("_points"))
        .withColumn("_stamp", F.col("_point.stamp"))
        .groupBy(*keys, "_stamp")
        .agg(
            F.max("_point.prices").alias("price"),
            positive(F.max("_point.market_caps")).alias("market_cap"),
            finite(F.max("_point.total_volumes")).alias("total_volume"),
            F.max("_point.body").alias("_body"),
        )
    )
    time = instant(F.col("_stamp") / 1000)
    is_now = F.col("_is_daily") & is_possible(F.col("_stamp")) & (F.col("_stamp") % DAY_MS != 0)
    return (
        joined.where(~F.coalesce(is_now, F.lit(False)))
        .withColumn("observed_at", F.when(F.col("_is_daily"), time).otherwise(F.date_trunc("hour", time)))
        .withColumn("granularity", F.when(F.col("_is_daily"), "daily").otherwise("hourly"))
        .withColumn("period", F.date_format("observed_at", "yyyy"))
        .withColumn("period", F.when(F.col("_is_daily"), F.col("period")).otherwise(month("observed_at")))
        .withColumn("source", F.lit("market_chart"))
        .withColumn(
            "_record",
            F.coalesce(
                "_body",
                F.to_json(
                    F.struct(
                        F.when(F.abs("_stamp") < 1e18, F.col("_stamp")).cast("long").alias("time"),
                        F.when(~(F.abs("_stamp") < 1e18), F.col("_stamp")).alias("time_as_sent"),
                        "price",
                        "market_cap",
                        "total_volume",
                    )
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
    coingecko.ID_TOO_LONG,
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
