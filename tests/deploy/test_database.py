"""The database through Microsoft's driver, on the double of SQL Server."""

import pytest

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake.warehouse import EntraId
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
        database.give_access({"coinlake_analyst": ["coinlake-analysts"]}, {})
    database.build()
    assert database.waiting() == []
    for _ in range(2):
        database.give_access(
            {"coinlake_analyst": ["coinlake-analysts"], "coinlake_factory": ["adf-coinlake-dev"]},
            {
                "coinlake-analysts": EntraId("00112233-4455-6677-8899-aabbccddeeff", is_group=True),
                "adf-coinlake-dev": EntraId("01020304-0506-0708-090a-0b0c0d0e0f10"),
            },
        )
    # The first three parts of a GUID are numbers, least significant byte first.
    assert server.database.session().objects("sid") == [
        ("adf-coinlake-dev", "0x0403020106050807090A0B0C0D0E0F10 E"),
        ("coinlake-analysts", "0x33221100554477668899AABBCCDDEEFF X"),
    ]
    assert server.database.session().objects("member") == [
        ("adf-coinlake-dev", "coinlake_factory"),
        ("coinlake-analysts", "coinlake_analyst"),
    ]
    database.take_access({"coinlake_analyst": ["coinlake-analysts"], "coinlake_factory": []})
    assert server.database.session().objects("member") == [("adf-coinlake-dev", "coinlake_factory")]
    with pytest.raises(CoinlakeError, match="a name has no quotes or brackets"):
        database.take_access({"coinlake_analyst": ["x]; DROP TABLE y"]})


def test_the_question_for_members_is_tsql(tmp_path):
    path = tmp_path / "members.sql"
    path.write_text(MEMBERS, encoding="utf-8")
    assert maxdop.faults(path) == ""
