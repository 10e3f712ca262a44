"""The command `coinlake`: it reads what is typed, calls what does the work, prints errors and ends with a code.

Every command imports what it needs when it runs: help and completion must not wait for Spark, pandas or Azure.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

# How every command ends, and the only place that says so. A command returns one of them; None is DONE.
DONE, FAILED, WRONG_CALL, INTERRUPTED = 0, 1, 2, 130

LAKE = "lake/simulated"
# Where notebooks that are opened by hand work, so that they find their work still to do after a run.
LAB_LAKE = "lake/course"
# Packages that only some commands need, and how to get them.
EXTRAS = {
    "adf_lab": "pip install ./adf_lab, in a checkout",
    "azure": "pip install 'coinlake[azure]'",
    "databricks": "pip install 'coinlake[azure]'",
}
WORK, FACTORY, MACHINE, CLOUD, PROJECT = (
    "The pipeline",
    "Data Factory",
    "This machine",
    "The cloud",
    "Work on the project (in a checkout)",
)


def _group(help_: str) -> typer.Typer:
    return typer.Typer(help=help_, no_args_is_help=True, rich_markup_mode="rich")


app = typer.Typer(
    name="coinlake",
    help="A lakehouse of crypto-market data that a person can read, run and own.",
    epilog="Begin with: coinlake run · more of a command: coinlake run --help · every command ends with "
    "0 done, 1 failed, 2 wrong call, 130 interrupted.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
tape = _group("Make tapes, which are recorded API responses, from bodies that you saved, and list what is on one.")
server = _group("A Spark server that other programs use.")
setup = _group("Prepare Spark once after the packages are installed; the Makefile does it by itself.")
deploy = _group("Bring an environment to Azure: compare what should be with what is, and change only that.")
governance = _group("Unity Catalog as code: who may do what, and where the data came from.")
sql = _group("The warehouse's SQL files.")
notebooks = _group("The notebooks of the course.")
course = _group("The exercises: where you stand, hand in, grade.")
app.add_typer(tape, name="tape", rich_help_panel=WORK)
app.add_typer(course, name="course", rich_help_panel=WORK)
app.add_typer(server, name="server", rich_help_panel=MACHINE)
app.add_typer(setup, name="setup", rich_help_panel=MACHINE)
app.add_typer(deploy, name="deploy", rich_help_panel=CLOUD)
app.add_typer(governance, name="governance", rich_help_panel=CLOUD)
app.add_typer(sql, name="sql", rich_help_panel=PROJECT)
app.add_typer(notebooks, name="notebooks", rich_help_panel=PROJECT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, and never a traceback for an error that the reader can solve."""
    try:
        return app(arguments, prog_name="coinlake", standalone_mode=False) or DONE
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        # Empty after a group without a command, whose help was printed.
        if message := error.format_message():
            command = context.command_path if context else "coinlake"
            print(f"{message}\nSee: {command} --help", file=sys.stderr)
        return WRONG_CALL
    except typer.Abort:
        # A question that Ctrl-C answered, or nobody: the input ended.
        print(
            "\nInterrupted at a question, and nothing was written. Where nobody can answer, give the values as "
            "options or variables: see the help of the command.",
            file=sys.stderr,
        )
        return INTERRUPTED
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        print(
            f"This command needs the package {package}, which is not installed: {EXTRAS[package]}", file=sys.stderr
        )
        return FAILED
    except Exception as error:
        # Imported here, as everything of the lakehouse.
        from coinlake.errors import CoinlakeError

        if not isinstance(error, CoinlakeError):
            raise
        print(error, file=sys.stderr)
        return FAILED


@contextmanager
def _words_of_the_call() -> Iterator[None]:
    """Within the block an error is one of what was typed, and ends with WRONG_CALL."""
    from coinlake.errors import CoinlakeError

    try:
        yield
    except CoinlakeError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(WRONG_CALL) from None


def _work_on_a_lake(work: Callable[[], None], interrupted: str) -> int:
    """Does the work and says how it ended, in the words `interrupted` after Ctrl-C, which leaves at once."""
    from coinlake.errors import CoinlakeError, ConfigurationError
    from coinlake_ops import batch

    try:
        work()
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        sys.stdout.flush()
        # The kernels have ended. A Spark server that was only starting ends with this process.
        os._exit(INTERRUPTED)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return WRONG_CALL
    except (CoinlakeError, OSError) as error:
        print(f"\n{batch.explain(error)}", file=sys.stderr)
        return FAILED
    return DONE


