"""The database behind the double: portable T-SQL on DuckDB, with the transactions and errors of the real one.

DuckDB checks foreign keys against what is committed, row by row; the real service checks them against what
the transaction did so far, statement by statement. So they are checked here, and DuckDB never sees them.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp

from coinlake.warehouse import TsqlError
from coinlake.warehouse.sql import portable_tsql
from tests.support.tds import types
from tests.support.tds.tokens import Column, ServerError
from tests.support.tds.types import Type

REFUSED = 50000
# What DuckDB says -> number and text of the real service. Groups of the pattern fill the text.
ERRORS = (
    (r"CHECK constraint failed on table \"(.+?)\" with expression CHECK\(\(length\(\"?(.+?)\"?\) <= \d+\)\)",
     2628, "String or binary data would be truncated in table '{0}', column '{1}'."),
    (r"CHECK constraint failed on table \"(.+?)\" with expression (.+)",
     547, "The statement conflicted with a CHECK constraint of table \"{0}\": {1}"),
    (r"NOT NULL constraint failed: (\w+)\.\"?(\w+)",
     515, "Cannot insert the value NULL into column '{1}', table '{0}'; column does not allow nulls."),
    (r"[Dd]uplicate key \"(.+?)\"",
     2627, "Violation of PRIMARY KEY constraint. Cannot insert duplicate key. The duplicate key value is ({0})."),
    (r"MERGE INTO command cannot affect the same target row more than once", 8672,
     "The MERGE statement attempted to UPDATE or DELETE the same row more than once."),
    (r"Table with name \"?([\w.]+)\"? does not exist|Python Object \"(\w+)\"", 208, "Invalid object name '{0}'."),
    (r"Schema with name \"?(\w+)\"? does not exist", 2760, "The specified schema name \"{0}\" does not exist."),
    (r"with name \"?(\w+)\"? already exists", 2714, "There is already an object named '{0}' in the database."),
    (r"Referenced (?:update )?column \"?(.+?)\"? not found|does not have a column (?:with name|named) \"(.+?)\"",
     207, "Invalid column name '{0}'."),
    (r"out of range", 8115, "Arithmetic overflow error converting expression."),
    (r"Could not convert", 245, "Conversion failed when converting a value."),
    (r"[Cc]onflict", 1205, "Transaction was deadlocked on lock resources with another process and has been "
     "chosen as the deadlock victim. Rerun the transaction."),
)  # fmt: skip
STARTUP = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL ieee_floating_point_ops = false",
    "CREATE SCHEMA IF NOT EXISTS tds_double",
    "CREATE TABLE IF NOT EXISTS tds_double.foreign_key (name VARCHAR, child VARCHAR, child_column VARCHAR, "
    "parent VARCHAR, parent_column VARCHAR)",
    "CREATE TABLE IF NOT EXISTS tds_double.object (kind VARCHAR, name VARCHAR, place VARCHAR)",
)


class ForeignKey(NamedTuple):
    """A foreign key of one column; tables are named schema.table."""

    name: str
    child: str
    child_column: str
    parent: str
    parent_column: str


class Statement(NamedTuple):
    """A batch of portable T-SQL, translated: its verb, the table it changes, and the keys that it declares."""

    verb: str
    table: str
    sql: str
    declares: tuple[ForeignKey, ...]


class Answer(NamedTuple):
    """What a statement gives: columns and rows, or the number of rows it changed, or neither."""

    columns: list[Column] = []
    rows: list[tuple[Any, ...]] = []
    changed: int | None = None


class Database:
    """Tables of all sessions, and the application locks that they hold."""

    def __init__(self, name: str, path: Path | None = None):
        self.name = name
        self._root = duckdb.connect(str(path or ":memory:"))
        for setting in STARTUP:
            self._root.execute(setting)
        self.transactions = count(1)
        self._locks: dict[str, EngineSession] = {}
        self._mutex = threading.Lock()

    def session(self) -> "EngineSession":
        """A session of its own."""
        return EngineSession(self, self._root.cursor())

    def lock(self, resource: str, session: "EngineSession") -> bool:
        """sp_getapplock without waiting: whether the session has the lock now."""
        with self._mutex:
            return self._locks.setdefault(resource, session) is session

    def unlock(self, session: "EngineSession") -> None:
        """Release every lock of a session."""
        with self._mutex:
            self._locks = {name: owner for name, owner in self._locks.items() if owner is not session}

    def close(self) -> None:
        self._root.close()


class EngineSession:
    """One connection's view of the database.

    `transaction` is the number of the open transaction, 0 without one. An error in a transaction rolls it back
    when XACT_ABORT is on; else it is doomed, and nothing but ROLLBACK is taken (3930): stricter than the real
    service, which would sometimes go on, because DuckDB cannot.
    """

    def __init__(self, database: Database, connection: duckdb.DuckDBPyConnection):
        self.database = database
        self._connection = connection
        self.transaction = 0
        self._doomed = False
        self.reset()

    def reset(self) -> None:
        """As a new connection is: no transaction, no locks, default settings."""
        self.rollback()
        self.database.unlock(self)
        self.xact_abort = False
        self.implicit_transactions = False

    def close(self) -> None:
        """What the server does when a connection is gone."""
        self.reset()
        self._connection.close()

    def begin(self) -> None:
        self._connection.begin()
        self.transaction = next(self.database.transactions)

    def commit(self) -> None:
        """Raises ServerError 1205 when another session wrote the same rows."""
        if self._doomed:
            raise ServerError(3930, "The current transaction cannot be committed. Roll back the transaction.")
        try:
            if self.transaction:
                self._connection.commit()
        except duckdb.Error as problem:
            raise _real(problem) from None
        finally:
            self.transaction = 0

    def rollback(self) -> None:
        if self.transaction:
            self._connection.rollback()
        self.transaction, self._doomed = 0, False

    def execute(self, batch: str, values: Sequence[Any] = ()) -> Answer:
        """Run one batch of portable T-SQL; raises ServerError."""
        with self.statement():
            statement = translate(batch)
            self._refuse_loss_of_parents(statement)
            cursor = self._connection.execute(statement.sql, list(values) or None)
            if statement.verb == "SELECT":
                return _result(cursor)
            answer = Answer()
            if statement.verb in ("INSERT", "UPDATE", "DELETE", "MERGE"):
                answer = Answer(changed=cursor.fetchone()[0])
            for key in statement.declares:
                self._connection.execute("INSERT INTO tds_double.foreign_key VALUES (?, ?, ?, ?, ?)", key)
            self._check_foreign_keys(statement)
            return answer

    def columns(self, table: str) -> list[Column]:
        """The columns of a table; raises ServerError 208 when there is none."""
        schema, name = table.split(".")
        checks = self._connection.execute(
            "SELECT constraint_text FROM duckdb_constraints() "
            "WHERE schema_name = ? AND table_name = ? AND constraint_type = 'CHECK'",
            (schema, name),
        ).fetchall()
        lengths = re.findall(r'length\("?(.+?)"?\) <= (\d+)', " ".join(text for (text,) in checks))
        letters = {column: int(length) for column, length in lengths}
        found = self._connection.execute(
            "SELECT column_name, data_type, is_nullable FROM duckdb_columns() "
            "WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
            (schema, name),
        ).fetchall()
        if not found:
            raise ServerError(208, f"Invalid object name '{table}'.")
        return [Column(name, types.of_duckdb(kind, letters.get(name)), null) for name, kind, null in found]

    def load(self, table: str, sent: Sequence[tuple[str, Type]], rows: Sequence[Sequence[Any]]) -> int:
        """Insert bulk rows, all or none; raises ServerError 4815 for a text that is too long."""
        targets = {column.name: column for column in self.columns(table)}
        for place, (name, _) in enumerate(sent):
            if name not in targets:
                raise ServerError(207, f"Invalid column name '{name}'.")
            size = targets[name].type.size
            if targets[name].type.token == types.NVARCHAR and size != types.MAX:
                longest = max((len(row[place].encode("utf-16-le")) for row in rows if row[place]), default=0)
                if longest > size:
                    raise ServerError(
                        4815, f"Received an invalid column length from the bcp client for colid {place + 1}."
                    )
        names = ", ".join(f'"{name}"' for name, _ in sent)
        arriving = pa.table([pa.array(values) for values in zip(*rows, strict=True)], [name for name, _ in sent])
        with self.statement():
            self._connection.register("arriving", arriving)
            self._connection.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM arriving")
            self._connection.unregister("arriving")
        return len(rows)

    def drop_schema(self, schema: str) -> None:
        """Drop a schema, which must be empty."""
        self._connection.execute(f"DROP SCHEMA {schema}")

    def remember(self, kind: str, name: str, place: str) -> None:
        """Note an object beside the tables; `place` is what it belongs to."""
        self._connection.execute("INSERT INTO tds_double.object VALUES (?, ?, ?)", (kind, name, place))

    def known(self, kind: str, name: str, place: str) -> bool:
        """Whether there is such an object; % stands for anything in `kind` and `name`."""
        found = self._connection.execute(
            "SELECT 1 FROM tds_double.object WHERE kind LIKE ? AND name LIKE ? AND place = ?", (kind, name, place)
        )
        return found.fetchone() is not None

    def forget(self, kind: str, name: str, place: str) -> None:
        """The object is gone, if it was there."""
        self._connection.execute(
            "DELETE FROM tds_double.object WHERE kind LIKE ? AND name = ? AND place = ?", (kind, name, place)
        )

    def has_schema(self, name: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM duckdb_schemas() WHERE schema_name = ?", (name,))
        return found.fetchone() is not None

    def objects(self, kind: str) -> list[tuple[str, str]]:
        """Name and place of every object of a kind, by name."""
        return self._connection.execute(
            "SELECT name, place FROM tds_double.object WHERE kind = ? ORDER BY ALL", (kind,)
        ).fetchall()

    @contextmanager
    def statement(self) -> Iterator[None]:
        """A statement happens in the open transaction, or in one of its own, and as a whole."""
        if self._doomed:
            raise ServerError(3930, "The current transaction cannot support further work. Roll it back.")
        if self.implicit_transactions and not self.transaction:
            self.begin()
        alone = not self.transaction
        if alone:
            self._connection.begin()
        try:
            yield
            if alone:
                self._connection.commit()
        except (duckdb.Error, ServerError) as problem:
            if alone:
                self._abandon()
            elif self.xact_abort:
                self.rollback()
            else:
                self._doomed = True
            raise (_real(problem) if isinstance(problem, duckdb.Error) else problem) from None

    def _abandon(self) -> None:
        with suppress(duckdb.TransactionException):  # a commit that failed has ended it already
            self._connection.rollback()

    def _keys(self, column: str, table: str) -> list[ForeignKey]:
        found = self._connection.execute(f"SELECT * FROM tds_double.foreign_key WHERE {column} = ?", [table])
        return [ForeignKey(*row) for row in found.fetchall()]

    def _refuse_loss_of_parents(self, statement: Statement) -> None:
        numbers = {"DROP": 3726, "TRUNCATE": 4712}
        if statement.verb in numbers and self._keys("parent", statement.table):
            raise ServerError(
                numbers[statement.verb],
                f"Cannot {statement.verb.lower()} table '{statement.table}' because it is being referenced by a "
                "FOREIGN KEY constraint.",
            )
        if statement.verb == "DROP":
            self._connection.execute("DELETE FROM tds_double.foreign_key WHERE child = ?", [statement.table])
            self._connection.execute("DELETE FROM tds_double.object WHERE place = ?", [statement.table])

    def _check_foreign_keys(self, statement: Statement) -> None:
        for role, kind in (("child", "FOREIGN KEY"), ("parent", "REFERENCE")):
            for key in self._keys(role, statement.table):
                orphan = self._connection.execute(
                    f"SELECT 1 FROM {key.child} AS child ANTI JOIN {key.parent} AS parent "
                    f'ON parent."{key.parent_column}" = child."{key.child_column}" '
                    f'WHERE child."{key.child_column}" IS NOT NULL LIMIT 1'
                ).fetchone()
                if orphan:
                    raise ServerError(
                        547,
                        f'The {statement.verb} statement conflicted with the {kind} constraint "{key.name}". The '
                        f'conflict occurred in database "{self.database.name}", table '
                        f'"{key.parent if role == "child" else key.child}".',
                    )


@lru_cache(maxsize=4096)
def translate(batch: str) -> Statement:
    """One batch as DuckDB's SQL; raises ServerError 50000 for what is not portable."""
    try:
        tree = portable_tsql.parse(batch, "this batch")
        sql = portable_tsql.to_duckdb(batch, "this batch")
    except TsqlError as refusal:
        raise ServerError(REFUSED, f"The double refuses to guess. {refusal}") from None
    verb = "SELECT" if isinstance(tree, exp.Query) else tree.key.upper().removesuffix("TABLE")
    if verb == "SELECT":
        return Statement(verb, "", sql, ())
    table = tree.find(exp.Table)
    name = f"{table.db}.{table.name}"
    declares = []
    if verb == "CREATE" and tree.args["kind"] == "TABLE":
        declares = [key for rule in tree.find_all(exp.Constraint) for key in _foreign_keys(name, rule)]
    return Statement(verb, name, _without_foreign_keys(sql) if declares else sql, tuple(declares))


