"""The scheduler: fires triggers by the clock, all of a factory at once, and remembers what it has fired.

`watch` has it on the machine's clock, `simulate` on a virtual one, for a span of time.

Sources: azure-docs, concepts-pipeline-execution-triggers; how-to-create-tumbling-window-trigger;
tumbling-window-trigger-dependency.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import takewhile
from typing import Any

from adf_lab.errors import AdfLabError
from adf_lab.expressions import ExpressionError
from adf_lab.journal import MISSED, Entry, Journal
from adf_lab.triggers import (
    RESOLUTION,
    Window,
    coming_window,
    covers,
    iso,
    needed_windows,
    next_windows,
    other_dependencies,
    pipelines_of,
    ready_windows,
    retries_of,
    schedule_parameters,
    schedule_times,
    window_parameters,
)

# How far a schedule is searched for its next time: a leap day comes within eight years.
HORIZON = timedelta(days=366 * 8)
# Sleeps are short, so that a laptop that was closed, or whose clock was set, is in time when it wakes.
LONGEST_SLEEP = timedelta(seconds=60)
# A time that is later than that was missed: nothing watched when it came.
MISSED_AFTER = timedelta(minutes=5)
# How long a window waits for others before it fails (tumbling-window-trigger-dependency).
LONGEST_WAIT = timedelta(days=7)
# How many times of a schedule are queued or run at once.
MOST_AT_ONCE = 50
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
SECOND, TICK = timedelta(seconds=1), timedelta(milliseconds=1)
MISSED_TIMES = ("all", "latest", "none")
SCHEDULE, WINDOWS = "ScheduleTrigger", "TumblingWindowTrigger"


@dataclass(frozen=True)
class Firing:
    """What a trigger fires: a pipeline with parameters. `time` is that of the schedule, or the window's begin."""

    trigger: str
    time: datetime
    pipeline: str
    parameters: dict
    due: datetime

    @property
    def key(self) -> tuple[datetime, str]:
        """Its name in the journal."""
        return self.time, self.pipeline


