"""Numbers, money, dates and words as readers see them: true minus, n/a for what is not known, UTC."""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeGuard, TypeVar

Value = TypeVar("Value")

NOT_KNOWN = "n/a"
MINUS = "−"
SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "btc": "BTC\u00a0", "chf": "CHF\u00a0"}
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
MAGNITUDES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def is_known(value: Value | None) -> TypeGuard[Value]:
    """Whether there is a value: neither None nor NaN, NaT or infinite."""
    if value is None or value != value:
        return False
    return not (isinstance(value, float) and math.isinf(value))


def money(value: float | None, currency: str = "usd") -> str:
    """A price: `$109,163`, `$544.26`, `$0.0527`, `$0.0000579`: whole from 1,000, three digits below 1."""
    if not is_known(value):
        return NOT_KNOWN
    size = abs(value)
    if round(size, 2) >= 1000:
        digits = f"{size:,.0f}"
    elif size == 0 or float(f"{size:.3g}") >= 1:
        digits = f"{size:.2f}"
    else:
        decimals = 2 - math.floor(math.log10(float(f"{size:.3g}")))
        digits = f"{size:.{decimals}f}"
    return _signed(value, _symbol(currency) + digits, any(digit in digits for digit in "123456789"))


def big_money(value: float | None, currency: str = "usd") -> str:
    """A sum in three digits: `$1.57 T`, `$34.5 B`, `$120 M`; below 1,000 as `money`."""
    if not is_known(value):
        return NOT_KNOWN
    size = abs(value)
    for magnitude, letter in MAGNITUDES:
        if float(f"{size:.3g}") >= magnitude:
            scaled = float(f"{size / magnitude:.3g}")
            decimals = max(0, 2 - math.floor(math.log10(scaled)))
            return _signed(value, f"{_symbol(currency)}{scaled:,.{decimals}f}\u00a0{letter}")
    return money(value, currency)


def percent(fraction: float | None, decimals: int = 1, sign: bool = True) -> str:
    """A fraction as per cent: `+3.0%`, `−3.0%`, and `0.0%` without a sign when it rounds to nothing."""
    if not is_known(fraction):
        return NOT_KNOWN
    digits = f"{abs(fraction) * 100:,.{decimals}f}"
    is_zero = not any(digit in digits for digit in "123456789")
    if is_zero or fraction > 0:
        return f"{'+' if sign and not is_zero else ''}{digits}%"
    return f"{MINUS}{digits}%"


def ratio(value: float | None, decimals: int = 2) -> str:
    """A plain number with a true minus, such as a correlation: `0.79`, `−0.12`."""
    if not is_known(value):
        return NOT_KNOWN
    digits = f"{abs(value):,.{decimals}f}"
    return _signed(value, digits, any(digit in digits for digit in "123456789"))


def count(value: float | None) -> str:
    """A whole number with thousands: `6,125`."""
    return NOT_KNOWN if not is_known(value) else _signed(value, f"{abs(value):,.0f}", round(value) != 0)


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun: `1 coin`, `3 coins`, `2 days`."""
    return f"{count(number)} {noun if number == 1 else plural or noun + 's'}"


def of_all(number: int, total: int, noun: str = "coin") -> str:
    """How many of all: `3 of 9 coins`, `all 9 coins`, `both coins`, `none of 9 coins`, `the only coin`."""
    if total == 1:
        return f"the only {noun}" if number else f"no {noun}"
    if number == total:
        return f"both {noun}s" if total == 2 else f"all {count(total)} {noun}s"
    return f"{count(number) if number else 'none'} of {count(total)} {noun}s"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def day(value: date | None) -> str:
    """A day: `2 Sep 2025`."""
    return NOT_KNOWN if not is_known(value) else f"{value.day} {value:%b %Y}"


def month(value: date | None) -> str:
    """A month: `Sep 2025`."""
    return NOT_KNOWN if not is_known(value) else f"{value:%b %Y}"


def instant(value: datetime | None) -> str:
    """A UTC instant: `24 Nov 2026 08:52 UTC`."""
    return NOT_KNOWN if not is_known(value) else f"{day(value)} {value:%H:%M} UTC"


def duration(seconds: float | None) -> str:
    """A duration: `0.4 s`, `42 s`, `2 min 5 s`, `1 h 3 min`."""
    if not is_known(seconds):
        return NOT_KNOWN
    if seconds < 9.95:
        return f"{seconds:.1f}\u00a0s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest}\u00a0s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}\u00a0h {minutes}\u00a0min" if hours else f"{minutes}\u00a0min {rest}\u00a0s"


def age(hours: float | None) -> str:
    """How old something is: `14 h`, `3 days` from two days on; `0 h` for what is not old yet."""
    if not is_known(hours):
        return NOT_KNOWN
    return f"{max(hours, 0):.0f} h" if hours < 48 else counted(int(hours // 24), "day")


def size(number: float | None) -> str:
    """Bytes: `812 B`, `1.2 MB`."""
    if not is_known(number):
        return NOT_KNOWN
    for magnitude, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= magnitude:
            return f"{number / magnitude:,.1f} {unit}"
    return f"{number:.0f} B"


def about(fraction: float | None, sign: bool = True) -> str:
    """A fraction as whole per cent, with a decimal where it would else be none: `−18%`, `+0.3%`, `0.0%`."""
    return percent(fraction, 0 if is_known(fraction) and abs(fraction) >= 0.005 else 1, sign)


def arrow(value: float | None, decimals: int = 1) -> str:
    """`▲` for a rise, `▼` for a fall, nothing for what `percent` shows as zero."""
    if not is_known(value) or not percent(value, decimals).startswith(("+", MINUS)):
        return ""
    return "▲" if value > 0 else "▼"


def plain(text: str) -> str:
    """A text from outside without characters that are not seen and change how others are shown.

    Those are control characters, marks that turn the direction of writing, and halves of characters.
    """
    return UNSEEN.sub("", text)


def listed(words: Sequence[str], most: int = 5) -> str:
    """`A, B and C`; what is beyond `most` becomes `and 4 more`."""
    shown = list(words[:most])
    if len(words) > most:
        return f"{', '.join(shown)} and {len(words) - most} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def fitting(*wordings: str, most: int = 75) -> str:
    """The first wording that fits into a headline, else the last."""
    return next((wording for wording in wordings if len(wording) <= most), wordings[-1])


def direction(value: float | None, up: str, down: str, flat: str) -> str:
    """The word that fits a change: `up`, `down`, or `flat` for what `percent` shows as zero."""
    return {"▲": up, "▼": down}.get(arrow(value), flat)


def _symbol(currency: str) -> str:
    return SYMBOLS.get(currency.lower(), f"{currency.upper()}\u00a0")


def _signed(value: float, text: str, is_nonzero: bool = True) -> str:
    return f"{MINUS}{text}" if value < 0 and is_nonzero else text
