"""Every table of the lakehouse: its columns, types, units, keys and the rules that Delta itself enforces.

This is the only place where a table is described.
The Delta tables are created from it, the warehouse is checked against it, and so are the notebooks.

Units: prices, market caps and volumes are in the row's `vs_currency`; instants are UTC;
silver `…_percentage` columns hold per cent as CoinGecko sends them (5.0 is +5 %);
gold returns, shares, volatilities and drawdowns are fractions (0.05 is +5 %).
"""

from dataclasses import dataclass, field

RAW = "raw_data"
CLEANED = "cleaned_data"
AGGREGATED = "aggregated_data"
SCHEMAS = {
    RAW: "Bronze: what the API answered, byte for byte, and the log of every request.",
    CLEANED: "Silver: typed, checked, one row per natural key.",
    AGGREGATED: "Gold: the star schema, the aggregates that reports read, and the pipeline's own records.",
}


@dataclass(frozen=True)
class Column:
    """One column: its Spark SQL type, what it means (with the unit), and whether it may be NULL."""

    name: str
    type: str
    comment: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One Delta table: where it stands, its columns, the key that makes a row unique, and its rules.

    `checks` maps the name of a Delta CHECK constraint to its SQL condition;
    `partition` names the partition column of tables that every run writes to: it rewrites the newest only;
    `rank` orders rows with the same key when pages overlap: the greatest wins, whatever arrives first.
    """

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    checks: dict[str, str] = field(default_factory=dict)
    partition: str | None = None
    rank: tuple[str, ...] = ()

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def qualified(self, catalog: str) -> str:
        """The full name of the table: catalog.schema.table."""
        return f"{catalog}.{self.schema}.{self.name}"


def _required(name: str, type: str, comment: str) -> Column:
    return Column(name, type, comment, required=True)


def _settles(instant: str, days: int) -> tuple[str, ...]:
    """The rank of a value that one response after the other repeats.

    Younger than `days` it may still be revised: the latest response wins. Older than that it has settled: the
    first response that has it so wins, and the next ones need not write it again.
    """
    settled = f"{instant} < fetched_at - INTERVAL {days} DAYS"
    return (settled, f"IF({settled}, -1, 1) * unix_micros(fetched_at)", "file")


COIN_ID = _required("coin_id", "STRING", "CoinGecko's id of the coin, for example bitcoin")
VS_CURRENCY = _required("vs_currency", "STRING", "currency of prices, caps and volumes, for example usd")
FILE = Column("file", "STRING", "raw response that this row comes from: path below landing/")
FETCHED_AT = _required("fetched_at", "TIMESTAMP", "UTC instant at which the raw response arrived")
DATE = _required("date", "DATE", "UTC day: the interval (date 00:00, next day 00:00]")
SNAPSHOT_AT = _required("snapshot_at", "TIMESTAMP", "UTC instant at which the response arrived")
COIN_KEY = _required("coin_key", "BIGINT", "version of the coin that was valid then: dim_coin.coin_key")
CURRENCY_KEY = _required("currency_key", "INT", "dim_currency.currency_key")
DATE_KEY = _required("date_key", "INT", "dim_date.date_key, yyyymmdd")
PERIOD = _required("period", "STRING", "partition: year and month, yyyy-MM")

RESPONSES = Table(
    RAW,
    "responses",
    "One row per request attempt: the log of bronze. landing_meta/ as a table.",
    (
        _required("landing_run", "STRING", "ingestion run, as in the folder name run=…"),
        _required("endpoint", "STRING", "endpoint, as in the folder name endpoint=…"),
        _required("page", "INT", "page or request number within the run, from 1"),
        _required("attempt", "INT", "attempt at this page, from 1"),
        _required("method", "STRING", "HTTP method"),
        _required("url", "STRING", "address asked, without any key"),
        _required("status", "INT", "HTTP status; 0 when no answer came"),
        _required("fetched_at", "TIMESTAMP", "UTC instant at which the answer was complete"),
        _required("elapsed_ms", "BIGINT", "milliseconds from request to answer"),
        Column("headers", "STRING", "allow-listed response headers, JSON object"),
        Column("file", "STRING", "body: path below landing/, or below landing_errors/ when outcome is error"),
        Column("bytes", "BIGINT", "size of the body in bytes"),
        Column("sha256", "STRING", "SHA-256 of the body, hex"),
        _required("outcome", "STRING", "landed: the body is data; error: it is not"),
        Column("error", "STRING", "what was wrong, when outcome is error"),
        _required("source", "STRING", "who answered: simulated, live or replay"),
    ),
    key=("landing_run", "endpoint", "page", "attempt"),
    checks={"outcome_known": "outcome IN ('landed', 'error')"},
)

COIN_SNAPSHOTS = Table(
    CLEANED,
    "coin_snapshots",
    "What /coins/markets said of a coin at one instant.",
    (
        COIN_ID,
        VS_CURRENCY,
        SNAPSHOT_AT,
        PERIOD,
        Column("symbol", "STRING", "ticker symbol in lower case; not unique"),
        Column("name", "STRING", "name of the coin"),
        _required("price", "DOUBLE", "last price"),
        Column("market_cap", "DOUBLE", "market capitalisation; 0 means unknown and is stored as NULL"),
        Column("market_cap_rank", "INT", "rank by market cap; ranks repeat and have gaps"),
        Column("fully_diluted_valuation", "DOUBLE", "price times maximum supply"),
        Column("total_volume", "DOUBLE", "traded in the last 24 hours"),
        Column("high_24h", "DOUBLE", "highest price of the last 24 hours"),
        Column("low_24h", "DOUBLE", "lowest price of the last 24 hours"),
        Column("price_change_24h", "DOUBLE", "price change over 24 hours"),
        Column("price_change_percentage_1h", "DOUBLE", "price change over 1 hour, per cent"),
        Column("price_change_percentage_24h", "DOUBLE", "price change over 24 hours, per cent"),
        Column("price_change_percentage_7d", "DOUBLE", "price change over 7 days, per cent"),
        Column("price_change_percentage_30d", "DOUBLE", "price change over 30 days, per cent"),
        Column("market_cap_change_24h", "DOUBLE", "market cap change over 24 hours"),
        Column("market_cap_change_percentage_24h", "DOUBLE", "market cap change over 24 hours, per cent"),
        Column("circulating_supply", "DOUBLE", "coins in circulation"),
        Column("total_supply", "DOUBLE", "coins that exist"),
        Column("max_supply", "DOUBLE", "coins that can ever exist; NULL when there is no limit"),
        Column("ath", "DOUBLE", "all-time high price"),
        Column("ath_change_percentage", "DOUBLE", "price against the all-time high, per cent"),
        Column("ath_date", "TIMESTAMP", "UTC instant of the all-time high"),
        Column("atl", "DOUBLE", "all-time low price"),
        Column("atl_change_percentage", "DOUBLE", "price against the all-time low, per cent"),
        Column("atl_date", "TIMESTAMP", "UTC instant of the all-time low"),
        Column("last_updated", "TIMESTAMP", "UTC instant of the coin's last trade known to CoinGecko"),
        Column("warnings", "ARRAY<STRING>", "names of the rules of severity warn that the row breaks, sorted"),
        Column("rescued", "STRING", "fields that the schema does not know or could not read, JSON object"),
        FILE,
    ),
    key=("coin_id", "vs_currency", "snapshot_at"),
    checks={"price_not_negative": "price >= 0", "market_cap_known": "market_cap IS NULL OR market_cap > 0"},
    partition="period",
    rank=("last_updated", "file"),
)

COIN_PRICES = Table(
    CLEANED,
    "coin_prices",
    "Prices on the hour and at the end of the day, from charts and from seven-day sparklines.",
    (
        COIN_ID,
        VS_CURRENCY,
        _required(
            "observed_at",
            "TIMESTAMP",
            "UTC hour (hourly), or the 00:00 that ends the day (daily), of the price",
        ),
        _required("granularity", "STRING", "hourly or daily"),
        _required("period", "STRING", "partition: yyyy-MM of an hourly price, yyyy of a daily one"),
        _required("price", "DOUBLE", "price"),
        Column("market_cap", "DOUBLE", "market capitalisation; 0 means unknown and is stored as NULL"),
        Column("total_volume", "DOUBLE", "traded in the 24 hours before; a real 0 stays 0"),
        _required("source", "STRING", "market_chart or sparkline; a chart outranks a sparkline"),
        FETCHED_AT,
        FILE,
    ),
    key=("coin_id", "vs_currency", "observed_at", "granularity"),
    checks={
        "price_not_negative": "price >= 0",
        "granularity_known": "granularity IN ('hourly', 'daily')",
        "source_known": "source IN ('market_chart', 'sparkline')",
    },
    partition="period",
    # In recorded pages a week of hours is repeated by the hour: none older than 14 hours ever changed.
    rank=("source = 'market_chart'", *_settles("observed_at", days=1)),
)

MARKET_TOTALS = Table(
    CLEANED,
    "market_totals",
    "The whole market at one instant, from /global.",
    (
        SNAPSHOT_AT,
        Column("updated_at", "TIMESTAMP", "UTC instant of CoinGecko's own calculation"),
        Column("active_cryptocurrencies", "INT", "coins that trade"),
        Column("markets", "INT", "exchanges"),
        _required("total_market_cap", "MAP<STRING, DOUBLE>", "total market cap by currency"),
        _required("total_volume", "MAP<STRING, DOUBLE>", "24-hour volume by currency"),
        _required(
            "market_cap_percentage", "MAP<STRING, DOUBLE>", "share of the largest coins by symbol, per cent"
        ),
        Column(
            "market_cap_change_percentage_24h_usd",
            "DOUBLE",
            "total market cap change over 24 hours, per cent",
        ),
        Column("rescued", "STRING", "fields that the schema does not know or could not read, JSON object"),
        FILE,
    ),
    key=("snapshot_at",),
    rank=("updated_at", "file"),
)

COIN_LIST = Table(
    CLEANED,
    "coin_list",
    "Every coin that /coins/list has ever named, and when.",
    (
        COIN_ID,
        Column("symbol", "STRING", "ticker symbol in the newest list; may be empty; not unique"),
        Column("name", "STRING", "name in the newest list"),
        _required("first_listed_at", "TIMESTAMP", "UTC instant of the first list that names the coin"),
        _required("last_listed_at", "TIMESTAMP", "UTC instant of the newest list that names the coin"),
        FILE,
    ),
    key=("coin_id",),
    rank=("last_listed_at", "file"),
)

FEAR_GREED = Table(
    CLEANED,
    "fear_greed",
    "The Crypto Fear & Greed Index of alternative.me, one value a day.",
    (
        _required("date", "DATE", "UTC day that the value stands for"),
        _required("value", "INT", "0 (extreme fear) to 100 (extreme greed)"),
        _required("classification", "STRING", "the label that was sent; the bands have moved over the years"),
        FETCHED_AT,
        FILE,
    ),
    key=("date",),
    checks={"value_in_range": "value BETWEEN 0 AND 100"},
    rank=_settles("date", days=2),
)

FX_RATES = Table(
    CLEANED,
    "fx_rates",
    "Reference rates of the European Central Bank from Frankfurter; business days only.",
    (
        _required("date", "DATE", "business day of the rate"),
        _required("base_currency", "STRING", "currency that one unit is given of, lower case"),
        _required("currency", "STRING", "currency that the rate is expressed in, lower case"),
        _required("rate", "DOUBLE", "units of currency for one unit of base_currency"),
        FETCHED_AT,
        FILE,
    ),
    key=("date", "base_currency", "currency"),
    checks={"rate_positive": "rate > 0"},
    rank=_settles("date", days=2),
)

WEATHER_DAILY = Table(
    CLEANED,
    "weather_daily",
    "Daily weather of one place from Open-Meteo: context that should not move a market.",
    (
        _required("latitude", "DOUBLE", "degrees north, as the weather model's grid has it"),
        _required("longitude", "DOUBLE", "degrees east, as the weather model's grid has it"),
        _required("date", "DATE", "local day at the place"),
        Column("timezone", "STRING", "time zone of the day"),
        Column("temperature_2m_max", "DOUBLE", "highest temperature, degrees Celsius"),
        Column("temperature_2m_min", "DOUBLE", "lowest temperature, degrees Celsius"),
        Column("precipitation_sum", "DOUBLE", "rain and snow, millimetres"),
        Column("wind_speed_10m_max", "DOUBLE", "strongest wind, kilometres an hour"),
        Column("weather_code", "INT", "WMO weather code"),
        FETCHED_AT,
        FILE,
    ),
    key=("latitude", "longitude", "date"),
    # The newest days of the archive are revised for about a week.
    rank=_settles("date", days=10),
)

QUARANTINE = Table(
    CLEANED,
    "quarantine",
    "What came but could not be believed: the raw record, and why. Nothing is lost in silence.",
    (
        _required("quarantine_id", "STRING", "SHA-256 of table, file and record, hex"),
        _required("table_name", "STRING", "silver table that the record was meant for"),
        _required("endpoint", "STRING", "endpoint that it came from"),
        _required("file", "STRING", "raw response: path below landing/"),
        Column("landing_run", "STRING", "ingestion run, as in the folder name run=…"),
        Column("fetched_at", "TIMESTAMP", "UTC instant at which the raw response arrived; NULL when not known"),
        _required("reasons", "ARRAY<STRING>", "names of the rules that the record breaks, sorted"),
        Column("record", "STRING", "the record as it came, JSON text; the whole body when that is not JSON"),
        _required("copies", "INT", "how often the same record stands in the file"),
        Column(
            "replayed_at",
            "TIMESTAMP",
            "UTC instant of the response log that let it pass after all; NULL before",
        ),
    ),
    key=("quarantine_id",),
)

DIM_COIN = Table(
    AGGREGATED,
    "dim_coin",
    "Coins as they were known over time: a slowly changing dimension of type 2.",
    (
        COIN_KEY,
        COIN_ID,
        Column("symbol", "STRING", "ticker symbol in upper case; not unique"),
        _required("name", "STRING", "name; the id when no page has named the coin yet"),
        Column("max_supply", "DOUBLE", "coins that can ever exist; NULL when there is no limit"),
        _required(
            "valid_from", "TIMESTAMP", "first UTC instant of this version; 1900-01-01 for the first one known"
        ),
        _required("valid_to", "TIMESTAMP", "first UTC instant after this version; 9999-12-31 for the current one"),
        _required("is_current", "BOOLEAN", "true for the newest version"),
        Column(
            "first_seen_at",
            "TIMESTAMP",
            "UTC instant of the first snapshot that shows this version; NULL while only charts know the coin",
        ),
    ),
    key=("coin_key",),
    checks={"interval_runs_forward": "valid_from < valid_to"},
)

DIM_DATE = Table(
    AGGREGATED,
    "dim_date",
    "One row per calendar day that the facts reach.",
    (
        DATE_KEY,
        _required("date", "DATE", "the day"),
        _required("year", "INT", "year"),
        _required("quarter", "INT", "quarter, 1 to 4"),
        _required("month", "INT", "month, 1 to 12"),
        _required("month_name", "STRING", "English name of the month"),
        _required("iso_week", "INT", "ISO 8601 week, 1 to 53"),
        _required("day_of_week", "INT", "ISO day of the week: 1 is Monday"),
        _required("day_name", "STRING", "English name of the day"),
        _required("is_weekend", "BOOLEAN", "true on Saturday and Sunday"),
    ),
    key=("date_key",),
)

DIM_CURRENCY = Table(
    AGGREGATED,
    "dim_currency",
    "Currencies that prices are quoted in.",
    (
        CURRENCY_KEY,
        _required("currency", "STRING", "code in lower case, as CoinGecko's vs_currency"),
        _required("name", "STRING", "English name"),
        _required("kind", "STRING", "fiat, crypto or commodity"),
    ),
    key=("currency_key",),
)

FACT_MARKET_SNAPSHOT = Table(
    AGGREGATED,
    "fact_market_snapshot",
    "One row per coin, currency and instant: coin_snapshots with keys to the dimensions.",
    (
        COIN_ID,
        VS_CURRENCY,
        SNAPSHOT_AT,
        PERIOD,
        COIN_KEY,
        CURRENCY_KEY,
        DATE_KEY,
        _required("price", "DOUBLE", "last price"),
        Column("market_cap", "DOUBLE", "market capitalisation"),
        Column("market_cap_rank", "INT", "rank by market cap; ranks repeat and have gaps"),
        Column("total_volume", "DOUBLE", "traded in the last 24 hours"),
        Column("high_24h", "DOUBLE", "highest price of the last 24 hours"),
        Column("low_24h", "DOUBLE", "lowest price of the last 24 hours"),
        Column("return_1h", "DOUBLE", "return over 1 hour, fraction, as CoinGecko states it"),
        Column("return_24h", "DOUBLE", "return over 24 hours, fraction, as CoinGecko states it"),
        Column("return_7d", "DOUBLE", "return over 7 days, fraction, as CoinGecko states it"),
        Column("return_30d", "DOUBLE", "return over 30 days, fraction, as CoinGecko states it"),
        Column("circulating_supply", "DOUBLE", "coins in circulation"),
        FILE,
    ),
    key=("coin_id", "vs_currency", "snapshot_at"),
    partition="period",
)

_OPEN = _required("open", "DOUBLE", "first price of the interval")
_HIGH = _required("high", "DOUBLE", "highest price of the interval")
_LOW = _required("low", "DOUBLE", "lowest price of the interval")
_CLOSE = _required("close", "DOUBLE", "last price of the interval")
_SAMPLES = _required("samples", "INT", "number of prices behind the row")

FACT_PRICE_DAILY = Table(
    AGGREGATED,
    "fact_price_daily",
    "One row per coin, currency and UTC day.",
    (
        COIN_ID,
        VS_CURRENCY,
        DATE,
        PERIOD,
        COIN_KEY,
        CURRENCY_KEY,
        DATE_KEY,
        _OPEN,
        _HIGH,
        _LOW,
        _CLOSE,
        _required("average", "DOUBLE", "mean of the day's prices"),
        _SAMPLES,
        Column("market_cap", "DOUBLE", "market capitalisation at the close"),
        Column("total_volume", "DOUBLE", "traded in the 24 hours before the close"),
        _required("is_complete", "BOOLEAN", "true when the price at the end of the day is known"),
        FILE,
    ),
    key=("coin_id", "vs_currency", "date"),
    checks={"low_to_high": "low <= open AND low <= close AND open <= high AND close <= high"},
    partition="period",
)


def _averages(*windows: int) -> tuple[Column, ...]:
    return tuple(
        column
        for days in windows
        for column in (
            Column(
                f"average_{days}d",
                "DOUBLE",
                f"mean close of the last {days} days; NULL until all {days} exist",
            ),
            _required(f"days_{days}d", "INT", f"days with a close among the last {days}"),
        )
    )


PRICE_AVERAGES_DAILY = Table(
    AGGREGATED,
    "price_averages_daily",
    "Moving averages of the closing price over calendar windows; complete days only.",
    (
        COIN_ID,
        VS_CURRENCY,
        DATE,
        _CLOSE,
        *_averages(7, 30, 90, 200),
        Column("cross_30d_90d", "STRING", "up or down on the day the 30-day average crosses the 90-day one"),
    ),
    key=("coin_id", "vs_currency", "date"),
)

MARKET_TRENDS_DAILY = Table(
    AGGREGATED,
    "market_trends_daily",
    "How each coin moves: returns, volatility, drawdown and trend; complete days only.",
    (
        COIN_ID,
        VS_CURRENCY,
        DATE,
        _CLOSE,
        Column("market_cap", "DOUBLE", "market capitalisation at the close"),
        Column("return_1d", "DOUBLE", "close against the close 1 day before, fraction"),
        Column("return_7d", "DOUBLE", "close against the close 7 days before, fraction"),
        Column("return_30d", "DOUBLE", "close against the close 30 days before, fraction"),
        Column("return_90d", "DOUBLE", "close against the close 90 days before, fraction"),
        Column("index_100", "DOUBLE", "close, where the coin's first known close above 0 is 100"),
        Column("average_50d", "DOUBLE", "mean close of the last 50 days; NULL until all 50 exist"),
        Column("above_average_50d", "BOOLEAN", "true when the close is above average_50d"),
        Column("volatility_30d", "DOUBLE", "sample standard deviation of 30 daily log returns times sqrt(365)"),
        _required("drawdown", "DOUBLE", "close against the highest close so far, fraction, 0 or less"),
        Column("cross", "STRING", "golden or death on the day the 50-day average crosses the 200-day one"),
        Column("trend", "STRING", "up: close > 30-day > 90-day average; down: the reverse; else sideways"),
    ),
    key=("coin_id", "vs_currency", "date"),
)

MARKET_DAILY = Table(
    AGGREGATED,
    "market_daily",
    "The market of each day over the coins that have a complete day.",
    (
        _required("date", "DATE", "UTC day"),
        VS_CURRENCY,
        _required("coins", "INT", "coins with a close"),
        _required("advancers", "INT", "coins whose 1-day return is above 0"),
        _required("decliners", "INT", "coins whose 1-day return is below 0"),
        _required("coins_with_average_50d", "INT", "coins with 50 days of history"),
        Column("share_above_average_50d", "DOUBLE", "of these, the fraction that closes above its 50-day average"),
        Column("median_return_1d", "DOUBLE", "median 1-day return, fraction"),
        Column("median_index", "DOUBLE", "median of index_100"),
        Column("median_drawdown", "DOUBLE", "median drawdown, fraction"),
        Column("median_volatility_30d", "DOUBLE", "median annual volatility, fraction"),
        Column("tracked_market_cap", "DOUBLE", "sum of the closing market caps of these coins"),
        Column("bitcoin_share", "DOUBLE", "Bitcoin's part of tracked_market_cap, fraction"),
        Column("total_market_cap", "DOUBLE", "whole market, last /global of the day; NULL when none was fetched"),
        Column("bitcoin_dominance", "DOUBLE", "Bitcoin's part of the whole market, fraction, from /global"),
        Column("fear_greed_value", "INT", "Fear & Greed Index, 0 to 100"),
        Column("fear_greed_classification", "STRING", "label of the index as it was sent"),
    ),
    key=("date", "vs_currency"),
)

COIN_MONTHLY = Table(
    AGGREGATED,
    "coin_monthly",
    "Each coin's calendar months, in the quoted currency and, through ECB rates, in others.",
    (
        COIN_ID,
        VS_CURRENCY,
        _required("month", "DATE", "first day of the month"),
        _required("average", "DOUBLE", "mean close of the month's days"),
        _CLOSE,
        _HIGH,
        _LOW,
        Column("return_1m", "DOUBLE", "last close against the last close of the month before, fraction"),
        _required("days", "INT", "days with a close"),
        _required("is_complete", "BOOLEAN", "true when every day of the month has a close"),
    ),
    key=("coin_id", "vs_currency", "month"),
)

CORRELATION_90D = Table(
    AGGREGATED,
    "correlation_90d",
    "Pearson correlation of daily log returns over the last 90 days, for the largest coins.",
    (
        _required("coin_a", "STRING", "coin id; sorts before coin_b"),
        _required("coin_b", "STRING", "coin id"),
        VS_CURRENCY,
        _required("date", "DATE", "last day of the window"),
        _required("correlation", "DOUBLE", "−1 to 1"),
        _required("days", "INT", "days on which both coins have a return"),
    ),
    key=("coin_a", "coin_b", "vs_currency"),
)

CANDLE_HOURLY = Table(
    AGGREGATED,
    "candle_hourly",
    "Open, high, low and close of each hour, from hourly prices and snapshots.",
    (
        COIN_ID,
        VS_CURRENCY,
        _required("hour", "TIMESTAMP", "start of the UTC hour: the interval (hour, next hour]"),
        PERIOD,
        _OPEN,
        _HIGH,
        _LOW,
        _CLOSE,
        _SAMPLES,
    ),
    key=("coin_id", "vs_currency", "hour"),
    partition="period",
)

CANDLE_WEEKLY = Table(
    AGGREGATED,
    "candle_weekly",
    "Open, high, low and close of each ISO week, from fact_price_daily.",
    (
        COIN_ID,
        VS_CURRENCY,
        _required("week", "DATE", "Monday of the ISO week"),
        _OPEN,
        _HIGH,
        _LOW,
        _CLOSE,
        _SAMPLES,
        _required("days", "INT", "days behind the row"),
        _required("is_complete", "BOOLEAN", "true when all seven days are complete"),
    ),
    key=("coin_id", "vs_currency", "week"),
)

RUN_STEPS = Table(
    AGGREGATED,
    "run_steps",
    "One row per notebook that a pipeline run executed.",
    (
        _required("run_id", "STRING", "pipeline run"),
        _required("step", "STRING", "notebook, for example 03_stream_to_silver"),
        _required("status", "STRING", "succeeded or failed"),
        _required("started_at", "TIMESTAMP", "UTC start"),
        _required("ended_at", "TIMESTAMP", "UTC end"),
        _required("seconds", "DOUBLE", "duration"),
        Column("rows_read", "BIGINT", "rows or responses read"),
        Column("rows_written", "BIGINT", "rows or responses written"),
        Column("rows_rejected", "BIGINT", "rows quarantined, or responses that were errors"),
        Column("table_versions", "STRING", "Delta version of each table written, JSON object"),
        Column("parameters", "STRING", "parameters of the notebook, JSON object"),
        Column("code_hash", "STRING", "SHA-256 of the package's code, first 12 hex digits"),
        Column("message", "STRING", "error message of a failed step"),
    ),
    key=("run_id", "step"),
)

PIPELINE_RUNS = Table(
    AGGREGATED,
    "pipeline_runs",
    "One row per pipeline run.",
    (
        _required("run_id", "STRING", "pipeline run"),
        _required("status", "STRING", "succeeded when every step did"),
        _required("started_at", "TIMESTAMP", "UTC start of the first step"),
        _required("ended_at", "TIMESTAMP", "UTC end of the last step"),
        _required("seconds", "DOUBLE", "from the first start to the last end"),
        _required("steps", "INT", "steps that ran"),
        Column("rows_read", "BIGINT", "sum over the steps"),
        Column("rows_written", "BIGINT", "sum over the steps"),
        Column("rows_rejected", "BIGINT", "sum over the steps"),
    ),
    key=("run_id",),
)

API_USAGE = Table(
    AGGREGATED,
    "api_usage",
    "Requests per day, endpoint and source, and what they cost.",
    (
        _required("date", "DATE", "UTC day"),
        _required("endpoint", "STRING", "endpoint"),
        _required("source", "STRING", "who answered: simulated, live or replay"),
        _required("attempts", "INT", "requests sent"),
        _required("landed", "INT", "answers that are data"),
        _required("errors", "INT", "everything else that came back, or did not"),
        _required("rate_limited", "INT", "answers with status 429"),
        _required("credits", "INT", "answered 2xx requests to CoinGecko: each costs one credit"),
        _required("bytes", "BIGINT", "size of all bodies"),
    ),
    key=("date", "endpoint", "source"),
)

FRESHNESS = Table(
    AGGREGATED,
    "freshness",
    "How far each table reaches, against what was promised.",
    (
        _required("table_name", "STRING", "schema and table"),
        Column("as_of", "TIMESTAMP", "newest UTC instant in the table; NULL when it is empty"),
        _required("rows", "BIGINT", "rows in the table"),
        _required("sla_hours", "DOUBLE", "promised age at most, hours"),
        _required("version", "BIGINT", "Delta version"),
    ),
    key=("table_name",),
)

QUARANTINE_DAILY = Table(
    AGGREGATED,
    "quarantine_daily",
    "Quarantined records per day, table and reason.",
    (
        _required("date", "DATE", "UTC day on which the response arrived; 1900-01-01 when not known"),
        _required("table_name", "STRING", "silver table that the records were meant for"),
        _required("reason", "STRING", "rule that the records break"),
        _required("records", "INT", "records"),
        _required("replayed", "INT", "of these, records that passed later"),
    ),
    key=("date", "table_name", "reason"),
)

GOLD_PROGRESS = Table(
    AGGREGATED,
    "gold_progress",
    "How far gold has read each table: the version after which the next run starts.",
    (
        _required("table_name", "STRING", "table that gold reads"),
        _required("version", "BIGINT", "last Delta version of it that gold holds"),
    ),
    key=("table_name",),
)

TABLES: tuple[Table, ...] = (
    RESPONSES,
    COIN_SNAPSHOTS,
    COIN_PRICES,
    MARKET_TOTALS,
    COIN_LIST,
    FEAR_GREED,
    FX_RATES,
    WEATHER_DAILY,
    QUARANTINE,
    DIM_COIN,
    DIM_DATE,
    DIM_CURRENCY,
    FACT_MARKET_SNAPSHOT,
    FACT_PRICE_DAILY,
    PRICE_AVERAGES_DAILY,
    MARKET_TRENDS_DAILY,
    MARKET_DAILY,
    COIN_MONTHLY,
    CORRELATION_90D,
    CANDLE_HOURLY,
    CANDLE_WEEKLY,
    RUN_STEPS,
    PIPELINE_RUNS,
    API_USAGE,
    FRESHNESS,
    QUARANTINE_DAILY,
    GOLD_PROGRESS,
)