@dataclass
class Watch:
    """Fires triggers until they have no time left, or have fired `most` times.

    `triggers`   documents by name, schedules and tumbling windows
    `run`        (firing, note) -> the status of the run; it calls `note(status, run id)` when that is Queued, and
                 InProgress
    `journals`   name -> the journal of a trigger, also of one that is not watched but waited for
    `find`       name -> the document of a trigger that is waited for
    `outcome`    run id -> the status in its record, or None: for runs that did not end in an earlier watch
    `say`        takes a line about what is waited for
    `missed`     what becomes of times that passed while nothing watched: "all", "latest" or "none" of them is run
    `ahead`      takes a line about what comes next
    `span`       fires only what may run at times t, begin <= t < end; windows from before have succeeded, and so
                 have all windows of triggers that are waited for and not watched
    `most_at_once`, `longest_sleep`: of how many times of a schedule run at once, and how long nothing is looked at
    """

    triggers: dict[str, dict]
    run: Callable[[Firing, Callable], Awaitable[str]]
    journals: Callable[[str], Journal]
    find: Callable[[str], dict]
    clock: Any
    say: Callable[[str], None]
    outcome: Callable[[str], str | None] = lambda run_id: None
    most: int | None = None
    missed: str = "all"
    ahead: Callable[[str], None] = lambda line: None
    span: tuple[datetime, datetime] | None = None
    most_at_once: int = MOST_AT_ONCE
    longest_sleep: timedelta = LONGEST_SLEEP
    failed: int = 0
    fired: int = 0
    started: datetime = datetime.min
    _enough: asyncio.Event = field(default_factory=asyncio.Event)
    _runs: asyncio.TaskGroup = field(default_factory=asyncio.TaskGroup)
    _changes: dict[str, asyncio.Event] = field(default_factory=dict)
    _running: dict[str, set[Window]] = field(default_factory=dict)

    async def to_the_end(self) -> int:
        """Fire until nothing is left, and wait for what runs; how many firings have failed.

        AdfLabError if it cannot be known when a trigger fires.
        """
        self.started = self.clock.now()
        try:
            async with self._runs:
                for name, trigger in self.triggers.items():
                    watched = self._schedule if kind_of(trigger) == SCHEDULE else self._windows
                    self._changes[name] = asyncio.Event()
                    self._runs.create_task(watched(name, trigger))
        except* (AdfLabError, BrokenPipeError) as group:
            refused: BaseException = group
            while isinstance(refused, BaseExceptionGroup):
                refused = refused.exceptions[0]
        else:
            return self.failed
        raise refused

    # --- schedules ---------------------------------------------------------------------------------------

    async def _schedule(self, name, trigger):
        journal = self.journals(name)
        waiting = self._left_over(name, journal)
        last = journal.last()
        if last is None:
            last = self.span[0] - SECOND if self.span else self.clock.now()
            journal.watch(last)
        since = last + SECOND
        room = asyncio.Semaphore(self.most_at_once)
        while not self._is_enough():
            at = min(waiting, default=None) or _next_time(trigger, since)
            if at is None or self._is_outside(at):
                self.ahead(f"{name}: the schedule has no time left.")
                return
            if at > self.clock.now():
                self.ahead(f"{name}: next {iso(at)}")
            await self._until(at, self._enough)
            now = self.clock.now()
            # All that are due, so that it is known which is the latest.
            due = sorted({*waiting, *schedule_times(trigger, since, self._latest(now) + RESOLUTION)})
            since = max([since, *(time + SECOND for time in due)])
            for time in self._chosen(name, trigger, journal, due, now):
                await room.acquire()
                if self._is_enough():
                    return
                self._count()
                task = self._runs.create_task(self._run_time(name, trigger, journal, time, waiting.get(time)))
                task.add_done_callback(lambda _: room.release())
            waiting = {}

    def _left_over(self, name, journal):
        """The pipelines, by time, that an earlier watch has queued and not begun; tells what it left half done."""
        waiting: dict[datetime, set[str]] = {}
        for firing, entry in list(journal.entries().items()):
            time, pipeline = firing
            if entry.status == "Queued":
                waiting.setdefault(time, set()).add(pipeline)
            elif entry.status == "InProgress":
                status = self.outcome(entry.run or "") or "Interrupted"
                journal.note(self.clock.now(), firing, status, entry.run)
                if status == "Interrupted":
                    self.say(f"{name}: {iso(time)} was interrupted; to go on: rerun {entry.run} --from-failed")
        return waiting

    def _chosen(self, name, trigger, journal, due, now):
        """The times that are run, of those that are due."""
        on_time = [time for time in due if now - time <= MISSED_AFTER]
        late = due[: len(due) - len(on_time)]
        chosen = {"all": due, "latest": on_time or late[-1:], "none": on_time}[self.missed]
        left_out = [time for time in late if time not in chosen]
        if late:
            what = {0: "they are run now"}.get(len(left_out), f"{len(left_out)} of them are left out")
            self.say(f"{name}: missed {len(late)} from {iso(late[0])} to {iso(late[-1])}: {what}")
        for time in left_out:
            for pipeline in pipelines_of(trigger):
                journal.note(now, (time, pipeline), MISSED)
        return chosen

    async def _run_time(self, name, trigger, journal, time, only):
        """Run the pipelines of one time, or only some of them."""
        try:
            fired = schedule_parameters(trigger, time, self.clock.now())
        except ExpressionError as error:
            self._refuse(name, journal, [(time, pipeline) for pipeline in pipelines_of(trigger)], error)
            return
        async with asyncio.TaskGroup() as group:
            for pipeline, parameters in fired:
                if only is None or pipeline in only:
                    firing = Firing(name, time, pipeline, parameters, time)
                    group.create_task(self._run_to_its_end(firing, journal))

    # --- windows -----------------------------------------------------------------------------------------

    async def _windows(self, name, trigger):
        journal = self.journals(name)
        running = self._running[name] = set()
        told: set[object] = set()
        pipeline = pipelines_of(trigger)[0]
        # Windows that may run before that have all succeeded, and are not looked at again.
        since = self.span[0] if self.span else None
        for firing, entry in list(journal.entries().items()):
            if entry.status == "InProgress" and self.outcome(entry.run or "") == "Succeeded":
                journal.note(self.clock.now(), firing, "Succeeded", entry.run)
        while not self._is_enough():
            now = self.clock.now()
            entries = {time: entry for (time, _), entry in journal.entries().items()}
            ready = ready_windows(trigger, self._latest(now), since)
            ended = [window for window in ready if window.start in entries and window not in running]
            succeeded = {window for window in ended if entries[window.start].status == "Succeeded"}
            failed = {
                window: entries[window.start] for window in ended if entries[window.start].status == "Failed"
            }
            is_done = self._is_done()
            taken = running.union(failed)
            for window in next_windows(trigger, self._latest(now), succeeded, len(running), is_done, taken, since):
                if not self._is_enough():
                    self._count()
                    running.add(window)
                    self._runs.create_task(self._run_window(name, trigger, window, running))
            known = succeeded.union(failed, running)
            held = [window for window in ready if window not in known]
            is_held = False
            for window in held:
                reason, from_when = self._held_by(trigger, window, failed, is_done)
                if reason and now - max(window.not_before, self.started, from_when) < LONGEST_WAIT:
                    is_held = True
                    if reason not in told:
                        told.add(reason)
                        self.say(f"{name}: the window of {iso(window.start)} waits for {reason}")
                    # Those that follow have waited no longer.
                    break
                if reason:
                    self.say(
                        f"{name}: the window of {iso(window.start)} has waited for seven days: it has failed."
                    )
                    journal.note(now, (window.start, pipeline), "Failed")
                    self.failed += 1
                    failed[window] = Entry(now, "Failed")
            coming = coming_window(trigger, now)
            if coming and self._is_outside(coming.not_before):
                coming = None
            if not running and not is_held and len(succeeded) + len(failed) == len(ready):
                if coming is None:
                    self.ahead(f"{name}: no window is left.")
                    return
                if coming not in told:
                    told.add(coming)
                    self.ahead(f"{name}: next {iso(coming.not_before)}")
            left = [window for window in held if window not in failed]
            if left and coming is None and await self._is_stuck(name):
                self.say(f"{name}: {len(left)} of its windows could not run.")
                self.failed += len(left)
                return
            for window in takewhile(succeeded.__contains__, ready):
                since = window.not_before + RESOLUTION
            until = coming.not_before if coming else self.span[1] if self.span else None
            await self._change(name, until if until and until > now else None)

    async def _is_stuck(self, name):
        """Whether nothing can happen any more in the span, so that what is held up stays so."""
        if not self._is_outside(self.clock.now()) or any(self._running.values()):
            return False
        try:
            # Time passes only when everything waits: what another trigger begins just now has begun then.
            await asyncio.wait_for(self._changes[name].wait(), TICK.total_seconds())
        except TimeoutError:
            return not any(self._running.values())
        return False

    def _held_by(self, trigger, window, failed, is_done):
        """What holds a window up that will not come by itself, and since when at least; None if nothing does."""
        for other in needed_windows(trigger, window):
            if other in failed:
                remedy = f": rerun {failed[other].run}" if failed[other].run else ""
                return f"that of {iso(other.start)}, which has failed{remedy}", failed[other].at
        for other, start, end in other_dependencies(trigger, window):
            if not is_done(other, start, end):
                why = "" if other in self.triggers else ", which is not watched here"
                if not covers(self.find(other), start, end):
                    why = f", which has no window from {iso(start)} to {iso(end)}"
                return f"{other}{why}", window.not_before
        return None, window.not_before

    def _is_done(self):
        """Tells whether all windows of a trigger from start to end have succeeded; for one round."""

        @cache
        def succeeded(name):
            entries = self.journals(name).entries().items()
            starts = {time for (time, _), entry in entries if entry.status == "Succeeded"}
            if self.span is None:
                return Beginning(starts)
            return Beginning(starts, self.span[0] if name in self.triggers else END_OF_TIME)

        return cache(lambda name, start, end: covers(self.find(name), start, end, succeeded(name)))

    async def _run_window(self, name, trigger, window, running):
        journal = self.journals(name)
        retries, interval = retries_of(trigger)
        try:
            pipeline, parameters = window_parameters(trigger, window, self.clock.now())
        except ExpressionError as error:
            self._refuse(name, journal, [(window.start, pipelines_of(trigger)[0])], error)
        else:
            firing = Firing(name, window.start, pipeline, parameters, window.not_before)
            await self._run_to_its_end(firing, journal, retries, timedelta(seconds=interval))
        running.discard(window)
        self._tell_change()

    # --- runs --------------------------------------------------------------------------------------------

    async def _run_to_its_end(self, firing, journal, retries=0, interval=timedelta(0)):
        """Run what was fired, again if it fails and may be tried again, and note what became of it."""
        noted = [("", None)]

        def note(status, run_id):
            noted.append((status, run_id))
            journal.note(self.clock.now(), firing.key, status, run_id)

        try:
            for left in range(retries, -1, -1):
                status = await self._run_once(firing, note)
                if status == "Succeeded" or not left:
                    break
                await self._until(self.clock.now() + interval)
        except asyncio.CancelledError:
            # What was only queued fires again when the watch goes on.
            if noted[-1][0] == "InProgress":
                note("Cancelled", noted[-1][1])
            raise
        note(status, noted[-1][1])
        self.failed += status != "Succeeded"
        self._tell_change()

    async def _run_once(self, firing, note):
        try:
            return await self.run(firing, note)
        except Exception as error:
            # One run that cannot be does not end the watch.
            self.say(f"{firing.trigger}: {firing.pipeline} could not be run: {error or type(error).__name__}")
            return "Failed"

    def _refuse(self, name, journal, keys, error):
        self.say(f"{name}: the trigger run fails, and no pipeline runs: {error}")
        self.failed += 1
        for key in keys:
            journal.note(self.clock.now(), key, "Failed")

    # --- time --------------------------------------------------------------------------------------------

    def _count(self):
        self.fired += 1
        if self.most is not None and self.fired >= self.most:
            self._enough.set()
            self._tell_change()

    def _is_enough(self):
        return self._enough.is_set()

    def _latest(self, now):
        """The time until which is fired what is due now."""
        return min(now, self.span[1] - RESOLUTION) if self.span else now

    def _is_outside(self, moment):
        return self.span is not None and moment >= self.span[1]

    async def _until(self, moment, unless=None):
        """Wait for a time, in vain if an event comes before."""
        unless = unless or asyncio.Event()
        while (left := moment - self.clock.now()) > timedelta(0) and not unless.is_set():
            await self._wait(unless, left)

    async def _change(self, name, moment):
        """Wait until a run has ended, a time has come, or so long that others may have changed something."""
        changed = self._changes[name]
        await self._wait(changed, self.longest_sleep if moment is None else moment - self.clock.now())
        changed.clear()

    async def _wait(self, event, span):
        """Wait for an event, for a span of time or a short one at most."""
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), max(min(span, self.longest_sleep), TICK).total_seconds())

    def _tell_change(self):
        for changed in self._changes.values():
            changed.set()


@dataclass(frozen=True)
class Beginning:
    """The windows that begin at some times, and those that may run before a time."""

    starts: set[datetime]
    before: datetime | None = None

    def __contains__(self, window: Window) -> bool:
        return window.start in self.starts or (self.before is not None and window.not_before < self.before)


def kind_of(trigger: dict) -> str:
    """The type of a trigger."""
    return trigger["properties"]["type"]


def _next_time(trigger, since):
    """The first time of a schedule from `since` on; None if there is none."""
    span = timedelta(days=1)
    while span <= HORIZON:
        times = schedule_times(trigger, since, since + span)
        if times:
            return times[0]
        span *= 4
    return None
