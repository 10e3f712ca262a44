"""The Data Factory on a laptop: reads, checks and runs the JSON of a factory as Azure Data Factory does.

    factory = load_factory("adf")
    findings = check_factory(factory)
    run = Engine(factory.pipelines, executors, VirtualClock()).run("pl_main", {"day": "2026-08-12"})

Executors do the work of activities: functions of one ActivityCall. A Script gives results without any work.
"""

from adf_lab import diagram, monitor, pages, triggers
from adf_lab.check import Finding, check_factory, wrong_types
from adf_lab.engine import (
    CONTROL_ACTIVITIES,
    ActivityCall,
    ActivityFailure,
    ActivityRun,
    Engine,
    PipelineRun,
    RealClock,
    VirtualClock,
    parents,
    walk,
)
from adf_lab.errors import AdfLabError
from adf_lab.expressions import Context, ExpressionError, evaluate, evaluate_tree, to_json
from adf_lab.factory import Factory, Resource, load_factory, target_of
from adf_lab.faults import parse_faults, with_faults
from adf_lab.scripted import Script, lookup_output
from adf_lab.structure import all_activities, inner_activities, is_active
from adf_lab.timespans import parse_timespan

__all__ = [
    "CONTROL_ACTIVITIES",
    "ActivityCall",
    "ActivityFailure",
    "ActivityRun",
    "AdfLabError",
    "Context",
    "Engine",
    "ExpressionError",
    "Factory",
    "Finding",
    "PipelineRun",
    "RealClock",
    "Resource",
    "Script",
    "VirtualClock",
    "all_activities",
    "check_factory",
    "diagram",
    "evaluate",
    "evaluate_tree",
    "inner_activities",
    "is_active",
    "load_factory",
    "lookup_output",
    "monitor",
    "pages",
    "parents",
    "parse_faults",
    "parse_timespan",
    "target_of",
    "to_json",
    "triggers",
    "walk",
    "with_faults",
    "wrong_types",
]
