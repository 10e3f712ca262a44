"""Check, run and simulate a factory from the command line: `python -m ops.adf --help`."""

import argparse
import json
import sys
from pathlib import Path

from coinlake.errors import CoinlakeError
from ops.adf.check import check_factory
from ops.adf.engine import Engine, RealClock, VirtualClock
from ops.adf.engine.control import CONTROL_ACTIVITIES
from ops.adf.factory import load_factory
from ops.adf.faults import parse_faults, with_faults
from ops.adf.plan import plan
from ops.adf.scripted import Script
from ops.adf.structure import all_activities, is_active
from ops.adf.triggers import (
    iso,
    parse_time,
    ready_windows,
    run_window,
    schedule_parameters,
    schedule_times,
    window_parameters,
)
from ops.settings import ROOT

FACTORY = ROOT / "adf"
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
    print(f"{len(factory.all_resources)} resources, {problems} problems, {notes} notes")
    return 1 if problems else 0


def run(arguments):
    """Run one pipeline and print its tree; 1 if it has failed."""
    factory = load_factory(arguments.folder)
    parameters = dict(map(_assignment, arguments.parameter))
    if arguments.dry_run:
        print_plan(factory, arguments.pipeline, parameters)
        return 0
    clock = VirtualClock() if arguments.script else RealClock()
    result = _engine(factory, arguments, clock).run(arguments.pipeline, parameters)
    print_run(result)
    if arguments.record:
        arguments.record.write_text(json.dumps(result.as_dict(), indent=2, default=str), encoding="utf-8")
    return 0 if result.status == "Succeeded" else 1


def simulate(arguments):
    """Fire a trigger on a virtual clock: print what it fires, and run it if there is a script."""
    factory = load_factory(arguments.folder)
    if arguments.trigger not in factory.resources["trigger"]:
        known = ", ".join(factory.resources["trigger"]) or "none"
        raise CoinlakeError(f"There is no trigger '{arguments.trigger}'; there are: {known}.")
    trigger = factory.resources["trigger"][arguments.trigger].document
    begin, end = parse_time(arguments.begin), parse_time(arguments.end)
    failed = False
    for at, pipeline, parameters in firings(trigger, begin, end):
        print(f"{iso(at)}  {pipeline}  {json.dumps(parameters)}")
        if not arguments.script:
            continue
        engine = _engine(factory, arguments, VirtualClock(at))
        system = {"TriggerType": trigger["properties"]["type"], "TriggerName": arguments.trigger}
        system["TriggerTime"] = iso(at)

        def run_once(engine=engine, pipeline=pipeline, parameters=parameters, system=system):
            result = engine.run(pipeline, parameters, system)
            print_run(result, depth=1)
            return result.status

        is_window = trigger["properties"]["type"] == "TumblingWindowTrigger"
        status = run_window(trigger, run_once)[0] if is_window else run_once()
        failed = failed or status != "Succeeded"
    return 1 if failed else 0


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


def print_plan(factory, pipeline, parameters):
    """Print what a run would do."""
    for depth, name, kind, conditions, inputs in plan(
        factory.pipelines, pipeline, parameters, factory.global_parameters
    ):
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


def _engine(factory, arguments, clock):
    """An engine whose work is played from a script, if there is one."""
    executors = {}
    if arguments.script:
        script = Script(json.loads(arguments.script.read_text(encoding="utf-8")))
        executors = script.executors(_execution_types(factory.pipelines))
    executors = with_faults(executors, parse_faults(arguments.fail), factory.pipelines)
    return Engine(factory.pipelines, executors, clock, factory.global_parameters, factory.name)


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


def _parser():
    parser = argparse.ArgumentParser(prog="python -m ops.adf", description=__doc__)
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("check", help="say what is wrong with a factory")
    command.add_argument("folder", type=Path, nargs="?", default=FACTORY)
    command.add_argument("--notebooks", type=Path, help="folder of the notebooks that pipelines run")
    command.set_defaults(function=check)

    command = commands.add_parser("run", help="run a pipeline")
    command.add_argument("pipeline")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--dry-run", action="store_true", help="only say what would run")
    command.add_argument("--record", type=Path, help="file for the run record, as JSON")
    _add_execution(command)
    command.set_defaults(function=run)

    command = commands.add_parser("simulate", help="fire a trigger on a virtual clock")
    command.add_argument("trigger")
    command.add_argument("--from", dest="begin", required=True, metavar="TIME")
    command.add_argument("--to", dest="end", required=True, metavar="TIME")
    _add_execution(command)
    command.set_defaults(function=simulate)
    return parser


def _add_execution(command):
    command.add_argument("--folder", type=Path, default=FACTORY, help="folder of the factory")
    command.add_argument("--script", type=Path, help="JSON file with the results that activities play")
    command.add_argument("--fail", action="append", default=[], metavar="ACTIVITY[:N]", help="make it fail")


def main(arguments=None):
    """Run a command; 2 if it cannot be carried out."""
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.function(parsed)
    except CoinlakeError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
