"""What a pipeline run consists of: its steps, the order they wait in, and how a run went as its steps tell it."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

# What must be done before a step, which is a notebook, can start: the picture of the pipeline.
STEPS: dict[str, tuple[str, ...]] = {
    "00_setup": (),
    "01_ingest_market_data": (),
    "02_ingest_context_data": (),
    "03_stream_to_silver": ("00_setup", "01_ingest_market_data", "02_ingest_context_data"),
    "04_build_gold": ("03_stream_to_silver",),
    "05_load_sql": ("04_build_gold",),
    "06_report_price_averages": ("04_build_gold",),
    "07_report_market_trends": ("04_build_gold",),
    "08_report_pipeline_health": ("05_load_sql", "06_report_price_averages", "07_report_market_trends"),
}
REFINING = ("01_ingest_market_data", "02_ingest_context_data", "03_stream_to_silver", "04_build_gold")
REPORTING = ("06_report_price_averages", "07_report_market_trends", "08_report_pipeline_health")

# The states of a step, and those of a run; a run is incomplete when a step left no record.
RUNNING, SUCCEEDED, FAILED, INTERRUPTED = "running", "succeeded", "failed", "interrupted"
INCOMPLETE = "incomplete"
# How a run, or a step, ended: the rest of a sentence that begins with it.
ENDED = {
    SUCCEEDED: "succeeded",
    FAILED: "failed",
    INTERRUPTED: "was interrupted",
    RUNNING: "has not ended",
    INCOMPLETE: "is incomplete",
}

# What is looked at when a run ends: the kinds of alerts, and when each fires.
ALERTS = {
    "failed_run": "the run did not succeed",
    "no_new_rows": "answers landed, and silver took in no row",
    "stale_table": "a table is older than promised",
    "quarantine_rate": "unusually many records were quarantined",
    "fewer_rows": "a table has lost rows",
    "price_jump": "two sources of a day’s close tell prices far apart",
    "budget": "the month’s credits do not last at this pace",
}


def missing_steps(recorded: Collection[str]) -> tuple[str, ...]:
    """The steps that a run should have and that left no record, in their order; `recorded` are those that did.

    A run that sets up the lake executes every notebook. Data Factory lets it be set up only then; it refines in
    every run, reports in some, and may load without a notebook.
    """
    if "00_setup" in recorded:
        expected = tuple(STEPS)
    elif set(REPORTING) & set(recorded):
        expected = (*REFINING, *REPORTING)
    else:
        expected = REFINING
    return tuple(step for step in expected if step not in recorded)


def lacking_steps(run: Iterable[Mapping[Any, Any]], reporting: tuple[str, str] = ("", "")) -> tuple[str, ...]:
    """The steps that a run should have and that left no record, from rows of run_steps: none, if it ran by hand.

    `reporting` is run and name of the step that is about to report: it counts as there.
    """
    run = list(run)
    if all(ran_by_hand(step["parameters"]) for step in run):
        return ()
    about_to_be = {reporting[1] for step in run if step["run_id"] == reporting[0]}
    return missing_steps(about_to_be | {step["step"] for step in run})


def ran_by_hand(parameters: str) -> bool:
    """Whether a notebook ran for itself, outside a pipeline run: nobody gave it a run id.

    `parameters` are those of its step, a JSON object.
    """
    return bool(json.loads(parameters).get("run_id") == "")


def run_status(statuses: Iterable[str], missing: Collection[str] = ()) -> str:
    """How a run went, from the states of its steps and the steps that it lacks.

    It succeeded only when every step did and none is missing.
    """
    found = set(statuses)
    worst = next((status for status in (FAILED, INTERRUPTED, RUNNING) if status in found), None)
    return worst or (INCOMPLETE if missing else SUCCEEDED)
