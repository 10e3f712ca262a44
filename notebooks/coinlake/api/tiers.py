"""The tiers of CoinGecko's API, which it sells as plans: pace, monthly credits, reach of history.

The parameter `plan` names one.
"""

from dataclasses import dataclass, replace

from coinlake.api.credits import kept_for_present
from coinlake.api.endpoints import COINGECKO, COINGECKO_PRO
from coinlake.errors import ConfigurationError


@dataclass(frozen=True)
class Tier:
    """What a plan of CoinGecko allows. `credits_per_month` is None where no monthly budget is stated."""

    name: str
    root: str
    key_header: str | None
    requests_per_minute: int
    credits_per_month: int | None
    history_days: int | None = 365

    @property
    def kept_for_present(self) -> int:
        """The credits of a month that are never spent on history; 0 where no budget is stated."""
        return kept_for_present(self.credits_per_month or 0)


TIERS: dict[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("keyless", COINGECKO, None, 5, None),
        Tier("demo", COINGECKO, "x-cg-demo-api-key", 30, 10_000),
        Tier("pro", COINGECKO_PRO, "x-cg-pro-api-key", 250, None, history_days=None),
    )
}


def choose_tier(name: str, requests_per_minute: int = 0, credits_per_month: int = 0) -> Tier:
    """The tier of this name; a number other than 0 takes the place of the tier's own.

    Raises ConfigurationError for an unknown tier.
    """
    if name not in TIERS:
        raise ConfigurationError(f"There is no plan {name!r}. The parameter plan is one of {', '.join(TIERS)}.")
    tier = TIERS[name]
    return replace(
        tier,
        requests_per_minute=requests_per_minute or tier.requests_per_minute,
        credits_per_month=credits_per_month or tier.credits_per_month,
    )
