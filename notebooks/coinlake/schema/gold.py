"""Gold, `aggregated_data`: dimensions and facts, and the aggregates that reports read."""

from coinlake.schema.table import (
    AGGREGATED,
    COIN_ID,
    COIN_KEY,
    CURRENCY_KEY,
    DATE,
    DATE_KEY,
    FILE,
    PERIOD,
    SNAPSHOT_AT,
    VS_CURRENCY,
    Column,
    Table,
    required,
)

DIM_COIN = Table(
    AGGREGATED,
    "dim_coin",
    "Coins as they were known over time: a slowly changing dimension of type 2.",
    (
        COIN_KEY,
        COIN_ID,
        Column("symbol", "STRING", "ticker symbol in upper case; not unique"),
        required("name", "STRING", "name; the id when no page has named the coin yet"),
        Column("max_supply", "DOUBLE", "coins that can ever exist; NULL when there is no limit"),
        required(
            "valid_from", "TIMESTAMP", "first UTC instant of this version; 1900-01-01 for the first one known"
        ),
        required("valid_to", "TIMESTAMP", "first UTC instant after this version; 9999-12-31 for the current one"),
        required("is_current", "BOOLEAN", "true for the newest version"),
        Column(
            "first_seen_at",
            "TIMESTAMP",
            "UTC instant of the first snapshot that shows this version; NULL while only charts know the coin",
        ),
        Column(
            "kind",
            "STRING",
            "free, pegged (to a currency) or copy (of another coin), by the closes of the last 90 days; a fact of "
            "the current state, type 1: it opens no version, and all versions have it",
        ),
        Column("original_id", "STRING", "of a copy, the id of the coin whose moves it follows"),
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
        required("date", "DATE", "the day"),
        required("year", "INT", "year"),
        required("quarter", "INT", "quarter, 1 to 4"),
        required("month", "INT", "month, 1 to 12"),
        required("month_name", "STRING", "English name of the month"),
        required("iso_week", "INT", "ISO 8601 week, 1 to 53"),
        required("day_of_week", "INT", "ISO day of the week: 1 is Monday"),
        required("day_name", "STRING", "English name of the day"),
        required("is_weekend", "BOOLEAN", "true on Saturday and Sunday"),
    ),
    key=("date_key",),
)

DIM_CURRENCY = Table(
    AGGREGATED,
    "dim_currency",
    "Currencies that prices are quoted in.",
    (
        CURRENCY_KEY,
        required("currency", "STRING", "code in lower case, as CoinGecko's vs_currency"),
        required("name", "STRING", "English name"),
        required("kind", "STRING", "fiat, crypto or commodity"),
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
        required("price", "DOUBLE", "last price"),
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

_OPEN = required(
    "open", "DOUBLE", "price at the start, the close before; where that is not known, the first price"
)
_HIGH = required("high", "DOUBLE", "highest price of the interval, its opening price included")
_LOW = required("low", "DOUBLE", "lowest price of the interval, its opening price included")
_CLOSE = required("close", "DOUBLE", "last price of the interval")
_SAMPLES = required("samples", "INT", "number of prices behind the row, the opening price not counted")

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
        required("average", "DOUBLE", "mean of the day's prices, the opening price not counted"),
        _SAMPLES,
        Column("market_cap", "DOUBLE", "market capitalisation at the close"),
        Column("total_volume", "DOUBLE", "traded in the 24 hours before the close"),
        required("is_complete", "BOOLEAN", "true when the price at the end of the day is known"),
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
            required(f"days_{days}d", "INT", f"days with a close among the last {days}"),
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
        required("drawdown", "DOUBLE", "close against the highest close so far, fraction, 0 or less"),
        Column("cross", "STRING", "golden or death on the day the 50-day average crosses the 200-day one"),
        Column("trend", "STRING", "up: close > 30-day > 90-day average; down: the reverse; else sideways"),
    ),
    key=("coin_id", "vs_currency", "date"),
)

MARKET_DAILY = Table(
    AGGREGATED,
    "market_daily",
    "The market of each day over the free coins with a complete day: pegged coins and copies are not counted.",
    (
        required("date", "DATE", "UTC day"),
        VS_CURRENCY,
        required("coins", "INT", "free coins with a close"),
        required("advancers", "INT", "coins whose 1-day return is above 0"),
        required("decliners", "INT", "coins whose 1-day return is below 0"),
        required("coins_with_average_50d", "INT", "coins with 50 days of history, behind median_drawdown"),
        Column("share_above_average_50d", "DOUBLE", "of these, the fraction that closes above its 50-day average"),
        Column("median_return_1d", "DOUBLE", "median 1-day return, fraction"),
        Column(
            "median_index",
            "DOUBLE",
            "the median coin, first day = 100: chained over coins that have a close on two days, so that none "
            "moves it by coming or going",
        ),
        Column("median_drawdown", "DOUBLE", "median drawdown of the coins with 50 days of history, fraction"),
        Column("median_volatility_30d", "DOUBLE", "median annual volatility, fraction"),
        Column("tracked_market_cap", "DOUBLE", "sum of the closing market caps of all coins but copies"),
        Column("bitcoin_share", "DOUBLE", "Bitcoin's part of tracked_market_cap, fraction"),
        Column("total_market_cap", "DOUBLE", "whole market, last /global of the day; NULL when none was fetched"),
        Column("bitcoin_dominance", "DOUBLE", "Bitcoin's part of the whole market, fraction, from /global"),
        Column("fear_greed_value", "INT", "Fear & Greed Index, 0 to 100"),
        Column("fear_greed_classification", "STRING", "label of the index as it was sent"),
        Column(
            "coins_with_return_1d",
            "INT",
            "coins behind median_return_1d, and behind the day's step of median_index",
        ),
        Column("coins_with_volatility_30d", "INT", "coins behind median_volatility_30d"),
        Column("coins_with_market_cap", "INT", "coins behind tracked_market_cap, all but copies"),
    ),
    key=("date", "vs_currency"),
)

