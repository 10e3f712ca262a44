"""Runs pipelines as Data Factory does: control flow, dependencies, retries, time-outs, variables."""

from ops.adf.engine.calls import ActivityCall, ActivityFailure
from ops.adf.engine.clock import RealClock, VirtualClock
from ops.adf.engine.records import ActivityRun, PipelineRun, walk
from ops.adf.engine.runner import Engine, refuse_unknown_parameters

__all__ = [
    "ActivityCall",
    "ActivityFailure",
    "ActivityRun",
    "Engine",
    "PipelineRun",
    "RealClock",
    "VirtualClock",
    "refuse_unknown_parameters",
    "walk",
]
