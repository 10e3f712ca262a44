"""Answers that arrive whole and cannot be believed: records of a page of coins with odd values.

Which record is hit, and how, is a pure function of (seed, request, hour, coin), as other faults are.
"""

from collections.abc import Callable
from typing import Any

from coinlake.simulator import chance

# One record of so many is hit.
ONE_OF = 20
Record = dict[str, Any]


def _repeated(record: Record) -> list[Record]:
    """The coin twice: once more as it was, with the price of the day before."""
    before = (record["current_price"] or 0) - (record["price_change_24h"] or 0)
    return [record, record | {"current_price": before, "last_updated": "2026-01-01T00:00:00.000Z"}]


# What becomes of a record that is hit, by the name of the dirt.
KINDS: dict[str, Callable[[Record], list[Record]]] = {
    "price missing": lambda record: [record | {"current_price": None}],
    "price below zero": lambda record: [record | {"current_price": -1}],
    "id missing": lambda record: [record | {"id": ""}],
    "coin repeated": _repeated,
    "number as text": lambda record: [record | {"total_volume": f"{record['total_volume'] or 0:,}"}],
    "field renamed": lambda record: [
        {"volume_24h" if name == "total_volume" else name: value for name, value in record.items()}
    ],
    "field that nobody knows": lambda record: [record | {"sentiment_score": 0.5}],
    "updated in 1970": lambda record: [record | {"last_updated": "1970-01-01T00:00:00.000Z"}],
    "markup in the name": lambda record: [record | {"name": f"<b>{record['name']}</b>"}],
}


def spoil(seed: int, url: str, hour: str, page: list[Record]) -> list[Record]:
    """The page of `/coins/markets` with some of its records spoilt."""
    spoilt = []
    for record in page:
        digits = int(chance.stream(seed, "dirt", url, hour, record["id"]))
        kind = list(KINDS)[digits // ONE_OF % len(KINDS)]
        spoilt += [record] if digits % ONE_OF else KINDS[kind](record)
    return spoilt
