"""What a service does on bad days: whatever fails, and wherever, the warehouse ends exact."""

import http.server
import json
import logging
import shutil
import subprocess
import sys
import threading
import traceback
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake.runtime import Secret
from coinlake.schema import DIM_COIN, FACT_PRICE_DAILY
from coinlake.warehouse import AzureSqlWarehouse, azure_sql, loading
from coinlake.warehouse.azure_sql import Unavailable
from tests.support import azure
from tests.support.tds import Double
from tests.support.tds.certificate import make_certificate
from tests.support.warehouse_rows import change, contents, fact, key, row, star

pytestmark = azure.only_double

ROOT = Path(__file__).parents[2]
ETHEREUM = {"coin_id": "ethereum", "vs_currency": "usd", "date": date(2026, 8, 12)}
CHANGES = [
    change(DIM_COIN, row(DIM_COIN, coin_key=3, coin_id="solana"), deleted=[key(DIM_COIN, coin_key=2)], version=2),
    change(FACT_PRICE_DAILY, fact("solana", 3), deleted=[key(FACT_PRICE_DAILY, **ETHEREUM)], version=2),
]
MERGE = "DECLARE @load_id INT = 2; MERGE INTO aggregated_data.fact_price_daily"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The database file of a warehouse of two coins."""
    path = tmp_path_factory.mktemp("server") / "coinlake.duckdb"
    with Double(path=path) as server:
        loading.load_changes(azure.on_double(server), star(bitcoin=63_000.0, ethereum=1_800.0), "first")
    return path


@pytest.fixture
def server(built, tmp_path):
    """A service that holds this warehouse."""
    with Double(path=shutil.copy(built, tmp_path / "coinlake.duckdb")) as double:
        yield double


@pytest.fixture
def waits():
    """The pauses that were made, in seconds."""
    return []


@pytest.fixture
def warehouse(server, waits):
    """That warehouse, whose pauses are noted instead of slept."""
    return azure.on_double(server, wait=waits.append)


def load(warehouse: AzureSqlWarehouse) -> list[tuple[str, int, int, int]]:
    """Load what is new of CHANGES, as coinlake.warehouse.load does with what gold says."""

    def changes(_lake, loaded):
        return (sent for sent in CHANGES if loaded.get(sent.table.name) != sent.position)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "gold_changes", changes)
        loads = loading.load(None, warehouse, "second")
    return [(done.table.name, done.staged, done.merged, done.deleted) for done in loads]


def state(server: Double) -> tuple[list[tuple], list[tuple], list[tuple]]:
    """What the service holds: the facts, the coins' keys, and what the log says of the second load."""
    session = server.database.session()
    found = tuple(
        session.execute(question).rows
        for question in (
            "SELECT coin_id, coin_key, [close] FROM aggregated_data.fact_price_daily ORDER BY coin_id",
            "SELECT coin_key FROM aggregated_data.dim_coin ORDER BY coin_key",
            "SELECT table_name, delta_version, rows_staged, rows_merged, rows_deleted FROM control.load_log "
            "WHERE run_id = 'second' ORDER BY table_name",
        )
    )
    session.close()
    return found


BEFORE = ([("bitcoin", 1, 63_000.0), ("ethereum", 2, 1_800.0)], [(1,), (2,)], [])
AFTER = (
    [("bitcoin", 1, 63_000.0), ("solana", 3, 1.0)],
    [(1,), (3,)],
    [("dim_coin", 2, 2, 1, 1), ("fact_price_daily", 2, 2, 1, 1)],
)
LOADED = [("dim_coin", 2, 1, 1), ("fact_price_daily", 2, 1, 1)]


