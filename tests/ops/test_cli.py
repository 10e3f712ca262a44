"""The command `coinlake`: how it reads what is typed, how it ends, and what it does not load for that."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import typer

from coinlake.errors import CoinlakeError
from coinlake.simulator import PROFILES
from coinlake_ops import batch, bi, cli, deploy, parameter_files, simulated_api, spark_server
from coinlake_ops.dev import bench, checks, doctor
from coinlake_ops.project import ROOT
from tests.support import commands

HEAVY = (
    "azure",
    "databricks",
    "duckdb",
    "jinja2",
    "nbformat",
    "numpy",
    "pandas",
    "plotly",
    "pyspark",
    "requests",
    "yaml",
)
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "COURSE.md",
    "adf/README.md",
    "coinlake_ops/azure/README.md",
    "coinlake_ops/azure/RECOVERY.md",
    "sql/warehouse/README.md",
)
# What a document shows as a form, not as a call.
FORMS = re.compile(r"[|…]| X$|PART|^coinlake -")


@pytest.fixture
def runs(monkeypatch):
    """Every run that was asked for, as its parameters; none is executed."""
    asked = []
    monkeypatch.setattr(batch, "execute", asked.append)
    return asked


def test_options_and_parameters_stand_in_any_order(runs):
    assert cli.main(["run", "COINS=10", "--quiet", "AS_OF=+1h", "--environment", "local", "run_id=r1"]) == 0
    [run] = runs
    assert run.parameters == parameter_files.load("local", ["coins=10", "as_of=+1h", "run_id=r1"])
    assert (run.run_id, run.emit) == ("r1", batch.silent)


def test_a_plan_is_printed_in_words_or_as_one_object(tmp_path, capsys):
    words = ["plan", f"LAKE_PATH={tmp_path}", "PLAN=demo", "CREDITS_PER_MONTH=50", "HISTORY_COINS=48", "COINS=100"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out == (
        "up to 45 calls, 30 a minute: a minute of simulated time; 45 of the 50 credits left this month\n"
        "7 requests wait until 2026-09-01 00:00 UTC, when the month turns: the last tenth of its credits (5) is "
        "not spent on history\n"
    )
    assert cli.main([*words, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert {name: planned[name] for name in ("calls", "credits", "minutes", "deferred", "month_turns")} == {
        "calls": 45,
        "credits": 45,
        "minutes": 1.5,
        "deferred": 7,
        "month_turns": "2026-09-01T00:00:00.000Z",
    }
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_an_id_gets_a_new_one_and_prints_a_table(runs):
    assert cli.main(["run"]) == 0
    [run] = runs
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", run.run_id)
    assert run.emit == batch.table


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "SORCE=live"], "sorce: did you mean source?"),
        (["run", "--sorce"], "No such option: --sorce"),
        (["run", "COINS"], "'COINS' is not NAME=VALUE. Example: COINS=100"),
        (["run", "=5"], "'=5' is not NAME=VALUE. Example: COINS=100"),
        (["run", "COINS=ten"], "Parameter coins: 'ten' is not a whole number. Meaning: how many coins"),
        (["run", "COINS="], "Parameter coins: '' is not a whole number."),
        (
            ["run", "COINS=-1"],
            "coins: -1 is below 1. Give a whole number of at least 1 and at most 20,000: how many",
        ),
        (
            ["run", "SEED=-1"],
            "seed: -1 is below 0. Give a whole number of at least 0: seed of the simulated market.",
        ),
        (["run", "SOURCE=lvie"], "source: 'lvie' is not one of simulated, replay, live. Did you mean live?"),
        (["run", "RUN_ID=../x"], "run_id: '../x' is not of the form [A-Za-z0-9][A-Za-z0-9._-]{0,99} Meaning: id"),
        (
            ["run", "LAKE_PATH="],
            "lake_path: It is empty, and a lake is a folder. Name one, such as lake/simulated.",
        ),
        (["run", "LAKE_PATH=~nobody-here/lake"], "is in the home of a user whom this machine does not have."),
        (
            ["run", f"LAKE_PATH={__file__}/lake"],
            f"{__file__} is a file, and a lake is a folder. Name another one.",
        ),
        (["run", "LAKE_PATH=/proc/lake"], "lake_path=/proc/lake: this folder cannot be made (No such file"),
        (["run", "AS_OF=2206-08-12"], "where there is no simulated market: it goes from 2015-01-01"),
        (["run", "SOURCE=live", "AS_OF=+1h"], "as_of=+1h moves the simulated clock, but source=live."),
        (["run", "SOURCE=replay"], "source=replay needs a tape: set tape_path to a lake or to a tape's folder."),
        (["run", "SOURCE=replay", f"TAPE_PATH={__file__}"], f"There is no tape at {__file__}"),
        (["run", "HISTORY_DAYS=400"], "the plan keyless sees 365 days back. Set history_days to at most 365"),
        (
            ["run", "FX_CURRENCIES=euro"],
            "fx_currencies: 'euro' is not a currency code. Write codes such as eur,chf.",
        ),
        (["plan", "COINS=0"], "coins: 0 is below 1."),
        (["plan", "SOURCE=live", "AS_OF=+1h"], "as_of=+1h moves the simulated clock, but source=live."),
        (["run", "--environment", "tset"], "There is no parameters/tset.yml"),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?\nSee: coinlake --help\n"),
        (["api", "--faults", "bad"], "'bad' is not one of 'none', 'typical', 'dirty', 'hostile'"),
        (["bench", "speed"], "There is no benchmark speed. There are: work, batch,"),
        (["server", "run"], "Write the command after --"),
        (["tape", "add", "body.json"], "Missing option '--endpoint'.\nSee: coinlake tape add --help\n"),
        (["deploy", "plan", "--environment", "tset"], "Environments of the cloud are: dev, prod"),
        (["deploy", "plan", "--environment", "dev", "--only", "sqll"], "There is no part sqll. The parts are:"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_is_wrong(words, said, capsys):
    assert cli.main(words) == cli.WRONG_CALL == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_an_error_while_working_ends_with_1_in_one_line_on_stderr(monkeypatch, capsys):
    def fetch_jars():
        raise CoinlakeError("Maven Central does not answer.")

    monkeypatch.setattr(spark_server, "fetch_jars", fetch_jars)
    assert cli.main(["setup", "fetch-jars"]) == cli.FAILED == 1
    assert capsys.readouterr() == ("", "Maven Central does not answer.\n")


def test_an_error_of_the_program_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(spark_server, "drop_zip", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["setup", "drop-zip"])


def test_a_package_of_an_extra_that_is_missing_is_named_with_the_remedy(monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'azure.identity'", name="azure.identity")

    monkeypatch.setattr(spark_server, "drop_zip", missing)
    assert cli.main(["setup", "drop-zip"]) == 1
    said = "This command needs the package azure, which is not installed: pip install 'coinlake[azure]'\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("words", "place", "good"),
    [
        (["doctor"], (doctor, "examine"), True),
        (["check"], (checks, "run"), True),
        (["bi", "--check"], (bi, "differences"), []),
        (["deploy", "bundle", "--check"], (deploy.bundle, "is_up_to_date"), True),
    ],
)
def test_what_finds_something_ends_with_1_and_else_with_0(words, place, good, monkeypatch, capsys):
    monkeypatch.setattr(*place, lambda *_: good)
    assert cli.main(words) == 0
    monkeypatch.setattr(*place, lambda *_: ["x"] if good == [] else False)
    assert cli.main(words) == 1


def test_the_lab_has_a_lake_of_its_own_the_whole_project_to_look_at_and_one_run_for_a_sitting(monkeypatch):
    started = []
    monkeypatch.setattr(cli, "_with_server", lambda *given, **variables: started.append((*given, variables)) or 0)
    assert cli.main(["lab", "--no-browser"]) == 0
    assert cli.main(["lab", "--lake", "lake/mine", "--learner", "ada"]) == 0
    [(lake, command, variables), (own_lake, _, others)] = started
    assert (lake, own_lake) == ("lake/course", "lake/mine")
    assert command[1:4] == ["-m", "jupyterlab", "--ip=127.0.0.1"]
    assert f"--ServerApp.root_dir={ROOT}" in command
    assert "--LabApp.default_url=/lab/tree/COURSE.md" in command
    assert command[-1] == "--no-browser"
    assert set(variables) == {"COINLAKE_RUN_ID"}
    assert others == {"COINLAKE_RUN_ID": others["COINLAKE_RUN_ID"], "COINLAKE_LEARNER": "ada"}
    assert variables["COINLAKE_RUN_ID"] != others["COINLAKE_RUN_ID"]


def test_ctrl_c_ends_with_130(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(spark_server, "drop_zip", interrupted)
    assert cli.main(["setup", "drop-zip"]) == cli.INTERRUPTED == 130


def test_ctrl_c_in_a_run_leaves_at_once_with_130(monkeypatch, capsys):
    def interrupted(run):
        raise KeyboardInterrupt

    left = []
    monkeypatch.setattr(batch, "execute", interrupted)
    monkeypatch.setattr(os, "_exit", left.append)
    cli.main(["run"])
    assert left == [130]
    assert capsys.readouterr().err == "\nInterrupted. The lake is whole; the next run completes what is missing.\n"


def test_the_rest_of_a_line_belongs_to_the_command_that_is_started(monkeypatch, tmp_path):
    class Started:
        environment = {"SPARK_REMOTE": "sc://localhost:1"}

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(spark_server, "start", lambda lake: Started())
    code = "import os, sys; sys.exit(len(sys.argv) if os.environ['SPARK_REMOTE'] == 'sc://localhost:1' else 9)"
    assert (
        cli.main(["server", "run", "--lake", str(tmp_path), "--", sys.executable, "-c", code, "--lake", "x"]) == 3
    )


def _python(code: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["deploy", "--help"], ["nonsense"]])
def test_help_loads_none_of_the_heavy_packages(words):
    loaded = f"sorted(set({HEAVY}) & sys.modules.keys())"
    code = f"import sys; from coinlake_ops import cli; cli.main({words}); print('loaded', {loaded})"
    assert _python(code).stdout.endswith("loaded []\n")


def test_every_command_has_help_and_stands_in_a_group(capsys):
    root = typer.main.get_command(cli.app)
    assert all(command.rich_help_panel for command in root.commands.values())
    leaves = []

    def walk(command, words):
        for name, one in getattr(command, "commands", {}).items():
            assert one.help, [*words, name]
            walk(one, [*words, name])
        if not getattr(command, "commands", None):
            leaves.append(words)

    walk(root, [])
    assert len(leaves) > 25
    for words in leaves:
        assert cli.main([*words, "--help"]) == 0
        assert "coinlake " + " ".join(words) in capsys.readouterr().out


@pytest.mark.processes
def test_the_shell_completes_commands_and_parameters():
    def completed(line: str) -> set[str]:
        words = line.split()
        code = "from coinlake_ops import cli; cli.main([])"
        answer = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=os.environ
            | {
                "_COINLAKE_COMPLETE": "complete_bash",
                "COMP_WORDS": line,
                "COMP_CWORD": str(len(words) - 1),
            },
        )
        return set(answer.stdout.split())

    assert completed("coinlake de") == {"deploy"}
    assert completed("coinlake run HISTORY_") == {"HISTORY_COINS=", "HISTORY_DAYS="}


def test_the_defaults_of_the_simulated_api_are_the_markets_own():
    root = typer.main.get_command(cli.app)
    defaults = {option.name: option.default for option in root.commands["api"].params}
    assert (defaults["port"], defaults["seed"]) == (simulated_api.DEFAULT_PORT, simulated_api.DEFAULT_SEED)
    assert [faults.value for faults in cli.Faults] == list(PROFILES)


def test_the_help_names_every_benchmark():
    root = typer.main.get_command(cli.app)
    [names] = [option for option in root.commands["bench"].params if option.name == "names"]
    assert names.help.startswith(", ".join(bench.BENCHMARKS))


def shown(document: str) -> list[str]:
    """Every command that a document shows, in a block or in a line, without comments."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^(?:```\n(.*?)```|((?: {4}.*\n)+))", text, flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(first or second for first, second in blocks).replace("\\\n", " ").splitlines()
    found = [*map(str.strip, lines), *re.findall(r"`([^`\n]+)`", text)]
    return [line.partition("  #")[0].strip() for line in found if re.match(r"(?:make|coinlake) \S", line)]


