"""Delta's Change Data Feed: the rows of a table that were written after a version."""

from collections.abc import Callable
from functools import reduce
from typing import TypeVar

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from coinlake.delta import log
from coinlake.delta.tables import DeltaTable
from coinlake.errors import StorageError

T = TypeVar("T")

# So many groups of files a feed is read from at most by itself.
FEW = 48

# What Delta or Spark says when the feed does not reach back to a version: files or log entries are gone (VACUUM,
# retention), or the feed was off for a while.
GONE = (
    "FAILED_READ_FILE.FILE_NOT_EXIST",
    "DELTA_CHANGE_DATA_FILE_NOT_FOUND",
    "DELTA_CHANGE_TABLE_FEED_DISABLED",
    "DELTA_MISSING_CHANGE_DATA",
    "DELTA_VERSIONS_NOT_CONTIGUOUS",
    "DELTA_VERSION_NOT_FOUND",
)


def _is_gone(problem: Exception) -> bool:
    """Whether an error of reading a feed says that it no longer reaches back so far.

    The class tells nothing: what PySpark raises over Connect is a Py4JJavaError in a session of its own.
    """
    return any(f"[{condition}]" in str(problem) for condition in GONE)


def unless_gone(read: Callable[[], T]) -> T | None:
    """What `read` reads of a change feed; None where the feed no longer reaches back so far.

    Whoever gets None takes everything instead.
    """
    try:
        return read()
    except Exception as problem:
        if not _is_gone(problem):
            raise
        return None


def changes_since(stored: DeltaTable, since: int, until: int | None = None) -> DataFrame:
    """The rows written to the table after Delta version `since` (-1: all), from its Change Data Feed.

    Up to the version `until`, or to the newest one of this moment: what is written later is not read.

    Columns: the table's, _change_type (insert, update_preimage, update_postimage, delete), _commit_version.
    Empty when nothing was written since. In a folder the files that the log names are read, as far as they are
    few; Delta would run two queries more to find them.
    Raises StorageError when the table is younger than `since`: it was made anew.
    """
    newest = stored.version() if until is None else until
    if since > newest:
        raise StorageError(
            f"{stored.table.qualified_name} is at version {newest}, but its changes were read up to {since}: "
            "the table was made anew. Delete the row of this table from gold_progress and run again."
        )
    columns = [*stored.table.column_names, "_change_type", "_commit_version"]
    found = log.changed_files(stored.folder, since, newest) if stored.folder else None
    if since == newest or found == []:
        nothing = f"{stored.table.ddl}, _change_type STRING, _commit_version BIGINT"
        return stored.spark.createDataFrame([], nothing)
    if found and len(found) <= FEW:
        return reduce(DataFrame.union, (_of_files(stored, changed).select(*columns) for changed in found))
    feed = stored.spark.read.option("readChangeFeed", "true").option("endingVersion", newest)
    return feed.option("startingVersion", since + 1).table(stored.name).select(*columns)


def _of_files(stored: DeltaTable, changed: log.ChangedFiles) -> DataFrame:
    """The rows of a commit's files, with what became of them."""
    version = F.lit(changed.version).cast("bigint").alias("_commit_version")
    if changed.kind == log.CDC:
        folder = f"{stored.folder}/{log.CHANGE_FILES}"
        return stored.parquet(changed.paths, folder, ", _change_type STRING").withColumn(
            "_commit_version", version
        )
    rows = stored.parquet(changed.paths, str(stored.folder))
    return rows.withColumn("_change_type", F.lit(changed.kind)).withColumn("_commit_version", version)


def changed_rows(stored: DeltaTable, since: int, until: int | None = None) -> DataFrame:
    """The rows that were inserted or updated after version `since`, up to `until`, with their `_commit_version`.

    A row that was written more than once stands there as each of these commits left it.
    """
    return changes_since(stored, since, until).where("_change_type IN ('insert', 'update_postimage')")


def newest_changed_rows(stored: DeltaTable, since: int, until: int | None = None) -> DataFrame:
    """The rows that were inserted or updated after version `since`, once each, as they are at version `until`."""
    newest_first = Window.partitionBy(*stored.table.key).orderBy(F.desc("_commit_version"))
    return (
        changed_rows(stored, since, until)
        .withColumn("_age", F.row_number().over(newest_first))
        .where("_age = 1")
        .select(*stored.table.column_names)
    )
