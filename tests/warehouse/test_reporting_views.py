"""The views for BI tools: whole rows, under names that people read."""

from datetime import date, datetime

import pytest

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake.warehouse import loading
from tests.support.warehouse_rows import change, row, star


def rows(warehouse, question: str) -> list[list]:
    return warehouse.query(question).values.tolist()


def test_coins_under_their_newest_name(loaded):
    old = row(schema.DIM_COIN, coin_key=1, coin_id="bitcoin", name="Old", is_current=False)
    new = row(schema.DIM_COIN, coin_key=9, coin_id="bitcoin", name="Bitcoin", symbol="BTC")
    loading.load_changes(loaded, [change(schema.DIM_COIN, old, new)], "later")
    assert rows(loaded, "SELECT coin_id, symbol, name, label FROM reporting.coin ORDER BY coin_id") == [
        ["bitcoin", "BTC", "Bitcoin", "Bitcoin (BTC)"],
        ["ethereum", None, "ethereum", "ethereum (ethereum)"],
    ]


def test_the_calendar_has_every_day_of_the_dimension(loaded):
    assert rows(loaded, "SELECT date, month_name, is_weekend FROM reporting.calendar") == [
        [date(2026, 8, 12), "x", True]
    ]


def test_hours_with_the_coins_name(loaded):
    hours = [
        row(schema.CANDLE_HOURLY, coin_id=coin, vs_currency="usd", hour=datetime(2026, 8, 12, 14), close=price)
        | {"open": price, "high": price, "low": price}
        for coin, price in (("bitcoin", 2.0), ("unknown", 3.0))
    ]
    loading.load_changes(loaded, [change(schema.CANDLE_HOURLY, *hours)], "later")
    question = "SELECT coin_id, name, hour, [open], [close] FROM reporting.coin_hour ORDER BY coin_id"
    assert rows(loaded, question) == [
        ["bitcoin", "bitcoin", datetime(2026, 8, 12, 14), 2.0, 2.0],
        ["unknown", None, datetime(2026, 8, 12, 14), 3.0, 3.0],
    ]


def test_pairs_of_coins_with_both_names(loaded):
    pair = row(schema.CORRELATION_90D, coin_a="bitcoin", coin_b="ethereum", vs_currency="usd", correlation=-0.5)
    loading.load_changes(loaded, [change(schema.CORRELATION_90D, pair)], "later")
    assert rows(loaded, "SELECT name_a, name_b, correlation, days FROM reporting.coin_pair") == [
        ["bitcoin", "ethereum", -0.5, 1]
    ]


def test_the_history_of_loads(loaded):
    loading.load_changes(loaded, [], "nothing")
    question = "SELECT load_id, run_id, table_name, rows_merged FROM reporting.load_history"
    found = rows(loaded, f"{question} WHERE table_name = 'dim_coin' OR load_id > 1 ORDER BY load_id")
    assert found[0] == [1, "first", "dim_coin", 2.0]
    assert found[1][:3] == [2, "nothing", None]


def test_a_load_that_breaks_off_leaves_no_history_in_a_file(loaded):
    faulty = star(bitcoin=1.0)[3]
    with pytest.raises(CoinlakeError):
        loading.load_changes(
            loaded, [change(schema.DIM_COIN, row(schema.DIM_COIN, coin_key=3, name=None)), faulty], "bad"
        )
    assert rows(loaded, "SELECT COUNT(*) AS loads FROM reporting.load_history WHERE run_id = 'bad'") == [[0]]


def test_the_currencies_of_prices(loaded):
    found = rows(loaded, "SELECT vs_currency, kind FROM reporting.currency")
    assert found == [["usd", "fiat"]]


def test_runs_with_their_day(loaded):
    run = row(schema.PIPELINE_RUNS, run_id="r1", status="failed", started_at=datetime(2026, 8, 12, 23, 59))
    loading.load_changes(loaded, [change(schema.PIPELINE_RUNS, run)], "later")
    assert rows(loaded, "SELECT run_id, date, status FROM reporting.run") == [["r1", date(2026, 8, 12), "failed"]]


def test_how_far_tables_reach(loaded):
    table = row(schema.FRESHNESS, table_name="gold.t", as_of=datetime(2026, 8, 12), sla_hours=26.0)
    loading.load_changes(loaded, [change(schema.FRESHNESS, table)], "later")
    assert rows(loaded, "SELECT table_name, as_of, sla_hours FROM reporting.table_now") == [
        ["gold.t", datetime(2026, 8, 12), 26.0]
    ]
