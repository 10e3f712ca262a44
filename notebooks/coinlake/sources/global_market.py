"""/global: the whole market at one instant."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.sources import coingecko
from coinlake.sources.columns import CARRIED, finite, instant, with_rescued
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="global", group="market", root=COINGECKO, path="/global", shape=dict, holds=("data", dict)
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """One request a run."""
    return [coingecko.request(ENDPOINT, settings)]


SCHEMA = """
    data STRUCT<active_cryptocurrencies: INT, upcoming_icos: INT, ongoing_icos: INT, ended_icos: INT, markets: INT,
        total_market_cap: MAP<STRING, DOUBLE>, total_volume: MAP<STRING, DOUBLE>,
        market_cap_percentage: MAP<STRING, DOUBLE>, market_cap_change_percentage_24h_usd: DOUBLE,
        volume_change_percentage_24h_usd: DOUBLE, updated_at: BIGINT>
"""


def market_totals(records: DataFrame) -> DataFrame:
    """Bodies of /global -> rows of market_totals."""
    updated_at = instant(F.col("data.updated_at"))
    change = finite("data.market_cap_change_percentage_24h_usd")
    unfit = {"data.updated_at": (F.col("data.updated_at"), updated_at)}
    return with_rescued(records, **unfit).select(
        F.col("fetched_at").alias("snapshot_at"),
        updated_at.alias("updated_at"),
        "data.active_cryptocurrencies",
        "data.markets",
        *(
            F.map_filter(f"data.{name}", lambda _, value: F.abs(value) < float("inf")).alias(name)
            for name in ("total_market_cap", "total_volume", "market_cap_percentage")
        ),
        change.alias("market_cap_change_percentage_24h_usd"),
        "rescued",
        *CARRIED,
    )


EXPECTATIONS = (
    Expectation(
        "totals_missing",
        "The body has market caps, volumes and shares.",
        "total_market_cap IS NOT NULL AND total_volume IS NOT NULL AND market_cap_percentage IS NOT NULL",
        REJECT,
    ),
)

SOURCE = Source(
    order=2,
    endpoint=ENDPOINT,
    requests=requests,
    settings=coingecko.SETTINGS,
    schema=SCHEMA,
    essential="data",
    rows=market_totals,
    expectations=EXPECTATIONS,
    targets=(Target(schema.MARKET_TOTALS),),
)
