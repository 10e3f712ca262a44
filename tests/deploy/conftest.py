import pytest

from coinlake import schema
from coinlake_ops.deploy.clients import Clients
from tests.support import environment

SMALL = ("responses", "coin_prices", "run_steps")


@pytest.fixture(autouse=True)
def small_catalog(monkeypatch):
    """Three tables are enough: one of each layer, two of them with policies."""
    monkeypatch.setattr(schema, "TABLES", tuple(table for table in schema.TABLES if table.name in SMALL))


@pytest.fixture(scope="session")
def root(tmp_path_factory):
    """A small repository to deploy; a test that changes a file makes its own."""
    return environment.repository(tmp_path_factory.mktemp("repository"))


@pytest.fixture
def net(monkeypatch):
    """An empty resource group, a workspace that waits for it, and nothing else that answers."""
    fakes = environment.internet()
    fakes.install(monkeypatch)
    database = fakes.fakes["database"]
    monkeypatch.setattr(Clients, "database", lambda clients: database if clients.outputs() else None)
    return fakes
