"""/coins/categories: what the coins of each category are worth together, such as stablecoins or memes."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.sources import coingecko
from coinlake.sources.columns import CARRIED, number, positive, possible, with_rescued
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="coin_categories",
    group="market",
    root=COINGECKO,
    path="/coins/categories",
    shape=list,
    once_a_day=True,
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """One request a day."""
    return [coingecko.request(ENDPOINT, settings)]


SCHEMA = """
    id STRING, name STRING, market_cap DOUBLE, market_cap_change_24h DOUBLE, content STRING,
    top_3_coins_id ARRAY<STRING>, top_3_coins ARRAY<STRING>, volume_24h DOUBLE, updated_at TIMESTAMP
"""


def coin_categories(records: DataFrame) -> DataFrame:
    """Categories -> rows of coin_categories.

    About every second category comes without market cap, change, volume and updated_at. Answers of 2021 name no
    coins, and for some time only the images of three: then top_3_coins is NULL.
    """
    updated_at = possible("updated_at")
    return with_rescued(records, updated_at=(F.col("updated_at"), updated_at)).select(
        F.col("id").alias("category_id"),
        F.col("fetched_at").alias("snapshot_at"),
        "name",
        positive(number("market_cap")).alias("market_cap"),
        number("market_cap_change_24h").alias("market_cap_change_24h"),
        number("volume_24h").alias("volume_24h"),
        F.col("top_3_coins_id").alias("top_3_coins"),
        updated_at.alias("updated_at"),
        "rescued",
        *CARRIED,
    )


EXPECTATIONS = (
    Expectation("id_missing", "A category has an id.", "category_id <> ''", REJECT),
    Expectation(
        "volume_impossible",
        "A volume, where there is one, is 0 or more.",
        "coalesce(volume_24h >= 0, true)",
        REJECT,
    ),
)

SOURCE = Source(
    endpoint=ENDPOINT,
    requests=requests,
    settings=coingecko.SETTINGS,
    schema=SCHEMA,
    essential="id",
    rows=coin_categories,
    expectations=EXPECTATIONS,
    targets=(Target(schema.COIN_CATEGORIES),),
)
