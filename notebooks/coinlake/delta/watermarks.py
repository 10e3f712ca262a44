"""Watermarks: up to which version a reader has read each table that it reads; rows of `gold_progress`.

A version counts for the table that it was read of: one that was made anew since was never read.
"""

from collections.abc import Iterable

from coinlake.delta.tables import DeltaTable, Merged


def read_watermarks(watermarks: DeltaTable, of: Iterable[DeltaTable]) -> dict[str, int]:
    """The versions that were read of these tables, by name; one that was never read as it stands is not there."""
    ids = {stored.table.name: stored.id() for stored in of}
    # A lake of an older release has no ids: there the names decide once more.
    return {
        row["table_name"]: row["version"]
        for row in watermarks.collected()
        if row["table_id"] in (None, ids.get(row["table_name"]))
    }


def write_watermarks(watermarks: DeltaTable, read: Iterable[tuple[DeltaTable, int]]) -> Merged:
    """Says that these versions of these tables are read now; other tables stay as they are."""
    new = {stored.table.name: (stored.table.name, version, stored.id()) for stored, version in read}
    # All of the few rows in one commit: to look for those that are replaced takes Delta longer.
    columns = watermarks.table.column_names
    rows = {row["table_name"]: tuple(row[name] for name in columns) for row in watermarks.collected()} | new
    written = watermarks.replace(watermarks.spark.createDataFrame(sorted(rows.values()), watermarks.table.ddl))
    return written._replace(inserted=len(new))
