"""What a lake holds, looked at from outside: tables, warehouse and reports, as values that can be compared."""

import re
from pathlib import Path
from typing import Any

import duckdb
import nbformat
from pyspark.sql import DataFrame, SparkSession

from coinlake.schema import AGGREGATED, TABLES, Table
from coinlake_ops import rendering

# These say when and how something ran, so two runs differ in them.
ABOUT_RUNS = {"run_steps", "pipeline_runs", "freshness", "gold_progress", "api_usage"}
# A report about the runs themselves.
REPORT_ABOUT_RUNS = "pipeline_health"
# Beside what a report says, its opening tells when and by which run the page was made, and its closing by which.
SAID_AT_FIRST = ("title", "origin", "headline", "lead")
MADE_BY = re.compile("<dt>Made by</dt><dd>.*</dd>")


def contents(spark: SparkSession, lake: Path) -> dict[str, list[tuple]]:
    """Table name -> all rows, sorted; without the tables that record the runs themselves."""
    return {
        table.name: rows(spark, lake, table)
        for table in TABLES
        if not (table.schema == AGGREGATED and table.name in ABOUT_RUNS)
    }


def records(spark: SparkSession, lake: Path, table: Table) -> list[dict]:
    """All rows of one table, maps as dicts."""
    return as_records(_frame(spark, lake, table), table)


def as_records(frame: DataFrame, table: Table) -> list[dict]:
    """All rows of a frame with the columns of a table, maps as dicts."""
    found = frame.select(*table.column_names).toArrow().to_pylist()
    maps = [column.name for column in table.columns if column.type.startswith("MAP")]
    # Arrow gives a map as a list of pairs, in an order of its own.
    return [row | {name: dict(sorted(row[name])) for name in maps} for row in found]


def rows(spark: SparkSession, lake: Path, table: Table) -> list[tuple]:
    """All rows of one table as tuples, in an order that depends on nothing but their values."""
    return sorted_rows(_frame(spark, lake, table), table)


def sorted_rows(frame: DataFrame, table: Table) -> list[tuple]:
    """The same of a frame with the columns of a table."""
    return sorted((tuple(row.values()) for row in as_records(frame, table)), key=repr)


def files(lake: Path, *below: str) -> dict[str, bytes]:
    """Path -> bytes of every file below the given folders of the lake."""
    return {
        str(path.relative_to(lake)): path.read_bytes()
        for folder in below
        for path in sorted((lake / folder).rglob("*"))
        if path.is_file()
    }


def warehouse(lake: Path) -> dict[str, list[tuple]]:
    """Table of the warehouse's file -> all rows, sorted; without those that record the runs themselves."""
    with duckdb.connect(lake / "warehouse.duckdb", read_only=True) as connection:
        found = connection.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = ? AND table_type = 'BASE TABLE'",
            [AGGREGATED],
        ).fetchall()
        return {
            name: sorted(connection.execute(f'SELECT * FROM {AGGREGATED}."{name}"').fetchall(), key=repr)
            for (name,) in sorted(found)
            if name not in ABOUT_RUNS
        }


def reports(lake: Path) -> dict[str, list[dict[str, Any]]]:
    """Report -> its parts as the last run showed them; without the report about the runs themselves."""
    return {
        name: [_without_its_making(part) for part in rendering.parts_of(nbformat.read(executed, as_version=4))]
        for name, executed in rendering.last_run(lake).items()
        if name != REPORT_ABOUT_RUNS
    }


def _without_its_making(part: dict[str, Any]) -> dict[str, Any]:
    if part["part"] == "opening":
        return {name: part[name] for name in SAID_AT_FIRST}
    return part | {"html": MADE_BY.sub("", part["html"])} if part["part"] == "closing" else part


def _frame(spark: SparkSession, lake: Path, table: Table) -> DataFrame:
    return spark.read.format("delta").load(str(lake / "tables" / table.schema / table.name))
