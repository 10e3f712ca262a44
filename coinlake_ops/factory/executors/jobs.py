"""DatabricksJob: the tasks of the job `coinlake`, one after the other, on the run's Spark server.

Source: azure-docs, transform-data-databricks-job; Azure Databricks documentation, "Configure task dependencies".
"""

import time

from adf_lab import ActivityFailure
from coinlake_ops import databricks_job
from coinlake_ops.factory.executors.notebooks import run_notebook
from coinlake_ops.factory.executors.refusal import refuse_unknown
from coinlake_ops.project import ROOT

LEFT_OUT, DONE = "left out", "done"


def run_job(world, activity):
    """Follow the job as it is deployed, with `jobParameters` in the place of its own; what failed is named.

    The whole activity has its time; the pages of the executed notebooks are in lake_path/runs/<run_id>/. Each runs
    once: what a second attempt of a task mends in the cloud, a machine that was lost, does not happen here.
    """
    properties = activity.type_properties
    refuse_unknown(f"DatabricksJob '{activity.name}'", properties, ("jobId", "jobParameters"))
    values = {"run_id": "", "as_of": ""} | world.parameters
    job = databricks_job.settings(values, ROOT, str)
    parameters = {one["name"]: one["default"] for one in job["parameters"]}
    given = {name: str(value) for name, value in (properties.get("jobParameters") or {}).items()}
    unknown = sorted(given.keys() - parameters.keys())
    if unknown:
        raise ActivityFailure("3200", f"The job {job['name']} has no parameter {', '.join(unknown)}.")
    # The one reference that a default has: the id of a run of the job.
    parameters = {
        name: text.replace("{{job.run_id}}", activity.run_id) for name, text in (parameters | given).items()
    }
    began = time.monotonic()
    ended: dict[str, str] = {}
    for task in job["tasks"]:
        if _is_left_out(task, ended):
            ended[task["task_key"]] = LEFT_OUT
        elif "condition_task" in task:
            ended[task["task_key"]] = _decide(task["condition_task"], parameters)
        else:
            left = activity.timeout_seconds - (time.monotonic() - began)
            name = task["notebook_task"]["notebook_path"]
            run_notebook(world, name, parameters, min(left, task["timeout_seconds"]))
            ended[task["task_key"]] = DONE
    return {
        "runPageUrl": (world.lake / "runs" / parameters["run_id"]).as_uri(),
        "effectiveIntegrationRuntime": "local",
        "executionDuration": round(time.monotonic() - began, 3),
    }


def _is_left_out(task, ended):
    """Whether all that a task waits for was left out, or decided otherwise."""
    waits_for = [(ended[one["task_key"]], one.get("outcome")) for one in task["depends_on"]]
    return bool(waits_for) and all(
        state == LEFT_OUT or outcome not in (None, state) for state, outcome in waits_for
    )


def _decide(condition, parameters):
    """How a comparison of two texts comes out, as text: true or false."""
    left = condition["left"]
    for name, text in parameters.items():
        left = left.replace(f"{{{{job.parameters.{name}}}}}", text)
    return str(left == condition["right"]).lower()
