"""A factory under test: its pipelines run with given answers on a clock that stands where it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from os import PathLike
from pathlib import Path

from adf_lab.engine import CONTROL_ACTIVITIES, Engine, VirtualClock
from adf_lab.errors import AdfLabError
from adf_lab.expressions import MISSING, Context, evaluate_tree
from adf_lab.factory import load_factory
from adf_lab.scripted import CALLED_PIPELINE, Script, read_json, read_script, refuse_unknown_names, with_files
from adf_lab.shape import refuse_misshapen_trigger
from adf_lab.spelling import suggestion
from adf_lab.structure import active_types, all_activities, own_type_properties
from adf_lab.testing.coverage import Coverage
from adf_lab.testing.recorded import script_of
from adf_lab.testing.run import Run
from adf_lab.triggers import (
    event_parameters,
    iso,
    parse_time,
    ready_windows,
    schedule_parameters,
    schedule_times,
    window_parameters,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
Answers = Mapping[str, object] | str | PathLike[str]


class UnusedAnswers(AssertionError):
    """A run has not asked for an answer that was given to it."""


@dataclass(frozen=True)
class Firing:
    """What a trigger starts: at a time, a pipeline with parameters; `FactoryUnderTest.run` runs it."""

    at: datetime
    pipeline: str
    parameters: dict
    trigger_name: str
    trigger_type: str


class FactoryUnderTest:
    """A factory whose runs are played.

    `script`             answers for every run, as a mapping or the path of a JSON file; not all need be used
    `global_parameters`  name -> value, at first those of the factory
    `now`                where the clock of a run stands at its begin
    `folder`             what paths of files with answers begin at
    `runs`               all runs so far
    """

    def __init__(
        self,
        root: "str | PathLike[str]",
        folder: "str | PathLike[str] | None" = None,
        coverage: Coverage | None = None,
    ):
        self.factory = load_factory(root)
        self.folder = Path(folder or root)
        self.coverage = coverage or Coverage()
        self.coverage.add_factory(self.factory)
        self.script: Answers = {}
        self.global_parameters = dict(self.factory.global_parameters)
        self.now = START
        self.runs: list[Run] = []

    def run(
        self,
        pipeline: str | Firing,
        parameters: Mapping[str, object] | None = None,
        *,
        answers: Answers | None = None,
        at: str | datetime | None = None,
        global_parameters: Mapping[str, object] | None = None,
    ) -> Run:
        """Run a pipeline, or what a trigger fires, to its end.

        `answers` maps activities to what they answer (adf_lab/scripted.py), or is the path of a JSON file with a
        script. Each of them has to be used: UnusedAnswers names those that were not. Activities without an answer
        succeed with an empty output. `at` is the time at which the clock stands at the begin.
        """
        system = {}
        if isinstance(pipeline, Firing):
            firing, at = pipeline, at or pipeline.at
            pipeline, parameters = firing.pipeline, firing.parameters | dict(parameters or {})
            system = {"TriggerType": firing.trigger_type, "TriggerName": firing.trigger_name}
            system["TriggerTime"] = iso(firing.at)
        script = Script(self._script(answers or {}), otherwise=Script(self._script(self.script)))
        begun: list = []
        calls: list = []
        numbers = count(1)

        async def execute(call):
            calls.append(call)
            return await script.execute(call)

        def observe(event, run):
            if event == "start":
                begun.append(run)

        types = {kind for _, kind in active_types(self.factory.pipelines)} - set(CONTROL_ACTIVITIES)
        engine = Engine(
            self.factory.pipelines,
            dict.fromkeys(types | {CALLED_PIPELINE}, execute),
            VirtualClock(self._moment(at)),
            self.global_parameters | dict(global_parameters or {}),
            self.factory.name,
            new_id=lambda: f"00000000-0000-0000-0000-{next(numbers):012}",
            observe=observe,
            is_answered=script.has,
        )
        record = engine.run(pipeline, dict(parameters or {}), system)
        run = Run(record, begun, calls)
        self.runs.append(run)
        self.coverage.add_run(self.factory, run)
        for error in script.raised:
            raise error
        unused = list(script.unused())
        if unused:
            raise UnusedAnswers(f"Answers were not used: {'; '.join(unused)}.\n{run.tree()}")
        return run

    def recorded(self, *paths: "str | PathLike[str]") -> dict:
        """The answers of a run that the service has recorded, from JSON files (recorded.py)."""
        return script_of(*[read_json(self.folder / path, "The recorded run") for path in paths])[0]

    def trigger(self, name: str) -> "Trigger":
        """A trigger of the factory; AdfLabError if there is none or it cannot fire."""
        return Trigger(self.factory, name)

    def evaluate(
        self,
        pipeline: str,
        activity: str,
        *,
        parameters: Mapping[str, object] | None = None,
        variables: Mapping[str, object] | None = None,
        outputs: Mapping[str, object] | None = None,
        item: object = MISSING,
        global_parameters: Mapping[str, object] | None = None,
        at: str | datetime | None = None,
    ) -> dict:
        """The type properties of one activity with every expression evaluated, without running anything.

        Of what stands inside a container nothing is evaluated. `inputs`, `outputs` and `linkedServiceName` stand
        beside the type properties where the activity has them. `outputs` maps activities to their outputs;
        parameters that are not given have their default, or null. Raises ExpressionError if an expression cannot
        be evaluated.
        """
        definition = self._activity(pipeline, activity)
        declared = self.factory.pipelines[pipeline]["properties"].get("parameters") or {}
        given = {name: None for name, one in declared.items() if "defaultValue" not in one} | dict(
            parameters or {}
        )
        clock = VirtualClock(self._moment(at))
        begun = Engine(self.factory.pipelines, {}, clock, factory_name=self.factory.name).start_pipeline(
            pipeline, given, {}
        )
        context = Context(
            parameters=begun.parameters,
            global_parameters=self.global_parameters | dict(global_parameters or {}),
            variables=begun.variables | dict(variables or {}),
            activities={
                name: {"status": "Succeeded", "output": output} for name, output in (outputs or {}).items()
            },
            system=begun.system,
            item=item,
            now=clock.now,
        )
        beside = {
            name: definition[name] for name in ("inputs", "outputs", "linkedServiceName") if name in definition
        }
        return evaluate_tree(beside | own_type_properties(definition), context)

    def _activity(self, pipeline, name):
        if pipeline not in self.factory.pipelines:
            raise _unknown("pipeline", pipeline, self.factory.pipelines)
        activities = {
            found["name"]: found
            for _, found in all_activities(self.factory.pipelines[pipeline]["properties"].get("activities"))
        }
        if name not in activities:
            raise _unknown(f"activity of {pipeline}", name, activities)
        return activities[name]

    def _script(self, answers):
        if isinstance(answers, str | PathLike):
            script = read_script(self.folder / answers)
        else:
            script = with_files(dict(answers), self.folder)
        refuse_unknown_names(script, self.factory.pipelines)
        return script

    def _moment(self, at):
        moment = self.now if at is None else at
        return parse_time(moment) if isinstance(moment, str) else moment


class Trigger:
    """A trigger of a factory under test; whether it is started or stopped makes no difference."""

    def __init__(self, factory, name: str):
        # Imported here: the checker knows the whole SDK, and few tests ask for a trigger.
        from adf_lab.check import trigger_mistakes

        if name not in factory.resources["trigger"]:
            raise _unknown("trigger", name, factory.resources["trigger"])
        self.name = name
        self.document = factory.resources["trigger"][name].document
        refuse_misshapen_trigger(name, self.document)
        for mistake in trigger_mistakes(factory, name):
            raise AdfLabError(str(mistake))
        self.type = self.document["properties"]["type"]

    def fires(self, begin: str | datetime, end: str | datetime | None = None) -> list[Firing]:
        """What a schedule or a tumbling window fires at times t, begin <= t < end; without an end, in 24 hours."""
        first = parse_time(begin) if isinstance(begin, str) else begin
        last = first + timedelta(days=1) if end is None else parse_time(end) if isinstance(end, str) else end
        if self.type == "ScheduleTrigger":
            times = schedule_times(self.document, first, last)
            found = [(at, *fired) for at in times for fired in schedule_parameters(self.document, at)]
        elif self.type == "TumblingWindowTrigger":
            windows = [one for one in ready_windows(self.document, last) if first <= one.not_before < last]
            found = [(window.not_before, *window_parameters(self.document, window)) for window in windows]
        else:
            raise AdfLabError(f"'{self.name}' is a {self.type}: it fires on events, see fires_on().")
        return [self._firing(*one) for one in found]

    def fires_on(self, event: "str | Mapping[str, object]", at: str | datetime = START) -> list[Firing]:
        """What an event trigger fires on the path of a blob, `container/folder/file`, or on a custom event."""
        if self.type not in ("BlobEventsTrigger", "CustomEventsTrigger"):
            raise AdfLabError(f"'{self.name}' is a {self.type}: it fires by the clock, see fires().")
        moment = parse_time(at) if isinstance(at, str) else at
        return [self._firing(moment, *fired) for fired in event_parameters(self.document, event)]

    def _firing(self, at, pipeline, parameters):
        return Firing(at, pipeline, parameters, self.name, self.type)


def _unknown(what, name, known):
    hint = suggestion(name, known, f"; there are: {', '.join(known) or 'none'}.")
    return AdfLabError(f"There is no {what} '{name}'{hint}")
