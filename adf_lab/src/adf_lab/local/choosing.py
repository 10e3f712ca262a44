"""Which activities do their work here, which are played from a script, and which can be neither."""

import asyncio
import inspect
from contextlib import contextmanager
from dataclasses import dataclass

from adf_lab.engine import CONTROL_ACTIVITIES, ActivityFailure
from adf_lab.errors import AdfLabError
from adf_lab.factory import Factory, target_of
from adf_lab.local.activities import delete, get_metadata, lookup, run_script, validate
from adf_lab.local.copying import copy
from adf_lab.local.database import Database, shared_database
from adf_lab.local.mapping import Mapping
from adf_lab.local.refusal import WAY_OUT, not_supported
from adf_lab.local.web import call_web
from adf_lab.structure import active_types, all_activities, is_active, own_type_properties

WORK = {
    "Copy": copy,
    "Delete": delete,
    "GetMetadata": get_metadata,
    "Lookup": lookup,
    "Script": run_script,
    "Validation": validate,
    "WebActivity": call_web,
}


@dataclass
class World:
    """What executors use: the factory, the mapping, and the database of the run."""

    factory: Factory
    mapping: Mapping
    database: Database

    def dataset(self, reference):
        """A dataset with its parameters put in; ActivityFailure if it cannot be resolved."""
        try:
            return self.factory.resolve_dataset(reference)
        except (AdfLabError, KeyError, TypeError) as error:
            raise ActivityFailure("BadRequest", f"A dataset cannot be resolved: {error}") from None

    def root(self, dataset):
        """The folder of a dataset's linked service."""
        return self.mapping.folder(dataset["linkedService"]["name"])


@contextmanager
def local_executors(factory, mapping, script=None):
    """Executors by type of activity, within a context manager.

    With a Script the activities that it names are played from it, whatever their type; all others do their work.
    """
    types = {kind for _, kind in active_types(factory.pipelines) if kind not in CONTROL_ACTIVITIES}
    if script is None:
        types &= {*WORK}

    def executor(kind, world):
        work = WORK.get(kind)

        async def execute(call):
            if script is not None and script.has(call.context.system.get("Pipeline"), call.definition):
                return await script.execute(call)
            if work is None:
                raise not_supported(f"{kind} '{call.name}'")
            if inspect.iscoroutinefunction(work):
                return await work(world, call)
            return await asyncio.to_thread(work, world, call)

        return execute

    with shared_database(mapping) as database:
        world = World(factory, mapping, database)
        yield {kind: executor(kind, world) for kind in types}


def refuse_what_cannot_run(factory, pipeline, mapping, script=None):
    """AdfLabError that names the activities, of called pipelines too, that can neither run nor be played."""
    found: list[str] = []
    waiting, seen = [pipeline], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in factory.pipelines:
            continue
        seen.add(name)
        for _, activity in all_activities(factory.pipelines[name]["properties"].get("activities")):
            if not is_active(activity) or (script is not None and script.has(name, activity)):
                continue
            if activity["type"] == "ExecutePipeline":
                waiting.append(activity["typeProperties"]["pipeline"]["referenceName"])
            else:
                found += _hindrances(factory, mapping, name, activity)
    if found:
        lines = "\n".join(f"  {line}" for line in dict.fromkeys(found))
        raise AdfLabError(f"This cannot run on this machine:\n{lines}\nMap it in {mapping.file}, or {WAY_OUT}.")


def _hindrances(factory, mapping, pipeline, activity):
    place, kind = f"{pipeline}: {activity['name']} ({activity['type']})", activity["type"]
    if kind in CONTROL_ACTIVITIES:
        return []
    if kind not in WORK:
        return [f"{place}: no activity of this type can"]
    return [
        f"{place}: the linked service '{name}' is not mapped"
        for name in _services(factory, activity)
        if not mapping.holds(name)
    ]


def _services(factory, activity):
    """The linked services that an activity reaches, of those whose names stand in the factory."""
    reached = [
        own_type_properties(activity),
        activity.get("inputs"),
        activity.get("outputs"),
        activity.get("linkedServiceName"),
    ]
    names: list[str] = []
    while reached:
        value = reached.pop()
        if isinstance(value, list):
            reached += value
        elif isinstance(value, dict):
            folder, name = target_of(value)
            if folder == "dataset" and name in factory.resources["dataset"]:
                reached.append(factory.resources["dataset"][name].properties.get("linkedServiceName"))
            elif folder == "linkedService":
                names.append(name)
            elif folder is None:
                reached += value.values()
    return sorted({*names})
