"""Running pipelines: activities in the order of their dependencies, attempts, time-outs, records.

Sources: azure-docs, concepts-pipelines-activities ("Activity policy"); deactivate-activity;
control-flow-system-variables; tutorial-pipeline-failure-error-handling.
"""

import asyncio
import inspect
import uuid
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from adf_lab.engine.calls import ActivityCall, ActivityFailure
from adf_lab.engine.clock import RealClock
from adf_lab.engine.control import CONTROL_ACTIVITIES
from adf_lab.engine.dependencies import check_graph, combined_status, deciding_activities, may_run, parents
from adf_lab.engine.records import ActivityRun, Attempt, PipelineRun
from adf_lab.engine.recovery import by_iteration, kept_output, known_before
from adf_lab.engine.secrets import MASK, secrets_of, takes_secrets
from adf_lab.errors import AdfLabError
from adf_lab.expressions import MISSING, Context, ExpressionError, evaluate_tree
from adf_lab.shape import refuse_misshapen
from adf_lab.structure import all_activities, inner_activities, is_active
from adf_lab.timespans import parse_timespan, to_text_span

DEFAULT_TIMEOUT = "0.12:00:00"
DEFAULT_RETRY_INTERVAL = 30
# What a variable holds that nobody has set, as measured in the service: microsoft/data-factory-testing-framework,
# pull request 123.
EMPTY_VARIABLES = {"string": "", "boolean": False, "bool": False, "integer": 0, "array": []}


@dataclass(frozen=True)
class Scope:
    """Where an activity stands: its pipeline run, what it can refer to, and the records it adds to.

    `activities` holds the results that `activity('x')` finds; a container gives its inner activities a
    layer of their own, so that iterations do not see one another. When it has ended, what the last of them has
    left can be read from outside. `earlier` are the records that an earlier run has made here, by iteration.
    """

    run: PipelineRun
    activities: dict
    records: list
    item: object = MISSING
    item_is_secret: bool = False
    iteration: int | None = None
    earlier: dict = field(default_factory=dict)

    def inside(self, run, **changes):
        """The scope of the activities inside a container, whose run it is."""
        return replace(
            self, activities=dict(self.activities), records=run.children, earlier=run.earlier_inside, **changes
        )

    def take_over(self, inner, activities):
        """Make the results of inner activities visible out here."""
        for _, activity in all_activities(activities):
            if activity["name"] in inner.activities:
                self.activities[activity["name"]] = inner.activities[activity["name"]]


