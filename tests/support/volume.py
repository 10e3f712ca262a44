"""A folder that refuses what a volume of Unity Catalog refuses, for what this process does below it.

What is refused stands in coinlake.files.volume. Spark's own writing, such as a stream's checkpoint, is done by its
JVM and is not looked at: Databricks supports it on volumes.
"""

import builtins
import errno
import fcntl
import io
import os
from pathlib import Path

RENAMING = ("rename", "replace", "link", "symlink")
LOCKING = ("flock", "lockf")


class SequentialFile(io.FileIO):
    """A file that is written from its beginning to its end."""

    def seek(self, *_):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), self.name)

    truncate = seek

    def seekable(self):
        return False


def install(monkeypatch, folder: Path) -> None:
    """Make `folder` such a volume, as long as the test lasts."""
    real_open, real_os_open = builtins.open, os.open

    def is_below(path) -> bool:
        # A number is a file that is open already, and was looked at then.
        return not isinstance(path, int) and Path(os.fsdecode(path)).absolute().is_relative_to(folder)

    def refuse(number, path):
        raise OSError(number, os.strerror(number), str(path))

    def moving(name):
        original = getattr(os, name)

        def move(source, target, *arguments, **named):
            if is_below(source) or is_below(target):
                refuse(errno.ENOSYS, source)
            return original(source, target, *arguments, **named)

        return move

    def locking(name):
        original = getattr(fcntl, name)

        def lock(file, *arguments):
            descriptor = os.fstat(file if isinstance(file, int) else file.fileno())
            if any(os.path.samestat(descriptor, path.stat()) for path in folder.rglob("*")):
                refuse(errno.ENOTSUP, file)
            return original(file, *arguments)

        return lock

    def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *arguments, **named):
        if not is_below(file) or mode in ("r", "rt", "rb"):
            return real_open(file, mode, buffering, encoding, errors, newline, *arguments, **named)
        if set("a+") & set(mode):
            refuse(errno.ENOTSUP, file)
        binary = io.BufferedWriter(SequentialFile(file, mode.replace("b", "").replace("t", "")))
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding, errors, newline)

    def open_descriptor(path, flags, *arguments, **named):
        if is_below(path) and flags & (os.O_APPEND | os.O_RDWR):
            refuse(errno.ENOTSUP, path)
        return real_os_open(path, flags, *arguments, **named)

    def truncate(path, length):
        if is_below(path):
            refuse(errno.ENOTSUP, path)
        return real_truncate(path, length)

    real_truncate = os.truncate
    for name in RENAMING:
        monkeypatch.setattr(os, name, moving(name))
    for name in LOCKING:
        monkeypatch.setattr(fcntl, name, locking(name))
    monkeypatch.setattr(builtins, "open", open_file)
    monkeypatch.setattr(io, "open", open_file)
    monkeypatch.setattr(os, "open", open_descriptor)
    monkeypatch.setattr(os, "truncate", truncate)