def _take_over_environment(quiet: bool = False) -> None:
    """Leaves variables that are meant for other programs out of this process and all it starts.

    Says which they are, unless nothing is to be said.
    """
    from coinlake import process_environment

    ignored = process_environment.take_over()
    if ignored and not quiet:
        print(f"Ignored from the environment, as coinlake brings its own: {', '.join(ignored)}", file=sys.stderr)


def _parameter_names(incomplete: str) -> list[str]:
    """The parameters that a word can become, for the shell's completion."""
    from coinlake.parameters import PARAMETERS

    return [f"{name.upper()}=" for name in PARAMETERS if name.upper().startswith(incomplete.upper())]


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not an instant; write 2026-08-12T14:22:00Z") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _path_of(lake: str) -> Path:
    from coinlake import runtime

    return Path(runtime.resolve_path(lake))


Lake = Annotated[str, typer.Option("--lake", metavar="FOLDER", help="The lake.")]
Environment = Annotated[
    str, typer.Option("--environment", metavar="dev|prod", help="Which environment of the cloud.")
]
Parameters = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME=VALUE",
        help="Parameters, in capitals or not, such as SOURCE=live COINS=100; README.md lists them all.",
        autocompletion=_parameter_names,
    ),
]
Learner = Annotated[
    str,
    typer.Option("--learner", metavar="NAME", help="Who does the exercises: some numbers in them follow from it."),
]
ParameterFile = Annotated[
    str, typer.Option("--environment", metavar="NAME", help="Which parameters/*.yml to start from.")
]
Only = Annotated[
    list[str],
    typer.Option("--only", metavar="PART", help="Only this part; may be given again. All parts when left out."),
]


@app.command(
    rich_help_panel=WORK,
    epilog="For example: coinlake run · coinlake run AS_OF=+1h · coinlake run SOURCE=live COINS=100 --json",
)
def run(
    parameters: Parameters = [],  # noqa: B006
    environment: ParameterFile = "local",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing unless something fails.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run notebooks too whose inputs are unchanged.")] = False,
) -> int:
    """Run the whole pipeline: ingest, refine, load, report. A second run changes nothing."""
    from coinlake import observability
    from coinlake_ops import batch, parameter_files

    _take_over_environment(quiet)
    emit = batch.silent if quiet else batch.json_lines if json else batch.table
    with _words_of_the_call():
        values = parameter_files.load(environment, parameters)

    def work() -> None:
        batch.require_possible(values)
        run_id = str(values["run_id"]) or observability.new_run_id()
        batch.execute(batch.Run(values, run_id, emit, force))

    return _work_on_a_lake(work, "\nInterrupted. The lake is whole; the next run completes what is missing.")


@app.command(
    rich_help_panel=WORK,
    epilog="For example: coinlake watch EVERY=1m · coinlake watch EVERY=5m SOURCE=live COINS=100 --port 8430",
)
def watch(
    parameters: Parameters = [],  # noqa: B006
    environment: ParameterFile = "local",
    port: Annotated[int, typer.Option("--port", help="Where the page is, on 127.0.0.1; 0 takes a free one.")] = 0,
    turns: Annotated[int | None, typer.Option("--turns", min=1, help="End after so many.")] = None,
) -> int:
    """Run the pipeline again and again, EVERY=1m if nothing else is said, and show the market now as a page.

    Each turn goes from the answers to gold; the first of each hour makes warehouse and reports, too. A turn that
    fails is shown, and tried again. Ctrl-C ends it; the record of each turn is in watch/turns.jsonl of the lake.
    """
    from coinlake_ops import batch, parameter_files
    from coinlake_ops import watch as watching

    _take_over_environment()
    with _words_of_the_call():
        every, words = watching.interval_among(parameters)
        values = parameter_files.load(environment, words)

    def work() -> None:
        batch.require_possible(values)
        watching.run(values, every, port, turns, lambda line: print(line, flush=True))

    return _work_on_a_lake(work, "The watch has ended. The lake is whole; the next run goes on from here.")