class Engine:
    """Runs the pipelines of a factory.

    `pipelines` maps names to git-mode documents; `executors` maps activity types to executors (calls.py).
    `observe(event, run)` is called with "start", "retry" or "end" and the ActivityRun, `changed(run)` with the
    PipelineRun whose record has changed. `is_answered(pipeline, activity)` tells whether an executor stands in for
    the pipeline that an ExecutePipeline calls. Engines with the same `places` share what the `concurrency` of
    pipelines leaves free; they must run in one event loop.
    """

    def __init__(
        self,
        pipelines,
        executors,
        clock=None,
        global_parameters=None,
        factory_name="local",
        new_id=lambda: str(uuid.uuid4()),
        observe=lambda event, run: None,
        is_answered=lambda pipeline, activity: False,
        changed=lambda run: None,
        places=None,
    ):
        self.pipelines = pipelines
        self.executors = executors
        self.clock = clock or RealClock()
        self.global_parameters = global_parameters or {}
        self.factory_name = factory_name
        self.new_id = new_id
        self.observe = observe
        self.is_answered = is_answered
        self.changed = changed
        self._background = []
        self._places: dict[str, asyncio.Semaphore] = {} if places is None else places

    def run(self, pipeline, parameters=None, system=None, earlier=()):
        """Run a pipeline to its end and return its PipelineRun.

        `system` overrides properties of `pipeline()`, such as TriggerName; `earlier` are the activity runs of the
        record of an earlier run, which this one goes on with (recovery.py). AdfLabError before anything has
        run: an unknown pipeline, parameter or activity type, a missing parameter value, a circle.
        """
        self.check(pipeline)
        # A semaphore belongs to the event loop in which it was first waited for.
        self._places.clear()
        run = self.start_pipeline(pipeline, parameters or {}, system or {})
        run.earlier = list(earlier)
        return self.clock.run(self.finish(run))

    async def finish(self, run):
        """Run a started pipeline run to its end, and all that it has started without waiting for it."""
        await self.run_pipeline(run)
        while self._background:
            await self._background.pop()
        return run

    # --- pipelines ---------------------------------------------------------------------------------------

    def check(self, pipeline, checked=None, callers=()):
        """Refuse with an AdfLabError what cannot be run, in a pipeline and in those that it calls."""
        checked = set() if checked is None else checked
        if pipeline in callers:
            circle = " -> ".join([*callers[callers.index(pipeline) :], pipeline])
            raise AdfLabError(f"The pipelines call one another in a circle: {circle}.")
        if pipeline in checked:
            return
        checked.add(pipeline)
        if pipeline not in self.pipelines:
            known = ", ".join(sorted(self.pipelines)) or "none"
            raise AdfLabError(f"There is no pipeline '{pipeline}'; there are: {known}.")
        refuse_misshapen(pipeline, self.pipelines[pipeline])
        self._check_activities(self._activities(pipeline), f"Pipeline '{pipeline}'", checked, (*callers, pipeline))

    def _check_activities(self, activities, where, checked, callers):
        check_graph(activities, where)
        for activity in filter(is_active, activities):
            place = f"{where}, activity '{activity['name']}'"
            if activity["type"] not in CONTROL_ACTIVITIES and activity["type"] not in self.executors:
                raise AdfLabError(
                    f"{place}: activities of type {activity['type']} cannot be run here; "
                    f"known are {', '.join(sorted({*CONTROL_ACTIVITIES, *self.executors}))}."
                )
            if activity["type"] == "ExecutePipeline" and not self.is_answered(callers[-1], activity):
                self.check(activity["typeProperties"]["pipeline"]["referenceName"], checked, callers)
            for _, inner in inner_activities(activity):
                self._check_activities(inner, place, checked, callers)

    def _activities(self, pipeline):
        return self.pipelines[pipeline]["properties"].get("activities") or []

    def start_pipeline(self, pipeline, parameters, system):
        """The record of a run that begins now; AdfLabError if the parameters do not fit."""
        properties = self.pipelines[pipeline]["properties"]
        now, run_id = self.clock.now(), self.new_id()
        values = _parameter_values(pipeline, properties.get("parameters") or {}, parameters)
        return PipelineRun(
            run_id=run_id,
            pipeline=pipeline,
            parameters=values,
            secrets=secrets_of(self.pipelines[pipeline], values),
            system={
                "DataFactory": self.factory_name,
                "Pipeline": pipeline,
                "RunId": run_id,
                "TriggerType": "Manual",
                "TriggerId": run_id,
                "TriggerName": "Manual",
                "TriggerTime": now.strftime("%Y-%m-%dT%H:%M:%S.%f0Z"),
                "GroupId": run_id,
                **system,
            },
            start=now,
            variables={
                name: _first(variable.get("defaultValue"), copy(EMPTY_VARIABLES.get(variable["type"].lower())))
                for name, variable in (properties.get("variables") or {}).items()
            },
        )

    async def run_pipeline(self, run):
        """Run the activities of a started pipeline run and end it.

        Beyond the pipeline's `concurrency` it waits until an earlier run has ended.
        """
        most = self.pipelines[run.pipeline]["properties"].get("concurrency")
        try:
            if not isinstance(most, int) or most < 1:
                return await self._run_pipeline(run)
            place = self._places.setdefault(run.pipeline, asyncio.Semaphore(most))
            if place.locked():
                run.status = "Queued"
                self.changed(run)
            async with place:
                return await self._run_pipeline(run)
        except asyncio.CancelledError:
            run.status, run.end = "Cancelled", self.clock.now()
            self.changed(run)
            raise

    async def _run_pipeline(self, run):
        run.status, run.start = "InProgress", self.clock.now()
        self.changed(run)
        scope = Scope(run, {}, run.activities, earlier=by_iteration(run.earlier))
        status, failed = await self.run_activities(self._activities(run.pipeline), scope)
        if failed:
            run.message = f"Operation on target {failed.name} failed: {(failed.error or {}).get('message', '')}"
        run.status, run.end = status, self.clock.now()
        self.changed(run)
        return run

    def run_in_background(self, run):
        """Begin a started pipeline run that nobody waits for; it still ends before the engine returns."""
        self._background.append(asyncio.ensure_future(self.run_pipeline(run)))

    # --- activities --------------------------------------------------------------------------------------

    async def run_activities(self, activities, scope):
        """Run a group of activities; its status and the run of the first activity that made it fail."""
        runs = {activity["name"]: asyncio.get_running_loop().create_future() for activity in activities}
        earlier = known_before(activities, scope.earlier.get(scope.iteration, []))

        async def run_when_ready(activity):
            outcomes = {name: (await runs[name]).outcome for name in parents(activity)}
            if may_run(activity, outcomes):
                run = await self._run_activity(activity, scope, earlier.get(activity["name"]))
            else:
                run = self._skip(activity, scope)
            runs[activity["name"]].set_result(run)

        async with asyncio.TaskGroup() as group:
            for activity in activities:
                group.create_task(run_when_ready(activity))
        outcomes = {name: future.result().outcome for name, future in runs.items()}
        failed = [
            runs[name].result()
            for name in deciding_activities(activities, outcomes)
            if outcomes[name] != "Succeeded"
        ]
        return combined_status(activities, outcomes), failed[0] if failed else None

    def _record(self, activity, scope):
        run = ActivityRun(
            id=self.new_id(),
            name=activity["name"],
            type=activity["type"],
            pipeline=scope.run.pipeline,
            start=self.clock.now(),
            item=MASK if scope.item_is_secret else None if scope.item is MISSING else scope.item,
            iteration=scope.iteration,
        )
        scope.records.append(run)
        return run

    def _skip(self, activity, scope):
        run = self._record(activity, scope)
        run.finish("Skipped", run.start)
        scope.activities[run.name] = {"status": "Skipped"}
        return run

    async def _run_activity(self, activity, scope, earlier):
        run = self._record(activity, scope)
        run.earlier, run.earlier_inside = earlier, by_iteration(earlier["children"] if earlier else [])
        if not is_active(activity):
            marked = activity.get("onInactiveMarkAs", "Succeeded")
            run.finish("Inactive", run.start, outcome=marked)
            scope.activities[run.name] = {"status": marked, "output": {}}
            return run
        if activity["type"] not in CONTROL_ACTIVITIES and kept_output(earlier, run):
            return self._keep(scope, run)
        secured = (activity.get("policy") or {}).get("secureInput")
        run.hides_input = bool(secured or takes_secrets(scope.run.secrets, activity, scope.item_is_secret))
        self.observe("start", run)
        self.changed(scope.run)
        try:
            output, error = await self._outcome(activity, scope, run)
        except asyncio.CancelledError:
            run.cancel(self.clock.now())
            self.changed(scope.run)
            raise
        status = "Failed" if error else "Succeeded"
        result = {"status": status, "output": output, **_times(run.start, self.clock.now())}
        scope.activities[run.name] = result | ({"error": error} if error else {})
        run.output, run.error = output, error
        self._mask(activity, scope, run, output)
        run.finish(status, self.clock.now())
        self.observe("end", run)
        self.changed(scope.run)
        return run

    def _keep(self, scope, run):
        """Give an activity run the output that it had in the earlier run."""
        before = run.earlier
        times = (datetime.fromisoformat(before[name]) for name in ("activityRunStart", "activityRunEnd"))
        scope.activities[run.name] = {"status": "Succeeded", "output": before["output"], **_times(*times)}
        run.output, run.recovered = before["output"], True
        run.finish("Succeeded", self.clock.now())
        self.changed(scope.run)
        return run

    def _mask(self, activity, scope, run, output):
        """Take secured values out of an activity's record, and keep which they are."""
        secrets, policy = scope.run.secrets, activity.get("policy") or {}
        properties = activity.get("typeProperties") or {}
        takes = takes_secrets(secrets, activity, scope.item_is_secret)
        run.hides_input = False
        if takes or policy.get("secureInput"):
            # What a call passes on is masked one by one already.
            run.input = run.input if run.pipeline_run and not policy.get("secureInput") else MASK
            if properties.get("setSystemVariable"):
                secrets.returned, run.output = True, MASK
            elif activity["type"] in ("SetVariable", "AppendVariable"):
                secrets.add("variables", properties["variableName"], output.get("value"))
                run.output = MASK
        is_passed_on = (takes and activity["type"] == "Filter") or (
            run.pipeline_run is not None and run.pipeline_run.secrets.returned
        )
        if policy.get("secureOutput") or is_passed_on:
            secrets.add("activity", activity["name"], output)
            run.output = MASK

    async def _outcome(self, activity, scope, run):
        """The output of an activity and its error, None if it succeeded."""
        try:
            for entry in activity.get("userProperties") or []:
                value = self.evaluate(entry["value"], scope)
                is_secret = scope.run.secrets.reads(entry["value"], scope.item_is_secret)
                run.user_properties[entry["name"]] = MASK if is_secret else value
            stands_in = activity["type"] == "ExecutePipeline" and self.is_answered(scope.run.pipeline, activity)
            if activity["type"] in CONTROL_ACTIVITIES and not stands_in:
                run.attempts.append(Attempt(run.start))
                output = await CONTROL_ACTIVITIES[activity["type"]](self, activity, scope, run)
            else:
                output = await self._execute(activity, scope, run)
            error = None
        except ActivityFailure as failure:
            output, error = failure.output or {}, _error(activity, scope, run, failure)
        attempt = run.attempts[-1] if run.attempts else Attempt(run.start)
        attempt.end, attempt.error = self.clock.now(), error
        attempt.status = "Failed" if error else "Succeeded"
        return output, error

    async def _execute(self, activity, scope, run):
        """The output of an execution activity, after as many attempts as its policy allows."""
        policy = self.evaluate(activity.get("policy") or {}, scope)
        try:
            timeout = parse_timespan(policy.get("timeout") or DEFAULT_TIMEOUT)
            retries, interval = (
                int(policy.get("retry") or 0),
                float(policy.get("retryIntervalInSeconds", DEFAULT_RETRY_INTERVAL)),
            )
        except (AdfLabError, TypeError, ValueError) as error:
            raise ActivityFailure("BadRequest", f"The policy cannot be used: {error}") from None
        call = self._call(activity, scope, run, timeout)
        for attempts_left in range(max(retries, 0), -1, -1):
            attempt = Attempt(self.clock.now())
            run.attempts.append(attempt)
            try:
                return await self._attempt(replace(call, attempt=len(run.attempts)))
            except ActivityFailure as failure:
                if not attempts_left:
                    raise
                attempt.end, attempt.status = self.clock.now(), "Failed"
                attempt.error = _error(activity, scope, run, failure)
            self.observe("retry", run)
            self.changed(scope.run)
            await asyncio.sleep(interval)

    def _call(self, activity, scope, run, timeout):
        evaluated = {
            name: self.evaluate(activity.get(name), scope)
            for name in ("typeProperties", "inputs", "outputs", "linkedServiceName")
        }
        run.input = evaluated["typeProperties"] or {}
        return ActivityCall(
            name=activity["name"],
            type=activity["type"],
            type_properties=run.input,
            inputs=evaluated["inputs"] or [],
            outputs=evaluated["outputs"] or [],
            linked_service=evaluated["linkedServiceName"],
            definition=activity,
            context=self.context(scope),
            activity_run_id=run.id,
            run_id=scope.run.run_id,
            attempt=0,
            timeout_seconds=timeout.total_seconds(),
        )

    async def _attempt(self, call):
        """One attempt; every way in which it can end badly is an ActivityFailure."""
        executor = self.executors[call.type]
        try:
            async with asyncio.timeout(call.timeout_seconds) as limit:
                if inspect.iscoroutinefunction(executor):
                    return await executor(call)
                return await self.clock.call(executor, call)
        except ActivityFailure:
            raise
        except Exception as error:
            if limit.expired():
                message = f"Not done after {call.timeout_seconds:.0f} seconds."
                raise ActivityFailure("Timeout", message) from None
            raise ActivityFailure(type(error).__name__, str(error)) from error

    # --- expressions -------------------------------------------------------------------------------------

    def context(self, scope):
        """What expressions can refer to in a scope."""
        return Context(
            parameters=scope.run.parameters,
            global_parameters=self.global_parameters,
            variables=scope.run.variables,
            activities=scope.activities,
            system=scope.run.system,
            item=scope.item,
            now=self.clock.now,
        )

    def evaluate(self, value, scope):
        """A JSON value with its expressions evaluated; ActivityFailure if one cannot be."""
        try:
            return evaluate_tree(value, self.context(scope))
        except ExpressionError as error:
            raise ActivityFailure("InvalidTemplate", str(error)) from None


