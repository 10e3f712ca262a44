"""The seam between the engine and what does the work of an activity.

An executor is a function of one ActivityCall: it returns the activity's output (a JSON object) or raises
ActivityFailure. A plain function runs in a thread; a coroutine function runs in the engine's loop.
"""

from dataclasses import dataclass

from adf_lab.expressions import Context


class ActivityFailure(Exception):
    """An activity has failed: with the code and message that `activity('x').error` shows."""

    def __init__(self, error_code, message, output=None):
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.output = output


@dataclass(frozen=True)
class ActivityCall:
    """One attempt of an activity.

    `type_properties`, `inputs`, `outputs` and `linked_service` are those of the activity with every
    expression evaluated; `definition` is the activity as it stands in the pipeline. `attempt` counts from 1.
    An executor that can stop its work should do so after `timeout_seconds`.
    """

    name: str
    type: str
    type_properties: dict
    inputs: list
    outputs: list
    linked_service: dict | None
    definition: dict
    context: Context
    activity_run_id: str
    run_id: str
    attempt: int
    timeout_seconds: float
