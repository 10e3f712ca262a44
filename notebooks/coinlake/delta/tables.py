"""A table of coinlake.schema as it stands in Delta: read, merged into, replaced, asked for its version.

Where the lake is a folder, the table's files are the truth and every statement names them: whatever another
session has told the catalog meanwhile, this lake's rows are read and written. In Unity Catalog the catalog
keeps the files, and statements name the table.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from coinlake import files, runtime
from coinlake.commit_points import commit_point
from coinlake.delta import log
from coinlake.delta.damage import explained
from coinlake.delta.log import Commit
from coinlake.errors import StorageError, damaged_file, rebuilt_by
from coinlake.schema import Table, quoted_name, quoted_text

# A year of hourly runs must not leave thousands of small files. Delta's own autoCompact counts only the files
# that the same process wrote, so that a run an hour never reaches its threshold.
COMPACT_EVERY_VERSIONS = 16

# So many rows that a merge writes, at most, are held once they are computed: then it is known what they are, and
# nothing is computed twice.
MOST_HELD = 50_000
IS_NEW = "_is_new"

EPOCH = datetime(1970, 1, 1)

# How the error begins that a row raises whose key would stand in its table twice.
KEY_TWICE = "[COINLAKE_KEY_TWICE]"


class Detail(NamedTuple):
    """A table as it stands: Delta's id of it, when it was last written (UTC, without a zone), how many files."""

    id: str
    written_at: datetime
    files: int


class Merged(NamedTuple):
    """What a merge did: rows inserted, rows updated, and the table's Delta version afterwards."""

    inserted: int
    updated: int
    version: int


def only_row(frame: DataFrame) -> Row:
    """The row of a statement that always answers with one; raises StorageError if there is none."""
    row = frame.first()
    if row is None:
        raise StorageError("A statement that answers with one row came back without: run the step again.")
    return row


