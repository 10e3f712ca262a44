"""Runs a stored procedure on the double: the subset of T-SQL that control.merge_staged is written in.

Statements that change tables are portable T-SQL, which the engine runs; what stands between them is interpreted:
variables, variables that are tables, conditions, THROW, one transaction, one application lock.
Source: Transact-SQL reference, the page of each statement.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.tds.engine import Answer, EngineSession
from tests.support.tds.tokens import ServerError

# A call with arguments by name, each a parameter of the request.
CALL = re.compile(r"EXEC ([\w.]+) (@\w+ = @\w+(?:, @\w+ = @\w+)*)", re.IGNORECASE)
TABLES = "procedure_variables"
_TOKEN = re.compile(r"N?'(?:[^']|'')*'|[();]|\bBEGIN TRANSACTION\b|\bCASE\b|\w+|[^\s\w]|\s+")
_FROM_JSON = re.compile(
    r"INSERT INTO @(\w+) \((\w+)\) SELECT DISTINCT JSON_VALUE\((\w+)\.value, '\$([\w.]+)'\) "
    r"FROM OPENJSON\(@(\w+)\) AS \3"
)


class _Return(Exception):
    """RETURN: the procedure ends."""


def call(session: EngineSession, name: str, arguments: str, values: Mapping[str, Any]) -> Answer:
    """Run a procedure; `arguments` are `@name = @parameter, …`, `values` the request's parameters in capitals."""
    bodies = dict(session.objects("procedure text"))
    if name not in bodies:
        raise ServerError(2812, f"Could not find stored procedure '{name}'.")
    given = {
        variable: values[parameter.upper()] for variable, parameter in re.findall(r"@(\w+) = @(\w+)", arguments)
    }
    declared, _, body = bodies[name].partition(" AS BEGIN ")
    expected = re.findall(r"@(\w+)", declared)
    if [*given] != expected:
        raise ServerError(8145, f"{name} has the parameters {', '.join(expected)}, and no others.")
    _Run(session, given).all_of(body.removesuffix("END").strip())
    return Answer()


