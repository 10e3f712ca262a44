"""Watermarks: up to which version a reader has read each table that it reads; rows of `gold_progress`."""

from collections.abc import Mapping

from pyspark.sql import functions as F

from coinlake.delta.tables import DeltaTable, Merged


def read_watermarks(watermarks: DeltaTable) -> dict[str, int]:
    """The versions that were read, by name of the table; a table that was never read is not there."""
    return {row["table_name"]: row["version"] for row in watermarks.read().collect()}


def write_watermarks(watermarks: DeltaTable, read: Mapping[str, int]) -> Merged:
    """Says that these versions are read now; other tables stay as they are."""
    frame = watermarks.spark.createDataFrame(sorted(read.items()), watermarks.read().schema)
    return watermarks.replace(frame, F.col("table_name").isin(*read))
