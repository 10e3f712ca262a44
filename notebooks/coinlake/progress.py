"""How far gold has read each table: the versions in `gold_progress`, and those that the tables have now."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from coinlake import storage, tables
from coinlake.tables import Table


def versions(spark: SparkSession, catalog: str, of: Iterable[Table]) -> dict[str, int]:
    """The Delta version of each table, by its name; asked for side by side."""
    of = list(of)
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda table: storage.version(spark, catalog, table), of)
        return dict(zip((table.name for table in of), found, strict=True))


def held(spark: SparkSession, catalog: str) -> dict[str, int]:
    """The versions that gold holds, by name of the table; a table that was never read is not there."""
    rows = storage.read(spark, catalog, tables.GOLD_PROGRESS).collect()
    return {row["table_name"]: row["version"] for row in rows}


def hold(spark: SparkSession, catalog: str, read: Mapping[str, int]) -> storage.Merged:
    """Says that gold holds these versions now; other tables stay as they are."""
    schema = storage.read(spark, catalog, tables.GOLD_PROGRESS).schema
    frame = spark.createDataFrame(sorted(read.items()), schema)
    return storage.replace(spark, catalog, tables.GOLD_PROGRESS, frame, F.col("table_name").isin(*read))


def changes(spark: SparkSession, catalog: str, table: Table, since: int) -> DataFrame:
    """The rows that were inserted or updated after version `since`, with their `_commit_version`.

    A row that was written more than once stands there as each of these commits left it.
    """
    feed = storage.changes_since(spark, catalog, table, since)
    return feed.where("_change_type IN ('insert', 'update_postimage')")


def newest_changes(spark: SparkSession, catalog: str, table: Table, since: int) -> DataFrame:
    """The rows that were inserted or updated after version `since`, once each, as they are now."""
    newest_first = Window.partitionBy(*table.key).orderBy(F.desc("_commit_version"))
    return (
        changes(spark, catalog, table, since)
        .withColumn("_age", F.row_number().over(newest_first))
        .where("_age = 1")
        .select(*table.column_names)
    )
