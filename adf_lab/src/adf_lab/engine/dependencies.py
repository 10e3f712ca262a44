"""When an activity runs, and what a pipeline's activities add up to.

Source: azure-docs, tutorial-pipeline-failure-error-handling, "Conditional paths" and "How pipeline failure
are determined".
"""

from graphlib import CycleError, TopologicalSorter

from adf_lab.errors import AdfLabError

OUTCOMES_OF_CONDITION = {
    "Succeeded": {"Succeeded"},
    "Failed": {"Failed"},
    "Skipped": {"Skipped"},
    "Completed": {"Succeeded", "Failed"},
}


def parents(activity):
    """The names of the activities that an activity depends on."""
    return [dependency["activity"] for dependency in activity.get("dependsOn") or []]


def may_run(activity, outcomes):
    """Whether the dependencies are met: all of them, each by any one of its conditions.

    `outcomes` maps the name of each parent to Succeeded, Failed or Skipped.
    """
    return all(
        any(
            outcomes[dependency["activity"]] in OUTCOMES_OF_CONDITION[condition.capitalize()]
            for condition in dependency.get("dependencyConditions") or ["Succeeded"]
        )
        for dependency in activity.get("dependsOn") or []
    )


def deciding_activities(activities, outcomes):
    """The names whose outcomes decide a run: the leaves; a skipped one is replaced by its parents."""
    followed = {name for activity in activities for name in parents(activity)}
    parents_of = {activity["name"]: parents(activity) for activity in activities}
    waiting = [activity["name"] for activity in activities if activity["name"] not in followed]
    decided, seen = [], set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if outcomes[name] == "Skipped":
            waiting.extend(parents_of[name])
        else:
            decided.append(name)
    return decided


def combined_status(activities, outcomes):
    """Succeeded if and only if every deciding activity succeeded, else Failed."""
    decided = deciding_activities(activities, outcomes)
    return "Succeeded" if all(outcomes[name] == "Succeeded" for name in decided) else "Failed"


def check_graph(activities, where):
    """Refuse names that come twice, dependencies on what is missing, and circles, with an AdfLabError."""
    parents_of = {}
    for activity in activities:
        if activity["name"] in parents_of:
            raise AdfLabError(f"{where}: there are two activities '{activity['name']}': rename one of them.")
        parents_of[activity["name"]] = parents(activity)
    for name, needed in parents_of.items():
        for parent in needed:
            if parent not in parents_of:
                raise AdfLabError(f"{where}: '{name}' depends on '{parent}', which does not exist beside it.")
    circle = find_cycle(parents_of)
    if circle:
        raise AdfLabError(f"{where}: the dependencies go in a circle: {' -> '.join(circle)}.")


def find_cycle(followers):
    """One circle in a graph {node: nodes it leads to}, first node repeated at the end; empty if there is none.

    It begins with the node of the circle that stands first in the graph.
    """
    try:
        TopologicalSorter(followers).prepare()
    except CycleError as error:
        # Each node of the error's circle is one that the next node leads to.
        circle = error.args[1][:0:-1]
        first = circle.index(next(node for node in followers if node in circle))
        return [*circle[first:], *circle[: first + 1]]
    return []
