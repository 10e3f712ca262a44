"""A deterministic market that speaks CoinGecko's API v3 and three context APIs, offline.

    exchange = Exchange(seed=20260801, coins=1000, faults="none")
    exchange.answer("GET", url, headers, at)          # a pure function
    SimulatorAdapter.mount(session, exchange, clock)  # the same, behind requests

Read on in this order: chance (numbers from addresses), walks (paths that can be entered anywhere), catalogue
(the coins and their stories), market (prices), rates (currencies), coingecko and context (routes), faults.
"""

from coinlake.simulator.adapter import Attempts, SimulatorAdapter
from coinlake.simulator.exchange import DEFAULT_AS_OF, DEFAULT_SEED, HOSTS, Answer, Exchange
from coinlake.simulator.faults import PROFILES, ConnectionDropped

__all__ = [
    "DEFAULT_AS_OF",
    "DEFAULT_SEED",
    "HOSTS",
    "PROFILES",
    "Answer",
    "Attempts",
    "ConnectionDropped",
    "Exchange",
    "SimulatorAdapter",
]
