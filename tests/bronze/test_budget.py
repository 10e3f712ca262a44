"""The month's credits: what a run may take of them, and that no order of restarts takes more."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import requests
from requests.adapters import BaseAdapter

from coinlake import api, sources
from coinlake.bronze import LandingZone, RequestPlan, Settings, SpendingPlan, ingest, plan_spending
from coinlake.clocks import VirtualClock
from coinlake.errors import ApiError
from coinlake.sources import endpoint_of
from tests.support.planted import API_KEY as KEY

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
KEPT = "the last tenth of its credits (1,000) is not spent on history"
OVER = "the month's credits are used up"


def due(present, charts):
    page = api.Request(endpoint_of("coins_markets"), 1, "https://api.coingecko.com/api/v3/coins/markets")
    return RequestPlan((page,) * present, charts)


@pytest.mark.parametrize(
    ("present", "charts", "used", "expected"),
    [
        (4, 50, 0, (54, 50, 0, 0, "")),
        (4, 0, 0, (4, 0, 0, 0, "")),
        # 9,000 credits are for both, 1,000 for the present alone.
        (4, 9_000, 0, (9_000, 8_996, 4, 0, KEPT)),
        (4, 50, 8_946, (54, 50, 0, 0, "")),
        (4, 50, 8_947, (53, 49, 1, 0, KEPT)),
        (4, 50, 8_996, (4, 0, 50, 0, KEPT)),
        (4, 50, 9_500, (4, 0, 50, 0, KEPT)),
        (4, 50, 9_996, (4, 0, 50, 0, KEPT)),
        (4, 50, 9_998, (2, 0, 52, 2, OVER)),
        (4, 50, 10_000, (0, 0, 54, 4, OVER)),
        # Another lake may have spent with the same key; a budget may have been lowered.
        (4, 50, 12_345, (0, 0, 54, 4, OVER)),
    ],
)
def test_the_present_comes_first_and_history_leaves_the_last_tenth(present, charts, used, expected):
    calls, history, deferred, refused, reason = expected
    tier = api.choose_tier("demo")
    assert plan_spending(due(present, charts), tier, used, NOON) == SpendingPlan(
        tier, calls, history, used, SEPTEMBER, deferred, refused, reason
    )


def test_a_plan_without_a_budget_defers_nothing():
    tier = api.choose_tier("keyless")
    plan = plan_spending(due(4, 5_000), tier, 9_999, NOON)
    assert plan == SpendingPlan(tier, 5_004, 5_000, 9_999, SEPTEMBER)
    assert (plan.credits_left, plan.in_words()) == (None, "up to 5,004 calls, 5 a minute: about 17 hours")


@pytest.mark.parametrize(
    ("calls", "words"),
    [
        (0, "seconds"),
        (1, "seconds"),
        (3, "seconds"),
        (7, "a minute"),
        (11, "about 2 minutes"),
        (601, "about 2 hours"),
    ],
)
def test_how_long_it_takes_in_words(calls, words):
    said = plan_spending(due(calls, 0), api.choose_tier("keyless"), 0, NOON).in_words(simulated=True)
    assert said == f"up to {calls} calls, 5 a minute: {words} of simulated time"


# Restarts

ASKED = ("coins_markets", "global", "coins_list", "coins_market_chart")
COINS, BUDGET = 5, 30
HISTORY_ENDS = BUDGET - api.kept_for_present(BUDGET)


class Killed(BaseException):
    """The process is gone: nothing runs any more, not even what clears up."""


class CountingApi(BaseAdapter):
    """A CoinGecko that counts credits by itself, fails in every way it knows, and kills its client at times."""

    def __init__(self, chance, clock, counted):
        super().__init__()
        self._chance, self._clock, self.counted = chance, clock, counted
        self.is_client_dead = False

    def send(self, request, **settings):
        fate = self._chance.choices(
            ("fine", "broken", "busy", "no way", "unheard", "killed unheard", "killed before"),
            (70, 6, 6, 3, 5, 6, 4),
        )[0]
        if fate == "killed before":
            self.is_client_dead = True
            raise Killed
        if fate == "no way":
            raise requests.ConnectTimeout("no way")
        if fate == "busy":
            return api.response(request, 503, {}, b"")
        month = self._clock.now().strftime("%Y-%m")
        self.counted[month] += 1
        if "market_chart" in request.url:
            assert self.counted[month] <= HISTORY_ENDS, "history took of what is kept for the present"
        assert self.counted[month] <= BUDGET, "more was spent than the month has"
        if fate == "killed unheard":
            self.is_client_dead = True
            raise Killed
        if fate == "unheard":
            raise requests.ReadTimeout("unheard")
        return api.response(request, 200, {}, b"{" if fate == "broken" else self._body(request.url))

    def _body(self, url):
        if "market_chart" in url:
            return b'{"prices":[]}'
        if "global" in url:
            return b'{"data":{}}'
        return json.dumps([{"id": f"coin{number}"} for number in range(COINS)]).encode()

    def close(self):
        pass


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_order_of_restarts_spends_more_than_the_month_has_nor_history_more_than_its_part(
    tmp_path, monkeypatch, seed
):
    monkeypatch.setattr(sources, "SOURCES", {name: sources.SOURCES[name] for name in ASKED})
    monkeypatch.setenv("COINLAKE_COINGECKO_API_KEY", KEY)
    chance = random.Random(seed)
    counted, ends = Counter(), Counter()
    now = datetime(2026, 8, 25, tzinfo=UTC)
    settle = LandingZone._settle
    for _ in range(30):
        now += chance.choice([timedelta(0), timedelta(milliseconds=300), timedelta(hours=1), timedelta(days=1)])
        clock = VirtualClock(now)
        network = CountingApi(chance, clock, counted)

        def gone(landing, folder, network=network):
            if network.is_client_dead:
                raise Killed
            return settle(landing, folder)

        monkeypatch.setattr(LandingZone, "_settle", gone)
        settings = Settings(
            str(tmp_path), source="live", plan="demo", credits_per_month=BUDGET, coins=COINS, history_coins=COINS
        )
        try:
            summary = ingest("market", settings, say=lambda line: None, adapter=network, clock=clock)
            ends["waited" if summary.deferred else "whole"] += 1
        except Killed:
            ends["killed"] += 1
        except ApiError as error:
            ends["used up" if "are used up" in str(error) else "lost"] += 1
        now = clock.now()
        # The month of a call that was cut off is that of its noting, which is that of its counting.
        assert LandingZone(tmp_path).spending(now).credits >= counted[now.strftime("%Y-%m")]
    assert ends["killed"] and ends["waited"] and ends["used up"], ends
