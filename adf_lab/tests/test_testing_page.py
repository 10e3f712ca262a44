"""docs/testing.md: its files are written, its commands are run, and they print what it says."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import adf_lab
from adf_lab.cli import main

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[1] / "docs" / "testing.md").read_text(encoding="utf-8")
SOURCE = Path(adf_lab.__file__).parents[1]
BLOCKS = re.compile(r"^```(\S+)(?: title=\"(\S+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command of the page and returns its exit code and what it prints."""
    monkeypatch.chdir(tmp_path)
    environment = {"PYTHONPATH": str(SOURCE), "COLUMNS": "68", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def run(command):
        program, *arguments = shlex.split(command)
        assert program == "adf-lab"
        if arguments[0] != "test":
            code = main(arguments)
            return code, *capsys.readouterr()
        # pytest does not run in itself.
        call = [sys.executable, "-m", "adf_lab", *arguments]
        done = subprocess.run(call, env=os.environ | environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return run


def without_times(text):
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r"passed in [\d.]+s", "passed in TIME", text)
    return re.sub(r" +(?=\[100%\])", " ", text)


def test_the_page_does_what_it_says(run, tmp_path):
    codes = []
    for language, title, content in BLOCKS.findall(PAGE):
        if title:
            path = tmp_path / title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            continue
        assert language == "console"
        for command, expected in COMMANDS.findall(content):
            code, printed, errors = run(command)
            assert (without_times(printed), errors) == (without_times(expected), ""), command
            codes.append(code)
    assert codes == [0, 0, 1, 0, 0, 0]


def test_every_block_is_one_that_is_run():
    assert PAGE.count("\n```") == 2 * len(BLOCKS.findall(PAGE))
