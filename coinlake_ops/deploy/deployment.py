"""Plans, applies and destroys the parts of an environment, one after the other."""

import re
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import requests
from azure.core.exceptions import AzureError, HttpResponseError
from databricks.sdk.errors import DatabricksError, PermissionDenied

from adf_lab import AdfLabError
from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import CLOSED, FROM_INSIDE, NotAllowed
from coinlake_ops.deploy.resources.alerts import Alerts
from coinlake_ops.deploy.resources.azure_resources import AzureResources, Watching
from coinlake_ops.deploy.resources.compute import Compute
from coinlake_ops.deploy.resources.dashboard import Dashboard
from coinlake_ops.deploy.resources.factory import FactoryObjects
from coinlake_ops.deploy.resources.governance import Governance
from coinlake_ops.deploy.resources.job import Job
from coinlake_ops.deploy.resources.notebooks import Notebooks
from coinlake_ops.deploy.resources.part import Change, Part
from coinlake_ops.deploy.resources.secret_scope import Secrets
from coinlake_ops.deploy.resources.sql import Sql

# Each builds on those before it; they are destroyed the other way round.
PARTS: tuple[type[Part], ...] = (
    AzureResources,
    Compute,
    Secrets,
    Governance,
    Notebooks,
    Job,
    Dashboard,
    Alerts,
    Sql,
    FactoryObjects,
    Watching,
)

Emit = Callable[[str], None]
T = TypeVar("T")

# A new role reaches storage and Key Vault some minutes after it was assigned. Until then they say this.
# Source: Azure documentation, "Troubleshoot Azure RBAC": up to 10 minutes.
ROLE_NOT_KNOWN_YET = re.compile("AuthorizationPermissionMismatch|does not let this identity list secrets")
SECONDS_FOR_ROLES = 30
ATTEMPTS = 21


def parts(clients: Clients, only: Iterable[str] = ()) -> list[Part]:
    """The parts of an environment in order; all of them, or those called as in `only`.

    Raises CoinlakeError for a name that no part has.
    """
    only = list(only)
    require_known(only)
    return [part(clients) for part in PARTS if not only or part.name in only]


def require_known(names: Iterable[str]) -> None:
    """Raises CoinlakeError for a name that no part has."""
    known = [part.name for part in PARTS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise CoinlakeError(f"There is no part {', '.join(unknown)}. The parts are: {', '.join(known)}.")


@dataclass(frozen=True)
class Plan:
    """How many changes there are, and the names of the parts that could not be seen for want of a right."""

    changes: int
    unseen: tuple[str, ...]


def plan(parts: Iterable[Part], emit: Emit) -> Plan:
    """Print the changes of every part; of one that the signed-in identity may not see, what it lacks.

    Whoever may only read can plan: what stays unseen is said, and the parts that can be seen are compared.
    """
    changes, unseen = 0, []
    for part in parts:
        try:
            changes += _planned(part, part.changes, emit)
            for note in part.notes():
                emit(f"  note: {note}")
        except NotAllowed as missing:
            unseen.append(part.name)
            emit(f"  not seen: {missing}")
    return Plan(changes, tuple(unseen))


def apply(parts: Iterable[Part], emit: Emit) -> int:
    """Print the plan, then carry it out part by part; returns the number of changes made.

    Each part is compared anew when its turn comes, because the parts before it may have made what it needs.
    Raises CoinlakeError that names the change that failed; what was done before it stays, and the next call
    goes on from there.
    """
    parts = list(parts)
    if sum(_planned(part, part.changes, emit, ATTEMPTS) for part in parts) == 0:
        return 0
    emit("\nApplying:")
    return sum(_carried_out(part, part.changes, emit) for part in parts)


def destroy(parts: Iterable[Part], emit: Emit) -> int:
    """Remove everything that the parts made, the last part first; returns the number of removals."""
    return sum(_carried_out(part, part.removals, emit) for part in reversed(list(parts)))


def plan_destruction(parts: Iterable[Part], emit: Emit) -> int:
    """Print what `destroy` would remove; returns how many things."""
    return sum(_planned(part, part.removals, emit) for part in reversed(list(parts)))


def _planned(part: Part, find: Callable[[], list[Change]], emit: Emit, attempts: int = 1) -> int:
    emit(f"\n{part.name}: {part.purpose}")
    changes = _attempted(part, "comparing", find, emit, attempts)
    for change in changes:
        emit(f"  {change}")
    if not changes:
        emit("  nothing to change")
    return len(changes)


def _carried_out(part: Part, find: Callable[[], list[Change]], emit: Emit) -> int:
    """Find the changes and make them."""
    changes = _attempted(part, "comparing", find, emit)
    for number, change in enumerate(changes, start=1):
        _attempted(part, f"{change.action} {change.kind} {change.name}", change.run, emit)
        emit(f"  {part.name} {number}/{len(changes)}: {change.action} {change.kind} {change.name}")
    return len(changes)


def _attempted(part: Part, doing: str, work: Callable[[], T], emit: Emit, attempts: int = ATTEMPTS) -> T:
    """The result of some work, which is begun anew while a service does not know of a new role yet."""
    for attempt in range(1, attempts + 1):
        try:
            with _named(part.name, doing):
                return work()
        except CoinlakeError as error:
            if attempt == attempts or not ROLE_NOT_KNOWN_YET.search(str(error)):
                raise
            if attempt == 1 and not part.roles_are_new():
                raise
        emit(f"  {part.name}: {doing} waits until a new role is known ({attempt} of {attempts - 1} times)")
        part.wait(SECONDS_FOR_ROLES)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _named(part: str, doing: str):
    """Errors of every client as one kind of error, which says what was being done."""
    try:
        yield
    except NotAllowed as error:
        raise NotAllowed(f"{part}, {doing}: {error}") from None
    except (CoinlakeError, AdfLabError) as error:
        raise CoinlakeError(f"{part}, {doing}: {error}") from None
    except PermissionDenied as error:
        if CLOSED.search(str(error)):
            raise NotAllowed(f"{part}, {doing}: {error}. {FROM_INSIDE}") from None
        reason = f"a right is missing in Databricks: {error}. Who deploys must be a member of the platform group "
        reason += "and an administrator of the workspace."
        raise NotAllowed(f"{part}, {doing}: {reason}") from None
    except HttpResponseError as error:
        reason = str(error).partition("\n")[0]
        kind = NotAllowed if error.status_code == 403 else CoinlakeError
        raise kind(f"{part}, {doing}: {reason}. What is done stays; apply again.") from None
    except (DatabricksError, AzureError, requests.RequestException) as error:
        reason = str(error).partition("\n")[0]
        raise CoinlakeError(f"{part}, {doing}: {reason}. What is done stays; apply again.") from None
