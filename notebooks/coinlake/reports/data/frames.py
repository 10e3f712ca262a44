"""Gold as pandas frames: the only module of the reports that asks Spark, one query for each frame."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from coinlake import delta, schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.page import formats

PERIOD_DAYS = 365  # what a report looks back on
MONTH_DAYS = 31  # an older snapshot says nothing of now
STILL_TRADED_DAYS = 3  # a coin without a close for longer is not among the largest of today

# The columns of answers that are no table's rows.
OF_QUERIES = {
    "date": "DATE",
    "symbol": "STRING",
    "name": "STRING",
    "kind": "STRING",
    "original_id": "STRING",
    **dict.fromkeys(("snapshot_at", "hour"), "TIMESTAMP"),
    **dict.fromkeys(("market_cap", "price", "return_24h", "distance_from_high"), "DOUBLE"),
    **dict.fromkeys(("close", "total_volume"), "DOUBLE"),
}

OF_LARGEST = (
    *("coin_id", "symbol", "name", "kind", "original_id", "market_cap"),
    *("snapshot_at", "price", "return_24h", "distance_from_high"),
)

Frames = dict[str, pd.DataFrame]


class Gold:
    """The gold tables of one lakehouse, in one currency."""

    def __init__(self, lake: Lakehouse, vs_currency: str = "usd"):
        self._lake = lake
        self.vs_currency = vs_currency

    def rows(self, table: schema.Table, *conditions: str) -> pd.DataFrame:
        """The rows of one table that meet all conditions, in the order of its key.

        Unless a condition says otherwise, prices are those in this reader's currency.
        """
        if "vs_currency" in table.column_names and not any("vs_currency" in condition for condition in conditions):
            conditions = (*conditions, among([self.vs_currency], "vs_currency"))
        where = f" WHERE {' AND '.join(map(_plain, conditions))}" if conditions else ""
        found = self._ask(f"SELECT * FROM {{{table.name}}}{where}", table, of=table)
        # Sorted here: to sort, Spark would look at the rows twice.
        return found.sort_values(list(table.key), kind="stable", ignore_index=True)

    def newest_day(self) -> date | None:
        """The last complete day of the market, None when gold is empty."""
        currency = _plain(among([self.vs_currency], "vs_currency"))
        found = self._ask(f"SELECT max(date) AS date FROM {{market_daily}} WHERE {currency}", schema.MARKET_DAILY)
        newest = found["date"].iloc[0]
        return None if pd.isna(newest) else pd.Timestamp(newest).date()

    def largest_coins(self, newest: date | None, number: int) -> pd.DataFrame:
        """The largest coins that still trade, largest first: coin_id, symbol, name, kind, original_id, market_cap,
        and what the last snapshot of these weeks says: snapshot_at, price, return_24h, distance_from_high (the
        all-time one); NaT and NaN where there is none.

        The market cap is that of the last snapshot, or of the last close where there is none.
        """
        if newest is None:
            return pd.DataFrame({column: [] for column in OF_LARGEST})
        currency = _plain(among([self.vs_currency], "vs_currency"))
        recent = since(newest, STILL_TRADED_DAYS)
        return self._ask(
            f"""
            WITH traded AS (
                SELECT coin_id, max_by(market_cap, date) AS market_cap
                FROM {{market_trends_daily}}
                WHERE {currency} AND {recent}
                GROUP BY coin_id
            )
            SELECT
                traded.coin_id, coin.symbol, coin.name, coin.kind, coin.original_id,
                coalesce(shown.market_cap, traded.market_cap) AS market_cap,
                shown.snapshot_at, shown.price, shown.return_24h, shown.distance_from_high
            FROM traded
            JOIN {{dim_coin}} AS coin
                ON coin.coin_id = traded.coin_id AND coin.is_current
            LEFT JOIN (
                SELECT * FROM {{market_now}} WHERE {currency} AND {since(newest, MONTH_DAYS, "snapshot_at")}
            ) AS shown
                ON shown.coin_id = traded.coin_id
            ORDER BY market_cap DESC NULLS LAST, traded.coin_id
            LIMIT {number:d}
            """,
            *(schema.MARKET_TRENDS_DAILY, schema.MARKET_NOW, schema.DIM_COIN),
        )

    def histories(self, newest: date | None) -> pd.DataFrame:
        """The complete days of a year, of every coin: coin_id, date, close, total_volume."""
        currency = _plain(among([self.vs_currency], "vs_currency"))
        found = self._ask(
            f"""
            SELECT coin_id, date, close, total_volume
            FROM {{fact_price_daily}}
            WHERE {currency} AND is_complete AND {since(newest)}
            """,
            schema.FACT_PRICE_DAILY,
        )
        return found.sort_values(["coin_id", "date"], kind="stable", ignore_index=True)

    def hours(self, newest: date | None) -> pd.DataFrame:
        """The closes of the hours of the newest complete day and after it: coin_id, hour, close."""
        currency = _plain(among([self.vs_currency], "vs_currency"))
        since_then = "1 = 0" if newest is None else f"hour >= DATE '{newest}' AND period >= '{newest:%Y-%m}'"
        found = self._ask(
            f"SELECT coin_id, hour, close FROM {{candle_hourly}} WHERE {currency} AND {since_then}",
            schema.CANDLE_HOURLY,
        )
        return found.sort_values(["coin_id", "hour"], kind="stable", ignore_index=True)

    def origin(self) -> Frames:
        """Who answered the requests (api_usage) and how far each table reaches (freshness)."""
        return {"api_usage": self.rows(schema.API_USAGE), "freshness": self.rows(schema.FRESHNESS)}

    def _ask(self, text: str, *tables: schema.Table, of: schema.Table | None = None) -> pd.DataFrame:
        """The answer to a query with tables named in braces; `of` is the one whose rows it has."""
        read: dict[str, Any] = {table.name: self._lake.table(table).read() for table in tables}
        with delta.explained():
            return tidy(self._lake.spark.sql(text, **read).toPandas(), of)


def _plain(condition: str) -> str:
    """A condition as a part of a query in which braces mean tables."""
    return condition.replace("{", "{{").replace("}", "}}")


def since(newest: date | None, days: int = PERIOD_DAYS, column: str = "date") -> str:
    """The condition that keeps the last `days` days up to the newest one."""
    return "1 = 0" if newest is None else f"{column} > DATE '{newest - timedelta(days=days)}'"


def among(values: Sequence[str], column: str = "coin_id") -> str:
    """The condition that keeps some values of a text column.

    The values stand in the text, since Spark Connect 4.1 loses the `args` of a query.
    """
    return f"{column} IN ({', '.join(map(schema.quoted_text, values))})" if values else "1 = 0"


def tidy(frame: pd.DataFrame, table: schema.Table | None = None) -> pd.DataFrame:
    """The frame with pandas' own types: days and UTC instants as datetime64, numbers as float or int.

    Spark hands days over as Python dates, and a column with NULLs as objects. Texts that are shown are `plain`;
    ids stay what they are.
    """
    types = {column.name: column.type for column in table.columns} if table else OF_QUERIES
    changed: dict[str, pd.Series] = {}
    for name in frame.columns:
        values = frame[name]
        kind = types.get(name)
        if kind in {"DATE", "TIMESTAMP"}:
            changed[name] = pd.to_datetime(values).astype("datetime64[ns]")
        elif kind == "DOUBLE" or (kind in {"INT", "BIGINT"} and values.isna().any()):
            changed[name] = values.astype(float)
        elif kind == "STRING" and not name.endswith("_id"):
            changed[name] = values.map(formats.plain, na_action="ignore")
    return frame.assign(**changed)
