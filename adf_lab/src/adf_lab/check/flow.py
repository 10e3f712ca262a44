"""Control flow: no circles, no forbidden nesting, and a failed run that looks failed.

Sources: azure-docs, control-flow-for-each-activity ("Limitations"), control-flow-set-variable-activity,
tutorial-pipeline-failure-error-handling.
"""

from adf_lab.check.finding import Finding
from adf_lab.engine import find_cycle, parents
from adf_lab.expressions import variables_read
from adf_lab.structure import all_activities, inner_activities, is_active

LOOPS = {"ForEach", "Until"}
CHOICES = {"IfCondition", "Switch"}


def groups(resource):
    """Every list of activities of a pipeline with its JSON path."""
    activities = resource.properties.get("activities") or []
    yield "properties.activities", activities
    for path, activity in all_activities(activities):
        for inner_path, inner in inner_activities(activity):
            yield f"{path}.{inner_path}", inner


def circles(factory):
    """Activities that depend on one another, pipelines that call one another, in a circle."""
    for resource in factory.resources["pipeline"].values():
        for path, group in groups(resource):
            circle = find_cycle({activity.get("name"): parents(activity) for activity in group})
            if circle:
                yield Finding(resource.file, path, f"activities wait for one another: {' -> '.join(circle)}.")
    calls = {
        name: [
            (activity.get("typeProperties") or {}).get("pipeline", {}).get("referenceName")
            for _, activity in all_activities(resource.properties.get("activities") or [])
            if activity.get("type") == "ExecutePipeline"
        ]
        for name, resource in factory.resources["pipeline"].items()
    }
    circle = find_cycle(calls)
    if circle:
        file = factory.resources["pipeline"][circle[0]].file
        yield Finding(file, "", f"pipelines call one another: {' -> '.join(circle)}.")


def forbidden_nesting(factory):
    """Loops in loops and choices in choices."""
    for resource in factory.resources["pipeline"].values():
        yield from _nested(resource, resource.properties.get("activities") or [], "properties.activities", ())


def _nested(resource, activities, path, around):
    for index, activity in enumerate(activities):
        kind, place = activity.get("type"), f"{path}[{index}]"
        family = LOOPS if kind in LOOPS else CHOICES if kind in CHOICES else set()
        outside = [other for other in around if other in family]
        if outside:
            yield Finding(
                resource.file,
                place,
                f"{kind} may not stand inside {outside[-1]}: call a pipeline of its own there.",
            )
        for inner_path, inner in inner_activities(activity):
            yield from _nested(resource, inner, f"{place}.{inner_path}", (*around, kind))


def green_failures(factory):
    """Failure branches that do not end in Fail: the run would succeed although something has failed."""
    for resource in factory.resources["pipeline"].values():
        for path, group in groups(resource):
            for index, activity in enumerate(group):
                for end in _ends(activity, group) if _runs_only_on_failure(activity) else ():
                    if end.get("type") != "Fail":
                        message = (
                            f"the failure branch of '{activity['name']}' ends with '{end['name']}', so the run "
                            "would succeed: let it end in a Fail activity."
                        )
                        yield Finding(resource.file, f"{path}[{index}]", message)


def _runs_only_on_failure(activity):
    conditions = [dependency.get("dependencyConditions") or [] for dependency in activity.get("dependsOn") or []]
    return is_active(activity) and any(
        "Failed" in alternatives and not {"Succeeded", "Completed"} & set(alternatives)
        for alternatives in conditions
    )


def _ends(activity, group):
    """The activities without followers that come after an activity, or itself."""
    followers = [other for other in group if activity.get("name") in parents(other)]
    if not followers:
        return [activity]
    ends: list[dict] = []
    for follower in followers:
        ends.extend(end for end in _ends(follower, group) if end not in ends)
    return ends


def variable_mistakes(factory):
    """Variables that are not declared, that set themselves, or that parallel iterations overwrite."""
    for resource in factory.resources["pipeline"].values():
        declared = resource.properties.get("variables") or {}
        activities = resource.properties.get("activities") or []
        racing = {
            id(inner)
            for _, activity in all_activities(activities)
            if activity.get("type") == "ForEach"
            and str(activity.get("typeProperties", {}).get("isSequential", False)).lower() != "true"
            for _, inner in all_activities(activity.get("typeProperties", {}).get("activities") or [])
        }
        for path, activity in all_activities(activities):
            properties = activity.get("typeProperties") or {}
            if activity.get("type") not in ("SetVariable", "AppendVariable") or properties.get(
                "setSystemVariable"
            ):
                continue
            name = properties.get("variableName")
            place = f"{path}.typeProperties.variableName"
            if name not in declared:
                yield Finding(resource.file, place, f"there is no variable '{name}': declare it.")
            if activity["type"] == "SetVariable" and name in variables_read(properties.get("value")):
                yield Finding(resource.file, place, f"'{name}' cannot refer to itself: use a second variable.")
            if activity["type"] == "SetVariable" and id(activity) in racing:
                yield Finding(
                    resource.file,
                    place,
                    f"parallel iterations overwrite '{name}': make the ForEach sequential, or call a pipeline.",
                )


def inactive_activities(factory):
    """Activities that never run."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            if not is_active(activity):
                yield Finding(
                    resource.file, path, f"'{activity.get('name')}' is inactive: remove it or activate it."
                )
