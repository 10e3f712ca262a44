"""Date functions. Source: control-flow-expression-language-functions, "Date functions".

Timestamps are texts. The result is written in the format of the last argument, by default `o`.
"""

from datetime import UTC

from adf_lab.expressions import zones
from adf_lab.expressions.errors import ExpressionError
from adf_lab.expressions.instants import (
    ROUND_TRIP,
    TICKS_PER_DAY,
    TICKS_PER_HOUR,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    Instant,
    format_instant,
    from_datetime,
    parse_instant,
    to_datetime,
)
from adf_lab.expressions.registry import function

TICKS_OF_UNIT = {
    "second": TICKS_PER_SECOND,
    "minute": TICKS_PER_MINUTE,
    "hour": TICKS_PER_HOUR,
    "day": TICKS_PER_DAY,
    "week": 7 * TICKS_PER_DAY,
}
MONTHS_OF_UNIT = {"month": 1, "year": 12}
LOCALE = "en-us"


def _shifted(instant, count, unit):
    """An instant so many time units later."""
    word = unit.strip().lower()
    if word in MONTHS_OF_UNIT:
        return instant.plus_months(count * MONTHS_OF_UNIT[word])
    if word not in TICKS_OF_UNIT:
        known = ", ".join(name.capitalize() for name in [*TICKS_OF_UNIT, *MONTHS_OF_UNIT])
        raise ExpressionError(f"'{unit}' is not a time unit: use one of {known}.")
    return instant.plus(count * TICKS_OF_UNIT[word])


def _adding(name, parameter, unit):
    @function(f"{name}(timestamp: string, {parameter}: integer, format?: string) -> string")
    def body(timestamp, count, pattern=ROUND_TRIP):
        return format_instant(_shifted(parse_instant(timestamp), count, unit), pattern)


for _name, _parameter, _unit in [
    ("addDays", "days", "day"),
    ("addHours", "hours", "hour"),
    ("addMinutes", "minutes", "minute"),
    ("addSeconds", "seconds", "second"),
]:
    _adding(_name, _parameter, _unit)


def _moving(name, direction):
    @function(f"{name}(timestamp: string, interval: integer, unit: string, format?: string) -> string")
    def body(timestamp, interval, unit, pattern=ROUND_TRIP):
        return format_instant(_shifted(parse_instant(timestamp), direction * interval, unit), pattern)


def _moving_from_now(name, direction):
    @function(f"{name}(interval: integer, unit: string, format?: string) -> string", needs_context=True)
    def body(context, interval, unit, pattern=ROUND_TRIP):
        return format_instant(_shifted(_now(context), direction * interval, unit), pattern)


_moving("addToTime", 1)
_moving("subtractFromTime", -1)
_moving_from_now("getFutureTime", 1)
_moving_from_now("getPastTime", -1)


def _now(context):
    """The clock of a context, which holds an Instant or a datetime."""
    now = context.now()
    return now if isinstance(now, Instant) else from_datetime(now)


@function("utcNow(format?: string) -> string", needs_context=True)
def utc_now(context, pattern=ROUND_TRIP):
    """The current time in UTC."""
    return format_instant(_now(context), pattern)


@function("formatDateTime(timestamp: string, format?: string, locale?: string) -> string")
def format_date_time(timestamp, pattern=ROUND_TRIP, locale=LOCALE):
    """A timestamp in a format; the only locale known here is en-US."""
    if locale.lower() != LOCALE:
        raise ExpressionError(f"formatDateTime was given the locale '{locale}': only en-US is known here.")
    return format_instant(parse_instant(timestamp), pattern)


@function("startOfHour(timestamp: string, format?: string) -> string")
def start_of_hour(timestamp, pattern=ROUND_TRIP):
    """The start of the hour of a timestamp."""
    instant = parse_instant(timestamp)
    return format_instant(instant.plus(-(instant.ticks % TICKS_PER_HOUR)), pattern)


@function("startOfDay(timestamp: string, format?: string) -> string")
def start_of_day(timestamp, pattern=ROUND_TRIP):
    """The start of the day of a timestamp."""
    instant = parse_instant(timestamp)
    return format_instant(instant.plus(-(instant.ticks % TICKS_PER_DAY)), pattern)


@function("startOfMonth(timestamp: string, format?: string) -> string")
def start_of_month(timestamp, pattern=ROUND_TRIP):
    """The start of the month of a timestamp."""
    instant = parse_instant(timestamp)
    past = instant.ticks % TICKS_PER_DAY + (instant.date.day - 1) * TICKS_PER_DAY
    return format_instant(instant.plus(-past), pattern)


@function("dayOfMonth(timestamp: string) -> integer")
def day_of_month(timestamp):
    """The day of the month, from 1."""
    return parse_instant(timestamp).date.day


@function("dayOfWeek(timestamp: string) -> integer")
def day_of_week(timestamp):
    """The day of the week, Sunday is 0."""
    return parse_instant(timestamp).date.isoweekday() % 7


@function("dayOfYear(timestamp: string) -> integer")
def day_of_year(timestamp):
    """The day of the year, from 1."""
    return parse_instant(timestamp).date.timetuple().tm_yday


@function("ticks(timestamp: string) -> integer")
def ticks(timestamp):
    """The number of 100-nanosecond intervals since 0001-01-01."""
    return parse_instant(timestamp).ticks


@function("convertFromUtc(timestamp: string, zone: string, format?: string) -> string")
def convert_from_utc(timestamp, zone, pattern=ROUND_TRIP):
    """A UTC timestamp in the time of a zone; the timestamp must say that it is UTC by its `Z`."""
    instant = parse_instant(timestamp)
    if instant.kind != "utc":
        raise ExpressionError(f"convertFromUtc was given '{timestamp}': a UTC timestamp ends with Z.")
    return format_instant(_to_zone(instant, zone), pattern)


@function("convertToUtc(timestamp: string, zone: string, format?: string) -> string")
def convert_to_utc(timestamp, zone, pattern=ROUND_TRIP):
    """A timestamp of a zone in UTC; the timestamp must not carry a zone of its own."""
    instant = parse_instant(timestamp)
    if instant.kind == "local" or (instant.kind == "utc" and not zones.is_utc(zone)):
        raise ExpressionError(
            f"convertToUtc was given '{timestamp}', which is no local time of '{zone}': leave out its Z or offset."
        )
    return format_instant(_from_zone(instant, zone), pattern)


@function("convertTimeZone(timestamp: string, source: string, target: string, format?: string) -> string")
def convert_time_zone(timestamp, source, target, pattern=ROUND_TRIP):
    """A timestamp of one zone in the time of another; one that carries Z or an offset is taken by that."""
    zones.zone(source)
    return format_instant(_to_zone(_from_zone(parse_instant(timestamp), source), target), pattern)


def _from_zone(instant, zone):
    """The UTC instant of a local one."""
    if instant.kind != "unspecified" or zones.is_utc(zone):
        return Instant(instant.ticks, "utc")
    moment = zones.local_to_utc(to_datetime(instant), zone)
    return Instant(from_datetime(moment).ticks + instant.ticks % 10, "utc")


def _to_zone(instant, zone):
    """The local instant of a UTC one; in the zone UTC it stays UTC."""
    if zones.is_utc(zone):
        return instant
    moment = zones.utc_to_local(to_datetime(instant).replace(tzinfo=UTC), zone)
    return Instant(from_datetime(moment).ticks + instant.ticks % 10)
