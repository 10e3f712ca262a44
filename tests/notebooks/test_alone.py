"""A notebook by itself: plain papermill from the repository's root, no server, a Spark session of its own."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from coinlake_ops.project import ROOT


@pytest.mark.spark
@pytest.mark.slow
def test_plain_papermill_executes_a_notebook_without_a_server(tmp_path):
    executed = tmp_path / "executed.ipynb"
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("papermill"), "notebooks/00_setup.ipynb", executed),
            *("-p", "lake_path", tmp_path / "lake"),
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "SPARK_REMOTE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    cells = nbformat.read(executed, as_version=4).cells
    printed = {cell.id: "".join(out.get("text", "") for out in cell.get("outputs", [])) for cell in cells}
    assert printed["refuse"] == "refused by the rule: True\n"
