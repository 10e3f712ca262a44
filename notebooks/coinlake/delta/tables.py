"""The tables of coinlake.schema as Delta tables: make them, merge into them, ask for version and changes.

Where the lake is a folder or an address, a table stands in <lake>/tables/<schema>/<table> and the catalog
only points there; where the lake is a Unity Catalog volume (/Volumes/...), the catalog keeps the files.
"""

import json
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake.schema import RAW, SCHEMAS, TABLES, Table

# Deletion vectors would save rewriting small files now and then, cost a second look at the list of files at every
# read, and keep out readers that do not know them. Databricks gives them to every new table that does not refuse.
PROPERTIES = {"delta.enableChangeDataFeed": "true", "delta.enableDeletionVectors": "false"}

# A year of hourly runs must not leave thousands of small files. Delta's own autoCompact counts only the files
# that the same process wrote, so that a run an hour never reaches its threshold.
COMPACT_EVERY_VERSIONS = 16

LAKE_OF_CATALOG = "coinlake.lake"


class Commit(NamedTuple):
    """A Delta commit: its version, its operation (WRITE, MERGE, OPTIMIZE ...), and what the operation counted."""

    version: int
    operation: str
    metrics: Mapping[str, str]


class Merged(NamedTuple):
    """What a merge did: rows inserted, rows updated, and the table's Delta version afterwards."""

    inserted: int
    updated: int
    version: int


def ensure(spark: SparkSession, catalog: str, lake_path: str) -> None:
    """Makes the schemas and all tables that are missing, and checks those that exist.

    Quick when everything is there; the folders are the truth, so a catalog that lives in memory, or that
    points to another lake, is filled again from them.
    Raises CoinlakeError if an existing table differs from its description in coinlake.schema.
    """
    lake = runtime.resolve_path(lake_path)
    is_this_lake = _managed(lake) or _lake_of(spark, catalog) == lake
    found = _columns_found(spark, catalog) if is_this_lake else None
    if found is None:
        _create_schemas(spark, catalog)
        missing = [t for t in TABLES if not (is_this_lake and spark.catalog.tableExists(t.qualified(catalog)))]
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(lambda table: _create(spark, catalog, lake, table), missing))
        found = _columns_found(spark, catalog)
        if not _managed(lake):
            spark.sql(f"ALTER SCHEMA {catalog}.{RAW} SET DBPROPERTIES ('{LAKE_OF_CATALOG}' = {_quote(lake)})")
    problems = [problem for table in TABLES for problem in _differences(table, found[table.name])]
    if problems:
        raise _drift(lake, problems)


def read(spark: SparkSession, catalog: str, table: Table) -> DataFrame:
    """The table's rows, columns as coinlake.schema lists them."""
    return spark.table(table.qualified(catalog))


def version(spark: SparkSession, catalog: str, table: Table) -> int:
    """The newest Delta version of the table; 0 when nothing was ever written to it."""
    return newest_commits(spark, catalog, table, 1)[0].version


def newest_commits(spark: SparkSession, catalog: str, table: Table, count: int) -> list[Commit]:
    """The newest commits of the table, so many at most, the newest first.

    Where the lake is a folder of this machine, they are read there: DESCRIBE HISTORY runs a Spark job for what the
    name of a file says.
    Source: Delta Transaction Log Protocol, "Delta Log Entries" and "Commit Provenance Information".
    """
    lake = None if runtime.is_databricks() else _lake_of(spark, catalog)
    log = Path(_location(lake, table), "_delta_log").glob(f"{'[0-9]' * 20}.json") if lake else ()
    entries = sorted(log, reverse=True)[:count]
    if entries:
        return [_commit(entry) for entry in entries]
    history = spark.sql(f"DESCRIBE HISTORY {table.qualified(catalog)} LIMIT {count}")
    return [Commit(*row) for row in history.select("version", "operation", "operationMetrics").collect()]


