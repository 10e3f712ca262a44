"""Tables as Delta knows them: the statement that makes one, and how one that exists differs from it."""

from collections.abc import Iterable, Mapping

from coinlake.schema import Table, quoted_text

# Deletion vectors would save rewriting small files now and then, cost a second look at the list of files at
# every read, and keep out readers that do not know them. Databricks gives them to every new table that does not
# refuse.
#
# Retention: what VACUUM leaves, for whoever reads an older version or the change feed from there. An hourly run
# writes the month's files again each time, so that each further day costs as much again.
PROPERTIES = {
    "delta.enableChangeDataFeed": "true",
    "delta.enableDeletionVectors": "false",
    "delta.deletedFileRetentionDuration": "interval 7 days",
    "delta.logRetentionDuration": "interval 30 days",
}

RULE = "delta.constraints."


def ddl(catalog: str, table: Table, location: str | None = None) -> str:
    """The statement that makes the table, rules included, in one commit."""
    columns = ",\n  ".join(
        f"{column.name} {column.type}{' NOT NULL' if column.required else ''} "
        f"COMMENT {quoted_text(column.comment)}"
        for column in table.columns
    )
    rules = {f"{RULE}{name}": condition for name, condition in table.checks.items()}
    return "\n".join(
        (
            f"CREATE TABLE IF NOT EXISTS {table.full_name(catalog)} (\n  {columns}\n) USING delta",
            *([f"PARTITIONED BY ({table.partition})"] if table.partition else []),
            f"COMMENT {quoted_text(table.comment)}",
            *([f"LOCATION {quoted_text(location)}"] if location else []),
            f"TBLPROPERTIES ({properties(rules)})",
        )
    )


def properties(rules: Mapping[str, str] | None = None) -> str:
    """The properties of every table, and rules besides, as a statement takes them."""
    return ", ".join(
        f"{quoted_text(name)} = {quoted_text(value)}" for name, value in (PROPERTIES | dict(rules or {})).items()
    )


def added_columns(catalog_name: str, table: Table, found: list[tuple[str, str, bool]]) -> str | None:
    """The statement that adds the columns that a table of an older release lacks; None where it lacks none.

    Only columns that may be NULL can be added. `catalog_name` is how SQL names the table.
    """
    existing = {name for name, *_ in found}
    lacking = [column for column in table.columns if column.name not in existing and not column.required]
    if not lacking:
        return None
    columns = ", ".join(f"{column.name} {column.type} COMMENT {quoted_text(column.comment)}" for column in lacking)
    return f"ALTER TABLE {catalog_name} ADD COLUMNS ({columns})"


def differences(table: Table, found: list[tuple[str, str, bool]]) -> Iterable[str]:
    """In words, where the columns that exist (name, type, required) differ from those that are described."""
    described = {column.name: (_simple(column.type), column.required) for column in table.columns}
    existing = {name: (type_, required) for name, type_, required in found}
    place = table.qualified_name
    for name in described.keys() | existing.keys():
        if name not in existing:
            yield f"{place} lacks column {name}"
        elif name not in described:
            yield f"{place} has a column {name} that coinlake.schema does not describe"
        elif described[name] != existing[name]:
            yield f"{place}.{name} is {_words(existing[name])}, not {_words(described[name])}"


def _simple(type_: str) -> str:
    return type_.lower().replace(" ", "")


def _words(column: tuple[str, bool]) -> str:
    return column[0].upper() + (" NOT NULL" if column[1] else "")
