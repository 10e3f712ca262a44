"""Numbers as the exchange writes them.

Measured on recorded bodies: a price has no decimals from 10,000 on, two from 1 (three up to 1.1), six from
0.05, eight below, twelve under a millionth; a change that is negative is not rounded at all; a whole number
of 10^15 and more is written 1.0e+15.
"""

import json
import math
import re

# ".0" comes first, for that is what can be searched for quickly.
_WHOLE_FROM_1E15 = re.compile(rb"\.0(?<=[^\d.]\d{16}\.0)(?=[,}\]])")


def price(value: float, precision: str | None = None, crypto: bool = False) -> int | float | None:
    """A price, rounded by its size; `precision` is the request's (full or 0..18). NaN becomes None.

    crypto: quoted in a coin, which has six decimals where money has two.
    """
    if math.isnan(value):
        return None
    if precision == "full":
        return value
    if precision is not None:
        return round(value, int(precision))
    size = abs(value)
    if crypto and 1 <= size < 10_000:
        return round(value, 6)
    if size >= 10_000:
        return round(value)
    if size >= 1:
        return round(value, 3 if size < 1.1 else 2)
    return round(value, _decimals(size))


def _decimals(size: float) -> int:
    if size >= 0.05:
        return 6
    if size >= 1e-6:
        return 8
    return 12 if size >= 1e-9 else 15 if size >= 1e-12 else 18


def amount(value: float) -> int | float | None:
    """A market cap or a volume: whole from 10,000 on, else rounded as a price."""
    return None if math.isnan(value) else price(value) if value else value


def cap(value: float) -> int | float | None:
    """A market cap: whole from 1 on."""
    return None if math.isnan(value) else round(value) if value >= 1 or value == 0 else price(value)


def change(value: float) -> int | float | None:
    """A change: rounded when it is positive, left as it is when negative."""
    if math.isnan(value):
        return None
    return price(value) if value > 0 else round(value, 18)


def percent(value: float, decimals: int) -> float | None:
    """A percentage."""
    return None if math.isnan(value) else round(value, decimals) + 0.0


def body(answer: object) -> bytes:
    """Compact JSON, as the exchange sends it."""
    text = json.dumps(answer, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    parts, done = [], 0
    for match in _WHOLE_FROM_1E15.finditer(text):
        first = match.start() - 16
        digits = text[first + 1 : match.start()].rstrip(b"0") or b"0"
        parts += [text[done : first + 1], b".", digits, b"e+15"]
        done = match.end()
    return b"".join([*parts, text[done:]])
