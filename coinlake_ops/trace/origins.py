"""What the rows of each table are made from: other rows, found by their keys.

Rows of silver name the answer that they come from, in the column `file`: nothing has to be declared for them. For
a table that is made from others, each origin is a table and a condition of Spark SQL over `made`, a row of the
table, and `source`, the rows that it is made from. Where a formula chooses among rows by what is in them (the last
answer of a day, the largest coins), all that it looks at is named, and `words` says what it chooses.
"""

from dataclasses import dataclass

from coinlake import schema
from coinlake.schema import Table


@dataclass(frozen=True)
class Origin:
    """Rows of `table` that meet the condition `on`, and in `words` what they are to the row."""

    table: Table
    words: str
    on: str


@dataclass(frozen=True)
class View:
    """A view of the warehouse: the columns that make a row unique, its origins, further columns that they need."""

    key: tuple[str, ...]
    origins: tuple[Origin, ...]
    also: tuple[str, ...] = ()


def same(*names: str) -> str:
    """The condition that made and source have the same values in these columns."""
    return " AND ".join(f"source.{name} = made.{name}" for name in names)


COIN = same("coin_id", "vs_currency")
# The day D of an instant is the interval (D 00:00, D+1 00:00].
DAY_OF_SNAPSHOT = "to_date(source.snapshot_at - INTERVAL 1 MICROSECOND)"
DAY_MADE = "to_date(made.{} - INTERVAL 1 MICROSECOND)"
OF_PAGES = "('record_high', 'entered', 'left')"
COMPLETE = f"{COIN} AND source.is_complete"

# The kind of a coin is a fact of the current state, by the closes of all coins over 90 days.
WHAT_COINS_ARE = Origin(schema.DIM_COIN, "what the coins are: free, pegged or copies", "source.is_current")
WHAT_IT_IS = Origin(
    schema.DIM_COIN,
    "what the coin is: free, pegged or a copy",
    "source.coin_id = made.coin_id AND source.is_current",
)

