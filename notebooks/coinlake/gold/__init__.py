"""Gold: the star schema and the aggregates, as functions of silver.

`plan` says what is new in silver and what that touches, `build` does all of it; notebook 04 goes through its
steps. Each table's story stands on one page: its formula, when it is due, how far a change reaches, its write.

    dimensions    dim_coin (SCD type 2), dim_date, dim_currency
    facts         fact_market_snapshot, fact_price_daily
    averages      price_averages_daily: the 7-, 30-, 90- and 200-day average
    trends        market_trends_daily
    monthly       coin_monthly
    candles       candle_hourly, candle_weekly
    market        market_daily
    correlation   correlation_90d
    kinds         what a coin is by how it moves: dim_coin.kind
    now           market_now
    events        market_events

The columns are in coinlake.schema, since the warehouse and the reports read them too.
"""

from coinlake.gold.build import (
    build,
    finish,
    write_aggregates_of_coins,
    write_aggregates_of_the_market,
    write_star,
)
from coinlake.gold.dimensions import coin_versions
from coinlake.gold.facts import daily_prices
from coinlake.gold.inputs import SOURCES
from coinlake.gold.plan import plan, reach
from coinlake.gold.verification import verify

__all__ = [
    "SOURCES",
    "build",
    "coin_versions",
    "daily_prices",
    "finish",
    "plan",
    "reach",
    "verify",
    "write_aggregates_of_coins",
    "write_aggregates_of_the_market",
    "write_star",
]
