"""The market: one path however it is asked for, and a year that looks like one."""

import numpy as np
import pytest

from coinlake.simulator import chance
from coinlake.simulator.catalogue import ANCHOR_DAY, Catalogue
from coinlake.simulator.market import Market
from coinlake.simulator.walks import DAY, HOUR, ZERO_SECONDS, Clock, Walk

SEED = 20260801


@pytest.fixture(scope="module")
def market():
    return Market(SEED, 300)


@pytest.fixture(scope="module")
def year(market):
    """Daily prices of all coins in the year before the anchor: (coins, 366)."""
    quotes = market.quotes(market.everyone, (ANCHOR_DAY - 365) * 24, 1).prices
    columns = [quotes[:, 0]]
    for day in range(ANCHOR_DAY - 364, ANCHOR_DAY + 1):
        columns.append(market.quotes(market.everyone, day * 24, 1).prices[:, 0])
    return np.stack(columns, axis=1)


def test_numbers_drawn_by_lot_are_bell_shaped_and_have_an_address():
    drawn = chance.normals(chance.stream(1, "test"), np.arange(200_000))
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert chance.normals(chance.stream(1, "test"), np.array([777]))[0] == drawn[777]
    assert chance.normals(chance.stream(2, "test"), np.array([777]))[0] != drawn[777]


def test_our_exponential_is_the_exponential():
    power = np.linspace(-30, 30, 4001)
    assert np.allclose(chance.exp(power), np.exp(power), rtol=1e-14)


def test_a_walk_is_the_same_wherever_it_is_entered():
    walk = Walk(SEED, "test", np.arange(5), 0.03, 0.4, 0.8, Clock.market(SEED))
    who = np.arange(5)
    whole = walk.days(who, 5000, 1200)
    for first in (5000, 5031, 5999, 6199):
        assert np.array_equal(walk.days(who, first, 1)[:, 0], whole[:, first - 5000])
    assert np.array_equal(walk.days(who[3:4], 5100, 40)[0], whole[3, 100:140])
    hours = walk.hours(who, 5400, 3)
    assert np.array_equal(hours[:, ::24], whole[:, 400:404])
    assert np.array_equal(walk.hours(who, 5401, 1), hours[:, 24:49])
    slots = walk.slots(who, 5400 * 24, hours[:, :3])
    assert np.array_equal(slots[:, ::12], hours[:, :3])


def test_a_step_of_a_walk_has_the_size_of_its_scale():
    walk = Walk(SEED, "size", np.arange(400), 0.03, 0.0, 1.0, Clock(np.ones(20_000)))
    who = np.arange(400)
    days, hours = walk.days(who, 5000, 400), walk.hours(who, 5000, 4)
    assert np.diff(days).std() == pytest.approx(0.03, rel=0.03)
    assert np.diff(hours).std() == pytest.approx(0.03 / 24**0.5, rel=0.03)
    assert (days[:, 256] - days[:, 0]).std() < 0.03 * 256**0.5 * 1.1


def test_bitcoin_has_the_volatility_of_bitcoin_and_others_have_more(market, year):
    returns = np.diff(np.log(year), axis=1)
    yearly = returns.std(axis=1) * 365**0.5
    assert 0.38 < yearly[0] < 0.62
    coins = market.catalogue.coins
    alts = [row for row, coin in enumerate(coins) if coin.kind in ("coin", "meme") and not np.isnan(yearly[row])]
    low, middle, high = np.percentile(yearly[alts], [10, 50, 90])
    assert 0.45 < low < middle < high < 1.4
    assert 0.55 < middle < 0.9


def test_returns_correlate_as_markets_do(market, year):
    coins = market.catalogue.coins
    alts = [
        row for row, c in enumerate(coins) if c.kind == "coin" and not c.story and not np.isnan(year[row]).any()
    ][:60]
    correlations = np.corrcoef(np.diff(np.log(year[[0, *alts]]), axis=1))
    with_bitcoin = correlations[0, 1:]
    with_each_other = correlations[1:, 1:][np.triu_indices(len(alts), 1)]
    assert 0.5 < np.median(with_bitcoin) < 0.85
    assert 0.35 < np.median(with_each_other) < 0.75


