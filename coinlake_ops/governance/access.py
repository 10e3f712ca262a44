"""Who may do what, by Unity Catalog's own rules, computed from grants instead of asked of a workspace.

Source: Databricks documentation, "Unity Catalog privileges and securable objects": an owner may do everything to
the object itself, though not to what is inside it; everybody else needs USE CATALOG, USE SCHEMA and the privilege;
what is granted on a catalog or a schema holds for everything in it; BROWSE only shows that something exists.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coinlake_ops.desired_state import Item

# What an action needs, besides USE CATALOG and USE SCHEMA.
ACTIONS = {
    "read table": "SELECT",
    "write table": "MODIFY",
    "create table": "CREATE TABLE",
    "read volume": "READ VOLUME",
    "write volume": "WRITE VOLUME",
    "run function": "EXECUTE",
}


@dataclass(frozen=True)
class Grant:
    """A privilege on a catalog, schema, table or volume, by its full name, for one principal."""

    securable: str
    principal: str
    privilege: str


def grants(items: Iterable[Item]) -> set[Grant]:
    """The grants among items."""
    found = set()
    for item in items:
        if item.kind == "grants":
            securable, _, principal = item.name.partition(" to ")
            name = securable.rpartition(" ")[2]
            found |= {Grant(name, principal, privilege) for privilege in item.content}
    return found


def owners(items: Iterable[Item]) -> dict[str, str]:
    """The owner of every catalog, schema, table, view and volume, by its full name."""
    kinds = ("catalog", "schema", "table", "view", "volume")
    return {item.name: item.content["owner"] for item in items if item.kind in kinds}


def may(granted: set[Grant], owned: dict[str, str], principal: str, action: str, securable: str) -> bool:
    """Whether a principal may do one of ACTIONS to catalog.schema or catalog.schema.object."""
    catalog, schema, *_ = [*securable.split("."), ""]
    chain = [catalog, f"{catalog}.{schema}", securable]

    def holds(privilege: str, names: list[str]) -> bool:
        return owned.get(names[-1]) == principal or any(
            Grant(name, principal, either) in granted for name in names for either in (privilege, "ALL PRIVILEGES")
        )

    to_act_on = chain if securable.count(".") == 2 else chain[:2]
    return holds("USE CATALOG", chain[:1]) and holds("USE SCHEMA", chain[:2]) and holds(ACTIONS[action], to_act_on)


def matrix(items: Iterable[Item], principals: Iterable[str]) -> Iterator[tuple[str, str, list[str]]]:
    """(principal, schema, actions) of everyone who may do anything to all of a schema."""
    items = list(items)
    granted, owned = grants(items), owners(items)
    schemas = [item.name for item in items if item.kind == "schema"]
    for principal in principals:
        for schema in schemas:
            allowed = [
                action for action in ACTIONS if may(granted, owned, principal, action, f"{schema}.anything")
            ]
            if allowed:
                yield principal, schema, allowed
