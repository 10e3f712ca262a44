"""Silver, `cleaned_data`: typed, checked, one row per natural key; and the quarantine."""

from coinlake.schema.table import (
    CLEANED,
    COIN_ID,
    FETCHED_AT,
    FILE,
    PERIOD,
    SNAPSHOT_AT,
    VS_CURRENCY,
    Column,
    Table,
    required,
    settles,
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
        required("price", "DOUBLE", "last price"),
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
    reaches="snapshot_at",
)

COIN_PRICES = Table(
    CLEANED,
    "coin_prices",
    "Prices on the hour and at the end of the day, from charts and from seven-day sparklines.",
    (
        COIN_ID,
        VS_CURRENCY,
        required(
            "observed_at",
            "TIMESTAMP",
            "UTC hour (hourly), or the 00:00 that ends the day (daily), of the price",
        ),
        required("granularity", "STRING", "hourly or daily"),
        required("period", "STRING", "partition: yyyy-MM of an hourly price, yyyy of a daily one"),
        required("price", "DOUBLE", "price"),
        Column("market_cap", "DOUBLE", "market capitalisation; 0 means unknown and is stored as NULL"),
        Column("total_volume", "DOUBLE", "traded in the 24 hours before; a real 0 stays 0"),
        required("source", "STRING", "market_chart or sparkline; a chart outranks a sparkline"),
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
    rank=("source = 'market_chart'", *settles("observed_at", days=1)),
    reaches="observed_at",
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
        required("total_market_cap", "MAP<STRING, DOUBLE>", "total market cap by currency"),
        required("total_volume", "MAP<STRING, DOUBLE>", "24-hour volume by currency"),
        required("market_cap_percentage", "MAP<STRING, DOUBLE>", "share of the largest coins by symbol, per cent"),
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
    reaches="snapshot_at",
)

COIN_LIST = Table(
    CLEANED,
    "coin_list",
    "Every coin that /coins/list has ever named, and when.",
    (
        COIN_ID,
        Column("symbol", "STRING", "ticker symbol in the newest list; may be empty; not unique"),
        Column("name", "STRING", "name in the newest list"),
        required("first_listed_at", "TIMESTAMP", "UTC instant of the first list that names the coin"),
        required("last_listed_at", "TIMESTAMP", "UTC instant of the newest list that names the coin"),
        FILE,
    ),
    key=("coin_id",),
    rank=("last_listed_at", "file"),
    reaches="last_listed_at",
)

COIN_CATEGORIES = Table(
    CLEANED,
    "coin_categories",
    "What /coins/categories said of a category at one instant.",
    (
        required("category_id", "STRING", "CoinGecko's id of the category, for example stablecoins"),
        SNAPSHOT_AT,
        Column("name", "STRING", "name of the category"),
        Column(
            "market_cap", "DOUBLE", "market cap of its coins, US dollars; 0 means unknown and is stored as NULL"
        ),
        Column("market_cap_change_24h", "DOUBLE", "market cap change over 24 hours, per cent"),
        Column("volume_24h", "DOUBLE", "traded in the last 24 hours, US dollars; a real 0 stays 0"),
        Column(
            "top_3_coins", "ARRAY<STRING>", "ids of its three largest coins, largest first; NULL when not sent"
        ),
        Column("updated_at", "TIMESTAMP", "UTC instant of CoinGecko's own calculation"),
        Column("rescued", "STRING", "fields that the schema does not know or could not read, JSON object"),
        FILE,
    ),
    key=("category_id", "snapshot_at"),
    checks={
        "market_cap_known": "market_cap IS NULL OR market_cap > 0",
        "volume_not_negative": "volume_24h IS NULL OR volume_24h >= 0",
    },
    rank=("updated_at", "file"),
    reaches="snapshot_at",
)

FEAR_GREED = Table(
    CLEANED,
    "fear_greed",
    "The Crypto Fear & Greed Index of alternative.me, one value a day.",
    (
        required("date", "DATE", "UTC day that the value stands for"),
        required("value", "INT", "0 (extreme fear) to 100 (extreme greed)"),
        required("classification", "STRING", "the label that was sent; the bands have moved over the years"),
        FETCHED_AT,
        FILE,
    ),
    key=("date",),
    checks={"value_in_range": "value BETWEEN 0 AND 100"},
    rank=settles("date", days=2),
    reaches="date",
)

FX_RATES = Table(
    CLEANED,
    "fx_rates",
    "Reference rates of the European Central Bank from Frankfurter; business days only.",
    (
        required("date", "DATE", "business day of the rate"),
        required("base_currency", "STRING", "currency that one unit is given of, lower case"),
        required("currency", "STRING", "currency that the rate is expressed in, lower case"),
        required("rate", "DOUBLE", "units of currency for one unit of base_currency"),
        FETCHED_AT,
        FILE,
    ),
    key=("date", "base_currency", "currency"),
    checks={"rate_positive": "rate > 0"},
    rank=settles("date", days=2),
    reaches="date",
)

WEATHER_DAILY = Table(
    CLEANED,
    "weather_daily",
    "Daily weather of one place from Open-Meteo: context that should not move a market.",
    (
        required("latitude", "DOUBLE", "degrees north, as the weather model's grid has it"),
        required("longitude", "DOUBLE", "degrees east, as the weather model's grid has it"),
        required("date", "DATE", "local day at the place"),
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
    rank=settles("date", days=10),
    reaches="date",
)

QUARANTINE = Table(
    CLEANED,
    "quarantine",
    "What came but could not be believed: the raw record, and why. Nothing is lost in silence.",
    (
        required("quarantine_id", "STRING", "SHA-256 of table, file and record, hex"),
        required("table_name", "STRING", "silver table that the record was meant for"),
        required("endpoint", "STRING", "endpoint that it came from"),
        required("file", "STRING", "raw response: path below landing/"),
        Column("landing_run", "STRING", "ingestion run, as in the folder name run=…"),
        Column("fetched_at", "TIMESTAMP", "UTC instant at which the raw response arrived; NULL when not known"),
        required("reasons", "ARRAY<STRING>", "names of the rules that the record breaks, sorted"),
        Column("record", "STRING", "the record as it came, JSON text; the whole body when that is not JSON"),
        required("copies", "INT", "how often the same record stands in the file"),
        Column(
            "replayed_at",
            "TIMESTAMP",
            "UTC instant at which the response arrived that passed after all; NULL before",
        ),
    ),
    key=("quarantine_id",),
)

# The tables of this module, by their names here: a further one is added above and nowhere else.
TABLES: tuple[Table, ...] = (
    COIN_SNAPSHOTS,
    COIN_PRICES,
    MARKET_TOTALS,
    COIN_LIST,
    COIN_CATEGORIES,
    FEAR_GREED,
    FX_RATES,
    WEATHER_DAILY,
    QUARANTINE,
)

__all__ = [
    "COIN_CATEGORIES",
    "COIN_LIST",
    "COIN_PRICES",
    "COIN_SNAPSHOTS",
    "FEAR_GREED",
    "FX_RATES",
    "MARKET_TOTALS",
    "QUARANTINE",
    "WEATHER_DAILY",
]
