"""Runs pipelines as Data Factory does: control flow, dependencies, retries, time-outs, variables."""

from adf_lab.engine.calls import ActivityCall, ActivityFailure
from adf_lab.engine.clock import RealClock, VirtualClock
from adf_lab.engine.control import CONTROL_ACTIVITIES
from adf_lab.engine.dependencies import check_graph, find_cycle, parents
from adf_lab.engine.records import ActivityRun, PipelineRun, walk
from adf_lab.engine.runner import Engine, refuse_unknown_parameters
from adf_lab.engine.secrets import MASK, Secrets

__all__ = [
    "CONTROL_ACTIVITIES",
    "MASK",
    "ActivityCall",
    "ActivityFailure",
    "ActivityRun",
    "Engine",
    "PipelineRun",
    "RealClock",
    "Secrets",
    "VirtualClock",
    "check_graph",
    "find_cycle",
    "parents",
    "refuse_unknown_parameters",
    "walk",
]