@app.command(
    rich_help_panel=WORK, epilog="For example: coinlake plan SOURCE=live PLAN=demo HISTORY_COINS=5000 --json"
)
def plan(
    parameters: Parameters = [],  # noqa: B006
    environment: ParameterFile = "local",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a run would ask CoinGecko, what that costs and how long it takes; asks and writes nothing."""
    import json

    from coinlake import bronze
    from coinlake_ops import parameter_files

    with _words_of_the_call():
        settings = bronze.Settings.of(parameter_files.load(environment, parameters))
        planned = bronze.plan_ingestion("market", settings)
    print(json.dumps(planned.record()) if as_json else planned.in_words(simulated=settings.source == "simulated"))


@app.command(rich_help_panel=WORK)
def report(
    lake: Lake = LAKE,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FOLDER", help="Where README.md, pages and pictures go: reports/ if left out."
        ),
    ] = None,
    no_pictures: Annotated[bool, typer.Option("--no-pictures", help="Keep the pictures as they are.")] = False,
) -> None:
    """Render the reports of a lake's last run again, and a README.md with their pictures."""
    from coinlake_ops import project, rendering

    folder = to or (project.home() if project.IS_INSTALLED else project.ROOT) / "reports"
    print(rendering.render_last_run(_path_of(lake), folder, not no_pictures))


@app.command(rich_help_panel=WORK, epilog="For example: coinlake replay-quarantine --lake lake/live")
def replay_quarantine(lake: Lake = LAKE) -> int:
    """Put what waits in quarantine through the expectations as they are now; what passes goes to its table."""
    from coinlake import Lakehouse, silver
    from coinlake.errors import CoinlakeError
    from coinlake_ops.lake_lock import only_worker, shown

    _take_over_environment()
    folder = _path_of(lake)
    if not (folder / "tables").is_dir():
        raise CoinlakeError(f"There are no tables in {shown(folder)}: make them with `coinlake run` first.")
    with only_worker(folder):
        replay = silver.replay_quarantine(Lakehouse.create("spark_catalog", str(folder)))
    for row in replay.reasons:
        print(f"{row.table_name:<18} {row.reason:<28} {row.passed:>9,} of {row.records:,} pass")
    for file, error in replay.counts.faults.items():
        print(f"{file} could not be processed: {error}")
    print(f"{replay.passed:,} of {replay.records:,} records passed, {replay.counts.written:,} rows written")
    if replay.passed:
        print("The next run brings them into gold, the warehouse and the reports.")
    return DONE


@app.command(
    rich_help_panel=WORK,
    epilog="For example: coinlake trace fact_price_daily coin_id=bitcoin vs_currency=usd date=2026-08-01 · "
    "warehouse.fact_price_daily asks for the row as the warehouse in the lake's file holds it, reporting.coin_day "
    "for a row of its views. Ends with 1 when the row is not there, or a file is missing or has changed.",
)
def trace(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A table of bronze, silver, gold or the warehouse.")
    ],
    key: Annotated[
        list[str],
        typer.Argument(metavar="COLUMN=VALUE", help="The key of the row, every column of it; instants are UTC."),
    ] = [],  # noqa: B006
    lake: Lake = LAKE,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object with all of it.")] = False,
) -> int:
    """Follow a row back to the raw responses that it is made from: file, SHA-256, address, time, run."""
    from json import dumps

    from coinlake import Lakehouse
    from coinlake_ops import trace as tracing

    with _words_of_the_call():
        question = tracing.ask(table, key)
    _take_over_environment(quiet=json)
    trail = tracing.follow(Lakehouse.open("spark_catalog", lake), question)
    print(dumps(tracing.as_json(trail), ensure_ascii=False) if json else tracing.in_words(trail))
    return DONE if trail.is_whole else FAILED


