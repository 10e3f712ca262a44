"""The local scheduler: waits for a trigger's times and runs its pipelines on this machine."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from adf_lab.errors import AdfLabError
from adf_lab.triggers import (
    Window,
    iso,
    next_windows,
    run_window,
    schedule_parameters,
    schedule_times,
    window_parameters,
    windows,
)

# How far a schedule is searched for its next time: a leap day comes within eight years.
HORIZON = timedelta(days=366 * 8)
LONGEST_SLEEP = 60.0


@dataclass(frozen=True)
class Clock:
    """The time, and how to let it pass; tests put their own in its place."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def watch(trigger: dict, run: Callable, say: Callable, *, most: int | None = None, clock: Clock | None = None):
    """Run what a trigger fires, one run after the other; returns how many runs have failed.

    `run(pipeline, parameters, at)` runs a pipeline and returns its status; `say(text)` tells what is waited for.
    Ends after `most` firings, or when the trigger has no time left. A time that passes while a run is under way
    fires as soon as it has ended, once.

    Raises AdfLabError for triggers other than schedules and tumbling windows.
    """
    clock = clock or Clock()
    kind = trigger["properties"]["type"]
    if kind == "ScheduleTrigger":
        return _watch_schedule(trigger, run, say, most, clock)
    if kind == "TumblingWindowTrigger":
        return _watch_windows(trigger, run, say, most, clock)
    raise AdfLabError(f"Triggers of type {kind} cannot be watched: only schedules and tumbling windows.")


def _watch_schedule(trigger, run, say, most, clock):
    failed, fired, since = 0, 0, clock.now()
    while most is None or fired < most:
        at = _next_time(trigger, since)
        if at is None:
            say("The schedule has no time left.")
            break
        say(f"next: {iso(at)}")
        _sleep_until(at, clock)
        for pipeline, parameters in schedule_parameters(trigger, at):
            failed += run(pipeline, parameters, at) != "Succeeded"
        fired += 1
        missed = schedule_times(trigger, at + timedelta(seconds=1), clock.now())
        since = missed[-1] if missed else at + timedelta(seconds=1)
    return failed


def _watch_windows(trigger, run, say, most, clock):
    """Windows one after the other, oldest first; one that has failed holds up those that depend on it."""
    failed: list = []
    done: list = []
    while most is None or len(done) + len(failed) < most:
        waiting = next_windows(trigger, clock.now(), done, running=0)
        window = next((window for window in waiting if window not in failed), None)
        if window is None:
            soonest = _next_window(trigger, [*done, *failed])
            if failed or soonest is None:
                say("No window is left that could run.")
                break
            say(f"next: {iso(soonest.not_before)}")
            _sleep_until(soonest.not_before, clock)
            continue
        pipeline, parameters = window_parameters(trigger, window)
        status, _ = run_window(
            trigger,
            lambda pipeline=pipeline, parameters=parameters, window=window: run(
                pipeline, parameters, window.not_before
            ),
            clock.sleep,
        )
        (done if status == "Succeeded" else failed).append(window)
    return len(failed)


def _next_time(trigger, since):
    """The first time of a schedule from `since` on; None if there is none."""
    span = timedelta(days=1)
    while span <= HORIZON:
        times = schedule_times(trigger, since, since + span)
        if times:
            return times[0]
        span *= 4
    return None


def _next_window(trigger, known: list[Window]):
    """The oldest window that is not among those known; None if there is none."""
    return next((window for window in windows(trigger) if window not in known), None)


def _sleep_until(moment, clock):
    """Sleep in short stretches, so that a laptop that was closed wakes in time."""
    while (left := (moment - clock.now()).total_seconds()) > 0:
        clock.sleep(min(left, LONGEST_SLEEP))
