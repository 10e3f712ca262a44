"""The local scheduler, on a clock that only waiting moves."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from adf_lab import AdfLabError, VirtualClock
from adf_lab.journal import Journal
from adf_lab.triggers import iso, parse_time
from adf_lab.watch import Watch
from adf_support.factories import good_factory, reference

MINUTE = 60


class JumpingClock(VirtualClock):
    """A clock that is set anew at some moments: (seconds after the start, seconds by which it jumps)."""

    jumps = ()

    def now(self):
        now = super().now()
        return now + timedelta(
            seconds=sum(by for after, by in self.jumps if now >= self.begun + timedelta(seconds=after))
        )


class World:
    """Watches triggers from a time on; keeps what ran (trigger, begin, parameters) and what was said."""

    def __init__(self, folder=None):
        self.ran, self.said, self.outcomes, self.takes, self.queued = [], [], [], MINUTE, 0
        self.records, self.ids = {}, iter(range(10**6))
        self.journals = cache(lambda name: Journal(folder / f"{name}.jsonl" if folder else None))

    def watch(self, triggers, start, most=None, *, missed="all", jumps=(), known=None, until=None):
        """Returns how many firings have failed; `until` ends the watch as Ctrl-C does, after so many seconds."""
        clock = JumpingClock(parse_time(start))
        clock.begun, clock.jumps = clock.start, jumps
        known = triggers | (known or {})

        async def run(firing, note):
            id_ = f"run-{next(self.ids)}"
            note("Queued", id_)
            await asyncio.sleep(self.queued)
            note("InProgress", id_)
            self.ran.append((firing.trigger, iso(clock.now()), firing.parameters))
            self.records[id_] = "Interrupted"
            await asyncio.sleep(self.takes)
            self.records[id_] = self.outcomes.pop(0) if self.outcomes else "Succeeded"
            if self.records[id_] == "refused":
                raise AdfLabError("no such parameter")
            return self.records[id_]

        watch = Watch(
            triggers,
            run,
            self.journals,
            known.__getitem__,
            clock,
            self.said.append,
            self.records.get,
            most,
            missed,
            self.said.append,
        )
        if until is None:
            return clock.run(watch.to_the_end())

        async def cut_short():
            async with asyncio.timeout(until):
                await watch.to_the_end()

        with pytest.raises(TimeoutError):
            clock.run(cut_short())
        return None

    def times(self):
        return [at for _, at, _ in self.ran]

    def values(self, name):
        return [parameters[name] for _, _, parameters in self.ran]

    def statuses(self, name):
        return {iso(time): entry.status for (time, _), entry in self.journals(name).entries().items()}


@pytest.fixture
def world():
    return World()


def schedule(**recurrence):
    document = good_factory()["trigger/tr_daily.json"]
    document["properties"]["typeProperties"]["recurrence"] = {
        "frequency": "Hour",
        "interval": 1,
        "startTime": "2026-01-01T00:05:00Z",
        **recurrence,
    }
    values = {"at": "@trigger().scheduledTime"}
    document["properties"]["pipelines"] = [
        {"pipelineReference": reference("pl", "Pipeline"), "parameters": values}
    ]
    return document


def windows(**changes):
    document = good_factory()["trigger/tr_window.json"]
    document["properties"]["typeProperties"] |= {"endTime": "2026-01-04T00:00:00Z", **changes}
    return document


def dependent(name, **changes):
    entry = {"type": "TumblingWindowTriggerDependencyReference", "referenceTrigger": reference(name, "Trigger")}
    return windows(dependsOn=[entry], **changes)


# --- schedules --------------------------------------------------------------------------------------------


def test_a_schedule_is_waited_for_and_counted(world):
    world.outcomes = ["Failed"]
    failed = world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", 2)
    assert world.times() == ["2026-08-12T15:05:00Z", "2026-08-12T16:05:00Z"]
    assert world.said == ["s: next 2026-08-12T15:05:00Z", "s: next 2026-08-12T16:05:00Z"]
    assert failed == 1
    assert world.statuses("s") == {"2026-08-12T15:05:00Z": "Failed", "2026-08-12T16:05:00Z": "Succeeded"}


def test_a_run_that_takes_long_delays_no_other(world):
    world.takes = 3 * 60 * MINUTE
    world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", 3)
    assert world.times() == [f"2026-08-12T{hour}:05:00Z" for hour in (15, 16, 17)]


def test_several_triggers_are_watched_at_once(world):
    triggers = {"s": schedule(), "t": schedule(frequency="Minute", interval=30), "w": windows()}
    world.watch(triggers, "2026-01-03T23:00:00Z", 6)
    assert [(name, at[11:16]) for name, at, _ in world.ran] == [
        ("w", "23:00"),
        ("w", "23:01"),
        ("s", "23:05"),
        ("t", "23:05"),
        ("t", "23:35"),
        ("w", "00:00"),
    ]


def test_a_schedule_that_has_ended_is_left(world):
    trigger = schedule(endTime="2026-01-01T02:00:00Z")
    assert world.watch({"s": trigger}, "2026-01-01T00:30:00Z") == 0
    assert world.times() == ["2026-01-01T01:05:00Z"]
    assert world.said[-1] == "s: the schedule has no time left."


def test_a_pipeline_that_cannot_be_run_does_not_end_the_watch(world):
    world.outcomes = ["refused"]
    assert world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", 2) == 1
    assert len(world.ran) == 2
    assert "s: pl could not be run: no such parameter" in world.said


def test_a_trigger_run_that_fails_runs_no_pipeline(world):
    trigger = schedule(endTime="2026-01-01T02:00:00Z")
    trigger["properties"]["pipelines"][0]["parameters"] = {"at": "@trigger().nothing"}
    assert world.watch({"s": trigger}, "2026-01-01T00:30:00Z") == 1
    assert world.ran == []
    assert world.said[2].startswith(
        "s: the trigger run fails, and no pipeline runs: There is no property 'nothing'"
    )
    assert world.statuses("s") == {"2026-01-01T01:05:00Z": "Failed"}


@pytest.mark.parametrize(
    ("missed", "hours", "said"),
    [
        ("all", ["16", "17", "18", "19"], "s: missed 3 from {} to {}: they are run now"),
        ("latest", ["18", "19"], "s: missed 3 from {} to {}: 2 of them are left out"),
        ("none", ["19"], "s: missed 3 from {} to {}: 3 of them are left out"),
    ],
)
def test_times_that_pass_while_nothing_watches_are_run_or_left_out(world, missed, hours, said):
    world.watch({"s": schedule()}, "2026-08-12T15:00:00Z", 1)
    world.watch({"s": schedule()}, "2026-08-12T18:30:00Z", len(hours), missed=missed)
    assert [at[11:13] for at in world.values("at")] == ["15", *hours]
    assert said.format("2026-08-12T16:05:00Z", "2026-08-12T18:05:00Z") in world.said
    left_out = [at[11:13] for at, status in world.statuses("s").items() if status == "Missed"]
    assert sorted([*hours, *left_out]) == ["16", "17", "18", "19"]


def test_what_was_left_out_is_not_run_later(world):
    world.watch({"s": schedule()}, "2026-08-12T15:00:00Z", 1)
    world.watch({"s": schedule()}, "2026-08-12T18:30:00Z", 1, missed="none")
    world.watch({"s": schedule()}, "2026-08-12T19:30:00Z", 1)
    assert [at[11:13] for at in world.values("at")] == ["15", "19", "20"]


def test_a_trigger_that_has_not_fired_yet_misses_times_too(world):
    world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", until=60)
    world.watch({"s": schedule()}, "2026-08-12T16:30:00Z", 2)
    assert [at[11:13] for at in world.values("at")] == ["15", "16"]


def test_a_laptop_that_has_slept_runs_what_it_missed(world):
    eight_hours = 8 * 60 * MINUTE
    world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", 9, jumps=[(10 * MINUTE, eight_hours)])
    assert [at[11:13] for at in world.values("at")] == [str(hour) for hour in range(15, 24)]
    assert world.times()[7] == "2026-08-12T22:32:00Z"
    assert world.said[1] == "s: missed 8 from 2026-08-12T15:05:00Z to 2026-08-12T22:05:00Z: they are run now"


def test_a_clock_that_is_set_back_fires_no_time_twice(world):
    world.watch({"s": schedule()}, "2026-08-12T14:22:00Z", 2, jumps=[(60 * MINUTE, -50 * MINUTE)])
    assert world.values("at") == ["2026-08-12T15:05:00Z", "2026-08-12T16:05:00Z"]
    assert world.times()[1] == "2026-08-12T16:05:00Z"


def test_a_long_absence_does_not_start_everything_at_once(world):
    world.watch({"s": schedule()}, "2026-08-01T15:00:00Z", 1)
    world.watch({"s": schedule()}, "2026-08-05T19:30:00Z", 100)
    begins = world.times()[1:]
    assert [begins.count(f"2026-08-05T19:{minute}:00Z") for minute in (30, 31)] == [50, 50]


# --- restarts ---------------------------------------------------------------------------------------------


def test_what_was_queued_when_a_watch_ended_is_run_by_the_next(world):
    journal = world.journals("s")
    first, second = parse_time("2026-08-12T14:05:00Z"), parse_time("2026-08-12T15:05:00Z")
    journal.note(first, (first, "pl"), "Queued", "run-a")
    journal.note(first, (first, "pl"), "InProgress", "run-a")
    journal.note(second, (second, "pl"), "Queued", "run-b")
    world.watch({"s": schedule()}, "2026-08-12T15:10:00Z", 1)
    assert world.values("at") == ["2026-08-12T15:05:00Z"]
    assert world.said[0] == "s: 2026-08-12T14:05:00Z was interrupted; to go on: rerun run-a --from-failed"
    assert world.statuses("s") == {"2026-08-12T14:05:00Z": "Interrupted", "2026-08-12T15:05:00Z": "Succeeded"}


def test_a_run_whose_end_was_not_noted_is_known_by_its_record(world):
    journal, at = world.journals("s"), parse_time("2026-08-12T14:05:00Z")
    journal.note(at, (at, "pl"), "InProgress", "run-a")
    world.records["run-a"] = "Failed"
    world.watch({"s": schedule()}, "2026-08-12T14:10:00Z", 1)
    assert world.statuses("s") == {"2026-08-12T14:05:00Z": "Failed", "2026-08-12T15:05:00Z": "Succeeded"}


def test_a_run_that_is_cut_short_is_cancelled_and_a_window_runs_again(world):
    triggers = {"s": schedule(), "w": windows()}
    world.takes = 90 * MINUTE
    world.watch(triggers, "2026-01-02T00:04:00Z", until=5 * MINUTE)
    assert world.statuses("s") == {"2026-01-02T00:05:00Z": "Cancelled"}
    assert world.statuses("w") == {"2026-01-01T00:00:00Z": "Cancelled"}
    world.ran.clear()
    world.watch(triggers, "2026-01-02T00:10:00Z", 2)
    assert [(name, at) for name, at, _ in world.ran] == [
        ("w", "2026-01-02T00:10:00Z"),
        ("s", "2026-01-02T01:05:00Z"),
    ]


def test_a_run_that_is_cut_short_before_it_begins_is_run_by_the_next_watch(world):
    world.queued = 30 * MINUTE
    world.watch({"s": schedule()}, "2026-01-02T00:04:00Z", until=5 * MINUTE)
    assert (world.statuses("s"), world.ran) == ({"2026-01-02T00:05:00Z": "Queued"}, [])
    world.watch({"s": schedule()}, "2026-01-02T00:10:00Z", 1)
    assert world.statuses("s") == {"2026-01-02T00:05:00Z": "Succeeded"}


def test_state_is_on_disk_and_half_a_line_does_no_harm(tmp_path):
    World(tmp_path).watch({"w": windows()}, "2026-01-03T00:00:00Z", 2)
    with (tmp_path / "w.jsonl").open("a") as file:
        file.write('{"at": "2026-01-03')
    world = World(tmp_path)
    world.watch({"w": windows()}, "2026-01-04T00:00:00Z")
    assert world.values("day") == ["2026-01-03"]
    assert len((tmp_path / "w.jsonl").read_text().splitlines()) == 3 * 3 + 1
    assert World(tmp_path).statuses("w") == {f"2026-01-0{day}T00:00:00Z": "Succeeded" for day in (1, 2, 3)}


# --- windows ----------------------------------------------------------------------------------------------


def test_windows_of_the_past_run_at_once_and_in_order(world):
    assert world.watch({"w": windows()}, "2026-01-03T12:00:00Z") == 0
    assert [(at, values["day"]) for _, at, values in world.ran] == [
        ("2026-01-03T12:00:00Z", "2026-01-01"),
        ("2026-01-03T12:01:00Z", "2026-01-02"),
        ("2026-01-04T00:00:00Z", "2026-01-03"),
    ]
    assert world.said == ["w: next 2026-01-04T00:00:00Z", "w: no window is left."]


def test_windows_run_at_once_up_to_their_concurrency(world):
    world.takes = 5 * MINUTE
    world.watch({"w": windows(dependsOn=[], maxConcurrency=2)}, "2026-02-01T00:00:00Z")
    assert [at[14:16] for at in world.times()] == ["00", "00", "05"]


def test_a_window_is_tried_again_after_its_interval(world):
    world.outcomes = ["Failed"]
    policy = {"count": 1, "intervalInSeconds": 300}
    assert world.watch({"w": windows(retryPolicy=policy)}, "2026-02-01T00:00:00Z", 2) == 0
    assert [(at[14:16], values["day"][-1]) for _, at, values in world.ran] == [
        ("00", "1"),
        ("06", "1"),
        ("07", "2"),
    ]


def test_a_window_that_failed_holds_up_those_that_depend_on_it_until_it_is_run_again(world):
    world.outcomes = ["Failed"]
    world.watch({"w": windows()}, "2026-02-01T00:00:00Z", until=24 * 60 * MINUTE)
    assert world.values("day") == ["2026-01-01"]
    [said] = world.said
    assert said.startswith("w: the window of 2026-01-02T00:00:00Z waits for that of 2026-01-01T00:00:00Z")
    assert said.endswith(", which has failed: rerun run-0")
    first = parse_time("2026-01-01T00:00:00Z")
    world.journals("w").note(first, (first, "pl_main"), "Succeeded", "rerun")
    assert world.watch({"w": windows()}, "2026-02-02T00:00:00Z") == 0
    assert world.values("day") == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_a_window_that_failed_holds_up_none_that_does_not_depend_on_it(world):
    world.outcomes = ["Failed"]
    assert world.watch({"w": windows(dependsOn=[])}, "2026-02-01T00:00:00Z") == 1
    assert world.values("day") == ["2026-01-01", "2026-01-02", "2026-01-03"]
    world.watch({"w": windows(dependsOn=[])}, "2026-02-02T00:00:00Z")
    assert len(world.ran) == 3


def test_a_window_waits_for_those_of_another_trigger(world):
    triggers = {"w": dependent("other"), "other": windows(delay="06:00:00")}
    assert world.watch(triggers, "2026-01-01T12:00:00Z", 4) == 0
    assert [(name, at) for name, at, _ in world.ran] == [
        ("other", "2026-01-02T06:00:00Z"),
        ("w", "2026-01-02T06:01:00Z"),
        ("other", "2026-01-03T06:00:00Z"),
        ("w", "2026-01-03T06:01:00Z"),
    ]
    assert world.said.count("w: the window of 2026-01-01T00:00:00Z waits for other") == 1


def test_a_window_waits_for_seven_days_and_then_fails(world):
    trigger = dependent("other", endTime="2026-01-02T00:00:00Z")
    jumps = [(10 * MINUTE, 7 * 24 * 60 * MINUTE - 15 * MINUTE)]
    known = {"other": windows()}
    world.watch({"w": trigger}, "2026-02-01T00:00:00Z", known=known, jumps=jumps, until=14 * MINUTE)
    assert world.statuses("w") == {}
    assert world.watch({"w": trigger}, "2026-02-01T00:00:00Z", known=known, jumps=jumps) == 1
    assert world.said[1:] == [
        "w: the window of 2026-01-01T00:00:00Z waits for other, which is not watched here",
        "w: the window of 2026-01-01T00:00:00Z has waited for seven days: it has failed.",
        "w: no window is left.",
    ]
    assert world.statuses("w") == {"2026-01-01T00:00:00Z": "Failed"}


def test_a_window_that_waits_for_a_failed_one_fails_seven_days_after_it(world):
    world.outcomes = ["Failed"]
    jumps = [(day * 60 * MINUTE, 7 * 24 * 60 * MINUTE) for day in (1, 2)]
    assert world.watch({"w": windows()}, "2026-02-01T00:00:00Z", jumps=jumps) == 3
    ended = [(at.day, entry.at.day) for (at, _), entry in world.journals("w").entries().items()]
    assert ended == [(1, 1), (2, 8), (3, 15)]
    assert len(world.ran) == 1


def test_many_windows_that_wait_cost_little(world):
    trigger = windows(frequency="Minute", interval=15, endTime="2026-02-01T00:00:00Z", dependsOn=[])
    trigger["properties"]["typeProperties"]["dependsOn"] = [
        {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-00:15:00", "size": "00:15:00"}
    ]
    world.outcomes = ["Failed"]
    world.watch({"w": trigger}, "2026-03-01T00:00:00Z", until=5 * MINUTE)
    assert len(world.ran) == 1


def test_now_is_what_a_trigger_hands_over_as_its_start():
    world = World()
    trigger = schedule()
    trigger["properties"]["pipelines"][0]["parameters"] = {"at": "@trigger().startTime"}
    world.watch({"s": trigger}, "2026-08-12T15:00:00Z", 1)
    world.watch({"s": trigger}, "2026-08-12T16:30:00Z", 1)
    assert world.values("at") == ["2026-08-12T15:05:00Z", "2026-08-12T16:30:00Z"]
    assert datetime.fromisoformat(world.times()[0]).tzinfo == UTC
