"""Coins that cannot be believed, on pages that arrive whole."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, Exchange
from coinlake.simulator.dirt import KINDS, spoil

MARKETS = "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&per_page=250&page=1"
AGENT = {"User-Agent": "coinlake-tests/1.0"}
# The third attempt gets through.
THIRD = 3


def page(exchange, hour=0, url=MARKETS):
    return json.loads(exchange.answer("GET", url, AGENT, DEFAULT_AS_OF + timedelta(hours=hour), THIRD).body)


@pytest.fixture(scope="module", params=[DEFAULT_SEED, 1, 2])
def exchanges(request):
    return Exchange(request.param, coins=300), Exchange(request.param, coins=300, faults="dirty")


def test_a_page_has_its_coins_and_some_of_them_are_spoilt(exchanges):
    clean, dirty = exchanges
    for hour in range(3):
        as_they_are = page(clean, hour)
        as_they_came = page(dirty, hour)
        odd = [record for record in as_they_came if record not in as_they_are]
        assert 2 <= len(odd) <= 25
        kept = [record for record in as_they_came if record in as_they_are]
        spoilt = len(as_they_are) - len(kept)
        # A repeated coin stands there as it was, and once more.
        repeated = sum(
            count == 2 for count in Counter(record["id"] for record in as_they_came if record["id"]).values()
        )
        assert len(odd) == spoilt + repeated


def test_the_same_hour_is_dirty_in_the_same_way_and_another_in_another(exchanges):
    _, dirty = exchanges
    again = Exchange(dirty.seed, coins=300, faults="dirty")
    assert page(dirty) == page(again)
    spoilt_ids = [
        {
            record["id"]
            for record in page(dirty, hour)
            if "sentiment_score" in record or record["current_price"] is None
        }
        for hour in range(6)
    ]
    assert len({frozenset(ids) for ids in spoilt_ids}) > 1


def test_nothing_but_pages_of_coins_is_spoilt(exchanges):
    clean, dirty = exchanges
    for path in ("coins/list", "global", "coins/bitcoin/market_chart?vs_currency=usd&days=30&interval=daily"):
        url = f"https://api.coingecko.com/api/v3/{path}"
        assert page(dirty, url=url) == page(clean, url=url)


def test_every_kind_of_dirt_comes_and_does_what_its_name_says():
    record = {
        "id": "dull", "name": "Dull", "current_price": 2.0, "price_change_24h": 0.5, "total_volume": 12_345,
        "last_updated": "2026-08-12T14:20:00.000Z",
    }  # fmt: skip
    assert {name: kind(record) for name, kind in KINDS.items()} == {
        "price missing": [record | {"current_price": None}],
        "price below zero": [record | {"current_price": -1}],
        "id missing": [record | {"id": ""}],
        "coin repeated": [record, record | {"current_price": 1.5, "last_updated": "2026-01-01T00:00:00.000Z"}],
        "number as text": [record | {"total_volume": "12,345"}],
        "field renamed": [
            {name: record[name] for name in ("id", "name", "current_price", "price_change_24h", "last_updated")}
            | {"volume_24h": 12_345}
        ],
        "field that nobody knows": [record | {"sentiment_score": 0.5}],
        "updated in 1970": [record | {"last_updated": "1970-01-01T00:00:00.000Z"}],
        "markup in the name": [record | {"name": "<b>Dull</b>"}],
    }
    coins = [record | {"id": f"dull-{number}"} for number in range(2_000)]
    spoilt = spoil(1, MARKETS, "2026-08-12T14", coins)
    seen = {name for name, kind in KINDS.items() if any(kind(coin)[-1] in spoilt for coin in coins)}
    assert seen == set(KINDS)
    assert 50 < sum(coin not in coins for coin in spoilt) < 150


def test_what_a_coin_does_not_know_stops_no_dirt():
    unknown = {"id": "dead", "name": "Dead", "current_price": None, "price_change_24h": None, "total_volume": None}
    assert all(kind(unknown | {"last_updated": None}) for kind in KINDS.values())