class _Run:
    """One execution: variables by name, and how many rows the last statement changed."""

    def __init__(self, session: EngineSession, variables: dict[str, Any]):
        self._session = session
        self._variables = variables
        self._count = 0

    def all_of(self, body: str) -> None:
        connection = self._session._connection
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {TABLES}")
        for (table,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ?", [TABLES]
        ).fetchall():
            connection.execute(f"DROP TABLE {TABLES}.{table}")
        try:
            self._block(body)
        except _Return:
            pass
        except ServerError:
            # XACT_ABORT is on, or the procedure would go on after a statement that failed.
            assert self._session.xact_abort, "the double knows no procedure that goes on after an error"
            self._session.rollback()
            raise
        finally:
            self._session.database.unlock(self._session)
        assert not self._session.transaction, "the procedure leaves its transaction open"

    def _block(self, text: str) -> None:
        for statement in _statements(text):
            self._one(statement)

    def _one(self, statement: str) -> None:
        verb = statement.split()[0].upper()
        if verb == "IF":
            condition, rest = _condition(statement)
            if self._holds(condition):
                self._one(rest)
        elif statement.upper() == "BEGIN TRANSACTION":
            self._session.begin()
        elif verb == "BEGIN":
            self._block(statement[len("BEGIN") :].rsplit("END", 1)[0].strip())
        elif statement.upper() == "COMMIT TRANSACTION":
            self._session.commit()
        elif statement.upper() == "ROLLBACK TRANSACTION":
            self._session.rollback()
        elif verb == "RETURN":
            raise _Return
        elif verb == "THROW":
            number, text = re.fullmatch(r"THROW (\d+), N'(.+)', 1", statement).groups()
            raise ServerError(int(number), text)
        elif verb == "DECLARE":
            self._declare(statement)
        elif verb == "EXEC":
            self._lock(statement)
        elif verb == "SET":
            self._set(statement)
        elif verb == "SELECT":
            variable, query = re.fullmatch(r"SELECT @(\w+) = (.+)", statement).groups()
            [(self._variables[variable],)] = self._session.execute(self._filled(f"SELECT {query}")).rows
        elif found := _FROM_JSON.fullmatch(statement):
            self._from_json(*found.groups())
        else:
            self._count = self._session.execute(self._filled(statement)).changed

    def _declare(self, statement: str) -> None:
        table = re.fullmatch(r"DECLARE @(\w+) TABLE \((.+)\)", statement)
        if table is None:
            self._variables[re.fullmatch(r"DECLARE @(\w+) \w+", statement)[1]] = None
            return
        columns = table[2].replace(" PRIMARY KEY", f", CONSTRAINT pk_{table[1]} PRIMARY KEY (name)", 1)
        # The key stands at the end in portable T-SQL.
        first, key, rest = re.fullmatch(r"(.+?), (CONSTRAINT \w+ PRIMARY KEY \(name\))(.*)", columns).groups()
        self._session.execute(f"CREATE TABLE {TABLES}.{table[1]} ({first}{rest}, {key})")

    def _lock(self, statement: str) -> None:
        variable, resource = re.fullmatch(
            r"EXEC @(\w+) = sp_getapplock @Resource = N'(\S+)', @LockMode = 'Exclusive', "
            r"@LockOwner = 'Transaction', @LockTimeout = 0",
            statement,
        ).groups()
        assert self._session.transaction, "a lock of a transaction needs one"
        self._variables[variable] = 0 if self._session.database.lock(resource, self._session) else -1

    def _set(self, statement: str) -> None:
        option = re.fullmatch(r"SET (NOCOUNT|XACT_ABORT) ON", statement)
        if option:
            self._session.xact_abort |= option[1] == "XACT_ABORT"
        else:
            variable = re.fullmatch(r"SET @(\w+) = @@ROWCOUNT", statement)[1]
            self._variables[variable] = self._count

    def _from_json(self, table: str, column: str, _entry: str, path: str, variable: str) -> None:
        found = []
        for entry in json.loads(self._variables[variable]):
            for part in path.strip(".").split("."):
                entry = entry[part]
            found.append(entry)
        for value in dict.fromkeys(found):
            self._session.execute(f"INSERT INTO {TABLES}.{table} ({column}) VALUES ({_literal(value)})")

    def _holds(self, condition: str) -> bool:
        for part in _split_at_and(condition):
            exists = re.fullmatch(r"(NOT )?EXISTS \((.+)\)", part)
            if exists:
                holds = bool(self._session.execute(self._filled(exists[2])).rows) != bool(exists[1])
            else:
                holds = self._variables[re.fullmatch(r"@(\w+) < 0", part)[1]] < 0
            if not holds:
                return False
        return True

    def _filled(self, statement: str) -> str:
        """A statement with values for variables, and tables for variables that are tables."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "@@ROWCOUNT":
                return str(self._count)
            if match[1] in self._variables:
                return _literal(self._variables[match[1]])
            return f"{TABLES}.{match[1]}"

        return re.sub(r"@@ROWCOUNT|@(\w+)", value, statement)


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "N'" + str(value).replace("'", "''") + "'"


def _statements(text: str) -> Iterator[str]:
    """The statements of a block, without the semicolons that end them."""
    start = depth = blocks = 0
    for match in _TOKEN.finditer(text):
        token = match[0].upper()
        depth += {"(": 1, ")": -1}.get(token, 0)
        blocks += {"BEGIN": 1, "END": -1}.get(token, 0)
        if token == ";" and not depth and not blocks:
            yield text[start : match.start()].strip()
            start = match.end()
    assert not text[start:].strip(), f"no semicolon ends {text[start:]!r}"


def _condition(statement: str) -> tuple[str, str]:
    """The condition of an IF, and what it is about."""
    depth = 0
    for match in _TOKEN.finditer(statement):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0].upper() in ("BEGIN", "THROW") and not depth:
            return statement[len("IF") : match.start()].strip(), statement[match.start() :]
    raise AssertionError(f"no statement follows {statement!r}")


def _split_at_and(condition: str) -> Iterator[str]:
    start = depth = 0
    for match in _TOKEN.finditer(condition):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0].upper() == "AND" and not depth:
            yield condition[start : match.start()].strip()
            start = match.end()
    yield condition[start:].strip()
