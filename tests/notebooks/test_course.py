"""The course as a reader meets it: every notebook in its order, on a fresh lake, its checked cells compared."""

import os
import subprocess
import sys

import pytest

from coinlake_ops import notebooks


@pytest.mark.slow
def test_every_notebook_runs_and_its_checked_cells_show_what_is_printed(tmp_path, standing_server):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "-q", "--no-header", "-p", "no:cacheprovider"),
            *("-c", os.devnull, "--rootdir", notebooks.FOLDER),
            *notebooks.all_paths(),
        ],
        cwd=notebooks.FOLDER,
        env=os.environ | standing_server.environment | {"COINLAKE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
