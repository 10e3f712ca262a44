"""Which warehouse the parameters name."""

from pathlib import Path

from coinlake import files, runtime
from coinlake.errors import ConfigurationError
from coinlake.warehouse.azure_sql import AzureSqlWarehouse, sign_in
from coinlake.warehouse.base import Warehouse
from coinlake.warehouse.duckdb import DuckDBWarehouse


def choose(
    lake_path: str,
    sql_server: str = "",
    sql_database: str = "",
    secret_scope: str = "",
    key_vault_url: str = "",
    sql_credential: str = "",
) -> Warehouse:
    """The warehouse that the parameters name: a database in Azure, or without a server the file in the lake.

    In Azure the service credential signs in; without one the secret sql-connection, or a managed identity.
    Raises ConfigurationError when only one of server and database is named, when neither is and the lake is a
    volume, and when nothing can sign in.
    """
    if bool(sql_server) != bool(sql_database):
        raise ConfigurationError(
            f"sql_server is {sql_server!r} and sql_database {sql_database!r}: name both, or neither for the "
            "warehouse in a file."
        )
    if sql_server:
        return AzureSqlWarehouse(sql_server, sql_database, sign_in(secret_scope, key_vault_url, sql_credential))
    folder = Path(runtime.resolve_path(lake_path))
    if files.is_volume(folder):
        raise ConfigurationError(
            f"lake_path={lake_path} is a volume, and the warehouse of a laptop cannot stand there: DuckDB writes "
            "at any place of its file, and a volume takes whole files only. Name sql_server and sql_database, as "
            "in parameters/."
        )
    return DuckDBWarehouse(folder / "warehouse.duckdb")