MARKET_NOW = Table(
    AGGREGATED,
    "market_now",
    "Each coin as its newest snapshot shows it, beside what is usual for it.",
    (
        VS_CURRENCY,
        COIN_ID,
        required("snapshot_at", "TIMESTAMP", "UTC instant of the coin's newest snapshot"),
        Column("symbol", "STRING", "ticker symbol in upper case; not unique"),
        required("name", "STRING", "name; the id when the snapshot has none"),
        required("price", "DOUBLE", "last price"),
        Column("market_cap", "DOUBLE", "market capitalisation"),
        Column("market_cap_rank", "INT", "rank by market cap; ranks repeat and have gaps"),
        Column(
            "rank_change_24h",
            "INT",
            "ranks risen since the newest snapshot that was 24 to 48 hours older; NULL without one",
        ),
        Column("return_1h", "DOUBLE", "return over 1 hour, fraction, as CoinGecko states it"),
        Column("return_24h", "DOUBLE", "return over 24 hours, fraction, as CoinGecko states it"),
        Column("return_7d", "DOUBLE", "return over 7 days, fraction, as CoinGecko states it"),
        Column("return_30d", "DOUBLE", "return over 30 days, fraction, as CoinGecko states it"),
        Column("volume_24h", "DOUBLE", "traded in the last 24 hours"),
        Column(
            "volume_ratio",
            "DOUBLE",
            "volume_24h over the mean of the 30 closed days before; NULL with fewer than 20 of them known",
        ),
        Column("high", "DOUBLE", "all-time high price, as CoinGecko states it"),
        Column("high_at", "TIMESTAMP", "UTC instant of the all-time high"),
        Column("distance_from_high", "DOUBLE", "price against the all-time high, fraction, 0 or less"),
        required("kind", "STRING", "free, pegged or copy: dim_coin.kind"),
    ),
    key=("vs_currency", "coin_id"),
    checks={"kind_known": "kind IN ('free', 'pegged', 'copy')"},
)

MARKET_EVENTS = Table(
    AGGREGATED,
    "market_events",
    "What happened to coins: records, lost pegs, unusual volumes, turns of the trend, entries and exits.",
    (
        VS_CURRENCY,
        COIN_ID,
        required(
            "kind",
            "STRING",
            "record_high, peg_lost, peg_regained, volume_anomaly, trend_up, trend_down, entered or left",
        ),
        required(
            "happened_at",
            "TIMESTAMP",
            "UTC instant: of a close the end of its day, else when the day's snapshots first show it",
        ),
        Column(
            "value",
            "DOUBLE",
            "the record, the close, the day's volume; of entered and left the last rank on the page",
        ),
        Column(
            "reference",
            "DOUBLE",
            "the record before; mean close or volume of the 30 days before; 200-day average; coins compared",
        ),
    ),
    key=("vs_currency", "coin_id", "kind", "happened_at"),
    checks={
        "kind_known": "kind IN ('record_high', 'peg_lost', 'peg_regained', 'volume_anomaly', 'trend_up', "
        "'trend_down', 'entered', 'left')"
    },
)

COIN_MONTHLY = Table(
    AGGREGATED,
    "coin_monthly",
    "Each coin's calendar months, in the quoted currency and, through ECB rates, in others.",
    (
        COIN_ID,
        VS_CURRENCY,
        required("month", "DATE", "first day of the month"),
        required("average", "DOUBLE", "mean close of the month's days"),
        _CLOSE,
        _HIGH,
        _LOW,
        Column("return_1m", "DOUBLE", "last close against the last close of the month before, fraction"),
        required("days", "INT", "days with a close"),
        required("is_complete", "BOOLEAN", "true when every day of the month has a close"),
    ),
    key=("coin_id", "vs_currency", "month"),
)

CORRELATION_90D = Table(
    AGGREGATED,
    "correlation_90d",
    "Pearson correlation of daily log returns over the last 90 days, for the largest free coins.",
    (
        required("coin_a", "STRING", "coin id; sorts before coin_b"),
        required("coin_b", "STRING", "coin id"),
        VS_CURRENCY,
        required("date", "DATE", "last day of the window"),
        required("correlation", "DOUBLE", "−1 to 1"),
        required("days", "INT", "days on which both coins have a return"),
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
        required("hour", "TIMESTAMP", "start of the UTC hour: the interval (hour, next hour]"),
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
        required("week", "DATE", "Monday of the ISO week"),
        _OPEN,
        _HIGH,
        _LOW,
        _CLOSE,
        _SAMPLES,
        required("days", "INT", "days behind the row"),
        required("is_complete", "BOOLEAN", "true when all seven days are complete"),
    ),
    key=("coin_id", "vs_currency", "week"),
)

GOLD_PROGRESS = Table(
    AGGREGATED,
    "gold_progress",
    "How far gold has read each table: the version after which the next run starts.",
    (
        required("table_name", "STRING", "table that gold reads"),
        required("version", "BIGINT", "last Delta version of it that gold holds"),
        Column("table_id", "STRING", "Delta's id of the table that the version is of; made anew, it has another"),
    ),
    key=("table_name",),
)
