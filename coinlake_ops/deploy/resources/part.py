"""A part of an environment: what should be, what is, and the ordered changes that lead from one to the other."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from coinlake_ops.deploy.clients import Clients
from coinlake_ops.desired_state import Item, difference


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

    def __init__(self, clients: Clients):
        self._clients = clients

    @abstractmethod
    def changes(self) -> list[Change]:
        """The changes that lead from what is to what should be, in order; changes nothing itself.

        Raises CoinlakeError that names a right or a value that is missing.
        """

    @abstractmethod
    def removals(self) -> list[Change]:
        """The changes that remove everything that this part made, in order."""

    def roles_are_new(self) -> bool:
        """Whether a service may refuse only because a role was assigned minutes ago."""
        return self._clients.has_new_roles()

    def wait(self, seconds: float) -> None:
        """Let time pass before another attempt."""
        self._clients.sleep(seconds)

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
