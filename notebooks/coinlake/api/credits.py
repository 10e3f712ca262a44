"""The credits of a month: what is kept of them, and how they go, seen from a day within it."""

import math
from collections.abc import Mapping
from datetime import date, timedelta

from coinlake import instants

PACE_DAYS = 7


def kept_for_present(credits_per_month: int) -> int:
    """The credits of a month that are never spent on history: its last tenth."""
    return math.ceil(credits_per_month / 10)


def projected_credits(daily: Mapping[date, int], today: date) -> float:
    """The credits that this month will have cost at its end, at the pace of the last PACE_DAYS days.

    `daily` are credits by UTC day, of the month before too. Days before the first call tell nothing of the pace; a
    history that was asked at once stops to weigh on it after a week.
    """
    used = sum(credits for day, credits in daily.items() if (day.year, day.month) == (today.year, today.month))
    known = [day for day, credits in daily.items() if credits and day <= today]
    since = max(today - timedelta(days=PACE_DAYS - 1), min(known, default=today))
    pace = sum(credits for day, credits in daily.items() if since <= day <= today) / ((today - since).days + 1)
    return used + pace * (instants.last_day(today) - today).days
