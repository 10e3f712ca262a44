"""What a run leaves behind: plain records that a monitor can print.

Secured inputs and outputs are masked when a record is made, so that nothing downstream can show them.
"""

from dataclasses import dataclass, field
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

    def finish(self, status, at, outcome=None):
        """End the run with a status."""
        self.status, self.end, self.outcome = status, at, outcome or status

    def as_dict(self):
        """The record as JSON data; times are ISO texts in UTC."""
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
                    "error": attempt.error,
                }
                for attempt in self.attempts
            ],
            "input": self.input,
            "output": self.output,
            "error": self.error,
            "item": self.item,
            "iteration": self.iteration,
            "userProperties": self.user_properties,
            "children": [child.as_dict() for child in self.children],
            "pipelineRun": self.pipeline_run.as_dict() if self.pipeline_run else None,
        }


@dataclass
class PipelineRun:
    """One run of one pipeline with the runs of its activities."""

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

    def as_dict(self):
        """The record as JSON data; times are ISO texts in UTC."""
        return {
            "runId": self.run_id,
            "pipelineName": self.pipeline,
            "status": self.status,
            "runStart": _text(self.start),
            "runEnd": _text(self.end),
            "parameters": MASK if self.secured_parameters else self._masked("parameters", self.parameters),
            "invokedBy": self.system,
            "variables": self._masked("variables", self.variables),
            "message": self.message,
            "activityRuns": [run.as_dict() for run in self.activities],
        }

    def _masked(self, scope, values):
        return {name: MASK if self.secrets.holds(scope, name) else value for name, value in values.items()}


def walk(runs):
    """Every activity run of a tree, containers before what they hold, child pipelines included."""
    for run in runs:
        yield run
        yield from walk(run.children)
        if run.pipeline_run:
            yield from walk(run.pipeline_run.activities)


def _text(moment):
    return moment.isoformat().replace("+00:00", "Z") if moment else None
