"""The coins that a report shows, the days that it looks back on, and what every market report says of them."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

import pandas as pd
from markupsafe import Markup

from coinlake.reports.data import freshness
from coinlake.reports.data.frames import Frames
from coinlake.reports.page import Banner, formats, style

Numbers = TypeVar("Numbers", pd.Series, pd.DataFrame)

RANGES = (30, 90)  # days that a reader may choose beside the whole period
MIDDLE = 3  # coins of which one is in the middle: with so many a period begins
COINGECKO = Markup('Data provided by <a href="https://www.coingecko.com">CoinGecko</a>')
SIMULATED = "Simulated market of coinlake: no real coin, price or exchange"
APART = ("pegged", "copy")


class Kind(NamedTuple):
    """What a coin is that is not free; of a copy, the id of the coin whose moves it follows."""

    kind: str
    original_id: str


class Universe:
    """The coins of a report, largest first, and their closes over the days that it looks back on.

    `coins` has coin_id, symbol, name, market_cap, kind, original_id; `daily` has coin_id, date, close in the
    currency `unit`.
    Coins that are pegged to a currency and copies of others stand `apart`, with what they are: medians, counts and
    ranks are over the free ones. Where no coin is free, the page is about all of them.
    The period begins on the first day on which three of the coins, or half of them, have a close, so that one old
    coin among young ones does not stretch every chart; with `days`, not before the day so many days ago.
    """

    def __init__(self, coins: pd.DataFrame, daily: pd.DataFrame, unit: str = "usd", days: int | None = None):
        listed = coins[coins["coin_id"].isin(daily["coin_id"].unique())].reset_index(drop=True)
        listed_ids = listed["coin_id"].tolist()
        self._names = dict(zip(listed_ids, listed["name"], strict=True))
        self._symbols = dict(zip(listed_ids, _unique_symbols(listed), strict=True))
        self.unit = unit
        closes = wide(daily, "close", listed_ids)
        kinds = zip(listed_ids, listed["kind"], listed["original_id"], strict=True)
        self.apart = {
            coin_id: Kind(kind, original if kind == "copy" else "")
            for coin_id, kind, original in kinds
            if kind in APART
        }
        if len(self.apart) == len(listed_ids):
            self.apart = {}
        self.coins = listed[~listed["coin_id"].isin(self.apart)].reset_index(drop=True)
        self.ids: list[str] = self.coins["coin_id"].tolist()
        self.closes = self._period(closes[[coin_id for coin_id in closes if coin_id in self.ids]], days)

    def __len__(self) -> int:
        return len(self.ids)

    def name(self, coin_id: str) -> str:
        """The coin's name, the id when it has none here."""
        return self._names.get(coin_id) or formats.plain(coin_id)

    def symbol(self, coin_id: str) -> str:
        """The coin's symbol; coins that share one have their id beside it."""
        return self._symbols.get(coin_id) or formats.plain(coin_id)

    @property
    def calls(self) -> tuple[Callable[[str], str], Callable[[str], str]]:
        """How a coin may be called, for sentences that must fit: by name, else by symbol."""
        return self.name, self.symbol

    @cached_property
    def leaders(self) -> list[str]:
        """The two coins that every chart names: Bitcoin and Ethereum, else the largest two.

        A coin that is the unit itself always costs 1, and one that came later cannot be compared with the others:
        such a coin leads only where there is no other.
        """
        known = [coin_id for coin_id in ("bitcoin", "ethereum") if coin_id in self.ids]
        others = [coin_id for coin_id in self.ids if coin_id not in known]
        return sorted(known + others, key=self._unfit)[:2]

    def _unfit(self, coin_id: str) -> tuple[bool, bool]:
        """What speaks against a coin as a leader: False sorts first."""
        return self.symbol(coin_id).lower() == self.unit, bool(pd.isna(self.closes[coin_id].iloc[:1]).all())

    @property
    def named(self) -> str:
        """How many coins the page is about, and how many it keeps apart."""
        if not self.apart:
            return formats.counted(len(self), "coin")
        largest = len(self) + len(self.apart)
        return f"{formats.counted(len(self), 'free coin')} of the {largest} largest"

    @property
    def colours(self) -> dict[str, str]:
        """The leaders' colours, the same in every chart."""
        return dict(zip(self.leaders, (style.ORANGE, style.BLUE), strict=False))

    @property
    def start(self) -> pd.Timestamp | None:
        """The first day of the period."""
        return self.closes.index[0] if len(self.closes) else None

    @property
    def newest(self) -> pd.Timestamp | None:
        """The last complete day."""
        return self.closes.index[-1] if len(self.closes) else None

    @property
    def period(self) -> str:
        """First and last day as a reader sees them."""
        return f"{formats.day(self.start)} to {formats.day(self.newest)}"

    @cached_property
    def now(self) -> pd.DataFrame:
        """What snapshots after the last close say, by coin_id: snapshot_at, price, return_24h, market_cap, and
        distance_from_high."""
        rows = self.coins.set_index("coin_id")
        if self.newest is None:
            return rows.iloc[:0]
        return rows[rows["snapshot_at"] >= self.newest + pd.Timedelta(days=1)]

    @cached_property
    def returns(self) -> pd.Series:
        """Each coin's change over the period, highest first: only of coins that were there on its first day."""
        if len(self.closes) < 2:
            return pd.Series(dtype=float)
        last, first = self.closes.ffill().iloc[-1], self.closes.iloc[0]
        return _finite(last / first.where(first > 0) - 1).dropna().sort_values(ascending=False, kind="stable")

    @cached_property
    def index(self) -> pd.DataFrame:
        """Closes where each coin's first price above 0 in the period is 100: dates × coins."""
        if self.closes.empty:
            return self.closes
        return _finite(self.closes / self.closes.where(self.closes > 0).bfill().iloc[0] * 100)

    def median(self, values: pd.DataFrame) -> pd.Series:
        """The middle of the coins that were there from the start: newer ones would bend the line on joining.

        Of fewer than three coins there is no middle one, and the result is empty.
        """
        old = [coin_id for coin_id in values if coin_id in self.returns.index]
        return values[old].median(axis=1) if len(old) >= MIDDLE else pd.Series(dtype=float)

    @property
    def median_return(self) -> float | None:
        """The change of the middle coin over the period; None where there is none."""
        return float(self.returns.median()) if len(self.returns) >= MIDDLE else None

    def within(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame with a column `date` that lie in the period."""
        if self.start is None:
            return frame.iloc[:0]
        return frame[(frame["date"] >= self.start) & (frame["date"] <= self.newest)]

    def wide(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        """One column of a daily frame over the period: dates × coins."""
        values = wide(frame, column, self.ids)
        return values.reindex(index=self.closes.index, columns=self.closes.columns)

    def _period(self, closes: pd.DataFrame, days: int | None) -> pd.DataFrame:
        known = closes.notna().sum(axis=1)
        enough = known[known >= min(MIDDLE, len(self.ids) / 2)]
        period = closes.loc[enough.index[0] :] if len(enough) else closes.iloc[:0]
        return period if days is None else period.tail(days + 1)


def _unique_symbols(coins: pd.DataFrame) -> list[str]:
    rows = coins[["coin_id", "symbol", "name"]].itertuples(index=False)
    known = [(coin_id, symbol or name) for coin_id, symbol, name in rows]
    times = Counter(symbol for _, symbol in known)
    return [symbol if times[symbol] == 1 else f"{symbol} ({formats.plain(coin_id)})" for coin_id, symbol in known]


def wide(frame: pd.DataFrame, column: str, coin_ids: Sequence[str]) -> pd.DataFrame:
    """One column as dates × coins, one row for every calendar day: a missing day shows as a gap."""
    chosen = frame[frame["coin_id"].isin(list(coin_ids))]
    if chosen.empty:
        return pd.DataFrame(columns=list(coin_ids), index=pd.DatetimeIndex([], name="date"), dtype=float)
    values = _finite(chosen.pivot(index="date", columns="coin_id", values=column).astype(float).asfreq("D"))
    return values.reindex(columns=[coin_id for coin_id in coin_ids if coin_id in values])


def _finite(values: Numbers) -> Numbers:
    """What has no bounds, as a change from next to nothing, is not known."""
    return values.where(values.abs() < math.inf)


def month_ends(frame: pd.DataFrame) -> list[tuple[pd.Timestamp, list[float]]]:
    """The last known row of each calendar month: (date, values)."""
    ends = frame.dropna(how="all").groupby(lambda date: date.strftime("%Y-%m")).tail(1)
    return [(date, list(row)) for date, row in zip(ends.index, ends.to_numpy(dtype=float), strict=True)]


def month_headers(months: Sequence[pd.Timestamp]) -> list[str]:
    """Short names of months in a row; the first one of each year says the year."""
    named = [pd.Timestamp(month) for month in months]
    same_year = [i > 0 and month.year == named[i - 1].year for i, month in enumerate(named)]
    return [f"{month:%b}" if same else f"{month:%b ’%y}" for month, same in zip(named, same_year, strict=True)]


def kicker(title: str, source: str, universe: Universe) -> list[str]:
    """The line above the headline: report, source when it is not the live market, period, coins."""
    words = [title, freshness.ORIGINS[source][1]]
    if universe.start is not None:
        words += [universe.period, universe.named]
    return [word for word in words if word]


def page_title(title: str, source: str) -> str:
    """The title of the file: it says when the market is not the live one."""
    word = freshness.ORIGINS[source][1]
    return f"{title} ({word.lower()})" if word else title


def sources(
    frames: Frames, source: str, table_names: Sequence[str], run_id: str, notebook: str
) -> list[tuple[str, str | Markup]]:
    """The lines at the foot: who provided the data, which table versions were read, which run made the page."""
    versions = frames["freshness"].set_index("table_name")["version"]
    read = [
        f"{name} (version {int(versions[name])})" if name in versions else name
        for name in sorted(f"aggregated_data.{table}" for table in table_names)
    ]
    return [
        ("Source", freshness.ORIGINS[source][2]),
        ("Prices", COINGECKO if source in {"live", "replay"} else SIMULATED),
        ("Tables", ", ".join(read)),
        ("Made by", f"notebook {notebook}, pipeline run {run_id or 'not recorded'}"),
    ]


def now_line(universe: Universe) -> str:
    """What the lake has learned since the last close: prices of the leaders, and what the coins are worth.

    Empty when no snapshot is newer than the last close.
    """
    now = universe.now
    leaders = [coin_id for coin_id in universe.leaders if coin_id in now.index]
    if not leaders:
        return ""
    prices = [
        f"{universe.name(coin_id)} {formats.money(now.at[coin_id, 'price'], universe.unit)}"
        + (
            f" ({formats.percent(now.at[coin_id, 'return_24h'])} in 24 hours)"
            if formats.is_known(now.at[coin_id, "return_24h"])
            else ""
        )
        for coin_id in leaders
    ]
    worth = ""
    caps = now["market_cap"].dropna()
    if len(caps) == len(universe) > 2 and leaders[0] in caps.index:
        share = formats.percent(caps[leaders[0]] / caps.sum(), 0, sign=False)
        total = formats.big_money(caps.sum(), universe.unit)
        worth = f". The {len(caps)} coins are worth {total}, {universe.name(leaders[0])} {share} of it"
    return f"{formats.instant(now.at[leaders[0], 'snapshot_at'])}: {formats.listed(prices)}{worth}."


def banner(frames: Frames, source: str, universe: Universe, table_name: str, built_at: datetime) -> Banner:
    """The banner of a market report."""
    facts = [
        universe.named,
        formats.counted(int(universe.closes.notna().sum().sum()), "close"),
    ]
    promised = freshness.sla_hours(frames["freshness"], f"aggregated_data.{table_name}")
    return freshness.banner(source, universe.newest, promised, built_at, facts)
