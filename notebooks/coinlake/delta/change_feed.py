"""Delta's Change Data Feed: the rows of a table that were written after a version."""

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from coinlake.delta.tables import version
from coinlake.errors import CoinlakeError
from coinlake.schema import Table


def changes_since(spark: SparkSession, catalog: str, table: Table, since: int) -> DataFrame:
    """The rows written to the table after Delta version `since` (-1: all), from its Change Data Feed.

    Columns: the table's, _change_type (insert, update_preimage, update_postimage, delete), _commit_version,
    _commit_timestamp. Empty when nothing was written since.
    Raises CoinlakeError when the table is younger than `since`: it was made anew.
    """
    newest = version(spark, catalog, table)
    if since > newest:
        raise CoinlakeError(
            f"{table.schema}.{table.name} is at version {newest}, but its changes were read up to {since}: "
            "the table was made anew. Delete the row of this table from gold_progress and run again."
        )
    feed = (
        spark.read.option("readChangeFeed", "true")
        .option("startingVersion", min(since + 1, newest))
        .table(table.qualified(catalog))
    )
    return feed if since < newest else feed.where("false")


def changed_rows(spark: SparkSession, catalog: str, table: Table, since: int) -> DataFrame:
    """The rows that were inserted or updated after version `since`, with their `_commit_version`.

    A row that was written more than once stands there as each of these commits left it.
    """
    feed = changes_since(spark, catalog, table, since)
    return feed.where("_change_type IN ('insert', 'update_postimage')")


def newest_changed_rows(spark: SparkSession, catalog: str, table: Table, since: int) -> DataFrame:
    """The rows that were inserted or updated after version `since`, once each, as they are now."""
    newest_first = Window.partitionBy(*table.key).orderBy(F.desc("_commit_version"))
    return (
        changed_rows(spark, catalog, table, since)
        .withColumn("_age", F.row_number().over(newest_first))
        .where("_age = 1")
        .select(*table.column_names)
    )
