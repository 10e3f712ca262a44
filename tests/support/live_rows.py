"""Rows of gold as the live page reads them, made by hand: market_now, market_events, candle_hourly."""

from datetime import datetime, timedelta

NOW = datetime(2026, 8, 12, 14, 22)


def coin(coin_id, **changes):
    """A row of market_now of which nothing is known but the price."""
    unknown = dict.fromkeys(
        ("market_cap", "market_cap_rank", "rank_change_24h", "return_1h", "return_24h", "return_7d", "return_30d")
    ) | dict.fromkeys(("volume_24h", "volume_ratio", "high", "high_at", "distance_from_high"))
    names = {"symbol": coin_id[:3].upper(), "name": coin_id.title()}
    own = {"vs_currency": "usd", "coin_id": coin_id, "snapshot_at": NOW, "price": 2.0, "kind": "free"}
    return unknown | names | own | changes


def event(kind, hours, value=None, reference=None, coin_id="bitcoin"):
    """A row of market_events so many hours ago."""
    return {
        "vs_currency": "usd",
        "coin_id": coin_id,
        "kind": kind,
        "happened_at": NOW - timedelta(hours=hours),
        "value": value,
        "reference": reference,
    }


def hour(coin_id, ago, close):
    """What the page reads of a row of candle_hourly."""
    return {"coin_id": coin_id, "vs_currency": "usd", "hour": NOW - timedelta(hours=ago), "close": close}
