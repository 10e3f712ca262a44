"""The tables of coinlake.schema as Delta tables: made, merged into, replaced, and what changed in them since."""

from coinlake.delta.change_feed import changed_rows, changes_since, newest_changed_rows
from coinlake.delta.tables import Merged, ddl, ensure, merge_changes, read, replace, version, versions
from coinlake.delta.watermarks import read_watermarks, write_watermarks

__all__ = [
    "Merged",
    "changed_rows",
    "changes_since",
    "ddl",
    "ensure",
    "merge_changes",
    "newest_changed_rows",
    "read",
    "read_watermarks",
    "replace",
    "version",
    "versions",
    "write_watermarks",
]
