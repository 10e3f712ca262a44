"""What CoinGecko's endpoints share: the host of the plan, and what is expected of prices."""

from coinlake import api, schema
from coinlake.api import Endpoint, Request
from coinlake.currencies import CODES
from coinlake.sources.columns import fits
from coinlake.sources.source import REJECT, Expectation, Settings

_KNOWN_CURRENCIES = ", ".join(f"'{code}'" for code in sorted(CODES))

# Plan, pace and budget decide who answers, and when.
SETTINGS = ("plan", "requests_per_minute", "credits_per_month")

PRICE_POSSIBLE = Expectation(
    "price_impossible",
    "A price is a number of 0 or more.",
    "price IS NULL OR (price >= 0 AND price < DOUBLE('Infinity'))",
    REJECT,
)
ID_TOO_LONG = Expectation(
    "id_too_long",
    f"An id has at most {schema.LONGEST_ID} letters.",
    f"coin_id IS NULL OR {fits('coin_id', schema.LONGEST_ID)}",
    REJECT,
)
CURRENCY_KNOWN = Expectation(
    "currency_unknown",
    "The address says which currency prices are in, and it is one of CoinGecko's.",
    f"vs_currency IN ({_KNOWN_CURRENCIES})",
    REJECT,
)


def request(endpoint: Endpoint, settings: Settings, page: int = 1, **values: object) -> Request:
    """A request of the endpoint to the host of the settings' plan."""
    return Request(endpoint, page, api.request_url(endpoint, root=settings.api_plan.root, page=page, **values))
