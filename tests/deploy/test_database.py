"""The database through Microsoft's driver, on the double of SQL Server."""

import pytest

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake.warehouse.sql import scripts
from coinlake_ops.deploy.database import MEMBERS, Database
from tests.support import azure, maxdop
from tests.support.tds import Double

ALL_TABLES = schema.TABLES


@pytest.fixture(autouse=True)
def all_tables(small_catalog, monkeypatch):
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)


@pytest.fixture
def server():
    with Double() as double:
        yield double


@azure.only_double
def test_an_empty_database_is_built_once_and_access_given_twice(server):
    database = Database(azure.on_double(server))
    every = [
        scripts.name(path) for path in (*scripts.migrations(), *scripts.repeatables(), *scripts.azure_objects())
    ]
    assert database.waiting() == every
    with pytest.raises(CoinlakeError, match="Cannot find the schema 'reporting'"):
        database.give_access({"coinlake_analyst": ["coinlake-analysts"]})
    database.build()
    assert database.waiting() == []
    for _ in range(2):
        database.give_access({"coinlake_analyst": ["coinlake-analysts"], "coinlake_factory": ["adf-coinlake-dev"]})
    assert server.database.session().objects("member") == [
        ("adf-coinlake-dev", "coinlake_factory"),
        ("coinlake-analysts", "coinlake_analyst"),
    ]


def test_the_question_for_members_is_tsql(tmp_path):
    path = tmp_path / "members.sql"
    path.write_text(MEMBERS, encoding="utf-8")
    assert maxdop.faults(path) == ""
