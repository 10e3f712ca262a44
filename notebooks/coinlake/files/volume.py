"""A volume of Unity Catalog: an object store that looks like a folder, and can less.

A file is written from its beginning to its end and closed, under the name that it keeps. Files and folders can be
listed, read and deleted, and a file can be written again as a whole. Refused are: appending and writing at any
other place (EOPNOTSUPP, "Operation not supported"), renaming files and folders, hard links (ENOSYS, "Function not
implemented"), and locks mean nothing.

Sources: Databricks, "Work with files on Databricks", section "Volumes limitations" (no direct-append or
non-sequential writes); for renaming and hard links, which that page does not mention, the reports "LocalFileSystem
storage fails on FUSE mounts without rename()/link() support (e.g. Databricks Unity Catalog Volumes)"
(earth-mover/icechunk 2341), "write_deltalake fails on Databricks volume" (delta-io/delta-rs 2540) and "Databricks
Unity Catalog. store.copy() GenericError: Function not implemented" (developmentseed/obstore 748, Runtime 17.3).
What Spark itself writes there, such as a stream's checkpoint, does not go this way: Databricks supports it.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coinlake.commit_points import commit_point
from coinlake.files.storage import Storage


class Volume(Storage):
    """Files that are written once, whole, under their final names.

    Who is killed while writing may leave the beginning of a file; `move` finds it and writes the file whole.
    """

    def write_new(self, path: Path, content: bytes) -> None:
        """Write a new file."""
        if path.exists():
            raise _taken(path)
        self.write(path, content)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file from its beginning to its end; it is there when it is closed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with commit_point(f"write {path}"), path.open("wb") as file:
            file.write(content)

    def move(self, source: Path, target: Path) -> None:
        """Copy what is not there yet; the source stays until its folder is removed."""
        # A file that vanishes was cleared away by who completes the same run beside this process.
        with suppress(FileNotFoundError):
            for file in sorted(_files_of(source)):
                content, place = file.read_bytes(), target / file.relative_to(source)
                there = place.read_bytes() if place.exists() else None
                if there is not None and not content.startswith(there):
                    raise _taken(place)
                if there != content:
                    self.write(place, content)

    @contextmanager
    def lock(self, path: Path) -> Iterator[bool | None]:
        """There are no locks."""
        yield None


def _files_of(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file()) if place.is_dir() else iter([place])


def _taken(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
