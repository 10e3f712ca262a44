"""Who and what computes in the workspace: the factory's identity, a SQL warehouse, and the factory's machines.

The pool serves the clusters of pipeline runs, the export cluster the copies of Delta tables into Azure SQL;
both cost nothing while nothing runs.
"""

from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service.compute import DataSecurityMode
from databricks.sdk.service.iam import ComplexValue
from databricks.sdk.service.sql import CreateWarehouseRequestWarehouseType, EditWarehouseRequestWarehouseType

from coinlake.errors import CoinlakeError
from coinlake_ops.databricks_job import SINGLE_NODE
from coinlake_ops.databricks_runtime import SPARK_VERSION
from coinlake_ops.deploy import permissions, sql_warehouse
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item

POOL = "coinlake"
CLUSTER = "coinlake-export"
NODE = "Standard_D4ds_v5"
ENTITLEMENTS = ("allow-cluster-create", "workspace-access")
WAREHOUSE: dict[str, Any] = {"cluster_size": "2X-Small", "auto_stop_mins": 10}
MACHINES: dict[str, Any] = {
    "node_type_id": NODE,
    "idle_instance_autotermination_minutes": 15,
    "min_idle_instances": 0,
}
# Without its access mode a cluster does not see Unity Catalog, and any user may work on it.
EXPORT: dict[str, Any] = {
    "spark_version": SPARK_VERSION,
    "autotermination_minutes": 20,
    "num_workers": 0,
    "data_security_mode": DataSecurityMode.SINGLE_USER.value,
}


