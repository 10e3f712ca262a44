"""Builds gold from what changed in silver: incremental, idempotent, and the one place that writes gold's tables.

Gold is a function of silver. The first build computes it whole and overwrites what is there. Every later one
reads the Change Data Feed of silver from the watermarks in `gold_progress` to the versions that its plan pins,
recomputes the coins and days that the changes touch, with the windows that reach them, and upserts what differs.
What is due for a table, and how far a change reaches there, stands beside the table's formula, in a function
`<table>_update`; here stands in which order. The watermarks are written last: a build that was interrupted is
simply done again, and ends with the same rows.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from coinlake import delta, runtime, schema
from coinlake.delta import Merged
from coinlake.gold.averages import price_averages_daily_update
from coinlake.gold.candles import candle_hourly_update, candle_weekly_update
from coinlake.gold.correlation import correlation_90d_update
from coinlake.gold.dimensions import dim_coin_first, dim_coin_update, dim_currency_update, dim_date_update
from coinlake.gold.events import market_events_update
from coinlake.gold.facts import fact_market_snapshot_update, fact_price_daily_update
from coinlake.gold.inputs import SOURCES, Inputs, Plan, Reach
from coinlake.gold.market import market_daily_update
from coinlake.gold.monthly import coin_monthly_update
from coinlake.gold.now import market_now_update
from coinlake.gold.plan import plan as plan_of
from coinlake.gold.plan import reach as reach_of
from coinlake.gold.trends import market_trends_daily_update
from coinlake.gold.update import Update
from coinlake.lakehouse import Lakehouse

WRITERS = 3


@delta.explained()
def build(lake: Lakehouse) -> dict[str, Merged]:
    """Brings gold up to date with silver; returns what was written, by schema and name of the table.

    Nothing changed in silver: nothing is computed, nothing is written, and the result is empty.
    """
    plan = plan_of(lake)
    written = write_star(lake, plan)
    reach = reach_of(lake, plan)
    written |= write_aggregates_of_coins(lake, plan, reach)
    written |= write_aggregates_of_the_market(lake, plan, reach)
    return written | finish(lake, plan, reach)


@delta.explained()
def write_star(lake: Lakehouse, plan: Plan) -> dict[str, Merged]:
    """Writes the dimensions that the facts point to, then the facts.

    After the first build the new versions of coins are only worked out here and written by `finish`:
    if the build is interrupted, the next one must find the same coins changed.
    """
    inputs = Inputs(lake, plan)
    written = _write_side_by_side(
        inputs,
        partial(dim_date_update, inputs),
        partial(dim_coin_first, inputs),
        partial(dim_currency_update, inputs),
    )
    with runtime.compiled(lake.spark):
        return written | _write_side_by_side(
            inputs,
            partial(fact_market_snapshot_update, inputs),
            partial(fact_price_daily_update, inputs),
        )


@delta.explained()
def write_aggregates_of_coins(lake: Lakehouse, plan: Plan, reach: Reach) -> dict[str, Merged]:
    """Writes what each coin has for itself: averages, trends, months and candles."""
    inputs = Inputs(lake, plan)
    with runtime.compiled(lake.spark):
        return _write_side_by_side(
            inputs,
            partial(candle_hourly_update, inputs),
            partial(price_averages_daily_update, inputs, reach),
            partial(market_trends_daily_update, inputs, reach),
            partial(candle_weekly_update, inputs, reach),
            partial(coin_monthly_update, inputs, reach),
        )


@delta.explained()
def write_aggregates_of_the_market(lake: Lakehouse, plan: Plan, reach: Reach) -> dict[str, Merged]:
    """Writes what is computed over all coins: days of the market, correlations, what is now, and events."""
    inputs = Inputs(lake, plan)
    return _write_side_by_side(
        inputs,
        partial(market_daily_update, inputs, reach),
        partial(correlation_90d_update, inputs, reach),
        partial(market_now_update, inputs, reach),
        partial(market_events_update, inputs, reach),
    )


@delta.explained()
def finish(lake: Lakehouse, plan: Plan, reach: Reach) -> dict[str, Merged]:
    """Writes the changed versions and kinds of coins and, last of all, the watermarks: how far gold has come."""
    if not plan.has_changes:
        return {}
    inputs = Inputs(lake, plan)
    written = _write_side_by_side(inputs, partial(dim_coin_update, inputs, reach))
    read = [(lake.table(table), plan.versions[table.name]) for table in SOURCES]
    read.append((lake.table(schema.FACT_PRICE_DAILY), reach.fact_version))
    read += [(stored, stored.version()) for stored in map(lake.table, (schema.MARKET_NOW, schema.MARKET_EVENTS))]
    watermarks = lake.table(schema.GOLD_PROGRESS)
    return written | {schema.GOLD_PROGRESS.qualified_name: delta.write_watermarks(watermarks, read)}


def _write_side_by_side(inputs: Inputs, *updates: Callable[[], Update | None]) -> dict[str, Merged]:
    """Writes several tables at once: while one waits for its plan or its commit, another computes."""

    def write(update_of: Callable[[], Update | None]) -> dict[str, Merged]:
        update = update_of()
        return {} if update is None else _write(inputs, update)

    written: dict[str, Merged] = {}
    with ThreadPoolExecutor(max_workers=WRITERS) as pool:
        for done in pool.map(write, updates):
            written |= done
    return written


def _write(inputs: Inputs, update: Update) -> dict[str, Merged]:
    """Writes one table; empty when an upsert found nothing that differs."""
    stored = inputs.lake.table(update.table)
    if inputs.plan.is_first or update.is_whole:
        done = stored.replace(update.rows)
    elif update.replaces is not None:
        done = stored.replace(update.rows, update.replaces)
    else:
        done = stored.merge(update.rows, where=update.where)
        if not done.inserted and not done.updated:
            return {}
    return {update.table.qualified_name: done}
