"""What a build of gold has to do: first from silver alone, then from the facts that it has written.

`plan` pins silver's versions and says which coins and days changed since the watermarks of the last build, by
Delta's Change Data Feed. `reach` says, once the facts are written, which coins' closes came out new, and since
when: that is what the aggregates are recomputed from. Both give plain data and write nothing.
"""

from dataclasses import replace
from datetime import date
from functools import partial, reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import delta, schema
from coinlake.gold import dimensions, facts, kinds
from coinlake.gold.days import COIN, FIRST_DAY, day_of, earliest
from coinlake.gold.inputs import NOTED, SOURCES, Change, Inputs, Plan, Reach
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table


@delta.explained()
def plan(lake: Lakehouse) -> Plan:
    """Everything that silver alone says about the next build."""
    held = delta.read_watermarks(lake.table(schema.GOLD_PROGRESS), map(lake.table, (*SOURCES, *NOTED)))
    pinned = Plan(versions=delta.versions(map(lake.table, SOURCES)), held=held)
    if not pinned.has_changes:
        return pinned
    # Where it cannot be known any more what changed since the last build, gold is computed whole.
    counted = delta.unless_gone(partial(_counted, lake, pinned)) or _counted(lake, replace(pinned, held={}))
    if counted.is_first:
        return counted
    inputs = Inputs(lake, counted)
    changed_coins = dimensions.changed_coins(inputs)
    market_since, rates_since = _context(inputs)
    return replace(
        counted,
        calendar=dimensions.days_of_calendar(inputs),
        changed_coins=changed_coins,
        moved_coins=dimensions.moved_coins(inputs, changed_coins),
        market_since=market_since,
        rates_since=rates_since,
    )


def whole(lake: Lakehouse) -> Plan:
    """The plan of a build that computes gold whole, from silver as it stands; to compare, not to write."""
    return _counted(lake, Plan(versions=delta.versions(map(lake.table, SOURCES)), held={}))


@delta.explained()
def reach(lake: Lakehouse, plan: Plan) -> Reach:
    """What the facts of this build changed; to be asked when they are written."""
    found = _changed_closes(lake, plan)
    known = kinds.stored_kinds(lake.table(schema.DIM_COIN))
    if found.since is None:
        return replace(found, kinds=known)
    closes = kinds.recent_closes(facts.complete_days(Inputs(lake, plan), found, FIRST_DAY, all_coins=True))
    now = kinds.kinds_of(closes.toPandas())
    changed = {coin_id for coin_id in known.keys() | now.keys() if known.get(coin_id) != now.get(coin_id)}
    return replace(found, kinds=now, changed_kinds=frozenset(changed))


def _changed_closes(lake: Lakehouse, plan: Plan) -> Reach:
    stored = lake.table(schema.FACT_PRICE_DAILY)
    version = stored.version()
    if plan.is_first:
        return Reach(version, since=FIRST_DAY)
    if not plan.has_changes:
        return Reach(version)
    closes = facts.changed_closes(stored, plan.held[schema.FACT_PRICE_DAILY.name], version)
    return Reach(version, earliest(*closes.values()), closes)


def _counted(lake: Lakehouse, pinned: Plan) -> Plan:
    """The plan with what is new in silver."""
    counted = replace(pinned, changes=_changes(Inputs(lake, pinned)))
    if not counted.is_first:
        # Asked again when the facts are written: what an interrupted build left must be known as well.
        _changed_closes(lake, counted)
    return counted


def _changes(inputs: Inputs) -> tuple[Change, ...]:
    """What is new in silver: one query over all tables that were written to."""
    frames = []
    for table in (table for table in SOURCES if inputs.plan.is_new(table)):
        by_coin = not inputs.plan.is_first and {*COIN} <= {*table.column_names}
        coin = [F.col(name) if by_coin else F.lit(None).cast("string").alias(name) for name in COIN]
        rows = inputs.changed_rows(table).select(
            F.lit(table.name).alias("table"), *coin, _day(table).alias("date")
        )
        frames.append(rows.groupBy("table", *COIN, "date").count())
    return tuple(Change(*row) for row in reduce(DataFrame.union, frames).collect())


def _day(table: Table) -> Column:
    """The day that a row of silver belongs to; NULL where rows have none."""
    if "date" in table.column_names:
        return F.col("date")
    instant = next((name for name in ("observed_at", "snapshot_at") if name in table.column_names), None)
    return day_of(instant) if instant else F.lit(None).cast("date")


def _context(inputs: Inputs) -> tuple[date | None, date | None]:
    """The first complete day that news from the context reaches: of the whole market and its mood, and of the
    exchange rates, which hold for the days after their own too."""
    market = inputs.plan.days(schema.MARKET_TOTALS, schema.FEAR_GREED)
    first_rate = earliest(*inputs.plan.days(schema.FX_RATES))
    first = earliest(first_rate, *market)
    if first is None:
        return None, None
    days = {row["date"] for row in inputs.lake.table(schema.MARKET_DAILY).collected() if row["date"] >= first}
    return earliest(*days.intersection(market)), earliest(*(d for d in days if first_rate and d >= first_rate))
