"""What a run may spend: from what is due, the tier, the credits used and the time to a plan. All pure."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from coinlake import instants
from coinlake.api import Tier
from coinlake.bronze.request_plan import RequestPlan


@dataclass(frozen=True)
class SpendingPlan:
    """What a run takes at most, when no call has to be repeated, and what it leaves for later.

    `calls` are sent now, `history` of them for coins' history; each answer costs a credit of the tier, of which
    `used` are gone. `deferred` requests wait, for `reason`, until the month turns at `until`; `refused` of them
    are about the present, which a run cannot do without.
    """

    tier: Tier
    calls: int
    history: int
    used: int
    until: datetime
    deferred: int = 0
    refused: int = 0
    reason: str = ""

    @property
    def credits(self) -> int:
        """How many credits the calls cost at most."""
        return self.calls

    @property
    def credits_left(self) -> int | None:
        """How many credits the month has before the run; None where no budget is stated."""
        budget = self.tier.credits_per_month
        return None if budget is None else max(0, budget - self.used)

    @property
    def minutes(self) -> float:
        """How long the calls take at the tier's pace."""
        return max(0, self.calls - 1) / self.tier.requests_per_minute

    def record(self) -> dict[str, Any]:
        """The plan as names and plain values, instants as text."""
        return {
            "plan": self.tier.name,
            "calls": self.calls,
            "calls_for_history": self.history,
            "credits": self.credits,
            "minutes": round(self.minutes, 1),
            "credits_per_month": self.tier.credits_per_month,
            "credits_used": self.used,
            "credits_kept_for_present": self.tier.kept_for_present,
            "deferred": self.deferred,
            "reason": self.reason,
            "month_turns": instants.to_text(self.until),
        }

    def in_words(self, *, simulated: bool = False) -> str:
        """One line that says what the run takes, and another one when something waits."""
        minutes = self.minutes
        duration = f"about {minutes:.0f} minutes" if minutes >= 1.5 else "a minute" if minutes > 0.5 else "seconds"
        if minutes >= 120:
            duration = f"about {minutes / 60:.0f} hours"
        where = " of simulated time" if simulated else ""
        left = self.credits_left
        cost = "" if left is None else f"; {self.credits:,} of the {left:,} credits left this month"
        said = f"up to {self.calls:,} calls, {self.tier.requests_per_minute} a minute: {duration}{where}{cost}"
        return f"{said}\n{waiting(self.deferred, self.until, self.reason)}" if self.deferred else said


def plan_spending(due: RequestPlan, tier: Tier, used: int, now: datetime) -> SpendingPlan:
    """What a run with these requests due may ask at the UTC instant `now`, after `used` credits of the month.

    The present comes first. History never takes the month's last tenth, which is kept for the present.
    """
    until = instants.next_month(now)
    present, history = len(due.requests), due.charts
    if tier.credits_per_month is None:
        return SpendingPlan(tier, present + history, history, used, until)
    left = max(0, tier.credits_per_month - used)
    present_now = min(present, left)
    history_now = min(history, max(0, left - present_now - tier.kept_for_present))
    refused = present - present_now
    reason = ""
    if refused:
        reason = "the month's credits are used up"
    elif history_now < history:
        reason = f"the last tenth of its credits ({tier.kept_for_present:,}) is not spent on history"
    deferred = refused + history - history_now
    return SpendingPlan(tier, present_now + history_now, history_now, used, until, deferred, refused, reason)


def waiting(deferred: int, until: datetime, reason: str) -> str:
    """What waits until when, in words."""
    counted = "1 request waits" if deferred == 1 else f"{deferred:,} requests wait"
    return f"{counted} until {until:%Y-%m-%d %H:%M} UTC, when the month turns: {reason}"


def exhausted(plan: SpendingPlan, error: str, now: datetime, *, simulated: bool, lake_path: str) -> str:
    """What is used up, when the month turns, and what can be done until then.

    `error` is what CoinGecko said; empty where our own count says so. `plan.used` are the credits used by now.
    """
    tier = plan.tier
    counted = f"{plan.used:,} of {tier.credits_per_month:,}" if tier.credits_per_month else f"{plan.used:,}"
    whose = f"CoinGecko says: {error}\n" if error else ""
    wait = plan.until - now
    minutes = math.ceil(wait.total_seconds() / 60)
    for_how_long = f"{wait.days} days" if wait.days > 1 else f"{minutes // 60} h {minutes % 60} min"
    others = [
        f"make report renders what is there, source=replay with tape_path={lake_path} plays what is landed again",
        "source=simulated asks nobody",
    ]
    if simulated:
        others[1] = f"as_of={instants.to_text(plan.until)} goes on in the next month"
    elif tier.name != "keyless":
        others.append("plan=keyless is counted separately")
    return (
        f"The credits of {now:%B %Y} are used up, plan {tier.name}.\n"
        f"{whose}{counted} are counted in landing_meta.\n"
        f"The month turns on {plan.until:%Y-%m-%d} at 00:00 UTC, in {for_how_long}; then the same run goes on.\n"
        f"Until then: {'; '.join(others)}. If your plan has more, set credits_per_month."
    )
