"""Time zones by their Windows names.

Source: azure-docs, control-flow-expression-language-functions, convertFromUtc, convertToUtc and
convertTimeZone: zones are named as Windows names them. tzlocal has their IANA names, CLDR's table windowsZones.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

from adf_lab.expressions.errors import ExpressionError

IANA_NAMES = {name.lower(): iana_name for name, iana_name in win_tz.items()}


def zone(name):
    """The time zone with a Windows name, in any case; ExpressionError for other names."""
    try:
        return ZoneInfo(IANA_NAMES[name.lower()])
    except KeyError:
        raise ExpressionError(
            f"'{name}' is not the Windows name of a time zone: write it like 'W. Europe Standard Time' or 'UTC'."
        ) from None


def windows_name(name):
    """The Windows name of a zone with an IANA name; None if there is none."""
    return tz_win.get(name)


def is_utc(name):
    """Whether a zone's name means UTC itself."""
    return name.lower() == "utc"


def local_to_utc(moment, zone_name):
    """The UTC datetime of a naive local one.

    ExpressionError if the clock of the zone never shows that time or shows it twice.
    """
    candidates = utc_candidates(moment, zone(zone_name))
    if len(candidates) != 1:
        how_often = "twice" if candidates else "never"
        raise ExpressionError(
            f"The clock of '{zone_name}' shows {moment.isoformat()} {how_often}, because daylight saving time "
            "changes: convert from UTC instead."
        )
    return candidates[0]


def utc_candidates(moment, local_zone):
    """All UTC datetimes, ascending, at which the clock of a zone shows a naive local time."""
    found = set()
    for fold in (0, 1):
        candidate = moved(moment.replace(tzinfo=local_zone, fold=fold), UTC)
        if moved(candidate, local_zone).replace(tzinfo=None) == moment.replace(fold=0):
            found.add(candidate)
    return sorted(found)


def utc_to_local(moment: datetime, zone_name):
    """The naive local datetime of an aware one."""
    return moved(moment, zone(zone_name)).replace(tzinfo=None)


def moved(moment, target):
    """An aware datetime in another zone; at the ends of the calendar it stops there, as .NET's does."""
    try:
        return moment.astimezone(target)
    except OverflowError:
        return (datetime.min if moment.year == 1 else datetime.max).replace(tzinfo=target)
