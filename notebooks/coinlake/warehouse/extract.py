"""The lake's side of a load: which tables of gold changed, and the rows that did, as Arrow."""

from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from coinlake import delta
from coinlake.delta import DeltaTable, Detail
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake.warehouse.base import LOADED, Change, Position

# Rows are work, and more of them at once than there are cores would only need more memory.
READERS = 3


def gold_changes(lake: Lakehouse, loaded: Mapping[str, Position]) -> Iterator[Change]:
    """What is new since `loaded`, in the order of LOADED; nothing of tables without a changed row.

    A table comes in full when it was never loaded, is another Delta table than the one that was, or its
    history no longer reaches back.
    """
    tables = [lake.table(table) for table in LOADED]
    with ThreadPoolExecutor(READERS) as pool:
        tasks = deque(
            pool.submit(_change, stored, detail, loaded.get(stored.table.name))
            for stored, detail in zip(tables, pool.map(DeltaTable.detail, tables), strict=True)
            if not _is_loaded(detail, loaded.get(stored.table.name))
        )
        while tasks:
            change = tasks.popleft().result()
            if change.is_full or change.rows.num_rows:
                yield change


def net_changes(feed: DataFrame, table: Table) -> DataFrame:
    """One row per key of a Change Data Feed: the last thing that happened to it.

    Columns: the table's, and is_deleted. Where one commit both removes and writes a key, the written row
    stands: an update is fed as the row before (removed) and the row after.
    """
    feed = feed.withColumn("is_deleted", F.col("_change_type").isin("delete", "update_preimage"))
    newest_first = Window.partitionBy(*table.key).orderBy(F.col("_commit_version").desc(), F.col("is_deleted"))
    return (
        feed.withColumn("_place", F.row_number().over(newest_first))
        .where("_place = 1")
        .select(*table.column_names, "is_deleted")
    )


def _is_loaded(detail: Detail, position: Position | None) -> bool:
    """Whether a warehouse that is at this position holds the table as it is."""
    return position is not None and (position.table_id, position.committed_at) == (detail.id, detail.written_at)


def _change(stored: DeltaTable, detail: Detail, since: Position | None) -> Change:
    table = stored.table
    # The version is asked for before the rows: what is written meanwhile comes again with the next load.
    # Where there is nothing to read, the table's history can be followed from its beginning.
    version = stored.version() if detail.files else 0
    position = Position(detail.id, version, detail.written_at)
    if detail.files and since and since.table_id == detail.id and since.version <= version:
        after = since.version
        changed = delta.unless_gone(lambda: _arrow(net_changes(delta.changes_since(stored, after), table)))
        if changed is not None:
            return Change(table, position, False, changed)
    everything = stored.read().withColumn("is_deleted", F.lit(False))
    return Change(table, position, True, _arrow(everything if detail.files else everything.limit(0)))


def _arrow(frame: DataFrame) -> pa.Table:
    """The frame's rows; instants, which Arrow gives in UTC with a zone, without it."""
    rows = frame.toArrow()
    fields = [
        field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
