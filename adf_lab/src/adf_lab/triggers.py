"""When triggers fire, and what they hand to their pipelines.

Sources: azure-docs, concepts-pipeline-execution-triggers and how-to-create-schedule-trigger (recurrence,
schedule, startTime), how-to-create-tumbling-window-trigger, tumbling-window-trigger-dependency; Microsoft
Tech Community, "Time Zone and Daylight Saving Support for Schedule Trigger" (2020).
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice, takewhile

from adf_lab.errors import AdfLabError
from adf_lab.expressions import Context, ExpressionError, evaluate_tree, utc_candidates, zone
from adf_lab.timespans import parse_timespan

__all__ = [
    "RESOLUTION",
    "Window",
    "coming_window",
    "covers",
    "delay_of",
    "dependency_intervals",
    "event_parameters",
    "iso",
    "needed_windows",
    "next_windows",
    "other_dependencies",
    "parse_time",
    "pipelines_of",
    "ready_windows",
    "retries_of",
    "schedule_parameters",
    "schedule_times",
    "self_dependencies",
    "window_parameters",
    "windows",
]

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
FIXED_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
DEFAULT_RETRY_INTERVAL = 30
RESOLUTION = timedelta(microseconds=1)


def iso(moment):
    """An aware datetime as triggers write it: UTC, `Z`, seconds, a fraction only if there is one."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def parse_time(text, local_zone=UTC):
    """The UTC datetime of an ISO text; without Z or offset it is a local time of a zone. AdfLabError if none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise AdfLabError(f"'{text}' is not a time: write it like 2026-08-12 or 2026-08-12T14:00:00Z.") from None
    return moment.astimezone(UTC) if moment.tzinfo else to_utc(moment, local_zone)


def to_utc(moment, local_zone):
    """The UTC datetime at which a clock shows a naive local time.

    Of two it is the first; a time that the clock skips is reached after as many minutes as if it did not.
    """
    candidates = utc_candidates(moment, local_zone)
    return candidates[0] if candidates else moment.replace(tzinfo=local_zone).astimezone(UTC)


def pipelines_of(trigger):
    """The names of the pipelines that a trigger starts."""
    properties = trigger["properties"]
    entries = properties.get("pipelines") or [properties.get("pipeline")]
    return [entry["pipelineReference"]["referenceName"] for entry in entries if entry]


# --- schedule triggers -----------------------------------------------------------------------------------


def schedule_times(trigger, start, end):
    """All times t of a schedule trigger with start <= t < end, ascending, as UTC datetimes."""
    recurrence = trigger["properties"]["typeProperties"]["recurrence"]
    local_zone = zone(recurrence.get("timeZone", "UTC"))
    first = parse_time(recurrence["startTime"], local_zone)
    last = parse_time(recurrence["endTime"], local_zone) if recurrence.get("endTime") else None
    times = []
    for candidate in _candidates(recurrence, first, local_zone, (max(start, first), end)):
        if candidate >= end or (last and candidate > last):
            break
        if candidate >= start and candidate >= first:
            times.append(candidate)
    return times


def _candidates(recurrence, first, local_zone, span):
    """Times of a recurrence, ascending, from shortly before the begin of a span until its end."""
    frequency, interval = recurrence["frequency"].lower(), int(recurrence.get("interval", 1))
    schedule = recurrence.get("schedule") or {}
    if frequency in FIXED_STEPS:
        yield from _fixed_steps(FIXED_STEPS[frequency] * interval, first, local_zone, span, schedule)
        return
    if frequency not in DAYS_OF_PERIOD:
        raise AdfLabError(f"'{recurrence['frequency']}' is no frequency: use Minute, Hour, Day, Week or Month.")
    local_first = first.astimezone(local_zone).replace(tzinfo=None)
    times_of_day = _times_of_day(schedule, local_first)
    begin, end = span
    for period, days in DAYS_OF_PERIOD[frequency](schedule, local_first.date(), interval, begin.date()):
        if period > end.date() + timedelta(days=1):
            return
        for day in days:
            for time_of_day in times_of_day:
                yield to_utc(datetime.combine(day, time_of_day), local_zone)


def _fixed_steps(step, first, local_zone, span, schedule):
    """Times by minutes or hours, which do not care for daylight saving.

    A schedule picks among steps of minutes, and inside the hour of steps of hours, by the clock of the zone.
    """
    begin, end = span
    skipped = max((begin - first) // step - 1, 0)
    hours, minutes = _listed(schedule.get("hours")), sorted(_listed(schedule.get("minutes")))
    by_hours = step % FIXED_STEPS["hour"] == timedelta(0)
    for index in count(skipped):
        moment = first + index * step
        if moment > end + FIXED_STEPS["hour"]:
            return
        local = moment.astimezone(local_zone)
        if hours and local.hour not in hours:
            continue
        if minutes and by_hours:
            start_of_hour = moment - timedelta(minutes=local.minute, seconds=local.second)
            yield from (start_of_hour + timedelta(minutes=minute) for minute in minutes)
        elif not minutes or local.minute in minutes:
            yield moment


def _times_of_day(schedule, first):
    """The times of a day of a schedule.

    Without minutes those of the start count. Without hours it is the hour of the start, or every hour if
    there are minutes.
    """
    minutes = _listed(schedule.get("minutes"))
    hours = _listed(schedule.get("hours")) or (range(24) if minutes else [first.hour])
    second = 0 if minutes else first.second
    return [time(hour, minute, second) for hour in sorted(hours) for minute in sorted(minutes or [first.minute])]


def _listed(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def _days(schedule, first, interval, earliest):
    """One day of every interval days, as (begin of the period, its days)."""
    skipped = max((earliest - first).days // interval - 1, 0)
    for index in count(skipped):
        day = first + timedelta(days=index * interval)
        yield day, [day]


def _weeks(schedule, first, interval, earliest):
    """The weekdays of every interval weeks; weeks begin on Monday and count from that of the start."""
    names = [name.lower() for name in _listed(schedule.get("weekDays"))] or [WEEKDAYS[first.weekday()]]
    monday = first - timedelta(days=first.weekday())
    skipped = max((earliest - monday).days // (7 * interval) - 1, 0)
    for index in count(skipped):
        week = monday + timedelta(weeks=index * interval)
        yield week, [week + timedelta(days=offset) for offset, name in enumerate(WEEKDAYS) if name in names]


def _months(schedule, first, interval, earliest):
    """The days of every interval months; a month that lacks a scheduled day has no run on it."""
    elapsed = (earliest.year - first.year) * 12 + earliest.month - first.month
    for index in count(max(elapsed // interval - 1, 0)):
        year, month = divmod(first.year * 12 + first.month - 1 + index * interval, 12)
        yield date(year, month + 1, 1), _days_of_month(schedule, year, month + 1, first.day)


def _days_of_month(schedule, year, month, start_day):
    length = monthrange(year, month)[1]
    days = [date(year, month, number) for number in range(1, length + 1)]
    if not schedule.get("monthDays") and not schedule.get("monthlyOccurrences"):
        return [days[min(start_day, length) - 1]]
    chosen = set()
    for number in _listed(schedule.get("monthDays")):
        if 1 <= abs(number) <= length:
            chosen.add(days[number - 1] if number > 0 else days[number])
    for entry in schedule.get("monthlyOccurrences") or []:
        same = [day for day in days if WEEKDAYS[day.weekday()] == entry["day"].lower()]
        occurrence = entry.get("occurrence")
        if occurrence is None:
            chosen.update(same)
        elif 1 <= abs(occurrence) <= len(same):
            chosen.add(same[occurrence - 1] if occurrence > 0 else same[occurrence])
    return sorted(chosen)


DAYS_OF_PERIOD = {"day": _days, "week": _weeks, "month": _months}


def schedule_parameters(trigger, fire_time, started=None):
    """What a schedule trigger hands over at a fire time: a list of (pipeline, {parameter: value})."""
    context = Context(trigger={"scheduledTime": iso(fire_time), "startTime": iso(started or fire_time)})
    return [
        (entry["pipelineReference"]["referenceName"], evaluate_tree(entry.get("parameters") or {}, context))
        for entry in trigger["properties"].get("pipelines") or []
    ]


# --- event triggers --------------------------------------------------------------------------------------


def event_parameters(trigger, event):
    """What an event trigger hands over for an event: a list of (pipeline, {parameter: value}).

    A storage event is the path of a blob, `container/folder/file`; a custom one an object in Event Grid's schema.
    Empty if the trigger does not listen to it. AdfLabError if an expression asks for what the event lacks: the
    trigger run fails then, and no pipeline runs.
    """
    properties = trigger["properties"]
    is_blob = properties["type"] == "BlobEventsTrigger"
    own = properties.get("typeProperties") or {}
    if not (_hears_blob(own, event) if is_blob else _hears_event(own, event)):
        return []
    folder, _, file = str(event).strip("/").rpartition("/")
    body = {"folderPath": folder, "fileName": file} if is_blob else {"event": event}
    context = Context(trigger={"outputs": {"body": body}})
    try:
        return [
            (entry["pipelineReference"]["referenceName"], evaluate_tree(entry.get("parameters") or {}, context))
            for entry in properties.get("pipelines") or []
        ]
    except ExpressionError as error:
        raise AdfLabError(f"The trigger run fails, and no pipeline runs: {error}") from None


def _hears_blob(properties, path):
    container, _, blob = path.strip("/").partition("/")
    whole = f"/{container}/blobs/{blob}"
    begin, end = properties.get("blobPathBeginsWith") or "", properties.get("blobPathEndsWith") or ""
    # Without a slash in front it is a folder of any container.
    return (whole if begin.startswith("/") else blob).startswith(begin) and whole.endswith(end)


def _hears_event(properties, event):
    subject, kind = str(event.get("subject", "")), str(event.get("eventType", "")).lower()
    return (
        subject.startswith(properties.get("subjectBeginsWith") or "")
        and subject.endswith(properties.get("subjectEndsWith") or "")
        and kind in [str(name).lower() for name in properties.get("events") or []]
    )


# --- tumbling window triggers ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """One window: its bounds, and the earliest time at which it may run (its end and the delay)."""

    start: datetime
    end: datetime
    not_before: datetime


def windows(trigger, since=None):
    """The windows of a tumbling window trigger, oldest first, up to its end time or without end.

    Windows are of one size, follow one another without a gap, and begin at the start time. With `since` they are
    those that end after a time.
    """
    properties = trigger["properties"]["typeProperties"]
    first = parse_time(properties["startTime"])
    last = parse_time(properties["endTime"]) if properties.get("endTime") else None
    delay = delay_of(trigger)
    for index in count(_earlier_windows(properties, first, since)):
        start, end = _bound(properties, first, index), _bound(properties, first, index + 1)
        if last and end > last:
            return
        if since is None or end > since:
            yield Window(start, end, end + delay)


def delay_of(trigger):
    """How long a window waits after its end."""
    return parse_timespan(trigger["properties"]["typeProperties"].get("delay", "00:00:00"))


def _earlier_windows(properties, first, since):
    """How many windows surely end before a time."""
    step = FIXED_STEPS.get(properties["frequency"].lower())
    if since is None or step is None:
        return 0
    return max((since - first) // (step * int(properties["interval"])) - 1, 0)


def _bound(properties, first, index):
    frequency, interval = properties["frequency"].lower(), int(properties["interval"])
    if frequency in FIXED_STEPS:
        return first + index * interval * FIXED_STEPS[frequency]
    if frequency != "month":
        raise AdfLabError(f"'{properties['frequency']}' is no frequency of windows: use Minute, Hour or Month.")
    year, month = divmod(first.year * 12 + first.month - 1 + index * interval, 12)
    return first.replace(year=year, month=month + 1, day=min(first.day, monthrange(year, month + 1)[1]))


def ready_windows(trigger, as_of, since=None):
    """The windows that may run at a time, oldest first; with `since`, those that may not run before that."""
    ready = []
    for window in windows(trigger, since and since - delay_of(trigger) - RESOLUTION):
        if window.not_before > as_of:
            break
        ready.append(window)
    return ready


def coming_window(trigger, as_of):
    """The first window that may not run yet at a time; None if there is none."""
    return next(windows(trigger, as_of - delay_of(trigger)), None)


def next_windows(
    trigger, as_of, succeeded=(), running=0, is_done=lambda name, start, end: True, taken=(), since=None
):
    """The windows to fire now: ready, not yet run, their dependencies met, up to maxConcurrency at once.

    `succeeded` holds the windows that have run; `taken` those that are not to fire, and have not succeeded.
    Those that may run before `since` have succeeded, too. A window before the trigger's start holds nothing up.
    `is_done(name, start, end)` tells whether another trigger has run its windows from start to end.
    """
    most = int(trigger["properties"]["typeProperties"]["maxConcurrency"]) - running

    def is_free(window):
        return all(
            needed in succeeded or (since is not None and needed.not_before < since)
            for needed in needed_windows(trigger, window)
        ) and all(is_done(*needed) for needed in other_dependencies(trigger, window))

    ready = ready_windows(trigger, as_of, since)
    unknown = (window for window in ready if window not in succeeded and window not in taken)
    return list(islice(filter(is_free, unknown), max(most, 0)))


def needed_windows(trigger, window):
    """The windows of its own trigger that a window waits for."""
    needed: list[Window] = []
    for start, end in self_dependencies(trigger, window):
        for other in windows(trigger, start):
            if other.start >= end:
                break
            needed.append(other)
    return needed


def self_dependencies(trigger, window):
    """The intervals of itself that a window waits for, as (start, end)."""
    entries = trigger["properties"]["typeProperties"].get("dependsOn") or []
    intervals = dependency_intervals(trigger, window)
    return [
        interval
        for entry, interval in zip(entries, intervals, strict=True)
        if entry["type"] == "SelfDependencyTumblingWindowTriggerReference"
    ]


def other_dependencies(trigger, window):
    """What a window waits for of other triggers, as (name of the trigger, start, end)."""
    entries = trigger["properties"]["typeProperties"].get("dependsOn") or []
    return [
        (entry["referenceTrigger"]["referenceName"], *interval)
        for entry, interval in zip(entries, dependency_intervals(trigger, window), strict=True)
        if entry["type"] == "TumblingWindowTriggerDependencyReference"
    ]


def covers(trigger, start, end, succeeded=None):
    """Whether a trigger has windows from start to end that have all succeeded (None: whatever they did)."""
    found = list(takewhile(lambda window: window.start < end, windows(trigger, start)))
    return bool(found) and (succeeded is None or all(window in succeeded for window in found))


def dependency_intervals(trigger, window):
    """The interval that each dependsOn entry waits for, as (start, end): the window, moved and resized."""
    intervals = []
    for entry in trigger["properties"]["typeProperties"].get("dependsOn") or []:
        offset = parse_timespan(entry.get("offset", "00:00:00"))
        start, end = window.start + offset, window.end + offset
        intervals.append((start, start + parse_timespan(entry["size"]) if "size" in entry else end))
    return intervals


def window_parameters(trigger, window, started=None):
    """What a tumbling window trigger hands over for a window: (pipeline, {parameter: value})."""
    entry = trigger["properties"]["pipeline"]
    context = Context(
        trigger={
            "scheduledTime": iso(window.not_before),
            "startTime": iso(started or window.not_before),
            "outputs": {"windowStartTime": iso(window.start), "windowEndTime": iso(window.end)},
        }
    )
    return entry["pipelineReference"]["referenceName"], evaluate_tree(entry.get("parameters") or {}, context)


def retries_of(trigger):
    """How often a window's pipeline is run again when it has failed, and the seconds before each time."""
    policy = trigger["properties"]["typeProperties"].get("retryPolicy") or {}
    return int(policy.get("count", 0)), int(policy.get("intervalInSeconds", DEFAULT_RETRY_INTERVAL))
