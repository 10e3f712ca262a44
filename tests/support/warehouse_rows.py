"""Small loads for the warehouse: rows of gold from a few literals, and what a load of them did."""

from datetime import date, datetime
from typing import Any

import pyarrow as pa

from coinlake import schema, warehouse
from coinlake.schema import Table
from coinlake.warehouse import Change, Position, Warehouse

ARROW = {
    "STRING": pa.string(),
    "DOUBLE": pa.float64(),
    "INT": pa.int32(),
    "BIGINT": pa.int64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us"),
    "BOOLEAN": pa.bool_(),
}
FILLERS = {
    "STRING": "x",
    "DOUBLE": 1.0,
    "INT": 1,
    "BIGINT": 1,
    "DATE": date(2026, 8, 12),
    "TIMESTAMP": datetime(2026, 8, 12, 14, 22),
    "BOOLEAN": True,
}
# Where a rule of the warehouse wants more than any value.
FITTING = {
    "status": "succeeded",
    "drawdown": 0.0,
    "coin_a": "bitcoin",
    "coin_b": "ethereum",
    "valid_to": datetime(9999, 12, 31),
}
KINDS = {"dim_currency": "fiat", "market_now": "free", "market_events": "entered"}


# What every fact of these loads refers to.
FACT = {"vs_currency": "usd", "currency_key": 1, "date_key": 20260812}


def row(table: Table, **values: Any) -> dict[str, Any]:
    """One row of a table: these values, NULL where that is allowed, else any value that fits."""
    fitting = FITTING | {"kind": KINDS.get(table.name)}
    defaults = {
        column.name: fitting.get(column.name, FILLERS[column.type]) if column.required else None
        for column in table.columns
    }
    assert not values.keys() - defaults.keys(), f"{table.name} has no {values.keys() - defaults.keys()}"
    return defaults | values


def fact(coin_id: str, coin_key: int, **values: Any) -> dict[str, Any]:
    """A daily price of a coin: these values, NULL where that is allowed, else any value that fits."""
    return row(schema.FACT_PRICE_DAILY, coin_id=coin_id, coin_key=coin_key, **FACT, **values)


def key(table: Table, **values: Any) -> dict[str, Any]:
    """A row of which only the key is known, as that of a deleted row."""
    return dict.fromkeys(table.column_names) | values


def change(
    table: Table, *rows: dict[str, Any], deleted: list[dict[str, Any]] = (), version: int = 1, full: bool = False
) -> Change:
    """These rows of a table as a change of it."""
    fields = [(column.name, ARROW[column.type]) for column in table.columns]
    records = [one | {"is_deleted": False} for one in rows] + [one | {"is_deleted": True} for one in deleted]
    return Change(
        table,
        Position(f"id of {table.name}", version, datetime(2026, 8, 12, 15, version)),
        full,
        pa.Table.from_pylist(records, pa.schema([*fields, ("is_deleted", pa.bool_())])),
    )


def star(**prices: float) -> list[Change]:
    """The first load of a small star: one fact of each coin at its price, and what they refer to."""
    coins = [row(schema.DIM_COIN, coin_key=n, coin_id=coin, name=coin) for n, coin in enumerate(prices, 1)]
    facts = [
        row(
            schema.FACT_PRICE_DAILY, coin_id=coin, vs_currency="usd", coin_key=n, currency_key=1, date_key=20260812
        )
        | dict.fromkeys(("open", "high", "low", "close", "average"), price)
        for n, (coin, price) in enumerate(prices.items(), 1)
    ]
    return [
        change(schema.DIM_COIN, *coins, full=True),
        change(schema.DIM_DATE, row(schema.DIM_DATE, date_key=20260812), full=True),
        change(schema.DIM_CURRENCY, row(schema.DIM_CURRENCY, currency_key=1, currency="usd"), full=True),
        change(schema.FACT_PRICE_DAILY, *facts, full=True),
    ]


def load(target: Warehouse, *changes: Change, run: str = "later") -> list[tuple]:
    """Loads the changes; returns table, is_full, staged, merged, deleted of each."""
    return [
        (done.table.name, done.is_full, done.staged, done.merged, done.deleted)
        for done in warehouse.load_changes(target, changes, run)
    ]


def contents(target: Warehouse, table: Table) -> list[dict[str, Any]]:
    """All rows of a table in the warehouse, by key."""
    columns = ", ".join(f"[{name}]" for name in table.column_names)
    with target.reading() as session:
        rows = session.query(f"SELECT {columns} FROM {table.qualified_name}").to_pylist()
    return sorted(rows, key=lambda found: [found[name] for name in table.key])
