"""What should be and what is, as items, and where the two differ: pure functions of two lists.

Governance describes Unity Catalog with them, a deployment everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ABSENT = object()
LONGEST_VALUE = 60


@dataclass(frozen=True)
class Item:
    """One object of an environment: `content` is what must be equal, JSON-like, and never holds a secret."""

    kind: str
    name: str
    content: Any = None

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same object: its kind and name."""
        return self.kind, self.name


def difference(
    desired: Iterable[Item], live: Iterable[Item]
) -> list[tuple[str, Item, Item | None, tuple[str, ...]]]:
    """(action, item, what is there, details) for every item that differs.

    Creations and updates come in the order of `desired`, then deletions against the order of `live`: an object
    is removed when nothing needs it any more.
    """
    desired, live = list(desired), list(live)
    there = {item.key: item for item in live}
    wanted = {item.key for item in desired}
    found: list[tuple[str, Item, Item | None, tuple[str, ...]]] = []
    for item in desired:
        before = there.get(item.key)
        if before is None:
            found.append(("create", item, None, ()))
        elif before.content != item.content:
            found.append(("update", item, before, tuple(details(item.content, before.content))))
    found += [("delete", item, item, ()) for item in reversed(live) if item.key not in wanted]
    return found


def details(desired: Any, live: Any, path: str = "") -> Iterable[str]:
    """In words, where two JSON-like values differ: `path: live -> desired`."""
    if isinstance(desired, dict) and isinstance(live, dict):
        for name in sorted({*desired, *live}, key=str):
            yield from details(
                desired.get(name, ABSENT), live.get(name, ABSENT), f"{path}.{name}" if path else name
            )
    elif desired != live:
        yield f"{path or 'content'}: {_shown(live)} -> {_shown(desired)}"


def _shown(value: Any) -> str:
    text = "nothing" if value is ABSENT else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
