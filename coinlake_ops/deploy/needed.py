"""What a deployment cannot go on without: a value that a service may leave out, and a right."""

import re
from typing import TypeVar

from coinlake.errors import CoinlakeError

T = TypeVar("T")

# What services say to whom they do not reach by their private endpoints: Key Vault, Databricks, Azure SQL (47073).
CLOSED = re.compile(
    "Public network access is disabled|Public access is not allowed for workspace|Unauthorized network access"
    "|Deny Public Network Access is set to Yes"
)
FROM_INSIDE = (
    "The environment is closed to the internet: go on from a machine in its network, or in one that is peered "
    "with it. See coinlake_ops/azure/README.md, In a network of its own."
)


def needed(value: T | None, what: str) -> T:
    """The value; raises CoinlakeError when it is None: `There is no <what>`."""
    if value is None:
        raise CoinlakeError(f"There is no {what}. Plan again to see what the environment lacks.")
    return value


class NotAllowed(CoinlakeError):
    """A service refuses because a right is missing: a plan says so and goes on, an apply ends."""
