"""The clients of one environment: signed in once, made when first needed."""

import logging
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from azure.core.credentials import TokenCredential
from azure.identity import DefaultAzureCredential
from azure.keyvault.secrets import SecretClient
from azure.mgmt.datafactory import DataFactoryManagementClient
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.credentials_provider import credentials_strategy

from coinlake.errors import CoinlakeError
from coinlake.parameters import Value
from coinlake.warehouse import AzureSqlWarehouse
from coinlake_ops.deploy.arm_client import GRAPH, ArmClient
from coinlake_ops.deploy.database import Database
from coinlake_ops.environment import Environment
from coinlake_ops.project import ROOT

DEPLOYMENTS_API = "2022-09-01"
# The application id of Azure Databricks, the same in every tenant: whom a token is for.
DATABRICKS = "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d"

# What it has tried in vain it would print on a dozen lines; the error that follows says what to do.
logging.getLogger("azure.identity").setLevel(logging.ERROR)


class Clients:
    """One environment: its description, the parameters of its notebooks, and the clients that reach it.

    `credential` signs in (default: azure-identity's DefaultAzureCredential, which AZURE_TOKEN_CREDENTIALS
    narrows); `sleep` waits, in seconds; `root` is the folder of the repository that is deployed.
    """

    def __init__(
        self,
        environment: Environment,
        parameters: dict[str, Value],
        credential: TokenCredential | None = None,
        sleep: Callable[[float], None] = time.sleep,
        root: Path = ROOT,
    ):
        self.environment = environment
        self.parameters = parameters
        self.credential = credential or DefaultAzureCredential()
        self.sleep = sleep
        self.root = root
        self._workspace: WorkspaceClient | None = None
        self._application_id = environment.factory_application_id

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
        """The warehouse in Azure SQL Database; None before its server exists."""
        outputs = self.outputs()
        if outputs is None:
            return None
        return Database(
            AzureSqlWarehouse(outputs["sqlServerHost"], self.environment.sql_database, self.credential)
        )

    @property
    def deployment(self) -> str:
        """Where Resource Manager keeps the record of the last deployment of the template."""
        name = f"coinlake-{self.environment.name}"
        return f"{self.environment.group_id}/providers/Microsoft.Resources/deployments/{name}"

    def outputs(self) -> dict[str, Any] | None:
        """What the last deployment of the template said, by name; None before the first one succeeded."""
        record = self.arm.get(self.deployment, DEPLOYMENTS_API)
        if record is None or record["properties"]["provisioningState"] != "Succeeded":
            return None
        return {name: output["value"] for name, output in record["properties"]["outputs"].items()}

    def workspace(self) -> WorkspaceClient | None:
        """The Databricks workspace; None before it exists."""
        if self._workspace is None:
            outputs = self.outputs()
            if outputs is None:
                return None
            self._workspace = WorkspaceClient(
                config=Config(
                    host=f"https://{outputs['workspaceUrl']}",
                    azure_workspace_resource_id=outputs["workspaceId"],
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

    @property
    def factory_application_id(self) -> str:
        """The application id of the factory's identity: its name in Databricks and in Unity Catalog.

        Raises CoinlakeError when Microsoft Graph does not tell it.
        """
        if self._application_id:
            return self._application_id
        outputs = self.outputs()
        if outputs is None:
            return f"(application id of {self.environment.factory})"
        principal = outputs["factoryPrincipalId"]
        remedy = (
            f"Run `az ad sp show --id {principal} --query appId` with an account that may, and write the answer "
            f"as factory_application_id into coinlake_ops/azure/{self.environment.name}.yml."
        )
        try:
            graph = ArmClient(self.credential, self.sleep, GRAPH)
            answer = graph.get(f"/v1.0/servicePrincipals/{principal}", **{"$select": "appId"})
        except CoinlakeError as error:
            raise CoinlakeError(
                f"Microsoft Graph does not tell who the factory's identity is: {error} {remedy}"
            ) from None
        if answer is None:
            raise CoinlakeError(f"Microsoft Graph does not know the factory's identity {principal} yet. {remedy}")
        self._application_id = answer["appId"]
        return self._application_id

    def _databricks_sign_in(self):
        """azure-identity in the place of the SDK's own providers, none of which knows managed identities."""

        @credentials_strategy("azure-identity", ["host"])
        def strategy(_config):
            return lambda: {"Authorization": f"Bearer {self.credential.get_token(f'{DATABRICKS}/.default').token}"}

        return strategy
