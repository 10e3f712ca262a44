"""From the Delta tables of gold to the warehouse: all of it once, then only what changed."""

from datetime import date, datetime
from pathlib import Path

import pytest

from coinlake import Lakehouse, lakehouse, schema, warehouse
from coinlake.errors import CoinlakeError
from coinlake.schema import (
    CORRELATION_90D,
    DIM_COIN,
    DIM_CURRENCY,
    DIM_DATE,
    FACT_MARKET_SNAPSHOT,
    FACT_PRICE_DAILY,
)
from coinlake.warehouse import DuckDBWarehouse, extract

CATALOG = "spark_catalog"
DAY = date(2026, 8, 12)


GOLD = (DIM_COIN, DIM_DATE, DIM_CURRENCY, FACT_MARKET_SNAPSHOT, FACT_PRICE_DAILY, CORRELATION_90D)


@pytest.fixture
def lake(spark, tmp_path, monkeypatch):
    """A lake of six gold tables: two coins, one day, two pairs, two snapshots."""
    monkeypatch.setattr(lakehouse, "TABLES", GOLD)
    monkeypatch.setattr(extract, "LOADED", GOLD)
    lake = Lakehouse.create(CATALOG, str(tmp_path / "lake"), spark)
    write(lake, DIM_COIN, coin(1, "bitcoin"), coin(2, "ethereum"))
    write(lake, DIM_DATE, (20260812, DAY, 2026, 3, 8, "August", 33, 3, "Wednesday", False))
    write(lake, DIM_CURRENCY, (1, "usd", "US dollar", "fiat"))
    write(lake, FACT_PRICE_DAILY, price("bitcoin", 1, 63_000.1), price("ethereum", 2, 0.1 + 0.2))
    write(lake, CORRELATION_90D, pair("bitcoin", "ethereum"), pair("bitcoin", "solana"))
    write(lake, FACT_MARKET_SNAPSHOT, snapshot(7, 1.0), snapshot(8, 2.0))
    return lake


@pytest.fixture
def embedded(lake):
    return DuckDBWarehouse(Path(lake.folder("warehouse.duckdb")))


def coin(key, name, symbol=None):
    first = datetime(1900, 1, 1)
    return (key, name, symbol, f"Ü {name} 🐕", None, first, datetime(9999, 12, 31), True, first, "free", None)


def price(coin_id, coin_key, close):
    return (
        coin_id,
        "usd",
        DAY,
        "2026-08",
        coin_key,
        1,
        20260812,
        close,
        close,
        close,
        close,
        close,
        24,
        None,
        1e11,
        True,
        None,
    )


def pair(one, other):
    return (one, other, "usd", DAY, 0.25, 90)


def snapshot(month, last_price):
    at = datetime(2026, month, 12, 14, 22)
    return ("bitcoin", "usd", at, f"2026-{month:02}", 1, 1, 20260812, last_price, *[None] * 10, "a.json")


def write(lake, table, *rows):
    schema = ", ".join(f"{column.name} {column.type}" for column in table.columns)
    lake.table(table).merge(lake.spark.createDataFrame(rows, schema))


def load(lake, embedded):
    """A load, its proof, and what it did to each table: (full, rows sent, merged, deleted)."""
    loads = warehouse.load(lake, embedded, "a-run")
    warehouse.verify(lake, embedded, loads)
    return {done.table.name: (done.is_full, done.staged, done.merged, done.deleted) for done in loads}


def stored(embedded, table):
    columns = ", ".join(f"[{name}]" for name in table.column_names)
    with embedded.reading() as session:
        found = session.query(f"SELECT {columns} FROM {table.qualified_name}").to_pylist()
    return sorted(tuple(row.values()) for row in found)


@pytest.mark.both_sessions
def test_gold_is_loaded_once_and_then_only_what_changed(spark, lake, embedded):
    first = load(lake, embedded)
    assert first == {
        "dim_coin": (True, 2, 2, 0),
        "dim_date": (True, 1, 1, 0),
        "dim_currency": (True, 1, 1, 0),
        "fact_price_daily": (True, 2, 2, 0),
        "correlation_90d": (True, 2, 2, 0),
        "fact_market_snapshot": (True, 2, 2, 0),
    }
    assert stored(embedded, DIM_COIN) == [coin(1, "bitcoin"), coin(2, "ethereum")]
    assert stored(embedded, FACT_PRICE_DAILY) == [price("bitcoin", 1, 63_000.1), price("ethereum", 2, 0.1 + 0.2)]

    before = embedded.path.read_bytes()
    assert load(lake, embedded) == {}
    assert embedded.path.read_bytes() == before

    write(lake, DIM_COIN, coin(2, "ethereum", "ETH"), coin(3, "solana"))
    write(lake, DIM_COIN, coin(3, "solana", "SOL"))
    write(lake, FACT_PRICE_DAILY, price("solana", 3, 150.0))
    write(lake, FACT_MARKET_SNAPSHOT, snapshot(8, 3.0), snapshot(9, 4.0))
    spark.sql(f"DELETE FROM {lake.table(CORRELATION_90D).name} WHERE coin_b = 'solana'")
    assert load(lake, embedded) == {
        "dim_coin": (False, 2, 2, 0),
        "fact_market_snapshot": (False, 2, 2, 0),
        "fact_price_daily": (False, 1, 1, 0),
        "correlation_90d": (False, 1, 0, 1),
    }
    assert stored(embedded, DIM_COIN) == [coin(1, "bitcoin"), coin(2, "ethereum", "ETH"), coin(3, "solana", "SOL")]
    assert stored(embedded, CORRELATION_90D) == [pair("bitcoin", "ethereum")]
    assert stored(embedded, FACT_MARKET_SNAPSHOT) == [snapshot(7, 1.0), snapshot(8, 3.0), snapshot(9, 4.0)]

    # Written and taken back: new commits, and nothing to load.
    write(lake, CORRELATION_90D, pair("bitcoin", "tron"))
    spark.sql(f"DELETE FROM {lake.table(CORRELATION_90D).name} WHERE coin_b = 'tron'")
    assert load(lake, embedded) == {"correlation_90d": (False, 1, 0, 0)}


