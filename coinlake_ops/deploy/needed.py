"""What a deployment cannot go on without: a value that a service may leave out, and a right."""

from typing import TypeVar

from coinlake.errors import CoinlakeError

T = TypeVar("T")


def needed(value: T | None, what: str) -> T:
    """The value; raises CoinlakeError when it is None: `There is no <what>`."""
    if value is None:
        raise CoinlakeError(f"There is no {what}. Plan again to see what the environment lacks.")
    return value


class NotAllowed(CoinlakeError):
    """A service refuses because a right is missing: a plan says so and goes on, an apply ends."""