@dataclass(frozen=True)
class DeltaTable:
    """One table of one lakehouse; made by `Lakehouse.table`.

    `folder` is where its files stand, None where the catalog keeps them.
    """

    spark: SparkSession
    catalog: str
    table: Table
    folder: str | None = None

    @property
    def name(self) -> str:
        """How SQL names the table: by its folder, or catalog.schema.table."""
        return self.table.full_name(self.catalog) if self.folder is None else quoted_name("delta", self.folder)

    def read(self, version: int | None = None) -> DataFrame:
        """The table's rows, columns as coinlake.schema lists them: the newest, or as they were at a Delta version.

        In a folder they are read as the Parquet files that the table's log names at this moment: Delta would run
        up to four queries more to learn from Spark what stands there. Who wants to see a later write reads anew.
        Raises StorageError when the folder holds no such table yet, or its newest log entry is cut.
        """
        state = self._state(version)
        if self.folder is None or state is None:
            reader = self.spark.read if version is None else self.spark.read.option("versionAsOf", version)
            return reader.table(self.name)
        if not state.files:
            return self.spark.createDataFrame([], self.table.ddl)
        return self.parquet([file.path for file in state.files], self.folder).select(*self.table.column_names)

    def parquet(self, paths: Iterable[str], below: str, more: str = "") -> DataFrame:
        """The rows of some files of the table below a folder: its columns, and `more`, which is DDL."""
        plain = self.spark.read.schema(self.table.ddl + more).option("basePath", below)
        return plain.parquet(*map(files.escape_glob, paths))

    def collected(self) -> list[dict[str, Any]]:
        """All rows of a table that has few, as they are at this moment; in a folder Spark is not asked.

        Instants are in UTC, without a zone.
        """
        state = self._state()
        if state is None or self.table.partition:
            return [row.asDict() for row in self.read().select(*self.table.column_names).collect()]
        # A file that was written before a column was added does not have it.
        found = (pq.read_table(file.path, coerce_int96_timestamp_unit="us").to_pylist() for file in state.files)
        return [{name: row.get(name) for name in self.table.column_names} for rows in found for row in rows]

    def collected_since(self, column: str, instant: datetime) -> list[dict[str, Any]]:
        """The rows whose `column` is this instant, which is UTC without a zone, or later; for few rows of many.

        In a folder Spark is not asked, and of a table in monthly partitions only those months are read.
        """
        state = self._state()
        if state is None:
            return [row.asDict() for row in self.read().where(F.col(column) >= F.lit(instant)).collect()]
        rows = []
        for file in state.files:
            month = Path(file.path).parent.name.partition("=")[2]
            if self.table.partition and month < f"{instant:%Y-%m}":
                continue
            late = pc.field(column) >= instant
            found = pq.read_table(file.path, filters=late, coerce_int96_timestamp_unit="us", partitioning=None)
            own = {self.table.partition: month} if self.table.partition else {}
            rows += [
                {name: (row | own).get(name) for name in self.table.column_names} for row in found.to_pylist()
            ]
        return rows

    def rows(self, version: int | None = None) -> int:
        """How many rows the table has, or had at a version. Delta knows without reading any."""
        state = self._state(version)
        return self.read(version).count() if state is None else sum(file.rows for file in state.files)

    def schema(self) -> StructType:
        """The columns that the table has, as it stands."""
        state = self._state()
        if state is None:
            return self.spark.read.table(self.name).schema
        return StructType.fromJson(json.loads(state.schema))

    def properties(self) -> dict[str, str]:
        """The properties that the table has, its rules among them."""
        state = self._state()
        return dict(self._detail()["properties"] if state is None else state.properties)

    def _state(self, version: int | None = None) -> log.State | None:
        """The table as its log has it; None where that is not to be read here."""
        if self.folder is None:
            return None
        self._require_there(self.folder)
        # Through a server a cut entry would be met only when the rows are asked for.
        self.newest_commits(1)
        with self._log_is_whole():
            state = log.state(self.folder, version)
        if state and not all(Path(file.path).exists() for file in state.files):
            lake = str(Path(self.folder).parents[2])
            raise StorageError(damaged_file(lake, self.table.schema, self.table.name))
        return state

    def _require_there(self, folder: str) -> None:
        if not Path(folder, "_delta_log").is_dir():
            raise StorageError(
                f"There is no table {self.table.qualified_name} in {folder}. Run notebook 00_setup with this "
                "lake_path, then the notebooks that fill the table."
            )

    def detail(self) -> Detail:
        """The newest state of the table in a few words; in a folder Spark is not asked."""
        state = self._state()
        if state is None:
            described = self._detail()
            return Detail(described["id"], described["lastModified"], described["numFiles"])
        return Detail(state.id, EPOCH + timedelta(milliseconds=self.newest_commits(1)[0].at), len(state.files))

    def _detail(self) -> Row:
        return only_row(self.spark.sql(f"DESCRIBE DETAIL {self.name}"))

    def id(self) -> str:
        """Delta's id of the table: one that was made anew, at the same place and of the same name, has another.

        Where the lake is a folder, it is read there, as in `newest_commits`.
        Source: Delta Transaction Log Protocol, "Change Metadata".
        """
        for entry in log.entries(self.folder)[:1] if self.folder else ():
            try:
                for action in map(json.loads, entry.read_text(encoding="utf-8").splitlines()):
                    if "metaData" in action:
                        return str(action["metaData"]["id"])
            except ValueError:
                raise self._damaged("the oldest entry of its log is cut or overwritten") from None
        # The log begins later where its oldest entries were cleaned up.
        return str(self._detail()["id"])

    def version(self) -> int:
        """The newest Delta version of the table; 0 when nothing was ever written to it."""
        return self.newest_commits(1)[0].version

    def newest_commits(self, count: int) -> list[Commit]:
        """The newest commits of the table, so many at most, the newest first.

        Where the lake is a folder, they are read there: DESCRIBE HISTORY runs a Spark job for what the name of a
        file says.
        Source: Delta Transaction Log Protocol, "Delta Log Entries" and "Commit Provenance Information".
        """
        entries = log.entries(self.folder)[: -count - 1 : -1] if self.folder else ()
        if entries:
            with self._log_is_whole():
                return [log.commit(entry) for entry in entries]
        history = self.spark.sql(f"DESCRIBE HISTORY {self.name} LIMIT {count}")
        columns = ("version", "operation", "operationMetrics", "unix_millis(timestamp)")
        return [Commit(*row) for row in history.selectExpr(*columns).collect()]

    @contextmanager
    def _log_is_whole(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, IndexError, StopIteration):
            raise self._damaged("the newest entries of its log are cut or overwritten") from None

    def merge(self, frame: DataFrame, *, where: str | None = None) -> Merged:
        """Upserts `frame` (all columns of the table; any order of columns) into the table by MERGE on its key.

        Rows with a new key are inserted, rows that differ are updated, nothing is deleted, and nothing is
        committed when nothing differs: it is idempotent. A table that was never written takes its first rows by
        an append. Where the table has a `rank`, the row of the greatest rank wins, among those of the frame and
        against the one that is stored, so that the order of arrival does not matter; else a key must not repeat
        in the frame.

        `where` limits the search for stored rows: a SQL condition on the target, as `t`, which every row of the
        frame meets, for example "t.date >= '2026-08-01'". Without it a partitioned table is searched only in the
        partitions that occur in the frame, which costs one more pass over the frame.

        Raises StorageError, and writes nothing, where a key would come to stand in the table twice: two rows of
        the frame have it, or two that are stored, or a row does not meet `where`, so that nobody looked for it.
        """
        with self._keys_once(), explained(), self._alone() as is_alone:
            return self._merge(frame.select(*self.table.column_names), where, is_alone)

    def _merge(self, source: DataFrame, where: str | None, is_alone: bool) -> Merged:
        table = self.table
        if self.version() == 0:
            # There are no rows to search, and a MERGE would run a dozen jobs to find that out.
            # An append, because what another stream writes to the table in this moment must stay.
            self._append(keys_once(table, best_of_key(table, source).select(*table.column_names)))
            return self._written()
        partitions = ""
        if where is None and table.partition:
            values = [row[0] for row in source.select(table.partition).distinct().collect()]
            if not values:
                return Merged(0, 0, self.version())
            partitions = f"{table.partition} IN ({', '.join(quoted_text(value) for value in sorted(values))})"
            where = f"t.{partitions}"
        where = where or "true"
        changed = _changed_rows(table, best_of_key(table, source), self.read().alias("t").where(where))
        changed = keys_once(table, changed, where)
        held = changed.limit(MOST_HELD + 1).toArrow()
        if not held.num_rows:
            return Merged(0, 0, self.version())
        if held.num_rows > MOST_HELD:
            self._let_delta_hold()
            inserted, updated = self._upsert(changed.drop(IS_NEW), where)
        else:
            rows = self.spark.createDataFrame(held.drop_columns([IS_NEW]), table.ddl)
            if is_alone and pc.all(held[IS_NEW]).as_py():
                self._append(rows)
                inserted, updated = held.num_rows, 0
            else:
                inserted, updated = self._upsert(rows, where)
        newest = self.version()
        if inserted + updated and newest % COMPACT_EVERY_VERSIONS == 0:
            with commit_point(f"optimize {table.qualified_name}"):
                self.spark.sql(
                    f"OPTIMIZE {self.name} WHERE {partitions}" if partitions else f"OPTIMIZE {self.name}"
                )
            newest = self.version()
        return Merged(inserted, updated, newest)

    def _has_none(self, where: Column | None) -> bool:
        """Whether no stored row meets the condition; whether there is none at all."""
        return not self.rows() or (where is not None and self.read().where(where).isEmpty())

    def _append(self, rows: DataFrame) -> None:
        with commit_point(f"append {self.table.qualified_name}"):
            rows.writeTo(self.name).append()

    def _upsert(self, changed: DataFrame, where: str) -> tuple[int, int]:
        """Runs the MERGE of rows that are new or differ; how many were inserted, and updated."""
        table = self.table
        columns = ", ".join(table.column_names)
        # Spark puts the frame in the place of its name in braces, and takes any others for names, too.
        statement = f"""
            MERGE INTO {_in_format(self.name)} AS t USING {{changed}} AS s
            ON {" AND ".join(f"t.{key} = s.{key}" for key in table.key)} AND ({_in_format(where)})
            WHEN MATCHED THEN UPDATE SET {", ".join(f"t.{column} = s.{column}" for column in table.column_names)}
            WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({", ".join(f"s.{c}" for c in table.column_names)})
            """
        with commit_point(f"merge {table.qualified_name}"):
            done = only_row(self.spark.sql(statement, changed=changed))
        return done["num_inserted_rows"], done["num_updated_rows"]

    def _let_delta_hold(self) -> None:
        """From here on Delta keeps what a MERGE reads while it runs, in this session too.

        For good: the setting is the session's, and other threads of it may be merging.
        """
        if not runtime.is_databricks():
            self.spark.conf.set("spark.databricks.delta.merge.materializeSource", "auto")

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Within the block nobody else merges into this table, as far as its place knows locks; whether it does.

        Delta lets one append beside another; which keys are new must not change between being asked and written.
        """
        if self.folder is None:
            yield False
            return
        self._require_there(self.folder)
        place = os.open(Path(self.folder, "_delta_log"), os.O_RDONLY)
        try:
            try:
                fcntl.flock(place, fcntl.LOCK_EX)
            except OSError:
                # A file system of the network may know no locks.
                yield False
            else:
                yield True
        finally:
            os.close(place)

    def replace(self, frame: DataFrame, where: Column | None = None) -> Merged:
        """Puts `frame` in the place of all rows of the table, or of those that meet the condition `where`.

        One commit: a reader sees the old rows or the new ones. `frame` may be computed from the table itself.
        Raises StorageError, and writes nothing, where the frame has a key twice.
        """
        rows = keys_once(self.table, frame.select(*self.table.column_names))
        if self.table.partition:
            # One file for each partition, instead of one of each task.
            rows = rows.repartition(self.table.partition)
        with self._keys_once(), explained(), self._alone() as is_alone:
            if is_alone and self._has_none(where):
                # Nothing is to be replaced, which Delta would learn with more work.
                self._append(rows)
            else:
                with commit_point(f"replace {self.table.qualified_name}"):
                    rows.writeTo(self.name).overwrite(F.lit(True) if where is None else where)
        return self._written()

    def _written(self) -> Merged:
        """What the newest write to the table did."""
        # Delta may compact small files after a write, which is a commit of its own.
        commits = self.newest_commits(2)
        written = next(commit.metrics for commit in commits if commit.operation != "OPTIMIZE")
        # Where no file was written, Delta does not count its rows.
        return Merged(int(written.get("numOutputRows", 0)), 0, commits[0].version)

    @contextmanager
    def _keys_once(self) -> Iterator[None]:
        """Turns what a row of `keys_once` raises into an error with the table's name and what to do."""
        try:
            yield
        except Exception as problem:
            found = re.search(rf"{re.escape(KEY_TWICE)} (\{{.*?\}}) (.*?)\.", str(problem))
            if not found:
                raise
            raise StorageError(
                f"{self.table.qualified_name}: the key {found[1]} {found[2]}. Nothing was written. To make the "
                f"table again: {self._rebuilt_by()}"
            ) from None

    def _damaged(self, what: str) -> StorageError:
        return StorageError(
            f"{self.table.qualified_name}: {what}. Nothing is lost, the table can be made again: "
            f"{self._rebuilt_by()}"
        )

    def _rebuilt_by(self) -> str:
        """What makes the table again."""
        if self.folder is None:
            return "drop it, empty gold_progress, and run the notebooks from 03 on"
        return rebuilt_by(str(Path(self.folder).parents[2]), self.table.schema)


