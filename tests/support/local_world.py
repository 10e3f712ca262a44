"""Executors on a lake of a test's own: what a run on this machine is made of, without the command line."""

from adf_lab import ActivityCall, Context, Engine, VirtualClock, load_factory, parse_faults, with_faults
from coinlake_ops.factory import FACTORY, parameters
from coinlake_ops.factory.executors import LocalWorld, local_executors


def world(lake, *overrides, factory=None, **options):
    """A LocalWorld of the project's factory, or of another, over a lake."""
    values = parameters.values("local", [f"lake_path={lake}", *overrides])
    return LocalWorld(factory or load_factory(FACTORY), values, environ={}, **options)


def call(kind, properties, *, inputs=(), outputs=(), linked_service=None, timeout_seconds=60.0):
    """What an executor is given for one attempt."""
    return ActivityCall(
        name="it",
        type=kind,
        type_properties=properties,
        inputs=list(inputs),
        outputs=list(outputs),
        linked_service=linked_service,
        definition={},
        context=Context(),
        activity_run_id="a",
        run_id="r",
        attempt=1,
        timeout_seconds=timeout_seconds,
    )


def run(here, pipeline, given, faults=()):
    """Run a pipeline for real, but for its waits, which take no time; returns the PipelineRun."""
    pipelines = here.factory.pipelines
    executors = with_faults(local_executors(here), parse_faults(faults), pipelines)
    return Engine(pipelines, executors, VirtualClock(), here.parameters).run(pipeline, given)
