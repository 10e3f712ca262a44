"""The command `monitor`: lists the runs whose records are kept, shows one, writes the pages."""

import shlex
import sys
import time
from pathlib import Path

from adf_lab import monitor
from adf_lab.check import trigger_mistakes
from adf_lab.errors import AdfLabError
from adf_lab.factory import load_factory
from adf_lab.pages.words import page_of
from adf_lab.pages.writing import write_pages
from adf_lab.shape import refuse_misshapen_trigger

MOST_LINES = 30
PAUSE = 5.0  # seconds between the pages that --follow writes


def add_options(command):
    """Add the options of `monitor` to its parser."""
    command.add_argument("run", nargs="?", help="the beginning of a run's id, or: last")
    command.add_argument(
        "--page", action="store_true", help="write pages that open offline: all runs, and each run"
    )
    command.add_argument("--follow", action="store_true", help="write the pages again and again, until Ctrl-C")
    command.add_argument("--status", help="list only runs with this status, such as Failed")
    command.add_argument("--pipeline", help="list only runs of this pipeline")
    command.add_argument("--trigger", help="list only runs that this trigger has fired")
    help_ = "list so many runs at most (default: %(default)s)"
    command.add_argument("--last", type=int, default=MOST_LINES, metavar="N", help=help_)


def run_command(options, folder, program, default=None, factory=None):
    """Do what the options of `monitor` ask for with the records in a folder; the exit code.

    `default` and `factory` are the folders that `rerun` looks into by itself, for the records and for the factory.
    """
    where = "" if folder == default else f" --records {shlex.quote(str(folder))}"
    if options.folder != factory:
        where += f" --folder {shlex.quote(str(options.folder))}"
    for path in monitor.unreadable(folder):
        print(f"{path} is no record of a run: remove it.", file=sys.stderr)
    if options.run:
        record = monitor.find(folder, options.run)
        print("\n".join(monitor.tree(record)))
    else:
        record = None
        _print_list(options, folder, program)
    if options.page or options.follow:
        index = write_pages(folder, triggers_of(options.folder), program, where, anew=True)
        print(folder / page_of(record["runId"]) if record else index, flush=True)
    while options.follow:
        time.sleep(PAUSE)
        write_pages(folder, triggers_of(options.folder), program, where)
    return 0


def triggers_of(folder):
    """The triggers of a factory that can fire, by name; none if the folder is no factory."""
    try:
        factory = load_factory(Path(folder))
    except AdfLabError:
        return {}
    found = {}
    for name, resource in factory.resources["trigger"].items():
        try:
            refuse_misshapen_trigger(name, resource.document)
        except AdfLabError:
            continue
        if not list(trigger_mistakes(factory, name)):
            found[name] = resource.document
    return found


def _print_list(options, folder, program):
    found = monitor.runs(folder)
    if not found:
        print(f"{folder} has no runs yet: {program} run PIPELINE")
        return
    asked = [
        record
        for record in found
        if (options.status or record["status"]).lower() == record["status"].lower()
        and options.pipeline in (None, record["pipelineName"])
        and options.trigger in (None, record["invokedBy"].get("TriggerName"))
    ]
    print("\n".join(monitor.listing(asked[: options.last])))
    if len(asked) > options.last:
        print(f"{options.last} of {len(asked):,} runs: see more with --last N")
