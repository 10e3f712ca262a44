"""The commands `test` and `script`: run the tests of a factory, and make a script of a recorded run."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from adf_lab.errors import AdfLabError
from adf_lab.factory import load_factory
from adf_lab.scripted import read_json

PLUGIN = "pytest_adf_lab"
# What pytest's exit codes are here: interrupted, an error inside, wrong call, no tests.
CODES = {0: 0, 2: 130, 4: 2, 5: 2}


def add_commands(commands, project) -> None:
    """Add them to the parsers of a command line."""
    command = commands.add_parser("test", help="run the tests of a factory with pytest")
    command.add_argument("folder", type=Path, nargs="?", default=project.factory)
    help_ = "folder or file of the tests (default: tests/ in the folder of the factory)"
    command.add_argument("--tests", type=Path, metavar="PATH", help=help_)
    help_ = "print which activities, branches and outcomes the tests have seen, and which not"
    command.add_argument("--cov", action="store_true", help=help_)
    help_ = "fail if the tests have seen less than so many percent of them"
    command.add_argument("--cov-fail-under", type=float, metavar="PERCENT", help=help_)
    command.epilog = "What follows after -- is for pytest: adf-lab test adf -- -x -k alert"
    command.set_defaults(function=_test)

    command = commands.add_parser("script", help="make a script of a run that the service has recorded")
    help_ = "what queryActivityruns has answered, as a JSON file; of several pages or pipelines each"
    command.add_argument("runs", type=Path, nargs="+", metavar="RUN.json", help=help_)
    command.add_argument("--into", type=Path, metavar="FILE", help="write it there (default: print it)")
    command.set_defaults(function=_script)


def split_arguments(arguments: list[str]) -> tuple[list[str], dict]:
    """The arguments of the command line up to `--` behind `test`, and what stands after it as an option."""
    if arguments[:1] != ["test"] or "--" not in arguments:
        return arguments, {}
    end = arguments.index("--")
    return arguments[:end], {"of_pytest": arguments[end + 1 :]}


def _test(options) -> int:
    """Run pytest; 1 if a test has failed or too little was seen."""
    if importlib.util.find_spec("pytest") is None:
        raise AdfLabError("Tests run with pytest, which is not there: pip install 'adf-lab[test]'")
    load_factory(options.folder)
    tests = options.tests or options.folder / "tests"
    if not tests.exists():
        raise AdfLabError(f"There is no {tests}: write tests there (docs/testing.md), or say --tests PATH.")
    arguments = ["-p", PLUGIN, "--adf-factory", str(options.folder.resolve()), str(tests)]
    if options.cov:
        arguments.append("--adf-cov-missing")
    if options.cov_fail_under is not None:
        arguments += ["--adf-cov-fail-under", str(options.cov_fail_under)]
    arguments += getattr(options, "of_pytest", [])
    # A process of its own: pytest prepares what it imports itself.
    return CODES.get(subprocess.run([sys.executable, "-m", "pytest", *arguments]).returncode, 1)


def _script(options) -> int:
    """Print the script of a recorded run, or write it to a file; what it leaves open goes to stderr."""
    from adf_lab.testing import script_of

    script, notes = script_of(*[read_json(path, "The recorded run") for path in options.runs])
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    text = json.dumps(script, indent=2) + "\n"
    if options.into:
        options.into.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    return 0
