"""The warehouse: gold's dimensions, facts, aggregates and records in a SQL database.

    target = warehouse.choose(lake_path, sql_server, sql_database)
    loads = warehouse.load(lake, target, run_id)
    warehouse.verify(lake, target, loads)
    target.query("SELECT TOP (5) name, price FROM reporting.coin_now ORDER BY market_cap DESC")

The same T-SQL files (sql/warehouse) serve Azure SQL Database and DuckDB.
"""

from coinlake.warehouse.azure_sql import AzureSqlWarehouse, EntraId
from coinlake.warehouse.base import LOADED, Change, Position, Session, Warehouse
from coinlake.warehouse.choice import choose
from coinlake.warehouse.duckdb import DuckDBWarehouse
from coinlake.warehouse.loading import TableLoad, load, load_changes, migrate, outdated, state
from coinlake.warehouse.sql import TsqlError
from coinlake.warehouse.verification import verify

__all__ = [
    "LOADED",
    "AzureSqlWarehouse",
    "Change",
    "DuckDBWarehouse",
    "EntraId",
    "Position",
    "Session",
    "TableLoad",
    "TsqlError",
    "Warehouse",
    "choose",
    "load",
    "load_changes",
    "migrate",
    "outdated",
    "state",
    "verify",
]
