"""Looks at a lake from outside: what every table holds, as values that can be compared."""

from pathlib import Path

from coinlake.tables import AGGREGATED, TABLES

# These say when and how something ran, so two runs differ in them.
ABOUT_RUNS = {"run_steps", "pipeline_runs", "freshness", "gold_progress", "api_usage"}


def contents(spark, lake: Path) -> dict[str, list[tuple]]:
    """Table name -> all rows, sorted; without the tables that record the runs themselves."""
    return {
        table.name: rows(spark, lake, table)
        for table in TABLES
        if not (table.schema == AGGREGATED and table.name in ABOUT_RUNS)
    }


def rows(spark, lake: Path, table) -> list[tuple]:
    """All rows of one table as tuples, in an order that depends on nothing but their values."""
    frame = spark.read.format("delta").load(str(lake / "tables" / table.schema / table.name))
    found = frame.select(*table.column_names).toArrow().to_pylist()
    return sorted((tuple(map(_plain, row.values())) for row in found), key=repr)


def files(lake: Path, *below: str) -> dict[str, bytes]:
    """Path -> bytes of every file below the given folders of the lake."""
    return {
        str(path.relative_to(lake)): path.read_bytes()
        for folder in below
        for path in sorted((lake / folder).rglob("*"))
        if path.is_file()
    }


def _plain(value):
    # Arrow gives an array, and a map as an array of pairs in an order of its own.
    return tuple(sorted(value)) if isinstance(value, list) else value
