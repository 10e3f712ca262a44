"""A run of the service as a script: what its activities answered, to be played again on this machine.

The input is what the service's queryActivityruns answers for a pipeline run: `{"value": [activity runs]}`, each
with activityName, activityType, pipelineName, pipelineRunId, status, activityRunStart, durationInMs, input,
output, error. Every attempt is an activity run of its own. Source: learn.microsoft.com, REST API of Data Factory,
"Activity Runs - Query By Pipeline Run".
"""

from collections import defaultdict
from datetime import datetime
from itertools import groupby

from adf_lab.engine import CONTROL_ACTIVITIES
from adf_lab.errors import AdfLabError
from adf_lab.scripted import CALLED_PIPELINE

FAILURES = ("Failed", "TimedOut", "Cancelled")
ENDED = ("Succeeded", *FAILURES)
NEVER_BEGAN = ("Skipped", "Inactive")


def script_of(*documents):
    """A script (adf_lab/scripted.py) of recorded activity runs, and notes on what it cannot hold: (script, notes).

    `documents` are answers of queryActivityruns, pages of one run or runs of several pipelines that call one
    another. Only the answers of work are kept: control activities do again what they did. Where an activity ran
    with several inputs, each answer is for the input that it had. AdfLabError if a document is no such answer.
    """
    runs = [run for document in documents for run in _activity_runs(document)]
    # Pages may overlap.
    runs = list({run["activityRunId"]: run for run in runs if run["status"] not in NEVER_BEGAN}.values())
    runs.sort(key=lambda run: _moment(run["activityRunStart"]))
    pipelines_of_name = defaultdict(set)
    for run in runs:
        pipelines_of_name[run["activityName"]].add(run["pipelineName"])
    notes, script = list(_notes(runs)), {}

    def place(run):
        return run["pipelineName"], run["activityName"]

    for (pipeline, name), group in groupby(sorted(filter(_is_work, runs), key=place), key=place):
        is_unique = len(pipelines_of_name[name]) == 1
        script[name if is_unique else f"{pipeline}/{name}"] = _answers(list(group))
    return script, notes


def _activity_runs(document):
    runs = document.get("value") if isinstance(document, dict) else document
    needed = {"activityName", "activityType", "activityRunId", "pipelineName", "activityRunStart", "status"}
    if not isinstance(runs, list) or not all(isinstance(run, dict) and run.keys() >= needed for run in runs):
        raise AdfLabError(
            'This is no answer of queryActivityruns: that is {"value": [activity runs]}, each with '
            f"{', '.join(sorted(needed))}."
        )
    return runs


def _is_work(run):
    return run["activityType"] not in CONTROL_ACTIVITIES and run["status"] in ENDED


def _notes(runs):
    """What a script of these runs leaves open."""
    recorded = {run.get("pipelineRunId") for run in runs}
    for run in runs:
        where = f"{run['pipelineName']}: '{run['activityName']}'"
        output = run.get("output") or {}
        if run["status"] not in ENDED:
            yield f"{where} was {run['status']} when it was recorded: it has no answer."
        if run["status"] == "Cancelled":
            yield f"{where} was cancelled: it is played as a failure."
        child = output.get("pipelineRunId") if run["activityType"] == CALLED_PIPELINE else None
        if child and child not in recorded:
            yield f"{where} called the run {child}, which is not recorded: its work succeeds with empty outputs."


def _answers(runs):
    """The answers of one activity, each for its input if the inputs differ."""
    inputs = [run.get("input") for run in runs]
    answers = []
    for run in runs:
        when = _difference(run.get("input"), inputs)
        answers.append(_answer(run) | ({} if when is None else {"when": {"input": when}}))
    # The first that fits is taken: so the most particular ones come first.
    return sorted(answers, key=lambda answer: -_leaves(answer.get("when", {})))


def _difference(own, others):
    """The members of an input that tell it from others; None if nothing does."""
    if all(other == own for other in others):
        return None
    if not isinstance(own, dict):
        return own
    parts = {}
    for name, value in own.items():
        with_it = [other[name] for other in others if isinstance(other, dict) and name in other]
        found = _difference(value, with_it) if len(with_it) == len(others) else value
        if found is not None:
            parts[name] = found
    return parts or None


def _leaves(value):
    return sum(map(_leaves, value.values())) if isinstance(value, dict) else 1


def _answer(run):
    answer: dict[str, object] = {"status": "Succeeded" if run["status"] == "Succeeded" else "Failed"}
    if run.get("output"):
        answer["output"] = run["output"]
    if answer["status"] == "Failed":
        error = run.get("error") or {}
        code, message = error.get("errorCode") or run["status"], error.get("message") or run["status"]
        answer["error"] = {"errorCode": code, "message": message}
    if run.get("durationInMs"):
        answer["durationSeconds"] = run["durationInMs"] / 1000
    return answer


def _moment(text):
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise AdfLabError(f"'{text}' is no time at which an activity run began.") from None
