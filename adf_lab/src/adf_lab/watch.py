"""The local scheduler: waits for a trigger's times and runs its pipelines on this machine."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from adf_lab.errors import AdfLabError
from adf_lab.triggers import (
    Window,
    iso,
    next_windows,
    other_dependencies,
    run_window,
    schedule_parameters,
    schedule_times,
    self_dependencies,
    window_parameters,
    windows,
)

# How far a schedule is searched for its next time: a leap day comes within eight years.
HORIZON = timedelta(days=366 * 8)
LONGEST_SLEEP = 60.0
# How long a window waits for others before it fails (azure-docs, tumbling-window-trigger-dependency).
LONGEST_WAIT = timedelta(days=7)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Clock:
    """The time, and how to let it pass; tests put their own in its place."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def watch(
    trigger: dict,
    run: Callable,
    say: Callable,
    *,
    most: int | None = None,
    clock: Clock | None = None,
    done: Iterable[Window] = (),
    is_done: Callable[[str, datetime, datetime], bool] = lambda name, start, end: True,
):
    """Run what a trigger fires, one run after the other; returns how many runs have failed.

    `run(pipeline, parameters, at)` runs a pipeline and returns its status; `say(text)` tells what is waited for.
    Ends after `most` firings, or when the trigger has no time left. Times that pass while a run is under way fire
    when it has ended, each of them, oldest first. `done` are the windows that have succeeded before, and `is_done`
    tells whether another trigger has run its windows (next_windows).

    Raises AdfLabError for triggers other than schedules and tumbling windows.
    """
    clock = clock or Clock()
    kind = trigger["properties"]["type"]
    if kind == "ScheduleTrigger":
        return _watch_schedule(trigger, run, say, most, clock)
    if kind == "TumblingWindowTrigger":
        return _watch_windows(trigger, run, say, most, clock, list(done), is_done)
    raise AdfLabError(f"Triggers of type {kind} cannot be watched: only schedules and tumbling windows.")


def _watch_schedule(trigger, run, say, most, clock):
    failed, fired, since = 0, 0, clock.now()
    while most is None or fired < most:
        at = _next_time(trigger, since)
        if at is None:
            say("The schedule has no time left.")
            break
        late = clock.now() - at
        say(f"next: {iso(at)}" + (f" ({late // SECOND} s late)" if late >= SECOND else ""))
        _sleep_until(at, clock)
        for pipeline, parameters in schedule_parameters(trigger, at):
            failed += run(pipeline, parameters, at) != "Succeeded"
        fired += 1
        since = at + SECOND
    return failed


def _watch_windows(trigger, run, say, most, clock, done, is_done):
    """Windows one after the other, oldest first; one that has failed holds up those that depend on it."""
    failed: list = []
    before, waits_since = len(done), None
    while most is None or len(done) - before + len(failed) < most:
        # Asked once in a round, so that a round does not see two answers.
        asked = cache(is_done)
        waiting = next_windows(trigger, clock.now(), [*done, *failed], 0, asked)
        window = next((window for window in waiting if not _holds_up(trigger, window, failed)), None)
        held = next(iter(_held_by_others(trigger, clock.now(), [*done, *failed], asked)), None)
        if window is None and held is not None:
            if waits_since is None:
                waits_since = clock.now()
                names = ", ".join(name for name, _, _ in other_dependencies(trigger, held))
                say(f"the window of {iso(held.start)} waits for {names}")
            if clock.now() - waits_since >= LONGEST_WAIT:
                say(f"the window of {iso(held.start)} has waited for seven days: it has failed.")
                failed.append(held)
                waits_since = None
            clock.sleep(LONGEST_SLEEP)
            continue
        waits_since = None
        if window is None:
            soonest = _next_window(trigger, [*done, *failed])
            if soonest is None or _holds_up(trigger, soonest, failed):
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


def _holds_up(trigger, window, failed):
    """Whether a window depends on one of its own trigger that has failed."""
    return any(
        other.start < end and other.end > start
        for start, end in self_dependencies(trigger, window)
        for other in failed
    )


def _held_by_others(trigger, now, known, is_done):
    """The windows that could run but for other triggers, oldest first."""
    return [
        window
        for window in next_windows(trigger, now, known)
        if not all(is_done(*needed) for needed in other_dependencies(trigger, window))
    ]


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