def versions(of: Iterable[DeltaTable]) -> dict[str, int]:
    """The Delta version of each table, by its name; asked for side by side."""
    return {name: commit.version for name, commit in newest_commit_of_each(of).items()}


def newest_commit_of_each(of: Iterable[DeltaTable]) -> dict[str, Commit]:
    """The newest commit of each table, by its name; asked for side by side."""
    of = list(of)
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda stored: stored.newest_commits(1)[0], of)
        return dict(zip((stored.table.name for stored in of), found, strict=True))


def _changed_rows(table: Table, source: DataFrame, target: DataFrame) -> DataFrame:
    """The rows of source that the target lacks, or has with other values and no greater rank.

    `_is_new` says which.
    """
    values = [column for column in table.columns if column.name not in table.key]
    stored = target.select(
        *table.key,
        F.struct(*(column.name for column in values)).alias("_stored"),
        _rank(table).alias("_stored_rank"),
    )
    differs = F.lit(False)
    for column in values:
        mine, theirs = F.col(column.name), F.col("_stored")[column.name]
        if column.type.startswith("MAP"):
            mine, theirs = (F.array_sort(F.map_entries(side)) for side in (mine, theirs))
        differs = differs | ~mine.eqNullSafe(theirs)
    # The rows come by key already, or must do so for `keys_once`: to send the stored ones around is one more job.
    return (
        source.withColumn("_rank", _rank(table))
        .join(stored.hint("merge"), list(table.key), "left")
        .where(F.col("_stored").isNull() | (differs & (F.col("_rank") >= F.col("_stored_rank"))))
        .select(*table.column_names, F.col("_stored").isNull().alias(IS_NEW))
    )


