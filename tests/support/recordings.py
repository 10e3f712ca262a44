"""Where the recorded responses are that tests may read: other people's files, never copied into the project."""

import os
import re
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("COINLAKE_SHARED") or Path(__file__).resolve().parents[2].parent / "shared")
RECORDINGS = SHARED / "recordings"
MISSING = re.compile("no recorded responses at ")

needed = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recorded responses at {RECORDINGS}; set COINLAKE_SHARED"
)


def files(folder: str, pattern: str = "*") -> list[Path]:
    """The recordings of one folder, sorted; empty where there are none."""
    return sorted((RECORDINGS / folder).glob(pattern))
