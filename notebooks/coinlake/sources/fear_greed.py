"""The Crypto Fear & Greed Index of alternative.me: the mood of the market, one number a day."""

from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import api, schema
from coinlake.api import Endpoint, Request
from coinlake.sources.columns import CARRIED, each, finite, fits, instant, whole
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="fear_greed",
    group="context",
    root="https://api.alternative.me",
    path="/fng/",
    query={"limit": "{limit}"},
    shape=dict,
    holds=("data", list),
    once_a_day=True,
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """The whole history in one request."""
    return [Request(ENDPOINT, 1, api.request_url(ENDPOINT, limit=settings.history_days + 1))]


SCHEMA = """
    name STRING, metadata STRUCT<error: STRING>,
    data ARRAY<STRUCT<value: STRING, value_classification: STRING, timestamp: STRING, time_until_update: STRING>>
"""


def fear_greed(records: DataFrame) -> DataFrame:
    """Answers of alternative.me -> rows of fear_greed; all its values are texts."""
    return each(records, F.col("data")).select(
        instant(finite(F.col("_element.timestamp").try_cast("double"))).cast("date").alias("date"),
        whole(F.col("_element.value").try_cast("double")).alias("value"),
        F.col("_element.value_classification").alias("classification"),
        *CARRIED,
    )


EXPECTATIONS = (
    Expectation("date_missing", "A value has a day.", "date IS NOT NULL", REJECT),
    Expectation("value_impossible", "A value is between 0 and 100.", "value BETWEEN 0 AND 100", REJECT),
    Expectation("label_missing", "A value has a label.", "classification <> ''", REJECT),
    Expectation(
        "label_too_long",
        f"A label has at most {schema.LONGEST_LABEL} letters.",
        f"classification IS NULL OR {fits('classification', schema.LONGEST_LABEL)}",
        REJECT,
    ),
)

SOURCE = Source(
    endpoint=ENDPOINT,
    requests=requests,
    settings=("history_days",),
    schema=SCHEMA,
    essential="data",
    rows=fear_greed,
    expectations=EXPECTATIONS,
    targets=(Target(schema.FEAR_GREED),),
)