@app.command(
    rich_help_panel=WORK,
    epilog="For example: coinlake verify · coinlake verify --lake lake/live --json",
)
def verify(
    lake: Lake = LAKE,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> int:
    """Prove that landing, silver, gold and the warehouse are what they should be; a difference ends it with 1."""
    from coinlake import runtime
    from coinlake_ops import verification

    _take_over_environment(quiet=json)
    emit = verification.as_json if json else verification.as_line
    return DONE if verification.verify(_path_of(lake), runtime.spark, emit) else FAILED


class Layer(StrEnum):
    """What can be made again."""

    silver = "silver"
    gold = "gold"
    warehouse = "warehouse"
    all = "all"


@app.command(rich_help_panel=WORK, epilog="For example: coinlake rebuild gold --lake lake/live")
def rebuild(
    layer: Annotated[Layer, typer.Argument(help="What to make again.", show_default=False)],
    lake: Lake = LAKE,
) -> None:
    """Make a layer again from the one below, say what differs, and put it in the old one's place."""
    from coinlake import runtime
    from coinlake_ops import rebuild as rebuilding

    _take_over_environment()
    rebuilding.rebuild(_path_of(lake), layer.value, runtime.spark, print)


@app.command(
    rich_help_panel=WORK,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="What follows is JupyterLab's own, for example: coinlake lab --no-browser",
)
def lab(context: typer.Context, lake: Lake = LAB_LAKE, learner: Learner = "") -> int:
    """Open the notebooks in JupyterLab, on a lake of their own, with a Spark server that ends with it.

    All that is opened in one sitting is one run.
    """
    from coinlake import course as exercises
    from coinlake import observability
    from coinlake_ops import notebooks, project

    _take_over_environment()
    folder = notebooks.folder_to_work_in()
    start = (
        "COURSE.md" if (folder.parent / "COURSE.md").exists() else f"{folder.name}/{notebooks.all_paths()[0].name}"
    )
    options = {
        "LabApp.app_settings_dir": project.PACKAGE / "jupyterlab",
        # README, SQL and the lake itself can be opened, too.
        "ServerApp.root_dir": folder.parent,
        "LabApp.default_url": f"/lab/tree/{start}",
    }
    given = [f"--{name}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "jupyterlab", "--ip=127.0.0.1", *given, *context.args]
    variables = {observability.SITTING: observability.new_run_id()} | (
        {exercises.LEARNER: learner} if learner else {}
    )
    return _with_server(lake, command, **variables)


@course.command("progress", epilog="For example: coinlake course progress --learner ada")
def course_progress(learner: Learner = "") -> None:
    """Say which exercises are solved, and since when; of the learner who solved one last, if none is named."""
    from coinlake_ops import classroom

    print(classroom.standing(learner))


@course.command("reset")
def course_reset(learner: Learner = "") -> None:
    """Forget what a learner has solved; notebooks and lake stay as they are."""
    from coinlake import course as exercises

    name = learner or exercises.newest_learner()
    print(f"{exercises.reset(name)} solved exercises of {name or 'nobody in particular'} are forgotten.")


@course.command("hand-in", epilog="For example: coinlake course hand-in --learner ada --to ~/handed-in")
def course_hand_in(
    learner: Annotated[str, typer.Option("--learner", metavar="NAME", help="Whose answers these are.")],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Where the file goes.")] = Path(),
) -> None:
    """Write what stands in the exercises' cells, as the notebooks are saved, into one file."""
    from coinlake_ops import classroom

    print(f"{classroom.hand_in(learner, to)} holds your answers.")


@course.command("grade", epilog="For example: coinlake course grade handed-in · runs what learners have written")
def course_grade(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Files of `coinlake course hand-in`.")],
) -> None:
    """Judge all answers that were handed in, and write grades.csv beside them; needs no network."""
    from coinlake_ops import classroom

    _take_over_environment()
    for line in classroom.grade(folder):
        print(line, flush=True)


@tape.command(
    "add",
    epilog="For example: coinlake tape add --endpoint global --url /global --fetched-at 2026-08-12T14:22:00Z "
    "--to lake/tapes/august global.json",
)
def tape_add(
    bodies: Annotated[list[str], typer.Argument(metavar="BODY...", help="Files with one response body each.")],
    endpoint: Annotated[str, typer.Option("--endpoint", help="One of the endpoints, such as coins_markets.")],
    url: Annotated[str, typer.Option("--url", help="The address asked; keys in it are left out.")],
    fetched_at: Annotated[
        str, typer.Option("--fetched-at", metavar="INSTANT", help="When it answered: 2026-08-12T14:22:00Z")
    ],
    to: Annotated[str, typer.Option("--to", metavar="TAPE", help="Folder of the tape; made when missing.")],
    status: Annotated[int, typer.Option("--status", help="HTTP status of the answer.")] = 200,
    header: Annotated[
        list[str], typer.Option("--header", metavar="NAME:VALUE", help="A response header; may be given again.")
    ] = [],  # noqa: B006
) -> None:
    """Put response bodies on a tape as one run. Several are its pages; the same again changes nothing."""
    from coinlake_ops import recordings

    print(
        recordings.add(
            to, endpoint=endpoint, url=url, fetched_at=fetched_at, status=status, headers=header, bodies=bodies
        )
    )


@tape.command("list")
def tape_list(tape: Annotated[str, typer.Argument(metavar="TAPE", help="Folder of the tape.")]) -> None:
    """Show what is on a tape."""
    from coinlake_ops import recordings

    print("\n".join(recordings.listing(tape)))


class Faults(StrEnum):
    """How badly the simulated API behaves."""

    none = "none"
    typical = "typical"
    dirty = "dirty"
    hostile = "hostile"


@app.command(rich_help_panel=WORK)
def api(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.")] = 8420,
    seed: Annotated[int, typer.Option("--seed", help="Which market.")] = 20260801,
    coins: Annotated[int, typer.Option("--coins", help="How many coins it has.")] = 1000,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", metavar="INSTANT", parser=_instant, help="Its moment: 2026-08-12T14:22:00Z"),
    ] = None,
    moving: Annotated[bool, typer.Option("--moving", help="Let the clock run from there.")] = False,
    faults: Annotated[Faults, typer.Option("--faults", help="How badly it behaves.")] = Faults.none,
) -> None:
    """Serve the simulated CoinGecko API on 127.0.0.1, for curl or a browser."""
    from coinlake_ops import simulated_api

    moment = as_of or simulated_api.DEFAULT_AS_OF
    simulated_api.serve(port, seed=seed, coins=coins, as_of=moment, moving=moving, faults=faults.value)


@app.command(
    rich_help_panel=FACTORY,
    # From the name of the command on, all is handed over as it is, `--` too.
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
    add_help_option=False,
)
def factory(context: typer.Context) -> int:
    """Check, run, schedule and look at the Data Factory in adf/: coinlake factory --help"""
    from coinlake_ops.factory import main as run_factory

    _take_over_environment()
    try:
        code = run_factory(context.args)
    except SystemExit as end:
        # So argparse ends, after help and after a wrong call.
        return int(end.code or DONE)
    if code == INTERRUPTED:
        sys.stdout.flush()
        # As after an interrupted run: a thread may still wait for a notebook's kernel.
        os._exit(code)
    return code


@app.command(rich_help_panel=MACHINE)
def doctor() -> int:
    """Check Python, packages, environment, Java, Spark, Delta, memory and disk, and say what to do."""
    from coinlake_ops.dev import doctor

    return DONE if doctor.examine() else FAILED


@setup.command("fetch-jars")
def setup_fetch_jars() -> None:
    """Fetch Delta's jars and put them beside Spark's own; needs the network, once."""
    from coinlake_ops import spark_server

    print(spark_server.fetch_jars())


@setup.command("drop-zip")
def setup_drop_zip() -> None:
    """Delete PySpark's zipped copy, which every worker would compile anew."""
    from coinlake_ops import spark_server

    print(spark_server.drop_zip())


@setup.command("make-archive")
def setup_make_archive() -> None:
    """Make an archive of loaded classes, so that every start of Spark is short."""
    from coinlake_ops import spark_server

    print(spark_server.make_archive())


@server.command(
    "run",
    context_settings={"allow_extra_args": True, "allow_interspersed_args": False},
    epilog="For example: coinlake server run --lake lake/simulated -- python my_script.py",
)
def server_run(context: typer.Context, lake: Lake = LAKE) -> int:
    """Run a command, written after --, with a Spark server; the server ends with it, whatever ends it."""
    if not context.args:
        print(
            "Write the command after --: coinlake server run --lake lake/simulated -- python x.py", file=sys.stderr
        )
        return WRONG_CALL
    return _with_server(lake, context.args)


@server.command("stop")
def server_stop(lake: Lake = LAKE) -> None:
    """End the Spark server of a lake, whoever started it."""
    from coinlake_ops import spark_server

    ended = spark_server.stop(_path_of(lake))
    print("The Spark server has ended." if ended else "No Spark server runs for this lake.")


def _with_server(lake: str, command: list[str], **variables: str) -> int:
    from coinlake_ops import foreground, project, spark_server

    with spark_server.start(_path_of(lake)) as started:
        environment = os.environ | {"COINLAKE_HOME": str(project.home())} | started.environment | variables
        return foreground.run(command, environment)


@deploy.command(
    "init",
    epilog="For example: coinlake deploy init dev · what a variable COINLAKE_AZURE_<NAME> gives is not asked",
)
def deploy_init(
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Which environment: dev or prod.")],
) -> None:
    """Make the file of an environment: what the Azure CLI knows is read, the rest is asked."""
    from coinlake_ops import environment as environments
    from coinlake_ops import project
    from coinlake_ops.deploy import environment_file

    project.require_checkout("coinlake deploy init")
    with _words_of_the_call():
        environments.require_known(environment)

    def ask(name: str, meaning: str, offered: str) -> str:
        return typer.prompt(f"{name}: {meaning}\n ", default=offered or None)

    path = environment_file.write(environment, ask)
    print(f"{path} is ready. See: coinlake deploy plan --environment {environment}")


@deploy.command("doctor", epilog="For example: coinlake deploy doctor dev")
def deploy_doctor(
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="Which environment: dev or prod.")],
) -> int:
    """Look for what would stop a deployment, before anything is created, and say what mends it."""
    from coinlake_ops.deploy import doctor

    return DONE if doctor.examine(_clients("doctor", environment), print) else FAILED


