"""What each view of the warehouse gives: columns, types and meaning, from the view's SQL and coinlake.schema."""

import re
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from coinlake import project_files, schema
from coinlake.errors import CoinlakeError

FOLDER = project_files.path("sql/warehouse/views")
# Columns that a view computes: their type and meaning stand nowhere else.
COMPUTED = {
    ("coin", "label"): ("STRING", "name and symbol, for example Bitcoin (BTC)"),
    ("run", "date"): ("DATE", "UTC day on which the run began"),
    ("coin_event", "date"): ("DATE", "UTC day of the instant"),
    ("market_day", "share_advancing"): ("DOUBLE", "fraction of the coins whose 1-day return is above 0"),
}


@dataclass(frozen=True)
class ViewColumn:
    """One column of a view: its name, its Spark SQL type, and what it means, with the unit."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class View:
    """One view of the schema reporting: what its first comment says, and its columns in order."""

    name: str
    comment: str
    columns: tuple[ViewColumn, ...]


def view(name: str, folder: Path = FOLDER) -> View:
    """The description of a view.

    Raises CoinlakeError for a computed column that COMPUTED does not describe.
    """
    text = (folder / f"{name}.sql").read_text(encoding="utf-8")
    said = re.match(r"(?:--.*\n)*", text)
    comment = " ".join(line.removeprefix("--").strip() for line in said[0].splitlines()) if said else ""
    select = sqlglot.parse_one(text[text.index("SELECT") :].rstrip().rstrip(";"), read="tsql")
    assert isinstance(select, exp.Query)
    described = {table.qualified_name: table for table in schema.TABLES}
    sources = {
        table.alias_or_name: described.get(f"{table.db}.{table.name}") for table in select.find_all(exp.Table)
    }
    columns = []
    for column in select.selects:
        inner = column.unalias()
        table = sources.get(inner.table) if isinstance(inner, exp.Column) else None
        source = next((one for one in table.columns if one.name == inner.name), None) if table else None
        if source is not None:
            columns.append(ViewColumn(column.alias_or_name, source.type, source.comment))
        elif (name, column.alias_or_name) in COMPUTED:
            columns.append(ViewColumn(column.alias_or_name, *COMPUTED[name, column.alias_or_name]))
        else:
            raise CoinlakeError(
                f"sql/warehouse/views/{name}.sql computes {column.alias_or_name}: "
                "describe it in coinlake_ops/bi/views.py."
            )
    return View(name, comment, tuple(columns))
