"""docs/testing.md: its files are written, its commands are run, and they print what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import adf_lab

PAGE = Path(__file__).parents[1] / "docs" / "testing.md"
SOURCE = Path(adf_lab.__file__).parents[1]
BLOCKS = re.compile(r"^```(\S+)(?: title=\"(\S+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(command, folder):
    """What a command prints, without ids, durations of tests and the lines of the page's width."""
    arguments = shlex.split(command)
    assert arguments[0] == "adf-lab"
    environment = os.environ | {
        "PYTHONPATH": str(SOURCE),
        "COLUMNS": "68",
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
    }
    done = subprocess.run(
        [sys.executable, "-m", "adf_lab", *arguments[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.returncode, without_times(done.stdout)


def without_times(text):
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r"passed in [\d.]+s", "passed in TIME", text)
    return re.sub(r" +(?=\[100%\])", " ", text)


def test_the_page_does_what_it_says(tmp_path):
    codes = []
    for language, title, content in BLOCKS.findall(PAGE.read_text(encoding="utf-8")):
        if title:
            path = tmp_path / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            continue
        assert language == "console"
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", content, re.MULTILINE):
            code, printed = run(command, tmp_path)
            assert printed == without_times(expected), command
            codes.append(code)
    assert codes == [0, 0, 1, 0, 0, 0]


def test_every_block_is_one_that_is_run():
    assert PAGE.read_text(encoding="utf-8").count("\n```") == 2 * len(
        BLOCKS.findall(PAGE.read_text(encoding="utf-8"))
    )
