"""Locks that the operating system gives up when their process ends, however; on Linux, macOS and Windows."""

import sqlite3
from pathlib import Path


class Lock:
    """A lock on a file, held from here on; `is_held` is False if another one holds it.

    It is that of an exclusive transaction of SQLite, which nothing is ever written in.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            # No file beside it.
            self._connection.execute("PRAGMA journal_mode = MEMORY")
            self._connection.execute("BEGIN EXCLUSIVE")
            self.is_held = True
        except sqlite3.OperationalError:
            self._connection.close()
            self.is_held = False

    def release(self, *, remove: bool = False) -> None:
        """Give it up; its file stays unless it is to be removed."""
        if not self.is_held:
            return
        self.is_held = False
        if remove:
            self.path.unlink(missing_ok=True)
        self._connection.close()
