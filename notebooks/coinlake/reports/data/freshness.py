"""Whose data a report shows and how old it is, in words that a reader cannot miss."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from coinlake.reports.page import SLA_HOURS, Banner, formats

# What a report says of where its numbers come from: (word in the banner, kicker, source line).
ORIGINS = {
    "simulated": (
        "Simulated market, not real prices.",
        "Simulated market",
        "Simulated market, own calculation. Days end at 00:00 UTC.",
    ),
    "replay": (
        "Recorded data, not live.",
        "Recorded data",
        "CoinGecko (recorded), own calculation. Days end at 00:00 UTC.",
    ),
    "live": ("", "", "CoinGecko, own calculation. Days end at 00:00 UTC."),
    "unknown": (
        "Nobody knows where these prices come from: api_usage is empty.",
        "Unknown source",
        "Not recorded. Days end at 00:00 UTC.",
    ),
}


def origin(api_usage: pd.DataFrame) -> str:
    """simulated, replay, live or unknown; one simulated answer makes everything simulated."""
    found = set(api_usage["source"])
    return next((source for source in ("simulated", "replay", "live") if source in found), "unknown")


def sla_hours(freshness: pd.DataFrame, table_name: str) -> float:
    """The promised age of a table in hours."""
    promised = freshness.loc[freshness["table_name"] == table_name, "sla_hours"]
    return float(promised.iloc[0]) if len(promised) else SLA_HOURS


def versions(freshness: pd.DataFrame) -> dict[str, int]:
    """The versions that the tables had, by full name."""
    return dict(zip(freshness["table_name"], freshness["version"].astype(int), strict=True))


def state_of(hours: float | None, sla: float) -> str:
    """`fresh` up to the promise, `late` up to twice of it, `stale` beyond; `empty` without any data."""
    if not formats.is_known(hours):
        return "empty"
    if hours <= sla:
        return "fresh"
    return "late" if hours <= 2 * sla else "stale"


def hours_between(earlier: datetime | None, later: datetime) -> float | None:
    """Hours from one UTC instant to another; None when the earlier one is not known."""
    if not formats.is_known(earlier):
        return None
    return (_utc(later) - _utc(earlier)).total_seconds() / 3600


def banner(
    source: str, newest_day: pd.Timestamp | None, sla: float, built_at: datetime, facts: list[str]
) -> Banner:
    """The banner of a market report whose last complete day is `newest_day`."""
    built = f"built {formats.instant(_utc(built_at))}"
    if not formats.is_known(newest_day):
        return Banner("empty", "No data yet.", f"Run notebooks 01 to 04 first · {built}", sla_hours=sla)
    text = " · ".join([f"Data up to {formats.day(newest_day)} (UTC)", *facts, built])
    if source != "live":
        return Banner("sample", ORIGINS[source][0], text, sla_hours=sla)
    closes_at = _utc(newest_day.to_pydatetime()) + timedelta(days=1)
    hours = hours_between(closes_at, built_at)
    return Banner(state_of(hours, sla), _word(hours, sla), text, closes_at, sla)


def _word(hours: float | None, sla: float) -> str:
    """The page's script says the same sentence again when it is opened later."""
    state = state_of(hours, sla).capitalize()
    return f"{state}: the last day closed {formats.age(hours)} ago, promised are {sla:g} h."


def _utc(value: datetime) -> datetime:
    moment = pd.Timestamp(value).to_pydatetime()
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
