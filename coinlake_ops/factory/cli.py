"""Check, run, schedule and look at the factory in adf/: the command line of `adf_lab`, bound to this project.

coinlake's own                      what it is bound to
----------------------------------  ------------------------------------------------------------
the factory, and the notebooks      adf/, notebooks/
global parameters                   parameters/<environment>.yml and addresses.yml
what does the work of activities    executors/
where records of runs are           <lake_path>/adf_runs, and their pages
the command `parameters`            brings parameters into the factory
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from adf_lab import Factory, load_factory
from adf_lab import monitor as records
from adf_lab.cli import Project
from adf_lab.cli import main as run_command
from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.factory import parameters
from coinlake_ops.kernels import Kernels, ended_by_ctrl_c
from coinlake_ops.project import ROOT

FACTORY = ROOT / "adf"
NOTEBOOKS = ROOT / "notebooks"
LAKE = "lake/simulated"
PROGRAM = "coinlake factory"


def main(arguments: list[str] | None = None, program: str = PROGRAM) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong call, 130 interrupted.

    After 130 leave with `os._exit`, as the command `coinlake` does: a thread may still wait for a kernel.
    """
    # One for the process: a watch has several runs, none of them in the main thread, which is told of Ctrl-C.
    kernels = Kernels()
    project = Project(
        program=program,
        factory=FACTORY,
        notebooks=NOTEBOOKS,
        house_style=True,
        global_parameters=parameters.values,
        executors=partial(_executors, kernels),
        records=_records,
        add_options=_add_options,
        add_commands=_add_commands,
        errors=(CoinlakeError,),
        interrupted="Interrupted. The lake is whole; the next run completes what is missing.",
    )
    with ended_by_ctrl_c(kernels):
        return run_command(arguments, project)


@contextmanager
def _executors(
    kernels: Kernels, factory: Factory, global_parameters: dict, given: dict, options: argparse.Namespace
) -> Iterator[dict]:
    """What does the work of a run's activities here."""
    # Imported here: checking and looking need none of it.
    from coinlake_ops.factory.executors import LocalWorld, local_executors

    values = {"lake_path": LAKE} | global_parameters
    as_of = str(given.get("as_of", ""))
    with LocalWorld(factory, values, as_of=as_of, api=options.api or "", kernels=kernels) as world:
        yield local_executors(world)


def _records(options: argparse.Namespace, global_parameters: dict) -> Path:
    """The folder of records: in the lake that `monitor` is told, else in that of the run."""
    lake = options.lake if options.command == "monitor" else global_parameters.get("lake_path", LAKE)
    return Path(runtime.resolve_path(str(lake))) / records.FOLDER


def _parameters(options: argparse.Namespace) -> int:
    """Bring parameters into the factory, or say where they do not agree; 1 if they do not."""
    if options.environment:
        print(json.dumps(parameters.global_parameters(options.environment), indent=2))
        return 0
    if not options.check:
        print(parameters.write(options.folder))
    found = parameters.disagreements(load_factory(options.folder))
    for disagreement in found:
        print(disagreement)
    print(f"{', '.join(parameters.environments())}: {len(found)} disagreements")
    return 1 if found else 0


def _add_options(command: str, parser: argparse.ArgumentParser) -> None:
    if command == "monitor":
        parser.add_argument("--lake", default=LAKE, help="(default: %(default)s)")
        return
    help_ = "a running `coinlake api` (default: one of the run's own)"
    parser.add_argument("--api", type=_url, metavar="URL", help=help_)


def _add_commands(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser("parameters", help="bring parameters/*.yml into the factory")
    command.add_argument("--check", action="store_true", help="write nothing, only compare")
    command.add_argument("--environment", help="print the global parameters of another environment")
    command.add_argument("--folder", type=Path, default=FACTORY, help="folder of the factory")
    command.set_defaults(function=_parameters)


def _url(text: str) -> str:
    """The address of an API; argparse prints what is wrong with it."""
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"'{text}' is no address: write it like http://127.0.0.1:8420")
    return text
