"""One lakehouse: the session, the catalog and the place of everything, made once and checked to fit.

    lake = Lakehouse.create(catalog, lake_path)     whoever writes: makes what is missing
    lake = Lakehouse.open(catalog, lake_path)       whoever reads: changes nothing
    lake.name_tables()                              whoever writes SQL by hand: schema.table means this lake now

Where the lake is a folder, a table stands in <lake>/tables/<schema>/<table>, and the catalog, which lives in
the memory of a session, only points there. Where the lake is a volume of Unity Catalog, which is
/Volumes/<catalog>/<schema>/<volume>, the catalog keeps the tables' files, and what it has is made and checked
there. coinlake.files knows which of both a path is.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql.types import StructField, StructType

from coinlake import delta, files, runtime
from coinlake.commit_points import commit_point
from coinlake.delta import DeltaTable
from coinlake.errors import ConfigurationError, StorageError
from coinlake.schema import CLEANED, RAW, SCHEMAS, TABLES, Table, quoted_name, quoted_text

NOTED = "coinlake.lake"  # the property of the schema raw_data that says which lake its catalog points to
NOT_THERE = {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"}


@dataclass(frozen=True)
class Lakehouse:
    """Session, catalog and place; `create` and `open` check that they fit, the bare constructor does not.

    `path` is the absolute folder of everything generated.
    """

    spark: SparkSession
    catalog: str
    path: str

    @classmethod
    def open(cls, catalog: str, lake_path: str, spark: SparkSession | None = None) -> "Lakehouse":
        """The lakehouse for reading: no schema and no table is made.

        Raises ConfigurationError when catalog and place do not fit, StorageError when a table's newest log entry
        is cut.
        """
        lake = cls._at(catalog, lake_path, spark)
        lake._refuse_damage()
        return lake

    @classmethod
    def create(cls, catalog: str, lake_path: str, spark: SparkSession | None = None) -> "Lakehouse":
        """The lakehouse for writing: schemas and tables that are missing are made, those that exist are checked.

        Quick when everything is there: in a folder Spark is asked nothing. Raises what `open` raises, and
        StorageError if an existing table differs from its description in coinlake.schema, or the catalog holds
        tables of somebody else under the names of those that are to be made.
        """
        lake = cls._at(catalog, lake_path, spark)
        lake._refuse_damage()
        found = lake._columns_found()
        if found is None:
            if lake.is_managed:
                lake._make_schemas()
                lake._side_by_side(lambda table: lake.spark.sql(delta.ddl(catalog, table)))
            else:
                lake._point_catalog_here(TABLES)
            found = lake._columns_found()
        if found is None:
            raise StorageError(
                f"The tables of {lake.path} were made, and yet {catalog} does not show them all. Run again; if it "
                "happens twice, look for another session that drops tables."
            )
        if lake._add_columns(found):
            found = lake._columns_found() or found
        problems = [problem for table in TABLES for problem in delta.differences(table, found[table.name])]
        problems += lake._other_rules()
        if problems:
            raise lake._drift(problems)
        return lake

    def name_tables(self) -> "Lakehouse":
        """The lakehouse, whose tables have their names in the catalog now, for SQL that a person writes.

        Where the lake is a folder, the catalog lives in the memory of a session, or of a server, and nothing of
        coinlake needs these names. Raises StorageError when they belong to tables of somebody else.
        """
        if not self.is_managed:
            there = [table for table in TABLES if self._log_of(table).is_dir()]
            if self._noted() == self._note():
                named = self._named()
                there = [table for table in there if table.qualified_name not in named]
            if there:
                self._point_catalog_here(there)
        return self

    @property
    def is_managed(self) -> bool:
        """Whether the catalog keeps the tables' files."""
        return files.is_volume(self.path)

    def table(self, table: Table) -> DeltaTable:
        """A table of this lakehouse, to be read, written and asked."""
        return DeltaTable(self.spark, self.catalog, table, None if self.is_managed else self._folder_of(table))

    def require_rows(self, notebook: str, *tables: Table) -> None:
        """Raises StorageError, which names the notebook that fills them, where not one of the tables has a row."""
        if not any(self.table(table).rows() for table in tables):
            names = ", ".join(table.qualified_name for table in tables)
            raise StorageError(
                f"There is nothing to work on in {self.path}: no row in {names}. Run notebook {notebook} first, "
                "with this lake_path."
            )

    def folder(self, *parts: str) -> str:
        """A folder or file below the lake."""
        return "/".join((self.path, *parts))

    def scratch_table(self, *parts: str) -> str:
        """How SQL names a table that a lesson makes for itself, and makes anew the next time."""
        if self.is_managed:
            return quoted_name(self.catalog, CLEANED, "_".join(("scratch", *parts)))
        return quoted_name("delta", self.folder("scratch", *parts))

    def checkpoint(self, stream: str) -> str:
        """Where the stream of this name notes which files it has taken in."""
        return self.folder("checkpoints", stream)

    @classmethod
    def _at(cls, catalog: str, lake_path: str, spark: SparkSession | None) -> "Lakehouse":
        path = runtime.resolve_path(lake_path)
        volume_catalog = files.volume_catalog(path)
        if runtime.is_databricks() and not volume_catalog:
            raise ConfigurationError(
                f"lake_path={lake_path} is no volume, and catalog={catalog} is Unity Catalog's: on Databricks a "
                f"lake is a volume of its own catalog, such as {files.VOLUMES}/{catalog}/{RAW}/lake. Set both, as "
                "in parameters/."
            )
        if volume_catalog and volume_catalog != catalog:
            raise ConfigurationError(
                f"lake_path={lake_path} is a volume of the catalog {volume_catalog}, but catalog={catalog}. A "
                "lake and its tables belong to one catalog: set both, as in parameters/."
            )
        return cls(spark or runtime.spark(), catalog, path)

    def _refuse_damage(self) -> None:
        """Raises StorageError that names a table of a folder whose newest log entry is cut; Spark does not."""
        for table in () if self.is_managed else TABLES:
            if any(self._log_of(table).glob(f"{'[0-9]' * 20}.json")):
                self.table(table).version()

    def _folder_of(self, table: Table) -> str:
        return self.folder("tables", table.schema, table.name)

    def _log_of(self, table: Table) -> Path:
        return Path(self._folder_of(table), "_delta_log")

    def _note(self) -> str:
        """What is noted in a catalog that points to this lake. Not its path: Spark hides what looks like a URL."""
        return hashlib.sha256(self.path.encode()).hexdigest()

    def _noted(self) -> str | None:
        """The note of the lake that the catalog points to, for every session of it; None if it has none."""
        try:
            described = self.spark.sql(f"DESCRIBE SCHEMA EXTENDED {quoted_name(self.catalog, RAW)}").collect()
        except AnalysisException:
            return None
        properties = next((row["info_value"] for row in described if row["info_name"] == "Properties"), "")
        noted = re.search(rf"\({re.escape(NOTED)},([0-9a-f]+)\)", properties)
        return noted[1] if noted else None

    def _named(self) -> set[str]:
        """The names that the catalog has in the schemas of the lakehouse, schema.table."""
        return {
            f"{schema}.{row['tableName']}"
            for schema in SCHEMAS
            for row in self.spark.sql(f"SHOW TABLES IN {quoted_name(self.catalog, schema)}").collect()
        }

    def _make_schemas(self) -> None:
        for schema, comment in SCHEMAS.items():
            name = quoted_name(self.catalog, schema)
            self.spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name} COMMENT {quoted_text(comment)}")

    def _point_catalog_here(self, tables: tuple[Table, ...] | list[Table]) -> None:
        """Names the folders of these tables in the catalog, which lives in memory; makes what is missing."""
        self._make_schemas()
        named = self._named()
        self._side_by_side(lambda table: self._name_in_catalog(table, table.qualified_name in named), tables)
        raw = quoted_name(self.catalog, RAW)
        self.spark.sql(f"ALTER SCHEMA {raw} SET DBPROPERTIES ('{NOTED}' = '{self._note()}')")

    def _name_in_catalog(self, table: Table, is_named: bool) -> None:
        name, location = table.full_name(self.catalog), self._folder_of(table)
        facts = self._described(name) if is_named else {}
        if facts:
            if facts["Type"] != "EXTERNAL":
                raise StorageError(
                    f"{name} is a table whose rows the catalog {self.catalog} keeps; the lake {self.path} must "
                    "not take its name, as that would erase them. Choose another catalog, or the lake_path that "
                    "belongs to this one; if nobody needs its rows, drop the table yourself."
                )
            if facts["Location"].removeprefix("file:") == location and self._log_of(table).is_dir():
                return
            # Only the name goes: the files of an external table stay where they are.
            self.spark.sql(f"DROP TABLE IF EXISTS {name}")
        try:
            with commit_point(f"create {table.qualified_name}"):
                self.spark.sql(delta.ddl(self.catalog, table, location))
        except Exception as refusal:
            # Of another class in a session of its own than through a server.
            if "[DELTA_CREATE_TABLE_" not in str(refusal):
                raise
            # It exists and is not the same to the letter: other comments do no harm.
            self.spark.sql(f"CREATE TABLE {name} USING delta LOCATION {quoted_text(location)}")

    def _described(self, name: str) -> dict[str, str]:
        """What the catalog says of a table: Type, Location and more; empty when it has none of this name."""
        try:
            described = self.spark.sql(f"DESCRIBE TABLE EXTENDED {name}").collect()
        except AnalysisException as problem:
            if problem.getCondition() in NOT_THERE:
                return {}
            if problem.getCondition() != "DELTA_PATH_DOES_NOT_EXIST":
                raise
            # Its folder is gone, and with it every row: only the name is left.
            return {"Type": "EXTERNAL", "Location": ""}
        return {row["col_name"]: row["data_type"] for row in described}

    def _columns_found(self) -> dict[str, list[tuple[str, str, bool]]] | None:
        """Each table's columns (name, type, required) as they exist; None if a table is missing.

        In a folder their logs say so. In a catalog one query over all tables is analysed and never run: one call
        instead of one for each table.
        """
        if not self.is_managed:
            if not all(self._log_of(table).is_dir() for table in TABLES):
                return None
            return {table.name: _columns_of(self.table(table).schema()) for table in TABLES}
        structs = ", ".join(f"struct({table.name}.*) AS {table.name}" for table in TABLES)
        names = ", ".join(f"{table.full_name(self.catalog)} AS {table.name}" for table in TABLES)
        try:
            schema = self.spark.sql(f"SELECT {structs} FROM {names}").schema
        except AnalysisException as problem:
            # Unity Catalog is only asked to make what it says is not there.
            if problem.getCondition() not in NOT_THERE:
                raise
            return None
        return {
            column.name: _columns_of(column.dataType)
            for column in schema
            if isinstance(column.dataType, StructType)
        }

    def _other_rules(self) -> list[str]:
        """In words, where a table in a folder enforces other rules than those that are described."""
        problems = []
        for table in () if self.is_managed else TABLES:
            enforced = {
                name.removeprefix(delta.RULE): condition
                for name, condition in self.table(table).properties().items()
                if name.startswith(delta.RULE)
            }
            if enforced != table.checks:
                problems.append(f"{table.qualified_name} enforces {enforced}, not {table.checks}")
        return problems

    def _add_columns(self, found: dict[str, list[tuple[str, str, bool]]]) -> bool:
        """Adds the columns that tables of an older release lack, and says so; whether there were any."""
        wanted = {
            table.qualified_name: delta.added_columns(self.table(table).name, table, found[table.name])
            for table in TABLES
        }
        due = {name: statement for name, statement in wanted.items() if statement}
        for name, statement in due.items():
            self.spark.sql(statement)
            print(f"{name} is of an older release: {statement.partition(' ADD ')[2].lower()} added, NULL so far")
        return bool(due)

    def _side_by_side(self, make: Callable[[Table], object], tables: Sequence[Table] = TABLES) -> None:
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(make, tables))

    def _drift(self, problems: list[str]) -> StorageError:
        return StorageError(
            f"The tables of {self.path} are not what coinlake.schema describes: {'; '.join(sorted(problems))}. "
            f"Delete {self.path}/tables and {self.path}/checkpoints and run the notebooks from 03 on: "
            "all tables are built again from landing/."
        )


def _columns_of(fields: Iterable[StructField]) -> list[tuple[str, str, bool]]:
    return [(field.name, field.dataType.simpleString(), not field.nullable) for field in fields]