class TestRetries:
    def test_a_good_day_needs_no_second_attempt(self, server, warehouse, waits):
        assert load(warehouse) == LOADED
        assert (state(server), waits) == (AFTER, [])

    @pytest.mark.parametrize(
        ("when", "what"),
        [
            ("login", 40613),
            *(("login", number) for number in (233, 615, 926, 4060, 4221, 42109)),
            (MERGE, 40540),
            ("bulk", 10928),
            ("bulk", 40501),
            (MERGE, 40197),
            (MERGE, 1205),
            (MERGE, 10929),
            (MERGE, "drop"),
            (MERGE, "drop after"),
            ("commit", "drop"),
            ("commit", 49918),
        ],
    )
    def test_a_fault_that_passes_costs_one_pause(self, server, warehouse, waits, when, what):
        server.fault(when, what)
        assert load(warehouse) == LOADED
        assert (state(server), waits) == (AFTER, [5.0])

    def test_a_commit_whose_answer_is_lost_is_not_done_twice(self, server, warehouse, waits):
        server.fault(MERGE, 40197)  # the first attempt
        server.fault("DECLARE @load_id INT = 3; MERGE INTO aggregated_data.dim_coin", 1205)
        server.fault("commit", "drop after")
        assert load(warehouse) == LOADED
        assert (state(server), waits) == (AFTER, [5.0, 10.0, 20.0])

    def test_a_database_that_sleeps_is_waited_for(self, server, warehouse, waits):
        server.fault("login", 40613, times=4)
        assert load(warehouse) == LOADED
        assert (state(server), waits) == (AFTER, [5.0, 10.0, 20.0, 40.0])

    def test_pauses_are_spread_so_that_loads_do_not_return_together(self, server, waits):
        server.fault("login", 40613, times=2)
        load(azure.on_double(server, wait=waits.append, chance=lambda: 0.0))
        assert waits == [2.5, 5.0]

    def test_it_gives_up_in_the_end_and_says_why(self, server, warehouse, waits):
        server.fault("login", 40613, times=99)
        with pytest.raises(CoinlakeError) as failure:
            load(warehouse)
        assert str(failure.value) == (
            f"{server.address}, coinlake, connection: Database 'coinlake' on server 'double' is not currently "
            "available. Please retry the connection later."
        )
        assert waits == list(azure_sql.PAUSES)
        server.heal()
        assert state(server) == BEFORE

    def test_a_database_that_is_not_there_is_waited_for_and_then_named_with_what_to_check(self, server, waits):
        """It cannot be opened while the service moves it, too."""
        secret = Secret(f"UID={server.user};PWD={server.password}")
        warehouse = AzureSqlWarehouse(
            server.address, "other", secret, certificate=server.certificate, wait=waits.append, chance=lambda: 1.0
        )
        with pytest.raises(CoinlakeError, match=r'Cannot open database "other".*Check sql_database'):
            warehouse.attempt(lambda: loading.state(warehouse))
        assert waits == list(azure_sql.PAUSES)

    def test_a_load_waits_for_the_one_before_it(self, server, warehouse, waits):
        with warehouse.writing():
            with pytest.raises(CoinlakeError, match="Another load of AzureSqlWarehouse"):
                load(warehouse)
            assert waits == list(azure_sql.PAUSES)
        assert load(warehouse) == LOADED
        assert state(server) == AFTER

    def test_what_cannot_pass_is_not_tried_again(self, server):
        server.fault("login", 40615)
        with pytest.raises(CoinlakeError, match="firewall rules") as failure:
            load(azure.on_double(server))
        assert not isinstance(failure.value, Unavailable)

    @pytest.mark.parametrize("every", [9, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.whole])])
    def test_a_connection_cut_at_any_request(self, built, tmp_path, every):
        requests = self.requests(built, tmp_path)
        cuts = [("drop", place) for place in range(len(requests))]
        # An answer that is lost matters where something was done.
        done = ("TRUNCATE", "bulk", "INSERT INTO", "DECLARE", "commit")
        cuts += [("drop after", place) for place, request in enumerate(requests) if request.startswith(done)]
        for what, place in cuts[::every]:
            path, waits = Path(shutil.copy(built, tmp_path / "coinlake.duckdb")), []
            with Double(path=path) as server:
                warehouse = azure.on_double(server, wait=waits.append)
                server.fault(place, what)
                assert load(warehouse) == LOADED
                assert (state(server), waits) == (AFTER, [5.0]), f"{what} at request {place}: {requests[place]}"
            path.unlink()
        assert len(cuts) > 60

    def requests(self, built, tmp_path) -> list[str]:
        """What a load asks for when nothing fails."""
        with Double(path=shutil.copy(built, tmp_path / "quiet.duckdb")) as server:
            load(azure.on_double(server))
            return list(server.requests)

    def test_a_service_that_is_killed_in_the_transaction(self, built, tmp_path):
        path = shutil.copy(built, tmp_path / "coinlake.duckdb")
        certificate, _ = make_certificate()
        with subprocess.Popen(**serving(path, 0, MERGE)) as doomed:
            address = doomed.stdout.readline().strip()
            restarted = []

            def restart(seconds: float) -> None:
                assert doomed.wait(10) == 9
                again = subprocess.Popen(**serving(path, int(address.partition(",")[2])))
                restarted.append(again)
                assert again.stdout.readline().strip() == address

            warehouse = AzureSqlWarehouse(
                address,
                "coinlake",
                Secret("UID=loader;PWD=Correct-Horse-7!"),
                certificate=certificate,
                wait=restart,
            )
            assert load(warehouse) == LOADED
        (again,) = restarted
        again.communicate()
        assert again.returncode == 0
        with Double(path=path) as server:
            assert state(server) == AFTER


