"""The warehouse: gold's star, aggregates and operations tables in a SQL database.

    target = warehouse.choose(lake, sql_server, sql_database)
    loads = warehouse.load(spark, catalog, target, run_id)
    warehouse.verify(spark, catalog, target, loads)
    target.query("SELECT TOP (5) name, price FROM reporting.coin_now ORDER BY market_cap DESC")

The same T-SQL files (sql/warehouse) serve Azure SQL Database and DuckDB.
"""

from itertools import chain
from pathlib import Path

from pyspark.sql import SparkSession

from coinlake.errors import CoinlakeError
from coinlake.warehouse import gold, loading
from coinlake.warehouse.azure import AzureWarehouse, sign_in
from coinlake.warehouse.embedded import EmbeddedWarehouse
from coinlake.warehouse.interface import Change, Position, Session, Warehouse
from coinlake.warehouse.loading import LOADED, TableLoad
from coinlake.warehouse.tsql import TsqlError
from coinlake.warehouse.verification import verify

__all__ = [
    "LOADED",
    "AzureWarehouse",
    "Change",
    "EmbeddedWarehouse",
    "Position",
    "Session",
    "TableLoad",
    "TsqlError",
    "Warehouse",
    "choose",
    "load",
    "verify",
]


def choose(
    lake: str,
    sql_server: str = "",
    sql_database: str = "",
    secret_scope: str = "",
    key_vault_url: str = "",
    sql_credential: str = "",
) -> Warehouse:
    """The warehouse that the parameters name: a database in Azure, or without a server the file in the lake.

    In Azure the service credential signs in; without one the secret sql-connection, or a managed identity.
    Raises CoinlakeError when only one of server and database is named, and when nothing can sign in.
    """
    if bool(sql_server) != bool(sql_database):
        raise CoinlakeError(
            f"sql_server is {sql_server!r} and sql_database {sql_database!r}: name both, or neither for the "
            "warehouse in a file."
        )
    if sql_server:
        return AzureWarehouse(sql_server, sql_database, sign_in(secret_scope, key_vault_url, sql_credential))
    return EmbeddedWarehouse(Path(lake) / "warehouse.duckdb")


def load(spark: SparkSession, catalog: str, warehouse: Warehouse, run_id: str) -> list[TableLoad]:
    """Bring gold into the warehouse: of each table what changed since the last load, at first all of it.

    Returns what was done to each table that changed; nothing changed, nothing is touched.
    Raises CoinlakeError when rows get lost or break a rule of the warehouse: then it stays as it was.
    """
    done: dict[str, TableLoad] = {}

    def work() -> None:
        state = loading.state(warehouse)
        changes = gold.changes(spark, catalog, state.positions)
        first = next(changes, None)
        if first or loading.outdated(state.applied, warehouse.extras()):
            loading.load(warehouse, chain([first] if first else [], changes), run_id, done)

    # An attempt whose commit was not answered may have done its work: then the next one finds nothing new.
    warehouse.attempt(work)
    return list(done.values())
