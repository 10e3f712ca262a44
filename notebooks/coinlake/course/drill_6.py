"""Exercises of the drill The factory on your desk: what follows a failure, and a test of a pipeline."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinlake.course.exercise import PREDICT, WRITE, Exercise, Values

SKIPPED = {"clean_up", "load", "return_results"}


def judge_skipped(answer: Any, values: Values) -> str | None:
    """Compares with what waits for a success that does not come."""
    said = set(answer)
    if said == SKIPPED:
        return None
    if "note_failure" in said or "stop" in said:
        return "note_failure and stop wait for a failure or for something skipped: this is their hour."
    if said & {"set_run_id", "ping", "ingest", "run_notebooks"}:
        return "Skipped is what never began; what comes before the failure, and what fails itself, has begun."
    return "Who waits for the success of one that was skipped is skipped, too: follow the arrows to the end."


def judge_status(answer: Any, values: Values) -> str | None:
    """Compares with three attempts."""
    expected = "Succeeded" if values["failures"] < 3 else "Failed"
    if str(answer).strip().capitalize() == expected:
        return None
    return "A retry of 2 makes three attempts in all: is one of them left that may succeed?"


def without(activity: str, document: dict[str, Any]) -> dict[str, Any]:
    """A pipeline as JSON without one of its activities, for which nobody waits any more."""
    kept = [each for each in document["properties"]["activities"] if each["name"] != activity]
    for each in kept:
        each["dependsOn"] = [on for on in each.get("dependsOn", []) if on["activity"] != activity]
    return document | {"properties": document["properties"] | {"activities": kept}}


def judge_test(test: Any, values: Values) -> str | None:
    """Lets the test pass over the factory as it is, and expects it to fail over two that are broken."""
    factory, load = values["given"]
    test(load(factory))
    for activity, words in (
        (
            "stop",
            "Without the activity stop a run that failed ends green, and your test lets it pass.",
        ),
        ("alert", "Without the activity alert nobody is told of a failure, and your test lets it pass."),
    ):
        with TemporaryDirectory() as place:
            broken = Path(shutil.copytree(factory, Path(place, "adf")))
            pipeline = broken / "pipeline" / "pl_main.json"
            pipeline.write_text(json.dumps(without(activity, json.loads(pipeline.read_text()))))
            try:
                test(load(broken))
            except Exception:
                continue
            return words
    return None


EXERCISES = (
    Exercise(
        number="D6.1",
        kind=PREDICT,
        idea="say what a failure skips",
        judge=judge_skipped,
        hints=(
            "An arrow waits for an outcome: Succeeded, Failed, Skipped, or Completed, one of the first two.",
            "After run_notebooks come clean_up, load and return_results, one after the other, each on success.",
        ),
        solution='skipped = {"clean_up", "load", "return_results"}',
    ),
    Exercise(
        number="D6.2",
        kind=PREDICT,
        idea="say what retries bear",
        judge=judge_status,
        draw=lambda chance: {"failures": chance.randint(1, 3)},
        question="ping has a retry of 2. It fails {failures} times, and would succeed after that. How does "
        "the run end: Succeeded or Failed?",
        hints=(
            "How many attempts has an activity with a retry of 2?",
            "Three. Compare with the number of failures.",
        ),
        solution='status = "Succeeded" if <failures> < 3 else "Failed"',
    ),
    Exercise(
        number="D6.3",
        kind=WRITE,
        idea="write a test that a broken factory cannot pass",
        judge=judge_test,
        hints=(
            'run = adf.run("pl_main", answers={"run_notebooks": failed("no space left")}) plays the failure; '
            "run.status is how it ends, run.called(name) are the calls of an activity.",
            'Assert both: run.status == "Failed", and len(run.called("alert")) == 1.',
        ),
        solution="""
            def test_a_failure_is_told(adf):
                run = adf.run("pl_main", answers={"run_notebooks": failed("no space left")})
                assert run.status == "Failed"
                assert len(run.called("alert")) == 1
        """,
    ),
)
