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
def test_a_large_table_is_a_columnstore_and_keeps_its_key(path):
    text, name = path.read_text(), path.stem
    assert f"CREATE CLUSTERED COLUMNSTORE INDEX cci_{name} ON aggregated_data.{name} " in text
    [key] = re.findall(rf"ADD CONSTRAINT pk_{name} PRIMARY KEY NONCLUSTERED \((.+)\);", text)
    (migration,) = [path for path in scripts.migrations() if path.stem.endswith(f"_{name}")]
    assert f"CONSTRAINT pk_{name} PRIMARY KEY ({key})" in migration.read_text()


@azure.only_double
def test_the_largest_tables_have_one_clustered_index_whether_they_are_new_or_had_another():
    with Double() as server:
        warehouse = azure.on_double(server)
        loading.load_changes(warehouse, [], "first")
        session = server.database.session()
        expected = [
            (f"cci_{path.stem}", f"aggregated_data.{path.stem}") for path in scripts.AZURE.glob("indexes/*.sql")
        ]
        assert session.objects("columnstore index") == sorted(expected)
        with warehouse._connected() as connected:
            for path in scripts.AZURE.glob("indexes/*.sql"):
                connected.run(path)
        assert session.objects("columnstore index") == sorted(expected)
        keys = [
            (f"pk_{path.stem}", f"aggregated_data.{path.stem}") for path in scripts.AZURE.glob("indexes/*.sql")
        ]
        assert session.objects("nonclustered key") == sorted(keys)


def test_the_procedure_is_current():
    remedy = "run coinlake sql generate"
    assert generate_azure.PROCEDURE.read_text() == generate_azure.procedure_sql(), remedy


def test_the_procedure_merges_with_the_text_of_the_merge_files():
    lines = [line.strip() for line in generate_azure.procedure_sql().splitlines()]
    text = "\n".join(lines)

    def place(table, number: int) -> int:
        batch = portable_tsql.read(scripts.merge_file(table.name))[number]
        wanted = [line.strip() for line in batch.splitlines() if not line.startswith("--")]
        return text.index("\n".join(wanted).strip())

    steps = [place(table, number) for table in LOADED for number in (0, 1)]
    steps += [place(table, 2) for table in reversed(LOADED)]
    assert steps == sorted(steps)
    assert text.rindex("COMMIT TRANSACTION;") > steps[-1]


class TestTheProcedure:
    """What Data Factory calls once it has copied rows into staging."""

    @pytest.fixture
    def warehouse(self):
        """The warehouse on a real server, where there is one, or on the double; built, and empty."""
        if azure.URL:
            empty = azure.on_real_server()
            loading.load_changes(empty, [], "first")
            yield empty
            return
        with Double() as server:
            empty = azure.on_double(server)
            loading.load_changes(empty, [], "first")
            yield empty

    def copy(self, warehouse, changes):
        with warehouse.writing() as session:
            for sent in changes:
                session.stage(sent, 0)

    def merge(self, warehouse, changes, run_id="copied"):
        tables = json.dumps([{"sink": {"schema": "staging", "table": sent.table.name}} for sent in changes])
        with warehouse._connected() as session:
            session.execute("EXEC control.merge_staged @run_id = ?, @tables = ?", "test", (run_id, tables))

    def closes(self, warehouse):
        return [(found["coin_id"], found["close"]) for found in contents(warehouse, FACT_PRICE_DAILY)]

    def log(self, warehouse, run_id="copied"):
        found = warehouse.query(
            "SELECT table_name, is_full, rows_staged, rows_merged, rows_deleted FROM control.load_log "
            f"WHERE run_id = '{run_id}' ORDER BY table_name"
        )
        return found.values.tolist()

    def test_it_loads_what_was_copied_and_once(self, warehouse):
        copied = star(bitcoin=1.0, ethereum=2.0)
        self.copy(warehouse, copied)
        for _ in range(2):
            self.merge(warehouse, copied)
        assert self.closes(warehouse) == [("bitcoin", 1.0), ("ethereum", 2.0)]
        assert self.log(warehouse) == [
            ["dim_coin", True, 2, 2, 0],
            ["dim_currency", True, 1, 1, 0],
            ["dim_date", True, 1, 1, 0],
            ["fact_price_daily", True, 2, 2, 0],
        ]

    def test_it_changes_what_differs_and_deletes_what_was_not_copied_again(self, warehouse):
        before, after = star(bitcoin=1.0, ethereum=2.0), star(bitcoin=3.0)
        for changes, run_id in ((before, "first copy"), (after, "second copy")):
            self.copy(warehouse, changes)
            self.merge(warehouse, changes, run_id)
        assert self.closes(warehouse) == [("bitcoin", 3.0)]
        # Facts go before the coins that they refer to.
        assert self.log(warehouse, "second copy") == [
            ["dim_coin", True, 1, 0, 1],
            ["dim_currency", True, 1, 0, 0],
            ["dim_date", True, 1, 0, 0],
            ["fact_price_daily", True, 1, 1, 1],
        ]

    def test_a_table_that_came_empty_stops_it_whole(self, warehouse):
        """A copy that found nothing must not empty a table that has rows."""
        copied = star(bitcoin=1.0)
        self.copy(warehouse, copied)
        self.merge(warehouse, copied)
        self.copy(warehouse, star(bitcoin=2.0)[:3])
        with pytest.raises(
            CoinlakeError, match=r"fact_price_daily is empty, and aggregated_data\.fact_price_daily is not"
        ):
            self.merge(warehouse, copied, "half")
        assert self.closes(warehouse) == [("bitcoin", 1.0)]
        assert self.log(warehouse, "half") == []

    def test_a_row_without_its_coin_stops_it_whole(self, warehouse):
        copied = [*star(bitcoin=1.0)[:3], star(bitcoin=1.0, ethereum=2.0)[3]]
        self.copy(warehouse, copied)
        with pytest.raises(CoinlakeError, match="FOREIGN KEY"):
            self.merge(warehouse, copied)
        assert self.closes(warehouse) == []
        assert self.log(warehouse) == []

    def test_it_does_not_begin_beside_another_load(self, warehouse):
        copied = star(bitcoin=1.0)
        self.copy(warehouse, copied)
        with (
            warehouse.writing(),
            pytest.raises(CoinlakeError, match="Another load is under way"),
        ):
            self.merge(warehouse, copied)
        assert self.closes(warehouse) == []
        self.merge(warehouse, copied)
        assert self.closes(warehouse) == [("bitcoin", 1.0)]


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
        assert ("cci_fact_price_daily", facts) in session.objects("columnstore index")
        assert ("ix_fact_price_daily_coin_key", facts) in session.objects("index")
        changed = tmp_path / "indexes" / "fact_price_daily.sql"
        changed.parent.mkdir()
        changed.write_text(f"DROP INDEX IF EXISTS cci_fact_price_daily ON {facts};")
        monkeypatch.setattr(warehouse, "extras", lambda: [changed])
        loading.load_changes(warehouse, [], "second")
        assert ("cci_fact_price_daily", facts) not in session.objects("columnstore index")
        session.close()
