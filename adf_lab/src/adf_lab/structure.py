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
    properties = activity.get("typeProperties") or {}
    for name in INNER_LISTS.get(activity.get("type"), []):
        if isinstance(properties.get(name), list):
            yield f"typeProperties.{name}", properties[name]
    if activity.get("type") == "Switch":
        for index, case in enumerate(properties.get("cases") or []):
            yield f"typeProperties.cases[{index}].activities", case.get("activities") or []


def own_type_properties(activity):
    """The type properties of an activity without the activities inside it."""
    properties = activity.get("typeProperties") or {}
    if activity.get("type") not in INNER_LISTS:
        return properties
    inner = {*INNER_LISTS[activity["type"]], "cases"}
    return {name: value for name, value in properties.items() if name not in inner}


def all_activities(activities, path="properties.activities"):
    """Every activity of a pipeline with its JSON path, containers before what they hold."""
    for index, activity in enumerate(activities):
        place = f"{path}[{index}]"
        yield place, activity
        for inner_path, inner in inner_activities(activity):
            yield from all_activities(inner, f"{place}.{inner_path}")
