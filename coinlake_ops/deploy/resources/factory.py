"""The Data Factory's own objects: adf/ as git has it, in the order of their references, with triggers kept safe.

A running trigger refuses a change, so it is stopped, changed and started again; what git no longer has is
deleted last. Addresses that only a deployment knows replace those in git.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from adf_lab import Factory, load_factory, target_of
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import pruned
from coinlake_ops.deploy.resources.azure_resources import factory_identity, factory_settings
from coinlake_ops.deploy.resources.compute import cluster_id
from coinlake_ops.deploy.resources.job import job_id
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item
from coinlake_ops.factory import parameters as adf_parameters

API = "2018-06-01"
STARTED, STOPPED = "Started", "Stopped"
KINDS = ("linkedService", "dataset", "pipeline", "trigger")
# What the service adds to a document, or gives back in another form.
ADDED = ("lastPublishTime", "runtimeState", "encryptedCredential", "etag")
SECONDS_BETWEEN_POLLS = 5


class FactoryObjects(ItemsPart):
    """Global parameters, linked services, datasets, pipelines, triggers, and which triggers run."""

    name = "factory"
    purpose = "Data Factory: global parameters, linked services, datasets, pipelines, triggers"

    def __init__(self, clients: Clients):
        super().__init__(clients)
        self._folder = clients.root / "adf"

    @cached_property
    def _factory(self) -> Factory:
        """The factory as git has it, read once."""
        return load_factory(self._folder)

    def desired(self) -> list[Item]:
        """See ItemsPart: each object after those that it refers to, running triggers last."""
        objects = [
            Item(kind, name, pruned(self._factory.resources[kind][name].properties, ADDED))
            for kind, name in _in_order_of_references(self._factory)
        ]
        running = self._clients.environment.running_triggers
        states = [
            Item("trigger state", item.name, STARTED if item.name in running else STOPPED)
            for item in objects
            if item.kind == "trigger"
        ]
        return [Item("global parameters", self._name, global_parameters(self._clients)), *objects, *states]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        document = self._factory_document()
        if document is None:
            return []
        found = [Item("global parameters", self._name, document["properties"].get("globalParameters", {}))]
        states = []
        for kind in KINDS:
            for listed in self._operations(kind).list_by_factory(*self._place):
                document = listed.as_dict()
                found.append(Item(kind, document["name"], pruned(document["properties"], ADDED)))
                if kind == "trigger":
                    state = document["properties"].get("runtimeState", STOPPED)
                    states.append(Item("trigger state", document["name"], state))
        return _each_after_what_it_needs(found) + states

    def changes(self) -> list[Change]:
        """See Part; a new trigger is stopped already, and one that goes is stopped on the way."""
        return [
            change
            for change in super().changes()
            if change.kind != "trigger state" or change.action == "update" or self._is_to_run(change)
        ]

    def removals(self) -> list[Change]:
        """See Part: the objects; global parameters go with the factory."""
        return [
            change for change in super().removals() if change.kind not in ("global parameters", "trigger state")
        ]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        if item.kind == "global parameters":
            self._put_global_parameters(item.content)
        elif item.kind == "trigger state":
            self._set_running(item.name, item.content == STARTED)
        elif item.kind == "trigger":
            is_running = before is not None and self._is_running(item.name)
            if is_running:
                self._set_running(item.name, False)
            self._put_object(item)
            if is_running and item.name in self._clients.environment.running_triggers:
                self._set_running(item.name, True)
        else:
            self._put_object(item)

    def remove(self, item: Item) -> None:
        """See ItemsPart."""
        if item.kind == "trigger" and self._is_running(item.name):
            self._set_running(item.name, False)
        self._operations(item.kind).delete(*self._place, item.name)

    @property
    def _name(self) -> str:
        return self._clients.environment.factory

    @property
    def _place(self) -> tuple[str, str]:
        return self._clients.environment.resource_group, self._name

    @property
    def _path(self) -> str:
        return f"{self._clients.environment.group_id}/providers/Microsoft.DataFactory/factories/{self._name}"

    def _operations(self, kind: str) -> Any:
        client = self._clients.factory
        return {
            "linkedService": client.linked_services,
            "dataset": client.datasets,
            "pipeline": client.pipelines,
            "trigger": client.triggers,
        }[kind]

    def _factory_document(self) -> dict[str, Any] | None:
        return self._clients.arm.get(self._path, API)

    def _put_object(self, item: Item) -> None:
        """What is sent is the file as git has it, with the empty values that comparing leaves out."""
        properties = self._factory.resources[item.kind][item.name].properties
        properties = {name: value for name, value in properties.items() if name not in ADDED}
        document = {"name": item.name, "properties": properties}
        self._operations(item.kind).create_or_update(*self._place, item.name, document)

    def _put_global_parameters(self, values: dict[str, Any]) -> None:
        """A PUT of a factory replaces all of it: everything else goes back as it came."""
        document = needed(self._factory_document(), f"factory {self._name}")
        kept: dict[str, Any] = {name: document[name] for name in ("location", "tags") if name in document}
        kept["identity"] = factory_identity(document)
        properties = factory_settings(document) | {"globalParameters": values}
        self._clients.arm.put(self._path, API, kept | {"properties": properties})

    def _is_to_run(self, change: Change) -> bool:
        return change.action == "create" and change.name in self._clients.environment.running_triggers

    def _is_running(self, trigger: str) -> bool:
        found = needed(self._clients.factory.triggers.get(*self._place, trigger), f"trigger {trigger}")
        return found.as_dict()["properties"].get("runtimeState") == STARTED

    def _set_running(self, trigger: str, running: bool) -> None:
        triggers = self._clients.factory.triggers
        begin = triggers.begin_start if running else triggers.begin_stop
        begin(*self._place, trigger, polling_interval=SECONDS_BETWEEN_POLLS).result()


def global_parameters(clients: Clients) -> dict[str, dict[str, Any]]:
    """The factory's global parameters: name -> {type, value}, with the addresses of what was deployed."""
    addresses = clients.parameters | {
        "storage_account": clients.environment.storage_account,
        "databricks_workspace_url": clients.workspace_url() or "(known after the part resources)",
        "databricks_workspace_id": clients.workspace_id,
        "databricks_job_id": str(job_id(clients) or "(known after the part job)"),
        "databricks_cluster_id": cluster_id(clients) or "(known after the part compute)",
    }
    declared = adf_parameters.global_parameters(clients.environment.name)
    return {name: declared[name] | ({"value": addresses[name]} if name in addresses else {}) for name in declared}


def _in_order_of_references(factory: Factory) -> Iterator[tuple[str, str]]:
    items = [
        Item(kind, resource.name, resource.properties)
        for kind in KINDS
        for resource in factory.resources[kind].values()
    ]
    return (item.key for item in _each_after_what_it_needs(items))


def _each_after_what_it_needs(items: list[Item]) -> list[Item]:
    """The items in an order in which everything that an item refers to stands before it."""
    by_key, ordered = {item.key: item for item in items}, {}

    def place(item: Item, path: tuple = ()) -> None:
        if item.key in ordered or item.key in path:
            return
        for reference in sorted(_references(item.content)):
            if reference in by_key:
                place(by_key[reference], (*path, item.key))
        ordered[item.key] = item

    for item in items:
        place(item)
    return list(ordered.values())


def _references(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, dict):
        folder, name = target_of(value)
        inner = [_references(part) for part in value.values()]
        return set().union({(folder, name)} if folder else set(), *inner)
    if isinstance(value, list):
        return set().union(*map(_references, value))
    return set()
