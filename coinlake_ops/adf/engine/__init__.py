"""Runs pipelines as Data Factory does: control flow, dependencies, retries, time-outs, variables."""

from coinlake_ops.adf.engine.calls import ActivityCall, ActivityFailure
from coinlake_ops.adf.engine.clock import RealClock, VirtualClock
from coinlake_ops.adf.engine.records import ActivityRun, PipelineRun, walk
from coinlake_ops.adf.engine.runner import Engine, refuse_unknown_parameters

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
