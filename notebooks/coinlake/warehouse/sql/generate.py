"""Writes sql/warehouse/staging and …/load from the migrations: part of `coinlake sql generate`.

A staging table and the statements that merge it follow from the table they lead to, word for word;
written by hand they would only drift. They are committed all the same: whoever runs the warehouse reads
what will run, and Azure runs the same text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlglot import exp

from coinlake.warehouse.sql import portable_tsql
from coinlake.warehouse.sql.scripts import FOLDER, migrations

HEADER = "-- Generated from the migrations by coinlake sql generate: edit those instead.\n"
TARGET = "aggregated_data"


@dataclass
class TargetTable:
    """One table of the warehouse as the migrations define it.

    `columns` maps each name to its type in T-SQL, collation included; `required` are those that are NOT NULL;
    `references` names the tables that its foreign keys point to; `rules` are the names of its constraints.
    """

    name: str
    columns: dict[str, str] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    key: tuple[str, ...] = ()
    references: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def take(self, elements: Iterable[exp.Expr]) -> None:
        """Take over the columns and constraints of a CREATE TABLE or ALTER TABLE … ADD."""
        for element in elements:
            if isinstance(element, exp.ColumnDef):
                self._take_column(element)
            else:
                self.rules.append(element.name)
                for rule in element.expressions:
                    self._take_rule(rule)

    def _take_column(self, column: exp.ColumnDef) -> None:
        kinds = [constraint.args["kind"] for constraint in column.args["constraints"]]
        collations = [kind.this.name for kind in kinds if isinstance(kind, exp.CollateColumnConstraint)]
        self.columns[column.name] = " COLLATE ".join(
            [portable_tsql.type_name(portable_tsql.column_type(column)), *collations]
        )
        if any(isinstance(k, exp.NotNullColumnConstraint) and not k.args.get("allow_null") for k in kinds):
            self.required.add(column.name)

    def _take_rule(self, rule: exp.Expr) -> None:
        if isinstance(rule, exp.PrimaryKey):
            self.key = tuple(column.this.name for column in rule.expressions)
        elif isinstance(rule, exp.ForeignKey):
            self.references.append(rule.args["reference"].this.this.name)


def target_tables(schema: str = TARGET) -> dict[str, TargetTable]:
    """The tables of one schema by name, in the order in which the migrations create them."""
    found: dict[str, TargetTable] = {}
    for path in migrations():
        for batch in portable_tsql.read(path):
            tree = portable_tsql.parse(batch, path.name)
            if isinstance(tree, exp.Create) and tree.args["kind"] == "TABLE" and tree.this.this.db == schema:
                table = TargetTable(tree.this.this.name)
                found[table.name] = table
                table.take(tree.this.expressions)
            elif isinstance(tree, exp.Alter) and tree.this.db == schema:
                found[tree.this.name].take(tree.args["actions"])
    return found


def staging_sql(table: TargetTable) -> str:
    """The staging table: the target's columns, all of them optional, what to do with the row, and whose it is."""
    columns = [f"{portable_tsql.quoted(name)} {kind} NULL" for name, kind in table.columns.items()]
    return f"""{HEADER}
DROP TABLE IF EXISTS staging.{table.name};
GO
CREATE TABLE staging.{table.name} (
    {_lines([*columns, "is_deleted BIT NOT NULL", "load_id INT NOT NULL"], 4)}
);
"""


def merge_sql(table: TargetTable) -> str:
    """The three statements that bring a table up to date from its staging table: mark, merge, delete.

    They take rows with their own @load_id only: what a load that broke off left in staging stays out.
    """
    names = [portable_tsql.quoted(name) for name in table.columns]
    key = [portable_tsql.quoted(name) for name in table.key]
    values = [name for name in names if name not in key]
    same_key = "\n        AND ".join(f"source.{name} = target.{name}" for name in key)
    return f"""{HEADER}
-- After a whole copy of gold: what gold no longer holds goes.
INSERT INTO staging.{table.name} ({", ".join(key)}, is_deleted, load_id)
SELECT {", ".join(f"target.{name}" for name in key)}, 1, @load_id
FROM {TARGET}.{table.name} AS target
WHERE NOT EXISTS (
    SELECT 1
    FROM staging.{table.name} AS source
    WHERE source.load_id = @load_id
        AND {same_key}
);
GO
MERGE INTO {TARGET}.{table.name} AS target
USING (
    SELECT
        {_lines(names, 8)}
    FROM staging.{table.name}
    WHERE load_id = @load_id
        AND is_deleted = 0
) AS source
    ON {same_key}
WHEN MATCHED AND (
    {_lines([f"target.{name} IS DISTINCT FROM source.{name}" for name in values], 4, "OR ")}
) THEN
    UPDATE SET
        {_lines([f"{name} = source.{name}" for name in values], 8)}
WHEN NOT MATCHED THEN
    INSERT (
        {_lines(names, 8)}
    ) VALUES (
        {_lines([f"source.{name}" for name in names], 8)}
    );
GO
DELETE FROM {TARGET}.{table.name}
WHERE EXISTS (
    SELECT 1
    FROM staging.{table.name} AS source
    WHERE source.load_id = @load_id
        AND source.is_deleted = 1
        AND {same_key.replace("target.", f"{table.name}.")}
);
"""


def write(folder: Path = FOLDER) -> None:
    """Write both folders anew; files of tables that are gone go too."""
    for kind, text in (("staging", staging_sql), ("merge", merge_sql)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for stale in (folder / kind).glob("*.sql"):
            stale.unlink()
        for table in target_tables().values():
            (folder / kind / f"{table.name}.sql").write_text(text(table), encoding="utf-8")


def _lines(parts: list[str], indent: int, before: str = "") -> str:
    separator = f"\n{' ' * indent}{before}" if before else f",\n{' ' * indent}"
    return separator.join(parts)
