"""Check, run, schedule and look at a factory from the command line.

`adf-lab` is `main()`; a project with a factory of its own binds what it knows better: `main(None, Project(…))`.
"""

import argparse
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from adf_lab import commands_of_tests, local, pages
from adf_lab import diagram as diagrams
from adf_lab import monitor as records
from adf_lab.check import (
    FORMATS,
    SEVERITIES,
    check_factory,
    read_settings,
    rules_page,
    rules_table,
    trigger_mistakes,
)
from adf_lab.engine import CONTROL_ACTIVITIES, Engine, RealClock, VirtualClock
from adf_lab.errors import AdfLabError
from adf_lab.execution import Execution
from adf_lab.factory import Factory, load_factory
from adf_lab.faults import parse_faults, with_faults
from adf_lab.journal import FOLDER as TRIGGERS
from adf_lab.journal import Journal
from adf_lab.plan import plan
from adf_lab.recording import Recorder, settle, status_of
from adf_lab.rerun import activities_of, parameters_of, refuse_unfinished, system_of
from adf_lab.scripted import CALLED_PIPELINE, Script, read_script, refuse_unknown_names
from adf_lab.shape import refuse_misshapen_trigger
from adf_lab.simulation import Account, simulate
from adf_lab.structure import active_types
from adf_lab.triggers import event_parameters, iso, parse_time, pipelines_of
from adf_lab.watch import MISSED_TIMES, Watch
from adf_lab.watched import (
    EVENT_TYPES,
    WATCHED_TYPES,
    fired_line,
    for_pipeline,
    needed_triggers,
    only_watch,
    refuse_unknown,
    shown_parameters,
    unheard,
    watched_names,
)

__all__ = ["INTERRUPTED", "THIS_MACHINE", "Project", "main"]

THIS_MACHINE = "local"
INTERRUPTED = 130


def _nothing(*_):
    pass


@dataclass(frozen=True)
class Project:
    """What a project binds to the command line; without it, everything is that of `adf-lab`.

    Of the project's own factory, and of no other:
    `factory`            its folder, the default of every command
    `notebooks`          the folder of the notebooks that its pipelines run
    `house_style`        whether `check` looks at house rules too, and fails on notes
    `global_parameters`  (environment, overrides) -> name -> value; with it there is the option --environment

    Of every factory:
    `executors`          (factory, global parameters, parameters of the run, options) -> a context manager that
                         gives executors by type of activity; only the environment `local` has them. A `watch`
                         enters one for each of its runs, in a thread
    `records`            (options, global parameters) -> the folder of the records of runs
    `add_options`        (name of a command, its parser): adds options to run, rerun, simulate, watch, monitor
    `add_commands`       (subparsers): adds commands; each sets `function`, which takes the options and returns
                         an exit code
    `errors`             what is refused with a message, as an AdfLabError is
    `interrupted`        what is said after Ctrl-C
    """

    program: str = "adf-lab"
    factory: Path = Path()
    notebooks: Path | None = None
    house_style: bool = False
    global_parameters: Callable[[str, list[str]], dict] | None = None
    executors: Callable[[Factory, dict, dict, argparse.Namespace], AbstractContextManager[dict]] | None = None
    records: Callable[[argparse.Namespace, dict], Path] | None = None
    add_options: Callable[[str, argparse.ArgumentParser], None] = _nothing
    add_commands: Callable[[argparse._SubParsersAction], None] = _nothing
    errors: tuple[type[Exception], ...] = ()
    interrupted: str = "Interrupted."

    def owns(self, folder: Path) -> bool:
        """Whether a folder is that of the project's own factory."""
        return folder.resolve() == self.factory.resolve()


