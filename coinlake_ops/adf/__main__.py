"""Check, run, schedule and look at a factory from the command line: `python -m coinlake_ops.adf --help`."""

import argparse
import json
import os
import sys
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.adf import diagram as diagrams
from coinlake_ops.adf import libraries
from coinlake_ops.adf import monitor as records
from coinlake_ops.adf import parameters as settings
from coinlake_ops.adf.check import check_factory
from coinlake_ops.adf.engine import Engine, RealClock, VirtualClock
from coinlake_ops.adf.engine.control import CONTROL_ACTIVITIES
from coinlake_ops.adf.factory import load_factory
from coinlake_ops.adf.faults import parse_faults, with_faults
from coinlake_ops.adf.plan import plan
from coinlake_ops.adf.scripted import Script
from coinlake_ops.adf.structure import all_activities, is_active
from coinlake_ops.adf.triggers import (
    iso,
    parse_time,
    pipelines_of,
    ready_windows,
    run_window,
    schedule_parameters,
    schedule_times,
    window_parameters,
)
from coinlake_ops.project import ROOT

FACTORY = ROOT / "adf"
THIS_MACHINE = "local"
LAKE = "lake/simulated"
NOTEBOOKS = ROOT / "notebooks"


def check(arguments):
    """Print the findings about a factory; 1 if any of them is more than a note."""
    own = arguments.folder.resolve() == FACTORY
    notebooks = arguments.notebooks or (NOTEBOOKS if own else None)
    factory = load_factory(arguments.folder)
    findings = check_factory(factory, notebooks, house_style=own)
    for finding in findings:
        print(finding)
    problems = sum(finding.known for finding in findings)
    notes = len(findings) - problems
    counted = ((len(factory.all_resources), "resource"), (problems, "problem"), (notes, "note"))
    print(", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counted))
    return 1 if problems else 0


def run(arguments):
    """Run one pipeline and print its tree; 1 if it has failed."""
    factory = load_factory(arguments.folder)
    given = dict(map(_assignment, arguments.parameter))
    if arguments.dry_run:
        print_plan(factory, arguments.pipeline, given, _global_parameters(factory, arguments))
        return 0
    with _engine(factory, arguments, as_of=str(given.get("as_of", ""))) as engine:
        result = engine.run(arguments.pipeline, given)
    return 0 if _show(result, factory, arguments) == "Succeeded" else 1


def simulate(arguments):
    """Fire a trigger on a virtual clock: print what it fires, and run it if there is a script."""
    factory = load_factory(arguments.folder)
    trigger = _trigger(factory, arguments.trigger)
    begin, end = parse_time(arguments.begin), parse_time(arguments.end)
    if end < begin:
        raise CoinlakeError(f"--to {arguments.end} lies before --from {arguments.begin}: exchange them.")
    fired = list(firings(trigger, begin, end))
    if not fired:
        print(f"{arguments.trigger} fires nothing from {iso(begin)} to {iso(end)}")
    failed = False
    for at, pipeline, parameters in fired:
        print(f"{iso(at)}  {pipeline}  {json.dumps(parameters)}")
        if not arguments.script:
            continue
        system = _fired_by(trigger, arguments.trigger, at)

        def run_once(at=at, pipeline=pipeline, parameters=parameters, system=system):
            with _engine(factory, arguments, start=at) as engine:
                result = engine.run(pipeline, parameters, system)
            print_run(result, depth=1)
            return result.status

        is_window = trigger["properties"]["type"] == "TumblingWindowTrigger"
        status = run_window(trigger, run_once)[0] if is_window else run_once()
        failed = failed or status != "Succeeded"
    return 1 if failed else 0


def watch(arguments):
    """Run what a trigger fires, on this machine, until Ctrl-C; 1 if a run has failed."""
    from coinlake_ops.adf.watch import watch as watch_trigger

    factory = load_factory(arguments.folder)
    trigger = _trigger(factory, arguments.trigger)

    given = dict(map(_assignment, arguments.parameter))
    # Said now, not when the trigger fires.
    for pipeline in pipelines_of(trigger):
        list(plan(factory.pipelines, pipeline, given, {}))

    def run_once(pipeline, parameters, at):
        parameters = parameters | given
        print(f"{iso(at)}  {pipeline}  {json.dumps(parameters)}", flush=True)
        with _engine(factory, arguments, as_of=str(parameters.get("as_of", ""))) as engine:
            result = engine.run(pipeline, parameters, _fired_by(trigger, arguments.trigger, at))
        return _show(result, factory, arguments)

    def say(text):
        print(text, flush=True)

    return 1 if watch_trigger(trigger, run_once, say, most=arguments.runs) else 0


def monitor(arguments):
    """List the runs of a lake, or show one of them as a tree and as a page."""
    lake = Path(runtime.resolve_path(arguments.lake))
    if not arguments.run:
        found = records.runs(lake)
        print(
            "\n".join(records.listing(found))
            if found
            else f"{lake} has no runs yet: python -m coinlake_ops.adf run pl_main"
        )
        return 0
    record = records.find(lake, arguments.run)
    print("\n".join(records.tree(record)))
    if arguments.page:
        # Imported here: the reports' code takes a second to load.
        from coinlake_ops.adf import monitor_page

        print(monitor_page.write(record, lake / records.FOLDER))
    return 0


def parameters(arguments):
    """Bring parameters and libraries into the factory, or say where they do not agree; 1 if they do not."""
    if arguments.environment:
        print(json.dumps(settings.global_parameters(arguments.environment), indent=2))
        return 0
    if not arguments.check:
        print(settings.write(arguments.folder))
        libraries.write(arguments.folder)
    factory = load_factory(arguments.folder)
    found = settings.disagreements(factory) + libraries.disagreements(factory)
    for disagreement in found:
        print(disagreement)
    print(f"{', '.join(settings.environments())}: {len(found)} disagreements")
    return 1 if found else 0


def diagram(arguments):
    """Print the factory as a mermaid flowchart, or put it into a Markdown file."""
    draw = diagrams.overview if arguments.overview else diagrams.mermaid
    text = draw(load_factory(arguments.folder))
    if arguments.into:
        old = arguments.into.read_text(encoding="utf-8")
        arguments.into.write_text(diagrams.put_into(old, text), encoding="utf-8")
    else:
        print(text, end="")
    return 0


def firings(trigger, begin, end):
    """What a trigger fires from begin to end: (time, pipeline, parameters), ascending."""
    kind = trigger["properties"]["type"]
    if kind == "ScheduleTrigger":
        for at in schedule_times(trigger, begin, end):
            for pipeline, parameters in schedule_parameters(trigger, at):
                yield at, pipeline, parameters
    elif kind == "TumblingWindowTrigger":
        for window in ready_windows(trigger, end):
            if window.not_before >= begin:
                yield window.not_before, *window_parameters(trigger, window)
    else:
        raise CoinlakeError(f"Triggers of type {kind} cannot be simulated: only schedules and tumbling windows.")


def print_plan(factory, pipeline, given, global_parameters):
    """Print what a run would do."""
    for depth, name, kind, conditions, inputs in plan(factory.pipelines, pipeline, given, global_parameters):
        after = f"  after {', '.join(conditions)}" if conditions else ""
        print(f"{'  ' * depth}{name} ({kind}){after}")
        print(f"{'  ' * depth}    {json.dumps(inputs)}")


def print_run(result, depth=0):
    """Print a pipeline run and what it has run, as a tree."""
    indent = "  " * depth
    print(f"{indent}{result.pipeline}  {result.status}  {_seconds(result)}  {result.run_id}")
    _print_activities(result.activities, depth + 1)


def _print_activities(runs, depth):
    for activity in runs:
        attempts = f"  {len(activity.attempts)} attempts" if len(activity.attempts) > 1 else ""
        message = f"  {activity.error['message']}" if activity.error else ""
        place = f"[{activity.iteration}] " if activity.iteration is not None else ""
        line = f"{place}{activity.name} ({activity.type})  {activity.status}  {_seconds(activity)}"
        print(f"{'  ' * depth}{line}{attempts}{message}")
        _print_activities(activity.children, depth + 1)
        if activity.pipeline_run:
            print_run(activity.pipeline_run, depth + 1)


def _seconds(result):
    return f"{(result.end - result.start).total_seconds():.1f} s"


def _show(result, factory, arguments):
    """Print a run that has ended and keep its record; its status."""
    print_run(result)
    if arguments.record:
        arguments.record.write_text(json.dumps(result.as_dict(), indent=2, default=str), encoding="utf-8")
    if not arguments.script:
        kept = records.keep(result, _lake(_global_parameters(factory, arguments)))
        print(f"record: {kept}")
    return result.status


@contextmanager
def _engine(factory, arguments, *, start=None, as_of=""):
    """An engine for one run: on this machine, or, with a script, played through on the virtual clock."""
    global_parameters = _global_parameters(factory, arguments)
    with ExitStack() as stack:
        if arguments.script:
            clock = VirtualClock(start) if start else VirtualClock()
            executors = _script(arguments.script).executors(_execution_types(factory.pipelines))
        elif arguments.environment != THIS_MACHINE:
            raise CoinlakeError(
                f"Only the environment {THIS_MACHINE} runs on this machine. "
                f"See what {arguments.environment} would "
                "run with --dry-run; to run it, start the pipeline in its factory."
            )
        else:
            from coinlake_ops.adf.executors import LocalWorld, local_executors

            clock = RealClock()
            values = {"lake_path": LAKE} | global_parameters
            world = stack.enter_context(LocalWorld(factory, values, as_of=as_of, api=arguments.api or ""))
            executors = local_executors(world)
        executors = with_faults(executors, parse_faults(arguments.fail), factory.pipelines)
        observe = _silent if arguments.script else _progress
        yield Engine(factory.pipelines, executors, clock, global_parameters, factory.name, observe=observe)


def _script(path):
    try:
        return Script(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CoinlakeError(f"--script {path} cannot be read as JSON: {error}") from None


def _global_parameters(factory, arguments):
    """This factory's are those of an environment; a foreign factory has its own."""
    if factory.root.resolve() == FACTORY:
        return settings.values(arguments.environment, arguments.set)
    return factory.global_parameters | dict(map(_assignment, arguments.set))


def _lake(global_parameters):
    return Path(runtime.resolve_path(str(global_parameters.get("lake_path", LAKE))))


def _trigger(factory, name):
    if name not in factory.resources["trigger"]:
        known = ", ".join(factory.resources["trigger"]) or "none"
        raise CoinlakeError(f"There is no trigger '{name}'; there are: {known}.")
    return factory.resources["trigger"][name].document


def _fired_by(trigger, name, at):
    """The properties of `pipeline()` that tell what fired a run."""
    return {"TriggerType": trigger["properties"]["type"], "TriggerName": name, "TriggerTime": iso(at)}


def _progress(event, activity):
    """Tell what begins, ends or is tried again, of what takes time."""
    if activity.type in CONTROL_ACTIVITIES:
        return
    what = {"start": "…", "end": activity.status}.get(event)
    if event == "retry":
        message = activity.attempts[-1].error["message"].partition("\n")[0]
        what = f"attempt {len(activity.attempts)} failed, trying again: {message}"
    print(f"{datetime.now():%H:%M:%S}  {activity.pipeline} › {activity.name}  {what}", file=sys.stderr)


def _silent(event, activity):
    pass


def _execution_types(pipelines):
    return {
        activity["type"]
        for document in pipelines.values()
        for _, activity in all_activities(document["properties"].get("activities") or [])
        if is_active(activity) and activity["type"] not in CONTROL_ACTIVITIES
    }


def _assignment(text):
    """NAME=VALUE; the value is JSON if it can be read as JSON, else text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise CoinlakeError(f"'{text}' is no parameter: write it as NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _url(text):
    """The address of an API; argparse prints what is wrong with it."""
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"'{text}' is no address: write it like http://127.0.0.1:8420")
    return text


def _parser():
    parser = argparse.ArgumentParser(prog="python -m coinlake_ops.adf", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("check", help="say what is wrong with a factory")
    command.add_argument("folder", type=Path, nargs="?", default=FACTORY)
    command.add_argument("--notebooks", type=Path, help="folder of the notebooks that pipelines run")
    command.set_defaults(function=check)

    command = commands.add_parser("run", help="run a pipeline")
    command.add_argument("pipeline")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--dry-run", action="store_true", help="only say what would run")
    _add_execution(command)
    command.set_defaults(function=run)

    command = commands.add_parser("simulate", help="fire a trigger on a virtual clock")
    command.add_argument("trigger")
    command.add_argument("--from", dest="begin", required=True, metavar="TIME")
    command.add_argument("--to", dest="end", required=True, metavar="TIME")
    _add_execution(command)
    command.set_defaults(function=simulate)

    command = commands.add_parser("watch", help="run what a trigger fires, on this machine, until Ctrl-C")
    command.add_argument("trigger")
    command.add_argument("--runs", type=int, metavar="N", help="end after so many firings")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    _add_execution(command)
    command.set_defaults(function=watch)

    command = commands.add_parser("monitor", help="list the runs of a lake, or show one")
    command.add_argument("run", nargs="?", help="the beginning of a run's id, or: last")
    command.add_argument("--page", action="store_true", help="also write it as a page that opens offline")
    command.add_argument("--lake", default=LAKE, help="(default: %(default)s)")
    command.set_defaults(function=monitor)

    command = commands.add_parser(
        "parameters", help="bring parameters/*.yml and the pins of libraries into the factory"
    )
    command.add_argument("--check", action="store_true", help="write nothing, only compare")
    command.add_argument("--environment", help="print the global parameters of another environment")
    command.add_argument("--folder", type=Path, default=FACTORY, help="folder of the factory")
    command.set_defaults(function=parameters)

    command = commands.add_parser("diagram", help="draw the factory as a mermaid flowchart")
    command.add_argument("--folder", type=Path, default=FACTORY, help="folder of the factory")
    command.add_argument("--overview", action="store_true", help="only triggers and pipelines")
    command.add_argument(
        "--into", type=Path, metavar="FILE", help="put it into a Markdown file, between its marks"
    )
    command.set_defaults(function=diagram)
    return parser


def _add_execution(command):
    command.add_argument("--folder", type=Path, default=FACTORY, help="folder of the factory")
    command.add_argument("--environment", default=THIS_MACHINE, help="whose parameters (default: %(default)s)")
    command.add_argument("--script", type=Path, help="JSON file with the results that activities play")
    command.add_argument("--fail", action="append", default=[], metavar="ACTIVITY[:N]", help="make it fail")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a global parameter")
    command.add_argument(
        "--api", type=_url, metavar="URL", help="a running `make api` (default: one of the run's own)"
    )
    command.add_argument("--record", type=Path, help="file for a copy of the run record, as JSON")


def main(arguments=None):
    """Run a command; 2 if it cannot be carried out."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.function(parsed)
    except CoinlakeError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. The lake is whole; the next run completes what is missing.", file=sys.stderr)
        sys.stdout.flush()
        # Leaves at once: the kernels and the Spark server end with this process.
        os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
