"""Triggers: when they fire, in whose time, what they wait for, what they listen to.

Sources: azure-docs, how-to-create-schedule-trigger, how-to-create-tumbling-window-trigger,
tumbling-window-trigger-dependency, how-to-create-event-trigger, how-to-create-custom-event-trigger.
"""

from datetime import timedelta

from adf_lab.check.finding import finding
from adf_lab.check.limits import number, span
from adf_lab.check.names import find
from adf_lab.errors import AdfLabError
from adf_lab.expressions import ExpressionError, windows_name, zone
from adf_lab.timespans import parse_timespan
from adf_lab.triggers import parse_time

LARGEST_INTERVAL = 1000
WINDOW_CONCURRENCY = (1, 50)
SHORTEST_WINDOW_MINUTES = 5
MOST_DEPENDENCIES = 5
SELF = "SelfDependencyTumblingWindowTriggerReference"
# The parts of a schedule: least and largest number, and the frequency that each needs.
NUMBERS = {"minutes": (0, 59), "hours": (0, 23), "monthDays": (-31, 31)}
FREQUENCY_OF = {"weekDays": "Week", "monthDays": "Month", "monthlyOccurrences": "Month"}
OCCURRENCES = range(-5, 6)


def trigger_mistakes(factory, name=None):
    """What keeps triggers, or the one with a name, from being started or from ever firing."""
    for resource in factory.resources["trigger"].values():
        if name not in (None, resource.name):
            continue
        check = KINDS.get(str(resource.properties.get("type")))
        properties = resource.properties.get("typeProperties") or {}
        for rule, where, message in check(factory, resource.properties, properties) if check else ():
            yield finding(rule, resource.file, f"properties.{where}", message)


def _schedule(factory, trigger, properties):
    if trigger.get("pipeline"):
        yield "trigger-field", "pipeline", "a schedule has a list of pipelines: write it as pipelines."
    recurrence = properties.get("recurrence")
    if not isinstance(recurrence, dict):
        return
    place = "typeProperties.recurrence"
    zone_name = recurrence.get("timeZone", "UTC")
    local = None
    try:
        local = zone(zone_name)
    except ExpressionError:
        windows = windows_name(zone_name)
        remedy = f"'{windows}'" if windows else "a name that Windows has, such as 'W. Europe Standard Time'"
        yield "trigger-time-zone", f"{place}.timeZone", f"'{zone_name}' is no time zone of triggers: use {remedy}."
    yield from _recurrence(place, recurrence, local or zone("UTC"))
    if zone_name != "UTC":
        for name in ("startTime", "endTime"):
            if str(recurrence.get(name) or "").endswith("Z"):
                message = f"a time in '{zone_name}' carries no Z: leave it out."
                yield "trigger-time-zone", f"{place}.{name}", message
    schedule = recurrence.get("schedule")
    if isinstance(schedule, dict):
        yield from _parts(f"{place}.schedule", schedule, str(recurrence.get("frequency")))


def _recurrence(place, properties, local_zone):
    """Interval, start and end, which schedules and windows have alike."""
    for where, message in number(f"{place}.interval", properties.get("interval"), 1, LARGEST_INTERVAL):
        yield "trigger-recurrence", where, message
    times = {}
    for name in ("startTime", "endTime"):
        text = properties.get(name)
        if not isinstance(text, str) or "@" in text:
            continue
        try:
            times[name] = parse_time(text, local_zone)
        except (AdfLabError, OverflowError) as error:
            yield "trigger-recurrence", f"{place}.{name}", str(error)
    if not properties.get("startTime"):
        yield "trigger-recurrence", place, "the startTime is missing: add it."
    if len(times) == 2 and times["endTime"] <= times["startTime"]:
        yield "trigger-recurrence", f"{place}.endTime", "the end is not after the start, so it never fires."


def _parts(place, schedule, frequency):
    """The parts of a schedule: numbers that exist, days that go with the frequency."""
    for name, needed in FREQUENCY_OF.items():
        if schedule.get(name) and frequency.lower() != needed.lower():
            message = f"{name} need the frequency {needed}, this is {frequency}."
            yield "trigger-schedule", f"{place}.{name}", message
            continue
        least, most = NUMBERS.get(name, (None, None))
        if least is not None:
            yield from _numbers(f"{place}.{name}", schedule.get(name), least, most)
    for name in ("minutes", "hours"):
        yield from _numbers(f"{place}.{name}", schedule.get(name), *NUMBERS[name])
    for index, entry in enumerate(schedule.get("monthlyOccurrences") or []):
        occurrence = entry.get("occurrence", 1)
        if isinstance(occurrence, int) and (occurrence == 0 or occurrence not in OCCURRENCES):
            message = f"{occurrence} must be between 1 and 5, or from the end between -1 and -5."
            yield "trigger-schedule", f"{place}.monthlyOccurrences[{index}].occurrence", message


