"""The shape that running and drawing rely on; what lacks it is refused with a sentence. `check` says the rest."""

from typing import Any

from adf_lab.errors import AdfLabError
from adf_lab.structure import INNER_LISTS, is_active

CONDITIONS = {"succeeded": "Succeeded", "failed": "Failed", "skipped": "Skipped", "completed": "Completed"}
EXPRESSION = (str, dict, bool)
# What the control activities cannot do without: properties and the types of JSON that each may have.
NEEDED: dict[str, dict[str, tuple]] = {
    "AppendVariable": {"variableName": (str,)},
    "ExecutePipeline": {"pipeline": (dict,)},
    "Filter": {"items": EXPRESSION, "condition": EXPRESSION},
    "ForEach": {"items": (str, dict, list)},
    "IfCondition": {"expression": EXPRESSION},
    "SetVariable": {"variableName": (str,)},
    "Until": {"expression": EXPRESSION},
    "Wait": {"waitTimeInSeconds": (int, str, dict)},
}


def refuse_misshapen(name, document):
    """AdfLabError if the document of a pipeline has not the shape that can be run."""
    where = f"Pipeline '{name}'"
    properties = _need(document, "properties", dict, where)
    for group in ("parameters", "variables"):
        for key, specification in _may(properties, group, dict, where, {}).items():
            _be(specification, dict, f"{where}, {group}, '{key}'")
            _need(specification, "type", str, f"{where}, {group}, '{key}'")
    _activities(_may(properties, "activities", list, where, []), where)


FREQUENCIES = {
    "ScheduleTrigger": ("Minute", "Hour", "Day", "Week", "Month"),
    "TumblingWindowTrigger": ("Minute", "Hour", "Month"),
}


def refuse_misshapen_trigger(name, document):
    """AdfLabError if the document of a trigger has not the shape from which times can be computed."""
    where = f"Trigger '{name}'"
    properties = _need(document, "properties", dict, where)
    _need(properties, "type", str, where)
    single = _may(properties, "pipeline", dict, where, None)
    for entry in [*_may(properties, "pipelines", list, where, []), *([single] if single else [])]:
        _be(entry, dict, f"{where}, pipelines")
        _need(_need(entry, "pipelineReference", dict, where), "referenceName", str, where)
        _may(entry, "parameters", dict, where, {})
    own = _may(properties, "typeProperties", dict, where, {})
    if properties["type"] == "ScheduleTrigger":
        own = _need(own, "recurrence", dict, where)
    if properties["type"] == "TumblingWindowTrigger":
        _need(properties, "pipeline", dict, where)
        _need(own, "maxConcurrency", int, where)
    if properties["type"] in FREQUENCIES:
        known = FREQUENCIES[properties["type"]]
        if _need(own, "frequency", str, where).capitalize() not in known:
            _refuse(f"{where}, 'frequency'", f"{own['frequency'][:60]!r} must be one of {', '.join(known)}")
        _need(own, "startTime", str, where)
        if not str(_need(own, "interval", (int, str), where)).isdecimal():
            _refuse(f"{where}, 'interval'", f"{str(own['interval'])[:60]!r} is no whole number above 0")
        for key in ("endTime", "timeZone", "delay"):
            _may(own, key, str, where, "")
        _may(_may(own, "retryPolicy", dict, where, {}), "count", int, where, 0)
        for entry in _may(own, "dependsOn", list, where, []):
            _be(entry, dict, f"{where}, dependsOn")
            _need(entry, "type", str, f"{where}, dependsOn")
        schedule = _may(own, "schedule", dict, where, {})
        for key, kind in (("minutes", int), ("hours", int), ("monthDays", int), ("weekDays", str)):
            values = _may(schedule, key, (list, kind), where, [])
            for value in values if isinstance(values, list) else [values]:
                _be(value, kind, f"{where}, '{key}'")
        for entry in _may(schedule, "monthlyOccurrences", list, where, []):
            _be(entry, dict, f"{where}, monthlyOccurrences")
            _need(entry, "day", str, f"{where}, monthlyOccurrences")
            _may(entry, "occurrence", int, f"{where}, monthlyOccurrences", 0)


