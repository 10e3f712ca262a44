"""The sources: one module an endpoint, each with one declaration of what is asked and what becomes of the answers.

A module of this package that has a SOURCE is found by itself; nothing else lists the sources. To add one, write
its module here, its table in coinlake.schema, and show what came in a notebook.
"""

import importlib
import pkgutil

from coinlake.api import Endpoint
from coinlake.errors import ConfigurationError
from coinlake.sources.response_log import RESPONSE_LOG
from coinlake.sources.source import REJECT, WARN, Expectation, Source, Stream, Target

__all__ = [
    "REJECT",
    "RESPONSE_LOG",
    "SOURCES",
    "WARN",
    "Expectation",
    "Source",
    "Stream",
    "Target",
    "discover",
    "endpoint_of",
    "groups",
    "of_group",
    "one_after_the_other",
]


def discover() -> dict[str, Source]:
    """The sources that the modules of this package declare, in the order in which they are asked."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    declared = [module.SOURCE for module in modules if hasattr(module, "SOURCE")]
    return {source.name: source for source in sorted(declared, key=lambda each: (each.order, each.name))}


SOURCES: dict[str, Source] = discover()


def endpoint_of(name: str) -> Endpoint:
    """The endpoint of this name; raises ConfigurationError that lists them when there is none."""
    if name not in SOURCES:
        raise ConfigurationError(f"There is no endpoint {name!r}. The endpoints are {', '.join(SOURCES)}.")
    return SOURCES[name].endpoint


def groups() -> tuple[str, ...]:
    """The groups of sources: market, context. A run asks those of one group."""
    return tuple(dict.fromkeys(source.group for source in SOURCES.values()))


def of_group(group: str) -> list[Source]:
    """The sources of a group, in the order in which they are asked."""
    return [source for source in SOURCES.values() if source.group == group]


def one_after_the_other() -> list[list[str]]:
    """The names of all sources: those that write to the same table in one list, others in lists of their own."""
    lanes: list[list[Source]] = []
    for source in SOURCES.values():
        sharing = [lane for lane in lanes if any(_share_a_table(source, other) for other in lane)]
        joined = [*(each for lane in sharing for each in lane), source]
        place = lanes.index(sharing[0]) if sharing else len(lanes)
        lanes = [lane for lane in lanes if lane not in sharing]
        lanes.insert(place, joined)
    return [[source.name for source in lane] for lane in lanes]


def _share_a_table(one: Source, other: Source) -> bool:
    return bool({target.table.name for target in one.targets} & {target.table.name for target in other.targets})
