"""Warehouses in Azure SQL Database for tests: on the double, or on a real server.

The environment variable AZURE_SQL_TEST_URL names the real server: mssql://user:password@host[:port]/database.
Tests empty that database, so its name must contain "test". On a server of one's own, not in Azure, the database
first needs ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON, and SSL_CERT_FILE must name the server's certificate:
the job sql-server of .github/workflows/test.yml makes one.
"""

import os
from urllib.parse import unquote, urlsplit

import pytest

from coinlake.errors import CoinlakeError
from coinlake.runtime import Secret
from coinlake.warehouse import AzureSqlWarehouse, Warehouse
from coinlake.warehouse.azure_sql import PROVIDER
from tests.support.tds import Double

URL = os.environ.get("AZURE_SQL_TEST_URL", "")
# Of Microsoft's two drivers in mssql-python the one that needs no system library, so that every machine tests
# the same. The other passes too, when SSL_CERT_FILE names the double's certificate.
os.environ.setdefault(PROVIDER, "mssql-odbc")
only_double = pytest.mark.skipif(bool(URL), reason="a real server does not fail on demand")


def on_double(server: Double, **options) -> AzureSqlWarehouse:
    """The warehouse of a double; a test that waits without expecting it fails."""
    secret = Secret(f"UID={server.user};PWD={server.password}")
    options = {"certificate": server.certificate, "wait": _never, "chance": lambda: 1.0} | options
    return AzureSqlWarehouse(server.address, server.database.name, secret, **options)


def on_real_server() -> AzureSqlWarehouse:
    """The warehouse at AZURE_SQL_TEST_URL, emptied."""
    url = urlsplit(URL)
    database = url.path.strip("/")
    assert "test" in database, f"AZURE_SQL_TEST_URL: {database} would be emptied; its name must contain 'test'"
    secret = Secret(f"UID={unquote(url.username)};PWD={{{unquote(url.password).replace('}', '}}')}}}")
    warehouse = AzureSqlWarehouse(f"{url.hostname},{url.port or 1433}", database, secret)
    warehouse.attempt(lambda: empty(warehouse))
    return warehouse


def empty(warehouse: Warehouse) -> None:
    """Drop the procedure, every view and table of the warehouse, children before parents, and then the schemas."""
    schemas = ("reporting", "aggregated_data", "staging", "control")
    with warehouse.writing() as session:
        session.execute("DROP PROCEDURE IF EXISTS control.merge_staged", "merge_staged")
        found = session.query(
            "SELECT TABLE_SCHEMA AS place, TABLE_NAME AS name, TABLE_TYPE AS kind FROM INFORMATION_SCHEMA.TABLES"
        )
        things = [tuple(row.values()) for row in found.to_pylist() if row["place"] in schemas]
        things.sort(key=lambda thing: thing[2] != "VIEW")
        while things:
            kept = []
            for schema, name, kind in things:
                try:
                    session.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {schema}.{name}", name)
                except CoinlakeError:  # a table that others still refer to
                    kept.append((schema, name, kind))
            assert len(kept) < len(things), f"cannot be dropped: {kept}"
            things = kept
        there = session.query("SELECT SCHEMA_NAME AS name FROM INFORMATION_SCHEMA.SCHEMATA")
        for schema in set(schemas) & set(there.column("name").to_pylist()):
            session.execute(f"DROP SCHEMA {schema}", schema)


def _never(seconds: float) -> None:
    raise AssertionError(f"the load waits {seconds} seconds")
