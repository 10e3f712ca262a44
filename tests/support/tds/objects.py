"""What stands beside tables: indexes, procedures, roles, users, rights.

Nothing here is enforced, and nothing but a procedure is ever run. It is checked as the real service checks it when
it is made: that tables, columns and roles are there, that names are free.
"""

import re

from tests.support.tds import types
from tests.support.tds.engine import Answer, EngineSession
from tests.support.tds.tokens import ServerError


def create_index(session: EngineSession, name: str, table: str, columns: str) -> list[Answer]:
    """CREATE NONCLUSTERED INDEX: the columns exist, and the name is free."""
    _require_columns(session, table, columns)
    _require_free(session, name, table)
    session.remember("index", name, table)
    return []


def create_columnstore(session: EngineSession, name: str, table: str) -> list[Answer]:
    """CREATE CLUSTERED COLUMNSTORE INDEX: a table has one clustered index at most, be it that of its key."""
    session.columns(table)
    _require_free(session, name, table)
    if session.known("columnstore index", "%", table):
        raise ServerError(35339, "Multiple columnstore indexes are not supported.")
    if not session.known("key dropped", "%", table):
        raise ServerError(1902, f"Cannot create more than one clustered index on table '{table}'.")
    session.remember("columnstore index", name, table)
    return []


def drop_key(session: EngineSession, table: str, name: str) -> list[Answer]:
    """ALTER TABLE … DROP CONSTRAINT IF EXISTS: here a primary key, which other tables must not refer to.

    The engine still refuses a key twice: what matters here is which index is clustered, and that it comes back.
    """
    if session._keys("parent", table):
        raise ServerError(3725, f"The constraint '{name}' is being referenced by a foreign key constraint.")
    session.forget("nonclustered key", name, table)
    session.forget("key dropped", name, table)
    session.remember("key dropped", name, table)
    return []


def add_key(session: EngineSession, table: str, name: str, columns: str) -> list[Answer]:
    """ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY NONCLUSTERED: the table has no key any more."""
    _require_columns(session, table, columns)
    if not session.known("key dropped", name, table):
        raise ServerError(1779, f"Table '{table}' already has a primary key defined on it.")
    if session.known("nonclustered key", name, table):
        raise ServerError(1779, f"Table '{table}' already has a primary key defined on it.")
    session.remember("nonclustered key", name, table)
    return []


def _require_columns(session: EngineSession, table: str, columns: str) -> None:
    there = {column.name: column for column in session.columns(table)}
    for column in columns.replace("[", "").replace("]", "").split(","):
        if column.strip() not in there:
            raise ServerError(1911, f"Column name '{column.strip()}' does not exist in the target table or view.")
        if there[column.strip()].type.size == types.MAX:
            raise ServerError(1919, f"Column '{column.strip()}' is of a type that cannot be in a key of an index.")


def _require_free(session: EngineSession, name: str, table: str) -> None:
    if session.known("%index", name, table):
        raise ServerError(1913, f"An index or statistics with name '{name}' already exists on table '{table}'.")


def drop_index(session: EngineSession, name: str, table: str) -> list[Answer]:
    """DROP INDEX IF EXISTS."""
    session.forget("%index", name, table)
    return []


def create_procedure(session: EngineSession, name: str, text: str) -> list[Answer]:
    """CREATE OR ALTER PROCEDURE: kept with its text, which procedure.py runs."""
    session.forget("procedure", name, "")
    session.remember("procedure", name, "")
    for known, before in session.objects("procedure text"):
        if known == name:
            session.forget("procedure text", name, before)
    session.remember("procedure text", name, text)
    return []


def drop_procedure(session: EngineSession, name: str) -> list[Answer]:
    """DROP PROCEDURE IF EXISTS."""
    session.forget("procedure", name, "")
    return []


def drop_schema(session: EngineSession, schema: str) -> list[Answer]:
    """DROP SCHEMA: refused while a procedure stands in it, as a server does."""
    for name, _ in session.objects("procedure"):
        if name.partition(".")[0] == schema:
            raise ServerError(
                3729, f"Cannot drop schema '{schema}' because it is being referenced by object '{name}'."
            )
    session.drop_schema(schema)
    return []


