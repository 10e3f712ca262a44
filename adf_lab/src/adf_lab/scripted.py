"""Answers in place of real work: a factory can be played through with nothing but its JSON.

A script maps activities to what they answer, one answer for each attempt; the last one repeats:

    {"gold": [{"error": {"errorCode": "E", "message": "no space left"}}, {"output": {"rows": 3}}]}

key         which activity: `gold` wherever it stands, `pl_load/gold` in one pipeline, `type:Copy` those of a
            type that are not named. An ExecutePipeline that has answers runs no pipeline.
answer      `{"output"?}`, for a Lookup `{"rows"}`, or `{"error": {"errorCode"?, "message"?}, "output"?}`; besides
            `status` (Succeeded, Failed), `durationSeconds`, and `when`.
            `outputFile` and `rowsFile` name a JSON file in place of `output` and `rows`.
when        `{"item"?, "input"?}`: only for calls with this item of the loop, and with these members in their
            evaluated type properties, inputs and outputs. Answers with the same `when` are a list of their own.
by item     `{"byItem": [{"item", "results"}], "default"?}` in place of a list says the same of many items; the
            default is a list of its own for each item.

What has no answer that fits succeeds with an empty output. In Python a function of the ActivityCall can stand in
place of a list; it returns the output or raises ActivityFailure.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from adf_lab.engine import CONTROL_ACTIVITIES, ActivityFailure
from adf_lab.errors import AdfLabError
from adf_lab.expressions import MISSING, equal, to_json
from adf_lab.spelling import suggestion
from adf_lab.structure import active_types

MOST_LOOKUP_ROWS, LARGEST_LOOKUP = 5_000, 4 * 2**20
LONGEST = 366 * 86_400  # seconds; no activity may take longer than 7 days
STATUSES = ("Succeeded", "Failed")
OF_ANSWERS = ("status", "output", "outputFile", "rows", "rowsFile", "error", "durationSeconds", "when")
OF_CONDITIONS = ("item", "input")
TYPE = "type:"
CALLED_PIPELINE = "ExecutePipeline"


@dataclass(frozen=True)
class Answers:
    """Answers for the calls that a condition fits; `each_item` tells that every item has the list for itself."""

    when: dict
    answers: list
    each_item: bool = False

    def fits(self, call):
        """Whether these answers are for a call."""
        return ("item" not in self.when or equal(self.when["item"], item_of(call))) and (
            "input" not in self.when or contains(input_of(call), self.when["input"])
        )


class Script:
    """An executor for any activity type that plays a script.

    What has no answer here is asked of the script `otherwise`. `raised` keeps what functions of a script have
    raised besides ActivityFailure. AdfLabError if the script has not the shape of one.
    """

    def __init__(self, script, otherwise=None):
        if not isinstance(script, dict):
            raise AdfLabError('A script is a JSON object: {"name of an activity": [answers]}.')
        self.script = {
            key: value if callable(value) else _lists(f"The script, '{key}'", value)
            for key, value in script.items()
        }
        self.otherwise = otherwise
        self.used: Counter[tuple] = Counter()
        self.raised: list[Exception] = []

    def executors(self, types):
        """A table of executors in which every type is played by this script."""
        return dict.fromkeys(types, self.execute)

    async def execute(self, call):
        """Play the next answer of an activity."""
        answer = self._next(call)
        if callable(answer):
            return self._returned(answer, call)
        await asyncio.sleep(answer.get("durationSeconds", 0))
        if "error" in answer or answer.get("status") == "Failed":
            error = {"errorCode": "Failed", "message": f"'{call.name}' has failed."} | (answer.get("error") or {})
            raise ActivityFailure(str(error["errorCode"]), str(error["message"]), answer.get("output"))
        if "rows" in answer:
            return lookup_output(answer["rows"], call.type_properties.get("firstRowOnly", True))
        return answer.get("output") or {}

    def has(self, pipeline, activity):
        """Whether there are answers for an activity of a pipeline."""
        found = self._key(pipeline, activity["name"], activity["type"]) is not None
        return found or (self.otherwise is not None and self.otherwise.has(pipeline, activity))

    def unused(self):
        """The answers that nothing has used, as texts; those of the script `otherwise` may stay unused."""
        for key, lists in self.script.items():
            if callable(lists):
                lists = [Answers({}, [lists])]
            for index, group in enumerate(lists):
                most = max((count for found, count in self.used.items() if found[:2] == (key, index)), default=0)
                where = f"'{key}'" + (f" when {json.dumps(group.when, default=str)}" if group.when else "")
                if most == 0 and not group.each_item:
                    yield f"{where} was not called"
                elif most < len(group.answers) and not group.each_item:
                    yield f"{where} was called {most} times and has {len(group.answers)} answers"

    def _key(self, pipeline, name, kind):
        return next((key for key in (f"{pipeline}/{name}", name, TYPE + kind) if key in self.script), None)

    def _next(self, call):
        key = self._key(call.context.system.get("Pipeline"), call.name, call.type)
        lists = self.script.get(key, [])
        if callable(lists):
            self.used[key, 0] += 1
            return lists
        for index, group in enumerate(lists):
            if group.answers and group.fits(call):
                # A list belongs to one activity, even if its key is a type.
                used = (key, index, call.name, to_json(item_of(call)) if group.each_item else None)
                self.used[used] += 1
                return group.answers[min(self.used[used], len(group.answers)) - 1]
        return {} if self.otherwise is None else self.otherwise._next(call)

    def _returned(self, function, call):
        try:
            output = function(call)
        except ActivityFailure:
            raise
        except Exception as error:
            self.raised.append(error)
            raise
        return {} if output is None else output


# --- calls -----------------------------------------------------------------------------------------------


def item_of(call):
    """The item of the loop around a call; None outside of one."""
    return None if call.context.item is MISSING else call.context.item


def input_of(call):
    """What a call was given, evaluated: its type properties, and its datasets and linked service beside them."""
    datasets = {"inputs": call.inputs, "outputs": call.outputs, "linkedServiceName": call.linked_service}
    return {name: value for name, value in datasets.items() if value} | call.type_properties


def contains(actual, expected):
    """Whether a JSON value has the members of another; lists are compared item by item."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and contains(actual[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        same = isinstance(actual, list) and len(actual) == len(expected)
        return same and all(map(contains, actual, expected))
    return equal(actual, expected)


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


