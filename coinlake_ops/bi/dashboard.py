"""A Databricks dashboard (AI/BI) over the gold tables: the market, its trends and its largest coins.

Readers choose the currency and the days. In the file, queries name schema and table, and the bundle says which
catalog they mean; a deployment names it.
"""

import json
from typing import Any

from coinlake import schema
from coinlake.schema import MARKET_DAILY, MARKET_NOW, MARKET_TRENDS_DAILY, Table
from coinlake_ops.bi import widgets

# What is shown until a reader chooses.
CURRENCY = "usd"


def document(catalog: str = "") -> dict[str, Any]:
    """The content of the dashboard file; with a catalog its tables are named in full."""

    def name(table: Table) -> str:
        return table.full_name(catalog) if catalog else table.qualified_name

    market = [
        "SELECT date, vs_currency, median_index, share_above_average_50d, fear_greed_value",
        f"FROM {name(MARKET_DAILY)}",
        "ORDER BY date",
    ]
    # Of each currency the last day that it has: the currencies need not reach equally far.
    trends = [
        "SELECT day.trend, day.vs_currency, COUNT(*) AS coins",
        f"FROM {name(MARKET_TRENDS_DAILY)} AS day",
        f"INNER JOIN {name(schema.DIM_COIN)} AS coin ON coin.coin_id = day.coin_id AND coin.is_current",
        "WHERE coin.kind = 'free' AND day.trend IS NOT NULL AND day.date = (",
        f"    SELECT MAX(last.date) FROM {name(MARKET_TRENDS_DAILY)} AS last",
        "    WHERE last.vs_currency = day.vs_currency",
        ")",
        "GROUP BY day.trend, day.vs_currency",
    ]
    coins = [
        "SELECT name, vs_currency, price, market_cap, return_24h, return_7d",
        f"FROM {name(MARKET_NOW)} AS newest",
        "WHERE snapshot_at >= (",
        f"    SELECT MAX(last.snapshot_at) - INTERVAL 1 DAY FROM {name(MARKET_NOW)} AS last",
        "    WHERE last.vs_currency = newest.vs_currency",
        ")",
        "ORDER BY market_cap DESC NULLS LAST",
    ]
    meanings = {column.name: column.comment for column in (*MARKET_TRENDS_DAILY.columns, *MARKET_DAILY.columns)}
    meanings |= {"date": "UTC day", "coins": "coins"}
    columns = ("name", "price", "market_cap", "return_24h", "return_7d")
    everything = ("market", "trends", "coins")
    return {
        "datasets": [
            widgets.dataset("market", "Market by day", market),
            widgets.dataset("trends", "Coins by trend", trends),
            widgets.dataset("coins", "Largest coins", coins),
        ],
        "pages": [
            widgets.page(
                "market",
                "Market",
                [
                    widgets.choice("vs_currency", everything, "Currency", CURRENCY, (0, 0, 3, 1)),
                    widgets.period("date", ("market",), "Days", (3, 0, 3, 1)),
                    *(
                        widgets.chart("line", "market", "date", column, title, meanings, (*place, 3, 6))
                        for column, title, place in (
                            ("median_index", "The median coin, first day = 100", (0, 1)),
                            ("share_above_average_50d", "Share of coins above their 50-day average", (3, 1)),
                            ("fear_greed_value", "Fear and greed", (0, 7)),
                        )
                    ),
                    widgets.chart(
                        "bar",
                        "trends",
                        "trend",
                        "coins",
                        "Free coins by trend on the last complete day",
                        meanings,
                        (3, 7, 3, 6),
                    ),
                    widgets.listing(
                        "largest",
                        "coins",
                        columns,
                        "The largest coins",
                        "prices in the chosen currency; returns are fractions: 0.05 is +5 %",
                        (0, 13, 6, 8),
                    ),
                ],
            )
        ],
    }


def text() -> str:
    """The dashboard file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
