"""The dashboards in Databricks, of the market and of the pipeline: made from the tables' documentation, published.

Source: Databricks REST API, Lakeview. A dashboard is edited as a draft; what readers see is what was published
last, so a draft that is newer than that counts as not published.
"""

import json

from databricks.sdk.errors import NotFound
from databricks.sdk.service.dashboards import Dashboard as Definition

from coinlake_ops.bi import dashboard, operations
from coinlake_ops.deploy import permissions, sql_warehouse
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import pruned, restricted
from coinlake_ops.deploy.resources.notebooks import FOLDER
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item

DOCUMENTS = {"coinlake market": dashboard.document, "coinlake operations": operations.document}
READER, PUBLISHER = "the reader", "the publisher"


class Dashboard(ItemsPart):
    """Two dashboards, and who sees them: with their own rights, so that no grant is gone around."""

    name = "dashboard"
    purpose = f"Databricks: the dashboards {', '.join(DOCUMENTS)}"

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        found = []
        for name in DOCUMENTS:
            found.append(self._desired(name))
            found.append(permissions.item(self._clients, "dashboard", name))
        return found

    def live(self) -> list[Item]:
        """See ItemsPart."""
        found = []
        for name, id_ in self._ids().items():
            found.append(self._shown(name, id_))
            found += permissions.live(self._clients, "dashboard", name, id_)
        return found

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind.endswith(permissions.SUFFIX):
            permissions.give(self._clients.needed_workspace(), item, self._needed_id(item.name))
            return
        api = self._clients.needed_workspace().lakeview
        definition = Definition(
            display_name=item.name,
            parent_path=None if before else f"/Workspace{FOLDER}",
            serialized_dashboard=json.dumps(item.content["content"]),
            warehouse_id=sql_warehouse.needed_id(self._clients.needed_workspace()),
        )
        put = api.update(self._needed_id(item.name), definition) if before else api.create(definition)
        id_ = needed(put.dashboard_id, f"id of the dashboard {item.name}")
        api.publish(id_, embed_credentials=False, warehouse_id=definition.warehouse_id)

    def remove(self, item: Item) -> None:
        """See ItemsPart; permissions go with the dashboard."""
        if item.kind == "dashboard":
            self._clients.needed_workspace().lakeview.trash(self._needed_id(item.name))

    def removals(self) -> list[Change]:
        """See Part."""
        return [change for change in super().removals() if change.kind == "dashboard"]

    def _desired(self, name: str) -> Item:
        content = DOCUMENTS[name](str(self._clients.parameters["catalog"]))
        return Item("dashboard", name, {"content": pruned(content), "published": True, "with_rights_of": READER})

    def _shown(self, name: str, id_: str) -> Item:
        workspace = self._clients.needed_workspace()
        draft = workspace.lakeview.get(id_)
        rights = READER
        try:
            shown_to_readers = workspace.lakeview.get_published(id_)
            revision = needed(shown_to_readers.revision_create_time, f"instant of publication of {name}")
            published = revision >= needed(draft.update_time, f"instant of the last update of {name}")
            if shown_to_readers.embed_credentials:
                rights = PUBLISHER
        except NotFound:
            published = False
        there = pruned(json.loads(needed(draft.serialized_dashboard, f"content of {name}")))
        content = restricted(there, self._desired(name).content["content"])
        return Item("dashboard", name, {"content": content, "published": published, "with_rights_of": rights})

    def _ids(self) -> dict[str, str]:
        """The dashboards that are there: name -> id."""
        workspace = self._clients.workspace()
        if workspace is None:
            return {}
        there = {one.display_name: one.dashboard_id for one in workspace.lakeview.list()}
        return {name: needed(there[name], f"id of the dashboard {name}") for name in DOCUMENTS if name in there}

    def _needed_id(self, name: str) -> str:
        return needed(self._ids().get(name), f"dashboard {name}")
