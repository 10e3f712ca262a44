"""Scripted results in place of real work: a factory can be played through with nothing but its JSON.

A script maps the name of an activity to its results: a list of attempts, consumed one by one, the last one
repeating; or `{"byItem": [{"item", "results"}], "default"?}`, a list for each item of the loop around it.
An attempt is `{"status": "Succeeded", "output"?, "durationSeconds"?}`, for a Lookup also with `rows`, or
`{"status": "Failed", "error": {"errorCode", "message"}}`.
"""

import asyncio
import json

from adf_lab.engine import ActivityFailure
from adf_lab.expressions import MISSING, equal, to_json

MOST_LOOKUP_ROWS, LARGEST_LOOKUP = 5_000, 4 * 2**20
SUCCEEDED = {"status": "Succeeded"}


class Script:
    """An executor for any activity type that plays a script."""

    def __init__(self, script):
        self.script = script
        self.used = {}

    def executors(self, types):
        """A table of executors in which every type is played by this script."""
        return dict.fromkeys(types, self.execute)

    def has(self, pipeline, activity):
        """Whether there are answers for an activity of a pipeline."""
        return activity["name"] in self.script

    async def execute(self, call):
        """Play the next result of an activity."""
        result = self._next(call)
        await asyncio.sleep(result.get("durationSeconds", 0))
        if result["status"] == "Failed":
            raise ActivityFailure(result["error"]["errorCode"], result["error"]["message"])
        if "rows" in result:
            return lookup_output(result["rows"], call.type_properties.get("firstRowOnly", True))
        return result.get("output", {})

    def _next(self, call):
        key, results = call.name, self.script.get(call.name, [])
        if isinstance(results, dict):
            item = None if call.context.item is MISSING else call.context.item
            matching = [entry["results"] for entry in results["byItem"] if equal(entry["item"], item)]
            results = matching[0] if matching else results.get("default", [])
            key = (call.name, to_json(item))
        if not results:
            return SUCCEEDED
        position = self.used.get(key, 0)
        self.used[key] = position + 1
        return results[min(position, len(results) - 1)]


def lookup_output(rows, first_row_only):
    """The output of a Lookup for the rows of its source (azure-docs, control-flow-lookup-activity).

    It is the first 5,000 rows. ActivityFailure if it is larger than 4 MB.
    """
    if str(first_row_only).lower() == "true":
        output = {"firstRow": rows[0]} if rows else {}
    else:
        rows = rows[:MOST_LOOKUP_ROWS]
        output = {"count": len(rows), "value": rows}
    size = len(json.dumps(output, default=str).encode("utf-8"))
    if size > LARGEST_LOOKUP:
        raise ActivityFailure("BadRequest", f"The output has {size:,} bytes: a Lookup returns 4 MB at most.")
    return output
