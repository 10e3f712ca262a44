"""Gold as pandas frames: the only module of the reports that asks Spark, one query for each frame."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import delta, schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.page import formats

PERIOD_DAYS = 365  # what a report looks back on
STILL_TRADED_DAYS = 3  # a coin without a close for longer is not among the largest of today

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
            conditions = (*conditions, self._in_currency())
        found = self._ask(reduce(DataFrame.where, conditions, self._table(table)), table)
        # Sorted here: to sort, Spark would look at the rows twice.
        return found.sort_values(list(table.key), kind="stable", ignore_index=True)

    def newest_day(self) -> date | None:
        """The last complete day of the market, None when gold is empty."""
        market = self._table(schema.MARKET_DAILY).where(self._in_currency())
        newest = self._ask(market.agg(F.max("date").alias("date")))["date"].iloc[0]
        return None if pd.isna(newest) else pd.Timestamp(newest).date()

    def largest_coins(self, newest: date | None, number: int) -> pd.DataFrame:
        """The largest coins that still trade: coin_id, symbol, name, market_cap; largest first.

        The market cap is that of the last snapshot of these weeks, or of the last close where there is none.
        """
        if newest is None:
            return pd.DataFrame({"coin_id": [], "symbol": [], "name": [], "market_cap": []})
        traded = (
            self._table(schema.MARKET_TRENDS_DAILY)
            .where(self._in_currency())
            .where(since(newest, STILL_TRADED_DAYS))
            .groupBy("coin_id")
            .agg(F.max_by("market_cap", "date").alias("at_close"))
        )
        listed = (
            self._table(schema.FACT_MARKET_SNAPSHOT)
            .where(self._in_currency())
            .where(f"period >= '{newest - timedelta(days=31):%Y-%m}' AND market_cap IS NOT NULL")
            .groupBy("coin_id")
            .agg(F.max_by("market_cap", "snapshot_at").alias("listed"))
        )
        coins = self._table(schema.DIM_COIN).where("is_current").select("coin_id", "symbol", "name")
        return self._ask(
            traded.join(coins, "coin_id")
            .join(listed, "coin_id", "left")
            .select("coin_id", "symbol", "name", F.coalesce("listed", "at_close").alias("market_cap"))
            .orderBy(F.desc_nulls_last("market_cap"), "coin_id")
            .limit(number)
        )

    def origin(self) -> Frames:
        """Who answered the requests (api_usage) and how far each table reaches (freshness)."""
        return {"api_usage": self.rows(schema.API_USAGE), "freshness": self.rows(schema.FRESHNESS)}

    def _table(self, table: schema.Table) -> DataFrame:
        return self._lake.table(table).read()

    def _in_currency(self) -> str:
        return among([self.vs_currency], "vs_currency")

    def _ask(self, rows: DataFrame, table: schema.Table | None = None) -> pd.DataFrame:
        with delta.explained():
            return tidy(rows.toPandas(), table)


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
    types = (
        {column.name: column.type for column in table.columns}
        if table
        else {"date": "DATE", "market_cap": "DOUBLE", "symbol": "STRING", "name": "STRING"}
    )
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