# --- reading and refusing --------------------------------------------------------------------------------


def read_script(path, what="The script"):
    """The script in a JSON file, with what its outputFile and rowsFile name; AdfLabError if it is none."""
    script = read_json(path, what)
    if not isinstance(script, dict):
        raise AdfLabError(f'{path} is no script: it is a JSON object, {{"name of an activity": [answers]}}.')
    return with_files(script, path.parent)


def with_files(script, folder):
    """A script with the contents of the files that its answers name, by their paths from a folder."""
    if isinstance(script, list):
        return [with_files(item, folder) for item in script]
    if not isinstance(script, dict):
        return script
    read = {}
    for name, value in script.items():
        if name in ("outputFile", "rowsFile") and isinstance(value, str):
            read[name.removesuffix("File")] = read_json(Path(folder) / value, f"The {name} of a script")
        else:
            # Nothing inside an output is a name of a file.
            read[name] = value if name in ("output", "rows", "error", "when") else with_files(value, folder)
    return read


def read_json(path, what):
    """The content of a JSON file; AdfLabError, which begins with what it is, if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdfLabError(f"{what} {path} cannot be read as JSON: {error}") from None


def refuse_unknown_names(script, pipelines):
    """AdfLabError if a script has an answer for what no pipeline has, or for what runs itself."""
    known: dict[str, str] = {}
    for pipeline, document in pipelines.items():
        for name, kind in active_types({pipeline: document}):
            known |= {name: kind, f"{pipeline}/{name}": kind, TYPE + kind: kind}
    answered = {
        key: kind for key, kind in known.items() if kind == CALLED_PIPELINE or kind not in CONTROL_ACTIVITIES
    }
    for key in script:
        if key in answered:
            continue
        if key in known:
            raise AdfLabError(f"The script answers '{key}': a {known[key]} runs by itself; leave its answer out.")
        names = [name for name in answered if name.startswith(TYPE) == key.startswith(TYPE)]
        hint = suggestion(key, names, f"; there are: {', '.join(sorted(set(names))) or 'none'}.")
        raise AdfLabError(f"The script answers '{key}', which no pipeline has{hint}")


def _lists(where, value):
    """The answers of one key as lists with their conditions, those without a condition last."""
    if isinstance(value, dict) and "byItem" in value:
        _refuse_unknown(where, value, ("byItem", "default"))
        _need(isinstance(value["byItem"], list), where, "`byItem` is a list of items with their `results`")
        lists = []
        for entry in value["byItem"]:
            shaped = isinstance(entry, dict) and {"item", "results"} <= entry.keys()
            _need(shaped, where, "an entry of `byItem` has `item` and `results`")
            lists.append(Answers({"item": entry["item"]}, _answers(where, entry["results"])))
        return [*lists, Answers({}, _answers(where, value.get("default", [])), each_item=True)]
    lists = []
    for answer in _answers(where, value):
        when = answer.get("when") or {}
        same = next((group for group in lists if group.when == when), None)
        if same:
            same.answers.append(answer)
        else:
            lists.append(Answers(when, [answer]))
    return sorted(lists, key=lambda group: not group.when)


def _answers(where, value):
    answers = value if isinstance(value, list) else [value]
    for answer in answers:
        _need(isinstance(answer, dict), where, 'an answer is an object, like {"output": {}}')
        _refuse_unknown(where, answer, OF_ANSWERS)
        status = answer.get("status", "Succeeded")
        _need(status in STATUSES, where, f"`status` is one of {', '.join(STATUSES)}")
        seconds = answer.get("durationSeconds", 0)
        is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        _need(is_number and 0 <= seconds <= LONGEST, where, f"`durationSeconds` is a number from 0 to {LONGEST}")
        _need(isinstance(answer.get("rows", []), list), where, "`rows` is a list")
        for name in ("output", "error", "when"):
            _need(isinstance(answer.get(name) or {}, dict), where, f"`{name}` is an object")
        _refuse_unknown(where, answer.get("when") or {}, OF_CONDITIONS)
    return answers


def _refuse_unknown(where, value, known):
    for name in value:
        _need(name in known, where, f"there is no '{name}'{suggestion(str(name), known, '')}")


def _need(holds, where, what):
    if not holds:
        raise AdfLabError(f"{where}: {what.removesuffix('.')}.")
