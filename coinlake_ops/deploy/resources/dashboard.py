"""The dashboard of the market in Databricks: made from the documentation of the gold tables, and published.

Source: Databricks REST API, Lakeview. A dashboard is edited as a draft; what readers see is what was published
last, so a draft that is newer than that counts as not published.
"""

import json

from databricks.sdk.errors import NotFound
from databricks.sdk.service.dashboards import Dashboard as Definition

from coinlake.errors import CoinlakeError
from coinlake_ops.bi import dashboard
from coinlake_ops.deploy import permissions, sql_warehouse
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import pruned, restricted
from coinlake_ops.deploy.resources.notebooks import FOLDER
from coinlake_ops.deploy.resources.part import ItemsPart
from coinlake_ops.desired_state import Item

NAME = "coinlake market"
READER, PUBLISHER = "the reader", "the publisher"


class Dashboard(ItemsPart):
    """One dashboard, and who sees it: with their own rights, so that no grant is gone around."""

    name = "dashboard"
    purpose = f"Databricks: the dashboard {NAME}"

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        content = dashboard.document(str(self._clients.parameters["catalog"]))
        return [
            Item("dashboard", NAME, {"content": pruned(content), "published": True, "with_rights_of": READER}),
            permissions.item(self._clients, "dashboard", NAME),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        id_ = self._id()
        if id_ is None:
            return []
        workspace = self._clients.needed_workspace()
        draft = workspace.lakeview.get(id_)
        rights = READER
        try:
            shown_to_readers = workspace.lakeview.get_published(id_)
            revision = needed(shown_to_readers.revision_create_time, f"instant of publication of {NAME}")
            published = revision >= needed(draft.update_time, f"instant of the last update of {NAME}")
            if shown_to_readers.embed_credentials:
                rights = PUBLISHER
        except NotFound:
            published = False
        shown = pruned(json.loads(needed(draft.serialized_dashboard, f"content of {NAME}")))
        content = restricted(shown, self.desired()[0].content["content"])
        found = {"content": content, "published": published, "with_rights_of": rights}
        return [Item("dashboard", NAME, found), *permissions.live(self._clients, "dashboard", NAME, id_)]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind.endswith(permissions.SUFFIX):
            permissions.give(self._clients.needed_workspace(), item, self._needed_id())
            return
        api = self._clients.needed_workspace().lakeview
        definition = Definition(
            display_name=NAME,
            parent_path=None if before else f"/Workspace{FOLDER}",
            serialized_dashboard=json.dumps(item.content["content"]),
            warehouse_id=self._warehouse_id(),
        )
        put = api.update(self._needed_id(), definition) if before else api.create(definition)
        id_ = needed(put.dashboard_id, f"id of the dashboard {NAME}")
        api.publish(id_, embed_credentials=False, warehouse_id=definition.warehouse_id)

    def remove(self, item: Item) -> None:
        """See ItemsPart; permissions go with the dashboard."""
        if item.kind == "dashboard":
            self._clients.needed_workspace().lakeview.trash(self._needed_id())

    def _id(self) -> str | None:
        workspace = self._clients.workspace()
        if workspace is None:
            return None
        return next((one.dashboard_id for one in workspace.lakeview.list() if one.display_name == NAME), None)

    def _needed_id(self) -> str:
        return needed(self._id(), f"dashboard {NAME}")

    def _warehouse_id(self) -> str:
        workspace = self._clients.needed_workspace()
        found = next((one.id for one in workspace.warehouses.list() if one.name == sql_warehouse.NAME), None)
        if found is None:
            raise CoinlakeError(
                f"The workspace has no SQL warehouse {sql_warehouse.NAME}. Apply the part compute first."
            )
        return found
