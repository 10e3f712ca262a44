"""Every case of triggers.jsonl fires when Data Factory fires."""

from datetime import timedelta

import pytest

from adf_lab import VirtualClock
from adf_lab.simulation import simulate
from adf_lab.triggers import (
    Window,
    dependency_intervals,
    iso,
    next_windows,
    parse_time,
    ready_windows,
    schedule_parameters,
    schedule_times,
    window_parameters,
    windows,
)
from adf_support.vectors import vectors


def as_json(window):
    return {"start": iso(window.start), "end": iso(window.end), "notBefore": iso(window.not_before)}


def check_schedule(case, expected):
    times = schedule_times(case["trigger"], parse_time(case["from"]), parse_time(case["to"]))
    assert [iso(time) for time in times] == expected["fireTimesUtc"]


def check_parameters(case, expected):
    [(_, parameters)] = schedule_parameters(case["trigger"], parse_time(case["fireTimeUtc"]))
    assert parameters == expected["parameters"]


def one_window(trigger, results):
    """How the first window of a trigger ends whose runs have these results, and how often it runs."""
    first = next(windows(trigger))
    ran = []

    async def run(firing, note):
        ran.append(next(results))
        return ran[-1]

    clock = VirtualClock(first.not_before)
    watch = simulate({"tw": trigger}, run, {}.__getitem__, clock, print, first.not_before + timedelta(seconds=1))
    return "Failed" if watch.failed else "Succeeded", len(ran)


def check_windows(case, expected):
    trigger, as_of = case["trigger"], parse_time(case["asOf"])
    ready = ready_windows(trigger, as_of)
    if "readyWindows" in expected:
        assert [as_json(window) for window in ready] == expected["readyWindows"]
    first = next_windows(trigger, as_of)
    if "firstBatch" in expected:
        assert [iso(window.start) for window in first] == expected["firstBatch"]
    if "secondBatch" in expected:
        second = next_windows(trigger, as_of, succeeded=first)
        assert [iso(window.start) for window in second] == expected["secondBatch"]
    if "pipelineResults" in case:
        status, runs = one_window(trigger, iter(case["pipelineResults"]))
        assert status == expected.get("windowStatus", status)
        assert runs == expected.get("pipelineRuns", runs)
    if "parameters" in expected:
        assert [window_parameters(trigger, window)[1] for window in ready] == expected["parameters"]
    if "dependencyIntervals" in expected:
        start, end = (parse_time(expected["window"][name]) for name in ("start", "end"))
        window = Window(start, end, end)
        intervals = dependency_intervals(trigger, window)
        assert [{"start": iso(start), "end": iso(end)} for start, end in intervals] == expected[
            "dependencyIntervals"
        ]


CHECKS = {"schedule": check_schedule, "scheduleParameters": check_parameters, "tumblingWindow": check_windows}


@pytest.mark.parametrize("case", vectors("triggers.jsonl"))
def test_vectors_of_triggers(case):
    CHECKS[case["kind"]](case, case["expected"])
