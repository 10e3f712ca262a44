"""How an API is asked, and what its answer means: addresses, and the client that asks politely.

The client, its retries and its budget are the same whoever answers: network, recording or simulated market.
"""

from coinlake.api.adapters import TakingTime, response, session
from coinlake.api.client import Attempt, Client, keep_headers
from coinlake.api.endpoints import (
    COINGECKO,
    COINGECKO_PRO,
    LARGEST_PAGE,
    Endpoint,
    Request,
    absolute_url,
    request_url,
    same_question,
    without_key,
)
from coinlake.api.responses import Classification, classify, ends_run, is_json, remedy
from coinlake.api.tiers import TIERS, Tier, choose_tier

__all__ = [
    "COINGECKO",
    "COINGECKO_PRO",
    "LARGEST_PAGE",
    "TIERS",
    "Attempt",
    "Classification",
    "Client",
    "Endpoint",
    "Request",
    "TakingTime",
    "Tier",
    "absolute_url",
    "choose_tier",
    "classify",
    "ends_run",
    "is_json",
    "keep_headers",
    "remedy",
    "request_url",
    "response",
    "same_question",
    "session",
    "without_key",
]
