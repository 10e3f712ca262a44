"""Whether gold is what silver makes of it: each table against its formula, each key once, the watermarks right.

A table is computed whole from the tables that its formula reads, as they are stored: dimensions and facts from
silver, aggregates from the facts. If every table is what its formula makes of the tables below it, then gold is
what a build makes of silver.
"""

from collections.abc import Callable, Iterator
from functools import partial

from coinlake import delta, runtime, schema
from coinlake.errors import StorageError, brought_up_to_date_by, rebuilt_by
from coinlake.findings import Check
from coinlake.gold.averages import price_averages_daily_update
from coinlake.gold.candles import candle_hourly_update, candle_weekly_update
from coinlake.gold.correlation import correlation_90d_update
from coinlake.gold.dimensions import dim_coin_first, dim_currency_update, dim_date_update
from coinlake.gold.events import market_events_update
from coinlake.gold.facts import fact_market_snapshot_update, fact_price_daily_update
from coinlake.gold.inputs import SOURCES, Inputs
from coinlake.gold.market import market_daily_update
from coinlake.gold.monthly import coin_monthly_update
from coinlake.gold.now import market_now_update
from coinlake.gold.plan import reach as reach_of
from coinlake.gold.plan import whole
from coinlake.gold.trends import market_trends_daily_update
from coinlake.gold.update import Update
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table

LAYER = "gold"


def verify(lake: Lakehouse) -> list[Check]:
    """Compares gold with silver; writes nothing. One Spark job a table, and a few before them.

    Where gold has not taken in all of silver yet, that is the only finding: the next run does so.
    """
    mend = rebuilt_by(lake.path, schema.AGGREGATED)
    try:
        with delta.explained():
            watermarks = _watermarks(lake, mend)
            if not watermarks.is_ok:
                return [watermarks]
            inputs = Inputs(lake, whole(lake))
            reach = reach_of(lake, inputs.plan)
    except StorageError as problem:
        return [Check(LAYER, "tables against silver", 0, (str(problem),), mend)]
    formulas: tuple[tuple[Table, Callable[[], Update | None]], ...] = (
        (schema.DIM_DATE, partial(dim_date_update, inputs)),
        (schema.DIM_COIN, partial(dim_coin_first, inputs, reach.kinds)),
        (schema.DIM_CURRENCY, partial(dim_currency_update, inputs)),
        (schema.FACT_MARKET_SNAPSHOT, partial(fact_market_snapshot_update, inputs)),
        (schema.FACT_PRICE_DAILY, partial(fact_price_daily_update, inputs)),
        (schema.PRICE_AVERAGES_DAILY, partial(price_averages_daily_update, inputs, reach)),
        (schema.MARKET_TRENDS_DAILY, partial(market_trends_daily_update, inputs, reach)),
        (schema.COIN_MONTHLY, partial(coin_monthly_update, inputs, reach)),
        (schema.CANDLE_HOURLY, partial(candle_hourly_update, inputs)),
        (schema.CANDLE_WEEKLY, partial(candle_weekly_update, inputs, reach)),
        (schema.MARKET_DAILY, partial(market_daily_update, inputs, reach)),
        (schema.CORRELATION_90D, partial(correlation_90d_update, inputs, reach)),
        (schema.MARKET_NOW, partial(market_now_update, inputs, reach)),
        (schema.MARKET_EVENTS, partial(market_events_update, inputs, reach)),
    )
    with runtime.compiled(lake.spark):
        return [watermarks, *(_checked(lake, table, formula, mend) for table, formula in formulas)]


def _checked(lake: Lakehouse, table: Table, formula: Callable[[], Update | None], mend: str) -> Check:
    stored = lake.table(table)
    try:
        with delta.explained():
            update = formula()
            # No update is due where the table is computed to be what it is.
            expected = stored.read() if update is None else update.rows
    except StorageError as problem:
        return Check(LAYER, f"{table.name} against its formula", 0, (str(problem),), mend)
    return delta.checked(stored, expected, layer=LAYER, against="its formula", mend=mend)


def _watermarks(lake: Lakehouse, mend: str) -> Check:
    """The versions that gold has read, against the tables as they are."""
    read = [lake.table(table) for table in (*SOURCES, schema.FACT_PRICE_DAILY)]
    noted = {row["table_name"]: row for row in lake.table(schema.GOLD_PROGRESS).read().collect()}

    def faults() -> Iterator[tuple[str, str]]:
        for stored in read:
            name, version = stored.table.name, stored.version()
            mark = noted.get(name)
            if mark is None:
                yield f"{name} was never read", run
            elif mark["table_id"] not in (None, stored.id()):
                yield f"{name} was made anew since it was read", run
            elif mark["version"] > version:
                yield f"{name} is at version {version}, and was read up to {mark['version']}", mend
            elif mark["version"] < version:
                yield f"{name} is at version {version}, and was read up to {mark['version']} only", run

    run = brought_up_to_date_by(lake.path)
    found = list(faults())
    remedies = list(dict.fromkeys(remedy for _, remedy in found))
    return Check(
        LAYER,
        "watermarks against silver's versions",
        len(read),
        tuple(problem for problem, _ in found),
        mend if mend in remedies else run,
    )