class Compute(ItemsPart):
    """A service principal for the factory, one small warehouse, one pool, one cluster, and who may use them."""

    name = "compute"
    purpose = "Databricks: the factory's identity, SQL warehouse, instance pool, export cluster"

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        environment, factory = self._clients.environment, self._clients.factory_application_id
        return [
            Item(
                "service principal",
                environment.factory,
                {"application_id": factory, "entitlements": [*ENTITLEMENTS]},
            ),
            # Serverless machines stand outside a private network.
            Item(
                "SQL warehouse",
                sql_warehouse.NAME,
                WAREHOUSE | {"enable_serverless_compute": not environment.is_private},
            ),
            permissions.item(self._clients, "SQL warehouse", sql_warehouse.NAME),
            Item("instance pool", POOL, MACHINES),
            permissions.item(self._clients, "instance pool", POOL),
            Item("cluster", CLUSTER, EXPORT | {"single_user_name": factory}),
            permissions.item(self._clients, "cluster", CLUSTER),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        workspace = self._clients.workspace()
        if workspace is None:
            return []
        found = [
            Item("service principal", self._clients.environment.factory, _principal(principal))
            for principal in self._principals(workspace)
        ]
        objects = (
            ("SQL warehouse", {**WAREHOUSE, "enable_serverless_compute": False}, _warehouse(workspace)),
            ("instance pool", MACHINES, _pool(workspace)),
            ("cluster", {**EXPORT, "single_user_name": ""}, _cluster(workspace)),
        )
        for kind, shape, there in objects:
            if there is not None:
                name, id_ = there.pop("name"), there.pop("id")
                found.append(Item(kind, name, {field: there.get(field) for field in shape}))
                found += permissions.live(self._clients, kind, name, id_)
        return found

    def changes(self) -> list[Change]:
        """See Part; refuses a workspace that does not offer the runtime the project is pinned to."""
        found = super().changes()
        workspace = self._clients.workspace()
        if workspace is not None and any(change.kind in ("cluster", "instance pool") for change in found):
            versions = workspace.clusters.spark_versions().versions or []
            offered = {version.key for version in versions if version.key}
            if SPARK_VERSION not in offered:
                raise CoinlakeError(
                    f"The workspace does not offer the runtime {SPARK_VERSION}. It offers: "
                    f"{', '.join(sorted(offered))}. The versions are in coinlake_ops/databricks_runtime.py."
                )
        return found

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        workspace = self._clients.needed_workspace()
        if item.kind.endswith(permissions.SUFFIX):
            kind = item.kind.removesuffix(permissions.SUFFIX)
            find = {"SQL warehouse": _warehouse, "instance pool": _pool, "cluster": _cluster}
            permissions.give(workspace, item, needed(find[kind](workspace), f"{kind} {item.name}")["id"])
        else:
            puts = {
                "service principal": self._put_principal,
                "SQL warehouse": _put_warehouse,
                "instance pool": _put_pool,
                "cluster": _put_cluster,
            }
            puts[item.kind](workspace, item, before)

    def remove(self, item: Item) -> None:
        """See ItemsPart; permissions go with what they are on."""
        workspace, what = self._clients.needed_workspace(), f"{item.kind} {item.name}"
        if item.kind == "SQL warehouse":
            workspace.warehouses.delete(needed(_warehouse(workspace), what)["id"])
        elif item.kind == "instance pool":
            workspace.instance_pools.delete(needed(_pool(workspace), what)["id"])
        elif item.kind == "cluster":
            workspace.clusters.permanent_delete(needed(_cluster(workspace), what)["id"])
        elif item.kind == "service principal":
            for principal in self._principals(workspace):
                workspace.service_principals.delete(principal.id)

    def removals(self) -> list[Change]:
        """See Part."""
        return [change for change in super().removals() if not change.kind.endswith(permissions.SUFFIX)]

    def _principals(self, workspace: WorkspaceClient):
        application = self._clients.factory_application_id
        return list(workspace.service_principals.list(filter=f'applicationId eq "{application}"'))

    def _put_principal(self, workspace: WorkspaceClient, item: Item, before: Item | None) -> None:
        entitlements = [ComplexValue(value=value) for value in ENTITLEMENTS]
        described = {"application_id": item.content["application_id"], "display_name": item.name}
        if before is None:
            workspace.service_principals.create(active=True, entitlements=entitlements, **described)
        else:
            for principal in self._principals(workspace):
                workspace.service_principals.update(
                    principal.id, active=True, entitlements=entitlements, **described
                )


def pool_id(clients: Clients) -> str | None:
    """The id of the instance pool, None while there is none."""
    workspace = clients.workspace()
    found = None if workspace is None else _pool(workspace)
    return found["id"] if found else None


def cluster_id(clients: Clients) -> str | None:
    """The id of the export cluster, None while there is none."""
    workspace = clients.workspace()
    found = None if workspace is None else _cluster(workspace)
    return found["id"] if found else None


def _principal(principal) -> dict[str, Any]:
    entitlements = sorted(entitlement.value for entitlement in principal.entitlements or [])
    return {"application_id": principal.application_id, "entitlements": entitlements}


def _warehouse(workspace: WorkspaceClient) -> dict[str, Any] | None:
    return _named(workspace.warehouses.list(), "name", sql_warehouse.NAME, "id")


def _pool(workspace: WorkspaceClient) -> dict[str, Any] | None:
    return _named(workspace.instance_pools.list(), "instance_pool_name", POOL, "instance_pool_id")


def _cluster(workspace: WorkspaceClient) -> dict[str, Any] | None:
    return _named(workspace.clusters.list(), "cluster_name", CLUSTER, "cluster_id")


def _named(listed, name_field: str, name: str, id_field: str) -> dict[str, Any] | None:
    for entry in listed:
        if getattr(entry, name_field) == name:
            document = entry.as_dict()
            # JSON leaves out a number of 0, and what is false.
            zeros = dict.fromkeys(("num_workers", "min_idle_instances"), 0) | {"enable_serverless_compute": False}
            return zeros | document | {"name": name, "id": document[id_field]}
    return None


def _put_warehouse(workspace: WorkspaceClient, item: Item, before: Item | None) -> None:
    if before is None:
        created = CreateWarehouseRequestWarehouseType.PRO
        workspace.warehouses.create(name=item.name, max_num_clusters=1, warehouse_type=created, **item.content)
    else:
        edited = EditWarehouseRequestWarehouseType.PRO
        id_ = needed(_warehouse(workspace), f"SQL warehouse {item.name}")["id"]
        workspace.warehouses.edit(id_, name=item.name, max_num_clusters=1, warehouse_type=edited, **item.content)


def _put_pool(workspace: WorkspaceClient, item: Item, before: Item | None) -> None:
    if before is None:
        versions = [SPARK_VERSION]
        workspace.instance_pools.create(item.name, preloaded_spark_versions=versions, **MACHINES)
    else:
        settings = {name: value for name, value in MACHINES.items() if name != "node_type_id"}
        pool = needed(_pool(workspace), f"instance pool {item.name}")
        workspace.instance_pools.edit(pool["id"], item.name, NODE, **settings)


def _put_cluster(workspace: WorkspaceClient, item: Item, before: Item | None) -> None:
    settings = {
        "cluster_name": item.name,
        "instance_pool_id": needed(_pool(workspace), f"instance pool {POOL}")["id"],
        **SINGLE_NODE,
        **item.content,
        "data_security_mode": DataSecurityMode(item.content["data_security_mode"]),
    }
    if before is None:
        workspace.clusters.create(**settings)
    else:
        cluster = needed(_cluster(workspace), f"cluster {item.name}")
        workspace.clusters.edit(cluster["id"], **settings)