def merge_changes(
    spark: SparkSession, catalog: str, table: Table, frame: DataFrame, *, where: str | None = None
) -> Merged:
    """Brings `frame` (all columns of the table; any order of columns) into the table by MERGE on its key.

    Rows with a new key are inserted, rows that differ are updated, nothing is deleted, and nothing is
    committed when nothing differs. A table that was never written takes its first rows by an append.
    Where the table has a `rank`, the row of the greatest rank wins, among those of the frame and against the
    one that is stored, so that the order of arrival does not matter; else a key must not repeat in the frame.

    `where` limits the search for stored rows: a SQL condition on the target, as `t`, which every row of the
    frame meets, for example "t.date >= '2026-08-01'". Without it a partitioned table is searched only in the
    partitions that occur in the frame, which costs one more pass over the frame.
    """
    name = table.qualified(catalog)
    source = frame.select(*table.column_names)
    if version(spark, catalog, table) == 0:
        # There are no rows to search, and a MERGE would run a dozen jobs to find that out.
        # An append, because what another stream writes to the table in this moment must stay.
        _best_of_key(table, source).select(*table.column_names).writeTo(name).append()
        return _written(spark, catalog, table)
    partitions = ""
    if where is None and table.partition:
        values = [row[0] for row in source.select(table.partition).distinct().collect()]
        if not values:
            return Merged(0, 0, version(spark, catalog, table))
        partitions = f"{table.partition} IN ({', '.join(_quote(value) for value in sorted(values))})"
        where = f"t.{partitions}"
    where = where or "true"
    changed = _changed_rows(table, _best_of_key(table, source), spark.table(name).alias("t").where(where))
    columns = ", ".join(table.column_names)
    done = spark.sql(
        f"""
        MERGE INTO {name} AS t USING {{changed}} AS s
        ON {" AND ".join(f"t.{key} = s.{key}" for key in table.key)} AND ({where})
        WHEN MATCHED THEN UPDATE SET {", ".join(f"t.{column} = s.{column}" for column in table.column_names)}
        WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({", ".join(f"s.{c}" for c in table.column_names)})
        """,
        changed=changed,
    ).first()
    newest = version(spark, catalog, table)
    if done["num_affected_rows"] and newest % COMPACT_EVERY_VERSIONS == 0:
        spark.sql(f"OPTIMIZE {name} WHERE {partitions}" if partitions else f"OPTIMIZE {name}")
        newest = version(spark, catalog, table)
    return Merged(done["num_inserted_rows"], done["num_updated_rows"], newest)


def replace(
    spark: SparkSession, catalog: str, table: Table, frame: DataFrame, where: Column | None = None
) -> Merged:
    """Puts `frame` in the place of all rows of the table, or of those that meet the condition `where`.

    One commit: a reader sees the old rows or the new ones. `frame` may be computed from the table itself.
    """
    name = table.qualified(catalog)
    rows = frame.select(*table.column_names)
    if table.partition:
        # One file for each partition, instead of one of each task.
        rows = rows.repartition(table.partition)
    rows.writeTo(name).overwrite(F.lit(True) if where is None else where)
    return _written(spark, catalog, table)


def _commit(entry: Path) -> Commit:
    """The commit that an entry of Delta's log, actions as lines of JSON, tells of."""
    with entry.open(encoding="utf-8") as actions:
        info = next(json.loads(action)["commitInfo"] for action in actions if action.startswith('{"commitInfo"'))
    return Commit(int(entry.stem), info["operation"], info["operationMetrics"])


def _written(spark: SparkSession, catalog: str, table: Table) -> Merged:
    """What the newest write to the table did."""
    # Delta may compact small files after a write, which is a commit of its own.
    commits = newest_commits(spark, catalog, table, 2)
    written = next(commit.metrics for commit in commits if commit.operation != "OPTIMIZE")
    # Where no file was written, Delta does not count its rows.
    return Merged(int(written.get("numOutputRows", 0)), 0, commits[0].version)


def _changed_rows(table: Table, source: DataFrame, target: DataFrame) -> DataFrame:
    """The rows of source that the target lacks, or has with other values and no greater rank."""
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
    return (
        source.withColumn("_rank", _rank(table))
        .join(stored, list(table.key), "left")
        .where(F.col("_stored").isNull() | (differs & (F.col("_rank") >= F.col("_stored_rank"))))
        .select(*table.column_names)
    )


def _best_of_key(table: Table, source: DataFrame) -> DataFrame:
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


def _location(lake: str, table: Table) -> str:
    """Where the table's files are, unless the catalog keeps them."""
    return f"{lake}/tables/{table.schema}/{table.name}"


def _managed(lake: str) -> bool:
    return lake.startswith("/Volumes/")


def _lake_of(spark: SparkSession, catalog: str) -> str | None:
    """The lake whose tables the catalog has, as `ensure` noted it there for every session; None if it has none."""
    try:
        described = spark.sql(f"DESCRIBE SCHEMA EXTENDED {catalog}.{RAW}").collect()
    except AnalysisException:
        return None
    properties = next((row["info_value"] for row in described if row["info_name"] == "Properties"), "")
    noted = re.search(rf"\({re.escape(LAKE_OF_CATALOG)},(.*?)\)(?:, \(|\)$)", properties)
    return noted[1] if noted else None


