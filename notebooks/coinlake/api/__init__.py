"""How an API is asked, and what its answer means: addresses, and the client that asks politely.

The client, its retries and its budget are the same whoever answers: network, recording or simulated market.
"""

from coinlake.api.adapters import TakingTime, response, session
from coinlake.api.client import Attempt, Client, keep_headers
from coinlake.api.credits import kept_for_present, projected_credits
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
from coinlake.api.responses import (
    COUNTED_WITHOUT_ANSWER,
    OUT_OF_CREDITS,
    Classification,
    classify,
    costs_credit,
    ends_month,
    ends_run,
    is_json,
    remedy,
)
from coinlake.api.tiers import TIERS, Tier, choose_tier

__all__ = [
    "COINGECKO",
    "COINGECKO_PRO",
    "COUNTED_WITHOUT_ANSWER",
    "LARGEST_PAGE",
    "OUT_OF_CREDITS",
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
    "costs_credit",
    "ends_month",
    "ends_run",
    "is_json",
    "keep_headers",
    "kept_for_present",
    "projected_credits",
    "remedy",
    "request_url",
    "response",
    "same_question",
    "session",
    "without_key",
]