EXAMPLES = sorted(
    {(document, line) for document in DOCUMENTS for line in shown(document) if not FORMS.search(line)}
)


def _words(line: str) -> list[str]:
    return [word for word in shlex.split(line) if word != "\n"]


@pytest.fixture(autouse=True)
def _of_no_make(monkeypatch):
    """What a make that runs these tests was given is not for the make that they call."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("document", "line"), EXAMPLES)
def test_what_a_document_shows_can_be_typed(document, line, monkeypatch):
    program, *words = _words(line)
    if program == "coinlake":
        commands.parse(words, monkeypatch)
        return
    dry = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr
    for call in re.findall(r"\.venv/bin/python -m coinlake_ops (?!setup)([^&\n]+)", dry.stdout):
        commands.parse(shlex.split(call), monkeypatch)


def test_the_documents_show_many_commands():
    assert {"README.md", "CONTRIBUTING.md"} <= {document for document, _ in EXAMPLES}
    assert len(EXAMPLES) > 50


CHEAP = (
    ("coinlake deploy cost", "| **sum** |"),
    ("coinlake deploy versions", "installed besides: "),
    ("coinlake governance access --environment dev", "read table"),
    ("coinlake governance render --environment dev", "CREATE CATALOG"),
    ("coinlake factory run pl_main --dry-run", "pl_ingest"),
    ("coinlake factory run pl_main --script adf/tests/answers.json", "pl_main  Succeeded"),
    ("coinlake factory test -- -q -k days_of_the_past", "1 passed"),
    ("make help", "make run"),
)


@pytest.mark.processes
@pytest.mark.parametrize(("line", "printed"), CHEAP)
def test_what_costs_nothing_is_run(line, printed):
    program, *words = shlex.split(line)
    command = [sys.executable, "-m", "coinlake_ops"] if program == "coinlake" else ["make"]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert printed in done.stdout


def test_make_passes_on_what_was_typed_and_nothing_else():
    typed = ["SOURCE=live", "TAPE_PATH=a b;it's $(HOME) x=y", "ARGS=--quiet --json"]
    dry = subprocess.run(["make", "-n", "run", *typed], cwd=ROOT, capture_output=True, text=True)
    [call] = re.findall(r"coinlake_ops run ([^\n]+)", dry.stdout)
    assert sorted(shlex.split(call)) == ["--json", "--quiet", "SOURCE=live", "TAPE_PATH=a b;it's $(HOME) x=y"]


def test_the_set_up_prepares_spark_by_commands_that_exist(monkeypatch):
    bootstrap = (ROOT / "coinlake_ops" / "dev" / "bootstrap.py").read_text(encoding="utf-8")
    conda = (ROOT / "environment.yml").read_text(encoding="utf-8")
    steps = re.findall(r'"coinlake_ops", "setup", "([\w-]+)"', bootstrap)
    assert steps == re.findall(r"coinlake setup ([\w-]+)", conda) == ["fetch-jars", "drop-zip", "make-archive"]
    assert [commands.parse(["setup", step], monkeypatch) for step in steps] == [f"setup {step}" for step in steps]


def test_the_set_up_refuses_a_folder_that_is_no_checkout(tmp_path):
    bootstrap = ROOT / "coinlake_ops" / "dev" / "bootstrap.py"
    done = subprocess.run([sys.executable, bootstrap], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"{tmp_path} is no checkout of coinlake: it has no requirements.txt.\n"
    assert list(tmp_path.iterdir()) == []
