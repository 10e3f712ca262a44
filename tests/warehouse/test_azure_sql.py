"""The loads of the DuckDB file again, into Azure SQL Database through Microsoft's driver."""

import shutil

import pytest

from coinlake import warehouse
from coinlake.errors import ConfigurationError, WarehouseError
from coinlake.schema import DIM_COIN, DIM_CURRENCY, FACT_PRICE_DAILY
from coinlake.warehouse import loading
from coinlake.warehouse.azure_sql import AzureSqlSession
from coinlake.warehouse.sql import scripts
from tests.support import azure
from tests.support.tds import Double
from tests.support.warehouse_contract import CHANGES, Exactness, Log, Migrations, Views
from tests.support.warehouse_rows import change, contents, fact, key, load, row, star

FIRST = {"bitcoin": 63_000.0, "ethereum": 1_800.0}


@pytest.fixture
def embedded(tmp_path):
    """In place of the file: a database without a warehouse."""
    if azure.URL:
        yield azure.on_real_server()
        return
    with Double() as server:
        yield azure.on_double(server)


@pytest.fixture(scope="module")
def _built_server(tmp_path_factory):
    path = tmp_path_factory.mktemp("server") / "coinlake.duckdb"
    with Double(path=path) as server:
        loading.load_changes(azure.on_double(server), star(**FIRST), "first")
    return path


@pytest.fixture
def loaded(tmp_path, request):
    """In place of the file: a warehouse of two coins."""
    if azure.URL:
        server = azure.on_real_server()
        loading.load_changes(server, star(**FIRST), "first")
        yield server
        return
    path = shutil.copy(request.getfixturevalue("_built_server"), tmp_path / "coinlake.duckdb")
    with Double(path=path) as server:
        yield azure.on_double(server)


class TestExactness(Exactness):
    pass


class TestLog(Log):
    pass


class TestViews(Views):
    pass


class TestRules:
    """The same rules; the words are the server's."""

    def refused(self, warehouse, *changes):
        before = everything(warehouse)
        with pytest.raises(WarehouseError) as refusal:
            load(warehouse, *changes)
        assert everything(warehouse) == before
        return str(refusal.value)

    def test_a_key_that_leads_nowhere(self, loaded):
        message = self.refused(loaded, change(FACT_PRICE_DAILY, fact("solana", 77)))
        assert "merge/fact_price_daily" in message
        assert 'conflicted with the FOREIGN KEY constraint "fk_fact_price_daily_dim_coin"' in message

    def test_a_missing_value(self, loaded):
        coin = row(DIM_COIN, coin_key=3, coin_id="solana", name=None)
        assert "Cannot insert the value NULL into column 'name'" in self.refused(loaded, change(DIM_COIN, coin))

    def test_a_rule_of_the_table(self, loaded):
        message = self.refused(loaded, change(FACT_PRICE_DAILY, fact("bitcoin", 1, low=9.0, high=8.0)))
        assert "conflicted with " in message
        assert "CHECK constraint" in message

    def test_a_text_that_is_too_long(self, loaded):
        message = self.refused(loaded, change(DIM_COIN, row(DIM_COIN, coin_key=3, name="a" * 401)))
        assert "staging.dim_coin: " in message

    def test_two_rows_of_one_key(self, loaded):
        twins = [row(DIM_CURRENCY, currency_key=7, currency=code) for code in ("eur", "chf")]
        assert "Violation of PRIMARY KEY constraint" in self.refused(loaded, change(DIM_CURRENCY, *twins))

    def test_a_deleted_dimension_that_facts_still_use(self, loaded):
        message = self.refused(loaded, change(DIM_COIN, deleted=[key(DIM_COIN, coin_key=1)]))
        assert 'conflicted with the REFERENCE constraint "fk_fact_price_daily_dim_coin"' in message

    def test_rows_that_get_lost_on_the_way(self, loaded, monkeypatch):
        stage = AzureSqlSession.stage

        def lossy(session, sent, load_id):
            stage(session, sent, load_id)
            session.execute(f"DELETE FROM staging.{sent.table.name} WHERE coin_key = 3", "test")

        monkeypatch.setattr(AzureSqlSession, "stage", lossy)
        coins = [row(DIM_COIN, coin_key=n, coin_id=str(n)) for n in (3, 4)]
        message = self.refused(loaded, change(DIM_COIN, *coins))
        assert message.startswith("staging.dim_coin has 1 rows of 2 that were sent")


