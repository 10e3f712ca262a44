"""The shape of a pipeline: what stands inside what."""

INNER_LISTS = {
    "ForEach": ["activities"],
    "Until": ["activities"],
    "IfCondition": ["ifTrueActivities", "ifFalseActivities"],
    "Switch": ["defaultActivities"],
}


def is_active(activity):
    """Whether an activity is to be run; inactive ones are neither run nor checked."""
    return activity.get("state", "Active") != "Inactive"


def inner_activities(activity):
    """The lists of activities inside a container, each with its JSON path inside the activity."""
    properties, kind = activity.get("typeProperties"), activity.get("type")
    if not isinstance(properties, dict) or not isinstance(kind, str):
        return
    for name in INNER_LISTS.get(kind, []):
        if isinstance(properties.get(name), list):
            yield f"typeProperties.{name}", properties[name]
    if kind == "Switch" and isinstance(properties.get("cases"), list):
        for index, case in enumerate(properties["cases"]):
            if isinstance(case, dict) and isinstance(case.get("activities"), list):
                yield f"typeProperties.cases[{index}].activities", case["activities"]


def own_type_properties(activity):
    """The type properties of an activity without the activities inside it."""
    properties = activity.get("typeProperties") or {}
    if activity.get("type") not in INNER_LISTS:
        return properties
    inner = {*INNER_LISTS[activity["type"]], "cases"}
    return {name: value for name, value in properties.items() if name not in inner}


def all_activities(activities, path="properties.activities"):
    """Every activity of a pipeline with its JSON path, containers before what they hold.

    What is no object is left out; so every file can be walked through, however broken.
    """
    for index, activity in enumerate(activities if isinstance(activities, list) else []):
        if not isinstance(activity, dict):
            continue
        place = f"{path}[{index}]"
        yield place, activity
        for inner_path, inner in inner_activities(activity):
            yield from all_activities(inner, f"{place}.{inner_path}")


def active_types(pipelines):
    """The pairs of name and type of all activities that are to be run, in the pipelines of a factory."""
    for document in pipelines.values():
        properties = document.get("properties")
        activities = properties.get("activities") if isinstance(properties, dict) else None
        for _, activity in all_activities(activities):
            name, kind = activity.get("name"), activity.get("type")
            if isinstance(name, str) and isinstance(kind, str) and is_active(activity):
                yield name, kind
