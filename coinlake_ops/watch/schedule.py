"""When a turn is due, what it consists of, and how often a plan of CoinGecko allows one. No one is asked here."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coinlake import bronze, instants
from coinlake.clocks import Clock
from coinlake.errors import ConfigurationError

# The clock is looked at so often while a turn is waited for: a machine that slept, or was set, is noticed.
LOOK_AGAIN_SECONDS = 1.0
DAYS_A_MONTH = 30


@dataclass(frozen=True)
class Turn:
    """One turn of a watch: its number from 1, when it was due, and how many due times went by without one.

    `whole` says that everything is run, warehouse and reports too: in the first turn of an hour of the clock.
    """

    number: int
    due: datetime
    missed: int
    whole: bool


class Schedule:
    """The due times of a watch, `every` so long from now on; `next` waits for one."""

    def __init__(self, every: timedelta, clock: Clock):
        self.every, self._clock = every, clock
        self._due = clock.now()
        self._number = 0
        self._whole_at: datetime | None = None

    def next(self) -> Turn:
        """The next turn, when it is due.

        Of due times that have gone by meanwhile, because a turn took long or the machine slept, the newest is
        made up for, and the others are missed. Where the clock was set back, the times count from now.
        """
        while (now := self._clock.now()) < self._due:
            if self._due - now > self.every:
                self._due = now
                break
            self._clock.sleep(min((self._due - now).total_seconds(), LOOK_AGAIN_SECONDS))
        missed = (now - self._due) // self.every
        turn = Turn(self._number + 1, self._due + missed * self.every, missed, self._is_whole(now))
        self._number, self._due = turn.number, turn.due + self.every
        return turn

    def done(self, turn: Turn) -> None:
        """Note that a turn succeeded: a whole one that failed is due again at the next."""
        if turn.whole:
            self._whole_at = self._clock.now()

    def _is_whole(self, now: datetime) -> bool:
        """Whether the last whole turn was in another hour of the clock."""
        return self._whole_at is None or _hour(self._whole_at) != _hour(now)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def interval(text: str) -> timedelta:
    """The time that EVERY says, such as 1m, 30m or 1h. Raises ConfigurationError for anything else."""
    try:
        step = instants.as_of(f"+{text.strip()}")
    except ConfigurationError:
        step = None
    if not isinstance(step, timedelta) or not step:
        raise ConfigurationError(f"EVERY={text} is no time between turns. Write it as 1m, 30m or 1h.")
    return step


def pace(settings: bronze.Settings, every: timedelta) -> tuple[timedelta, str]:
    """How often a turn can be: `every`, or more rarely where the plan does not allow it; and that in words.

    Only a live watch spends calls that somebody counts. What is asked once a day is not counted here.
    """
    if settings.source != "live":
        return every, f"A turn every {in_words(every)}; the {settings.source} source has no limits."
    tier = settings.api_plan
    asked = bronze.plan_requests("market", settings, datetime.now(UTC)).requests
    calls = sum(not request.endpoint.once_a_day for request in asked)
    soonest = timedelta(minutes=calls / tier.requests_per_minute)
    limits = f"{tier.requests_per_minute:,} calls a minute"
    if tier.credits_per_month is not None:
        soonest = max(soonest, timedelta(days=DAYS_A_MONTH) * calls / tier.credits_per_month)
        limits += f" and {tier.credits_per_month:,} a month"
    soonest = timedelta(minutes=math.ceil(soonest / timedelta(minutes=1)))
    counted = "1 call" if calls == 1 else f"{calls:,} calls"
    allowed = (
        f"Plan {tier.name} allows {limits}; a turn makes {counted}, so one every {in_words(soonest)} at most."
    )
    return max(every, soonest), f"{allowed} A turn every {in_words(max(every, soonest))}."


def in_words(step: timedelta) -> str:
    """A time between turns as it is typed: 90m, 2h, 1d."""
    for unit, letter in ((timedelta(days=1), "d"), (timedelta(hours=1), "h")):
        if step % unit == timedelta(0):
            return f"{step // unit}{letter}"
    return f"{step // timedelta(minutes=1)}m"
