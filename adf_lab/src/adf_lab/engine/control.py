"""The control activities: what each does with its inner activities, variables and time.

Each function takes the engine, the activity's definition, its scope and its run, and returns its output; it
raises ActivityFailure to fail. Sources: azure-docs, control-flow-*-activity, one article each.
"""

import asyncio
from itertools import count

from adf_lab.engine.calls import ActivityFailure
from adf_lab.engine.secrets import MASK
from adf_lab.errors import AdfLabError
from adf_lab.expressions import ExpressionError, evaluate, kind_of, to_text, variables_read
from adf_lab.timespans import parse_timespan

DEFAULT_BATCH_COUNT, LARGEST_BATCH_COUNT = 20, 50
MOST_ITEMS = 100_000
DEFAULT_UNTIL_TIMEOUT = "7.00:00:00"
RETURN_VALUE = "pipelineReturnValue"
KINDS_OF_VARIABLE = {
    "string": {"string"},
    "boolean": {"boolean"},
    "bool": {"boolean"},
    "integer": {"integer"},
    "array": {"array"},
}


# --- variables -------------------------------------------------------------------------------------------


async def set_variable(engine, activity, scope, run):
    """SetVariable: a variable of the pipeline, or its return value (tutorial-pipeline-return-value)."""
    properties = activity["typeProperties"]
    name = properties["variableName"]
    if properties.get("setSystemVariable") and name == RETURN_VALUE:
        value = {
            entry["key"]: _return_value(engine, entry["value"], scope) for entry in properties.get("value") or []
        }
        scope.run.return_value.update(value)
    else:
        if name in variables_read(properties.get("value")):
            raise ActivityFailure("InvalidVariable", f"'{name}' is set from itself: use a second variable.")
        value = engine.evaluate(properties.get("value"), scope)
        _require_kind(engine, scope, name, value)
        scope.run.variables[name] = value
    run.input = {"variableName": name, "value": value}
    return {"name": name, "value": value}


async def append_variable(engine, activity, scope, run):
    """AppendVariable: one more item at the end of an array variable."""
    properties = activity["typeProperties"]
    name, value = properties["variableName"], engine.evaluate(properties.get("value"), scope)
    _require_kind(engine, scope, name, [])
    run.input = {"variableName": name, "value": value}
    scope.run.variables[name] = [*scope.run.variables[name], value]
    return {"name": name, "value": value}


def _require_kind(engine, scope, name, value):
    declared = engine.pipelines[scope.run.pipeline]["properties"].get("variables") or {}
    if name not in declared:
        raise ActivityFailure(
            "InvalidVariable", f"There is no variable '{name}'; there are: {', '.join(declared) or 'none'}."
        )
    expected = KINDS_OF_VARIABLE.get(declared[name]["type"].lower(), set())
    if value is not None and kind_of(value) not in expected:
        raise ActivityFailure(
            "InvalidVariable",
            f"The variable '{name}' of type {declared[name]['type']} cannot hold a value of kind "
            f"{kind_of(value)}.",
        )


def _return_value(engine, value, scope):
    """A typed return value: constants, an Expression, or an Array or Object of typed values."""
    content = value.get("content")
    if value["type"] == "Null":
        return None
    if value["type"] == "Array":
        return [
            _return_value(engine, item, scope) if isinstance(item, dict) else engine.evaluate(item, scope)
            for item in content
        ]
    if value["type"] == "Object":
        return {entry["key"]: _return_value(engine, entry["value"], scope) for entry in content}
    return engine.evaluate(content, scope) if value["type"] == "Expression" else content


# --- choosing --------------------------------------------------------------------------------------------


async def if_condition(engine, activity, scope, run):
    """IfCondition: the true or the false activities, by a boolean expression."""
    properties = activity["typeProperties"]
    condition = _boolean(engine, properties["expression"], scope)
    run.input = {"expression": condition}
    branch = properties.get("ifTrueActivities" if condition else "ifFalseActivities") or []
    await _run_inner(engine, branch, scope.inside(run), scope)
    return {}


async def switch(engine, activity, scope, run):
    """Switch: the activities of the case with the value of the expression, minding case, else the default."""
    properties = activity["typeProperties"]
    value = to_text(engine.evaluate(properties["on"] if "on" in properties else properties["expression"], scope))
    run.input = {"on": value}
    chosen = next((case for case in properties.get("cases") or [] if case["value"] == value), None)
    branch = (chosen.get("activities") if chosen else properties.get("defaultActivities")) or []
    await _run_inner(engine, branch, scope.inside(run), scope)
    return {}


