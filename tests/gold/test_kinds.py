"""What is free, pegged or a copy, by the closes."""

import numpy as np
import pandas as pd
import pytest

from coinlake.gold.kinds import Kind, kinds

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
        ({"bitcoin": BITCOIN, "dollar": NOISE}, {"dollar": Kind("pegged")}),
        # In euros a dollar moves as currencies do.
        ({"bitcoin": BITCOIN, "dollar": path(0.004, 4)}, {"dollar": Kind("pegged")}),
        ({"bitcoin": BITCOIN, "wrapped": BITCOIN * NOISE}, {"wrapped": Kind("copy", "bitcoin")}),
        # The larger one is the original; a staked coin that earns is a copy, too.
        ({"wrapped": BITCOIN * NOISE, "bitcoin": BITCOIN}, {"bitcoin": Kind("copy", "wrapped")}),
        (
            {"ether": ETHER, "staked": ETHER * np.linspace(1, 1.02, 91), "restaked": ETHER * NOISE},
            {"staked": Kind("copy", "ether"), "restaked": Kind("copy", "ether")},
        ),
        # In the unit of Bitcoin it is Bitcoin that stands still.
        ({"bitcoin": np.ones(91), "ether": ETHER}, {"bitcoin": Kind("pegged")}),
    ],
)
def test_kinds_by_how_coins_move(coins, found):
    assert kinds(closes(**coins)) == found


def test_a_young_coin_is_free_until_thirty_moves_show_otherwise():
    young = pd.Series(NOISE, DAYS)
    assert kinds(closes(dollar=young.where(DAYS[60] < DAYS))) == {}
    assert kinds(closes(dollar=young.where(DAYS[59] < DAYS))) == {"dollar": Kind("pegged")}


def test_a_day_off_the_peg_frees_no_dollar():
    broken = NOISE.copy()
    broken[40:43] *= 0.88
    assert kinds(closes(dollar=broken)) == {"dollar": Kind("pegged")}


def test_what_is_unknown_or_nothing_is_no_move():
    odd = NOISE.copy()
    odd[[3, 50]] = [0.0, np.nan]
    assert kinds(closes(dollar=odd, worthless=np.zeros(91))) == {"dollar": Kind("pegged")}
