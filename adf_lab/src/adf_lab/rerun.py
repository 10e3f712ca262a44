"""What a rerun takes from the record of the run that it repeats.

Source: azure-docs, monitor-visually ("Rerun pipelines and activities"): the same parameters and the same group, or
new parameters in a group of its own.
"""

import json

from adf_lab.engine import MASK
from adf_lab.errors import AdfLabError
from adf_lab.recording import UNFINISHED


def parameters_of(record: dict, given: dict) -> dict:
    """The parameters of a rerun: those of the record, but for the given ones.

    AdfLabError if one is secured, and so not in the record, and not given.
    """
    recorded = {} if record["parameters"] == MASK else record["parameters"]
    parameters = recorded | given
    secured = [name for name, value in parameters.items() if MASK in json.dumps(value, ensure_ascii=False)]
    if secured:
        raise AdfLabError(
            f"The record of {record['runId']} does not hold what is secured: give it with "
            + " ".join(f"--parameter {name}=…" for name in secured)
        )
    if record["parameters"] == MASK and not given:
        raise AdfLabError(
            f"All parameters of {record['runId']} are secured: give them with --parameter NAME=VALUE."
        )
    return parameters


def system_of(record: dict, given: dict) -> dict:
    """The properties of `pipeline()` that a rerun has from the run that it repeats."""
    own = {"DataFactory", "Pipeline", "RunId", *(["GroupId"] if given else [])}
    return {name: value for name, value in record["invokedBy"].items() if name not in own}


def activities_of(record: dict) -> list[dict]:
    """The activity runs that a rerun from the failed activity goes on with; AdfLabError if nothing has failed."""
    if record["status"] == "Succeeded":
        raise AdfLabError(
            f"{record['runId']} has succeeded: there is no failed activity. Run it without --from-failed."
        )
    return record["activityRuns"]


def refuse_unfinished(record: dict) -> None:
    """AdfLabError if a run has not ended."""
    if record["status"] in UNFINISHED:
        raise AdfLabError(f"{record['runId']} has not ended: it is {record['status']}.")
