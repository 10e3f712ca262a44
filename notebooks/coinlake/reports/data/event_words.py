"""What happened to a coin, in words: the same on the page of coins, the start page and the live page."""

from coinlake.reports.page import formats


def told(kind: str, value: float | None, reference: float | None, unit: str) -> str:
    """What a row of market_events says of its coin, after the coin's name and without a full stop.

    `unit` is the currency of value and reference.
    """
    price, before = formats.money(value, unit), formats.money(reference, unit)
    if kind == "record_high":
        return f"has a new record high: {price}" + (f", before {before}" if formats.is_known(reference) else "")
    if kind == "peg_lost":
        return f"left its peg: it closed at {price}, usual is {before}"
    if kind == "peg_regained":
        return f"is back at its peg: it closed at {price}"
    if kind == "volume_anomaly":
        times = ""
        if formats.is_known(value) and formats.is_known(reference) and reference:
            times = f", {formats.ratio(value / reference, 1)} times the usual"
        return f"was traded for {formats.big_money(value, unit)} in a day{times}"
    if kind in {"trend_up", "trend_down"}:
        above = "above" if kind == "trend_up" else "below"
        return f"closed {above} its 200-day average: {price} against {before}"
    place = f"at rank {formats.count(value)}" if formats.is_known(value) else ""
    if kind == "entered":
        return "came among the largest coins" + (f", {place}" if place else "")
    return "is no longer among the largest coins" + (f"; it was last {place}" if place else "")
