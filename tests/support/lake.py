"""Looks at a lake from outside: what every table holds, as values that can be compared."""

from pathlib import Path

from coinlake.schema import AGGREGATED, TABLES

# These say when and how something ran, so two runs differ in them.
ABOUT_RUNS = {"run_steps", "pipeline_runs", "freshness", "gold_progress", "api_usage"}


def contents(spark, lake: Path) -> dict[str, list[tuple]]:
    """Table name -> all rows, sorted; without the tables that record the runs themselves."""
    return {
        table.name: rows(spark, lake, table)
        for table in TABLES
        if not (table.schema == AGGREGATED and table.name in ABOUT_RUNS)
    }


def records(spark, lake: Path, table) -> list[dict]:
    """All rows of one table, maps as dicts."""
    return as_records(_frame(spark, lake, table), table)


def as_records(frame, table) -> list[dict]:
    """All rows of a frame with the columns of a table, maps as dicts."""
    found = frame.select(*table.column_names).toArrow().to_pylist()
    maps = [column.name for column in table.columns if column.type.startswith("MAP")]
    # Arrow gives a map as a list of pairs, in an order of its own.
    return [row | {name: dict(sorted(row[name])) for name in maps} for row in found]


def rows(spark, lake: Path, table) -> list[tuple]:
    """All rows of one table as tuples, in an order that depends on nothing but their values."""
    return sorted_rows(_frame(spark, lake, table), table)


def sorted_rows(frame, table) -> list[tuple]:
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


def _frame(spark, lake: Path, table):
    return spark.read.format("delta").load(str(lake / "tables" / table.schema / table.name))
