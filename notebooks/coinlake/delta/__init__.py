"""The tables of coinlake.schema as Delta tables: read, upserted, replaced, and what changed in them since."""

from coinlake.delta.change_feed import changed_rows, changes_since, newest_changed_rows, unless_gone
from coinlake.delta.definitions import RULE, added_columns, ddl, differences
from coinlake.delta.tables import DeltaTable, Merged, only_row, versions
from coinlake.delta.watermarks import read_watermarks, write_watermarks

__all__ = [
    "RULE",
    "DeltaTable",
    "Merged",
    "added_columns",
    "changed_rows",
    "changes_since",
    "ddl",
    "differences",
    "newest_changed_rows",
    "only_row",
    "read_watermarks",
    "unless_gone",
    "versions",
    "write_watermarks",
]
