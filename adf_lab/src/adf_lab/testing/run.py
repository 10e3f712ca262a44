"""A run that has ended, as a test looks at it."""

from adf_lab import monitor
from adf_lab.engine import ActivityCall, ActivityRun, PipelineRun, walk
from adf_lab.errors import AdfLabError
from adf_lab.spelling import suggestion

NEVER_BEGAN = ("Skipped", "Inactive")


class Run:
    """One run of a pipeline with all that it has called.

    `activities` are the ActivityRuns in the order in which they began, or were skipped, those of called pipelines
    among them; `calls` are the ActivityCalls, one for each attempt of work: what it was given, secured values too.
    """

    def __init__(self, record: PipelineRun, begun: list[ActivityRun], calls: list[ActivityCall]):
        self.record = record
        known = set(map(id, begun))
        others = [run for run in walk(record.activities) if id(run) not in known]
        self.activities = sorted([*begun, *others], key=lambda run: run.start)
        self.calls = calls
        self.status = record.status
        self.message = record.message
        self.parameters = record.parameters
        self.variables = record.variables
        self.return_value = record.return_value
        self.run_id = record.run_id

    def __repr__(self) -> str:
        return f"<Run of {self.record.pipeline}: {self.status}>"

    def __getitem__(self, name: str) -> ActivityRun:
        """The one run of an activity: status, input, output, error, attempts, item, start, end.

        AdfLabError if it has none, or several: those are `all(name)`.
        """
        found = self.all(name)
        if not found:
            known = sorted({run.name for run in self.activities})
            hint = suggestion(name, set(known) - {name}, f"; there are: {', '.join(known)}.")
            raise AdfLabError(f"'{name}' has no run here: its branch was not taken, or its name is wrong{hint}")
        if len(found) > 1:
            raise AdfLabError(f"'{name}' has {len(found)} runs: look at all('{name}').")
        return found[0]

    def all(self, name: str) -> list[ActivityRun]:
        """All runs of an activity, `gold` or `pl_medallion/gold`: one for each pass of a loop."""
        return [run for run in self.activities if name in (run.name, f"{run.pipeline}/{run.name}")]

    def statuses(self, name: str) -> list[str]:
        """The status of each run of an activity; empty if its branch was not taken."""
        return [run.status for run in self.all(name)]

    def called(self, name: str) -> list[ActivityCall]:
        """Each attempt of an activity's work: `type_properties`, `inputs`, `outputs`, `attempt`."""
        return [call for call in self.calls if name in (call.name, f"{_pipeline(call)}/{call.name}")]

    @property
    def ran(self) -> list[str]:
        """The names of the activities that ran, in the order in which they began, once for each run."""
        return [run.name for run in self.activities if run.status not in NEVER_BEGAN]

    @property
    def worked(self) -> list[str]:
        """The names of the activities that did work, in the order of their calls, once for each attempt."""
        return [call.name for call in self.calls]

    @property
    def seconds(self) -> float:
        """How long the run took on its clock."""
        assert self.record.end is not None
        return (self.record.end - self.record.start).total_seconds()

    def tree(self) -> str:
        """The run as lines: a line for each activity with status, duration, attempts and error."""
        return "\n".join(monitor.tree(self.record.as_dict()))


def _pipeline(call):
    return call.context.system["Pipeline"]
