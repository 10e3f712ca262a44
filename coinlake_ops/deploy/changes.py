"""What should be, what is, and the ordered changes that lead from one to the other.

A part of the deployment describes its objects as items; `difference` is a pure function of two lists of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
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


@dataclass(frozen=True)
class Change:
    """One step of a plan: what is done to which object, in words, and the call that does it."""

    action: str
    kind: str
    name: str
    details: tuple[str, ...]
    run: Callable[[], None]

    def __str__(self) -> str:
        lines = [f"{SIGNS[self.action]} {self.action} {self.kind} {self.name}"]
        return "\n      ".join([*lines, *self.details])


SIGNS = {"create": "+", "update": "~", "delete": "-"}


class Part(ABC):
    """One part of an environment that can be planned, applied and destroyed alone."""

    name: str
    purpose: str

    @abstractmethod
    def changes(self) -> list[Change]:
        """The changes that lead from what is to what should be, in order; changes nothing itself.

        Raises CoinlakeError that names a right or a value that is missing.
        """

    @abstractmethod
    def removals(self) -> list[Change]:
        """The changes that remove everything that this part made, in order."""

    def notes(self) -> list[str]:
        """What a person should know besides the changes."""
        return []


class ItemsPart(Part):
    """A part whose objects are put and removed one by one."""

    @abstractmethod
    def desired(self) -> list[Item]:
        """What should be, each item after those it needs."""

    @abstractmethod
    def live(self) -> list[Item]:
        """What is there of the project's own, each item after those it needs; empty while nothing can be asked."""

    @abstractmethod
    def put(self, item: Item, before: Item | None) -> None:
        """Make the item, or bring it from `before` to what it should be."""

    @abstractmethod
    def remove(self, item: Item) -> None:
        """Remove an item that is there."""

    def changes(self) -> list[Change]:
        """See Part."""
        return [
            Change(action, item.kind, item.name, details, self._call(action, item, before))
            for action, item, before, details in difference(self.desired(), self.live())
        ]

    def removals(self) -> list[Change]:
        """See Part."""
        return [
            Change("delete", item.kind, item.name, (), self._call("delete", item, item))
            for item in reversed(self.live())
        ]

    def _call(self, action: str, item: Item, before: Item | None) -> Callable[[], None]:
        if action == "delete":
            return lambda: self.remove(item)
        return lambda: self.put(item, before)


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
