"""The tables of coinlake.schema as Delta tables: read, upserted, replaced, and what changed in them since."""

from coinlake.delta.change_feed import changed_rows, changes_since, newest_changed_rows, unless_gone
from coinlake.delta.comparison import Comparison, checked, compare
from coinlake.delta.damage import explained
from coinlake.delta.definitions import PROPERTIES, RULE, added_columns, ddl, differences, properties
from coinlake.delta.tables import (
    DeltaTable,
    Detail,
    Merged,
    keys_once,
    newest_commit_of_each,
    only_row,
    versions,
)
from coinlake.delta.watermarks import read_watermarks, write_watermarks

__all__ = [
    "PROPERTIES",
    "RULE",
    "Comparison",
    "DeltaTable",
    "Detail",
    "Merged",
    "added_columns",
    "changed_rows",
    "changes_since",
    "checked",
    "compare",
    "ddl",
    "differences",
    "explained",
    "keys_once",
    "newest_changed_rows",
    "newest_commit_of_each",
    "only_row",
    "properties",
    "read_watermarks",
    "unless_gone",
    "versions",
    "write_watermarks",
]