def test_a_table_whose_history_is_not_known_comes_in_full(spark, lake, embedded):
    load(lake, embedded)
    name = lake.table(CORRELATION_90D).name
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'false')")
    spark.sql(f"DELETE FROM {name} WHERE coin_b = 'solana'")
    spark.sql(f"ALTER TABLE {name} SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    assert load(lake, embedded) == {"correlation_90d": (True, 1, 0, 1)}
    assert stored(embedded, CORRELATION_90D) == [pair("bitcoin", "ethereum")]


def test_a_lake_that_was_built_anew_replaces_what_was_loaded(spark, lake, embedded, tmp_path):
    load(lake, embedded)
    lake = Lakehouse.create(CATALOG, str(tmp_path / "other"), spark)
    write(lake, DIM_COIN, coin(7, "bitcoin"))
    write(lake, DIM_COIN, coin(7, "bitcoin", "BTC"))
    loads = load(lake, embedded)
    assert loads == {
        "dim_coin": (True, 1, 1, 2),
        "dim_date": (True, 0, 0, 1),
        "dim_currency": (True, 0, 0, 1),
        "fact_market_snapshot": (True, 0, 0, 2),
        "fact_price_daily": (True, 0, 0, 2),
        "correlation_90d": (True, 0, 0, 2),
    }
    assert stored(embedded, DIM_COIN) == [coin(7, "bitcoin", "BTC")]


def test_of_many_changes_of_a_key_the_last_one_counts(spark):
    feed = spark.createDataFrame(
        [
            ("a", 1.0, "insert", 1),
            ("a", 1.0, "update_preimage", 2),
            ("a", 2.0, "update_postimage", 2),
            ("b", 1.0, "insert", 1),
            ("b", 1.0, "delete", 3),
            ("c", 1.0, "delete", 2),
            ("c", 3.0, "insert", 2),
            ("d", 1.0, "delete", 1),
            ("d", 4.0, "insert", 2),
            ("e", 1.0, "update_preimage", 5),
            ("f", 1.0, "update_postimage", 5),
        ],
        "k STRING, x DOUBLE, _change_type STRING, _commit_version LONG",
    )
    table = schema.Table(
        "s", "t", "", (schema.Column("k", "STRING", ""), schema.Column("x", "DOUBLE", "")), ("k",)
    )
    found = extract.net_changes(feed, table).orderBy("k").collect()
    assert [tuple(row) for row in found] == [
        ("a", 2.0, False),
        ("b", 1.0, True),
        ("c", 3.0, False),
        ("d", 4.0, False),
        ("e", 1.0, True),
        ("f", 1.0, False),
    ]


def test_a_warehouse_that_differs_from_gold_is_found_out(spark, lake, embedded):
    loads = warehouse.load(lake, embedded, "a-run")
    with embedded.writing() as session:
        session.execute("UPDATE aggregated_data.fact_price_daily SET total_volume = NULL", "test")
        session.execute("UPDATE aggregated_data.fact_price_daily SET high = high + 1", "test")
        session.execute("DELETE FROM aggregated_data.correlation_90d WHERE coin_b = 'solana'", "test")
    with pytest.raises(CoinlakeError) as refusal:
        warehouse.verify(lake, embedded, loads)
    lines = str(refusal.value).splitlines()
    assert lines[0] == "The warehouse is not what gold is:"
    assert lines[1].startswith("  fact_price_daily: total_volume has 2 values in gold, 0 in the warehouse")
    assert [line.split(" adds up to ")[0] for line in lines[2:4]] == [
        "  fact_price_daily: high",
        "  fact_price_daily: total_volume",
    ]
    assert lines[4] == "  correlation_90d: gold has 2 rows, the warehouse 1"
