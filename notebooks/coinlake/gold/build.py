"""Builds gold from what changed in silver: the star, the aggregates, and how far gold has come.

Gold is a function of silver. The first build computes it whole and overwrites what is there. Every later one
reads the Change Data Feed of silver from the versions in `gold_progress`, recomputes the coins and days that
the changes touch, with the windows that reach them, and merges what differs. `gold_progress` is written last:
a build that was interrupted is simply done again, and ends with the same rows.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import cached_property, reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import delta, runtime, schema
from coinlake.delta import Merged
from coinlake.gold import aggregates, star
from coinlake.gold.aggregates import COIN
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table

SOURCES = (
    schema.COIN_SNAPSHOTS,
    schema.COIN_PRICES,
    schema.COIN_LIST,
    schema.MARKET_TOTALS,
    schema.FEAR_GREED,
    schema.FX_RATES,
)

WRITERS = 3
BEGINNING = star.BEGINNING.date()  # a Monday, and before all prices


def build(lake: Lakehouse) -> dict[str, Merged]:
    """Brings gold up to date with silver; returns what was written, by schema and name of the table.

    Nothing changed in silver: nothing is computed, nothing is written, and the result is empty.
    """
    work = Build(lake)
    work.dimensions()
    work.facts()
    work.aggregates_of_coins()
    work.aggregates_of_the_market()
    work.finish()
    return work.written


class News(NamedTuple):
    """Rows of a silver table that are new or differ, of one day, and of one coin and currency where known."""

    table: str
    coin_id: str | None
    vs_currency: str | None
    date: date | None
    rows: int


class Build:
    """One build of gold: what changed in silver, what that touches, and what was written (`written`).

    Call dimensions, facts, aggregates_of_coins, aggregates_of_the_market and finish, in this order.
    """

    def __init__(self, lake: Lakehouse):
        self.lake = lake
        self.spark = lake.spark
        self.written: dict[str, Merged] = {}
        self.progress = delta.read_watermarks(lake.table(schema.GOLD_PROGRESS))
        self.versions = delta.versions(map(lake.table, SOURCES))

    @cached_property
    def is_first(self) -> bool:
        """Whether gold is computed whole: not every source has been read before."""
        return not self.progress.keys() >= self.versions.keys()

    @property
    def has_changes(self) -> bool:
        """Whether silver holds anything that gold does not."""
        return any(self.is_new(table) for table in SOURCES)

    def is_new(self, table: Table) -> bool:
        """Whether the silver table was written to since the last build."""
        return self.is_first or self.versions[table.name] > self.progress[table.name]

    def read(self, table: Table) -> DataFrame:
        """The table's rows."""
        return self.lake.table(table).read()

    def news(self) -> dict[str, int]:
        """How many rows of each silver table are new or differ since the last build."""
        return {table.name: sum(row.rows for row in self._news if row.table == table.name) for table in SOURCES}

    @cached_property
    def _news(self) -> list[News]:
        """What is new, counted by table and day, and after the first build by coin and currency too."""
        frames = []
        for table in (table for table in SOURCES if self.is_new(table)):
            by_coin = not self.is_first and {*COIN} <= {*table.column_names}
            coin = [F.col(name) if by_coin else F.lit(None).cast("string").alias(name) for name in COIN]
            named = self._changes(table).select(F.lit(table.name).alias("table"), *coin, _day(table).alias("date"))
            frames.append(named.groupBy("table", *COIN, "date").count())
        return [News(*row) for row in reduce(DataFrame.union, frames).collect()] if frames else []

    def _days(self, *of: Table) -> list[date]:
        """The days with something new in these tables, in order."""
        names = {table.name for table in of}
        return sorted({row.date for row in self._news if row.table in names})

    def _coin_days(self, *of: Table) -> set[tuple[str, str, date]]:
        """Coin, currency and day of what is new in these tables, after the first build."""
        names = {table.name for table in of}
        return {(row.coin_id, row.vs_currency, row.date) for row in self._news if row.table in names}

    def _changes(self, table: Table, read: Callable[..., DataFrame] = delta.changed_rows) -> DataFrame:
        """The rows of a silver table that are new or differ since the last build."""
        if self.is_first:
            return self.read(table)
        if not self.is_new(table):
            return self.read(table).where("false")
        return read(self.lake.table(table), self.progress[table.name])

    def dimensions(self) -> None:
        """Writes the dimensions that the facts point to.

        After the first build the new versions of coins are only worked out here and written by `finish`:
        if the build is interrupted, the next one must find the same coins changed.
        """
        due = [self._extend_calendar] if self.has_changes else []
        if self.is_first:
            due.append(lambda: self._replace(schema.DIM_COIN, self._all_coins()))
            due.append(lambda: self._replace(schema.DIM_CURRENCY, star.currencies(self.spark)))
        self._write_side_by_side(due)

    def facts(self) -> None:
        """Writes the facts of the touched snapshots and days, and of coins whose versions moved."""
        due = []
        if self.is_new(schema.COIN_SNAPSHOTS):
            due.append(self._market_snapshots)
        if self._moved_coins or self.is_new(schema.COIN_PRICES):
            due.append(self._daily_prices)
        with runtime.compiled(self.spark):
            self._write_side_by_side(due)

    def aggregates_of_coins(self) -> None:
        """Writes what each coin has for itself: averages, trends, months and candles."""
        due = []
        if self.is_new(schema.COIN_PRICES) or self.is_new(schema.COIN_SNAPSHOTS):
            due.append(self._hourly_candles)
        if self._since is not None:
            due += [self._price_averages, self._market_trends, self._weekly_candles]
        if self._since is not None or self._context["rates"] is not None:
            due.append(self._coin_months)
        with runtime.compiled(self.spark):
            self._write_side_by_side(due)

    def aggregates_of_the_market(self) -> None:
        """Writes what is computed over all coins: the days of the market and the correlations."""
        due = []
        if self._since is not None or self._context["market"] is not None:
            due.append(self._market_days)
        if self._since is not None:
            due.append(self._correlations)
        self._write_side_by_side(due)

    def finish(self) -> None:
        """Writes the changed versions of coins and, last of all, how far gold has come."""
        if not self.has_changes:
            return
        if not self.is_first and self._changed_coins:
            of_changed_coins = F.col("coin_id").isin(*self._changed_coins)
            self._replace(schema.DIM_COIN, self._coins.where(of_changed_coins), of_changed_coins)
        read = self.versions | {schema.FACT_PRICE_DAILY.name: self._fact_version}
        self.written[schema.GOLD_PROGRESS.qualified_name] = delta.write_watermarks(
            self.lake.table(schema.GOLD_PROGRESS), read
        )

    # Dimensions

    def _all_coins(self) -> DataFrame:
        seen = star.coin_versions(star.sightings(self.read(schema.COIN_SNAPSHOTS)))
        charted = self.read(schema.COIN_PRICES).select("coin_id").distinct()
        unseen = charted.join(self.read(schema.COIN_SNAPSHOTS), "coin_id", "left_anti")
        return seen.union(star.inferred_coins(unseen, self.read(schema.COIN_LIST)))

    @cached_property
    def _changed_coins(self) -> dict[str, datetime | None]:
        """The coins whose versions must be worked out again: from which instant; None: without a snapshot.

        A snapshot shows something else than the version of its time, or shows that version earlier than it
        was known. Without a snapshot: a coin that only charts know is new, or the coin list names it anew.
        """
        news = any(map(self.is_new, (schema.COIN_SNAPSHOTS, schema.COIN_PRICES, schema.COIN_LIST)))
        if self.is_first or not news:
            return {}
        known = self.read(schema.DIM_COIN)
        seen = star.sightings(self._changes(schema.COIN_SNAPSHOTS, delta.newest_changed_rows))
        surprising = star.contradicting(seen, known).select("coin_id", "seen_at")
        charted = sorted({(coin_id,) for coin_id, _, _ in self._coin_days(schema.COIN_PRICES)})
        unknown = self.spark.createDataFrame(charted, "coin_id STRING").join(known, "coin_id", "left_anti")
        inferred = known.where("first_seen_at IS NULL").select("coin_id")
        renamed = inferred.join(self._changes(schema.COIN_LIST), "coin_id", "left_semi")
        rows = (
            surprising.union(unknown.union(renamed).withColumn("seen_at", F.lit(None)))
            .groupBy("coin_id")
            .agg(F.min("seen_at").alias("since"))
            .collect()
        )
        return {row["coin_id"]: row["since"] for row in rows}

    @cached_property
    def _coins(self) -> DataFrame:
        """dim_coin as it will be: the versions of changed coins worked out again, the others as they are."""
        stored = self.read(schema.DIM_COIN)
        if self.is_first or not self._changed_coins:
            return stored
        columns = "coin_id STRING, since TIMESTAMP"
        changed = F.broadcast(self.spark.createDataFrame(list(self._changed_coins.items()), columns))
        seen = (
            stored.join(changed, "coin_id")
            .where("first_seen_at < since")
            .select("coin_id", F.col("first_seen_at").alias("seen_at"), *star.ATTRIBUTES)
        )
        since = _earliest(*self._changed_coins.values())
        if since is not None:
            snapshots = self.read(schema.COIN_SNAPSHOTS).where(_from_instant("snapshot_at", since))
            seen = seen.union(star.sightings(snapshots.join(changed, "coin_id").where("snapshot_at >= since")))
        unseen = changed.where("since IS NULL").select("coin_id")
        return (
            stored.join(changed, "coin_id", "left_anti")
            .select(*schema.DIM_COIN.column_names)
            .union(star.coin_versions(seen))
            .union(star.inferred_coins(unseen, self.read(schema.COIN_LIST)))
        )

    @cached_property
    def _moved_coins(self) -> dict[str, datetime]:
        """The changed coins that have facts already, and the instant from which their facts' keys may move."""
        if self.is_first or not self._changed_coins:
            return {}
        known = (
            self.read(schema.DIM_COIN)
            .where(F.col("coin_id").isin(*self._changed_coins))
            .groupBy("coin_id")
            .agg(F.min("first_seen_at").alias("first_seen_at"))
            .collect()
        )
        moved = {}
        for coin_id, first_seen_at in known:
            since = self._changed_coins[coin_id]
            has_a_version_before = since and first_seen_at and first_seen_at < since
            moved[coin_id] = since if has_a_version_before else star.BEGINNING
        return moved

    def _extend_calendar(self) -> None:
        stored = self.read(schema.DIM_DATE).agg(F.min("date"), F.max("date")).first()
        known = [] if self.is_first or stored[0] is None else list(stored)
        reached = [*known, *self._days(schema.COIN_PRICES, schema.COIN_SNAPSHOTS)]
        if not reached or [min(reached), max(reached)] == known:
            return
        days = star.calendar(self.spark, min(reached), max(reached))
        if known:
            days = days.where(~F.col("date").between(*known))
        self._write(schema.DIM_DATE, days)

    # Facts

    def _market_snapshots(self) -> None:
        snapshots = self._changes(schema.COIN_SNAPSHOTS, delta.newest_changed_rows)
        first = _earliest(*self._days(schema.COIN_SNAPSHOTS))
        moved = [since for coin, since in self._changed_coins.items() if since and coin in self._moved_coins]
        if moved:
            first = _earliest(first, star.day(min(moved)))
            theirs = F.col("coin_id").isin(*self._moved_coins) & _from_instant("snapshot_at", min(moved))
            again = self.read(schema.COIN_SNAPSHOTS).where(theirs)
            snapshots = snapshots.union(again).dropDuplicates(list(schema.COIN_SNAPSHOTS.key))
        facts = star.market_snapshots(snapshots, self._coins)
        where = first and f"t.period >= '{first:%Y-%m}' AND t.snapshot_at >= '{first}'"
        self._write(schema.FACT_MARKET_SNAPSHOT, facts, where)

    def _daily_prices(self) -> None:
        prices, touched_days = self.read(schema.COIN_PRICES), self._days(schema.COIN_PRICES)
        first = _earliest(*touched_days)
        if not self.is_first:
            touched = self._frame_of(self._coin_days(schema.COIN_PRICES))
            prices = (
                prices.where(_of_days("observed_at", touched_days))
                .withColumn("date", star.day_of("observed_at"))
                .join(touched, [*COIN, "date"], "left_semi")
            )
        days = star.daily_prices(prices)
        if self._moved_coins:
            first = _earliest(first, *(star.day(since) for since in self._moved_coins.values()))
            theirs = F.col("coin_id").isin(*self._moved_coins) & (F.col("date") >= first)
            facts = self.read(schema.FACT_PRICE_DAILY).where(theirs)
            days = days.union(facts.join(touched, [*COIN, "date"], "left_anti").select(*days.columns))
        self._write(schema.FACT_PRICE_DAILY, star.keyed_days(days, self._coins), _from("date", first))

    @cached_property
    def _fact_version(self) -> int:
        """The version of fact_price_daily that the aggregates are made from."""
        return self.lake.table(schema.FACT_PRICE_DAILY).version()

    # Aggregates

    @cached_property
    def _changed_closes(self) -> list[tuple[str, str, date]]:
        """Coin, currency and first day of the complete days that are new or have other values."""
        since = self.progress[schema.FACT_PRICE_DAILY.name]
        if self._fact_version == since:
            return []
        feed = delta.changes_since(self.lake.table(schema.FACT_PRICE_DAILY), since)
        values = F.struct("open", "high", "low", "close", "samples", "market_cap", "is_complete")
        rows = (
            feed.groupBy(*schema.FACT_PRICE_DAILY.key)
            .agg(
                F.bool_or("is_complete").alias("is_complete"),
                F.bool_or(F.col("_change_type") == "insert").alias("is_new"),
                F.size(F.collect_set(values)).alias("states"),
            )
            .where("is_complete AND (is_new OR states > 1)")
            .groupBy(*COIN)
            .agg(F.min("date"))
            .collect()
        )
        return [tuple(row) for row in rows]

    @cached_property
    def _since(self) -> date | None:
        """The first complete day that is new or has other values; None: there is none."""
        if self.is_first:
            return BEGINNING
        return _earliest(*(first for _, _, first in self._changed_closes))

    @cached_property
    def _context(self) -> dict[str, date | None]:
        """The first complete day that news from the context reaches: `market`, the whole market and its mood;
        `rates`, the exchange rates."""
        market = self._days(schema.MARKET_TOTALS, schema.FEAR_GREED)
        first_rate = _earliest(*self._days(schema.FX_RATES))
        first = _earliest(first_rate, *market)
        if self.is_first or first is None:
            return {"market": None, "rates": None}
        known = self.read(schema.MARKET_DAILY).where(F.col("date") >= first).select("date").distinct()
        days = {row["date"] for row in known.collect()}
        return {
            "market": _earliest(*days.intersection(market)),
            "rates": _earliest(*(day for day in days if first_rate and day >= first_rate)),
        }

    def _closes(self, since: date, all_coins: bool = False) -> DataFrame:
        """The complete days from `since` on: of the coins whose closes changed, or of all coins."""
        days = self.read(schema.FACT_PRICE_DAILY).where("is_complete").where(F.col("date") >= since)
        if self.is_first or all_coins:
            return days
        changed = {(coin_id, vs_currency) for coin_id, vs_currency, _ in self._changed_closes}
        coins = self.spark.createDataFrame(sorted(changed), "coin_id STRING, vs_currency STRING")
        return days.join(F.broadcast(coins), list(COIN), "left_semi")

    def _price_averages(self) -> None:
        since = self._since
        averages = aggregates.price_averages(self._closes(_days_earlier(since, aggregates.LONGEST_WINDOW)))
        self._write(schema.PRICE_AVERAGES_DAILY, averages.where(F.col("date") >= since), _from("date", since))

    def _market_trends(self) -> None:
        since = self._since
        closes = aggregates.with_extremes(self._closes(BEGINNING))
        in_reach = closes.where(F.col("date") >= _days_earlier(since, aggregates.LONGEST_WINDOW))
        trends = aggregates.market_trends(in_reach).where(F.col("date") >= since)
        self._write(schema.MARKET_TRENDS_DAILY, trends, _from("date", since))

    def _coin_months(self) -> None:
        rates_since = self._context["rates"]
        since = _earliest(self._since, rates_since).replace(day=1)
        month_before = _days_earlier(since, 1).replace(day=1)
        closes = self._closes(month_before, all_coins=rates_since is not None)
        months = aggregates.coin_monthly(aggregates.converted(closes, self.read(schema.FX_RATES)))
        self._write(schema.COIN_MONTHLY, months.where(F.col("month") >= since), _from("month", since))

    def _weekly_candles(self) -> None:
        monday = _days_earlier(self._since, self._since.weekday())
        self._write(schema.CANDLE_WEEKLY, aggregates.candle_weekly(self._closes(monday)), _from("week", monday))

    def _hourly_candles(self) -> None:
        prices, snapshots = self.read(schema.COIN_PRICES), self.read(schema.COIN_SNAPSHOTS)
        if self.is_first:
            self._write(schema.CANDLE_HOURLY, aggregates.candle_hourly(prices, snapshots))
            return
        news = self._coin_days(schema.COIN_PRICES, schema.COIN_SNAPSHOTS)
        # The price at midnight closes the last candle of one day and opens the first of the next.
        touched = news | {(*coin, day + timedelta(days=1)) for *coin, day in news}
        days = sorted({day for _, _, day in touched})
        candles = (
            aggregates.candle_hourly(
                prices.where(_of_days("observed_at", days)), snapshots.where(_of_days("snapshot_at", days))
            )
            .withColumn("date", F.to_date("hour"))
            .join(self._frame_of(touched), [*COIN, "date"], "left_semi")
        )
        months = ", ".join(sorted({f"'{day:%Y-%m}'" for day in days}))
        self._write(schema.CANDLE_HOURLY, candles, f"t.period IN ({months}) AND t.hour >= '{days[0]}'")

    def _frame_of(self, coin_days: set[tuple[str, str, date]]) -> DataFrame:
        return self.spark.createDataFrame(sorted(coin_days), "coin_id STRING, vs_currency STRING, date DATE")

    def _market_days(self) -> None:
        since = _earliest(self._since, self._context["market"])
        trends = self.read(schema.MARKET_TRENDS_DAILY).where(F.col("date") >= since)
        totals = self.read(schema.MARKET_TOTALS).where(star.day_of("snapshot_at") >= since)
        moods = self.read(schema.FEAR_GREED).where(F.col("date") >= since)
        days = aggregates.market_daily(trends, totals, moods)
        self._write(schema.MARKET_DAILY, days, _from("date", since))

    def _correlations(self) -> None:
        table = schema.CORRELATION_90D
        stored = self.read(table).select(*table.column_names)
        returns = aggregates.returns_of_the_largest(self.read(schema.MARKET_TRENDS_DAILY))
        rows = aggregates.correlations(returns.collect())
        if rows != sorted(map(tuple, stored.collect())):
            self._replace(table, self.spark.createDataFrame(rows, stored.schema))

    # Writing

    def _write_side_by_side(self, writes: Iterable[Callable[[], None]]) -> None:
        """Does several writes at once: while one waits for its plan or its commit, another computes."""
        with ThreadPoolExecutor(max_workers=WRITERS) as pool:
            for done in [pool.submit(write) for write in writes]:
                done.result()

    def _write(self, table: Table, frame: DataFrame, where: str | None = None) -> None:
        """The whole table in the first build; else what differs, searched where `where` says (see storage)."""
        if self.is_first:
            self._replace(table, frame)
            return
        merged = self.lake.table(table).merge(frame, where=where)
        if merged.inserted or merged.updated:
            self.written[table.qualified_name] = merged

    def _replace(self, table: Table, frame: DataFrame, where: Column | None = None) -> None:
        """Puts `frame` in the place of all rows of the table, or of those that meet the condition `where`."""
        self.written[table.qualified_name] = self.lake.table(table).replace(frame, where)