def _activities(activities, where):
    for index, activity in enumerate(activities):
        _be(activity, dict, f"{where}, activity {index + 1}")
        name = _need(activity, "name", str, f"{where}, activity {index + 1}")
        place = f"{where}, activity '{name}'"
        kind = _need(activity, "type", str, place)
        for dependency in _may(activity, "dependsOn", list, place, []):
            _be(dependency, dict, f"{place}, dependsOn")
            _need(dependency, "activity", str, f"{place}, dependsOn")
            for condition in _may(dependency, "dependencyConditions", list, f"{place}, dependsOn", []):
                if str(condition).lower() not in CONDITIONS:
                    _refuse(f"{place}, dependsOn", f"{condition!r} is none of {', '.join(CONDITIONS.values())}")
        for entry in _may(activity, "userProperties", list, place, []):
            _be(entry, dict, f"{place}, userProperties")
            _need(entry, "name", str, f"{place}, userProperties")
            _need(entry, "value", object, f"{place}, userProperties")
        _may(activity, "policy", dict, place, {})
        properties = _may(activity, "typeProperties", dict, place, {})
        for inner in INNER_LISTS.get(kind, []):
            _activities(_may(properties, inner, list, place, []), place)
        if kind == "Switch":
            for case in _may(properties, "cases", list, place, []):
                _be(case, dict, f"{place}, cases")
                _need(case, "value", str, f"{place}, cases")
                _activities(_may(case, "activities", list, f"{place}, cases", []), place)
        if is_active(activity):
            _control(kind, properties, place)


def _control(kind, properties, place):
    for key, types in NEEDED.get(kind, {}).items():
        value = _need(properties, key, types, place)
        if key in ("expression", "condition") and isinstance(value, dict):
            _need(value, "value", (str, bool), f"{place}, {key}")
    if kind == "Switch":
        _need(properties, "on" if "on" in properties else "expression", EXPRESSION, place)
    if kind == "ExecutePipeline":
        _need(properties["pipeline"], "referenceName", str, f"{place}, pipeline")
        _may(properties, "parameters", dict, place, {})
    if kind == "SetVariable" and properties.get("setSystemVariable"):
        for entry in _may(properties, "value", list, place, []):
            _be(entry, dict, f"{place}, value")
            _need(entry, "key", str, f"{place}, value")
            _returned(_need(entry, "value", dict, f"{place}, value"), place)


def _returned(value, place):
    """A typed return value: what its content has to be."""
    kind = _need(value, "type", str, f"{place}, value")
    if kind == "Array":
        for item in _need(value, "content", list, f"{place}, value"):
            if isinstance(item, dict):
                _returned(item, place)
    if kind == "Object":
        for entry in _need(value, "content", list, f"{place}, value"):
            _be(entry, dict, f"{place}, value")
            _need(entry, "key", str, f"{place}, value")
            _returned(_need(entry, "value", dict, f"{place}, value"), place)


def _need(holder, key, types, where) -> Any:
    if key not in holder:
        _refuse(where, f"'{key}' is missing")
    _be(holder[key], types, f"{where}, '{key}'")
    return holder[key]


def _may(holder, key, kind, where, otherwise) -> Any:
    """The value of a key; what is missing or null is as if it were empty."""
    value = holder.get(key)
    if value is None:
        return otherwise
    _be(value, kind, f"{where}, '{key}'")
    return value


def _be(value, types, where):
    if not isinstance(value, types):
        _refuse(where, f"{str(value)[:60]!r} has the wrong type")


def _refuse(where, what):
    raise AdfLabError(f"{where}: {what}. `check` says all that is wrong with the factory.")