@deploy.command("plan")
def deploy_plan(
    environment: Environment,
    only: Only = [],  # noqa: B006
    check: Annotated[
        bool, typer.Option("--check", help="Fail when anything would change or could not be seen.")
    ] = False,
) -> int:
    """Print what would change; changes nothing. Whoever may only read is told what stays unseen."""
    from coinlake_ops.deploy import deployment, doctor

    clients = _clients("plan", environment, only)
    # What would stop a deployment stands at the head; a plan of one part asks for that part alone.
    for finding in doctor.findings(clients) if not only else ():
        print(f"! {finding}")
    found = deployment.plan(deployment.parts(clients, only), print)
    print(f"\n{found.changes} changes. Apply them: coinlake deploy apply --environment {environment}")
    if found.unseen:
        print(f"Not seen, for want of a right: {', '.join(found.unseen)}.")
    return FAILED if check and (found.changes or found.unseen) else DONE


@deploy.command("apply")
def deploy_apply(environment: Environment, only: Only = []) -> None:  # noqa: B006
    """Print the plan and carry it out; what is done stays when a change fails."""
    from coinlake_ops.deploy import deployment

    count = deployment.apply(_parts("apply", environment, only), print)
    print(f"\n{count} changes made." if count else "\nEverything is as it should be.")


