"""Every table of the lakehouse: its columns, types, units, keys and the rules that Delta itself enforces.

This package is the only place where a table is described: a module for each layer.
The Delta tables are created from it, the warehouse is checked against it, and so are the notebooks.

Units: prices, market caps and volumes are in the row's `vs_currency`; instants are UTC;
silver `…_percentage` columns hold per cent as CoinGecko sends them (5.0 is +5 %);
gold returns, shares, volatilities and drawdowns are fractions (0.05 is +5 %).
"""

from coinlake.schema import silver as _silver
from coinlake.schema.bronze import RESPONSES
from coinlake.schema.gold import (
    CANDLE_HOURLY,
    CANDLE_WEEKLY,
    COIN_MONTHLY,
    CORRELATION_90D,
    DIM_COIN,
    DIM_CURRENCY,
    DIM_DATE,
    FACT_MARKET_SNAPSHOT,
    FACT_PRICE_DAILY,
    GOLD_PROGRESS,
    MARKET_DAILY,
    MARKET_EVENTS,
    MARKET_NOW,
    MARKET_TRENDS_DAILY,
    PRICE_AVERAGES_DAILY,
)
from coinlake.schema.names import delimited, quoted_name, quoted_text
from coinlake.schema.observability import API_USAGE, FRESHNESS, PIPELINE_RUNS, QUARANTINE_DAILY, RUN_STEPS
from coinlake.schema.runs import (
    ALERTS,
    ENDED,
    FAILED,
    INCOMPLETE,
    INTERRUPTED,
    RUNNING,
    STEPS,
    SUCCEEDED,
    lacking_steps,
    missing_steps,
    ran_by_hand,
    run_status,
)
from coinlake.schema.silver import *  # noqa: F403 (its tables)
from coinlake.schema.table import (
    AGGREGATED,
    CLEANED,
    LONGEST_ID,
    LONGEST_LABEL,
    LONGEST_NAME,
    LONGEST_SOURCE,
    LONGEST_SYMBOL,
    RAW,
    SCHEMAS,
    Column,
    Table,
)

TABLES: tuple[Table, ...] = (
    RESPONSES,
    *_silver.TABLES,
    DIM_COIN,
    DIM_DATE,
    DIM_CURRENCY,
    FACT_MARKET_SNAPSHOT,
    FACT_PRICE_DAILY,
    PRICE_AVERAGES_DAILY,
    MARKET_TRENDS_DAILY,
    MARKET_DAILY,
    COIN_MONTHLY,
    CORRELATION_90D,
    CANDLE_HOURLY,
    CANDLE_WEEKLY,
    RUN_STEPS,
    PIPELINE_RUNS,
    API_USAGE,
    FRESHNESS,
    QUARANTINE_DAILY,
    MARKET_NOW,
    MARKET_EVENTS,
    GOLD_PROGRESS,
)

__all__ = [
    "AGGREGATED",
    "ALERTS",
    "API_USAGE",
    "CANDLE_HOURLY",
    "CANDLE_WEEKLY",
    "CLEANED",
    "COIN_MONTHLY",
    "CORRELATION_90D",
    "DIM_COIN",
    "DIM_CURRENCY",
    "DIM_DATE",
    "ENDED",
    "FACT_MARKET_SNAPSHOT",
    "FACT_PRICE_DAILY",
    "FAILED",
    "FRESHNESS",
    "GOLD_PROGRESS",
    "INCOMPLETE",
    "INTERRUPTED",
    "LONGEST_ID",
    "LONGEST_LABEL",
    "LONGEST_NAME",
    "LONGEST_SOURCE",
    "LONGEST_SYMBOL",
    "MARKET_DAILY",
    "MARKET_EVENTS",
    "MARKET_NOW",
    "MARKET_TRENDS_DAILY",
    "PIPELINE_RUNS",
    "PRICE_AVERAGES_DAILY",
    "QUARANTINE_DAILY",
    "RAW",
    "RESPONSES",
    "RUNNING",
    "RUN_STEPS",
    "SCHEMAS",
    "STEPS",
    "SUCCEEDED",
    "TABLES",
    "Column",
    "Table",
    "delimited",
    "lacking_steps",
    "missing_steps",
    "quoted_name",
    "quoted_text",
    "ran_by_hand",
    "run_status",
]
__all__ += _silver.__all__
