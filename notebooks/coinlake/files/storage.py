"""What a lake does with its files, whatever the place can do."""

import shutil
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from coinlake.commit_points import commit_point


class Storage(ABC):
    """The operations on files that landing, the step log and silver's notes consist of.

    Folders are made as they are needed. What the place refuses is raised as OSError.
    """

    @abstractmethod
    def write_new(self, path: Path, content: bytes) -> None:
        """Write a new file. Raises FileExistsError when the name is taken."""

    @abstractmethod
    def write(self, path: Path, content: bytes) -> None:
        """Write a whole file, in the place of an old one if there is one."""

    @abstractmethod
    def move(self, source: Path, target: Path) -> None:
        """Give a file, or a folder with all that is in it, its final name, which must be free.

        Idempotent: a move that was interrupted is made again and comes to the same end. The source is gone
        afterwards, or stays until its folder is removed. Raises FileExistsError when something else has the name.
        """

    @abstractmethod
    def lock(self, path: Path) -> AbstractContextManager[bool | None]:
        """Hold the lock of this name while inside.

        Gives whether it was free; nothing is held when it was not. None where there are no locks.
        """

    def remove(self, folder: Path) -> None:
        """Remove a folder with all that is in it, if it is there."""
        with commit_point(f"remove {folder}"), suppress(FileNotFoundError):
            shutil.rmtree(folder)
