"""Every case of pipelines.jsonl runs as it does in Data Factory, on the virtual clock."""

from collections import Counter

import pytest

from adf_lab import Engine, Script, VirtualClock, all_activities, walk
from adf_support.vectors import vectors

IGNORED = {"Skipped", "Inactive"}


class Timeline:
    """The starts and ends of a run, in the order in which they happened."""

    def __init__(self):
        self.events = []

    def observe(self, event, run):
        self.events.append((event, run.name))

    def is_ordered(self, first, second):
        return self.events.index(("end", first)) < self.events.index(("start", second))

    def most_at_once(self, name):
        running = most = 0
        for event, other in self.events:
            if other == name:
                running += 1 if event == "start" else -1
                most = max(most, running)
        return most


def run_case(case):
    pipelines = {document["name"]: document for document in case["pipelines"]}
    activities = [
        activity
        for document in case["pipelines"]
        for _, activity in all_activities(document["properties"]["activities"])
    ]
    timeline, clock = Timeline(), VirtualClock()
    engine = Engine(
        pipelines,
        Script(case["script"]).executors({activity["type"] for activity in activities}),
        clock,
        global_parameters=case["run"]["globalParameters"],
        observe=timeline.observe,
    )
    run = engine.run(case["run"]["pipeline"], case["run"]["parameters"])
    return run, timeline


def contains(actual, expected):
    if isinstance(expected, dict) and isinstance(actual, dict):
        return all(name in actual and contains(actual[name], value) for name, value in expected.items())
    return type(actual) is type(expected) and actual == expected


@pytest.mark.parametrize("case", vectors("pipelines.jsonl"))
def test_vectors_of_pipelines(case):
    run, timeline = run_case(case)
    expected = case["expected"]
    runs = list(walk(run.activities))
    by_name = {found.name: found for found in runs}
    statuses = {name: Counter(found.status for found in runs if found.name == name) for name in by_name}

    assert run.status == expected.get("pipelineStatus", run.status)
    for name, allowed in expected.get("activities", {}).items():
        # What stands in a branch that is not taken has no run at all.
        status = by_name[name].status if name in by_name else "Skipped"
        assert status in (allowed if isinstance(allowed, list) else [allowed]), name
    for name, counts in expected.get("activityRuns", {}).items():
        found = statuses.get(name, {})
        assert {status: n for status, n in found.items() if status not in IGNORED} == counts
    for name, attempts in expected.get("attempts", {}).items():
        assert sum(len(found.attempts) for found in runs if found.name == name) == attempts
    for first, second in expected.get("order", []):
        assert timeline.is_ordered(first, second)
    for name in expected.get("ran", []):
        assert by_name[name].attempts
    for name in expected.get("notRun", []):
        assert name not in by_name or not by_name[name].attempts
    for name, value in expected.get("variables", {}).items():
        assert contains(run.variables[name], value)
    for name, value in expected.get("variablesUnordered", {}).items():
        assert sorted(run.variables[name], key=repr) == sorted(value, key=repr)
    for name, output in expected.get("outputs", {}).items():
        assert contains(by_name[name].output, output)
    for name, value in expected.get("inputs", {}).items():
        assert contains(by_name[name].input, value)
    for name, error in expected.get("errors", {}).items():
        assert contains(by_name[name].error, error)
    for name, values in expected.get("returnValues", {}).items():
        assert contains(by_name[name].output["pipelineReturnValue"], values)
    for name, most in expected.get("maxParallel", {}).items():
        assert timeline.most_at_once(name) <= most
    assert (run.end - run.start).total_seconds() >= expected.get("minElapsedSeconds", 0)
