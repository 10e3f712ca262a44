"""Tiny silver tables from what a test cares about: every other column gets a plain value."""

from datetime import UTC, datetime, timedelta


def at(text: str) -> datetime:
    """An instant of UTC, as Spark takes it: at("2026-08-03 14:00")."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def schema(table) -> str:
    """The columns of a table as Spark's schema text."""
    return ", ".join(f"{column.name} {column.type}" for column in table.columns)


def frame(spark, table, rows: list[dict]):
    """A frame with the table's columns; a column that a row does not name is NULL."""
    values = [tuple(row.get(name) for name in table.column_names) for row in rows]
    return spark.createDataFrame(values, schema(table))


def values(frame, *columns: str) -> list[tuple]:
    """The rows of a frame as tuples, sorted; of some columns, or of all."""
    rows = frame.select(*columns) if columns else frame
    return sorted((tuple(row) for row in rows.collect()), key=repr)


def snapshot(coin_id: str, snapshot_at: str, **columns) -> dict:
    """A row of coin_snapshots."""
    instant = at(snapshot_at)
    return {
        "coin_id": coin_id,
        "vs_currency": "usd",
        "snapshot_at": instant,
        "period": f"{instant:%Y-%m}",
        "symbol": coin_id[:3],
        "name": coin_id.title(),
        "price": 1.0,
        "last_updated": instant,
        "warnings": [],
        "file": f"markets-{instant:%Y%m%dT%H%M}",
    } | columns


def hourly(coin_id: str, observed_at: str, price: float, **columns) -> dict:
    """A row of coin_prices on the hour."""
    instant = at(observed_at)
    return {
        "coin_id": coin_id,
        "vs_currency": "usd",
        "observed_at": instant,
        "granularity": "hourly",
        "period": f"{instant:%Y-%m}",
        "price": price,
        "source": "sparkline",
        "fetched_at": instant + timedelta(minutes=5),
        "file": f"hourly-{instant:%Y%m%dT%H%M}",
    } | columns


def daily(coin_id: str, observed_at: str, price: float, **columns) -> dict:
    """A row of coin_prices at the 00:00 that ends a day."""
    instant = at(observed_at)
    return (
        hourly(coin_id, observed_at, price)
        | {
            "granularity": "daily",
            "period": f"{instant:%Y}",
            "source": "market_chart",
            "file": f"chart-{coin_id}-{instant:%Y%m%d}",
        }
        | columns
    )
