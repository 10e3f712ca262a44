"""How far gold has read each table: the versions in `gold_progress`, and those that the tables have now."""

from collections.abc import Mapping

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.delta import tables


def read_watermarks(spark: SparkSession, catalog: str) -> dict[str, int]:
    """The versions that gold holds, by name of the table; a table that was never read is not there."""
    rows = tables.read(spark, catalog, schema.GOLD_PROGRESS).collect()
    return {row["table_name"]: row["version"] for row in rows}


def write_watermarks(spark: SparkSession, catalog: str, read: Mapping[str, int]) -> tables.Merged:
    """Says that gold holds these versions now; other tables stay as they are."""
    columns = tables.read(spark, catalog, schema.GOLD_PROGRESS).schema
    frame = spark.createDataFrame(sorted(read.items()), columns)
    return tables.replace(spark, catalog, schema.GOLD_PROGRESS, frame, F.col("table_name").isin(*read))
