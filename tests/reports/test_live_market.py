"""What the live page shows of gold: whole values from a few rows; markets without anything; texts from outside."""

import json
import re
from datetime import datetime, timedelta
from html.parser import HTMLParser

import pytest

from coinlake import schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports import live_market
from coinlake.reports.page import live_page
from tests.support import delta_folder
from tests.support.live_rows import coin, event, hour

BITCOIN = coin(
    "bitcoin",
    price=67_000.4,
    market_cap=1.3e12,
    market_cap_rank=1,
    rank_change_24h=0,
    return_1h=0.001,
    return_24h=-0.0312,
    return_7d=0.05,
    volume_ratio=2.41,
)
TETHER = coin("tether", market_cap=1e11, market_cap_rank=3, rank_change_24h=-2, kind="pegged", volume_ratio=0.2)
PEPE = coin("pepe", price=0.0000579, return_24h=0.2, market_cap=1e9, market_cap_rank=30, rank_change_24h=4)


def test_a_market_in_words_and_numbers():
    hours = [hour("bitcoin", 1, 3.0), hour("bitcoin", 2, 1.0)]
    shown = live_market.build(live_market.Rows([PEPE, TETHER, BITCOIN], [], hours))
    assert shown == {
        "headline": "1 of 2 coins have risen in 24 hours",
        "lead": "Bitcoin stands at $67,000, −3.1% in 24 hours; 3 coins are worth $1.40\u00a0T.",
        "at": "12 Aug 2026 14:22 UTC",
        "events": [],
        "coins": [
            {
                "id": "bitcoin",
                "rank": "1",
                "symbol": "BIT",
                "name": "Bitcoin",
                "price": "$67,000",
                "changes": [["+0.1%", "up"], ["−3.1%", "down"], ["+5.0%", "up"]],
                "line": ["M2.0 21.0L54.0 21.0L106.0 3.0", "up"],
                "volume": ["2.4×", "much"],
                "ranks": ["", ""],
            },
            {
                "id": "tether",
                "rank": "3",
                "symbol": "TET",
                "name": "Tether",
                "price": "$2.00",
                "changes": [["n/a", ""], ["n/a", ""], ["n/a", ""]],
                "line": None,
                "volume": ["0.2×", "little"],
                "ranks": ["▼ 2", "down"],
            },
            {
                "id": "pepe",
                "rank": "30",
                "symbol": "PEP",
                "name": "Pepe",
                "price": "$0.0000579",
                "changes": [["n/a", ""], ["+20.0%", "up"], ["n/a", ""]],
                "line": None,
                "volume": ["n/a", ""],
                "ranks": ["▲ 4", "up"],
            },
        ],
    }


def test_the_newest_events_come_first_and_are_not_too_many():
    events = [event("entered", hours, 1.0, 250.0, f"coin-{hours}") for hours in range(100)]
    told = live_market.build(live_market.Rows([BITCOIN], events, []))["events"]
    assert [one["who"] for one in told] == [f"coin-{hours}" for hours in range(live_market.EVENTS)]


def test_a_market_without_coins_or_changes_is_told_too():
    empty = live_market.build(live_market.Rows([], [], []))
    assert empty == {"headline": "No coin is known yet", "lead": "", "at": "", "coins": [], "events": []}
    unknown = live_market.build(live_market.Rows([TETHER], [], []))
    assert unknown["headline"] == "Nobody says yet how prices have changed"
    assert unknown["lead"] == "Tether stands at $2.00, n/a in 24 hours; 1 coin is worth $100\u00a0B."


def test_all_that_is_shown_is_json_without_characters_that_are_not_seen():
    odd = coin("odd", name="a\u202eb", symbol="x\x00", market_cap_rank=None, return_1h=float("nan"))
    shown = live_market.build(live_market.Rows([odd], [], []))
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    [row] = shown["coins"]
    assert (row["name"], row["symbol"], row["rank"], row["changes"][0]) == ("ab", "x", "n/a", ["n/a", ""])


@pytest.fixture
def lake(tmp_path):
    """A lake without a session: whoever would ask Spark fails."""
    return Lakehouse(None, "spark_catalog", str(tmp_path))


def candle(coin_id, hour, close):
    values = dict.fromkeys(("open", "high", "low", "close"), close)
    period = f"{hour:%Y-%m}"
    return {"coin_id": coin_id, "vs_currency": "usd", "hour": hour, "period": period, "samples": 1} | values


def test_gold_is_read_from_its_files_the_last_day_across_the_turn_of_a_month(lake, tmp_path):
    now = datetime(2026, 8, 1, 14, 22)
    coins = [coin("bitcoin", snapshot_at=now), coin("gone", snapshot_at=now - timedelta(hours=1))]
    coins += [coin("bitcoin", snapshot_at=now, vs_currency="eur")]
    delta_folder.write(tmp_path, schema.MARKET_NOW, coins)
    events = [event("entered", 2, 3.0, 250.0), event("left", 1) | {"vs_currency": "eur"}]
    old = event("left", 1) | {"happened_at": datetime(2026, 7, 25, 14, 21)}
    delta_folder.write(tmp_path, schema.MARKET_EVENTS, [*events, old])
    hours = [datetime(2026, 7, 31, 14), datetime(2026, 7, 31, 15), datetime(2026, 8, 1, 14)]
    candles = [candle("bitcoin", hour, float(number)) for number, hour in enumerate(hours)]
    june = candle("bitcoin", datetime(2026, 6, 1), 9.0)
    delta_folder.write(tmp_path, schema.CANDLE_HOURLY, [*candles, june])
    assert live_market.read(lake) == live_market.Rows(coins[:1], events[:1], candles[1:])
    # What is older than the months of the last day is not even opened.
    june_file = tmp_path / "tables/aggregated_data/candle_hourly/period=2026-06/part-0.parquet"
    june_file.write_bytes(b"")
    assert live_market.read(lake).hours == candles[1:]


def test_a_lake_in_which_no_coin_was_seen_yet_has_nothing_to_show(lake, tmp_path):
    delta_folder.write(tmp_path, schema.MARKET_NOW, [])
    assert live_market.read(lake) == live_market.Rows([], [], [])


def test_the_page_allows_its_own_script_and_stream_and_nothing_else():
    page = live_page("The market now", "<b>Simulated</b>", every=60)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert re.sub(r"sha256-[^']+", "…", policy) == (
        "default-src 'none'; script-src '…'; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
    )
    assert "&lt;b&gt;Simulated&lt;/b&gt;" in page
    HTMLParser().feed(page)
    assert 'data-every="60"' in page
