"""Secrets: they must stand in the Key Vault; Databricks reads them through a scope that the vault backs."""

import os
from collections.abc import Mapping

from azure.core.exceptions import HttpResponseError
from databricks.sdk.errors import DatabricksError
from databricks.sdk.service.workspace import AclPermission, AzureKeyVaultSecretScopeMetadata, ScopeBackendType

from coinlake import runtime
from coinlake.bronze import KEY_NAME
from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import permissions
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import CLOSED, FROM_INSIDE, NotAllowed
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item
from coinlake_ops.governance import workspace


class Secrets(ItemsPart):
    """The API key in the vault, the secret scope on the vault, and who may read it."""

    name = "secrets"
    purpose = "Key Vault secrets, the Databricks secret scope, its readers"

    def __init__(self, clients: Clients, environ: Mapping[str, str] = os.environ):
        super().__init__(clients)
        self._environ = environ

    def desired(self) -> list[Item]:
        """See ItemsPart; a secret's content is only that it is there."""
        environment, scope = self._clients.environment, str(self._clients.parameters["secret_scope"])
        levels = workspace.scope_readers(permissions.principals(self._clients), environment.name)
        readers = [Item("scope reader", f"{scope} to {who}", level) for who, level in levels.items()]
        vault = {"vault": environment.vault_url.rstrip("/")}
        return [
            *([Item("secret", KEY_NAME, "there")] if self._clients.parameters["plan"] != "keyless" else []),
            *([Item("secret scope", scope, vault)] if scope else []),
            *(readers if scope else []),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        workspace = self._clients.workspace()
        if workspace is None:
            return []
        found = [Item("secret", KEY_NAME, "there")] if self._has_secret() else []
        scope = self._clients.parameters["secret_scope"]
        for listed in workspace.secrets.list_scopes():
            if listed.name == scope:
                metadata = listed.keyvault_metadata
                content = {"vault": metadata.dns_name.rstrip("/") if metadata else None}
                found.append(Item("secret scope", scope, content))
                found += [
                    Item("scope reader", f"{scope} to {entry.principal}", entry.permission.value)
                    for entry in workspace.secrets.list_acls(scope)
                    if entry.permission is not AclPermission.MANAGE
                ]
        return found

    def changes(self) -> list[Change]:
        """See Part; a secret that is in neither place is named, with the way to give it."""
        found = super().changes()
        missing = any(change.kind == "secret" for change in found)
        if (
            missing
            and runtime.secret_variable(KEY_NAME) not in self._environ
            and self._clients.workspace() is not None
        ):
            raise CoinlakeError(
                f"The secret {KEY_NAME} is not in {self._clients.environment.vault_url}. Put it there: "
                f"az keyvault secret set --vault-name {self._clients.environment.key_vault} --name {KEY_NAME} "
                f"--file <file with the key>; or set {runtime.secret_variable(KEY_NAME)} and apply again."
            )
        return found

    def removals(self) -> list[Change]:
        """See Part: the secret itself stays with its vault."""
        return [change for change in super().removals() if change.kind != "secret"]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind == "secret":
            self._put_secret(item.name)
        elif item.kind == "secret scope":
            self._put_scope(item, before)
        else:
            self._put_reader(item)

    def remove(self, item: Item) -> None:
        """See ItemsPart."""
        api = self._clients.needed_workspace().secrets
        if item.kind == "secret scope":
            api.delete_scope(item.name)
        elif item.kind == "scope reader":
            scope, _, reader = item.name.partition(" to ")
            api.delete_acl(scope, reader)

    def _has_secret(self) -> bool:
        try:
            # Names only: a plan has no business with values.
            return any(secret.name == KEY_NAME for secret in self._clients.vault.list_properties_of_secrets())
        except HttpResponseError as problem:
            reason = problem.status_code
            is_closed = CLOSED.search(str(problem))
        if is_closed:
            raise NotAllowed(f"{self._clients.environment.vault_url} does not answer. {FROM_INSIDE}")
        raise NotAllowed(
            f"{self._clients.environment.vault_url} does not let this identity list secrets ({reason}). "
            "The role for it is Key Vault Secrets Officer, which the platform group has; "
            "a new role or member needs some minutes."
        )

    def _put_reader(self, item: Item) -> None:
        scope, _, reader = item.name.partition(" to ")
        self._clients.needed_workspace().secrets.put_acl(scope, reader, AclPermission(item.content))

    def _put_secret(self, name: str) -> None:
        self._clients.vault.set_secret(name, self._environ[runtime.secret_variable(name)].strip())

    def _put_scope(self, item: Item, before: Item | None) -> None:
        """A scope cannot be pointed elsewhere: it is made anew, and its readers with it."""
        api = self._clients.needed_workspace().secrets
        if before is not None:
            api.delete_scope(item.name)
        vault_id = self._clients.resource_id("Microsoft.KeyVault/vaults", self._clients.environment.key_vault)
        try:
            api.create_scope(
                item.name,
                scope_backend_type=ScopeBackendType.AZURE_KEYVAULT,
                backend_azure_keyvault=AzureKeyVaultSecretScopeMetadata(vault_id, item.content["vault"]),
            )
        except DatabricksError as problem:
            if "userAADToken" not in str(problem):
                raise
            raise CoinlakeError(
                f"Databricks makes the secret scope {item.name} on a Key Vault only for a person. Sign in as one "
                "(az login) and apply --only secrets once; afterwards any identity can go on."
            ) from None
        if before is not None:
            for reader in self.desired():
                if reader.kind == "scope reader":
                    self._put_reader(reader)
