"""What is free, pegged or a copy, by the closes; and that medians and counts are over free coins alone."""

import numpy as np
import pandas as pd
import pytest

from coinlake.reports.data.kinds import kinds
from tests.support import gold_frames
from tests.support.built_reports import built

DAYS = pd.date_range(end="2026-08-11", periods=91, name="date")


def path(daily, seed, start=1.0):
    """Closes that move by so much on a day, up and down by chance."""
    return start * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, daily, len(DAYS))))


def closes(**coins):
    return pd.DataFrame(coins, index=DAYS)


BITCOIN, ETHER = path(0.02, 1, 60_000), path(0.03, 2, 3_000)
NOISE = path(0.0005, 3)


@pytest.mark.parametrize(
    ("coins", "found"),
    [
        ({"bitcoin": BITCOIN, "ether": ETHER}, {}),
        ({"bitcoin": BITCOIN, "dollar": NOISE}, {"dollar": ("pegged", "")}),
        # In euros a dollar moves as currencies do.
        ({"bitcoin": BITCOIN, "dollar": path(0.004, 4)}, {"dollar": ("pegged", "")}),
        ({"bitcoin": BITCOIN, "wrapped": BITCOIN * NOISE}, {"wrapped": ("copy", "bitcoin")}),
        # The larger one is the original; a staked coin that earns is a copy, too.
        ({"wrapped": BITCOIN * NOISE, "bitcoin": BITCOIN}, {"bitcoin": ("copy", "wrapped")}),
        (
            {"ether": ETHER, "staked": ETHER * np.linspace(1, 1.02, 91), "restaked": ETHER * NOISE},
            {"staked": ("copy", "ether"), "restaked": ("copy", "ether")},
        ),
        # In the unit of Bitcoin it is Bitcoin that stands still.
        ({"bitcoin": np.ones(91), "ether": ETHER}, {"bitcoin": ("pegged", "")}),
    ],
)
def test_kinds_by_how_coins_move(coins, found):
    assert kinds(closes(**coins)) == found


def test_a_young_coin_is_free_until_thirty_moves_show_otherwise():
    young = pd.Series(NOISE, DAYS)
    assert kinds(closes(dollar=young.where(DAYS[60] < DAYS))) == {}
    assert kinds(closes(dollar=young.where(DAYS[59] < DAYS))) == {"dollar": ("pegged", "")}


def test_a_day_off_the_peg_frees_no_dollar():
    broken = NOISE.copy()
    broken[40:43] *= 0.88
    assert kinds(closes(dollar=broken)) == {"dollar": ("pegged", "")}


def test_what_is_unknown_or_nothing_is_no_move():
    odd = NOISE.copy()
    odd[[3, 50]] = [0.0, np.nan]
    assert kinds(closes(dollar=odd, worthless=np.zeros(91))) == {"dollar": ("pegged", "")}


def test_pegged_coins_and_copies_stand_apart_and_nowhere_else():
    tables = gold_frames.gold(coins=6, days=120, copies={"dogecoin": "bitcoin"})
    trends, averages = built("market_trends", tables), built("price_averages", tables)
    apart = trends.sections["apart"]
    assert apart.finding == "Tether is pegged and Dogecoin is a copy"
    assert "copy of Bitcoin" in apart.table
    assert "4 free coins of the 6 largest" in trends.kicker
    assert trends.sections["ranking"].figure["data"][0]["y"] == ["XRP", "ETH", "BTC", "SOL"]
    for section in (*trends.sections.values(), *averages.sections.values()):
        told = section.table + section.finding + section.alt
        assert ("Tether" in told or "Dogecoin" in told) == (section.key == "apart"), section.key
    assert averages.headline == "2 of 4 coins trade above their 90-day average"


def test_where_no_coin_is_free_the_page_is_about_all():
    trends = built("market_trends", gold_frames.gold(coins=4, pegged=True))
    assert "4 coins" in trends.kicker
    assert trends.sections["apart"].missing.startswith("No coin of the largest is pegged")
