"""The proof after a load: the warehouse holds what gold holds."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import SparkSession

from coinlake.errors import CoinlakeError
from coinlake.tables import Table
from coinlake.warehouse import tsql
from coinlake.warehouse.interface import Session, Warehouse
from coinlake.warehouse.loading import LOADED

NUMBERS = ("DOUBLE", "INT", "BIGINT")

# Two engines add in different orders, which moves the last digits of a sum of floating-point numbers.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Measures:
    """What is compared of a table: its rows, the values per column that are not NULL, and per number column
    the sum of the values and of their sizes (None when there is no value)."""

    rows: int
    values: dict[str, int]
    sums: dict[str, float | None]
    sizes: dict[str, float | None]


def verify(
    spark: SparkSession, catalog: str, warehouse: Warehouse, tables: Iterable[Table] = LOADED
) -> pd.DataFrame:
    """Compare rows, values per column, and sums per number column of each table with gold's.

    Gold is measured in one Spark job. Returns a frame: table, rows, values (not NULL), sums (compared).
    Raises CoinlakeError that names every difference.
    """
    tables = list(tables)
    expected = measure_gold(spark, catalog, tables)
    found = warehouse.attempt(lambda: _measure_warehouse(warehouse, tables))
    problems = [
        f"{table.name}: {problem}"
        for table in tables
        for problem in differences(expected[table.name], found[table.name])
    ]
    if problems:
        raise CoinlakeError(
            "The warehouse is not what gold is:\n  " + "\n  ".join(problems) + "\nIf gold was written since "
            "the load, load again; else delete the warehouse and load: it is built anew from gold."
        )
    return pd.DataFrame(
        {
            "table": [table.name for table in tables],
            "rows": [expected[table.name].rows for table in tables],
            "values": [sum(expected[table.name].values.values()) for table in tables],
            "sums": [len(expected[table.name].sums) for table in tables],
        }
    )


def measure_gold(spark: SparkSession, catalog: str, tables: Iterable[Table]) -> dict[str, Measures]:
    """Measures of each table of gold, by name, in one Spark job."""
    tables = list(tables)
    if not tables:
        return {}
    selects = [
        f"SELECT '{table.name}' AS name, count(*) AS rows, "
        f"array({', '.join(f'count({column})' for column in table.column_names)}) AS values, "
        f"{_array(f'sum(CAST({column} AS DOUBLE))' for column in _numbers(table))} AS sums, "
        f"{_array(f'sum(abs(CAST({column} AS DOUBLE)))' for column in _numbers(table))} AS sizes "
        f"FROM {table.qualified(catalog)}"
        for table in tables
    ]
    rows = {row["name"]: row for row in spark.sql(" UNION ALL ".join(selects)).collect()}
    return {
        table.name: Measures(
            rows[table.name]["rows"],
            dict(zip(table.column_names, rows[table.name]["values"], strict=True)),
            dict(zip(_numbers(table), rows[table.name]["sums"], strict=True)),
            dict(zip(_numbers(table), rows[table.name]["sizes"], strict=True)),
        )
        for table in tables
    }


def differences(expected: Measures, found: Measures) -> list[str]:
    """What differs between two measures, in words; sums may differ by TOLERANCE of their sizes."""
    problems = []
    if expected.rows != found.rows:
        problems.append(f"gold has {expected.rows:,} rows, the warehouse {found.rows:,}")
    for column, count in expected.values.items():
        if count != found.values[column]:
            problems.append(f"{column} has {count:,} values in gold, {found.values[column]:,} in the warehouse")
    for column, total in expected.sums.items():
        margin = TOLERANCE * (expected.sizes[column] or 0)
        if not math.isclose(total or 0, found.sums[column] or 0, rel_tol=0, abs_tol=margin):
            problems.append(f"{column} adds up to {total} in gold, {found.sums[column]} in the warehouse")
        elif not math.isclose(expected.sizes[column] or 0, found.sizes[column] or 0, rel_tol=TOLERANCE):
            problems.append(f"{column} has values of other sizes in gold than in the warehouse")
    return problems


def _measure_warehouse(warehouse: Warehouse, tables: Iterable[Table]) -> dict[str, Measures]:
    with warehouse.reading() as session:
        if session is None:
            raise CoinlakeError(f"{warehouse}: there is no warehouse to verify. Run notebook 05 first.")
        return {table.name: _measure(session, table) for table in tables}


def _measure(session: Session, table: Table) -> Measures:
    columns = {name: tsql.quoted(name) for name in table.column_names}
    wanted = [f"COUNT({column}) AS values_{name}" for name, column in columns.items()]
    for name in _numbers(table):
        wanted.append(f"SUM(CAST({columns[name]} AS FLOAT(53))) AS sum_{name}")
        wanted.append(f"SUM(ABS(CAST({columns[name]} AS FLOAT(53)))) AS size_{name}")
    (row,) = session.query(
        f"SELECT COUNT(*) AS row_count, {', '.join(wanted)} FROM {table.schema}.{table.name}", table.name
    ).to_pylist()
    return Measures(
        row["row_count"],
        {name: row[f"values_{name}"] for name in columns},
        {name: row[f"sum_{name}"] for name in _numbers(table)},
        {name: row[f"size_{name}"] for name in _numbers(table)},
    )


def _numbers(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.type in NUMBERS]


def _array(expressions: Iterable[str]) -> str:
    return f"CAST(array({', '.join(expressions)}) AS ARRAY<DOUBLE>)"
