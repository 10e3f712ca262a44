import os
import shutil

import pytest

from coinlake import schema
from coinlake_ops import environment as environments
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.clients import Clients
from tests.support import environment

# What a whole deployment leaves in the fakes: the same whenever it is made.
_whole: dict = {}
SMALL = ("responses", "coin_prices", "run_steps", "freshness", "pipeline_runs")


@pytest.fixture(autouse=True)
def small_catalog(monkeypatch):
    """Five tables are enough: one of each layer, two of them with policies, and those that alerts ask."""
    monkeypatch.setattr(schema, "TABLES", tuple(table for table in schema.TABLES if table.name in SMALL))


@pytest.fixture(autouse=True)
def only_templates(monkeypatch, tmp_path_factory):
    """No test sees an environment of the user's: neither its file nor its variables. Returns the folder."""
    folder = tmp_path_factory.mktemp("environments")
    for template in environments.FOLDER.glob(f"*{environments.TEMPLATE}"):
        shutil.copy(template, folder)
    monkeypatch.setattr(environments, "FOLDER", folder)
    for name in [name for name in os.environ if name.startswith(environments.VARIABLE)]:
        monkeypatch.delenv(name)
    return folder


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
    there = (
        f"{environment.DEV.group_id}/providers/Microsoft.Sql/servers/sql-coinlake-dev/databases/coinlake".lower()
    )
    resources = fakes.fakes["arm"]
    monkeypatch.setattr(Clients, "database", lambda _: database if there in resources.resources else None)
    return fakes


@pytest.fixture
def deployed(net, root):
    """The same with everything deployed into it, which is made once and remembered."""
    if not _whole:
        deployment.apply(deployment.parts(environment.clients(root)), lambda _line: None)
        _whole.update(net.state())
    net.restore(_whole)
    net.calls.clear()
    return net
