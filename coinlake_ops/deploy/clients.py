"""The clients of one environment: signed in once, made when first needed."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.azure import add_sp_management_token, add_workspace_id_header
from databricks.sdk.core import Config
from databricks.sdk.credentials_provider import credentials_strategy

from coinlake.errors import CoinlakeError
from coinlake.parameters import Value
from coinlake.warehouse import AzureSqlWarehouse
from coinlake_ops.azure import lint, template
from coinlake_ops.deploy.arm_client import HOST, ArmClient
from coinlake_ops.deploy.database import Database
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.tokens import DatabricksTokens, KeptTokens
from coinlake_ops.environment import Environment
from coinlake_ops.project import ROOT

DEPLOYMENTS_API = "2022-09-01"
IDENTITIES_API = "2023-01-31"
# The application id of Azure Databricks, the same in every tenant: whom a token is for.
DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"
DATABRICKS_SCOPE = f"{DATABRICKS}/.default"
# The audience ends with a slash of its own.
MANAGEMENT_SCOPE = "https://management.core.windows.net//.default"
# Source: Azure documentation, "Troubleshoot Azure RBAC".
UNTIL_ROLES_ARE_KNOWN = timedelta(minutes=10)
SCOPES = (
    f"{HOST}/.default",
    DATABRICKS_SCOPE,
    MANAGEMENT_SCOPE,
    "https://vault.azure.net/.default",
    "https://database.windows.net/.default",
)

# What it has tried in vain it would print on a dozen lines; the error that follows says what to do.
logging.getLogger("azure.identity").setLevel(logging.ERROR)


class Clients:
    """One environment: its description, the parameters of its notebooks, and the clients that reach it.

    `credential` signs in (default: azure-identity's DefaultAzureCredential, which AZURE_TOKEN_CREDENTIALS
    narrows); `sleep` waits, in seconds; `root` is the folder of the repository that is deployed;
    `now` tells the time, in UTC.
    """

    def __init__(
        self,
        environment: Environment,
        parameters: dict[str, Value],
        credential: TokenCredential | None = None,
        sleep: Callable[[float], None] = time.sleep,
        root: Path = ROOT,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self.environment = environment
        self.parameters = parameters
        self.credential = KeptTokens(credential or DefaultAzureCredential())
        self.sleep = sleep
        self.root = root
        self.now = now
        self._workspace: WorkspaceClient | None = None
        self._application_ids: dict[str, str] = {}

    @cached_property
    def arm(self) -> ArmClient:
        """Azure Resource Manager."""
        return ArmClient(self.credential, self.sleep)

    @cached_property
    def factory(self) -> DataFactoryManagementClient:
        """The SDK of Data Factory."""
        return DataFactoryManagementClient(self.credential, self.environment.subscription)

    @cached_property
    def vault(self) -> SecretClient:
        """The secrets of the environment's Key Vault."""
        return SecretClient(self.environment.vault_url, self.credential)

    def database(self) -> Database | None:
        """The warehouse in Azure SQL Database; None before it exists."""
        server = self.resource_id("Microsoft.Sql/servers", self.environment.sql_server)
        if self._resource(f"{server}/databases/{self.environment.sql_database}") is None:
            return None
        return Database(
            AzureSqlWarehouse(self.environment.sql_host, self.environment.sql_database, self.credential)
        )

    @property
    def deployment(self) -> str:
        """Where Resource Manager keeps the record of the last deployment of the template."""
        return self.resource_id("Microsoft.Resources/deployments", f"coinlake-{self.environment.name}")

    def has_new_roles(self) -> bool:
        """Whether the resources, and roles with them, were deployed so lately that not every service knows."""
        record = self.arm.get(self.deployment, DEPLOYMENTS_API)
        if record is None:
            return False
        deployed = datetime.fromisoformat(record["properties"]["timestamp"])
        return self.now() - deployed < UNTIL_ROLES_ARE_KNOWN

    def resource_id(self, kind: str, name: str) -> str:
        """The id of a resource of the group, by its type and name, whether it is there or not."""
        return f"{self.environment.group_id}/providers/{kind}/{name}"

    def deleted_vault(self) -> dict[str, Any] | None:
        """A vault of this name that was deleted less than 90 days ago, and so can only be taken back; or None."""
        environment = self.environment
        path = (
            f"/subscriptions/{environment.subscription}/providers/Microsoft.KeyVault/locations/{environment.location}"
            f"/deletedVaults/{environment.key_vault}"
        )
        return self.arm.get(path, lint.API_VERSIONS["Microsoft.KeyVault/vaults"])

    @property
    def workspace_id(self) -> str:
        """The id of the Databricks workspace."""
        return self.resource_id("Microsoft.Databricks/workspaces", self.environment.workspace)

    @property
    def access_connector_id(self) -> str:
        """The id of the access connector, through which Unity Catalog reaches storage and Azure SQL."""
        return self.resource_id("Microsoft.Databricks/accessConnectors", self.environment.access_connector)

    def workspace_url(self) -> str | None:
        """Where the Databricks workspace answers; None before it does."""
        found = self._resource(self.workspace_id)
        if found is None or "workspaceUrl" not in found["properties"]:
            return None
        return f"https://{found['properties']['workspaceUrl']}"

    def workspace_number(self) -> str:
        """By which number the Databricks account knows the workspace; raises CoinlakeError before it exists."""
        found = needed(self._resource(self.workspace_id), f"workspace {self.environment.workspace}")
        return found["properties"]["workspaceId"]

    def workspace(self) -> WorkspaceClient | None:
        """The Databricks workspace; None before it exists."""
        if self._workspace is None:
            url = self.workspace_url()
            if url is None:
                return None
            self._workspace = WorkspaceClient(
                config=Config(
                    host=url,
                    azure_workspace_resource_id=self.workspace_id,
                    credentials_strategy=self._databricks_sign_in(),
                )
            )
        return self._workspace

    def needed_workspace(self) -> WorkspaceClient:
        """The Databricks workspace; raises CoinlakeError before it exists."""
        workspace = self.workspace()
        if workspace is None:
            raise CoinlakeError(
                f"There is no workspace {self.environment.workspace} yet. Apply the part resources first: "
                f"coinlake deploy apply --environment {self.environment.name} --only resources"
            )
        return workspace

    @cached_property
    def deployer(self) -> str | None:
        """Who is signed in to the workspace: a user's name, or the application id of a service principal."""
        return self.needed_workspace().current_user.me().user_name

    @property
    def factory_application_id(self) -> str:
        """The application id of the factory's identity: its name in Databricks and in Unity Catalog."""
        return self._application_id("Microsoft.DataFactory/factories", self.environment.factory)

    @property
    def access_connector_application_id(self) -> str:
        """The application id of the access connector's identity, as which notebook 05 signs in to Azure SQL."""
        return self._application_id("Microsoft.Databricks/accessConnectors", self.environment.access_connector)

    def _application_id(self, kind: str, name: str) -> str:
        """Of a resource's own identity, by which a plan says what it will be before the resource is there.

        Resource Manager tells it to whoever may read the resource; the directory would need rights of its own.
        Source: Azure REST API reference, System Assigned Identities - Get By Scope.
        """
        if name not in self._application_ids:
            identity = f"{self.resource_id(kind, name)}/providers/Microsoft.ManagedIdentity/identities/default"
            found = self.arm.get(identity, IDENTITIES_API)
            if found is None:
                return not_yet(name)
            self._application_ids[name] = found["properties"]["clientId"]
        return self._application_ids[name]

    def _resource(self, resource_id: str) -> dict[str, Any] | None:
        return self.arm.get(resource_id, lint.API_VERSIONS[template.type_of(resource_id)])

    def sign_in(self) -> None:
        """Ask for the tokens of all services at once.

        After azure/login in a workflow, a token for a new service can be had for some minutes only; a first
        deployment of the resources takes longer. Raises CoinlakeError when nobody is signed in.
        """
        for scope in SCOPES:
            try:
                self.credential.get_token(scope)
            except ClientAuthenticationError as problem:
                reason = str(problem).partition("\n")[0]
                raise CoinlakeError(f"There is no token for {scope} ({reason}). Run: az login") from None

    def _databricks_sign_in(self):
        """What the SDK's own sign-in sends, with tokens of azure-identity, which knows every way to sign in.

        A workspace that a service principal has never entered lets it in by the workspace's id and a token for
        Resource Manager. Source: databricks.sdk.credentials_provider.azure_cli.
        """

        @credentials_strategy("azure-identity", ["host"])
        def strategy(config):
            tokens = DatabricksTokens(self.credential, DATABRICKS_SCOPE)
            management = DatabricksTokens(self.credential, MANAGEMENT_SCOPE)

            def headers() -> dict[str, str]:
                signed = {"Authorization": f"Bearer {tokens.token().access_token}"}
                add_workspace_id_header(config, signed)
                if not tokens.are_of_a_person():
                    add_sp_management_token(management, signed)
                return signed

            return headers

        return strategy


def not_yet(name: str) -> str:
    """What stands in a plan for the application id of a resource that is not there yet."""
    return f"(application id of {name})"