async def filter_items(engine, activity, scope, run):
    """Filter: the items for which a condition is true."""
    properties = activity["typeProperties"]
    items = _items(engine, properties, scope)
    run.input = {"items": items}
    kept = [item for item in items if _boolean(engine, properties["condition"], scope.inside(run, item=item))]
    return {"ItemsCount": len(items), "FilteredItemsCount": len(kept), "Value": kept}


# --- loops -----------------------------------------------------------------------------------------------


async def for_each(engine, activity, scope, run):
    """ForEach: the inner activities once for each item, one by one or up to batchCount at a time.

    A failing iteration does not stop the others; in the end the loop has failed.
    """
    properties = activity["typeProperties"]
    items = _items(engine, properties, scope)
    if len(items) > MOST_ITEMS:
        raise ActivityFailure("BadRequest", f"{len(items)} items are too many: the limit is {MOST_ITEMS}.")
    sequential = _flag(engine.evaluate(properties.get("isSequential", False), scope))
    batch_count = int(engine.evaluate(properties.get("batchCount", DEFAULT_BATCH_COUNT), scope))
    if not 1 <= batch_count <= LARGEST_BATCH_COUNT:
        raise ActivityFailure(
            "BadRequest", f"batchCount {batch_count} is not between 1 and {LARGEST_BATCH_COUNT}."
        )
    run.input = {"items": items, "isSequential": sequential, "batchCount": 1 if sequential else batch_count}
    activities = properties.get("activities") or []
    waiting, failures, ended = iter(enumerate(items)), [], []
    is_secret = scope.run.secrets.reads(properties["items"], scope.item_is_secret)

    async def work():
        for index, item in waiting:
            inner = scope.inside(run, item=item, item_is_secret=is_secret, iteration=index)
            try:
                await _run_inner(engine, activities, inner)
            except ActivityFailure as failure:
                failures.append(failure)
            ended.append(inner)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(run.input["batchCount"], len(items))):
            group.create_task(work())
    for inner in ended:
        scope.take_over(inner, activities)
    if failures:
        raise failures[0]
    return {"ItemsCount": len(items)}


async def until(engine, activity, scope, run):
    """Until: the inner activities again and again until a condition is true, or the time is up.

    A failing inner activity does not stop the loop; the last pass decides whether it has failed. A pass that
    takes no time is followed by a pause (a second, later a hundredth of the time spent), as the service too
    takes time for a pass.
    """
    properties = activity["typeProperties"]
    timeout = parse_timespan(engine.evaluate(properties.get("timeout", DEFAULT_UNTIL_TIMEOUT), scope))
    loop = asyncio.get_running_loop()
    begun = loop.time()
    activities = properties.get("activities") or []
    inner = scope
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            for index in count():
                pass_begun, failure = loop.time(), None
                inner = scope.inside(run, iteration=index)
                try:
                    await _run_inner(engine, activities, inner)
                except ActivityFailure as error:
                    failure = error
                if _boolean(engine, properties["expression"], inner):
                    break
                if loop.time() - pass_begun < 1:
                    await asyncio.sleep(max(1.0, (loop.time() - begun) / 100))
    except TimeoutError:
        raise ActivityFailure("Timeout", f"The condition was not met within {timeout}.") from None
    finally:
        scope.take_over(inner, activities)
    run.input = {"passes": index + 1}
    if failure:
        raise failure
    return {}


# --- pipelines, time, failure ----------------------------------------------------------------------------


async def execute_pipeline(engine, activity, scope, run):
    """ExecutePipeline: another pipeline with parameters; its return values when it is waited for."""
    properties = activity["typeProperties"]
    name = properties["pipeline"]["referenceName"]
    parameters = engine.evaluate(properties.get("parameters") or {}, scope)
    run.input = {"pipeline": name, "parameters": parameters}
    system = {
        "TriggerType": "PipelineActivity",
        "TriggerName": scope.run.pipeline,
        "TriggerId": scope.run.run_id,
        "GroupId": scope.run.system["GroupId"],
        "TriggeredByPipelineName": scope.run.pipeline,
        "TriggeredByPipelineRunId": scope.run.run_id,
    }
    try:
        child = engine.start_pipeline(name, parameters, system)
    except AdfLabError as error:
        raise ActivityFailure("BadRequest", str(error)) from None
    child.secured_parameters = bool((activity.get("policy") or {}).get("secureInput"))
    given = properties.get("parameters") or {}
    for key, value in parameters.items():
        # They may come as one expression.
        source = given.get(key, given) if isinstance(given, dict) else given
        if child.secured_parameters or scope.run.secrets.reads(source, scope.item_is_secret):
            child.secrets.add("parameters", key, value)
    run.input["parameters"] = {
        key: MASK if child.secrets.holds("parameters", key) else value for key, value in parameters.items()
    }
    child.caller, run.pipeline_run = scope.run, child
    if run.earlier and run.earlier["pipelineRun"]:
        child.earlier = run.earlier["pipelineRun"]["activityRuns"]
    output = {"pipelineName": name, "pipelineRunId": child.run_id}
    if not _flag(engine.evaluate(properties.get("waitOnCompletion", True), scope)):
        engine.run_in_background(child)
        return output
    await engine.run_pipeline(child)
    if child.status != "Succeeded":
        raise ActivityFailure("BadRequest", child.message, output)
    return output | {RETURN_VALUE: child.return_value}