def main(arguments: list[str] | None = None, project: Project | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 wrong call, 130 interrupted.

    What argparse refuses ends with SystemExit(2), as argparse does it.
    """
    project = project or Project()
    for stream in (sys.stdout, sys.stderr):
        # JSON can hold halves of characters, which nothing can print.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments, of_pytest = commands_of_tests.split_arguments(sys.argv[1:] if arguments is None else arguments)
    options = _parser(project).parse_args(arguments, argparse.Namespace(**of_pytest))
    refused: tuple[type[Exception], ...] = (AdfLabError, *project.errors)
    try:
        code = options.function(options)
        sys.stdout.flush()
        return code
    except refused as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output has closed it, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"\n{project.interrupted}", file=sys.stderr)
        return INTERRUPTED


# --- commands --------------------------------------------------------------------------------------------


def _check(project, options):
    """Print the findings about a factory; 1 if any of them is as bad as the settings say."""
    own = project.owns(options.folder)
    factory = load_factory(options.folder)
    settings = read_settings(options.folder, **_defaults(project) if own else {})
    asked = {
        "rules": frozenset(options.rule),
        "ignore": settings.ignore | frozenset(options.ignore),
        "fail_on": options.fail_on,
        "notebooks": options.notebooks,
    }
    settings = replace(settings, **{name: value for name, value in asked.items() if value})
    findings = check_factory(factory, settings.notebooks, settings=settings)
    print(FORMATS[options.format](findings, factory, settings, options.folder))
    return 1 if any(map(settings.fails, findings)) else 0


def _defaults(project):
    """What a project that has a style of its own wants of its own factory."""
    style = {"house_rules": True, "fail_on": "note"} if project.house_style else {}
    return {"notebooks": project.notebooks, **style}


def _rules(project, options):
    """Print what the checker looks at."""
    print(rules_page() if options.markdown else "\n".join(rules_table()), end="" if options.markdown else "\n")
    return 0


def _run(project, options):
    """Run one pipeline and print its tree; 1 if it has failed."""
    factory = load_factory(options.folder)
    given = dict(map(_assignment, options.parameter))
    if options.dry_run:
        _print_plan(factory, options.pipeline, given, _global_parameters(project, factory, options))
        return 0
    if options.at and not options.script:
        raise AdfLabError("Only the clock of a run with --script can be set: leave --at out.")
    start = parse_time(options.at) if options.at else None
    _refuse_unmapped(factory, options, [options.pipeline])
    recorder = _recorder(project, factory, options)
    with (
        _ended_in_order(),
        _engine(project, factory, options, given, start=start, recorder=recorder) as engine,
        closing(recorder),
    ):
        result = engine.run(options.pipeline, given)
    return 0 if _show(result, project, factory, options) == "Succeeded" else 1


def _rerun(project, options):
    """Run again what has run before, with its parameters, from the beginning or from the failed activity."""
    factory = load_factory(options.folder)
    options.records = options.records or _records_folder(
        project, options, _global_parameters(project, factory, options)
    )
    recorder = _recorder(project, factory, options)
    record = records.find(options.records, options.run)
    refuse_unfinished(record)
    given = dict(map(_assignment, options.parameter))
    parameters = parameters_of(record, given)
    earlier = activities_of(record) if options.from_failed else ()
    _refuse_unmapped(factory, options, [record["pipelineName"]])
    with (
        _ended_in_order(),
        _engine(project, factory, options, parameters, recorder=recorder) as engine,
        closing(recorder),
    ):
        result = engine.run(record["pipelineName"], parameters, system_of(record, given), earlier)
    journal = _journal(options.records, record["invokedBy"]["TriggerName"])
    if firing := journal.firing_of(record["runId"]):
        journal.note(datetime.now(UTC), firing, result.status, result.run_id)
    return 0 if _show(result, project, factory, options) == "Succeeded" else 1


def _simulate(project, options):
    """Fire triggers on a virtual clock: print what they fire, and run it if there is a script."""
    factory = load_factory(options.folder)
    for name in options.trigger:
        kind = _trigger(factory, name)["properties"]["type"]
        if kind in EVENT_TYPES and len(options.trigger) == 1:
            return _simulate_event(project, factory, name, options)
        if kind not in WATCHED_TYPES:
            raise AdfLabError(f"{name} is of type {kind}, which is not fired together with others.")
    names = watched_names(factory, options.trigger)
    fire = "fires" if len(names) == 1 else "fire"
    if options.event or not options.begin or not options.end:
        raise AdfLabError(f"{', '.join(names)} {fire} by the clock: say --from TIME and --to TIME.")
    begin, end = parse_time(options.begin), parse_time(options.end)
    if end < begin:
        raise AdfLabError(f"--to {options.end} lies before --from {options.begin}: exchange them.")
    triggers = {name: _trigger(factory, name) for name in names}
    for name in needed_triggers(triggers):
        _trigger(factory, name)
    clock, account = VirtualClock(begin), Account(partial(print, flush=True))
    run = _played_run(project, factory, triggers, options, clock, account)
    find = partial(_trigger, factory)

    def say(line):
        account.say(f"{iso(clock.now().replace(microsecond=0))}  {line}")

    watch = simulate(triggers, run, find, clock, say, end)
    if not watch.fired and not watch.failed:
        print(f"{', '.join(names)} {fire} nothing from {iso(begin)} to {iso(end)}")
    return 1 if watch.failed else 0


def _played_run(project, factory, triggers, options, clock, account):
    """What becomes of a firing: it is told, and run if there is a script."""
    fires = {}

    def told(firing):
        shown = json.dumps(shown_parameters(factory, firing.pipeline, firing.parameters))
        return account.begin(f"{iso(clock.now())}  {firing.pipeline}  {shown}")

    async def tell(firing, note):
        told(firing)([])
        return "Succeeded"

    if not options.script:
        return tell
    refuse_unknown(factory, triggers, {})
    execution = _execution(
        project,
        factory,
        options,
        clock,
        Recorder(None),
        _silent,
        lambda firing, run: fires.update({run.run_id: told(firing)}),
        lambda run: fires.pop(run.run_id)(_lines_of_run(run, depth=1)),
    )

    async def play(firing, note):
        fired_by = _fired_by(triggers[firing.trigger], firing.trigger, clock.now())
        # Without the id of the run, which nobody can run again.
        return await execution.run(firing, fired_by, lambda status, run_id: note(status, None))

    return play


def _simulate_event(project, factory, name, options):
    """Fire an event trigger by one event."""
    trigger = _trigger(factory, name)
    if not options.event:
        raise AdfLabError(f"{name} fires by events: say --event CONTAINER/FOLDER/FILE, or a JSON file.")
    is_blob = trigger["properties"]["type"] == "BlobEventsTrigger"
    fired = event_parameters(trigger, options.event if is_blob else _event(options.event))
    if not fired:
        print(f"{name} does not listen to {options.event}")
    at = parse_time(options.begin) if options.begin else datetime.now(UTC).replace(microsecond=0)
    statuses = [_fire(project, factory, name, options, at, *firing) for firing in fired]
    return 0 if set(statuses) <= {"Succeeded"} else 1


def _fire(project, factory, name, options, at, pipeline, parameters):
    """Print what an event fires at a time, and run it if there is a script; the status of the run."""
    print(f"{iso(at)}  {pipeline}  {json.dumps(shown_parameters(factory, pipeline, parameters))}")
    if not options.script:
        return "Succeeded"
    with _engine(project, factory, options, parameters, start=at) as engine:
        result = engine.run(pipeline, parameters, _fired_by(_trigger(factory, name), name, at))
    _print_run(result, depth=1)
    return result.status


def _event(text):
    """A custom event: JSON, or a file that holds it."""
    path = Path(text)
    try:
        event = json.loads(text if text.lstrip().startswith("{") else path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AdfLabError(f"--event {text} cannot be read as JSON: {error}") from None
    if not isinstance(event, dict):
        raise AdfLabError(f"--event {text} is no object in the schema of Event Grid.")
    return event


def _watch(project, options):
    """Run what triggers fire, on this machine, until Ctrl-C; 1 if a run has failed."""
    factory = load_factory(options.folder)
    # Said now, not when a trigger fires.
    _refuse_what_cannot_run(project, options)
    if not options.trigger:
        for line in unheard(factory):
            print(line, flush=True)
    triggers = {name: _trigger(factory, name) for name in watched_names(factory, options.trigger)}
    given = dict(map(_assignment, options.parameter))
    refuse_unknown(factory, triggers, given)
    for name in needed_triggers(triggers):
        _trigger(factory, name)
    _refuse_unmapped(factory, options, [name for trigger in triggers.values() for name in pipelines_of(trigger)])
    folder = _kept_in(project, factory, options)
    recorder = _recorder(project, factory, options, live=True)
    clock = RealClock()
    execution = _execution(
        project,
        factory,
        options,
        clock,
        recorder,
        _progress,
        lambda firing, run: print(fired_line(firing, run, clock.now()), flush=True),
        lambda run: _show(run, project, factory, options),
    )

    def run(firing, note):
        fired_by = _fired_by(triggers[firing.trigger], firing.trigger, clock.now())
        return execution.run(for_pipeline(factory, firing, given), fired_by, note)

    watch = Watch(
        triggers,
        run,
        cache(partial(_journal, folder)),
        partial(_trigger, factory),
        clock,
        partial(print, flush=True),
        lambda run_id: status_of(folder, run_id) if folder else None,
        options.runs,
        options.missed,
        partial(print, flush=True),
    )
    with _ended_in_order(), only_watch(folder, triggers), closing(recorder):
        failed = clock.run(watch.to_the_end())
    return 1 if failed else 0


def _execution(project, factory, options, clock, recorder, observe, begun, ended):
    """What runs firings on a clock."""
    global_parameters = _global_parameters(project, factory, options)

    def executors(parameters):
        script = _script(options.script, factory)
        return _executors(project, factory, options, script, global_parameters, parameters)

    is_answered = _script(options.script, factory).has
    return Execution(factory, clock, global_parameters, executors, recorder, observe, begun, ended, is_answered)


def _journal(folder, trigger):
    """The journal of a trigger, in memory if nothing is kept."""
    return Journal(None if folder is None else folder / TRIGGERS / f"{trigger}.jsonl")


def _monitor(project, options):
    """List the runs whose records are kept, or show one of them as a tree and as a page."""
    folder = _records_folder(project, options, {})
    _settle(folder)
    default = None if project.records else Path(records.FOLDER)
    return pages.run_command(options, folder, project.program, default, project.factory)


def _diagram(project, options):
    """Print the factory as a mermaid flowchart, or put it into a Markdown file."""
    draw = diagrams.overview if options.overview else diagrams.mermaid
    text = draw(load_factory(options.folder))
    if options.into:
        old = options.into.read_text(encoding="utf-8")
        options.into.write_text(diagrams.put_into(old, text), encoding="utf-8", errors="backslashreplace")
    else:
        print(text, end="")
    return 0


# --- what is printed -------------------------------------------------------------------------------------


def _print_plan(factory, pipeline, given, global_parameters):
    """Print what a run would do."""
    for depth, name, kind, conditions, inputs in plan(factory.pipelines, pipeline, given, global_parameters):
        after = f"  after {', '.join(conditions)}" if conditions else ""
        print(f"{'  ' * depth}{name} ({kind}){after}")
        print(f"{'  ' * depth}    {json.dumps(inputs)}")


def _print_run(result, depth=0):
    """Print a pipeline run and what it has run, as a tree."""
    print("\n".join(_lines_of_run(result, depth)))


def _lines_of_run(result, depth):
    # What its activities do not tell.
    message = "" if result.activities or not result.message else f"  {result.message}"
    line = f"{result.pipeline}  {result.status}  {_seconds(result)}  {result.run_id}{message}"
    return [f"{'  ' * depth}{line}", *_lines_of_activities(result.activities, depth + 1)]


def _lines_of_activities(runs, depth):
    lines = []
    for activity in runs:
        attempts = f"  {len(activity.attempts)} attempts" if len(activity.attempts) > 1 else ""
        message = f"  {records.one_line(activity.error['message'])}" if activity.error else ""
        place = f"[{activity.iteration}] " if activity.iteration is not None else ""
        took = "before" if activity.recovered else f" {_seconds(activity)}"
        line = f"{place}{activity.name} ({activity.type})  {activity.status} {took}"
        lines.append(f"{'  ' * depth}{line}{attempts}{message}")
        lines += _lines_of_activities(activity.children, depth + 1)
        if activity.pipeline_run:
            lines += _lines_of_run(activity.pipeline_run, depth + 1)
    return lines


def _seconds(result):
    return f"{(result.end - result.start).total_seconds():.1f} s"


def _show(result, project, factory, options):
    """Print a run that has ended, and where its record is; its status."""
    _print_run(result)
    if options.record:
        options.record.write_text(json.dumps(result.as_dict(), indent=2, default=str), encoding="utf-8")
    folder = _kept_in(project, factory, options)
    if folder is not None:
        print(f"record: {folder / result.run_id}.json", flush=True)
    return result.status


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


# --- what is run -----------------------------------------------------------------------------------------


@contextmanager
def _engine(project, factory, options, parameters, *, start=None, recorder=None):
    """An engine for one run: on this machine, or, with a script, played through on the virtual clock."""
    _refuse_what_cannot_run(project, options)
    global_parameters = _global_parameters(project, factory, options)
    clock: RealClock | VirtualClock = RealClock()
    if _is_played(options):
        clock = VirtualClock(start) if start else VirtualClock()
    observe = _silent if _is_played(options) else _progress
    script = _script(options.script, factory)
    changed = (recorder or Recorder(None)).changed
    with _executors(project, factory, options, script, global_parameters, parameters) as executors:
        yield Engine(
            factory.pipelines,
            executors,
            clock,
            global_parameters,
            factory.name,
            observe=observe,
            is_answered=script.has,
            changed=changed,
        )


@contextmanager
def _executors(project, factory, options, script, global_parameters, parameters):
    """What does the work of one run: the script, what is mapped to this machine, or what the project has."""
    with ExitStack() as stack:
        if _is_played(options):
            executors = script.executors(_execution_types(factory.pipelines))
        elif mapping := _mapping(options):
            given = script if options.script else None
            executors = stack.enter_context(local.local_executors(factory, mapping, given))
        else:
            executors = stack.enter_context(project.executors(factory, global_parameters, parameters, options))
        executors = with_faults(executors, parse_faults(options.fail), factory.pipelines)
        yield executors | script.executors([CALLED_PIPELINE])


def _is_played(options):
    """Whether a script answers for all activities, so that time need not pass."""
    return options.script and not options.mixed


def _recorder(project, factory, options, *, live=None):
    """What keeps the records of runs; what earlier processes have left unfinished is marked first."""
    folder = _kept_in(project, factory, options)
    if folder is not None:
        _settle(folder)
    return Recorder(folder, live=not options.script if live is None else live)


def _settle(folder):
    for record in settle(folder):
        print(
            f"{record['pipelineName']} {record['runId']} was interrupted: its process has ended.", file=sys.stderr
        )


@contextmanager
def _ended_in_order():
    """While inside, SIGTERM ends what runs as Ctrl-C does, so that its record tells it."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    ):
        yield
        return
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _refuse_what_cannot_run(project, options):
    """AdfLabError if nothing here can do the work of activities."""
    if _is_played(options) or _mapping(options):
        return
    if options.environment != THIS_MACHINE:
        raise AdfLabError(
            f"Only the environment {THIS_MACHINE} runs on this machine. "
            f"See what {options.environment} would "
            "run with --dry-run; to run it, start the pipeline in its factory."
        )
    if project.executors is None:
        raise AdfLabError(
            f"{project.program} has no executors, which do the work of activities. Give their results with "
            f"--script FILE, say in {local.file_of(options.folder)} what stands here for the linked services, "
            "or see what would run with `run --dry-run`."
        )


def _script(path, factory):
    """What a script answers; nothing without one."""
    content = read_script(path, "--script") if path else {}
    refuse_unknown_names(content, factory.pipelines)
    return Script(content)


def _refuse_unmapped(factory, options, pipelines):
    """AdfLabError if an activity can neither run on this machine nor be played."""
    mapping = _mapping(options)
    if mapping:
        script = _script(options.script, factory)
        for pipeline in pipelines:
            local.refuse_what_cannot_run(factory, pipeline, mapping, script)


def _mapping(options):
    """The mapping of linked services to this machine; None if there is none, or everything is scripted."""
    if _is_played(options):
        return None
    path = options.local or local.file_of(options.folder)
    if options.mixed and not options.script:
        raise AdfLabError("--mixed plays what a script names and runs the rest: say --script FILE.")
    return local.read_mapping(path) if options.local or options.mixed or path.is_file() else None


def _global_parameters(project, factory, options):
    """The project's own factory has those of an environment; another has its own."""
    if project.global_parameters and project.owns(factory.root):
        return project.global_parameters(options.environment, options.set)
    return factory.global_parameters | dict(map(_assignment, options.set))


def _kept_in(project, factory, options):
    """The folder for the record of a run; None if it is not kept, as that of a scripted run without --records."""
    asked = getattr(options, "records", None)
    if _is_played(options):
        return asked
    return asked or _records_folder(project, options, _global_parameters(project, factory, options))


def _records_folder(project, options, global_parameters):
    if project.records:
        return project.records(options, global_parameters)
    return getattr(options, "records", None) or Path(records.FOLDER)


def _trigger(factory, name):
    if name not in factory.resources["trigger"]:
        known = ", ".join(factory.resources["trigger"]) or "none"
        raise AdfLabError(f"There is no trigger '{name}'; there are: {known}.")
    document = factory.resources["trigger"][name].document
    refuse_misshapen_trigger(name, document)
    for finding in trigger_mistakes(factory, name):
        raise AdfLabError(str(finding))
    return document


def _fired_by(trigger, name, at):
    """The properties of `pipeline()` that tell what fired a run."""
    return {"TriggerType": trigger["properties"]["type"], "TriggerName": name, "TriggerTime": iso(at)}


def _execution_types(pipelines):
    return {kind for _, kind in active_types(pipelines) if kind not in CONTROL_ACTIVITIES}


# --- the command line ------------------------------------------------------------------------------------


def _assignment(text):
    """NAME=VALUE; the value is JSON if it can be read as JSON, else text."""
    name, equals, value = text.partition("=")
    if not equals:
        raise AdfLabError(f"'{text}' is no parameter: write it as NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _parser(project):
    parser = argparse.ArgumentParser(prog=project.program, description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")

    command = commands.add_parser("check", help="say what is wrong with a factory")
    command.add_argument("folder", type=Path, nargs="?", default=project.factory)
    command.add_argument("--notebooks", type=Path, help="folder of the notebooks that pipelines run")
    help_ = "look at this rule only (again for more; `rules` lists them)"
    command.add_argument("--rule", action="append", default=[], metavar="NAME", help=help_)
    command.add_argument("--ignore", action="append", default=[], metavar="NAME", help="leave this rule out")
    help_ = "what makes the command fail, with all that is worse (default: error)"
    command.add_argument("--fail-on", choices=SEVERITIES, help=help_)
    command.add_argument("--format", choices=FORMATS, default="text", help="(default: %(default)s)")
    command.set_defaults(function=partial(_check, project))

    command = commands.add_parser("rules", help="list what the checker looks at")
    command.add_argument("--markdown", action="store_true", help="as a page, with reasons and sources")
    command.set_defaults(function=partial(_rules, project))

    command = commands.add_parser("run", help="run a pipeline")
    command.add_argument("pipeline")
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    command.add_argument("--dry-run", action="store_true", help="only say what would run")
    command.add_argument("--at", metavar="TIME", help="where the clock of a run with --script stands at its begin")
    _add_records(command)
    _add_execution(command, project, "run")
    command.set_defaults(function=partial(_run, project))

    command = commands.add_parser("rerun", help="run again what has run before, with its parameters")
    command.add_argument("run", help="the beginning of a run's id, or: last")
    help_ = "go on from the failed activity: what has succeeded keeps its output"
    command.add_argument("--from-failed", action="store_true", help=help_)
    help_ = "another value than that of the record (again for more)"
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help=help_)
    _add_records(command)
    _add_execution(command, project, "rerun")
    command.set_defaults(function=partial(_rerun, project))

    command = commands.add_parser("simulate", help="fire triggers on a virtual clock")
    help_ = "the triggers (default: all that are started in the factory)"
    command.add_argument("trigger", nargs="*", help=help_)
    command.add_argument("--from", dest="begin", metavar="TIME", help="like 2026-08-12 or 2026-08-12T14:00:00Z")
    command.add_argument("--to", dest="end", metavar="TIME", help="what may run then does not any more")
    help_ = "of an event trigger: the path CONTAINER/FOLDER/FILE of a blob, or an event as JSON or a JSON file"
    command.add_argument("--event", metavar="EVENT", help=help_)
    _add_execution(command, project, "simulate")
    command.set_defaults(function=partial(_simulate, project))

    command = commands.add_parser("watch", help="run what triggers fire, on this machine, until Ctrl-C")
    help_ = "the triggers (default: all that are started in the factory)"
    command.add_argument("trigger", nargs="*", help=help_)
    command.add_argument("--runs", type=int, metavar="N", help="end after so many firings")
    help_ = "which times of schedules that passed while nothing watched are run (default: %(default)s)"
    command.add_argument("--missed", choices=MISSED_TIMES, default="all", help=help_)
    _add_records(command)
    command.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    _add_execution(command, project, "watch")
    command.set_defaults(function=partial(_watch, project))

    command = commands.add_parser("monitor", help="list the runs whose records are kept, or show one")
    pages.add_options(command)
    _add_folder(command, project)
    if not project.records:
        help_ = "folder of the records (default: %(default)s)"
        command.add_argument("--records", type=Path, default=Path(records.FOLDER), metavar="FOLDER", help=help_)
    project.add_options("monitor", command)
    command.set_defaults(function=partial(_monitor, project))

    commands_of_tests.add_commands(commands, project)
    project.add_commands(commands)

    command = commands.add_parser("diagram", help="draw the factory as a mermaid flowchart")
    _add_folder(command, project)
    command.add_argument("--overview", action="store_true", help="only triggers and pipelines")
    command.add_argument(
        "--into", type=Path, metavar="FILE", help="put it into a Markdown file, between its marks"
    )
    command.set_defaults(function=partial(_diagram, project))
    return parser


def _add_execution(command, project, name):
    _add_folder(command, project)
    if project.global_parameters:
        help_ = "whose parameters (default: %(default)s)"
        command.add_argument("--environment", default=THIS_MACHINE, help=help_)
    else:
        command.set_defaults(environment=THIS_MACHINE)
    command.add_argument("--script", type=Path, help="JSON file with the results that activities play")
    help_ = "play what the script names, and run the rest on this machine"
    command.add_argument("--mixed", action="store_true", help=help_)
    help_ = f"what stands here for linked services (default: {local.FILE} in the folder of the factory)"
    command.add_argument("--local", type=Path, metavar="FILE", help=help_)
    command.add_argument("--fail", action="append", default=[], metavar="ACTIVITY[:N]", help="make it fail")
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a global parameter")
    project.add_options(name, command)
    command.add_argument("--record", type=Path, help="file for a copy of the run record, as JSON")


def _add_records(command):
    help_ = "folder of the records of runs, and of what triggers have fired (with --script: only if it is given)"
    command.add_argument("--records", type=Path, metavar="FOLDER", help=help_)


def _add_folder(command, project):
    help_ = "folder of the factory (default: %(default)s)"
    command.add_argument("--folder", type=Path, default=project.factory, help=help_)
