"""Which storage a path belongs to. The only code that knows how the path of a volume looks."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coinlake.files.local import LocalFolder
from coinlake.files.storage import Storage
from coinlake.files.volume import Volume

VOLUMES = "/Volumes"


def is_volume(path: str | os.PathLike[str]) -> bool:
    """Whether an absolute path is in a volume: /Volumes/<catalog>/<schema>/<volume>/…

    The environment variable COINLAKE_VOLUMES names another folder that stands for /Volumes. Tests set it, to run
    everything on a folder that refuses what a volume refuses.
    """
    return Path(path).is_relative_to(_root()) and Path(path) != _root()


def volume_catalog(path: str | os.PathLike[str]) -> str | None:
    """The catalog whose volume a path is in; None when it is in none."""
    parts = Path(path).relative_to(_root()).parts if is_volume(path) else ()
    return parts[0] if len(parts) > 1 else None


def at(path: str | os.PathLike[str]) -> Storage:
    """The storage that keeps what stands at this absolute path."""
    return Volume() if is_volume(path) else LocalFolder()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole, in the place of an old one if there is one."""
    at(path).write(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def escape_glob(path: str) -> str:
    """A path in which Spark sees no pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)


def _root() -> Path:
    return Path(os.environ.get("COINLAKE_VOLUMES", VOLUMES))