@deploy.command("smoke")
def deploy_smoke(environment: Environment) -> None:
    """Start the main pipeline in the factory, wait for its end, and fail unless it succeeds."""
    from coinlake_ops.deploy import smoke

    smoke.run(_clients("smoke", environment), print)


@deploy.command("destroy")
def deploy_destroy(
    environment: Environment,
    only: Only = [],  # noqa: B006
    confirm: Annotated[
        str,
        typer.Option("--confirm", metavar="ENVIRONMENT", help="The environment's name again: really remove it."),
    ] = "",
) -> None:
    """Print what would be removed, data included; with --confirm, remove it."""
    from coinlake_ops.deploy import deployment

    parts = _parts("destroy", environment, only)
    if confirm == environment:
        print(f"\n{deployment.destroy(parts, print)} removed. The resource group stays.")
        return
    count = deployment.plan_destruction(parts, print)
    print(
        f"\n{count} things would be removed, all data with them. Nothing was. To remove them: "
        f"coinlake deploy destroy --environment {environment} --confirm {environment}"
    )


@deploy.command("bundle")
def deploy_bundle(
    check: Annotated[bool, typer.Option("--check", help="Only say whether it is up to date.")] = False,
) -> int:
    """Write databricks.yml, the same job as a Databricks Asset Bundle."""
    from coinlake_ops import project
    from coinlake_ops.deploy import bundle

    project.require_checkout("coinlake deploy bundle")
    if not check:
        bundle.write()
        return DONE
    if bundle.is_up_to_date():
        return DONE
    print("databricks.yml is out of date: coinlake deploy bundle", file=sys.stderr)
    return FAILED


@deploy.command("versions")
def deploy_versions() -> int:
    """Compare the packages of the target runtime with our pins; fails where a difference could change numbers."""
    from coinlake_ops import databricks_runtime

    found = list(databricks_runtime.findings())
    for package, here, shipped, judgement in found:
        print(f"{package:16} here {here:10} {databricks_runtime.SPARK_VERSION} {shipped:10} {judgement}")
    print(f"installed besides: {', '.join(databricks_runtime.dependencies())}")
    differs = any(name in databricks_runtime.EXACT and judgement == "differs" for name, *_, judgement in found)
    return FAILED if differs else DONE


