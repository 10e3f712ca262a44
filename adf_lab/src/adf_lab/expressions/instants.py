"""Points in time as .NET's DateTime has them: 100-nanosecond ticks since the year 1, and a kind.

Sources: learn.microsoft.com, "Standard date and time format strings" and "Custom date and time format
strings", culture en-US, machine time zone UTC; "DateTime.Parse" for what is read.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache

from adf_lab.expressions.errors import ExpressionError

TICKS_PER_SECOND = 10_000_000
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_HOUR = 60 * TICKS_PER_MINUTE
TICKS_PER_DAY = 24 * TICKS_PER_HOUR
END_OF_TIME = date.max.toordinal() * TICKS_PER_DAY

DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, slots=True)
class Instant:
    """Ticks since 0001-01-01 and their kind.

    `utc` came with `Z`; `local` came with an offset and has been moved to UTC, the zone of the machine;
    `unspecified` came with neither.
    """

    ticks: int
    kind: str = "unspecified"

    def __post_init__(self):
        if not 0 <= self.ticks < END_OF_TIME:
            raise ExpressionError("A date lies outside the years 1 to 9999.")

    @property
    def date(self):
        """The calendar date."""
        return date.fromordinal(self.ticks // TICKS_PER_DAY + 1)

    @property
    def time(self):
        """Hour, minute, second and ticks of the second."""
        seconds, ticks = divmod(self.ticks % TICKS_PER_DAY, TICKS_PER_SECOND)
        return seconds // 3600, seconds // 60 % 60, seconds % 60, ticks

    def plus(self, ticks):
        """The instant so many ticks later, of the same kind."""
        return replace(self, ticks=self.ticks + ticks)

    def plus_months(self, months):
        """The same day and time so many months later; a day that the month lacks becomes its last day."""
        day = self.date
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        if not 1 <= year <= 9999:
            raise ExpressionError(f"The date {months} months from {day} lies outside the years 1 to 9999.")
        first = date(year, month + 1, 1)
        shifted = first.replace(day=min(day.day, days_in_month(first)))
        return replace(self, ticks=(shifted.toordinal() - 1) * TICKS_PER_DAY + self.ticks % TICKS_PER_DAY)


def days_in_month(day):
    """The number of days of the month that a date lies in."""
    if day.month == 12:
        return 31
    return (day.replace(month=day.month + 1, day=1) - day.replace(day=1)).days


def from_datetime(moment):
    """The instant of a datetime: aware ones as UTC, naive ones without a zone."""
    kind = "unspecified" if moment.tzinfo is None else "utc"
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second
    ticks = (moment.toordinal() - 1) * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + moment.microsecond * 10
    return Instant(ticks, kind)


def to_datetime(instant):
    """The datetime of an instant, to the microsecond: aware (UTC) unless its kind is unspecified."""
    hour, minute, second, ticks = instant.time
    zone = None if instant.kind == "unspecified" else UTC
    day = instant.date
    return datetime(day.year, day.month, day.day, hour, minute, second, ticks // 10, tzinfo=zone)


# --- reading ---------------------------------------------------------------------------------------------

WEEKDAY = rf"(?:(?P<weekday>{'|'.join(f'{name}|{name[:3]}' for name in DAYS)}),?\s+)?"
MONTH = rf"(?P<name>{'|'.join(f'{name}|{name[:3]}' for name in MONTHS)})"
GAP = r"[\s,/-]+"
YEAR = r"(?P<year>\d{4}|\d{1,2})"
OFFSET = r"[+-]\d{1,2}(?::?[0-5]\d)?"
# Letters never follow those of AM and PM at once.
ZONE = rf"\s*(?P<zone>(?<!M)(?:Z|GMT)|{OFFSET})?"
ZONE_AFTER_T = rf"\s*(?P<zone>Z|{OFFSET})?"
CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d*))?)?)?"
CLOCK_AFTER_T = (
    rf"T(?P<hour>\d{{2}}):(?P<minute>\d{{2}})(?::(?P<second>\d{{2}})(?:\.(?P<fraction>\d+))?)?{ZONE_AFTER_T}"
)
CLOCK_AFTER_SPACE = rf"(?:(?:,\s*|\s+){CLOCK}(?:\s*(?P<half>AM|PM))?)?{ZONE}"
READABLE = [
    re.compile(rf"\s*{WEEKDAY}{day}{clock}\s*", re.IGNORECASE)
    for day, clock in [
        (r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})", CLOCK_AFTER_T),
        (r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})", CLOCK_AFTER_SPACE),
        (r"(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})[-/.](?P<year>\d{4}|\d{2})", CLOCK_AFTER_SPACE),
        (r"(?P<year>\d{4})[-/](?P<month>\d{1,2})", CLOCK_AFTER_SPACE),
        (rf"{MONTH}{GAP}(?P<day>\d{{1,2}}){GAP}{YEAR}", CLOCK_AFTER_SPACE),
        (rf"(?P<day>\d{{1,2}}){GAP}{MONTH}{GAP}{YEAR}", CLOCK_AFTER_SPACE),
        (rf"(?P<year>\d{{4}}){GAP}{MONTH}{GAP}(?P<day>\d{{1,2}})", CLOCK_AFTER_SPACE),
        (rf"{MONTH}{GAP}(?P<year>\d{{4}})", ""),
        (rf"(?P<year>\d{{4}}){GAP}{MONTH}", ""),
    ]
]
LAST_TWO_DIGIT_YEAR = 29
ZONE_OFFSET = re.compile(r"[+-](?P<hours>\d{1,2}):?(?P<minutes>\d{2})?")
LARGEST_OFFSET_MINUTES = 14 * 60


def parse_instant(text):
    """Read a timestamp as DateTime.Parse does in en-US; ExpressionError if it is none."""
    for pattern in READABLE:
        match = pattern.fullmatch(text)
        if match:
            try:
                return _instant_of(match.groupdict())
            except ValueError:
                break
    raise ExpressionError(f"'{text}' is not a date and time: write it like 2018-03-15T13:00:00Z.")


def _instant_of(fields):
    """The instant behind the named fields of a match; ValueError for a day or time that does not exist."""
    day = date(_year(fields["year"]), _month(fields), int(fields.get("day") or 1))
    if fields["weekday"] and not DAYS[day.isoweekday() % 7].lower().startswith(fields["weekday"].lower()[:3]):
        raise ValueError("another weekday")
    ticks = (day.toordinal() - 1) * TICKS_PER_DAY + _ticks_of_day(fields)
    zone = fields.get("zone")
    if not zone:
        return Instant(ticks)
    if zone.upper() in ("Z", "GMT"):
        return Instant(ticks, "utc")
    offset = ZONE_OFFSET.fullmatch(zone)
    if not offset:
        raise ValueError("an offset that is not like +02:00")
    minutes = int(offset["hours"]) * 60 + int(offset["minutes"] or 0)
    if minutes > LARGEST_OFFSET_MINUTES:
        raise ValueError("an offset beyond 14 hours")
    return Instant(ticks - (minutes if zone[0] == "+" else -minutes) * TICKS_PER_MINUTE, "local")


def _year(text):
    if len(text) == 4:
        return int(text)
    return int(text) + (2000 if int(text) <= LAST_TWO_DIGIT_YEAR else 1900)


def _month(fields):
    if fields.get("name"):
        names = [name[:3].lower() for name in MONTHS]
        return names.index(fields["name"][:3].lower()) + 1
    return int(fields["month"])


def _ticks_of_day(fields):
    hour, minute, second = (int(fields.get(name) or 0) for name in ("hour", "minute", "second"))
    if fields.get("half"):
        is_afternoon = fields["half"].upper() == "PM"
        if hour > 12 and not is_afternoon:
            raise ValueError("an hour that is not in this half of the day")
        hour = hour if hour > 12 else hour % 12 + (12 if is_afternoon else 0)
    elif fields.get("hour") and not fields.get("minute"):
        raise ValueError("an hour alone")
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError("a time that does not exist")
    fraction = round(float(f"0.{fields.get('fraction') or 0}") * TICKS_PER_SECOND)
    return hour * TICKS_PER_HOUR + minute * TICKS_PER_MINUTE + second * TICKS_PER_SECOND + fraction


# --- writing ---------------------------------------------------------------------------------------------

ROUND_TRIP = "o"
STANDARD_FORMATS = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "m": "MMMM d",
    "M": "MMMM d",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "U": "dddd, MMMM d, yyyy h:mm:ss tt",
    "y": "MMMM yyyy",
    "Y": "MMMM yyyy",
    "": "M/d/yyyy h:mm:ss tt",
}
SPECIFIERS = "dfFghHKmMstyz"
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
QUOTED = {mark: re.compile(rf"{mark}(?P<text>(?:[^\\{mark}]|\\.)*){mark}", re.DOTALL) for mark in "'\""}
OFFSETS = {1: "+0", 2: "+00"}


def format_instant(instant, pattern=ROUND_TRIP):
    """Write an instant with a standard (one letter) or custom format; ExpressionError for a bad format."""
    hour, minute, second, ticks = instant.time
    moment = {"date": instant.date, "hour": hour, "minute": minute, "second": second, "ticks": ticks}
    moment["kind"] = instant.kind
    written = ""
    for write, count in _pieces(pattern):
        if count is None:
            written += write
            continue
        text = write(moment, count)
        if not text and write is _optional_fraction and written.endswith("."):
            written = written[:-1]
        written += text
    return written


@lru_cache(maxsize=512)
def _pieces(pattern):
    """A format as pairs: (function, number of letters) for a specifier, (text, None) for literal text."""
    if len(pattern) < 2:
        if pattern not in STANDARD_FORMATS:
            raise ExpressionError(
                f"'{pattern}' is not a date format: a single letter must be one of the standard formats "
                f"{''.join(STANDARD_FORMATS)}; for a custom one write '%{pattern}'."
            )
        pattern = STANDARD_FORMATS[pattern]
    pieces, position = [], 0
    while position < len(pattern):
        letter = pattern[position]
        if letter in SPECIFIERS:
            count = len(pattern) - position - len(pattern[position:].lstrip(letter))
            pieces.append(_specifier(letter, count, pattern))
            position += count
        elif letter in "'\"":
            quoted = QUOTED[letter].match(pattern, position)
            if not quoted:
                raise ExpressionError(f"The date format '{pattern}' has a quotation mark without its partner.")
            pieces.append((ESCAPED.sub(r"\1", quoted["text"]), None))
            position = quoted.end()
        elif letter in "\\%":
            following = pattern[position + 1 : position + 2]
            if not following or (letter == "%" and following == "%"):
                raise ExpressionError(f"The date format '{pattern}' needs a character after '{letter}'.")
            is_specifier = letter == "%" and following in SPECIFIERS
            pieces.append(_specifier(following, 1, pattern) if is_specifier else (following, None))
            position += 2
        else:
            pieces.append((letter, None))
            position += 1
    return tuple(pieces)


def _specifier(letter, count, pattern):
    if letter in "fF" and count > 7:
        raise ExpressionError(f"The date format '{pattern}' asks for more than 7 digits of a second.")
    return WRITERS[letter], count


def _padded(value, count, most=2):
    return str(value).rjust(min(count, most), "0")


def _day(moment, count):
    name = DAYS[moment["date"].isoweekday() % 7]
    return {1: str(moment["date"].day), 2: f"{moment['date'].day:02d}", 3: name[:3]}.get(count, name)


def _month_text(moment, count):
    name = MONTHS[moment["date"].month - 1]
    return {1: str(moment["date"].month), 2: f"{moment['date'].month:02d}", 3: name[:3]}.get(count, name)


def _year_text(moment, count):
    year = moment["date"].year
    return _padded(year % 100, count) if count <= 2 else str(year).rjust(count, "0")


def _fraction(moment, count):
    return f"{moment['ticks']:07d}"[:count]


def _optional_fraction(moment, count):
    return _fraction(moment, count).rstrip("0")


def _half(moment, count):
    return ("AM" if moment["hour"] < 12 else "PM")[:count]


def _kind(moment, count):
    return {"utc": "Z", "local": "+00:00", "unspecified": ""}[moment["kind"]] * count


WRITERS = {
    "d": _day,
    "f": _fraction,
    "F": _optional_fraction,
    "g": lambda moment, count: "A.D.",
    "h": lambda moment, count: _padded(moment["hour"] % 12 or 12, count),
    "H": lambda moment, count: _padded(moment["hour"], count),
    "K": _kind,
    "m": lambda moment, count: _padded(moment["minute"], count),
    "M": _month_text,
    "s": lambda moment, count: _padded(moment["second"], count),
    "t": _half,
    "y": _year_text,
    "z": lambda moment, count: OFFSETS.get(count, "+00:00"),
}