def serving(path, port: int, *fatal: str) -> dict:
    """How to start a double in a process of its own."""
    program = [sys.executable, "-m", "tests.support.tds"]
    return {
        "args": [*program, path, str(port), *map(str, make_certificate()), *fatal],
        "cwd": ROOT,
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
    }


class TestSignIn:
    def refused(self, warehouse) -> str:
        with pytest.raises(CoinlakeError) as refusal:
            loading.state(warehouse)
        return str(refusal.value)

    def test_a_wrong_password_is_refused_and_never_shown(self, server, caplog):
        caplog.set_level(logging.DEBUG)
        password = "Wrong-Horse-8!{;}"
        warehouse = AzureSqlWarehouse(
            server.address,
            "coinlake",
            Secret(f"UID=loader;PWD={{{password.replace('}', '}}')}}}"),
            certificate=server.certificate,
        )
        with pytest.raises(CoinlakeError) as refusal:
            loading.state(warehouse)
        assert str(refusal.value) == (
            f"{server.address}, coinlake, connection: Login failed for user 'loader'. "
            "Check the secret, or that this identity is a user of the database (sql/azure/access)."
        )
        shown = "".join(traceback.format_exception(refusal.value)) + caplog.text + repr(warehouse)
        assert "Wrong-Horse" not in shown

    def test_a_password_of_strange_letters_is_accepted(self, tmp_path):
        password = "a;b}c{d=e' \"ü"
        with Double(password=password) as server:
            secret = Secret(f"UID=loader;PWD={{{password.replace('}', '}}')}}}")
            warehouse = AzureSqlWarehouse(server.address, "coinlake", secret, certificate=server.certificate)
            assert loading.state(warehouse) == loading.State()

    @pytest.mark.parametrize("text", ["loader:Hidden-1", "UID=loader;PWD=Hidden-1;Encrypt=no", "PWD=Hidden-1"])
    def test_a_secret_of_another_form_is_refused_and_never_shown(self, server, text):
        message = self.refused(AzureSqlWarehouse(server.address, "coinlake", Secret(text)))
        assert message.startswith("The secret sql-connection is not of the form UID=<user>;PWD=<password>.")
        assert "Hidden-1" not in message

    def test_another_database(self, server):
        secret = Secret(f"UID={server.user};PWD={server.password}")
        warehouse = AzureSqlWarehouse(server.address, "other", secret, certificate=server.certificate)
        assert 'Cannot open database "other"' in self.refused(warehouse)
        assert "Check sql_database" in self.refused(warehouse)

    def test_a_server_that_cannot_prove_who_it_is(self, server):
        secret = Secret(f"UID={server.user};PWD={server.password}")
        message = self.refused(AzureSqlWarehouse(server.address, "coinlake", secret))
        assert "certificate verify failed" in message
        assert message.endswith("The server's certificate is not trusted: check the parameter sql_server.")
        assert server.requests == []

    def test_an_access_token_instead_of_a_password(self, server):
        good, bad = (
            AzureSqlWarehouse(server.address, "coinlake", Credential(token), certificate=server.certificate)
            for token in (server.token, "an old token")
        )
        assert [coin["coin_key"] for coin in contents(good, DIM_COIN)] == [1, 2]
        assert "Login failed for user '<token-identified principal>'" in self.refused(bad)

    def test_bulk_copy_signs_in_with_the_token_too(self, server):
        warehouse = AzureSqlWarehouse(
            server.address, "coinlake", Credential(server.token), certificate=server.certificate
        )
        assert load(warehouse) == LOADED

    def test_the_managed_identity_comes_first(self, server, monkeypatch):
        asked = []

        class Endpoint(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                answer = {"access_token": server.token, "expires_on": "4102444800", "token_type": "Bearer"}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_):
                pass

        with http.server.HTTPServer(("127.0.0.1", 0), Endpoint) as endpoint:
            thread = threading.Thread(target=endpoint.serve_forever)
            thread.start()
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{endpoint.server_port}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "local")
            identity = azure_sql.sign_in()
            warehouse = AzureSqlWarehouse(server.address, "coinlake", identity, certificate=server.certificate)
            found = [coin["coin_key"] for coin in contents(warehouse, DIM_COIN)]
            endpoint.shutdown()
            thread.join()
        assert found == [1, 2]
        assert asked == ["/token?api-version=2019-08-01&resource=https://database.windows.net"]

    def test_on_databricks_a_service_credential_comes_before_every_secret(self, server, monkeypatch):
        lent = {"coinlake_dev_sql": Credential(server.token)}
        credentials = SimpleNamespace(getServiceCredentialsProvider=lent.__getitem__)
        monkeypatch.setattr(runtime, "dbutils", lambda: SimpleNamespace(credentials=credentials))
        identity = azure_sql.sign_in("scope", "https://vault", "coinlake_dev_sql")
        warehouse = AzureSqlWarehouse(server.address, "coinlake", identity, certificate=server.certificate)
        assert [coin["coin_key"] for coin in contents(warehouse, DIM_COIN)] == [1, 2]
        with pytest.raises(CoinlakeError, match=r"does not lend the service credential 'other' \(KeyError\)"):
            azure_sql.sign_in("", "", "other")

    def test_a_service_credential_is_refused_where_nobody_lends_it(self):
        with pytest.raises(CoinlakeError, match="exist only on Databricks: leave it empty here"):
            azure_sql.sign_in("", "", "coinlake_dev_sql")

    def test_a_secret_comes_before_every_identity(self, monkeypatch):
        monkeypatch.setenv("COINLAKE_SQL_CONNECTION", "UID=loader;PWD=Hidden-1")
        identity = azure_sql.sign_in()
        assert identity.reveal() == "UID=loader;PWD=Hidden-1"
        assert "Hidden-1" not in repr(AzureSqlWarehouse("server", "database", identity))


class Credential:
    """A credential of azure-identity in its simplest form."""

    def __init__(self, token: str):
        self._token = token

    def get_token(self, *scopes: str, **_options: object):
        from azure.core.credentials import AccessToken

        assert scopes == ("https://database.windows.net/.default",)
        return AccessToken(self._token, 4102444800)
