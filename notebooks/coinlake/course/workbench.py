"""Where a drill works: a folder of its own, which is made anew each time."""

import shutil
from pathlib import Path

from coinlake import project_files


def workbench(drill: str) -> Path:
    """The folder lake/drills/<drill>, empty: what an earlier try has left is removed."""
    folder = project_files.home() / "lake" / "drills" / drill
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
