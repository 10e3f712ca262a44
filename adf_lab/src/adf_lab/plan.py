"""What a run would do, told before it runs: every activity with the inputs that can be known by then."""

import json

from adf_lab.engine import MASK, check_graph, parents, refuse_unknown_parameters
from adf_lab.errors import AdfLabError
from adf_lab.expressions import Context, ExpressionError, evaluate, evaluate_tree, is_expression
from adf_lab.shape import refuse_misshapen
from adf_lab.structure import inner_activities, is_active, own_type_properties

NOT_CHOSEN = {"True": "typeProperties.ifFalseActivities", "False": "typeProperties.ifTrueActivities"}


def plan(pipelines, name, parameters, global_parameters, depth=0, callers=(), told=None, unknown=()):
    """Lines about a pipeline and those that it calls: (depth, activity name, type, conditions, inputs).

    Inputs that depend on outputs, variables, items or parameters without a value stand as their expressions;
    where a choice is known by then, only what it chooses is told. A call that is `told` already, with the same
    parameters, is one line. `unknown` names the parameters whose values are not known.
    AdfLabError if there is no such pipeline or parameter.
    """
    told = set() if told is None else told
    if name not in pipelines:
        raise AdfLabError(f"There is no pipeline '{name}'; there are: {', '.join(sorted(pipelines)) or 'none'}.")
    if name in callers:
        circle = " -> ".join([*callers[callers.index(name) :], name])
        raise AdfLabError(f"The pipelines call one another in a circle: {circle}.")
    refuse_misshapen(name, pipelines[name])
    properties = pipelines[name]["properties"]
    refuse_unknown_parameters(name, properties.get("parameters") or {}, parameters)
    values = {}
    for key, specification in (properties.get("parameters") or {}).items():
        if key in unknown or (key not in parameters and "defaultValue" not in specification):
            continue
        value = parameters.get(key, specification.get("defaultValue"))
        is_secret = specification["type"].lower() == "securestring" and value is not None
        values[key] = MASK if is_secret else value
    context = Context(parameters=values, global_parameters=global_parameters, system={"Pipeline": name})
    yield from _group(pipelines, properties.get("activities") or [], context, depth, (*callers, name), told)


def _group(pipelines, activities, context, depth, callers, told):
    check_graph(activities, f"Pipeline '{callers[-1]}'")
    for activity in _in_order(activities):
        inputs = _known(own_type_properties(activity), context)
        yield depth, activity["name"], activity["type"], _conditions(activity), inputs
        for place, inner in inner_activities(activity):
            if place != NOT_CHOSEN.get(str(inputs.get("expression"))):
                yield from _group(pipelines, inner, context, depth + 1, callers, told)
        if activity["type"] == "ExecutePipeline":
            child = activity["typeProperties"]["pipeline"]["referenceName"]
            parameters = inputs.get("parameters") or {}
            if is_expression(parameters) or not isinstance(parameters, dict):
                parameters = {}
            call = (child, json.dumps(parameters, sort_keys=True, default=str))
            if call in told:
                yield depth + 1, child, "told above", [], parameters
                continue
            told.add(call)
            passed = activity["typeProperties"].get("parameters")
            unknown = [name for name in parameters if not _is_known(passed[name], context)]
            known = context.global_parameters
            yield from plan(pipelines, child, parameters, known, depth + 1, callers, told, unknown)


def _in_order(activities):
    """Active activities, each after those that it depends on."""
    placed: list[dict] = []
    waiting = [activity for activity in activities if is_active(activity)]
    names = {activity["name"] for activity in waiting}
    while waiting:
        done = {activity["name"] for activity in placed}
        ready = [activity for activity in waiting if {*parents(activity)} & names <= done]
        placed += ready
        waiting = [activity for activity in waiting if activity not in ready]
    return placed


def _conditions(activity):
    return [
        f"{dependency['activity']} {' or '.join(dependency.get('dependencyConditions') or ['Succeeded'])}"
        for dependency in activity.get("dependsOn") or []
    ]


def _is_known(value, context):
    try:
        evaluate_tree(value, context)
    except ExpressionError:
        return False
    return True


def _known(value, context):
    """A JSON value with those expressions evaluated that can be."""
    if isinstance(value, str):
        try:
            return evaluate(value, context)
        except ExpressionError:
            return value
    if is_expression(value):
        return _known(value["value"], context)
    if isinstance(value, list):
        return [_known(item, context) for item in value]
    if isinstance(value, dict):
        return {name: _known(member, context) for name, member in value.items()}
    return value