def test_volatility_comes_in_clusters(year):
    size = np.abs(np.diff(np.log(year[0])))
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.1
    returns = np.diff(np.log(year[0]))
    assert ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 > 3.2


def test_the_year_has_a_high_a_correction_and_a_recovery(year):
    bitcoin = year[0]
    high, low = bitcoin.argmax(), bitcoin.argmin()
    assert high < low < 364
    assert 0.3 < 1 - bitcoin[low] / bitcoin[high] < 0.65
    assert bitcoin[-1] > 1.2 * bitcoin[low]


def test_stablecoins_hold_their_peg_and_one_loses_it(market, year):
    coins = market.catalogue.coins
    pegged = [row for row, c in enumerate(coins) if c.kind == "stable" and not c.story]
    spread = np.nanmax(np.abs(year[pegged] - 1), axis=1)
    assert np.median(spread) < 0.0015
    assert spread.max() < 0.006
    lost = year[market.catalogue.number["meridian-usd"]]
    assert abs(lost[180] - 1) < 0.005
    assert lost[-1] < 0.6


def test_the_stories_happen(market, year):
    number = market.catalogue.number
    collapsed = year[number["aurelion"]]
    early_may, mid_may = 265, 278
    assert collapsed[mid_may] < 0.06 * collapsed[early_may]
    new = year[number["helionet"]]
    assert np.isnan(new[300]) and new[-1] > 0
    winner = year[number["quokka-games"]]
    assert winner[-1] > 4 * winner[0]


def test_a_day_counts_the_same_alone_and_in_a_page(market):
    who = np.arange(12)
    page = market.quotes(who, ANCHOR_DAY * 24 - 30, 48)
    for row in (0, 5, 11):
        alone = market.quotes(np.array([row]), ANCHOR_DAY * 24 - 30, 48)
        assert np.array_equal(alone.prices[0], page.prices[row], equal_nan=True)
        assert np.array_equal(alone.taken_ms[0], page.taken_ms[row])
        assert np.array_equal(alone.seen[0], page.seen[row])


def test_looks_and_quotes_are_the_same_observations(market):
    first_hour = ANCHOR_DAY * 24
    quotes = market.quotes(np.array([1]), first_hour, 48)
    taken, prices = market.looks(1, first_hour * 12, 48 * 12)
    seen = dict(zip(taken.tolist(), prices.tolist(), strict=True))
    for moment, price in zip(quotes.taken_ms[0].tolist(), quotes.prices[0].tolist(), strict=True):
        assert seen[moment] == pytest.approx(price, rel=1e-12)


def test_records_are_the_extremes_of_all_daily_prices(market):
    moment = ZERO_SECONDS + ANCHOR_DAY * DAY + 14 * HOUR
    rows = np.array([1, market.catalogue.number["aurelion"]])
    records = market.records(rows, moment)
    for place, row in enumerate(rows):
        first = int(market.catalogue.listed_at[row] - ZERO_SECONDS) // DAY + 1
        daily = market.quotes(np.array([row]), first * 24, (ANCHOR_DAY - first) * 24).prices[0, ::24]
        assert records["high"][place] >= daily.max() * 0.999
        assert records["low"][place] <= daily.min() * 1.001


def test_a_catalogue_of_any_size_has_unique_ids_and_colliding_symbols():
    catalogue = Catalogue(SEED, 5000)
    ids = [coin.id for coin in catalogue.coins]
    assert len(set(ids)) == len(catalogue) == 5000
    symbols = [coin.symbol for coin in catalogue.coins]
    assert len(set(symbols)) < 3000
    assert "" in symbols
    prices = catalogue.price
    assert prices.min() < 1e-9
    assert prices.max() > 1e6


def test_a_smaller_market_is_the_beginning_of_a_larger_one():
    small, large = Catalogue(SEED, 120), Catalogue(SEED, 400)
    assert [vars(coin) for coin in small.coins] == [vars(coin) for coin in large.coins[:120]]


@pytest.mark.parametrize("coins", [0, 20_001])
def test_an_impossible_number_of_coins_is_refused(coins):
    with pytest.raises(ValueError, match="not between 1 and 20,000"):
        Catalogue(SEED, coins)
