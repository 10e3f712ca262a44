"""/coins/list: every coin that CoinGecko knows, with its symbol and name."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.api import COINGECKO, Endpoint, Request
from coinlake.sources import coingecko
from coinlake.sources.columns import CARRIED, short
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="coins_list", group="market", root=COINGECKO, path="/coins/list", shape=list, once_a_day=True
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """One request a day."""
    return [coingecko.request(ENDPOINT, settings)]


SCHEMA = "id STRING, symbol STRING, name STRING, platforms MAP<STRING, STRING>"


def listed_coins(records: DataFrame) -> DataFrame:
    """Entries of /coins/list -> rows of coin_list, as if each list were the first and the newest."""
    return records.select(
        F.col("id").alias("coin_id"),
        short("symbol", schema.LONGEST_SYMBOL).alias("symbol"),
        short("name", schema.LONGEST_NAME).alias("name"),
        F.col("fetched_at").alias("first_listed_at"),
        F.col("fetched_at").alias("last_listed_at"),
        *CARRIED,
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


EXPECTATIONS = (
    Expectation("id_missing", "A coin has an id.", "coin_id <> ''", REJECT),
    coingecko.ID_TOO_LONG,
)

SOURCE = Source(
    order=3,
    endpoint=ENDPOINT,
    requests=requests,
    settings=coingecko.SETTINGS,
    schema=SCHEMA,
    essential="id",
    rows=listed_coins,
    expectations=EXPECTATIONS,
    targets=(Target(schema.COIN_LIST, with_stored=coins_ever_listed),),
)
