"""A Databricks dashboard (AI/BI) over the gold tables: the market's trend in five pictures.

In the file, queries name schema and table, and the bundle says which catalog they mean; a deployment names it.
Source: Databricks documentation of dashboards in asset bundles, and the widgets' own specifications.
"""

import json
from typing import Any

from coinlake import schema
from coinlake.schema import FACT_MARKET_SNAPSHOT, MARKET_DAILY, MARKET_TRENDS_DAILY, Table

CURRENCY = "usd"
VERSIONS = {"line": 3, "bar": 3, "counter": 2, "table": 2}


def document(catalog: str = "") -> dict[str, Any]:
    """The content of the dashboard file; with a catalog its tables are named in full."""

    def name(table: Table) -> str:
        return table.full_name(catalog) if catalog else table.qualified_name

    market = [
        "SELECT date, tracked_market_cap, share_above_average_50d, median_return_1d, fear_greed_value",
        f"FROM {name(MARKET_DAILY)}",
        f"WHERE vs_currency = '{CURRENCY}'",
        "ORDER BY date",
    ]
    trends = [
        "SELECT trend, COUNT(*) AS coins",
        f"FROM {name(MARKET_TRENDS_DAILY)}",
        f"WHERE vs_currency = '{CURRENCY}' AND trend IS NOT NULL",
        f"    AND date = (SELECT MAX(date) FROM {name(MARKET_TRENDS_DAILY)})",
        "GROUP BY trend",
    ]
    coins = [
        "SELECT coin.name, snapshot.price, snapshot.market_cap, snapshot.return_24h, snapshot.return_7d",
        f"FROM {name(FACT_MARKET_SNAPSHOT)} AS snapshot",
        f"INNER JOIN {name(schema.DIM_COIN)} AS coin ON coin.coin_key = snapshot.coin_key",
        f"WHERE snapshot.vs_currency = '{CURRENCY}'",
        f"    AND snapshot.snapshot_at = (SELECT MAX(snapshot_at) FROM {name(FACT_MARKET_SNAPSHOT)})",
        "ORDER BY snapshot.market_cap DESC NULLS LAST",
        "LIMIT 25",
    ]
    return {
        "datasets": [
            _dataset("market", "Market by day", market),
            _dataset("trends", "Coins by trend", trends),
            _dataset("coins", "Largest coins", coins),
        ],
        "pages": [
            {
                "name": "market",
                "displayName": "Market",
                "layout": [
                    _line("tracked_market_cap", "Tracked market cap", 0, 0),
                    _line("share_above_average_50d", "Share of coins above their 50-day average", 3, 0),
                    _line("fear_greed_value", "Fear and greed", 0, 6),
                    _bars(3, 6),
                    _listing(0, 12),
                ],
            }
        ],
    }


def text() -> str:
    """The dashboard file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _dataset(name: str, title: str, query: list[str]) -> dict[str, Any]:
    return {"name": name, "displayName": title, "queryLines": [f"{line}\n" for line in query]}


def _line(column: str, title: str, x: int, y: int) -> dict[str, Any]:
    meaning = next(one.comment for one in MARKET_DAILY.columns if one.name == column)
    encodings = {
        "x": {"fieldName": "date", "scale": {"type": "temporal"}, "displayName": "UTC day"},
        "y": {"fieldName": column, "scale": {"type": "quantitative"}, "displayName": meaning},
    }
    return _widget(column, "market", ("date", column), "line", encodings, title, meaning, (x, y, 3, 6))


def _bars(x: int, y: int) -> dict[str, Any]:
    meaning = next(one.comment for one in MARKET_TRENDS_DAILY.columns if one.name == "trend")
    encodings = {
        "x": {"fieldName": "trend", "scale": {"type": "categorical"}, "displayName": "trend"},
        "y": {"fieldName": "coins", "scale": {"type": "quantitative"}, "displayName": "coins"},
    }
    title = "Coins by trend on the last complete day"
    return _widget("trend", "trends", ("trend", "coins"), "bar", encodings, title, meaning, (x, y, 3, 6))


def _listing(x: int, y: int) -> dict[str, Any]:
    names = ("name", "price", "market_cap", "return_24h", "return_7d")
    encodings = {"columns": [{"fieldName": name, "displayName": name} for name in names]}
    meaning = f"prices in {CURRENCY}; returns are fractions: 0.05 is +5 %"
    return _widget("coins", "coins", names, "table", encodings, "The largest coins", meaning, (x, y, 6, 8))


def _widget(
    name: str,
    dataset: str,
    fields: tuple[str, ...],
    kind: str,
    encodings: dict[str, Any],
    title: str,
    description: str,
    place: tuple[int, int, int, int],
) -> dict[str, Any]:
    query = {
        "datasetName": dataset,
        "fields": [{"name": field, "expression": f"`{field}`"} for field in fields],
        "disaggregated": True,
    }
    frame = {"showTitle": True, "title": title, "showDescription": True, "description": description}
    return {
        "widget": {
            "name": name,
            "queries": [{"name": "main_query", "query": query}],
            "spec": {"version": VERSIONS[kind], "widgetType": kind, "encodings": encodings, "frame": frame},
        },
        "position": dict(zip(("x", "y", "width", "height"), place, strict=True)),
    }
