"""Random walks that can be entered at any hour: five scales, one idea.

A walk from 2013 to today has a million steps of five minutes, and nobody wants to take them all to learn one
price. So the walk is drawn from the outside in. Far-apart nodes (every 1,024 days) are drawn independently;
between two nodes a *pinned* walk of 32 steps is laid, which starts at the one and ends at the other (a
Brownian bridge); between two of its points another of 32 days; then 24 hours; then 12 times five minutes.
Each point needs only the handful of numbers above it, and all of them are hashed from their address.

Volatility clusters because the market's clock does not run evenly: on some days more happens than on others
(P. K. Clark, "A subordinated stochastic process model", Econometrica 1973). `Clock` says how much.

Time is counted in days since DAY_ZERO, hours and five-minute slots likewise, all in UTC.
"""

from datetime import UTC, date, datetime, timedelta
from functools import cached_property

import numpy as np

from coinlake.simulator import chance

DAY_ZERO = date(2005, 1, 1)
LAST_DAY = date(2045, 1, 1)
DAYS = (LAST_DAY - DAY_ZERO).days
ZERO_SECONDS = int(datetime(2005, 1, 1, tzinfo=UTC).timestamp())
DAY, HOUR, SLOT = 86_400, 3_600, 300
SLOTS_IN_HOUR = HOUR // SLOT
MONTH, MONTHS = 32, 32
CYCLE = MONTH * MONTHS


def day_number(day: date) -> int:
    """Days since DAY_ZERO."""
    return (day - DAY_ZERO).days


def date_of(number: int) -> date:
    """The date of a day number."""
    return DAY_ZERO + timedelta(days=int(number))


class Clock:
    """How much happens on each day: the variance of a day, 1 on average."""

    def __init__(self, variance: np.ndarray):
        self.variance = variance
        self.passed = np.concatenate([[0.0], np.cumsum(variance)])

    @classmethod
    def market(cls, seed: int) -> "Clock":
        """Calm and busy spells of four scales, and quieter weekends."""
        days = np.arange(DAYS)
        log_variance = np.zeros(DAYS)
        for spacing, strength in ((96, 0.55), (24, 0.55), (6, 0.55), (1.5, 0.5)):
            log_variance += strength * chance.waves(chance.stream(seed, "clock", spacing), days, spacing)
        weekend = np.isin((days + DAY_ZERO.weekday()) % 7, (5, 6))
        variance = chance.exp(log_variance) * np.where(weekend, 0.6, 1.0)
        return cls(variance / (np.cumsum(variance)[-1] / DAYS))

    @classmethod
    def business_days(cls) -> "Clock":
        """Currencies move on five days a week."""
        weekend = np.isin((np.arange(DAYS) + DAY_ZERO.weekday()) % 7, (5, 6))
        return cls(np.where(weekend, 0.0, 7 / 5))


def _fill(left, right, steps, share):
    """A walk of `steps` (last axis) pinned to go from left to right; `share` is the time passed after each.

    Returns the values before each step: as many as steps, the first is `left`.
    """
    moved = np.cumsum(steps, axis=-1)
    bridge = moved - share * moved[..., -1:]
    path = left[..., None] + (right - left)[..., None] * share + bridge
    return np.concatenate([left[..., None], path[..., :-1]], axis=-1)