class TestMigrations(Migrations):
    def test_nothing_is_outdated_after_a_load(self, loaded):
        applied = loading.state(loaded).applied
        assert loading.outdated(applied, loaded.extras()) == []
        every = (*scripts.migrations(), *scripts.repeatables(), *scripts.azure_objects())
        assert set(applied) == {scripts.name(path) for path in every}

    def test_a_migration_that_fails_leaves_the_warehouse_as_it_was(self, loaded, folder):
        (folder / "migrations" / "900_note.sql").write_text("CREATE TABLE control.note (x INT NULL)")
        (folder / "migrations" / "901_wrong.sql").write_text("CREATE TABLE control.note (x INT NULL)")
        with pytest.raises(WarehouseError, match=r"migrations/901_wrong: .*already an object named 'note'"):
            load(loaded)
        with pytest.raises(WarehouseError, match=r"Invalid object name '.*note'"):
            loaded.query("SELECT x FROM control.note")
        assert "migrations/900_note" not in loading.state(loaded).applied


class TestSharing:
    def test_a_reader_keeps_what_it_saw_and_the_next_one_gets_the_new(self, loaded):
        question = "SELECT coin_id FROM aggregated_data.fact_price_daily ORDER BY coin_id"
        with loaded.reading() as reader:
            first = reader.query(question)["coin_id"].to_pylist()
            load(loaded, *CHANGES)
            old = reader.query(question)["coin_id"].to_pylist()
            new = loaded.query(question)["coin_id"].tolist()
        assert first == old == ["bitcoin", "ethereum"]
        assert new == ["bitcoin", "solana"]

    def test_only_one_load_at_a_time(self, loaded):
        with (
            loaded.writing(),
            pytest.raises(WarehouseError, match=r"Another load of Azure.* is under way"),
        ):
            load(loaded, *CHANGES)
        load(loaded, *CHANGES)
        assert [found["coin_id"] for found in contents(loaded, FACT_PRICE_DAILY)] == ["bitcoin", "solana"]

    def test_rows_that_another_load_left_are_not_merged(self, loaded, monkeypatch):
        stage = AzureSqlSession.stage

        def joined(session, sent, load_id):
            stage(session, sent, load_id)
            stage(session, change(DIM_COIN, row(DIM_COIN, coin_key=66), deleted=[key(DIM_COIN, coin_key=2)]), 1)

        monkeypatch.setattr(AzureSqlSession, "stage", joined)
        assert load(loaded, change(DIM_COIN, row(DIM_COIN, coin_key=3))) == [("dim_coin", False, 1, 1, 0)]
        assert [coin["coin_key"] for coin in contents(loaded, DIM_COIN)] == [1, 2, 3]

    def test_an_emptied_database_has_no_warehouse(self, loaded):
        azure.empty(loaded)
        assert loading.state(loaded) == loading.State()
        assert load(loaded, *star(bitcoin=1.0)[:1]) == [("dim_coin", True, 1, 1, 0)]


def everything(warehouse):
    """What the star and the log hold."""
    log = warehouse.query("SELECT load_id, table_name, rows_merged FROM control.load_log").values.tolist()
    return [contents(warehouse, sent.table) for sent in star(**FIRST)], sorted(log)


class TestChoosing:
    def test_without_a_server_the_warehouse_is_a_file_of_the_lake(self):
        assert repr(warehouse.choose("/lake")) == "DuckDBWarehouse('/lake/warehouse.duckdb')"
        assert warehouse.choose("/lake").name == "warehouse.duckdb"

    def test_a_server_and_its_database(self, monkeypatch):
        monkeypatch.setenv("COINLAKE_SQL_CONNECTION", "UID=loader;PWD=Hidden-1")
        chosen = warehouse.choose("/lake", "sql.example.net", "coinlake")
        assert repr(chosen) == "AzureSqlWarehouse('sql.example.net', 'coinlake')"
        assert chosen.name == "sql.example.net/coinlake"

    @pytest.mark.parametrize("named", [("sql.example.net", ""), ("", "coinlake")])
    def test_one_without_the_other_is_refused(self, named):
        with pytest.raises(ConfigurationError, match="name both, or neither"):
            warehouse.choose("/lake", *named)

    def test_a_fingerprint_changes_with_what_is_held(self, loaded):
        before = loaded.fingerprint()
        assert before.startswith("last_load=1 dim_coin=2 dim_date=1 dim_currency=1 fact_market_snapshot=0 ")
        assert loaded.fingerprint() == before
        load(loaded, change(DIM_COIN, row(DIM_COIN, coin_key=3)))
        assert loaded.fingerprint() == before.replace("last_load=1 dim_coin=2", "last_load=2 dim_coin=3")
