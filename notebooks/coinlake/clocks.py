"""The clocks: what gives the time and waits.

Everything that needs the time or has to wait takes a clock, so that a test, a replay or a simulated market
lives in its own time and nobody really sleeps.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What gives the time and waits."""

    def now(self) -> datetime:
        """The current UTC instant."""

    def monotonic(self) -> float:
        """Seconds that only grow, for measuring."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The current UTC instant."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow, for measuring."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        time.sleep(seconds)


class VirtualClock:
    """A time of its own that starts at `start`: sleeping moves it, and nothing else does."""

    def __init__(self, start: datetime):
        self._now = start
        self._slept = 0.0

    def now(self) -> datetime:
        """The current virtual instant."""
        return self._now

    def monotonic(self) -> float:
        """Seconds slept so far; `set` does not count."""
        return self._slept

    def sleep(self, seconds: float) -> None:
        """Move on by this many seconds, at once."""
        self._now += timedelta(seconds=seconds)
        self._slept += seconds

    def set(self, instant: datetime) -> None:
        """Jump to an instant, also backwards: a tape is replayed in its own order."""
        self._now = instant
