"""JSON without what nobody asked for, so that what was sent and what comes back can be compared."""

from collections.abc import Callable, Collection
from typing import Any

_NOTHING: tuple[object, ...] = (None, "", [], {})


def pruned(value: Any, without: Collection[str] = ()) -> Any:
    """The value without empty members, and without members called as in `without`, at any depth.

    Services add empty members and their own timestamps to what they were sent.
    """
    if isinstance(value, dict):
        parts = {name: pruned(part, without) for name, part in value.items() if name not in without}
        return {name: part for name, part in parts.items() if not any(part is n or part == n for n in _NOTHING)}
    if isinstance(value, list):
        return [pruned(part, without) for part in value]
    return value


# By which of its members an entry of a list is the same one, though other members of it differ.
_KEYS = ("task_key", "environment_key", "job_cluster_key", "name", "category", "query")


def restricted(live: Any, desired: Any) -> Any:
    """Of what is there, what was asked for: the members that `desired` has, and lists in the order of `desired`.

    Services add members with their defaults and give lists of objects back in an order of their own. An entry
    that nobody asked for stays, at the end: that is a difference.
    """
    if isinstance(live, dict) and isinstance(desired, dict):
        return {name: restricted(live[name], part) for name, part in desired.items() if name in live}
    if isinstance(live, list) and isinstance(desired, list) and all(isinstance(one, dict) for one in live):
        left, found = list(live), []
        for wanted in desired:
            match = matching(left, wanted, lambda one, wanted: restricted(one, wanted) == wanted)
            if match is not None:
                left.remove(match)
                found.append(restricted(match, wanted))
        return found + left
    return live


def matching(entries: list[Any], wanted: Any, is_same: Callable[[Any, Any], bool]) -> Any | None:
    """The entry that says the same as `wanted`, or else the one of the same key; None when there is neither."""
    same = next((one for one in entries if is_same(one, wanted)), None)
    if same is not None or not isinstance(wanted, dict):
        return same
    key = next((name for name in _KEYS if name in wanted), None)
    candidates = (one for one in entries if isinstance(one, dict) and key in one)
    return next((one for one in candidates if one[key] == wanted[key]), None)