def keys_once(table: Table, rows: DataFrame, where: str = "true") -> DataFrame:
    """The rows; to compute one of them raises an error where its key is there twice, or it does not meet `where`.

    It is part of the query that writes, as a window over what is written, and costs no Spark job of its own.
    What it proves: the rows of a table that meet `where` are all that can have the keys of these rows, as long
    as `where` speaks of the key, or of a partition that follows from it; so a key that is once among the rows,
    each of which was joined with all stored rows of its key, is once in the table when they are merged.
    """
    key = F.to_json(F.struct(*table.key))
    twice = F.count("*").over(Window.partitionBy(*table.key)) > 1
    unsearched = ~F.coalesce(F.expr(where), F.lit(False))
    problem = F.when(twice, F.concat(F.lit(f"{KEY_TWICE} "), key, F.lit(" is there more than once."))).when(
        unsearched, F.concat(F.lit(f"{KEY_TWICE} "), key, F.lit(" is outside of what was searched for it."))
    )
    return (
        rows.alias("t")
        .withColumn("_problem", problem)
        .where(
            F.when(F.col("_problem").isNull(), True).otherwise(F.raise_error(F.col("_problem")).cast("boolean"))
        )
        .select(*rows.columns)
    )


def _in_format(text: str) -> str:
    """A text as it stands in a format string."""
    return text.replace("{", "{{").replace("}", "}}")


def best_of_key(table: Table, source: DataFrame) -> DataFrame:
    """The row of the greatest rank of each key; all rows where the table has no rank."""
    if not table.rank:
        return source
    # Two rows of one file may tie: their content decides then, so that it is the same row every time.
    content = F.xxhash64(*(column.name for column in table.columns if not column.type.startswith("MAP")))
    best_first = Window.partitionBy(*table.key).orderBy(_rank(table).desc(), content)
    return source.withColumn("_place", F.row_number().over(best_first)).where("_place = 1").drop("_place")


def _rank(table: Table) -> Column:
    """What rows of a key are compared by; the same for all where the table has no rank."""
    return F.struct(*(F.expr(part).alias(f"r{place}") for place, part in enumerate(table.rank or ("0",))))