def _foreign_keys(table: str, rule: exp.Constraint) -> Iterator[ForeignKey]:
    for key in rule.expressions:
        if isinstance(key, exp.ForeignKey):
            referenced = key.args["reference"].this
            (column,), (parent_column,) = key.expressions, referenced.expressions
            parent = f"{referenced.this.db}.{referenced.this.name}"
            yield ForeignKey(rule.name, table, column.name, parent, parent_column.name)


def _without_foreign_keys(sql: str) -> str:
    tree = sqlglot.parse_one(sql, read="duckdb")
    for rule in list(tree.find_all(exp.Constraint)):
        if rule.find(exp.ForeignKey):
            rule.pop()
    return tree.sql("duckdb")


def _result(cursor: duckdb.DuckDBPyConnection) -> Answer:
    described = [(name, str(kind)) for name, kind, *_ in cursor.description]
    rows = cursor.fetchall()
    columns = []
    for place, (name, kind) in enumerate(described):
        longest = max((len(row[place] or "") for row in rows), default=0) if kind == "VARCHAR" else 0
        columns.append(Column(name, types.of_duckdb(kind, 4000 if longest <= 2000 else None)))
    return Answer(columns, rows)


def _real(problem: duckdb.Error) -> ServerError:
    text = str(problem)
    for pattern, number, message in ERRORS:
        if found := re.search(pattern, text):
            groups = [group for group in found.groups() if group] or [""]
            return ServerError(number, message.format(*groups), severity=13 if number == 1205 else 16)
    return ServerError(REFUSED, f"The double does not know how the real service would say this: {text}")
