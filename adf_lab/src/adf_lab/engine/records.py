"""What a run leaves behind: plain records that a monitor can print.

Secured inputs and outputs are masked when a record is made, so that nothing downstream can show them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from adf_lab.engine.secrets import MASK, Secrets


@dataclass
class Attempt:
    """One attempt of an activity."""

    start: datetime
    end: datetime | None = None
    status: str = "InProgress"
    error: dict | None = None


@dataclass
class ActivityRun:
    """One run of one activity: status is InProgress, Succeeded, Failed, Skipped, Inactive or Cancelled.

    `outcome` is what its dependents see: an inactive activity counts as what it is marked as.
    `children` are the runs inside a container; `iteration` says in which pass of the container they ran.
    `hides_input` tells that the input is secured, `recovered` that the output is that of
    the `earlier` run, whose record it is, and those inside it by iteration.
    """

    id: str
    name: str
    type: str
    pipeline: str
    start: datetime
    end: datetime | None = None
    status: str = "InProgress"
    outcome: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    input: object = None
    output: object = None
    error: dict | None = None
    item: object = None
    iteration: int | None = None
    user_properties: dict = field(default_factory=dict)
    children: list["ActivityRun"] = field(default_factory=list)
    pipeline_run: "PipelineRun | None" = None
    hides_input: bool = False
    recovered: bool = False
    earlier: dict | None = None
    earlier_inside: dict = field(default_factory=dict)

    def finish(self, status, at, outcome=None):
        """End the run with a status."""
        self.status, self.end, self.outcome = status, at, outcome or status

    def cancel(self, at):
        """End the run, and the attempt that is under way, before its time."""
        self.finish("Cancelled", at)
        for attempt in self.attempts[-1:]:
            if attempt.end is None:
                attempt.end, attempt.status = at, "Cancelled"

    def as_dict(self, secrets=None):
        """The record as JSON data without the texts of `secrets`; times are ISO texts in UTC."""
        secrets = secrets or Secrets()
        return {
            "activityRunId": self.id,
            "activityName": self.name,
            "activityType": self.type,
            "pipelineName": self.pipeline,
            "status": self.status,
            "activityRunStart": _text(self.start),
            "activityRunEnd": _text(self.end),
            "attempts": [
                {
                    "start": _text(attempt.start),
                    "end": _text(attempt.end),
                    "status": attempt.status,
                    "error": secrets.masked(attempt.error),
                }
                for attempt in self.attempts
            ],
            "input": MASK if self.hides_input else secrets.masked(self.input),
            "output": secrets.masked(self.output),
            "error": secrets.masked(self.error),
            "item": secrets.masked(self.item),
            "iteration": self.iteration,
            "userProperties": secrets.masked(self.user_properties),
            "recoveryStatus": "Recovered" if self.recovered else "None",
            "children": [child.as_dict(secrets) for child in self.children],
            "pipelineRun": self.pipeline_run.as_dict(secrets.texts) if self.pipeline_run else None,
        }


@dataclass
class PipelineRun:
    """One run of one pipeline with the runs of its activities.

    Status is Queued, InProgress, Succeeded, Failed or Cancelled. `caller` is the run that has called this one;
    `earlier` are the records of activity runs of an earlier run, whose outputs it goes on with.
    """

    run_id: str
    pipeline: str
    parameters: dict
    system: dict
    start: datetime
    end: datetime | None = None
    status: str = "InProgress"
    activities: list[ActivityRun] = field(default_factory=list)
    variables: dict = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    secured_parameters: bool = False
    return_value: dict = field(default_factory=dict)
    message: str = ""
    caller: "PipelineRun | None" = None
    earlier: list[dict] = field(default_factory=list)

    @property
    def root(self):
        """The run at the top, which nobody has called."""
        return self.caller.root if self.caller else self

    def as_dict(self, texts=frozenset()):
        """The record as JSON data without secrets; `texts` are more of them. Times are ISO texts in UTC."""
        secrets = replace(self.secrets, texts=self.secrets.texts | texts)
        return {
            "runId": self.run_id,
            "pipelineName": self.pipeline,
            "status": self.status,
            "runStart": _text(self.start),
            "runEnd": _text(self.end),
            "parameters": MASK if self.secured_parameters else _masked(secrets, "parameters", self.parameters),
            "invokedBy": self.system,
            "variables": _masked(secrets, "variables", self.variables),
            "message": secrets.masked(self.message),
            "activityRuns": [run.as_dict(secrets) for run in self.activities],
        }


def walk(runs):
    """Every activity run of a tree, containers before what they hold, child pipelines included."""
    for run in runs:
        yield run
        yield from walk(run.children)
        if run.pipeline_run:
            yield from walk(run.pipeline_run.activities)


def _masked(secrets, scope, values):
    return {name: MASK if secrets.holds(scope, name) else secrets.masked(value) for name, value in values.items()}


def _text(moment):
    return moment.isoformat().replace("+00:00", "Z") if moment else None
