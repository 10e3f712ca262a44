"""Control flow: no circles, no forbidden nesting, and a failed run that looks failed.

Sources: azure-docs, control-flow-for-each-activity ("Limitations"), control-flow-set-variable-activity,
tutorial-pipeline-failure-error-handling.
"""

from adf_lab.check.finding import finding
from adf_lab.engine import find_cycle, parents
from adf_lab.expressions import variables_read
from adf_lab.spelling import suggestion
from adf_lab.structure import all_activities, inner_activities, is_active

LOOPS = {"ForEach", "Until"}
CHOICES = {"IfCondition", "Switch"}
OUTCOMES = {
    "succeeded": {"Succeeded"},
    "failed": {"Failed"},
    "skipped": {"Skipped"},
    "completed": {"Succeeded", "Failed"},
}


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
                message = f"activities wait for one another: {' -> '.join(circle)}."
                yield finding("activity-circle", resource.file, path, message)
    calls = {
        name: [
            _called(activity)
            for _, activity in all_activities(resource.properties.get("activities") or [])
            if activity.get("type") == "ExecutePipeline"
        ]
        for name, resource in factory.resources["pipeline"].items()
    }
    circle = find_cycle(calls)
    if circle:
        file = factory.resources["pipeline"][circle[0]].file
        yield finding("pipeline-circle", file, "", f"pipelines call one another: {' -> '.join(circle)}.")


def _called(activity):
    reference = (activity.get("typeProperties") or {}).get("pipeline") or {}
    return reference.get("referenceName")


def forbidden_nesting(factory):
    """Containers in containers, but for a choice in a loop; a Validation in any of them."""
    for resource in factory.resources["pipeline"].values():
        yield from _nested(resource, resource.properties.get("activities") or [], "properties.activities", ())


def _nested(resource, activities, path, around):
    for index, activity in enumerate(activities):
        kind, place = activity.get("type"), f"{path}[{index}]"
        inner = list(inner_activities(activity))
        choice_in_loop = kind in CHOICES and not CHOICES & set(around)
        if around and (kind == "Validation" or (kind in LOOPS | CHOICES and not choice_in_loop)):
            message = f"{kind} may not stand inside {around[-1]}: call a pipeline of its own there."
            yield finding("nesting", resource.file, place, message)
            continue
        for inner_path, group in inner:
            yield from _nested(resource, group, f"{place}.{inner_path}", (*around, kind))


def dependencies(factory):
    """Conditions that do not go together, in one dependency or in two on the same activity."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            possible: dict[str, set[str]] = {}
            for index, dependency in enumerate(activity.get("dependsOn") or []):
                place = f"{path}.dependsOn[{index}]"
                conditions = [str(one).lower() for one in dependency.get("dependencyConditions") or ["Succeeded"]]
                if "completed" in conditions and {"succeeded", "failed"} & set(conditions):
                    message = "Completed stands beside Succeeded or Failed, which it means already: remove those."
                    yield finding("completed-beside-others", resource.file, place, message)
                outcomes = set().union(*(OUTCOMES.get(one, set()) for one in conditions))
                name = str(dependency.get("activity"))
                before = possible.setdefault(name, outcomes)
                if before and outcomes and not before & outcomes:
                    message = f"'{name}' cannot end both ways, so this never runs: make it one dependency."
                    yield finding("impossible-dependency", resource.file, place, message)
                possible[name] = before & outcomes


def cases(factory):
    """Two cases of a Switch with one value."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            seen: dict[str, int] = {}
            entries = (
                (activity.get("typeProperties") or {}).get("cases") if activity.get("type") == "Switch" else []
            )
            for index, case in enumerate(entries or []):
                value = case.get("value")
                if isinstance(value, str) and seen.setdefault(value, index) != index:
                    message = f"{value!r} is also the value of cases[{seen[value]}]: remove one of the two."
                    yield finding("repeated-case", resource.file, f"{path}.typeProperties.cases[{index}]", message)


def green_failures(factory):
    """Failure branches that do not end in Fail: the run would succeed although something has failed."""
    for resource in factory.resources["pipeline"].values():
        for path, group in groups(resource):
            followers: dict[str, list[dict]] = {}
            for activity in group:
                for parent in parents(activity):
                    followers.setdefault(parent, []).append(activity)
            for index, activity in enumerate(group):
                for end in _ends(activity, followers) if _runs_only_on_failure(activity) else ():
                    if end.get("type") != "Fail":
                        message = (
                            f"the failure branch of '{activity['name']}' ends with '{end['name']}', so the run "
                            "would succeed: let it end in a Fail activity."
                        )
                        yield finding("green-failure", resource.file, f"{path}[{index}]", message)


def _runs_only_on_failure(activity):
    conditions = [dependency.get("dependencyConditions") or [] for dependency in activity.get("dependsOn") or []]
    return is_active(activity) and any(
        "Failed" in alternatives and not {"Succeeded", "Completed"} & set(alternatives)
        for alternatives in conditions
    )


def _ends(activity, followers):
    """The activities without followers that come after an activity, or itself."""
    waiting, seen, ends = [activity], {activity["name"]}, []
    while waiting:
        current = waiting.pop(0)
        after = followers.get(current["name"], [])
        if not after:
            ends.append(current)
        new = [other for other in after if other["name"] not in seen]
        seen.update(other["name"] for other in new)
        waiting += new
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
            and str((activity.get("typeProperties") or {}).get("isSequential", False)).lower() != "true"
            for _, group in inner_activities(activity)
            for _, inner in all_activities(group)
        }
        for path, activity in all_activities(activities):
            properties = activity.get("typeProperties") or {}
            if activity.get("type") not in ("SetVariable", "AppendVariable") or properties.get(
                "setSystemVariable"
            ):
                continue
            if not is_active(activity):
                continue
            name = properties.get("variableName")
            place = f"{path}.typeProperties.variableName"
            if name not in declared:
                remedy = suggestion(str(name), declared, ": declare it.")
                message = f"there is no variable '{name}'{remedy}"
                yield finding("unknown-variable", resource.file, place, message)
            if activity["type"] == "SetVariable" and name in variables_read(properties.get("value")):
                message = f"'{name}' cannot refer to itself: use a second variable."
                yield finding("self-reference", resource.file, place, message)
            if activity["type"] == "SetVariable" and id(activity) in racing:
                message = (
                    f"parallel iterations overwrite '{name}': make the ForEach sequential, or call a pipeline."
                )
                yield finding("parallel-variable", resource.file, place, message)


def inactive_activities(factory):
    """Activities that never run."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            if not is_active(activity):
                message = f"'{activity.get('name')}' is inactive: remove it or activate it."
                yield finding("inactive-activity", resource.file, path, message)
