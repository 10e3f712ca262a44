"""A notebook of the course as a task of the job, by papermill on the run's Spark server."""

from adf_lab import ActivityFailure
from coinlake import observability, parameters, schema
from coinlake_ops import batch
from coinlake_ops import notebooks as course


def run_notebook(world, name, texts, seconds):
    """Execute a notebook by its name, at most so many seconds; of `texts` it gets the parameters that it declares.

    They are read as widgets are. The executed copy is kept in lake_path/runs/<run_id>/; a report is rendered.
    Raises ActivityFailure that names notebook and cell.
    """
    notebook = course.path(name)
    declared = course.declared_parameters(notebook)
    values = {one: parameters.from_text(one, texts[one]) for one in declared if one in texts}
    if "catalog" in values:
        world.start_spark()
    step = observability.Step(name, str(values["run_id"]), str(values["lake_path"]), values)
    executed = world.lake / "runs" / str(values["run_id"]) / notebook.name
    try:
        course.execute(notebook, executed, values, deadline=seconds, kernels=world.kernels)
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
        raise ActivityFailure("3204", f"{name}{cell}: {message}", {"runPageUrl": executed.as_uri()}) from None
    record = observability.read_record(step.lake_path, step.run_id, step.name)
    if record is None or record["status"] != schema.SUCCEEDED:
        raise ActivityFailure("3204", f"{name} did not come to step.end(…), with which it must end.")
    if name in course.REPORTS:
        from coinlake_ops import rendering

        rendering.render(executed, world.lake / "reports" / f"{course.REPORTS[name]}.html")
