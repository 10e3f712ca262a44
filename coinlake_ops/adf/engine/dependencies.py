"""When an activity runs, and what a pipeline's activities add up to.

Source: azure-docs, tutorial-pipeline-failure-error-handling, "Conditional paths" and "How pipeline failure
are determined".
"""

from coinlake.errors import CoinlakeError

OUTCOMES_OF_CONDITION = {
    "Succeeded": {"Succeeded"},
    "Failed": {"Failed"},
    "Skipped": {"Skipped"},
    "Completed": {"Succeeded", "Failed"},
}


def parents(activity):
    """The names of the activities that an activity depends on."""
    return [dependency["activity"] for dependency in activity.get("dependsOn", [])]


def may_run(activity, outcomes):
    """Whether the dependencies are met: all of them, each by any one of its conditions.

    `outcomes` maps the name of each parent to Succeeded, Failed or Skipped.
    """
    return all(
        any(
            outcomes[dependency["activity"]] in OUTCOMES_OF_CONDITION[condition]
            for condition in dependency.get("dependencyConditions") or ["Succeeded"]
        )
        for dependency in activity.get("dependsOn", [])
    )


def deciding_activities(activities, outcomes):
    """The names whose outcomes decide a run: the leaves; a skipped one is replaced by its parents."""
    followed = {name for activity in activities for name in parents(activity)}
    parents_of = {activity["name"]: parents(activity) for activity in activities}
    waiting = [activity["name"] for activity in activities if activity["name"] not in followed]
    decided = []
    while waiting:
        name = waiting.pop(0)
        if outcomes[name] == "Skipped":
            waiting.extend(parents_of[name])
        elif name not in decided:
            decided.append(name)
    return decided


def combined_status(activities, outcomes):
    """Succeeded if and only if every deciding activity succeeded, else Failed."""
    decided = deciding_activities(activities, outcomes)
    return "Succeeded" if all(outcomes[name] == "Succeeded" for name in decided) else "Failed"


def check_graph(activities, where):
    """Refuse dependencies on activities that are missing, or that go in a circle, with a CoinlakeError."""
    parents_of = {activity["name"]: parents(activity) for activity in activities}
    for name, needed in parents_of.items():
        for parent in needed:
            if parent not in parents_of:
                raise CoinlakeError(f"{where}: '{name}' depends on '{parent}', which does not exist beside it.")
    circle = find_cycle(parents_of)
    if circle:
        raise CoinlakeError(f"{where}: the dependencies go in a circle: {' -> '.join(circle)}.")


def find_cycle(followers):
    """One circle in a graph {node: nodes it leads to}, first node repeated at the end; empty if there is none."""
    done = set()

    def search(node, path):
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in followers.get(node, []):
            circle = search(other, [*path, node])
            if circle:
                return circle
        done.add(node)
        return []

    for node in followers:
        circle = search(node, [])
        if circle:
            return circle
    return []
