"""What a build writes to one gold table: the rows, and how they get there."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame

from coinlake.schema import Table


@dataclass(frozen=True)
class Update:
    """Rows for one gold table.

    The first build puts them in the place of all that the table holds; so do later ones if `is_whole` says that
    they are the table. Else these upsert them by MERGE, which searches stored rows where `where` says (see
    `DeltaTable.merge`), or, if `replaces` is given, put them in the place of the stored rows that meet this
    condition.
    """

    table: Table
    rows: DataFrame
    where: str | None = None
    replaces: Column | None = None
    is_whole: bool = False


def stored_from(column: str, first: date | None) -> str | None:
    """A condition for a MERGE: the stored rows from this day on; None when there is no such day."""
    return None if first is None else f"t.{column} >= DATE'{first}'"
