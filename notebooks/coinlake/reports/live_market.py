"""The market now: what the live page shows of gold, as plain data in the words and numbers of the reports.

    shown = live_market.build(live_market.read(lake))

The page itself is `page.live_page`: it puts this data in place, again after each turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coinlake import schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.data import event_words
from coinlake.reports.page import formats, html_tables

DAY = timedelta(days=1)
# A coin that the newest pages do not show any more is not of now.
SHOWN_FOR = timedelta(hours=1)
# What just happened: of the last week, and so many at most.
WEEK = timedelta(days=7)
EVENTS = 40
CHANGES = ("return_1h", "return_24h", "return_7d")
MUCH, LITTLE = 2.0, 0.5  # of the usual volume

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """Rows of gold in one currency: market_now, market_events of a week, and candle_hourly of the last day."""

    coins: Sequence[Row]
    events: Sequence[Row]
    hours: Sequence[Row]


def read(lake: Lakehouse, vs_currency: str = "usd") -> Rows:
    """The rows as they are at this moment; of a lake in a folder Spark is not asked."""

    def ours(rows: Sequence[Row]) -> list[Row]:
        return [row for row in rows if row["vs_currency"] == vs_currency]

    coins = ours(lake.table(schema.MARKET_NOW).collected())
    newest = max((row["snapshot_at"] for row in coins), default=None)
    if newest is None:
        return Rows([], [], [])
    return Rows(
        [row for row in coins if row["snapshot_at"] > newest - SHOWN_FOR],
        ours(lake.table(schema.MARKET_EVENTS).collected_since("happened_at", newest - WEEK)),
        ours(lake.table(schema.CANDLE_HOURLY).collected_since("hour", newest - DAY)),
    )


def build(rows: Rows, vs_currency: str = "usd") -> dict[str, Any]:
    """What the page shows: headline, lead, at, coins from the largest on, and events from the newest on."""
    coins = sorted(rows.coins, key=lambda row: (_rank(row), row["coin_id"]))
    if not coins:
        return {"headline": "No coin is known yet", "lead": "", "at": "", "coins": [], "events": []}
    newest = max(row["snapshot_at"] for row in coins)
    closes: dict[str, list[Row]] = {}
    for row in rows.hours:
        closes.setdefault(row["coin_id"], []).append(row)
    events = sorted(rows.events, key=lambda row: (row["happened_at"], row["coin_id"], row["kind"]), reverse=True)
    named = {row["coin_id"]: formats.plain(row["name"]) for row in coins}
    return {
        "headline": _headline(coins),
        "lead": _lead(coins, vs_currency),
        "at": formats.instant(newest),
        "coins": [_coin(row, closes.get(row["coin_id"], []), vs_currency) for row in coins],
        "events": [_event(row, named, vs_currency) for row in events[:EVENTS]],
    }


def _headline(coins: Sequence[Row]) -> str:
    moved = [row["return_24h"] for row in coins if row["kind"] == "free" and row["return_24h"] is not None]
    if not moved:
        return "Nobody says yet how prices have changed"
    risen = formats.sentence(formats.of_all(sum(change > 0 for change in moved), len(moved)))
    return f"{risen} {'has' if len(moved) == 1 else 'have'} risen in 24 hours"


def _lead(coins: Sequence[Row], vs_currency: str) -> str:
    largest = coins[0]
    whole = sum(row["market_cap"] or 0 for row in coins if row["kind"] != "copy")
    name, price = formats.plain(largest["name"]), formats.money(largest["price"], vs_currency)
    change = formats.percent(largest["return_24h"])
    counted = formats.counted(len(coins), "coin")
    worth = "is worth" if len(coins) == 1 else "are worth"
    total = formats.big_money(whole, vs_currency)
    return f"{name} stands at {price}, {change} in 24 hours; {counted} {worth} {total}."


def _rank(row: Row) -> float:
    return float("inf") if row["market_cap_rank"] is None else row["market_cap_rank"]


def _coin(row: Row, hours: Sequence[Row], vs_currency: str) -> dict[str, Any]:
    """A coin as the page shows it; a text and how it is marked are a pair."""
    prices = [hour["close"] for hour in sorted(hours, key=lambda hour: hour["hour"])]
    drawn = html_tables.line([*prices, row["price"]])
    ratio, ranks = row["volume_ratio"], row["rank_change_24h"]
    usual = "" if ratio is None else "much" if ratio >= MUCH else "little" if ratio <= LITTLE else ""
    return {
        "id": row["coin_id"],
        "rank": formats.count(row["market_cap_rank"]),
        "symbol": formats.plain(row["symbol"] or ""),
        "name": formats.plain(row["name"]),
        "price": formats.money(row["price"], vs_currency),
        "changes": [
            [formats.percent(row[name]), formats.direction(row[name], "up", "down", "")] for name in CHANGES
        ],
        "line": None if drawn is None else [drawn.path, drawn.kind],
        "volume": [formats.NOT_KNOWN if ratio is None else f"{formats.ratio(ratio, 1)}×", usual],
        "ranks": [f"{'▲' if ranks > 0 else '▼'} {abs(ranks)}", "up" if ranks > 0 else "down"]
        if ranks
        else ["", ""],
    }


def _event(row: Row, named: Mapping[str, str], vs_currency: str) -> dict[str, str]:
    happened_at: datetime = row["happened_at"]
    return {
        "key": f"{row['coin_id']} {row['kind']} {happened_at.isoformat()}",
        "when": formats.instant(happened_at),
        "who": named.get(row["coin_id"], row["coin_id"]),
        "what": event_words.told(row["kind"], row["value"], row["reference"], vs_currency),
    }