class Walk:
    """Many walks at once, one row each.

    names: what each row is called; equal names walk the same way.
    sigma: deviation of a day's step. wander: deviation of the far nodes. slow: how much of sigma the months
    take part in (1 is a free walk, near 0 holds a row to its nodes, as a peg does).
    """

    def __init__(self, seed, kind, numbers, sigma, wander, slow, clock: Clock):
        self.clock = clock
        self.sigma, self.wander, self.slow = (
            np.broadcast_to(np.asarray(value, dtype=np.float64), np.shape(numbers))
            for value in (sigma, wander, slow)
        )
        self._keys = {
            scale: chance.bits(chance.stream(seed, kind, scale), numbers)
            for scale in ("node", "month", "day", "hour", "slot")
        }
        # Each row has its nodes on days of its own, so that no date is special.
        self.offset = (chance.bits(chance.stream(seed, kind, "offset"), numbers) % np.uint64(CYCLE)).astype(
            np.int64
        )

    @cached_property
    def everyone(self) -> np.ndarray:
        """All rows."""
        return np.arange(len(self.offset))

    def days(self, who: np.ndarray, first, count: int) -> np.ndarray:
        """Values at 00:00 of `count` days from day `first` (one for all, or one for each): (who, count)."""
        offset = self.offset[who]
        start = first + offset
        month = start // MONTH
        months = (count + MONTH - 2) // MONTH + 1
        edges = self._month_edges(who, month, months + 1)
        day = (month * MONTH)[:, None] + np.arange(months * MONTH)
        variance = self.clock.variance[np.clip(day - offset[:, None], 0, DAYS - 1)]
        steps = chance.normals(self._keys["day"][who][:, None], day) * np.sqrt(variance) * self.sigma[who][:, None]
        steps, variance = (a.reshape(len(who), months, MONTH) for a in (steps, variance))
        passed = np.cumsum(variance, axis=-1)
        path = _fill(edges[:, :-1], edges[:, 1:], steps, passed / passed[..., -1:])
        position = (start - month * MONTH)[:, None] + np.arange(count)
        return np.take_along_axis(path.reshape(len(who), -1), position, axis=1)

    def _month_edges(self, who, month, count):
        cycle = month // MONTHS
        cycles = (count + MONTHS - 2) // MONTHS + 1
        index = cycle[:, None] + np.arange(cycles + 1)
        nodes = self.wander[who][:, None] * chance.normals(self._keys["node"][who][:, None], index)
        months = (cycle * MONTHS)[:, None] + np.arange(cycles * MONTHS + 1)
        days = np.clip(months * MONTH - self.offset[who][:, None], 0, DAYS)
        passed = self.clock.passed[days]
        variance = np.maximum(passed[:, 1:] - passed[:, :-1], 1e-9)
        scale = (self.sigma[who] * self.slow[who])[:, None]
        steps = chance.normals(self._keys["month"][who][:, None], months[:, :-1]) * np.sqrt(variance) * scale
        steps, variance = (a.reshape(len(who), cycles, MONTHS) for a in (steps, variance))
        share = np.cumsum(variance, axis=-1)
        path = _fill(nodes[:, :-1], nodes[:, 1:], steps, share / share[..., -1:]).reshape(len(who), -1)
        position = (month - cycle * MONTHS)[:, None] + np.arange(count)
        return np.take_along_axis(path, position, axis=1)

    def hours(self, who: np.ndarray, first, count: int, edges: np.ndarray | None = None) -> np.ndarray:
        """Values at each full hour of `count` days and at the end of the last: (who, 24 * count + 1).

        edges: the values of days(who, first, count + 1), where they are known.
        """
        if edges is None:
            edges = self.days(who, first, count + 1)
        day = np.broadcast_to(np.asarray(first), np.shape(who))[:, None] + np.arange(count)
        deviation = self.sigma[who][:, None] * np.sqrt(self.clock.variance[day] / 24)
        return self._refine("hour", who, day, edges, deviation, 24)

    def slots(self, who: np.ndarray, first_hour, edges: np.ndarray) -> np.ndarray:
        """Values at every five minutes between hourly `edges` (who, hours + 1): (who, 12 * hours + 1)."""
        count = edges.shape[1] - 1
        hour = np.broadcast_to(np.asarray(first_hour), np.shape(who))[:, None] + np.arange(count)
        deviation = self.sigma[who][:, None] * np.sqrt(self.clock.variance[hour // 24] / (24 * SLOTS_IN_HOUR))
        return self._refine("slot", who, hour, edges, deviation, SLOTS_IN_HOUR)

    def _refine(self, scale, who, index, edges, deviation, parts):
        number = index[..., None] * parts + np.arange(parts)
        steps = chance.normals(self._keys[scale][who][:, None, None], number) * deviation[..., None]
        share = np.arange(1, parts + 1) / parts
        path = _fill(edges[:, :-1], edges[:, 1:], steps, share)
        return np.concatenate([path.reshape(len(who), -1), edges[:, -1:]], axis=1)
