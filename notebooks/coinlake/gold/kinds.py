"""What a coin is, by how it moves: free, pegged to a currency, or a copy of another coin (dim_coin.kind).

Medians and counts over all coins would say how many stablecoins and wrapped coins there are, not how the market
moves: they are counted apart.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.delta import DeltaTable
from coinlake.gold.days import COIN

FREE, PEGGED, COPY = "free", "pegged", "copy"
DAYS = 90  # how far back the rule looks
LEAST_DAYS = 30  # of moves; a younger coin is taken as free
PEGGED_MOVE = 0.004  # currencies move less against each other on most days, coins more
COPIED = 0.15  # of a copy's own moves is not its original's


class Kind(NamedTuple):
    """What a coin is that is not free; of a copy, the id of the coin whose moves it follows."""

    kind: str
    original_id: str | None = None


Kinds = Mapping[str, Kind]  # by coin_id; a coin that is not there is free


def recent_closes(days: DataFrame) -> DataFrame:
    """What the rule looks at, of complete days of fact_price_daily: coin_id, vs_currency, date, close, market_cap
    of the 91 days that end with each currency's newest one."""
    newest = days.groupBy("vs_currency").agg(F.max("date").alias("newest"))
    return (
        days.join(F.broadcast(newest), "vs_currency")
        .where(F.col("date") >= F.date_sub("newest", DAYS))
        .select(*COIN, "date", "close", "market_cap")
    )


def kinds_of(closes: pd.DataFrame) -> dict[str, Kind]:
    """The coins that are not free, by the rows of `recent_closes`.

    Where closes are quoted in several currencies, the one with most of them decides, of two the first in the
    alphabet. The size of a coin is its newest known market cap in these days; one without any is small.
    """
    if closes.empty:
        return {}
    most = closes["vs_currency"].value_counts()
    judged = closes[closes["vs_currency"] == min(most[most == most.max()].index)].sort_values("date")
    wide = judged.assign(date=pd.to_datetime(judged["date"])).pivot(
        index="date", columns="coin_id", values="close"
    )
    size = judged.groupby("coin_id")["market_cap"].last().fillna(0.0)
    return kinds(wide.asfreq("D")[sorted(wide, key=lambda coin_id: (-size[coin_id], coin_id))])


def kinds(closes: pd.DataFrame) -> dict[str, Kind]:
    """The coins that are not free: coin_id -> kind; `closes` are days × coin_ids, largest coin first.

    A coin is pegged when its median daily move (log return without its sign) over the last 90 days is below
    0.4 %: currencies move so little against each other, so a dollar is found in euros, too. It is a copy when the
    median difference between its moves and those of a larger free coin is below 15 % of its own median move.
    Medians, so that a day on which a peg was lost does not free the coin.
    """
    logs = np.log(closes.where(closes > 0).to_numpy(dtype=float))
    moves = np.diff(logs, axis=0)[-DAYS:]
    found: dict[str, Kind] = {}
    free: list[int] = []
    for place, coin_id in enumerate(closes.columns):
        own = moves[:, place]
        if np.isfinite(own).sum() < LEAST_DAYS:
            continue
        usual = float(np.nanmedian(np.abs(own)))
        if usual < PEGGED_MOVE:
            found[coin_id] = Kind(PEGGED)
            continue
        apart = np.abs(moves[:, free] - own[:, None])
        known = np.isfinite(apart).sum(axis=0) >= LEAST_DAYS
        original = next(
            (
                closes.columns[larger]
                for larger, column, enough in zip(free, apart.T, known, strict=True)
                if enough and np.nanmedian(column) < COPIED * usual
            ),
            "",
        )
        if original:
            found[coin_id] = Kind(COPY, original)
        else:
            free.append(place)
    return found


def stored_kinds(coins: DeltaTable) -> dict[str, Kind]:
    """The coins that dim_coin has as pegged or as copies."""
    return {
        row["coin_id"]: Kind(row["kind"], row["original_id"])
        for row in coins.collected()
        if row["is_current"] and row["kind"] not in (None, FREE)
    }


def kind_of(kinds: Kinds) -> Column:
    """The kind of the row's coin_id."""
    return F.coalesce(_looked_up({coin_id: kind.kind for coin_id, kind in kinds.items()}), F.lit(FREE))


def original_id(kinds: Kinds) -> Column:
    """Of a copy the id of its original, by the row's coin_id."""
    return _looked_up({coin_id: kind.original_id for coin_id, kind in kinds.items() if kind.original_id})


def is_kind(kinds: Kinds, *wanted: str) -> Column:
    """Whether the row's coin is of one of these kinds."""
    return kind_of(kinds).isin(*wanted)


def with_kinds(versions: DataFrame, kinds: Kinds) -> DataFrame:
    """Rows of dim_coin from its versions: all versions of a coin say what it is today."""
    rows = versions.withColumn("kind", kind_of(kinds)).withColumn("original_id", original_id(kinds))
    return rows.select(*schema.DIM_COIN.column_names)


def _looked_up(values: Mapping[str, str]) -> Column:
    if not values:
        return F.lit(None).cast("string")
    pairs = [F.lit(part) for pair in sorted(values.items()) for part in pair]
    return F.try_element_at(F.create_map(*pairs), F.col("coin_id"))
