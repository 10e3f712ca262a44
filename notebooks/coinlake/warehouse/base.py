"""What a load needs of a warehouse, whichever database it is.

`coinlake.warehouse.load` speaks portable T-SQL through these two classes only. `duckdb` implements them on
a DuckDB file; a server implements them with a connection, a bulk copy and a transaction of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd
import pyarrow as pa

from coinlake.errors import WarehouseError
from coinlake.schema import AGGREGATED, GOLD_PROGRESS, TABLES, Table

# Parents before children: coinlake.schema names the dimensions first. gold_progress is the lake's own bookkeeping.
LOADED: tuple[Table, ...] = tuple(
    table for table in TABLES if table.schema == AGGREGATED and table is not GOLD_PROGRESS
)

Parameters = Sequence[Any] | Mapping[str, Any]
Done = TypeVar("Done")


class Position(NamedTuple):
    """How far a table of gold was read: which Delta table, its version, and when that was committed (UTC)."""

    table_id: str
    version: int
    committed_at: datetime


@dataclass(frozen=True)
class Change:
    """What happened to one table of gold since the last load, or all of it.

    `rows` has the table's columns in order, instants in UTC without a zone, and `is_deleted`; of a deleted
    row only the key counts. No key occurs twice. When `is_full`, a row that is not here no longer exists.
    """

    table: Table
    position: Position
    is_full: bool
    rows: pa.Table


class Session(ABC):
    """An open connection. Statements are batches of portable T-SQL; `where` names them in error messages.

    `parameters` are values for ?, or for variables (@load_id) by name.
    """

    @abstractmethod
    def execute(self, batch: str, where: str, parameters: Parameters = ()) -> int:
        """Run one batch; returns the rows that it changed. Raises WarehouseError."""

    @abstractmethod
    def query(self, select: str, where: str = "query", parameters: Parameters = ()) -> pa.Table:
        """The answer to one SELECT. Raises WarehouseError."""

    @abstractmethod
    def stage(self, change: Change, load_id: int) -> None:
        """Put the rows of a change, all of them or none, into the table's empty staging table."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """What happens inside stays together: all of it, or after an exception nothing."""

    @abstractmethod
    def settle_keys(self) -> None:
        """Called in a transaction before rows are deleted: foreign keys must see what was merged so far."""


class Warehouse(ABC):
    """A place that holds the star, the aggregates and the operations tables."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What lineage calls it."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A text that is another one whenever the warehouse holds something else. Raises WarehouseError."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Session | None]:
        """A session that only reads; None when the warehouse does not exist yet."""

    def extras(self) -> list[Path]:
        """SQL files that only this kind of database needs, run after the others whenever their text changes."""
        return []

    def discard(self) -> None:
        """Remove the warehouse, which the next load makes again. Raises WarehouseError where it is no file."""
        raise WarehouseError(f"{self} is no file that could be removed: empty the database, and load again.")

    def attempt(self, work: Callable[[], Done]) -> Done:
        """Do work that may be done twice; a server that fails for a while makes it start anew."""
        return work()

    def query(self, select: str) -> pd.DataFrame:
        """The answer to one SELECT in portable T-SQL. Raises WarehouseError."""
        return self.attempt(lambda: self._query(select))

    def _query(self, select: str) -> pd.DataFrame:
        with self.reading() as session:
            if session is None:
                raise WarehouseError(f"{self} does not exist yet; notebook 05 makes it.")
            return session.query(select).to_pandas()

    @abstractmethod
    def writing(self) -> AbstractContextManager[Session]:
        """A session for one load: readers see all that it did when it ends well, and nothing otherwise.

        Raises WarehouseError when another load is under way.
        """