def _first(value, otherwise):
    return otherwise if value is None else value


def refuse_unknown_parameters(pipeline, declared, given):
    """AdfLabError when values are given for parameters that a pipeline does not declare."""
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise AdfLabError(
            f"Pipeline '{pipeline}' has no parameter {', '.join(unknown)}, only: {', '.join(declared) or 'none'}."
        )


def _parameter_values(pipeline, declared, given):
    """Values for all parameters of a pipeline: those given, else the defaults."""
    refuse_unknown_parameters(pipeline, declared, given)
    defaults = {name: spec["defaultValue"] for name, spec in declared.items() if "defaultValue" in spec}
    missing = [name for name in declared if name not in given and name not in defaults]
    if missing:
        raise AdfLabError(f"Pipeline '{pipeline}' needs a value for the parameter {', '.join(missing)}.")
    return {name: given.get(name, defaults.get(name)) for name in declared}


def _times(start, end):
    """When an activity has run and how long, as activity('x') tells it."""
    return {
        "ExecutionStartTime": f"{start:%Y-%m-%dT%H:%M:%S.%f}0Z",
        "ExecutionEndTime": f"{end:%Y-%m-%dT%H:%M:%S.%f}0Z",
        "Duration": to_text_span(end - start),
    }


def _error(activity, scope, run, failure):
    """What `activity('x').error` holds; without secrets, for it is shown, sent and written down."""
    policy = activity.get("policy") or {}
    own = [
        run.input if policy.get("secureInput") else None,
        failure.output if policy.get("secureOutput") else None,
    ]
    return {
        "errorCode": scope.run.secrets.masked(failure.error_code, own),
        "message": scope.run.secrets.masked(failure.message, own),
        "failureType": "UserError",
        "target": run.name,
        "details": "",
    }
