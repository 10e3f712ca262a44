"""Time spans as Data Factory writes them: `[-][d.]hh:mm:ss`."""

import re
from datetime import timedelta

from adf_lab.errors import AdfLabError

TIMESPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2})(?::(?P<seconds>\d{2}(?:\.\d+)?))?"
)


def to_text_span(span: timedelta) -> str:
    """A timedelta as the service writes durations: `[d.]hh:mm:ss[.fffffff]`."""
    seconds, fraction = divmod(round(span / timedelta(microseconds=1)), 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{f'{days}.' if days else ''}{text}{f'.{fraction:06}0' if fraction else ''}"


def parse_timespan(text: object) -> timedelta:
    """The timedelta of a text like 0.02:00:00; AdfLabError if it is none."""
    match = TIMESPAN.fullmatch(str(text))
    if not match:
        raise AdfLabError(f"'{text}' is not a time span: write it as d.hh:mm:ss, like 0.02:00:00.")
    parts = {name: float(match[name] or 0) for name in ("days", "hours", "minutes", "seconds")}
    span = timedelta(**parts)
    return -span if match["sign"] else span
