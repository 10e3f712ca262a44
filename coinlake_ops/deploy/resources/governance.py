"""Unity Catalog: two credentials and comments of locations through the API, all else as SQL on the warehouse."""

from collections.abc import Callable
from functools import partial
from typing import Any

from databricks.sdk.errors import NotFound
from databricks.sdk.service.catalog import AzureManagedIdentity, CredentialPurpose

from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.deploy.sql_warehouse import SqlWarehouse
from coinlake_ops.desired_state import Item
from coinlake_ops.governance import live, model, statements

# The kinds of model.CREDENTIALS -> what the API calls their purpose.
CREDENTIALS = {"storage credential": CredentialPurpose.STORAGE, "service credential": CredentialPurpose.SERVICE}


class Governance(ItemsPart):
    """Catalog, schemas, volume, tables, policies, tags and grants."""

    name = "governance"
    purpose = "Unity Catalog: catalog, schemas, volume, tables, policies, tags, grants"

    def __init__(self, clients: Clients):
        super().__init__(clients)
        self._warehouse: SqlWarehouse | None = None

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        setting = model.setting(
            self._clients.environment,
            self._clients.parameters,
            self._clients.access_connector_id,
            self._clients.factory_application_id,
        )
        return [self._owned(item, self._clients.environment.platform_group) for item in model.desired(setting)]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        workspace = self._clients.workspace()
        if workspace is None:
            return []
        desired = self.desired()
        found = [item for item in map(self._live_credential, desired) if item is not None]
        # Found anew by every comparison: the part compute may have made it since.
        self._warehouse = SqlWarehouse(workspace, self._clients.sleep)
        if self._warehouse.exists:
            read = live.read(self._warehouse.query, desired, str(self._clients.parameters["catalog"]))
            found += [
                self._owned(item, workspace.functions.get(item.name).owner) if item.kind == "function" else item
                for item in read
            ]
        return found

    def changes(self) -> list[Change]:
        """See Part; an item whose statements do nothing, as columns of a table just made, is no change."""
        return [
            change for change in super().changes() if not (change.action == "create" and change.kind == "columns")
        ]

    def removals(self) -> list[Change]:
        """See Part: the catalog goes with everything in it, then where it stood, then the credentials.

        All through the API: a SQL warehouse, which may be gone already, is not needed, and nothing that this
        environment made stays in the metastore, which others share.
        """
        workspace = self._clients.workspace()
        if workspace is None:
            return []
        credentials = workspace.credentials.get_credential, workspace.credentials.delete_credential
        calls: dict[str, tuple[Callable[[str], Any], Callable[..., Any]]] = {
            "catalog": (workspace.catalogs.get, workspace.catalogs.delete),
            "external location": (workspace.external_locations.get, workspace.external_locations.delete),
        } | dict.fromkeys(CREDENTIALS, credentials)
        desired = self.desired()
        return [
            Change("delete", kind, item.name, (), partial(delete, item.name, force=True))
            for kind, (get, delete) in calls.items()
            for item in desired
            if item.kind == kind and _is_there(get, item.name)
        ]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind in CREDENTIALS:
            self._put_credential(item, before)
        for statement in statements.put(item, before):
            self._execute(statement)
        workspace = self._clients.needed_workspace()
        if item.kind == "external location" and before is not None:
            workspace.external_locations.update(item.name, comment=item.content["comment"])
        if item.kind == "function":
            # Only its owner may replace it, and the next to deploy may be somebody else; no statement says so.
            workspace.functions.update(item.name, owner=self._clients.environment.platform_group)

    def remove(self, item: Item) -> None:
        """See ItemsPart."""
        for statement in statements.remove(item):
            self._execute(statement)

    def _owned(self, item: Item, owner: str | None) -> Item:
        """A function with its owner, whom only the API tells and changes; any other item as it is."""
        return Item(item.kind, item.name, item.content | {"owner": owner}) if item.kind == "function" else item

    def _execute(self, statement: str) -> None:
        workspace = self._clients.needed_workspace()
        self._warehouse = self._warehouse or SqlWarehouse(workspace, self._clients.sleep)
        self._warehouse.execute(statement)

    def _live_credential(self, item: Item) -> Item | None:
        if item.kind not in CREDENTIALS:
            return None
        try:
            found = self._clients.needed_workspace().credentials.get_credential(item.name)
        except NotFound:
            return None
        identity = found.azure_managed_identity
        content = {
            "access_connector": identity.access_connector_id if identity else None,
            "comment": found.comment,
            "owner": found.owner,
        }
        return Item(item.kind, item.name, content)

    def _put_credential(self, item: Item, before: Item | None) -> None:
        api = self._clients.needed_workspace().credentials
        content = {
            "azure_managed_identity": AzureManagedIdentity(item.content["access_connector"]),
            "comment": item.content["comment"],
        }
        if before is None:
            api.create_credential(item.name, purpose=CREDENTIALS[item.kind], **content)
        api.update_credential(item.name, owner=item.content["owner"], **content)


def _is_there(get: Callable[[str], Any], name: str) -> bool:
    try:
        get(name)
    except NotFound:
        return False
    return True
