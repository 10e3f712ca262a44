"""One DuckDB for a run: the mapped files attached, the mapped folders readable, everything else locked away.

What a query of a pipeline can reach is decided by DuckDB itself: access to files is off but for those folders, and
the configuration is locked, so no query can open another file, load an extension or ask the internet.
"""

import re
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from adf_lab.engine import ActivityFailure
from adf_lab.errors import AdfLabError
from adf_lab.local.refusal import not_supported

DEFAULT_SCHEMA = "dbo"


def quoted(*names):
    """A name of one or more parts, quoted."""
    return ".".join('"' + str(name).replace('"', '""') + '"' for name in names)


def literal(value):
    """A text as a literal of SQL."""
    text = str(value)
    if "\0" in text:
        raise ActivityFailure("BadRequest", "A text holds a character that no query may hold.")
    return "'" + text.replace("'", "''") + "'"


class Database:
    """The DuckDB of a run; a context manager."""

    def __init__(self, mapping):
        try:
            import duckdb
        except ImportError:
            raise AdfLabError("Running on this machine needs DuckDB: pip install 'adf-lab[local]'") from None
        self.error = duckdb.Error
        self.scratch = Path(tempfile.mkdtemp(prefix="adf-lab-"))
        self._connection = duckdb.connect()
        self._writing = threading.Lock()
        try:
            for name, path in mapping.databases.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                self._connection.execute(f"ATTACH {literal(path)} AS {quoted(name)}")
                self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name, DEFAULT_SCHEMA)}")
            folders = [f"{folder}/" for folder in (*mapping.folders.values(), self.scratch)]
            self._connection.execute(f"SET allowed_directories = [{', '.join(map(literal, folders))}]")
            self._connection.execute(f"SET temp_directory = {literal(self.scratch)}")
            for setting in (
                "autoinstall_known_extensions = false",
                "autoload_known_extensions = false",
                "enable_external_access = false",
                "lock_configuration = true",
            ):
                self._connection.execute(f"SET {setting}")
        except duckdb.Error as error:
            self.close()
            raise AdfLabError(f"{mapping.file}: {error}") from None

    def close(self):
        """Close it and remove what it has kept for the moment."""
        self._connection.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @contextmanager
    def session(self, service=None):
        """A cursor, in the database of a linked service if one is given; errors of SQL become ActivityFailures."""
        cursor = self._connection.cursor()
        try:
            if service is not None:
                cursor.execute(f"USE {quoted(service, DEFAULT_SCHEMA)}")
            yield cursor
        except self.error as error:
            raise ActivityFailure("SqlOperationFailed", str(error).partition("\n")[0]) from None
        finally:
            cursor.close()

    @contextmanager
    def writing(self, service):
        """A session whose statements take effect together or not at all; one at a time."""
        with self._writing, self.session(service) as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise


_shared: dict[str, tuple[Database, list]] = {}
_sharing = threading.Lock()


@contextmanager
def shared_database(mapping):
    """The Database of a mapping; runs of this process that go on at the same time have the same one.

    DuckDB opens a file once: by one process, and in it once. AdfLabError if another process has it open.
    """
    key = repr(mapping)
    with _sharing:
        database, users = _shared[key] if key in _shared else (Database(mapping), [])
        _shared[key] = database, users
        users.append(None)
    try:
        yield database
    finally:
        with _sharing:
            users.pop()
            if not users:
                del _shared[key]
                database.close()


def rows_of(cursor):
    """What a cursor has found, as objects of JSON."""
    names = [column[0] for column in cursor.description]
    return [{name: plain(value) for name, value in zip(names, row, strict=True)} for row in cursor.fetchall()]


def plain(value):
    """A value of DuckDB as one of JSON: instants and days are texts, decimals numbers."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "as_integer_ratio"):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def translated(text, what):
    """The statements of a text in T-SQL, each as DuckDB says it; ActivityFailure if one cannot be.

    Those that open or end a transaction are left out: what an activity does is one already.
    """
    import sqlglot
    from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

    refused = (sqlglot.exp.Command, sqlglot.exp.Declare, sqlglot.exp.Rollback)
    found = []
    try:
        for statement in filter(None, sqlglot.parse(text, read="tsql")):
            if isinstance(statement, refused) or _sets_more_than_nocount(statement):
                word = statement.sql(dialect="tsql").split()[0]
                raise not_supported(f"{what}: {word} in SQL")
            left_out = (sqlglot.exp.Transaction, sqlglot.exp.Commit, sqlglot.exp.Set)
            if not isinstance(statement, left_out):
                found.append(statement.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE))
    except UnsupportedError as error:
        raise not_supported(f"{what}: SQL that no other database knows ({error})") from None
    except SqlglotError as error:
        raise ActivityFailure("SqlOperationFailed", f"{what}: the SQL is not understood: {_bare(error)}") from None
    if not found:
        raise ActivityFailure("BadRequest", f"{what}: there is no statement in the SQL.")
    return found


def _bare(error):
    """The text of an error of the parser, without the codes that underline on a terminal."""
    return re.sub(r"\x1b\[\d*m", "", str(error)).partition("\n")[0]


def _sets_more_than_nocount(statement):
    from sqlglot import exp

    return isinstance(statement, exp.Set) and "NOCOUNT" not in statement.sql(dialect="tsql").upper()


def table_of(dataset):
    """The schema and name of the table of a resolved dataset."""
    properties = dataset["typeProperties"]
    if properties.get("table"):
        return properties.get("schema") or DEFAULT_SCHEMA, properties["table"]
    schema, dot, table = str(properties.get("tableName") or "").replace("[", "").replace("]", "").rpartition(".")
    if not table:
        raise ActivityFailure("BadRequest", f"The dataset '{dataset['name']}' names no table.")
    return (schema if dot else DEFAULT_SCHEMA), table
