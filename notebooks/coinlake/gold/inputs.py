"""What one build of gold knows and reads: its plan, its reach, and silver at the versions that the plan pins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from pyspark.sql import DataFrame

from coinlake import delta, schema
from coinlake.gold.days import FIRST_DAY
from coinlake.gold.kinds import Kinds
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
# What gold notes of itself beside: the facts, whose changes the aggregates follow, and the tables that the newest
# release added, which a lake of an older one lacks.
NOTED = (schema.FACT_PRICE_DAILY, schema.MARKET_NOW, schema.MARKET_EVENTS)


class Change(NamedTuple):
    """Rows of a silver table that are new or differ, of one day, and of one coin and currency where known."""

    table: str
    coin_id: str | None
    vs_currency: str | None
    date: date | None
    rows: int


@dataclass(frozen=True)
class Plan:
    """What one build is about, worked out before anything is written; plain data. Made by `coinlake.gold.plan`.

    versions       silver's Delta versions that this build reads, by table: pinned, whatever is written meanwhile
    held           gold's watermarks: the versions that gold held before
    changes        what is new in silver between the two, counted by table and day, and after the first build by
                   coin and currency too
    calendar       first and last day of dim_date; None in the first build or when it is empty
    changed_coins  coins whose versions in dim_coin must be worked out again, and from which instant; None: the
                   coin has no snapshot
    moved_coins    those of them that have facts, and the instant from which their facts' keys may move
    market_since   first complete day that news of the whole market and its mood reaches; None: there is none
    rates_since    first complete day that new exchange rates reach; None: there is none

    In the first build, which computes gold whole, the last five are empty.
    """

    versions: Mapping[str, int]
    held: Mapping[str, int]
    changes: tuple[Change, ...] = ()
    calendar: tuple[date, date] | None = None
    changed_coins: Mapping[str, datetime | None] = field(default_factory=dict)
    moved_coins: Mapping[str, datetime] = field(default_factory=dict)
    market_since: date | None = None
    rates_since: date | None = None

    @property
    def is_first(self) -> bool:
        """Whether gold is computed whole: it has not read, or not written, every table before."""
        return not self.held.keys() >= {*self.versions, *(table.name for table in NOTED)}

    @property
    def has_changes(self) -> bool:
        """Whether silver holds anything that gold does not."""
        return any(self.is_new(table) for table in SOURCES)

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each silver table are new or differ."""
        return {table.name: sum(row.rows for row in self.changes if row.table == table.name) for table in SOURCES}

    def is_new(self, table: Table) -> bool:
        """Whether the silver table was written to since the last build."""
        return self.is_first or self.versions[table.name] > self.held[table.name]

    def days(self, *of: Table) -> list[date]:
        """The days with something new in these tables, in order."""
        names = {table.name for table in of}
        return sorted({row.date for row in self.changes if row.table in names and row.date is not None})

    def coin_days(self, *of: Table) -> set[tuple[str, str, date]]:
        """Coin, currency and day of what is new in these tables: none in the first build."""
        names = {table.name for table in of}
        return {
            (row.coin_id, row.vs_currency, row.date)
            for row in self.changes
            if row.table in names
            and row.coin_id is not None
            and row.vs_currency is not None
            and row.date is not None
        }


@dataclass(frozen=True)
class Reach:
    """How far the facts that a build wrote reach into the aggregates; plain data. Made by `coinlake.gold.reach`.

    fact_version   the Delta version of fact_price_daily that the aggregates are made from
    since          the first complete day that is new or has other values, of any coin; None: there is none
    closes         the same for each coin and currency that has one; empty in the first build, which takes all
    kinds          the coins that are pegged or copies now, by coin_id; all others are free
    changed_kinds  the coins that dim_coin has as something else: what counts free coins is computed whole for them
    """

    fact_version: int
    since: date | None = None
    closes: Mapping[tuple[str, str], date] = field(default_factory=dict)
    kinds: Kinds = field(default_factory=dict)
    changed_kinds: frozenset[str] = frozenset()

    @property
    def since_of_kinds(self) -> date | None:
        """The first day that is new in what depends on the kinds of coins."""
        return FIRST_DAY if self.changed_kinds else self.since


@dataclass(frozen=True)
class Inputs:
    """The tables of a lake as the build with this plan reads them."""

    lake: Lakehouse
    plan: Plan

    def read(self, table: Table) -> DataFrame:
        """The table's rows: silver's at the pinned version, gold's as they stand."""
        return self.lake.table(table).read(self.plan.versions.get(table.name))

    def changed_rows(self, table: Table) -> DataFrame:
        """The rows of a silver table that are new or differ since the last build, as each commit left them."""
        return self._changes(table, delta.changed_rows)

    def newest_changed_rows(self, table: Table) -> DataFrame:
        """The rows of a silver table that are new or differ since the last build, once each."""
        return self._changes(table, delta.newest_changed_rows)

    def _changes(self, table: Table, of_feed: Callable[..., DataFrame]) -> DataFrame:
        if self.plan.is_first:
            return self.read(table)
        if not self.plan.is_new(table):
            return self.read(table).where("false")
        return of_feed(self.lake.table(table), self.plan.held[table.name], self.plan.versions[table.name])
