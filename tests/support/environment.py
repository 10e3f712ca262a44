"""One environment of the cloud, all of it fake: what every test of the deployment starts from."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from azure.core.credentials import AccessToken
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coinlake import parameters
from coinlake.schema import STEPS
from coinlake_ops import project
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.environment import Environment
from tests.support import tokens
from tests.support.fake_arm import OWNER, WORKSPACE_HOST, FakeArm
from tests.support.fake_database import FakeDatabase
from tests.support.fake_vault import FakeVault
from tests.support.fake_workspace import FakeWorkspace
from tests.support.internet import Internet
from tests.support.planted import VAULT_KEY as KEY

DEV = Environment(
    name="dev",
    subscription="0a0a0a0a-0000-0000-0000-000000000000",
    tenant="0b0b0b0b-0000-0000-0000-000000000000",
    resource_group="rg-coinlake-dev",
    location="westeurope",
    storage_account="stcoinlakedev",
    key_vault="kv-coinlake-dev",
    factory="adf-coinlake-dev",
    workspace="dbw-coinlake-dev",
    access_connector="dbac-coinlake-dev",
    sql_server="sql-coinlake-dev",
    sql_database="coinlake",
    log_workspace="log-coinlake-dev",
    platform_group="coinlake-platform",
    platform_group_id="0c0c0c0c-0000-0000-0000-000000000000",
    engineers_group="coinlake-engineers",
    engineers_group_id="0e0e0e0e-0000-0000-0000-000000000000",
    analysts_group="coinlake-analysts",
    analysts_group_id="0f0f0f0f-0000-0000-0000-000000000000",
    databricks_application_object_id="0d0d0d0d-0000-0000-0000-000000000000",
    alert_email="data@example.org",
    storage_redundancy="Standard_LRS",
    monthly_budget=120,
    sql_vcores=1,
    sql_pause_minutes=15,
    log_retention_days=30,
    running_triggers=("tr_daily",),
)
# What a template cannot know.
TO_FILL_IN = [
    "subscription",
    "tenant",
    "platform_group_id",
    "engineers_group_id",
    "analysts_group_id",
    "databricks_application_object_id",
    "alert_email",
]
GROUPS = (DEV.platform_group, DEV.engineers_group, DEV.analysts_group)
PARAMETERS = (
    'catalog: str = "spark_catalog"  # a\nrun_id: str = ""  # b\ncoins: int = 250  # c\nas_of: str = ""  # d'
)
# What the notebooks of the environment are told: the tests' own values, whatever parameters/dev.yml says.
VALUES = {name: parameter.type() for name, parameter in parameters.PARAMETERS.items()} | {
    "environment": "dev",
    "catalog": "coinlake_dev",
    "lake_path": "/Volumes/coinlake_dev/raw_data/lake",
    "source": "live",
    "plan": "demo",
    "coins": 250,
    "secret_scope": "coinlake",
    "key_vault_url": DEV.vault_url,
    "sql_server": DEV.sql_host,
    "sql_database": DEV.sql_database,
    "sql_credential": "coinlake_dev_sql",
    "freshness_sla_hours": 26.0,
}
NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)


class Credential:
    """Signs in to anything at once, a service principal or a person; the token says who it is for.

    `asked` are the scopes so far, one for each token.
    """

    def __init__(self, person: str = ""):
        self.asked: list[str] = []
        self._person = person

    def get_token(self, *scopes, **_):
        self.asked.append(scopes[0])
        return AccessToken(tokens.of(scopes[0], self._person), 4_000_000_000)


def internet(permissions=OWNER) -> Internet:
    """An empty resource group, and a workspace that waits for it; the vault holds the API key."""
    fakes = Internet(
        arm=FakeArm(DEV.group_id, permissions),
        workspace=FakeWorkspace(WORKSPACE_HOST, GROUPS),
        vault=FakeVault("kv-coinlake-dev.vault.azure.net"),
        database=FakeDatabase(),
    )
    fakes.fakes["vault"].state["coingecko-api-key"] = KEY
    return fakes


def clients(
    root: Path, environment: Environment = DEV, now: datetime = NOW, credential: Credential | None = None
) -> Clients:
    """A new connection, as a new call of the command has it; waiting takes no time."""
    return Clients(
        environment,
        VALUES,
        credential or Credential(),
        sleep=lambda seconds: None,
        root=root,
        now=lambda: now,
    )


def repository(root: Path) -> Path:
    """A small repository: every notebook with its parameters and nothing else, three files, the real factory."""
    (root / "notebooks" / "coinlake" / "reports").mkdir(parents=True)
    for name in STEPS:
        cells = [new_markdown_cell("# A notebook", id="a"), new_code_cell(PARAMETERS, id="p")]
        cells[1].metadata["tags"] = ["parameters"]
        nbformat.write(new_notebook(cells=cells), root / "notebooks" / f"{name}.ipynb")
    for path in (
        "notebooks/coinlake/schema/table.py",
        "notebooks/coinlake/reports/page.css",
        "sql/warehouse/views/a.sql",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(f"-- {path}\n", encoding="utf-8")
    shutil.copytree(project.ROOT / "adf", root / "adf")
    return root
