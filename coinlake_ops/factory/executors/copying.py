"""Copy: a table of the pairs of source and sink that this machine knows.

Source: azure-docs, copy-activity-overview.
"""

import time

from adf_lab import ActivityFailure
from coinlake_ops.factory.executors import delta_to_sql, rest_to_json
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown

KNOWN = ("source", "sink", "enableStaging", "stagingSettings")
PAIRS = {
    ("RestSource", "JsonSink"): rest_to_json.copy,
    ("AzureDatabricksDeltaLakeSource", "AzureSqlSink"): delta_to_sql.copy,
}


def copy(world, activity):
    """Copy from one dataset into another; the output counts what was read and written."""
    properties = activity.type_properties
    refuse_unknown(f"Copy '{activity.name}'", properties, KNOWN)
    pair = (properties["source"]["type"], properties["sink"]["type"])
    if pair not in PAIRS:
        raise not_supported(f"Copy '{activity.name}' from {pair[0]} to {pair[1]}")
    if len(activity.inputs) != 1 or len(activity.outputs) != 1:
        raise ActivityFailure("BadRequest", f"Copy '{activity.name}' needs one input and one output.")
    source, sink = (
        world.factory.resolve_dataset(reference) for reference in (activity.inputs[0], activity.outputs[0])
    )
    began = time.monotonic()
    counts = PAIRS[pair](world, activity, source, sink)
    return counts | {
        "copyDuration": round(time.monotonic() - began, 3),
        "errors": [],
        "effectiveIntegrationRuntime": "local",
    }
