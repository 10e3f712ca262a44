"""JSON without what says nothing, so that what was sent and what comes back can be compared."""

from collections.abc import Collection
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