ORIGINS: dict[str, tuple[Origin, ...]] = {
    schema.COIN_LIST.name: (
        Origin(
            schema.RESPONSES,
            "the first list that names the coin",
            "source.endpoint = 'coins_list' AND source.fetched_at = made.first_listed_at",
        ),
    ),
    schema.DIM_COIN.name: (
        Origin(
            schema.COIN_SNAPSHOTS,
            "the first snapshots of this version and of the next",
            "source.coin_id = made.coin_id AND source.snapshot_at IN (made.first_seen_at, made.valid_to)",
        ),
        Origin(
            schema.COIN_LIST,
            "the list that names a coin which no snapshot shows",
            "source.coin_id = made.coin_id AND made.first_seen_at IS NULL",
        ),
        Origin(
            schema.COIN_PRICES,
            "the charts that know a coin which no snapshot shows",
            "source.coin_id = made.coin_id AND made.first_seen_at IS NULL",
        ),
    ),
    schema.FACT_MARKET_SNAPSHOT.name: (
        Origin(schema.COIN_SNAPSHOTS, "the snapshot", same("coin_id", "vs_currency", "snapshot_at")),
    ),
    schema.FACT_PRICE_DAILY.name: (
        Origin(
            schema.COIN_PRICES,
            "the prices from the start of the day, which opens it, to its end",
            f"{COIN} AND source.observed_at BETWEEN made.date AND date_add(made.date, 1)",
        ),
    ),
    schema.PRICE_AVERAGES_DAILY.name: (
        Origin(
            schema.FACT_PRICE_DAILY,
            "the closes of 200 days, and of the day before them for a crossing",
            f"{COMPLETE} AND source.date BETWEEN date_sub(made.date, 200) AND made.date",
        ),
    ),
    schema.MARKET_TRENDS_DAILY.name: (
        Origin(
            schema.FACT_PRICE_DAILY,
            "the coin's closes so far: index and drawdown look back to the first",
            f"{COMPLETE} AND source.date <= made.date",
        ),
    ),
    schema.MARKET_DAILY.name: (
        Origin(
            schema.MARKET_TRENDS_DAILY,
            "the coins of the day, and of the days before, over which the index is chained",
            f"{same('vs_currency')} AND source.date <= made.date",
        ),
        WHAT_COINS_ARE,
        Origin(
            schema.MARKET_TOTALS,
            "the whole market on that day, of which the last counts",
            f"{DAY_OF_SNAPSHOT} = made.date",
        ),
        Origin(schema.FEAR_GREED, "the mood of the day", same("date")),
    ),
    schema.COIN_MONTHLY.name: (
        Origin(
            schema.FACT_PRICE_DAILY,
            "the days of the month and of the month before, whose last close the return starts from",
            "source.coin_id = made.coin_id AND source.is_complete "
            "AND source.date BETWEEN add_months(made.month, -1) AND last_day(made.month)",
        ),
        Origin(
            schema.FX_RATES,
            "the rates into this currency, for days that are not quoted in it",
            "source.currency = made.vs_currency "
            "AND source.date BETWEEN date_sub(add_months(made.month, -1), 14) AND last_day(made.month)",
        ),
    ),
    schema.CORRELATION_90D.name: (
        Origin(
            schema.MARKET_TRENDS_DAILY,
            "the returns of both coins over 90 days; that they are among the largest, the caps of all coins say",
            "source.vs_currency = made.vs_currency AND source.coin_id IN (made.coin_a, made.coin_b) "
            "AND source.date > date_sub(made.date, 90) AND source.date <= made.date",
        ),
        WHAT_COINS_ARE,
    ),
    schema.CANDLE_HOURLY.name: (
        Origin(
            schema.COIN_PRICES,
            "the hourly prices at the start and at the end",
            f"{COIN} AND source.granularity = 'hourly' "
            "AND source.observed_at IN (made.hour, made.hour + INTERVAL 1 HOUR)",
        ),
        Origin(
            schema.COIN_SNAPSHOTS,
            "the snapshots within the hour",
            f"{COIN} AND source.snapshot_at > made.hour AND source.snapshot_at <= made.hour + INTERVAL 1 HOUR",
        ),
    ),
    schema.CANDLE_WEEKLY.name: (
        Origin(
            schema.FACT_PRICE_DAILY,
            "the complete days of the week",
            f"{COMPLETE} AND source.date BETWEEN made.week AND date_add(made.week, 6)",
        ),
    ),
    schema.MARKET_NOW.name: (
        Origin(
            schema.COIN_SNAPSHOTS,
            "the newest snapshot, and those of the two days before it for the change of its rank",
            f"{COIN} AND source.snapshot_at BETWEEN made.snapshot_at - INTERVAL 48 HOURS AND made.snapshot_at",
        ),
        Origin(
            schema.FACT_PRICE_DAILY,
            "the 30 days before, whose mean volume is the usual one",
            f"{COMPLETE} AND source.date BETWEEN date_sub({DAY_MADE.format('snapshot_at')}, 30) "
            f"AND date_sub({DAY_MADE.format('snapshot_at')}, 1)",
        ),
        WHAT_IT_IS,
    ),
    schema.MARKET_EVENTS.name: (
        Origin(
            schema.FACT_PRICE_DAILY,
            "of what a close shows, the closes of 200 days and of the day before them",
            f"made.kind NOT IN {OF_PAGES} AND {COMPLETE} AND source.date BETWEEN "
            f"date_sub({DAY_MADE.format('happened_at')}, 200) AND {DAY_MADE.format('happened_at')}",
        ),
        Origin(
            schema.COIN_SNAPSHOTS,
            "of what a page shows, the pages of that day and of the week before",
            f"made.kind IN {OF_PAGES} AND {same('vs_currency')} AND {DAY_OF_SNAPSHOT} BETWEEN "
            f"date_sub({DAY_MADE.format('happened_at')}, 7) AND {DAY_MADE.format('happened_at')}",
        ),
        WHAT_IT_IS,
    ),
    schema.PIPELINE_RUNS.name: (Origin(schema.RUN_STEPS, "the steps of the run", same("run_id")),),
    schema.API_USAGE.name: (
        Origin(
            schema.RESPONSES,
            "the requests of the day",
            f"{same('endpoint', 'source')} AND to_date(source.fetched_at) = made.date",
        ),
    ),
    schema.QUARANTINE_DAILY.name: (
        Origin(
            schema.QUARANTINE,
            "the records that break the rule",
            f"{same('table_name')} AND array_contains(source.reasons, made.reason) "
            "AND coalesce(to_date(source.fetched_at), DATE'1900-01-01') = made.date",
        ),
    ),
}

