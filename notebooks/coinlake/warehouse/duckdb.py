"""The warehouse as one DuckDB file, from the same T-SQL as Azure SQL Database.

A load never touches the file that people read. It works on a copy beside it, and the finished copy takes
the file's place by one rename: whoever has the old file open keeps reading it, whoever opens the file next
reads the new one, and a load that dies leaves nothing but a copy that the next load replaces.
"""

import hashlib
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from coinlake import files
from coinlake.commit_points import commit_point
from coinlake.errors import DamagedWarehouse, WarehouseError
from coinlake.warehouse.base import Change, Parameters, Session, Warehouse
from coinlake.warehouse.sql import portable_tsql

# What DuckDB says of a file that was cut or written into by something else.
DAMAGE = ("Corrupt database file", "is not a valid DuckDB database file", "Could not read enough bytes")


class DuckDBWarehouse(Warehouse):
    """The warehouse in the DuckDB file `path`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._working = self.path.with_name(f".{self.path.name}.loading")
        self._lock = self.path.with_name(f".{self.path.name}.lock")

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def fingerprint(self) -> str:
        """SHA-256 of the file's bytes, hex; empty when there is no file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest() if self.path.exists() else ""

    def __repr__(self) -> str:
        return f"DuckDBWarehouse({str(self.path)!r})"

    @contextmanager
    def reading(self) -> Iterator["DuckDBSession | None"]:
        """A session on the published file, which stays as it is even when a load publishes meanwhile."""
        if not self.path.exists():
            yield None
            return
        # Attached, not connected to: a process shares one connection per path, and it would be the old file's.
        with _errors(self.path, "its file"), duckdb.connect() as connection:
            connection.execute(f"ATTACH {_text(self.path)} AS warehouse (READ_ONLY)")
            connection.execute("USE warehouse")
            yield DuckDBSession(connection, self.path)

    @contextmanager
    def writing(self) -> Iterator["DuckDBSession"]:
        """A session on a private copy, which is published when the session ends well."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._only_load():
            self._drop_copy()
            try:
                if self.path.exists():
                    shutil.copyfile(self.path, self._working)
                with _errors(self.path, "its file"), duckdb.connect(self._working) as connection:
                    yield DuckDBSession(connection, self.path)
                    connection.execute("CHECKPOINT")
                self._publish()
            finally:
                self._drop_copy()

    def discard(self) -> None:
        """Remove the file; whoever has it open keeps reading it."""
        with self._only_load():
            self.path.unlink(missing_ok=True)

    @contextmanager
    def _only_load(self) -> Iterator[None]:
        with files.at(self.path).lock(self._lock) as free:
            if not free:
                raise WarehouseError(
                    f"Another load of {self.path} is under way. Wait until it has ended and load again."
                )
            yield

    def _publish(self) -> None:
        """The copy, safely on the disk, takes the file's place at one instant."""
        _sync(self._working)
        with commit_point(f"rename {self.path}"):
            self._working.replace(self.path)
        _sync(self.path.parent)

    def _drop_copy(self) -> None:
        self._working.unlink(missing_ok=True)
        self._working.with_name(f"{self._working.name}.wal").unlink(missing_ok=True)


class DuckDBSession(Session):
    """A DuckDB connection that takes portable T-SQL."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def execute(self, batch: str, where: str, parameters: Parameters = ()) -> int:
        """Run one batch; returns the rows that it changed."""
        statement = portable_tsql.to_duckdb(batch, where)
        with _errors(self._path, where):
            answer = self._connection.execute(statement, parameters or None).fetchone()
        return answer[0] if answer else 0

    def query(self, select: str, where: str = "query", parameters: Parameters = ()) -> pa.Table:
        """The answer to one SELECT."""
        statement = portable_tsql.to_duckdb(select, where)
        with _errors(self._path, where):
            return self._connection.sql(statement, params=parameters or None).to_arrow_table()

    def stage(self, change: Change, load_id: int) -> None:
        """Insert the rows straight from Arrow memory."""
        columns = ", ".join(f'"{name}"' for name in change.rows.column_names)
        self._connection.register("arriving", change.rows)
        with _errors(self._path, f"staging.{change.table.name}"):
            self._connection.execute(
                f"INSERT INTO staging.{change.table.name} ({columns}, load_id) SELECT {columns}, ? FROM arriving",
                [load_id],
            )
            self._connection.unregister("arriving")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN … COMMIT, or ROLLBACK."""
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    def settle_keys(self) -> None:
        """DuckDB checks a delete against the rows that are committed, not against those of its transaction.

        To commit half-way is no harm here: nobody sees the copy before all of it is done.
        """
        self._connection.commit()
        self._connection.begin()


@contextmanager
def _errors(path: Path, where: str) -> Iterator[None]:
    """Turns what DuckDB says into an error that names the warehouse and the statement."""
    try:
        yield
    except duckdb.Error as problem:
        first_line = str(problem).partition("\n")[0]
        if any(said in first_line for said in DAMAGE):
            raise DamagedWarehouse(
                f"{path} is damaged ({where}: {first_line}). Nothing is lost, it can be made again from gold: "
                f"coinlake rebuild warehouse --lake {shlex.quote(str(path.parent))}"
            ) from None
        raise WarehouseError(f"{path}, {where}: {first_line}") from None


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
