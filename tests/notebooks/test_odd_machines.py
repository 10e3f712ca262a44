"""A notebook on a machine where somebody has set much that is meant for other programs."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from coinlake_ops import notebooks

pytestmark = pytest.mark.processes

START_UP = 'DATA_DIR = "/data"\ncoins = 7\n'
PARAMETERS = "coins: int = 250  # how many"
WHAT_IT_HAS = """
import json, os, sys
from coinlake import parameters
print(json.dumps([parameters.override(globals()), sys.executable, sorted(set(os.environ) & LOOKED_FOR)]))
"""


def text_of(executed):
    [output] = [output for cell in nbformat.read(executed, as_version=4).cells for output in cell.outputs]
    return json.loads(output.text)


def test_a_kernel_is_of_this_python_and_knows_nothing_of_others(monkeypatch, tmp_path):
    kernel = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    kernel.write_text('{"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}')
    start_up = tmp_path / "ipython" / "profile_default" / "startup" / "00.py"
    start_up.parent.mkdir(parents=True)
    start_up.write_text(START_UP)
    long = tmp_path / ("a folder of temporary files with a name of many characters, " * 2)
    long.mkdir()
    odd = {
        "JUPYTER_PATH": str(tmp_path / "jupyter"),
        "JUPYTER_RUNTIME_DIR": "/nowhere/runtime",
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "TMPDIR": str(long),
        "PYTHONPATH": str(tmp_path),
        "HADOOP_CONF_DIR": str(tmp_path),
        "HOME": "/nowhere",
    }
    for name, value in odd.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", None)
    looked_for = WHAT_IT_HAS.replace("LOOKED_FOR", repr(set(odd) - {"HOME", "IPYTHONDIR"}))
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(looked_for)]
    (tmp_path / "{coins} {0} [a]").mkdir()
    source, executed = tmp_path / "{coins} {0} [a]" / "odd.ipynb", tmp_path / "{run} *?" / "odd.ipynb"
    language = {"language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=cells, metadata=language), source)
    notebooks.execute(source, executed, {"coins": 3})
    assert text_of(executed) == [{"coins": 3}, sys.executable, ["JUPYTER_RUNTIME_DIR", "TMPDIR"]]


def test_what_a_start_up_file_defines_is_no_parameter(tmp_path):
    start_up = tmp_path / "profile_default" / "startup" / "00.py"
    start_up.parent.mkdir(parents=True)
    start_up.write_text(START_UP)
    cells = f"{PARAMETERS}\nfrom coinlake import parameters\nprint(parameters.override(globals()))"
    command = [sys.executable, "-m", "IPython", "--no-banner", "-c"]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path)}
    done = subprocess.run([*command, cells], env=environment, capture_output=True, text=True)
    assert done.stdout == "{'coins': 250}\n"
    done = subprocess.run([*command, f"DATA_DIR = 'x'\n{cells}"], env=environment, capture_output=True, text=True)
    assert "Unknown parameters:\n  DATA_DIR" in done.stdout + done.stderr