def _day(table: Table) -> Column:
    """The day that a row of silver belongs to; NULL where rows have none."""
    if "date" in table.column_names:
        return F.col("date")
    instant = next((name for name in ("observed_at", "snapshot_at") if name in table.column_names), None)
    return star.day_of(instant) if instant else F.lit(None).cast("date")


def _of_days(instant: str, days: Iterable[date]) -> Column:
    """A condition of literals that keeps the files and rows of silver that can hold these days."""
    both_ends = {end for day in days for end in (day, day + timedelta(days=1))}
    if not both_ends:
        return F.lit(False)
    periods = sorted({f"{day:%Y-%m}" for day in both_ends} | {f"{day:%Y}" for day in both_ends})
    first, last = (datetime.combine(day, datetime.min.time()) for day in (min(both_ends), max(both_ends)))
    return F.col("period").isin(periods) & F.col(instant).between(first, last)


def _from_instant(instant: str, first: datetime) -> Column:
    """A condition of literals that keeps the files and rows of silver from this instant on."""
    return (F.col("period") >= f"{first:%Y-%m}") & (F.col(instant) >= first)


def _from(column: str, first: date | None) -> str | None:
    return None if first is None else f"t.{column} >= DATE'{first}'"


def _earliest(*moments):
    """The earliest of the moments that are known; None when none is."""
    return min((moment for moment in moments if moment is not None), default=None)


def _days_earlier(day: date, days: int) -> date:
    """The day so many days before, but never before all days."""
    return max(day - timedelta(days=days), BEGINNING)
