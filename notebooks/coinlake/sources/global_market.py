"""/global: the whole market at one instant."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.sources import coingecko
from coinlake.sources.columns import CARRIED, rescued
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
        rescued().alias("rescued"),
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
