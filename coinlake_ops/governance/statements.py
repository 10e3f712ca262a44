"""Items of Unity Catalog as the SQL statements that make, change and remove them: pure functions of text.

Source: Databricks SQL language reference (CREATE CATALOG, CREATE VOLUME, GRANT, SET TAGS, row filter, mask).
Every statement can run again without harm.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from coinlake import delta, schema
from coinlake.errors import CoinlakeError
from coinlake.schema import delimited, quoted_text
from coinlake_ops.desired_state import Item
from coinlake_ops.governance.model import CREDENTIALS

# ALTER … of the kinds whose comment and owner can be set.
_COMMENTED = {"catalog": "CATALOG", "schema": "SCHEMA", "volume": "VOLUME", "table": "TABLE"}
_OWNED = _COMMENTED | {"external location": "EXTERNAL LOCATION", "view": "VIEW"}


def put(item: Item, before: Item | None) -> list[str]:
    """The statements that make an item, or bring it from `before` to what it should be.

    A credential has none: only the API makes it.
    """
    return list(_PUT[item.kind](item, before))


def remove(item: Item) -> list[str]:
    """The statements that remove a policy, a tag or a grant; what holds data is never dropped here."""
    return list(_REMOVE[item.kind](item))


def script(items: Iterable[Item]) -> str:
    """Everything as one SQL script, for reading and for an empty metastore."""
    parts = []
    for item in items:
        if item.kind in CREDENTIALS:
            identity = item.content["access_connector"]
            parts.append(f"-- The {item.kind} {item.name} is made through the API, for {identity}.")
        parts += [f"{statement};" for statement in put(item, None)]
    return "\n\n".join(parts) + "\n"


def name(qualified: str) -> str:
    """A name of one to four parts, each in backticks."""
    return ".".join(map(delimited, qualified.split(".")))


def _credential(_item, _before) -> Iterator[str]:
    yield from ()


def _location(item: Item, before: Item | None) -> Iterator[str]:
    content = item.content
    if before is None:
        yield (
            f"CREATE EXTERNAL LOCATION IF NOT EXISTS {name(item.name)} URL {quoted_text(content['url'])}\n"
            f"WITH (STORAGE CREDENTIAL {name(content['credential'])})\nCOMMENT {quoted_text(content['comment'])}"
        )
    else:
        _refuse_moving(item, before, "url")
        if content["credential"] != before.content["credential"]:
            yield f"ALTER EXTERNAL LOCATION {name(item.name)} SET STORAGE CREDENTIAL {name(content['credential'])}"
        # Its comment no statement changes: COMMENT ON knows no external locations. The API does.
    yield from _owner(item, before)


def _catalog(item: Item, before: Item | None) -> Iterator[str]:
    if before is None:
        yield (
            f"CREATE CATALOG IF NOT EXISTS {name(item.name)}\n"
            f"MANAGED LOCATION {quoted_text(item.content['managed_location'])}\n"
            f"COMMENT {quoted_text(item.content['comment'])}"
        )
    yield from _comment(item, before)
    yield from _owner(item, before)


def _schema(item: Item, before: Item | None) -> Iterator[str]:
    if before is None:
        yield f"CREATE SCHEMA IF NOT EXISTS {name(item.name)}\nCOMMENT {quoted_text(item.content['comment'])}"
    yield from _comment(item, before)
    yield from _owner(item, before)


def _volume(item: Item, before: Item | None) -> Iterator[str]:
    if before is None:
        yield (
            f"CREATE EXTERNAL VOLUME IF NOT EXISTS {name(item.name)}\n"
            f"LOCATION {quoted_text(item.content['location'])}\nCOMMENT {quoted_text(item.content['comment'])}"
        )
    else:
        _refuse_moving(item, before, "location")
    yield from _comment(item, before)
    yield from _owner(item, before)


def _table(item: Item, before: Item | None) -> Iterator[str]:
    if before is None:
        catalog, _, short = item.name.partition(".")
        described = next(table for table in schema.TABLES if table.qualified_name == short)
        yield delta.ddl(catalog, described)
    yield from _comment(item, before)
    yield from _owner(item, before)


def _columns(item: Item, before: Item | None) -> Iterator[str]:
    for column, comment in item.content.items():
        if before is not None and before.content.get(column) != comment:
            yield f"ALTER TABLE {name(item.name)} ALTER COLUMN {name(column)} COMMENT {quoted_text(comment)}"


def _function(item: Item, _before: Item | None) -> Iterator[str]:
    content = item.content
    yield (
        f"CREATE OR REPLACE FUNCTION {name(item.name)}({content['parameters']})\nRETURNS {content['returns']}\n"
        f"COMMENT {quoted_text(content['comment'])}\nRETURN {content['body']}"
    )


def _drop_function(item: Item) -> Iterator[str]:
    yield f"DROP FUNCTION IF EXISTS {name(item.name)}"


def _view(item: Item, _before: Item | None) -> Iterator[str]:
    content = item.content
    comment = quoted_text(content["comment"])
    yield f"CREATE OR REPLACE VIEW {name(item.name)}\nCOMMENT {comment}\nAS {content['query']}"
    # Who replaces a view may own it afterwards, so its owner is always said again.
    yield from _owner(item, None)


def _drop_row_filter(item: Item) -> Iterator[str]:
    yield f"ALTER TABLE {name(item.name)} DROP ROW FILTER"


def _drop_mask(item: Item) -> Iterator[str]:
    table, _, column = item.name.rpartition(".")
    yield f"ALTER TABLE {name(table)} ALTER COLUMN {name(column)} DROP MASK"


def _tags(item: Item, before: Item | None) -> Iterator[str]:
    there = before.content if before else {}
    gone = sorted(set(there) - set(item.content))
    changed = {tag: value for tag, value in item.content.items() if there.get(tag) != value}
    if gone:
        yield f"{_tagged(item)} UNSET TAGS ({', '.join(quoted_text(tag) for tag in gone)})"
    if changed:
        pairs = ", ".join(f"{quoted_text(tag)} = {quoted_text(value)}" for tag, value in sorted(changed.items()))
        yield f"{_tagged(item)} SET TAGS ({pairs})"


def _drop_tags(item: Item) -> Iterator[str]:
    yield f"{_tagged(item)} UNSET TAGS ({', '.join(quoted_text(tag) for tag in sorted(item.content))})"


def _tagged(item: Item) -> str:
    kind, _, owner = item.name.partition(" ")
    if kind == "column":
        table, _, column = owner.rpartition(".")
        return f"ALTER TABLE {name(table)} ALTER COLUMN {name(column)}"
    return f"ALTER {kind.upper()} {name(owner)}"


def _grants(item: Item, before: Item | None) -> Iterator[str]:
    securable, principal = _granted(item)
    wanted, there = set(item.content), set(before.content if before else ())
    if there - wanted:
        yield f"REVOKE {', '.join(sorted(there - wanted))} ON {securable} FROM {principal}"
    if wanted - there:
        yield f"GRANT {', '.join(sorted(wanted - there))} ON {securable} TO {principal}"


def _revoke(item: Item) -> Iterator[str]:
    securable, principal = _granted(item)
    yield f"REVOKE {', '.join(item.content)} ON {securable} FROM {principal}"


def _granted(item: Item) -> tuple[str, str]:
    securable, _, principal = item.name.partition(" to ")
    kind, _, owner = securable.rpartition(" ")
    return f"{kind.upper()} {name(owner)}", delimited(principal)


def _comment(item: Item, before: Item | None) -> Iterator[str]:
    if before is not None and item.content["comment"] != before.content["comment"]:
        yield f"COMMENT ON {_COMMENTED[item.kind]} {name(item.name)} IS {quoted_text(item.content['comment'])}"


def _owner(item: Item, before: Item | None) -> Iterator[str]:
    if before is None or item.content["owner"] != before.content["owner"]:
        yield f"ALTER {_OWNED[item.kind]} {name(item.name)} OWNER TO {delimited(item.content['owner'])}"


def _refuse_moving(item: Item, before: Item, place: str) -> None:
    if item.content[place].rstrip("/") != before.content[place].rstrip("/"):
        raise CoinlakeError(
            f"The {item.kind} {item.name} stands in {before.content[place]}, not in {item.content[place]}, and "
            "cannot be moved. Copy its files, drop it, and apply again; or put the old place into "
            "sql/governance/coinlake.yml."
        )


_PUT: dict[str, Any] = {
    "storage credential": _credential,
    "service credential": _credential,
    "external location": _location,
    "catalog": _catalog,
    "schema": _schema,
    "volume": _volume,
    "table": _table,
    "columns": _columns,
    "function": _function,
    "view": _view,
    "tags": _tags,
    "grants": _grants,
}
_REMOVE: dict[str, Any] = {
    "function": _drop_function,
    "row filter": _drop_row_filter,
    "column mask": _drop_mask,
    "tags": _drop_tags,
    "grants": _revoke,
}
