"""DatabricksNotebook, by papermill on the run's Spark server.

Source: azure-docs, transform-data-databricks-notebook.
"""

import time
from pathlib import PurePosixPath

from adf_lab import ActivityFailure
from coinlake import observability, parameters, schema
from coinlake_ops import batch
from coinlake_ops import notebooks as course
from coinlake_ops.factory.executors.refusal import refuse_unknown


def run_notebook(world, activity):
    """Execute a notebook of this repository; `runOutput` is what it would give to dbutils.notebook.exit.

    Parameters come as texts, as Databricks passes them, and are read as widgets are. The executed copy is kept
    in lake_path/runs/<run_id>/.
    """
    properties = activity.type_properties
    refuse_unknown(
        f"DatabricksNotebook '{activity.name}'", properties, ("notebookPath", "baseParameters", "libraries")
    )
    notebook = course.path(PurePosixPath(properties["notebookPath"]).name)
    if not notebook.exists():
        raise ActivityFailure("3200", f"There is no notebook {notebook}: correct notebookPath.")
    values = {
        name: parameters.from_text(name, str(text))
        for name, text in (properties.get("baseParameters") or {}).items()
    }
    if "catalog" in values:
        world.start_spark()
    step = observability.Step(notebook.stem, str(values["run_id"]), str(values["lake_path"]), values)
    executed = world.lake / "runs" / str(values["run_id"]) / notebook.name
    began = time.monotonic()
    try:
        course.execute(notebook, executed, values, deadline=activity.timeout_seconds, kernels=world.kernels)
    except course.Interrupted as failure:
        step.interrupt(observability.BY_HAND)
        raise ActivityFailure("Cancelled", str(failure), {"runPageUrl": executed.as_uri()}) from None
    except course.TimeIsUp as failure:
        step.fail(str(failure))
        raise ActivityFailure("Timeout", str(failure), {"runPageUrl": executed.as_uri()}) from None
    except (course.CellFailed, course.KernelDied) as failure:
        message = batch.explain(failure)
        step.fail(message)
        cell = f", cell {failure.cell}" if isinstance(failure, course.CellFailed) else ""
        raise ActivityFailure(
            "3204", f"{notebook.stem}{cell}: {message}", {"runPageUrl": executed.as_uri()}
        ) from None
    record = observability.read_record(step.lake_path, step.run_id, step.name)
    if record is None or record["status"] != schema.SUCCEEDED:
        raise ActivityFailure("3204", f"{notebook.stem} did not come to step.end(…), with which it must end.")
    if notebook.stem in course.REPORTS:
        from coinlake_ops import rendering

        rendering.render(executed, world.lake / "reports" / f"{course.REPORTS[notebook.stem]}.html")
    return {
        "runPageUrl": executed.as_uri(),
        "runOutput": observability.step_result(record),
        "effectiveIntegrationRuntime": "local",
        "executionDuration": round(time.monotonic() - began, 3),
    }
