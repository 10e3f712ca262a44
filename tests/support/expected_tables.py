"""What every table must hold, from answers in plain Python: expected_gold on top of expected_silver."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property

from coinlake import schema
from coinlake.currencies import CODES, CURRENCIES
from tests.support import expected_gold, expected_silver
from tests.support.expected_silver import Answer

SILVER = (
    *("coin_snapshots", "coin_prices", "market_totals", "coin_list", "coin_categories"),
    *("fear_greed", "fx_rates", "weather_daily"),
)
GOLD = (
    *("dim_coin", "dim_date", "dim_currency", "fact_market_snapshot", "fact_price_daily"),
    *("price_averages_daily", "market_trends_daily", "market_daily", "coin_monthly"),
    *("correlation_90d", "candle_hourly", "candle_weekly", "market_now", "market_events"),
)


class ExpectedTables:
    """The rows of each table, as an attribute of its name, computed when they are asked for.

    `keys` gives the keys of the star for a row: keys(coin_id, instant, vs_currency). dim_coin has no keys. `kinds`
    are the coins that are not free; not given, the answers say them.
    """

    def __init__(
        self,
        answers: Iterable[Answer],
        keys: Callable[[str, datetime, str], dict[str, int]],
        kinds: dict[str, tuple[str, str | None]] | None = None,
    ):
        self.answers, self.keys, self.known_kinds = list(answers), keys, kinds

    @cached_property
    def coin_snapshots(self) -> list[dict]:
        return expected_silver.coin_snapshots(self.answers, CODES)

    @cached_property
    def coin_prices(self) -> list[dict]:
        return expected_silver.coin_prices(self.answers, CODES)

    @cached_property
    def market_totals(self) -> list[dict]:
        return expected_silver.market_totals(self.answers)

    @cached_property
    def coin_list(self) -> list[dict]:
        return expected_silver.coin_list(self.answers)

    @cached_property
    def coin_categories(self) -> list[dict]:
        return expected_silver.coin_categories(self.answers)

    @cached_property
    def fear_greed(self) -> list[dict]:
        return expected_silver.fear_greed(self.answers)

    @cached_property
    def fx_rates(self) -> list[dict]:
        return expected_silver.fx_rates(self.answers)

    @cached_property
    def weather_daily(self) -> list[dict]:
        return expected_silver.weather_daily(self.answers)

    @cached_property
    def dim_coin(self) -> list[dict]:
        return expected_gold.dim_coin(self.coin_snapshots, self.coin_prices, self.coin_list, self.kinds)

    @cached_property
    def kinds(self) -> dict[str, tuple[str, str | None]]:
        if self.known_kinds is not None:
            return self.known_kinds
        return expected_gold.kinds(expected_gold.fact_price_daily(self.coin_prices, lambda *_: {}))

    @cached_property
    def dim_date(self) -> list[dict]:
        return expected_gold.dim_date(self.coin_snapshots, self.coin_prices)

    @cached_property
    def dim_currency(self) -> list[dict]:
        return [dict(zip(schema.DIM_CURRENCY.column_names, currency, strict=True)) for currency in CURRENCIES]

    @cached_property
    def fact_market_snapshot(self) -> list[dict]:
        return expected_gold.fact_market_snapshot(self.coin_snapshots, self.keys)

    @cached_property
    def fact_price_daily(self) -> list[dict]:
        return expected_gold.fact_price_daily(self.coin_prices, self.keys)

    @cached_property
    def price_averages_daily(self) -> list[dict]:
        return expected_gold.price_averages_daily(self.fact_price_daily)

    @cached_property
    def market_trends_daily(self) -> list[dict]:
        return expected_gold.market_trends_daily(self.fact_price_daily)

    @cached_property
    def market_daily(self) -> list[dict]:
        return expected_gold.market_daily(
            self.market_trends_daily, self.market_totals, self.fear_greed, self.kinds
        )

    @cached_property
    def coin_monthly(self) -> list[dict]:
        return expected_gold.coin_monthly(self.fact_price_daily, self.fx_rates)

    @cached_property
    def correlation_90d(self) -> list[dict]:
        return expected_gold.correlation_90d(self.market_trends_daily, self.kinds)

    @cached_property
    def candle_hourly(self) -> list[dict]:
        return expected_gold.candle_hourly(self.coin_prices, self.coin_snapshots)

    @cached_property
    def candle_weekly(self) -> list[dict]:
        return expected_gold.candle_weekly(self.fact_price_daily)

    @cached_property
    def market_now(self) -> list[dict]:
        return expected_gold.market_now(self.coin_snapshots, self.fact_price_daily, self.kinds)

    @cached_property
    def market_events(self) -> list[dict]:
        return expected_gold.market_events(self.coin_snapshots, self.fact_price_daily, self.kinds)
