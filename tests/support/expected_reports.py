"""What the market reports must say of a simulated market, in plain Python from the rows that the answers make."""

import math
from datetime import date, timedelta
from functools import cached_property
from statistics import mean, median

from tests.support.expected_tables import ExpectedTables

DAY = timedelta(days=1)


class ExpectedReports:
    """The headlines and headline figures of price_averages and market_trends; prices in US dollars."""

    def __init__(self, tables: ExpectedTables, top_coins: int = 25):
        self.tables, self.top_coins = tables, top_coins

    @cached_property
    def closes(self) -> dict[str, dict[date, float]]:
        """The daily closes of the largest coins, largest first, over the last 365 days."""
        closes: dict[str, dict[date, float]] = {}
        for day in self.tables.fact_price_daily:
            if day["is_complete"] and day["vs_currency"] == "usd":
                closes.setdefault(day["coin_id"], {})[day["date"]] = day["close"]
        newest = max(max(its) for its in closes.values())
        caps = {row["coin_id"]: row["market_cap"] for row in self.newest_snapshots.values()}
        order = sorted(closes, key=lambda coin_id: (-caps[coin_id], coin_id))[: self.top_coins]
        largest = {
            coin_id: {day: close for day, close in closes[coin_id].items() if day > newest - 365 * DAY}
            for coin_id in order
        }
        return free(largest, newest)

    @cached_property
    def newest_snapshots(self) -> dict[str, dict]:
        in_time = sorted(self.tables.coin_snapshots, key=lambda row: row["snapshot_at"])
        return {row["coin_id"]: row for row in in_time}

    @cached_property
    def newest(self) -> date:
        return max(max(its) for its in self.closes.values())

    @cached_property
    def start(self) -> date:
        """The first day on which three of the coins, or half of them, have a close."""
        days = sorted({day for its in self.closes.values() for day in its})
        enough = min(3, len(self.closes) / 2)
        return next(day for day in days if sum(day in its for its in self.closes.values()) >= enough)

    @cached_property
    def returns(self) -> dict[str, float]:
        """The change of each coin that was there on the first day, highest first."""
        found = {
            coin_id: its[max(its)] / its[self.start] - 1
            for coin_id, its in self.closes.items()
            if self.start in its
        }
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def average(self, coin_id: str, days: int, until: date | None = None) -> float | None:
        """The mean of the closes of so many days; None when one is missing."""
        its, last = self.closes[coin_id], until or max(self.closes[coin_id])
        window = [its.get(last - place * DAY) for place in range(days)]
        return None if None in window else mean(window)

    def distances(self, days: int) -> dict[str, float]:
        """The newest close of each coin against its average, where it has one."""
        averages = {coin_id: self.average(coin_id, days) for coin_id in self.closes}
        newest = {coin_id: its[max(its)] for coin_id, its in self.closes.items()}
        return {coin_id: newest[coin_id] / known - 1 for coin_id, known in averages.items() if known}

    @property
    def longest_window(self) -> int:
        """The longest average that three of the coins, or half of them, have."""
        enough = min(3, len(self.closes) / 2)
        return max(days for days in (7, 30, 90, 200) if len(self.distances(days)) >= enough)

    @property
    def averages_headline(self) -> str:
        gaps = self.distances(self.longest_window).values()
        above, below = sum(shown(gap) > 0 for gap in gaps), sum(shown(gap) < 0 for gap in gaps)
        number, word = (above, "above") if above >= below else (below, "below")
        trade, their = ("trades", "its") if number == 1 else ("trade", "their")
        return f"{of_all(number, len(gaps))} {trade} {word} {their} {self.longest_window}-day average"

    @property
    def trends_headline(self) -> str:
        best, change = next(iter(self.returns.items()))
        lower = sum(shown(value) < 0 for value in self.returns.values())
        higher = sum(shown(value) > 0 for value in self.returns.values())
        number, word = (higher, "higher") if higher > lower else (lower, "lower")
        verb, are = "gained most" if change > 0 else "lost least", "is" if number == 1 else "are"
        since = f"{self.start.day} {self.start:%b %Y}"
        amount = f"{change * 100:+,.0f}%".replace("-", "−")
        counted = of_all(number, len(self.returns))
        rest = f"{verb} ({amount}); {counted[0].lower()}{counted[1:]} {are} {word} than on {since}"
        name, symbol = self.newest_snapshots[best]["name"], self.newest_snapshots[best]["symbol"].upper()
        # A headline has 75 characters: where the name is too long, the symbol stands for it.
        return f"{name} {rest}" if len(f"{name} {rest}") <= 75 else f"{symbol} {rest}"

    @cached_property
    def weeks_of_bitcoin(self) -> dict[date, tuple[float, float]]:
        """Open and close of each week that has all its days: from the close before Monday, where there is one, to
        that of Sunday. History has one price a day, so without a close before it a day opens as it closes."""
        its = self.closes["bitcoin"]
        first = min(day for day in its if day.weekday() == 0)
        mondays = [first + 7 * place * DAY for place in range(60)]
        full = [monday for monday in mondays if all(monday + place * DAY in its for place in range(7))]
        return {monday: (its.get(monday - DAY, its[monday]), its[monday + 6 * DAY]) for monday in full}

    @property
    def weeks_finding(self) -> str:
        weeks = self.weeks_of_bitcoin.values()
        changes = [shown(close / open_ - 1) for open_, close in weeks]
        higher, lower = sum(change > 0 for change in changes), sum(change < 0 for change in changes)
        number, word = (higher, "higher") if higher >= lower else (lower, "lower")
        return f"{of_all(number, len(weeks), 'complete week')} closed {word} for Bitcoin"


def shown(change: float) -> float:
    """A change as reports show it, in per cent with one decimal."""
    return round(change * 100, 1)


def of_all(number: int, total: int, noun: str = "coin") -> str:
    """How reports count: of three and more, and not none."""
    return f"All {total} {noun}s" if number == total else f"{number} of {total} {noun}s"


def free(closes: dict[str, dict[date, float]], newest: date) -> dict[str, dict[date, float]]:
    """The coins, largest first, that are neither pegged to a currency nor a copy of a larger one."""
    days = [newest - place * DAY for place in range(90)]
    found: dict[str, dict[date, float]] = {}
    for coin_id, its in closes.items():
        moves = moves_of(its, days)
        usual = median(map(abs, moves.values())) if len(moves) >= 30 else math.inf
        others = [moves_of(closes[larger], days) for larger in found]
        apart = [[abs(moves[day] - other[day]) for day in moves.keys() & other.keys()] for other in others]
        is_copy = any(len(gaps) >= 30 and median(gaps) < 0.15 * usual for gaps in apart if usual < math.inf)
        if usual >= 0.004 and not is_copy:
            found[coin_id] = its
    return found


def moves_of(its: dict[date, float], days: list[date]) -> dict[date, float]:
    """The daily log returns of a coin on these days."""
    known = [day for day in days if its.get(day) and its.get(day - DAY)]
    return {day: math.log(its[day] / its[day - DAY]) for day in known}
