"""UTC instants: how they are read, written and compared."""

import calendar
import re
from datetime import UTC, date, datetime, timedelta

from coinlake.errors import ConfigurationError

DEFAULT_SIMULATED = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
# A run of the simulated market begins from the first instant on and before the last one: the market, which trades
# from 2013 to 2043, has enough coins by then, and a day left for the requests of a run.
FIRST_SIMULATED, LAST_SIMULATED = datetime(2015, 1, 1, tzinfo=UTC), datetime(2043, 12, 31, tzinfo=UTC)

# CoinGecko completes a UTC day at 00:35 and its caches end at 00:40: from 00:45 on, its answers are settled.
DAY_SETTLES_AFTER = timedelta(minutes=45)

_STEP = re.compile(r"\+(\d{1,6})([mhd])")
_STAMP = "%Y%m%dT%H%M%SZ"


def parse(text: str) -> datetime:
    """An ISO 8601 instant as UTC; without an offset it is UTC. Raises ConfigurationError when it is not one."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigurationError(f"{text!r} is not an instant. Write it like 2026-08-12T14:22:00Z.") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def to_text(instant: datetime) -> str:
    """ISO 8601 with milliseconds and Z: 2026-08-12T14:22:00.000Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_stamp(instant: datetime) -> str:
    """The form that stands in names: 20260812T142200Z."""
    return instant.astimezone(UTC).strftime(_STAMP)


def from_stamp(text: str) -> datetime:
    """The instant of a name that starts with a stamp; raises ValueError when it does not."""
    return datetime.strptime(text[:16], _STAMP).replace(tzinfo=UTC)


def as_of(text: str) -> datetime | timedelta | None:
    """What the parameter as_of says: an instant, a step such as +1h, +30m or +2d, or None where it is empty.

    Raises ConfigurationError when it is none of these.
    """
    text = text.strip()
    if not text:
        return None
    if match := _STEP.fullmatch(text):
        unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
        return timedelta(**{unit: int(match[1])})
    try:
        return parse(text)
    except ConfigurationError:
        raise ConfigurationError(
            f"{text!r} is neither an instant, such as 2026-08-12T14:22:00Z, nor a step, such as +1h, +30m or +2d."
        ) from None


def last_day(day: date) -> date:
    """The last day of the month of `day`."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def next_month(instant: datetime) -> datetime:
    """The first instant of the UTC month after the one of `instant`."""
    first = instant.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=31)).replace(day=1)


def data_day(instant: datetime) -> date:
    """The day whose settled answers a run at this instant asks for: a UTC day begins at 00:45."""
    return (instant.astimezone(UTC) - DAY_SETTLES_AFTER).date()