@deploy.command("lint")
def deploy_lint() -> int:
    """Say what is wrong with the ARM template before Azure does."""
    from coinlake_ops.azure import lint, template

    read = template.read()
    found = lint.faults(read)
    for fault in found:
        print(fault, file=sys.stderr)
    print(f"{template.PATH.name}: {len(read['resources'])} resources, {len(found)} faults")
    return FAILED if found else DONE


@deploy.command("cost")
def deploy_cost() -> None:
    """Print what each environment costs a month, line by line."""
    from coinlake_ops.azure import cost, freshness

    print(f"{cost.tables()}\n\n{freshness.table()}")


def _parts(command: str, environment: str, only: list[str]):
    """The parts of an environment that a command of deploy or governance works on."""
    from coinlake_ops.deploy import deployment

    return deployment.parts(_clients(command, environment, only), only)


def _clients(command: str, environment: str, only: Sequence[str] = ()):
    """The clients of an environment, after what was typed has been checked."""
    from coinlake_ops import environment as environments
    from coinlake_ops import project
    from coinlake_ops.deploy import Clients, deployment

    project.require_checkout(f"coinlake deploy {command}")
    with _words_of_the_call():
        environments.require_known(environment)
        deployment.require_known(only)
    return Clients(*environments.load(environment))


@governance.command("render")
def governance_render(environment: Environment) -> None:
    """Print everything as SQL; asks nobody."""
    from coinlake_ops.governance import model, statements

    print(statements.script(model.desired(_setting(environment))), end="")


@governance.command("access")
def governance_access(environment: Environment) -> None:
    """Print who may do what to all of a layer and to the objects of the workspace; asks nobody."""
    from coinlake_ops.governance import access, model, workspace

    setting = _setting(environment)
    rows = [
        *access.matrix(model.desired(setting), setting.principals.values()),
        *workspace.matrix(setting.principals, setting.environment),
    ]
    for principal, what, allowed in rows:
        print(f"{principal:44} {what:32} {', '.join(allowed)}")


@governance.command("diff")
def governance_diff(environment: Environment) -> int:
    """Compare with the catalog; fails when anything differs."""
    from coinlake_ops.deploy import deployment
    from coinlake_ops.governance import model

    found = deployment.plan(_parts("plan", environment, ["governance"]), print)
    if found.unseen:
        return FAILED
    count = found.changes
    print(f"\n{count} differences between {model.PATH.name} and the catalog." if count else "\nNo drift.")
    return FAILED if count else DONE


@governance.command("apply")
def governance_apply(environment: Environment) -> None:
    """Bring the catalog to what it should be."""
    from coinlake_ops.deploy import deployment

    deployment.apply(_parts("apply", environment, ["governance"]), print)


@governance.command("lineage")
def governance_lineage(
    lake: Lake = LAKE,
    run: Annotated[str, typer.Option("--run", metavar="RUN_ID", help="The newest run when left out.")] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File to write.")] = None,
) -> None:
    """Draw the lineage of a local run as one page."""
    from coinlake_ops.governance import lineage

    folder = _path_of(lake)
    run_id, events = lineage.events(folder, run)
    target = out or folder / "lineage" / f"{run_id}.html"
    target.write_text(lineage.page(run_id, events), encoding="utf-8")
    print(f"{target}: {len(events)} notebooks of run {run_id}")


def _setting(environment: str):
    from coinlake_ops import environment as environments
    from coinlake_ops.governance import model

    with _words_of_the_call():
        environments.require_known(environment)
    return model.setting_without_cloud(environment)


@app.command(rich_help_panel=CLOUD)
def bi(
    check: Annotated[bool, typer.Option("--check", help="Only say what is out of date.")] = False,
    environment: Annotated[
        str, typer.Option("--environment", help="Whose database the project reads: dev or prod.")
    ] = "dev",
) -> int:
    """Write bi/ from the tables' descriptions: a Power BI project and two Databricks dashboards."""
    from coinlake_ops import bi, project
    from coinlake_ops import environment as environments

    project.require_checkout("coinlake bi")
    with _words_of_the_call():
        environments.require_known(environment)
    if not check:
        print(bi.write(environment))
        return DONE
    changed = bi.differences()
    for path in changed:
        print(f"bi/{path} is out of date: coinlake bi", file=sys.stderr)
    return FAILED if changed else DONE


