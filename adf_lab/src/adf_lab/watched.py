"""What a watch of a factory is told: its triggers, its parameters, and what an earlier one has left."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from adf_lab.engine import MASK, PipelineRun
from adf_lab.errors import AdfLabError
from adf_lab.factory import Factory
from adf_lab.journal import FOLDER
from adf_lab.locks import Lock
from adf_lab.plan import plan
from adf_lab.triggers import iso, pipelines_of
from adf_lab.watch import SCHEDULE, SECOND, WINDOWS, Firing

WATCHED_TYPES = (SCHEDULE, WINDOWS)
EVENT_TYPES = ("BlobEventsTrigger", "CustomEventsTrigger")


def watched_names(factory: Factory, names: list[str]) -> list[str]:
    """The triggers that are named, or else all that are started; AdfLabError if there is none.

    Of those that are started, the ones that fire by events are left out.
    """
    triggers = factory.resources["trigger"]
    for name in names:
        kind = triggers[name].properties.get("type") if name in triggers else SCHEDULE
        if kind not in WATCHED_TYPES:
            raise AdfLabError(
                f"{name} is of type {kind}, which cannot be watched: only schedules and tumbling windows. "
                f"An event fires it with `simulate {name} --event …`."
            )
    if names:
        return list(dict.fromkeys(names))
    started = [
        name
        for name, trigger in triggers.items()
        if trigger.properties.get("runtimeState") == "Started" and trigger.properties.get("type") in WATCHED_TYPES
    ]
    if not started:
        by_clock = [name for name, trigger in triggers.items() if trigger.properties.get("type") in WATCHED_TYPES]
        raise AdfLabError(
            "No trigger that fires by the clock is started (runtimeState). "
            f"Name those that are meant: {', '.join(by_clock) or 'there are none'}."
        )
    return started


def unheard(factory: Factory) -> list[str]:
    """A line about each started trigger that waits for events, with what plays one."""
    return [
        f"{name} fires by events, which are not watched: `simulate {name} --event …` plays one."
        for name, trigger in factory.resources["trigger"].items()
        if trigger.properties.get("runtimeState") == "Started" and trigger.properties.get("type") in EVENT_TYPES
    ]


def needed_triggers(triggers: dict[str, dict]) -> set[str]:
    """The names of the triggers that windows of these wait for."""
    return {
        entry["referenceTrigger"]["referenceName"]
        for trigger in triggers.values()
        for entry in trigger["properties"]["typeProperties"].get("dependsOn") or []
        if "referenceTrigger" in entry
    }


def refuse_unknown(factory: Factory, triggers: dict[str, dict], given: dict) -> None:
    """AdfLabError if a pipeline that is fired cannot be run, or if none of them has a parameter that is given."""
    pipelines = dict.fromkeys(name for trigger in triggers.values() for name in pipelines_of(trigger))
    for pipeline in pipelines:
        list(plan(factory.pipelines, pipeline, {}, {}))
    declared = dict.fromkeys(name for pipeline in pipelines for name in _parameters(factory, pipeline))
    if unknown := [name for name in given if name not in declared]:
        raise AdfLabError(
            f"Pipeline '{', '.join(pipelines)}' has no parameter {', '.join(unknown)}, "
            f"only: {', '.join(declared) or 'none'}."
        )


def for_pipeline(factory: Factory, firing: Firing, given: dict) -> Firing:
    """A firing with those of the given parameters that its pipeline has."""
    own = {name: value for name, value in given.items() if name in _parameters(factory, firing.pipeline)}
    return replace(firing, parameters=firing.parameters | own)


def _parameters(factory, pipeline):
    return factory.pipelines[pipeline]["properties"].get("parameters") or {}


def shown_parameters(factory: Factory, pipeline: str, values: dict) -> dict:
    """The values of a pipeline's parameters as they may be shown: without those of the type SecureString."""
    return {name: MASK if _is_secure(factory, pipeline, name) else value for name, value in values.items()}


def _is_secure(factory, pipeline, name):
    resource = factory.resources["pipeline"].get(pipeline)
    declared = resource.properties.get("parameters") if resource else None
    specification = declared.get(name) if isinstance(declared, dict) else None
    return isinstance(specification, dict) and str(specification.get("type")).lower() == "securestring"


def fired_line(firing: Firing, run: PipelineRun, now: datetime) -> str:
    """What is told of a run when it is fired: its time, pipeline and parameters, secured ones masked.

    A time of a schedule can be late; a window of the past is not.
    """
    late = now - firing.due
    told = f"  ({late // SECOND} s late)" if late >= SECOND and firing.time == firing.due else ""
    return f"{iso(firing.due)}  {run.pipeline}  {json.dumps(run.as_dict()['parameters'])}{told}"


@contextmanager
def only_watch(folder: Path | None, names: Iterable[str]) -> Iterator[None]:
    """While inside, no other watch fires these triggers; AdfLabError if one does."""
    held: list[Lock] = []
    try:
        for name in names:
            if folder is None:
                break
            lock = Lock(folder / FOLDER / f"{name}.lock")
            if not lock.is_held:
                raise AdfLabError(f"Another watch fires {name} already: end that one, or name other triggers.")
            held.append(lock)
        yield
    finally:
        for lock in held:
            lock.release()