async def wait(engine, activity, scope, run):
    """Wait: some seconds."""
    seconds = engine.evaluate(activity["typeProperties"]["waitTimeInSeconds"], scope)
    run.input = {"waitTimeInSeconds": seconds}
    try:
        seconds = int(seconds)
    except (TypeError, ValueError):
        seconds = -1
    if seconds < 0:
        raise ActivityFailure(
            "BadRequest", f"waitTimeInSeconds is {run.input['waitTimeInSeconds']!r}: it must be a whole number."
        )
    await asyncio.sleep(seconds)
    return {}


async def fail(engine, activity, scope, run):
    """Fail: an error with the author's message and code, or the fixed ones of the article's edge cases."""
    properties = activity.get("typeProperties") or {}
    unreadable = f"Failed to interpret {activity['name']} fail message or error code"
    not_text = f"{activity['name']} fail message parameter couldn't be interpreted as a string"
    message = _own_text(engine, scope, properties, "message", "Fail message wasn't provided", unreadable, not_text)
    code = _own_text(engine, scope, properties, "errorCode", *["ErrorCodeNotString"] * 3)
    if message == not_text and code == "ErrorCodeNotString" and "errorCode" in properties:
        message = unreadable
    run.input = {"message": message, "errorCode": code}
    raise ActivityFailure(code, message)


def _own_text(engine, scope, properties, name, missing, blank, not_text):
    """A text property of Fail, or the fixed text for: missing, null or blank, not evaluable or no text."""
    if name not in properties:
        return missing
    try:
        value = engine.evaluate(properties[name], scope)
    except ActivityFailure:
        return not_text
    if value is None or (isinstance(value, str) and not value.strip()):
        return blank
    return value if isinstance(value, str) else not_text


# --- parts -----------------------------------------------------------------------------------------------


async def _run_inner(engine, activities, scope, outer=None):
    """Run the activities inside a container; ActivityFailure if they add up to a failure.

    What they leave can be read in the scope `outer`, if there is one, from then on.
    """
    status, failed = await engine.run_activities(activities, scope)
    if outer is not None:
        outer.take_over(scope, activities)
    if status != "Succeeded":
        message = (failed.error or {}).get("message", "") if failed else ""
        name = failed.name if failed else ""
        raise ActivityFailure(
            "BadRequest",
            f"Activity failed because an inner activity failed; Inner activity name: {name}, Error: {message}",
        )


def _items(engine, properties, scope):
    items = engine.evaluate(properties["items"], scope)
    if not isinstance(items, list):
        raise ActivityFailure("BadRequest", f"items is of kind {kind_of(items)}: it must be an array.")
    return items


def _boolean(engine, expression, scope):
    """A condition; only true and false count, and a condition is an expression even without its object form."""
    text = expression["value"] if isinstance(expression, dict) else expression
    try:
        value = evaluate(text, engine.context(scope)) if isinstance(text, str) else text
    except ExpressionError as error:
        raise ActivityFailure("InvalidTemplate", str(error)) from None
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ActivityFailure("BadRequest", f"A condition is of kind {kind_of(value)}: it must be true or false.")
    return value


def _flag(value):
    """A switch that may also be written as text."""
    return value.lower() == "true" if isinstance(value, str) else bool(value)


CONTROL_ACTIVITIES = {
    "AppendVariable": append_variable,
    "ExecutePipeline": execute_pipeline,
    "Fail": fail,
    "Filter": filter_items,
    "ForEach": for_each,
    "IfCondition": if_condition,
    "SetVariable": set_variable,
    "Switch": switch,
    "Until": until,
    "Wait": wait,
}
