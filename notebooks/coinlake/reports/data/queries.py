"""The SQL that gives the rows of a figure from gold, for who wants them elsewhere: Spark and DuckDB both read it.

Each query gives the columns series, date (or coin), value: what the figure's file holds.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from coinlake import schema
from coinlake.reports.data.frames import among
from coinlake.reports.data.universe import Universe

CLOSE = "close"
INDEX = "100 * close / first_value(close) OVER (PARTITION BY coin_id ORDER BY date)"
DRAWDOWN = "close / max(close) OVER (PARTITION BY coin_id ORDER BY date) - 1"


def within(coins: Universe, coin_ids: Sequence[str] | None = None) -> str:
    """The condition that keeps the period of a report, its currency and these coins, or all of its free ones."""
    return (
        f"vs_currency = {schema.quoted_text(coins.unit)} AND {period(coins)}\n"
        f"    AND {among(coins.ids if coin_ids is None else coin_ids)}"
    )


def period(coins: Universe, column: str = "date") -> str:
    """The condition that keeps the days of a report."""
    first, last = coins.start, coins.newest
    return f"{column} BETWEEN DATE '{first:%Y-%m-%d}' AND DATE '{last:%Y-%m-%d}'"


def of_coins(coins: Universe, named: Sequence[str], value: str, *, median: bool, above_0: bool = True) -> str:
    """A value of market_trends_daily for some coins, and its median over those that were there from the start.

    `value` is an expression over the rows of a coin; with `above_0` only closes above 0 count.
    """
    counted = " AND close > 0" if above_0 else ""
    parts = [
        f"WITH valued AS (\n  SELECT coin_id, date, {value} AS value,\n"
        "    min(date) OVER (PARTITION BY coin_id) AS began\n"
        f"  FROM aggregated_data.market_trends_daily\n  WHERE {within(coins)}{counted}\n)\n"
        "SELECT coin.name AS series, valued.date, valued.value\n"
        "FROM valued JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = valued.coin_id AND coin.is_current\n"
        f"WHERE valued.value IS NOT NULL AND {among(list(named), 'coin.coin_id')}"
    ]
    if median:
        parts.append(
            "SELECT 'Median coin', date, median(value)\nFROM valued\n"
            f"WHERE value IS NOT NULL AND began = DATE '{coins.start:%Y-%m-%d}'\nGROUP BY date"
        )
    return together(*parts)


def columns(coins: Universe, table: str, coin_ids: Sequence[str], series: Mapping[str, str]) -> str:
    """Columns of a daily table as series, by their names; of several coins, with the coin's name before."""
    name = "{}" if len(coin_ids) == 1 else "coin.name || ', ' || {}"
    return together(
        *(
            f"SELECT {name.format(schema.quoted_text(title))} AS series, own.date, own.{column} AS value\n"
            f"FROM aggregated_data.{table} AS own\n"
            "JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = own.coin_id AND coin.is_current\n"
            f"WHERE own.{column} IS NOT NULL AND own.vs_currency = {schema.quoted_text(coins.unit)}\n"
            f"  AND {period(coins, 'own.date')} AND {among(list(coin_ids), 'own.coin_id')}"
            for title, column in series.items()
        )
    )


def together(*queries: str) -> str:
    """The rows of all queries, in the order of their first two columns."""
    return "\nUNION ALL\n".join(queries) + "\nORDER BY 1, 2"


def weeks(coins: Universe, coin_id: str, frame: pd.DataFrame) -> str:
    """The candles of one coin's weeks in a frame: week, open, high, low, close."""
    first, last = frame["week"].min(), frame["week"].max()
    return (
        "SELECT coin.name || CASE WHEN own.is_complete THEN '' ELSE ', not complete' END AS series,\n"
        "  own.week AS date, own.open, own.high, own.low, own.close\n"
        "FROM aggregated_data.candle_weekly AS own\n"
        "JOIN aggregated_data.dim_coin AS coin ON coin.coin_id = own.coin_id AND coin.is_current\n"
        f"WHERE own.vs_currency = {schema.quoted_text(coins.unit)} AND {among([coin_id], 'own.coin_id')}\n"
        f"  AND own.week BETWEEN DATE '{first:%Y-%m-%d}' AND DATE '{last:%Y-%m-%d}'\nORDER BY 1, 2"
    )
