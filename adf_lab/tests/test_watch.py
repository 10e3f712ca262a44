"""The local scheduler, on a clock that only sleeping moves."""

from datetime import UTC, datetime, timedelta

import pytest

from adf_lab import AdfLabError
from adf_lab.triggers import iso, ready_windows
from adf_lab.watch import Clock, watch
from adf_support.factories import good_factory, reference


class Time:
    def __init__(self, start):
        self.now = datetime.fromisoformat(start).replace(tzinfo=UTC)
        self.clock = Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def watched():
    """Watch a trigger; what ran at which time, what was said, and how many runs failed."""

    def play(trigger, start, most=None, takes=60.0, outcomes=(), **known):
        time, ran, said, results = Time(start), [], [], iter(outcomes)

        def run(pipeline, parameters, at):
            ran.append((iso(time.now), pipeline, parameters))
            time.sleep(takes)
            return next(results, "Succeeded")

        failed = watch(trigger, run, said.append, most=most, clock=time.clock, **known)
        return ran, said, failed

    return play


def schedule(**recurrence):
    document = good_factory()["trigger/tr_daily.json"]
    document["properties"]["typeProperties"]["recurrence"] = {
        "frequency": "Hour",
        "interval": 1,
        "startTime": "2026-01-01T00:05:00Z",
        **recurrence,
    }
    document["properties"]["pipelines"] = [{"pipelineReference": reference("pl", "Pipeline"), "parameters": {}}]
    return document


def windows(**changes):
    document = good_factory()["trigger/tr_window.json"]
    document["properties"]["typeProperties"] |= {"endTime": "2026-01-04T00:00:00Z", **changes}
    return document


def test_a_schedule_is_waited_for_and_counted(watched):
    ran, said, failed = watched(schedule(), "2026-08-12T14:22:00", most=2, outcomes=["Failed", "Succeeded"])
    assert [at for at, _, _ in ran] == ["2026-08-12T15:05:00Z", "2026-08-12T16:05:00Z"]
    assert said == ["next: 2026-08-12T15:05:00Z", "next: 2026-08-12T16:05:00Z"]
    assert failed == 1


def test_times_that_pass_during_a_run_fire_each_when_it_has_ended(watched):
    document = schedule()
    document["properties"]["pipelines"][0]["parameters"] = {"at": "@trigger().scheduledTime"}
    ran, said, _ = watched(document, "2026-08-12T14:22:00", most=3, takes=3 * 3600)
    assert [(now, values["at"]) for now, _, values in ran] == [
        ("2026-08-12T15:05:00Z", "2026-08-12T15:05:00Z"),
        ("2026-08-12T18:05:00Z", "2026-08-12T16:05:00Z"),
        ("2026-08-12T21:05:00Z", "2026-08-12T17:05:00Z"),
    ]
    assert said == [
        "next: 2026-08-12T15:05:00Z",
        "next: 2026-08-12T16:05:00Z (7200 s late)",
        "next: 2026-08-12T17:05:00Z (14400 s late)",
    ]


def test_a_schedule_that_has_ended_is_left(watched):
    ran, said, failed = watched(schedule(endTime="2026-01-01T02:00:00Z"), "2026-01-01T00:30:00")
    assert [at for at, _, _ in ran] == ["2026-01-01T01:05:00Z"]
    assert (said[-1], failed) == ("The schedule has no time left.", 0)


def test_windows_of_the_past_run_at_once_and_in_order(watched):
    ran, said, failed = watched(windows(), "2026-01-03T12:00:00")
    assert [(at[:10], values["day"]) for at, _, values in ran] == [
        ("2026-01-03", "2026-01-01"),
        ("2026-01-03", "2026-01-02"),
        ("2026-01-04", "2026-01-03"),
    ]
    assert (said, failed) == (["next: 2026-01-04T00:00:00Z", "No window is left that could run."], 0)


def test_a_window_is_tried_again_and_holds_up_the_next_when_it_fails(watched):
    policy = {"count": 1, "intervalInSeconds": 300}
    ran, _, failed = watched(windows(retryPolicy=policy), "2026-02-01T00:00:00", outcomes=["Failed", "Failed"])
    assert [at for at, _, _ in ran] == ["2026-02-01T00:00:00Z", "2026-02-01T00:06:00Z"]
    assert failed == 1


def days(ran):
    return [values["day"] for _, _, values in ran]


def test_windows_that_have_run_before_do_not_run_again(watched):
    document = windows()
    first, second, *_ = ready_windows(document, datetime(2026, 2, 1, tzinfo=UTC))
    ran, _, _ = watched(document, "2026-02-01T00:00:00", done=[first, second])
    assert days(ran) == ["2026-01-03"]


def test_a_window_that_failed_holds_up_none_that_does_not_depend_on_it(watched):
    ran, _, failed = watched(windows(dependsOn=[]), "2026-02-01T00:00:00", outcomes=["Failed"])
    assert (days(ran), failed) == (["2026-01-01", "2026-01-02", "2026-01-03"], 1)


def dependent_on_another():
    entry = {
        "type": "TumblingWindowTriggerDependencyReference",
        "referenceTrigger": reference("tr_other", "Trigger"),
    }
    return windows(dependsOn=[entry])


def test_a_window_waits_for_those_of_another_trigger(watched):
    asked = []

    def is_done(name, start, end):
        asked.append((name, iso(start), iso(end)))
        return asked.count(asked[-1]) > 2

    ran, said, failed = watched(dependent_on_another(), "2026-02-01T00:00:00", most=1, is_done=is_done)
    assert asked[0] == ("tr_other", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    assert said == ["the window of 2026-01-01T00:00:00Z waits for tr_other"]
    assert (days(ran)[0], ran[0][0] > "2026-02-01T00:00:00Z", failed) == ("2026-01-01", True, 0)


def test_a_window_waits_for_seven_days_and_then_fails(watched):
    ran, said, failed = watched(
        dependent_on_another(), "2026-02-01T00:00:00", most=1, is_done=lambda name, start, end: False
    )
    assert (ran, failed) == ([], 1)
    assert said[-1] == "the window of 2026-01-01T00:00:00Z has waited for seven days: it has failed."


def test_other_triggers_are_refused(watched):
    with pytest.raises(AdfLabError, match="type BlobEventsTrigger cannot be watched"):
        watched({"properties": {"type": "BlobEventsTrigger"}}, "2026-01-01T00:00:00")
