"""A folder of this machine: names appear whole by renaming, and locks tell processes apart."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coinlake.commit_points import commit_point
from coinlake.files.storage import Storage


class LocalFolder(Storage):
    """Files of a file system that renames and locks."""

    def write_new(self, path: Path, content: bytes) -> None:
        """Write a new file, through to the disk; a crash may leave the beginning of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with commit_point(f"write {path}"), path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def write(self, path: Path, content: bytes) -> None:
        """Write a file atomically, through to the disk: a reader sees the old file or the whole new one."""
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        try:
            self.write_new(beside, content)
            with commit_point(f"rename {path}"):
                beside.replace(path)
        except OSError:
            # Of a disk that is full, its beginning would take more.
            beside.unlink(missing_ok=True)
            raise

    def move(self, source: Path, target: Path) -> None:
        """Rename a file or folder."""
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        with commit_point(f"rename {target}"):
            source.rename(target)

    @contextmanager
    def lock(self, path: Path) -> Iterator[bool | None]:
        """Hold a lock that the operating system gives up when this process ends, however it ends."""
        # Imported here: it takes longer than the rest of this package, and whoever only reads locks nothing.
        from filelock import FileLock, Timeout

        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0, fallback_to_soft=False)
        try:
            lock.acquire()
            free = True
        except Timeout:
            free = False
        except OSError as problem:
            # A file system of the network may know no locks.
            if problem.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
                raise
            free = None
        try:
            yield free
        finally:
            if free is not False:
                # Still held: filelock does not take a file that was unlinked while it waited for it.
                path.unlink(missing_ok=True)
            lock.release()