# Tables that no answer stands behind, and what does.
OWN: dict[str, str] = {
    schema.DIM_DATE.name: "the calendar, from the first to the last day that prices and snapshots reach",
    schema.DIM_CURRENCY.name: "the catalogue of currencies in the code, coinlake.currencies",
    schema.RUN_STEPS.name: "the record that the step wrote about itself, below steps/ of the lake",
    schema.FRESHNESS.name: "the table that it names, as it stood when the run counted it",
    schema.GOLD_PROGRESS.name: "the build of gold, which notes how far it has read",
}

_NAME_NOW = Origin(
    schema.DIM_COIN, "the coin's newest name", "source.coin_id = made.coin_id AND source.is_current"
)


def _of(table: Table, words: str) -> Origin:
    return Origin(table, words, same(*table.key))


VIEWS: dict[str, View] = {
    "calendar": View(("date",), (Origin(schema.DIM_DATE, "the day", same("date")),)),
    "coin": View(("coin_id",), (_NAME_NOW,)),
    "coin_day": View(
        ("coin_id", "vs_currency", "date"),
        (
            _of(schema.FACT_PRICE_DAILY, "its prices"),
            _of(schema.PRICE_AVERAGES_DAILY, "its averages"),
            _of(schema.MARKET_TRENDS_DAILY, "its returns and trend"),
            Origin(
                schema.DIM_COIN,
                "the coin's name at the close",
                "source.coin_id = made.coin_id AND date_add(made.date, 1) >= source.valid_from "
                "AND date_add(made.date, 1) < source.valid_to",
            ),
        ),
    ),
    "coin_event": View(schema.MARKET_EVENTS.key, (_of(schema.MARKET_EVENTS, "the event"), _NAME_NOW)),
    "coin_hour": View(schema.CANDLE_HOURLY.key, (_of(schema.CANDLE_HOURLY, "the candle"), _NAME_NOW)),
    "coin_month": View(schema.COIN_MONTHLY.key, (_of(schema.COIN_MONTHLY, "the month"), _NAME_NOW)),
    "coin_now": View(
        ("coin_id", "vs_currency"),
        (_of(schema.MARKET_NOW, "the row"), _of(schema.FACT_MARKET_SNAPSHOT, "the newest snapshot"), _NAME_NOW),
        also=("snapshot_at",),
    ),
    "coin_pair": View(
        schema.CORRELATION_90D.key,
        (
            _of(schema.CORRELATION_90D, "the pair"),
            Origin(
                schema.DIM_COIN,
                "the coins' newest names",
                "source.coin_id IN (made.coin_a, made.coin_b) AND source.is_current",
            ),
        ),
    ),
    "currency": View(
        ("vs_currency",), (Origin(schema.DIM_CURRENCY, "the currency", "source.currency = made.vs_currency"),)
    ),
    "market_day": View(("date", "vs_currency"), (_of(schema.MARKET_DAILY, "the day"),)),
    "run": View(("run_id",), (_of(schema.PIPELINE_RUNS, "the run"),)),
    "table_now": View(("table_name",), (_of(schema.FRESHNESS, "the table"),)),
}
