"""The files of sql/azure: Microsoft's parser takes them, they fit the tables, and rights are small."""

import json
import re

import pytest

from coinlake.errors import CoinlakeError
from coinlake.schema import FACT_PRICE_DAILY
from coinlake.warehouse import LOADED, loading
from coinlake.warehouse.sql import generate, generate_azure, portable_tsql, scripts
from tests.support import azure, maxdop
from tests.support.tds import Double
from tests.support.warehouse_rows import contents, star

TARGETS = generate.target_tables()
SQL_FILES = sorted(scripts.AZURE.rglob("*.sql"))


@pytest.mark.parametrize("path", SQL_FILES, ids=scripts.name)
def test_every_file_parses_with_microsofts_parser(path):
    assert maxdop.faults(path) == ""


@pytest.mark.parametrize("path", sorted((scripts.AZURE / "indexes").glob("*.sql")), ids=lambda path: path.stem)
def test_a_columnstore_holds_every_column_that_it_can(path):
    (found,) = re.findall(
        r"COLUMNSTORE INDEX ncci_(\w+) ON aggregated_data\.(\w+) \((.+?)\n\)", path.read_text(), re.S
    )
    columns = TARGETS[path.stem].columns
    wanted = [portable_tsql.quoted(name) for name, kind in columns.items() if not kind.startswith("NVARCHAR(MAX)")]
    assert found[:2] == (path.stem, path.stem)
    assert [name.strip() for name in found[2].split(",")] == wanted


def test_the_procedure_is_current():
    remedy = "run coinlake sql generate"
    assert generate_azure.PROCEDURE.read_text() == generate_azure.procedure_sql(), remedy


def test_the_procedure_merges_with_the_text_of_the_load_files():
    lines = [line.strip() for line in generate_azure.procedure_sql().splitlines()]
    text = "\n".join(lines)

    def place(table, number: int) -> int:
        batch = portable_tsql.read(scripts.load_file(table.name))[number]
        wanted = [line.strip() for line in batch.splitlines() if not line.startswith("--")]
        return text.index("\n".join(wanted).strip())

    steps = [place(table, number) for table in LOADED for number in (0, 1)]
    steps += [place(table, 2) for table in reversed(LOADED)]
    assert steps == sorted(steps)
    assert text.rindex("COMMIT TRANSACTION;") > steps[-1]


@pytest.mark.skipif(not azure.URL, reason="the double keeps procedures and runs none: set AZURE_SQL_TEST_URL")
def test_the_procedure_loads_what_was_copied_and_once():
    warehouse = azure.on_real_server()
    loading.load_changes(warehouse, [], "first")
    copied = star(bitcoin=1.0, ethereum=2.0)
    tables = json.dumps([{"sink": {"schema": "staging", "table": sent.table.name}} for sent in copied])
    with warehouse.writing() as session:
        for sent in copied:
            session.stage(sent, 0)
    for _ in range(2):
        with warehouse._connected() as session:
            session.execute("EXEC control.merge_staged @run_id = ?, @tables = ?", "test", ("copied", tables))
    assert [(found["coin_id"], found["close"]) for found in contents(warehouse, FACT_PRICE_DAILY)] == [
        ("bitcoin", 1.0),
        ("ethereum", 2.0),
    ]
    log = warehouse.query(
        "SELECT table_name, is_full, rows_staged, rows_merged, rows_deleted FROM control.load_log "
        "WHERE run_id = 'copied' ORDER BY table_name"
    )
    assert log.values.tolist() == [
        ["dim_coin", True, 2, 2, 0],
        ["dim_currency", True, 1, 1, 0],
        ["dim_date", True, 1, 1, 0],
        ["fact_price_daily", True, 2, 2, 0],
    ]


class TestAccess:
    USERS = {
        "coinlake_loader": ["dbw-coinlake-dev"],
        "coinlake_factory": ["adf-coinlake-dev"],
        "coinlake_reader": ["Market analysts", "anna@example.com"],
    }

    @pytest.fixture
    def server(self):
        with Double() as double:
            yield double

    @azure.only_double
    def test_roles_rights_and_users_twice_the_same(self, server):
        warehouse = azure.on_double(server)
        loading.load_changes(warehouse, star(bitcoin=1.0), "first")
        for _ in range(2):
            warehouse.give_access(self.USERS)
        session = server.database.session()
        assert session.objects("role") == [
            (f"coinlake_{name}", "") for name in ("analyst", "factory", "loader", "reader")
        ]
        assert session.objects("member") == [
            ("Market analysts", "coinlake_reader"),
            ("adf-coinlake-dev", "coinlake_factory"),
            ("anna@example.com", "coinlake_reader"),
            ("dbw-coinlake-dev", "coinlake_loader"),
        ]
        rights = {}
        for right, schema in session.objects("right"):
            what, _, role = right.partition(" to coinlake_")
            rights.setdefault(role, {}).setdefault(schema or "database", []).append(what)
        full = ["ALTER", "DELETE", "INSERT", "REFERENCES", "SELECT", "UPDATE"]
        assert rights == {
            "reader": {"reporting": ["SELECT"]},
            "analyst": {"reporting": ["SELECT"], "aggregated_data": ["SELECT"]},
            "factory": {
                "staging": ["ALTER", "DELETE", "INSERT", "SELECT"],
                "control": ["EXECUTE", "SELECT"],
                "reporting": ["SELECT"],
            },
            "loader": {
                "database": ["CREATE PROCEDURE", "CREATE TABLE", "CREATE VIEW"],
                "control": full,
                "staging": full,
                "aggregated_data": full,
                "reporting": ["ALTER", "SELECT"],
            },
        }
        session.close()

    @azure.only_double
    def test_before_the_first_migration_there_is_nothing_to_give(self, server):
        with pytest.raises(CoinlakeError, match="access/roles: Cannot find the schema 'reporting'"):
            azure.on_double(server).give_access({})

    @azure.only_double
    def test_a_role_that_is_not_there(self, server):
        warehouse = azure.on_double(server)
        loading.load_changes(warehouse, [], "first")
        with pytest.raises(CoinlakeError, match="user anna: Cannot alter the role 'coinlake_admin'"):
            warehouse.give_access({"coinlake_admin": ["anna"]})

    @pytest.mark.parametrize("name", ["", "a]; DROP TABLE x; --", "it's", "$(role)"])
    def test_a_name_that_could_end_its_brackets(self, server, name):
        warehouse = azure.on_double(server)
        loading.load_changes(warehouse, [], "first")
        with pytest.raises(CoinlakeError, match="a name has no quotes or brackets"):
            warehouse.give_access({"coinlake_reader": [name]})


@azure.only_double
def test_indexes_are_made_again_when_their_text_changes(tmp_path, monkeypatch):
    with Double() as server:
        warehouse = azure.on_double(server)
        loading.load_changes(warehouse, star(bitcoin=1.0), "first")
        session = server.database.session()
        facts = "aggregated_data.fact_price_daily"
        assert ("ncci_fact_price_daily", facts) in session.objects("columnstore index")
        assert ("ix_fact_price_daily_coin_key", facts) in session.objects("index")
        changed = tmp_path / "indexes" / "fact_price_daily.sql"
        changed.parent.mkdir()
        changed.write_text(f"DROP INDEX IF EXISTS ncci_fact_price_daily ON {facts};")
        monkeypatch.setattr(warehouse, "extras", lambda: [changed])
        loading.load_changes(warehouse, [], "second")
        assert ("ncci_fact_price_daily", facts) not in session.objects("columnstore index")
        session.close()