@app.command(rich_help_panel=PROJECT)
def check() -> int:
    """Check style and notebooks, without running a test."""
    return _check(fix=False)


@app.command(rich_help_panel=PROJECT)
def fix() -> int:
    """Format code and strip the notebooks' outputs, then check."""
    return _check(fix=True)


def _check(fix: bool) -> int:
    from coinlake_ops import project
    from coinlake_ops.dev import checks

    project.require_checkout("coinlake fix" if fix else "coinlake check")
    return DONE if checks.run(fix) else FAILED


def _benchmarks(incomplete: str) -> list[str]:
    from coinlake_ops.dev import bench

    return [name for name in bench.BENCHMARKS if name.startswith(incomplete)]


@app.command(rich_help_panel=PROJECT)
def bench(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help="work, batch, reader, history, warehouse, factory, engine; all when left out.",
            autocompletion=_benchmarks,
        ),
    ] = [],  # noqa: B006
) -> int:
    """Measure speed, as ratios within one run."""
    from coinlake_ops.dev import bench

    unknown = [name for name in names if name not in bench.BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {unknown[0]}. There are: {', '.join(bench.BENCHMARKS)}.", file=sys.stderr)
        return WRONG_CALL
    bench.run(names)
    return DONE


@app.command(rich_help_panel=PROJECT)
def fuzz(
    count: Annotated[int, typer.Option("--count", min=1, help="How many odd answers.")] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Which ones: the same seed gives the same answers.")] = 1,
) -> int:
    """Let silver take in odd answers, and say where one stops it or loses a good record."""
    import tempfile

    from coinlake import runtime
    from coinlake_ops.dev import fuzz as fuzzing

    with tempfile.TemporaryDirectory(prefix="coinlake-fuzz-") as folder:
        problems = fuzzing.run(runtime.spark(), Path(folder), count, seed)
    for problem in problems:
        print(problem)
    print(f"{count} odd answers, seed {seed}: {len(problems)} problems")
    return FAILED if problems else DONE


@app.command(rich_help_panel=PROJECT)
def crash(
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="At how many commit points, drawn from all kinds; 0 is all.")
    ] = 60,
    instants: Annotated[int, typer.Option("--instants", min=0, help="At how many random instants besides.")] = 30,
    days: Annotated[
        int, typer.Option("--days", min=0, help="Over how many days of a hostile API every second run.")
    ] = 7,
    seed: Annotated[int, typer.Option("--seed", help="Which ones: the same seed draws the same.")] = 1,
) -> int:
    """Kill runs at their commit points and at random instants; the next run must make up for it."""
    from coinlake_ops import project
    from coinlake_ops.dev import crash as crashing

    project.require_checkout("coinlake crash")
    cuts = crashing.run(sample, instants, days, seed, lambda line: print(line, flush=True))
    for problem in cuts.problems:
        print(problem)
    print(
        f"{cuts.made} runs killed, {cuts.not_reached} had ended before, seed {seed}: {len(cuts.problems)} problems"
    )
    return FAILED if cuts.problems else DONE


@app.command(rich_help_panel=PROJECT)
def parameters() -> None:
    """Write parameters/schema.json, the schema that parameters/*.yml obey."""
    from coinlake_ops import parameter_files, project

    project.require_checkout("coinlake parameters")
    parameter_files.SCHEMA.write_text(parameter_files.schema_text(), encoding="utf-8")
    print(f"parameters/{parameter_files.SCHEMA.name} is written")


@sql.command("generate")
def sql_generate() -> None:
    """Write the SQL that follows from the migrations: staging, load, and Azure's procedure."""
    from coinlake.warehouse.sql import generate, generate_azure
    from coinlake_ops import project

    project.require_checkout("coinlake sql generate")
    generate.write()
    generate_azure.write()
    print("sql/warehouse/staging, sql/warehouse/merge and sql/azure/procedures are written")


@notebooks.command("keep-outputs")
def notebooks_keep_outputs(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Executed notebooks: lake/simulated/runs/<run id>")
    ],
) -> None:
    """Take the outputs of the checked cells over from executed notebooks, after a change meant to change them."""
    from coinlake_ops import notebooks, project

    project.require_checkout("coinlake notebooks keep-outputs")
    for notebook in notebooks.all_paths():
        print(f"{notebook.name}: {notebooks.keep_outputs(folder / notebook.name, notebook)} cells")
