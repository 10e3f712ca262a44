"""The warehouse: gold's star, aggregates and operations tables in a SQL database.

    embedded = warehouse.EmbeddedWarehouse(f"{lake}/warehouse.duckdb")
    loads = warehouse.load(spark, catalog, embedded, run_id)
    warehouse.verify(spark, catalog, embedded)
    embedded.query("SELECT TOP (5) name, price FROM reporting.coin_now ORDER BY market_cap DESC")

The same T-SQL files (sql/warehouse) serve Azure SQL Database and DuckDB.
"""

from itertools import chain

from pyspark.sql import SparkSession

from coinlake.warehouse import gold, loading
from coinlake.warehouse.embedded import EmbeddedWarehouse
from coinlake.warehouse.interface import Change, Position, Session, Warehouse
from coinlake.warehouse.loading import LOADED, TableLoad
from coinlake.warehouse.tsql import TsqlError
from coinlake.warehouse.verification import verify

__all__ = [
    "LOADED",
    "Change",
    "EmbeddedWarehouse",
    "Position",
    "Session",
    "TableLoad",
    "TsqlError",
    "Warehouse",
    "load",
    "verify",
]


def load(spark: SparkSession, catalog: str, warehouse: Warehouse, run_id: str) -> list[TableLoad]:
    """Bring gold into the warehouse: of each table what changed since the last load, at first all of it.

    Returns what was done to each table that changed; nothing changed, nothing is touched.
    Raises CoinlakeError when rows get lost or break a rule of the warehouse: then it stays as it was.
    """
    return warehouse.attempt(lambda: _load(spark, catalog, warehouse, run_id))


def _load(spark: SparkSession, catalog: str, warehouse: Warehouse, run_id: str) -> list[TableLoad]:
    state = loading.state(warehouse)
    changes = gold.changes(spark, catalog, state.positions)
    first = next(changes, None)
    if first is None and not loading.outdated(state.applied, warehouse.extras()):
        return []
    return loading.load(warehouse, chain([first] if first else [], changes), run_id)