def create_principal(session: EngineSession, tested: str, kind: str, name: str) -> list[Answer]:
    """IF DATABASE_PRINCIPAL_ID(…) IS NULL CREATE ROLE or USER."""
    if tested != name:
        raise ServerError(50000, f"The double refuses to guess: {tested} is tested, {name} is made.")
    if not session.known("role", name, "") and not session.known("user", name, ""):
        session.remember(kind.lower(), name, "")
    return []


def create_user_by_id(
    session: EngineSession, tested: str, kind: str, name: str, sid: str, type_: str
) -> list[Answer]:
    """IF DATABASE_PRINCIPAL_ID(…) IS NULL CREATE USER … WITH SID: two users cannot be the same one."""
    if any(place == f"{sid} {type_}" for other, place in session.objects("sid") if other != name):
        raise ServerError(15063, "The login already has an account under a different user name.")
    if not session.known("user", name, ""):
        session.remember("sid", name, f"{sid} {type_}")
    return create_principal(session, tested, kind, name)


def grant(session: EngineSession, rights: str, schema: str | None, role: str) -> list[Answer]:
    """GRANT on a schema or on the database, to a role."""
    if not session.known("role", role, ""):
        raise ServerError(15151, f"Cannot find the user '{role}', because it does not exist.")
    if schema and not session.has_schema(schema):
        raise ServerError(15151, f"Cannot find the schema '{schema}', because it does not exist.")
    for right in rights.split(", "):
        session.forget("right", f"{right} to {role}", schema or "")
        session.remember("right", f"{right} to {role}", schema or "")
    return []


def add_member(session: EngineSession, role: str, user: str) -> list[Answer]:
    """ALTER ROLE … ADD MEMBER."""
    for kind, name in (("role", role), ("user", user)):
        if not session.known(kind, name, ""):
            raise ServerError(15151, f"Cannot alter the role '{role}', because {name} does not exist.")
    session.forget("member", user, role)
    session.remember("member", user, role)
    return []


def drop_member(session: EngineSession, role: str, user: str) -> list[Answer]:
    """ALTER ROLE … DROP MEMBER."""
    if not session.known("member", user, role):
        raise ServerError(15151, f"Cannot drop the member '{user}' of '{role}', because it does not exist.")
    session.forget("member", user, role)
    return []


PRINCIPAL = r"IF DATABASE_PRINCIPAL_ID\(N'(.+?)'\) IS NULL CREATE "
OBJECTS = (
    (r"CREATE NONCLUSTERED INDEX (\w+) ON ([\w.]+) \( ?([\w\[\], ]+?) ?\)", create_index),
    (
        r"CREATE CLUSTERED COLUMNSTORE INDEX (\w+) ON ([\w.]+)(?: WITH \(COMPRESSION_DELAY = \d+ MINUTES\))?",
        create_columnstore,
    ),
    (r"ALTER TABLE ([\w.]+) DROP CONSTRAINT IF EXISTS (\w+)", drop_key),
    (r"ALTER TABLE ([\w.]+) ADD CONSTRAINT (\w+) PRIMARY KEY NONCLUSTERED \((.+)\)", add_key),
    (r"DROP INDEX IF EXISTS (\w+) ON ([\w.]+)", drop_index),
    (r"CREATE OR ALTER PROCEDURE ([\w.]+) (@.+ AS BEGIN .+ END)", create_procedure),
    (r"DROP PROCEDURE IF EXISTS ([\w.]+)", drop_procedure),
    (r"DROP SCHEMA (\w+)", drop_schema),
    (PRINCIPAL + r"(ROLE) (\w+)", create_principal),
    (PRINCIPAL + r"(USER) \[(.+?)\] FROM EXTERNAL PROVIDER", create_principal),
    (PRINCIPAL + r"(USER) \[(.+?)\] WITH SID = (0x[0-9A-F]{32}), TYPE = ([EX])", create_user_by_id),
    (r"GRANT ([A-Z, ]+?)(?: ON SCHEMA::(\w+))? TO (\w+)", grant),
    (r"ALTER ROLE \[(\w+)\] ADD MEMBER \[(.+)\]", add_member),
    (r"ALTER ROLE \[(\w+)\] DROP MEMBER \[(.+)\]", drop_member),
)
COMPILED = tuple((re.compile(pattern, re.IGNORECASE), work) for pattern, work in OBJECTS)
