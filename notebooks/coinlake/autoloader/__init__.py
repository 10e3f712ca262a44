"""Landed JSON as rows: Auto Loader on Databricks, the file stream elsewhere, with the same rules."""

from coinlake.autoloader.reader import RESCUE, read, read_files, run_available_now

__all__ = ["RESCUE", "read", "read_files", "run_available_now"]
