"""The proof after a load: the warehouse holds what gold holds."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake.delta import explained
from coinlake.errors import WarehouseError
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake.warehouse.base import LOADED, Session, Warehouse
from coinlake.warehouse.loading import TableLoad, state
from coinlake.warehouse.sql import portable_tsql

NUMBERS = ("DOUBLE", "INT", "BIGINT")

# Two engines add in different orders, which moves the last digits of a sum of floating-point numbers.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Part:
    """What is compared of a table: all of it, or some of its partitions."""

    table: Table
    partitions: tuple[str, ...] | None = None

    def where(self) -> str:
        """The condition on its rows, in SQL."""
        if self.partitions is None:
            return ""
        values = ", ".join(f"'{value}'" for value in self.partitions)
        return f" WHERE {self.table.partition} IN ({values})"


@dataclass(frozen=True)
class Measures:
    """What a part of a table amounts to: the rows of the whole table; of the part the values per column that
    are not NULL, and per number column the sum of the values and of their sizes (None without a value)."""

    rows: int
    values: dict[str, int]
    sums: dict[str, float | None]
    sizes: dict[str, float | None]


@explained()
def verify(
    lake: Lakehouse, warehouse: Warehouse, loads: Iterable[TableLoad] | None = None, *, as_loaded: bool = False
) -> pd.DataFrame:
    """Compare rows, values per column, and sums per number column of each table with gold's.

    `loads` is what `load` did: then only the tables that it changed are compared, and of a partitioned one
    the values and sums of the partitions that it touched, so that the proof of an hour costs no more when
    there are years of hours. Without it everything is compared. `as_loaded` compares with gold as it was when it
    was loaded: what has been written since, as every run does when it has loaded, is no difference.

    Gold is measured in one Spark job. Returns a frame: table, rows, values (not NULL), sums (compared).
    Raises WarehouseError that names every difference.
    """
    if loads is None:
        parts = [Part(table) for table in LOADED]
    else:
        parts = [Part(done.table, None if done.is_full else done.partitions) for done in loads]
    expected = measure_gold(lake, parts, _loaded_versions(lake, warehouse) if as_loaded else {})
    found = warehouse.attempt(lambda: _measure_warehouse(warehouse, parts))
    names = [part.table.name for part in parts]
    problems = [f"{name}: {problem}" for name in names for problem in differences(expected[name], found[name])]
    if problems:
        raise WarehouseError(
            "The warehouse is not what gold is:\n  " + "\n  ".join(problems) + "\nIf gold was written since "
            "the load, load again; else delete the warehouse and load: it is built anew from gold."
        )
    return pd.DataFrame(
        {
            "table": names,
            "rows": [expected[name].rows for name in names],
            "values": [sum(expected[name].values.values()) for name in names],
            "sums": [len(expected[name].sums) for name in names],
        }
    )


def measure_gold(
    lake: Lakehouse, parts: Iterable[Part], versions: Mapping[str, int] | None = None
) -> dict[str, Measures]:
    """Measures of each part of gold, by the table's name, in one Spark job: at these versions, else the newest."""
    parts = list(parts)
    if not parts:
        return {}
    at = {part.table.name: (versions or {}).get(part.table.name) for part in parts}
    selects = [_gold_measures(lake.table(part.table).read(at[part.table.name]), part) for part in parts]
    rows = {row["name"]: row for row in reduce(DataFrame.union, selects).collect()}
    counts = {part.table.name: lake.table(part.table).rows(at[part.table.name]) for part in parts}
    return {
        name: Measures(
            counts[name],
            dict(zip(part.table.column_names, rows[name]["values"], strict=True)),
            dict(zip(_numbers(part.table), rows[name]["sums"], strict=True)),
            dict(zip(_numbers(part.table), rows[name]["sizes"], strict=True)),
        )
        for part in parts
        if (name := part.table.name)
    }


def _loaded_versions(lake: Lakehouse, warehouse: Warehouse) -> dict[str, int]:
    """The Delta versions that were loaded; a table that was made anew since is not there."""
    positions = warehouse.attempt(lambda: state(warehouse)).positions
    return {
        table.name: positions[table.name].version
        for table in LOADED
        if table.name in positions and positions[table.name].table_id == lake.table(table).id()
    }


def _gold_measures(rows: DataFrame, part: Part) -> DataFrame:
    """One row: name, values, sums, sizes of a part of these rows."""
    if part.partitions is not None:
        rows = rows.where(F.col(str(part.table.partition)).isin(*part.partitions))
    numbers = [F.col(name).cast("double") for name in _numbers(part.table)]
    return rows.agg(
        F.lit(part.table.name).alias("name"),
        F.array(*(F.count(name) for name in part.table.column_names)).alias("values"),
        F.array(*map(F.sum, numbers)).cast("array<double>").alias("sums"),
        F.array(*(F.sum(F.abs(number)) for number in numbers)).cast("array<double>").alias("sizes"),
    )


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


def _measure_warehouse(warehouse: Warehouse, parts: Iterable[Part]) -> dict[str, Measures]:
    with warehouse.reading() as session:
        if session is None:
            raise WarehouseError(f"{warehouse}: there is no warehouse to verify. Run notebook 05 first.")
        return {part.table.name: _measure(session, part) for part in parts}


def _measure(session: Session, part: Part) -> Measures:
    table = f"{part.table.schema}.{part.table.name}"
    wanted = [f"COUNT({portable_tsql.quoted(name)}) AS values_{name}" for name in part.table.column_names]
    for name in _numbers(part.table):
        wanted.append(f"SUM(CAST({portable_tsql.quoted(name)} AS FLOAT(53))) AS sum_{name}")
        wanted.append(f"SUM(ABS(CAST({portable_tsql.quoted(name)} AS FLOAT(53)))) AS size_{name}")
    (all_rows,) = session.query(f"SELECT COUNT(*) AS row_count FROM {table}", table).to_pylist()
    (row,) = session.query(f"SELECT {', '.join(wanted)} FROM {table}{part.where()}", table).to_pylist()
    return Measures(
        all_rows["row_count"],
        {name: row[f"values_{name}"] for name in part.table.column_names},
        {name: row[f"sum_{name}"] for name in _numbers(part.table)},
        {name: row[f"size_{name}"] for name in _numbers(part.table)},
    )


def _numbers(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.type in NUMBERS]