def _columns_found(spark: SparkSession, catalog: str) -> dict[str, list[tuple[str, str, bool]]] | None:
    """Each table's columns (name, type, required) as they exist; None if a table is missing.

    One query over all tables is analysed and never run: one call instead of one for each table.
    """
    structs = ", ".join(f"struct({table.name}.*) AS {table.name}" for table in TABLES)
    names = ", ".join(f"{table.qualified(catalog)} AS {table.name}" for table in TABLES)
    try:
        schema = spark.sql(f"SELECT {structs} FROM {names}").schema
    except PySparkException:
        return None
    return {
        table.name: [
            (field.name, field.dataType.simpleString(), not field.nullable)
            for field in schema[table.name].dataType.fields
        ]
        for table in TABLES
    }


def _differences(table: Table, found: list[tuple[str, str, bool]]) -> Iterable[str]:
    described = {column.name: (_simple(column.type), column.required) for column in table.columns}
    existing = {name: (type_, required) for name, type_, required in found}
    place = f"{table.schema}.{table.name}"
    for name in described.keys() | existing.keys():
        if name not in existing:
            yield f"{place} lacks column {name}"
        elif name not in described:
            yield f"{place} has a column {name} that coinlake.schema does not describe"
        elif described[name] != existing[name]:
            yield f"{place}.{name} is {_words(existing[name])}, not {_words(described[name])}"


def _simple(type_: str) -> str:
    return type_.lower().replace(" ", "")


def _words(column: tuple[str, bool]) -> str:
    return column[0].upper() + (" NOT NULL" if column[1] else "")


def _drift(lake: str, problems: list[str]) -> CoinlakeError:
    return CoinlakeError(
        f"The tables of {lake} are not what coinlake.tables describes: {'; '.join(sorted(problems))}. "
        f"Delete {lake}/tables and {lake}/checkpoints and run the notebooks from 03 on: "
        "all tables are built again from landing/."
    )


def _create_schemas(spark: SparkSession, catalog: str) -> None:
    for schema, comment in SCHEMAS.items():
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {catalog}.{schema} COMMENT {_quote(comment)}")


def _create(spark: SparkSession, catalog: str, lake: str, table: Table) -> None:
    name = table.qualified(catalog)
    if _managed(lake):
        spark.sql(ddl(catalog, table))
        return
    location = _location(lake, table)
    spark.sql(f"DROP TABLE IF EXISTS {name}")
    try:
        spark.sql(ddl(catalog, table, location))
    except PySparkException as refusal:
        if not (refusal.getCondition() or "").startswith("DELTA_CREATE_TABLE_"):
            raise
        # It exists and is not the same to the letter. Other comments do no harm, other rules do.
        spark.sql(f"CREATE TABLE {name} USING delta LOCATION {_quote(location)}")
        properties = spark.sql(f"DESCRIBE DETAIL {name}").first()["properties"]
        enforced = {
            key.removeprefix("delta.constraints."): condition
            for key, condition in properties.items()
            if key.startswith("delta.constraints.")
        }
        if enforced != table.checks:
            problem = f"{table.schema}.{table.name} enforces {enforced}, not {table.checks}"
            raise _drift(lake, [problem]) from None


def ddl(catalog: str, table: Table, location: str | None = None) -> str:
    """The statement that makes the table, rules included, in one commit."""
    columns = ",\n  ".join(
        f"{column.name} {column.type}{' NOT NULL' if column.required else ''} COMMENT {_quote(column.comment)}"
        for column in table.columns
    )
    rules = {f"delta.constraints.{name}": condition for name, condition in table.checks.items()}
    properties = ", ".join(f"{_quote(name)} = {_quote(value)}" for name, value in (PROPERTIES | rules).items())
    return "\n".join(
        (
            f"CREATE TABLE IF NOT EXISTS {table.qualified(catalog)} (\n  {columns}\n) USING delta",
            *([f"PARTITIONED BY ({table.partition})"] if table.partition else []),
            f"COMMENT {_quote(table.comment)}",
            *([f"LOCATION {_quote(location)}"] if location else []),
            f"TBLPROPERTIES ({properties})",
        )
    )


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def versions(spark: SparkSession, catalog: str, of: Iterable[Table]) -> dict[str, int]:
    """The Delta version of each table, by its name; asked for side by side."""
    of = list(of)
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = pool.map(lambda table: version(spark, catalog, table), of)
        return dict(zip((table.name for table in of), found, strict=True))
