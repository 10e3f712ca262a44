"""The plugin of pytest: which factory is tested, what a failing test shows, coverage; and the command `test`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import adf_lab
from adf_lab.cli import main
from adf_support.factories import write_factory

PLUGIN = "pytest_adf_lab"


def factory(name):
    work = {"name": "work", "type": "Copy", "typeProperties": {}}
    return {
        f"pipeline/{name}.json": {"properties": {"activities": [work]}},
        f"factory/{name}.json": {"name": name, "properties": {}},
    }


NAMES = """
def test_name(adf):
    assert adf.factory.name == "{}"
"""
WORKS = """
from adf_lab.testing import failed

def test_good(adf):
    assert adf.run("one").status == "Succeeded"

def test_red(adf):
    assert adf.run("one", answers={"work": failed("no space left")}).status == "Failed"
"""
ALL_SEEN = "one                   1/1           -         2/2  100 %"
ALONE = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"  # what else is installed costs time


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs pytest with the plugin in a folder with two factories; the tests are files by name."""
    monkeypatch.setenv(ALONE, "1")
    for name in ("one", "two"):
        write_factory(pytester.path / name, factory(name))

    def run(*options, **files):
        for name, text in files.items():
            path = pytester.path / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return pytester.runpytest_inprocess("-p", PLUGIN, "-p", "no:cacheprovider", *options)

    return run


def test_the_factory_is_the_nearest_one_above_the_test(run):
    files = {"one__tests__test_a": NAMES.format("one"), "two__tests__deep__test_b": NAMES.format("two")}
    run(**files).assert_outcomes(passed=2)


def test_the_factory_is_named_by_the_settings_the_option_or_the_marker(run, pytester):
    pytester.makeini("[pytest]\nadf_factory = one")
    run(tests__test_a=NAMES.format("one")).assert_outcomes(passed=1)
    run("--adf-factory", "two", tests__test_a=NAMES.format("two")).assert_outcomes(passed=1)
    marked = f"import pytest\n\n@pytest.mark.adf_factory('../two')\n{NAMES.format('two').lstrip()}"
    run("--adf-factory", "one", tests__test_a=marked).assert_outcomes(passed=1)


def test_without_a_factory_the_ways_to_name_one_are_told(run):
    result = run(tests__test_a=NAMES.format("one"))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*is a factory: name its folder with the ini option adf_factory*"])


def test_paths_of_answers_begin_at_the_test(run, pytester):
    (pytester.path / "one/tests").mkdir()
    (pytester.path / "one/tests/script.json").write_text('{"work": [{"output": {"n": 1}}]}')
    text = "def test_it(adf):\n    assert adf.run('one', answers='script.json')['work'].output == {'n': 1}"
    run(one__tests__test_a=text).assert_outcomes(passed=1)


def test_a_test_that_fails_shows_its_runs_and_one_that_passes_does_not(run):
    text = WORKS.replace('== "Failed"', '== "Succeeded"')
    lines = run(one__tests__test_a=text).outlines
    assert [line for line in lines if "Data Factory: one" in line or line.startswith("  work")] == [
        "------------------------------ Data Factory: one -------------------------------",
        "  work (Copy)  Failed  00:00:00  0.0 s  no space left",
    ]
    assert "Data Factory" not in run("-rP", one__tests__test_a=WORKS).stdout.str()


def test_a_fixture_of_the_session_counts_too(run):
    text = """
    import pytest

    @pytest.fixture(scope="module")
    def played(load_adf):
        return load_adf("one").run("one")

    def test_it(played):
        assert played.status == "Succeeded"
    """
    lines = run("--adf-cov-missing", tests__test_a=text.replace("\n    ", "\n")).outlines
    assert "all pipelines         1/1           -         1/2   66 %" in lines
    assert "one: work was never Failed" in lines


def test_coverage_is_printed_and_required(run):
    enough = run("--adf-cov", "--adf-cov-fail-under", "100", one__tests__test_a=WORKS)
    assert enough.ret == 0
    assert ALL_SEEN in enough.outlines
    assert not [line for line in enough.outlines if "never" in line]
    little = run("--adf-cov-fail-under", "67", "-k", "red")
    assert little.ret == 1
    assert "Failed: 66.7 % were seen, and 67 % are required." in little.outlines
    assert run("--adf-cov-fail-under", "66.5", "-k", "red").ret == 0


@pytest.mark.processes
def test_what_several_processes_see_is_added(run):
    pytest.importorskip("xdist")
    result = run("-p", "xdist", "-n", "2", "--adf-cov-fail-under", "100", one__tests__test_a=WORKS)
    assert ALL_SEEN in result.outlines
    assert result.ret == 0


def test_without_a_factory_nothing_is_required_of_it(run):
    result = run("--adf-cov", tests__test_a="def test_it(): pass")
    assert "No test has loaded a factory." in result.outlines
    assert "seen" not in run(tests__test_a="def test_it(): pass").stdout.str()


# --- adf-lab test ----------------------------------------------------------------------------------------


def command(folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(Path(adf_lab.__file__).parents[1]), ALONE: "1"}
    done = subprocess.run(
        [sys.executable, "-m", "adf_lab", "test", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.processes
def test_the_command_runs_the_tests_of_a_factory(tmp_path):
    root = write_factory(tmp_path / "one", factory("one") | {"tests/test_a.py": WORKS})
    code, printed, _ = command(tmp_path, "one", "--cov", "--", "-q", "-k", "good", "-p", "no:cacheprovider")
    assert (code, "1 passed, 1 deselected" in printed, "one: work was never Failed" in printed) == (0, True, True)
    (root / "tests/test_a.py").write_text("def test_it(): assert False")
    assert command(root)[0] == 1
    (root / "tests/test_a.py").unlink()
    assert command(root)[0] == 2


def test_a_factory_without_tests_is_told_where_they_stand(tmp_path, capsys):
    root = write_factory(tmp_path / "one", factory("one"))
    assert main(["test", str(root)]) == 2
    assert "write tests there (docs/testing.md), or say --tests PATH" in capsys.readouterr().err
    assert main(["test", str(tmp_path)]) == 2
    assert "is no factory" in capsys.readouterr().err


def test_without_pytest_the_command_says_what_brings_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["test", str(write_factory(tmp_path, factory("one")))]) == 2
    assert capsys.readouterr().err == "Tests run with pytest, which is not there: pip install 'adf-lab[test]'\n"
