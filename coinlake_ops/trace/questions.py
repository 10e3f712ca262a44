"""What is typed after `coinlake trace`: a table and the key of one of its rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches

from coinlake import instants, schema
from coinlake.errors import ConfigurationError
from coinlake.schema import Table
from coinlake.warehouse import LOADED
from coinlake_ops.trace.origins import VIEWS

WAREHOUSE, REPORTING = "warehouse", "reporting"

Value = str | int | float | date | datetime | bool


@dataclass(frozen=True)
class Question:
    """Where a row stands, and its key: `place` is a schema of the lake, `warehouse` or `reporting`.

    `table` is None for a view of `reporting`; instants are UTC.
    """

    place: str
    name: str
    table: Table | None
    key: Mapping[str, Value]


def ask(name: str, words: Iterable[str]) -> Question:
    """The question for a row: `name` of a table, with or without its schema, and `words` such as coin_id=bitcoin.

    `warehouse.` before the name asks for the row as the warehouse holds it, `reporting.` for one of its views.
    Raises ConfigurationError for a table that does not exist, and for a key that is not the table's.
    """
    known = _places()
    place_and_table = known.get(name)
    if place_and_table is None:
        raise ConfigurationError(f"There is no table {name}. {_what_there_is(name, known)}")
    place, table = place_and_table
    bare = name.rpartition(".")[2]
    types = _types(bare, table)
    return Question(place, bare, table, _key(name, types, words))


def _what_there_is(name: str, known: Iterable[str]) -> str:
    """Names that are near, with a schema or without as this one; all, where none is."""
    alike = [each for each in known if ("." in each) == ("." in name)]
    if near := get_close_matches(name, alike, n=3):
        return f"Did you mean {', '.join(near)}?"
    tables, views = (", ".join(names) for names in ((t.name for t in schema.TABLES), VIEWS))
    return (
        f"The tables are {tables}; with {WAREHOUSE}. before a name of gold the row is the warehouse's, and with "
        f"{REPORTING}. one of its views: {views}."
    )


def _places() -> dict[str, tuple[str, Table | None]]:
    """Every name that can be asked for: where it stands, and the table."""
    return (
        {table.name: (table.schema, table) for table in schema.TABLES}
        | {table.qualified_name: (table.schema, table) for table in schema.TABLES}
        | {f"{WAREHOUSE}.{table.name}": (WAREHOUSE, table) for table in LOADED}
        | {f"{REPORTING}.{name}": (REPORTING, None) for name in VIEWS}
    )


def _types(name: str, table: Table | None) -> dict[str, str]:
    """The columns of the key with their Spark SQL types."""
    if table is not None:
        described = {column.name: column.type for column in table.columns}
        return {column: described[column] for column in table.key}
    view = VIEWS[name]
    described = {column.name: column.type for origin in view.origins for column in origin.table.columns}
    return {column: described[column] for column in view.key}


def _key(name: str, types: Mapping[str, str], words: Iterable[str]) -> dict[str, Value]:
    given: dict[str, str] = {}
    for word in words:
        column, equals, value = word.partition("=")
        if not equals:
            raise ConfigurationError(f"{word!r} is no part of a key. Write it as COLUMN=VALUE.")
        if column in given:
            raise ConfigurationError(f"{column} is given twice.")
        given[column] = value
    example = " ".join(f"{column}={_EXAMPLES[kind]}" for column, kind in types.items())
    missing, unknown = types.keys() - given.keys(), given.keys() - types.keys()
    if missing or unknown:
        raise ConfigurationError(
            f"A row of {name} is found by {', '.join(types)}: "
            + "; ".join(
                f"{', '.join(sorted(columns))} {said}"
                for columns, said in ((missing, "missing"), (unknown, "not part of the key"))
                if columns
            )
            + f". Write: coinlake trace {name} {example}"
        )
    return {column: _value(column, types[column], given[column]) for column in types}


_EXAMPLES = {
    "STRING": "…",
    "DATE": "2026-08-01",
    "TIMESTAMP": "2026-08-01T14:00:00Z",
    "INT": "1",
    "BIGINT": "1",
    "DOUBLE": "1.5",
}


def _value(column: str, kind: str, text: str) -> Value:
    try:
        if kind == "DATE":
            return date.fromisoformat(text)
        if kind == "TIMESTAMP":
            return instants.parse(text)
        if kind in ("INT", "BIGINT"):
            return int(text)
        return float(text) if kind == "DOUBLE" else text
    except (ValueError, ConfigurationError):
        raise ConfigurationError(
            f"{column}={text} is no {kind} value. Write it like {column}={_EXAMPLES[kind]}"
        ) from None