def _numbers(place, values, least, most):
    wrong = [value for value in values or [] if isinstance(value, int) and not least <= value <= most]
    if place.endswith("monthDays"):
        wrong += [value for value in values or [] if value == 0]
    if wrong:
        yield "trigger-schedule", place, f"{', '.join(map(str, wrong))} must be between {least} and {most}."


def _window(factory, trigger, properties):
    place = "typeProperties"
    if trigger.get("pipelines"):
        yield "trigger-field", "pipelines", "a tumbling window has one pipeline: write it as pipeline."
    if "recurrence" in properties:
        message = "a tumbling window has no recurrence: write its parts beside one another."
        yield "trigger-field", f"{place}.recurrence", message
        return
    yield from _recurrence(place, properties, zone("UTC"))
    minutes = str(properties.get("frequency")).lower() == "minute"
    interval = properties.get("interval")
    if minutes and isinstance(interval, int) and 0 < interval < SHORTEST_WINDOW_MINUTES:
        message = f"a window has at least {SHORTEST_WINDOW_MINUTES} minutes."
        yield "trigger-window", f"{place}.interval", message
    retry = properties.get("retryPolicy")
    ranges = [
        *span(f"{place}.delay", properties.get("delay"), timedelta(0), None),
        *number(f"{place}.maxConcurrency", properties.get("maxConcurrency"), *WINDOW_CONCURRENCY),
        *number(f"{place}.retryPolicy.count", (retry or {}).get("count"), 0, None),
        *number(f"{place}.retryPolicy.intervalInSeconds", (retry or {}).get("intervalInSeconds"), 0, None),
    ]
    yield from (("trigger-window", where, message) for where, message in ranges)
    dependencies = properties.get("dependsOn") or []
    if len(dependencies) > MOST_DEPENDENCIES:
        message = f"{len(dependencies)} dependencies: the limit is {MOST_DEPENDENCIES}."
        yield "trigger-window", f"{place}.dependsOn", message
    for index, entry in enumerate(dependencies):
        where = f"{place}.dependsOn[{index}]"
        yield from (("trigger-window", *found) for found in _dependency(factory, where, entry))


def _dependency(factory, where, entry):
    spans = {}
    for name in ("offset", "size"):
        text = entry.get(name)
        if isinstance(text, str) and "@" not in text:
            try:
                spans[name] = parse_timespan(text)
            except AdfLabError as error:
                yield f"{where}.{name}", str(error)
    if spans.get("size", timedelta(1)) <= timedelta(0):
        yield f"{where}.size", f"{entry['size']} must be more than nothing."
    if entry.get("type") == SELF and spans.get("offset", timedelta(0)) >= timedelta(0):
        yield f"{where}.offset", "a trigger can only wait for its own past: make it negative."
    other = find(factory, "trigger", str((entry.get("referenceTrigger") or {}).get("referenceName")))
    kind = other.properties.get("type") if other else "TumblingWindowTrigger"
    if kind != "TumblingWindowTrigger":
        yield where, f"'{other.name}' is a {kind}: a window can wait for windows only."


def _event(factory, trigger, properties):
    if trigger.get("pipeline"):
        yield "trigger-field", "pipeline", "an event trigger has a list of pipelines: write it as pipelines."
    if trigger["type"] == "BlobEventsTrigger":
        paths = [properties.get(name) for name in ("blobPathBeginsWith", "blobPathEndsWith")]
        if not any(paths):
            message = "it listens to no path: give blobPathBeginsWith or blobPathEndsWith."
            yield "trigger-event", "typeProperties", message
    if properties.get("events") == []:
        yield "trigger-event", "typeProperties.events", "it listens to no event: name at least one."


KINDS = {
    "ScheduleTrigger": _schedule,
    "TumblingWindowTrigger": _window,
    "BlobEventsTrigger": _event,
    "CustomEventsTrigger": _event,
}
