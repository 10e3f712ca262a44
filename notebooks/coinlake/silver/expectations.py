"""What must be true of a record before it becomes a row of silver: one table of data, and how it is applied.

A rule of severity `reject` sends a record that breaks it to quarantine, with the rule's name as the reason.
A rule of severity `warn` lets the row pass and notes its name in the row's `warnings`.
"""

from typing import NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F

from coinlake.currencies import CODES

REJECT, WARN = "reject", "warn"
ANY_TABLE = "*"


class Expectation(NamedTuple):
    """One rule: the name of its breach, the silver table it is for, what must be true in words and as SQL.

    A record keeps the rule when the expression is true; false and NULL both break it.
    """

    name: str
    table: str
    condition: str
    expression: str
    severity: str


_KNOWN_CURRENCIES = ", ".join(f"'{code}'" for code in sorted(CODES))
_IS_PRICE = "price >= 0 AND price < DOUBLE('Infinity')"

EXPECTATIONS: tuple[Expectation, ...] = (
    # About the body that a record came in. A record that breaks one of these is not asked anything else.
    Expectation("uncommitted", ANY_TABLE, "The response log names the file.", "_is_committed", REJECT),
    Expectation("not_json", ANY_TABLE, "The file is whole JSON.", "_corrupt_record IS NULL", REJECT),
    Expectation("error_object", ANY_TABLE, "The body is data, not an error message.", "NOT _is_error", REJECT),
    # /coins/markets
    Expectation("id_missing", "coin_snapshots", "A coin has an id.", "coin_id <> ''", REJECT),
    Expectation("price_missing", "coin_snapshots", "A coin has a price.", "price IS NOT NULL", REJECT),
    Expectation(
        "price_impossible",
        "coin_snapshots",
        "A price is a number of 0 or more.",
        f"price IS NULL OR ({_IS_PRICE})",
        REJECT,
    ),
    Expectation(
        "currency_unknown",
        "coin_snapshots",
        "The address says which currency prices are in, and it is one of CoinGecko's.",
        f"vs_currency IN ({_KNOWN_CURRENCIES})",
        REJECT,
    ),
    Expectation(
        "repeated_in_page",
        "coin_snapshots",
        "A page names a coin once; of several records the one that was updated last counts.",
        "_place_of_id = 1",
        REJECT,
    ),
    Expectation("rank_missing", "coin_snapshots", "A coin has a rank.", "market_cap_rank IS NOT NULL", WARN),
    Expectation(
        "rank_repeated", "coin_snapshots", "No other coin of the page has this rank.", "_coins_of_rank = 1", WARN
    ),
    Expectation(
        "signs_disagree",
        "coin_snapshots",
        "The change of the price and its percentage point the same way.",
        "coalesce(signum(price_change_24h) * signum(price_change_percentage_24h) >= 0, true)",
        WARN,
    ),
    Expectation(
        "stale",
        "coin_snapshots",
        "The coin was updated within a day before the response.",
        "last_updated > fetched_at - INTERVAL 1 DAY",
        WARN,
    ),
    Expectation(
        "sparkline_thin",
        "coin_snapshots",
        "A sparkline, where there is one, has 168 prices.",
        "_sparkline IS NULL OR (size(_sparkline) = 168 AND forall(_sparkline, price -> price >= 0))",
        WARN,
    ),
    Expectation(
        "sparkline_hours_unknown",
        "coin_snapshots",
        "It can be told which hour each price of the sparkline belongs to: there are 168, and the newest is "
        "no older than an hour.",
        "_sparkline IS NULL OR _last_hour IS NOT NULL",
        WARN,
    ),
    Expectation(
        "fields_rescued", "coin_snapshots", "Every field is known and of its type.", "rescued IS NULL", WARN
    ),
    Expectation(
        "ath_below_price",
        "coin_snapshots",
        "No price is above the all-time high.",
        "coalesce(price <= ath, true)",
        WARN,
    ),
    Expectation(
        "atl_above_price",
        "coin_snapshots",
        "No price is below the all-time low.",
        "coalesce(price >= atl, true)",
        WARN,
    ),
    # /coins/{id}/market_chart
    Expectation("id_missing", "coin_prices", "The address names the coin.", "coin_id <> ''", REJECT),
    Expectation(
        "currency_unknown",
        "coin_prices",
        "The address says which currency prices are in, and it is one of CoinGecko's.",
        f"vs_currency IN ({_KNOWN_CURRENCIES})",
        REJECT,
    ),
    Expectation("chart_missing", "coin_prices", "The body has a chart.", "_has_chart", REJECT),
    Expectation(
        "time_impossible",
        "coin_prices",
        "A price has an instant, since 2009 and not after the response.",
        "NOT _has_chart OR (observed_at >= '2009-01-01' AND observed_at < fetched_at + INTERVAL 1 DAY)",
        REJECT,
    ),
    Expectation(
        "price_missing", "coin_prices", "An instant has a price.", "NOT _has_chart OR price IS NOT NULL", REJECT
    ),
    Expectation(
        "price_impossible",
        "coin_prices",
        "A price is a number of 0 or more.",
        f"price IS NULL OR ({_IS_PRICE})",
        REJECT,
    ),
    # /global
    Expectation(
        "totals_missing",
        "market_totals",
        "The body has market caps, volumes and shares.",
        "total_market_cap IS NOT NULL AND total_volume IS NOT NULL AND market_cap_percentage IS NOT NULL",
        REJECT,
    ),
    # /coins/list
    Expectation("id_missing", "coin_list", "A coin has an id.", "coin_id <> ''", REJECT),
    # Fear & Greed
    Expectation("date_missing", "fear_greed", "A value has a day.", "date IS NOT NULL", REJECT),
    Expectation(
        "value_impossible", "fear_greed", "A value is between 0 and 100.", "value BETWEEN 0 AND 100", REJECT
    ),
    Expectation("label_missing", "fear_greed", "A value has a label.", "classification <> ''", REJECT),
    # Frankfurter
    Expectation("date_missing", "fx_rates", "A rate has a day.", "date IS NOT NULL", REJECT),
    Expectation(
        "currency_unknown",
        "fx_rates",
        "Both currencies are codes of three letters.",
        "base_currency RLIKE '^[a-z]{3}$' AND currency RLIKE '^[a-z]{3}$'",
        REJECT,
    ),
    Expectation(
        "rate_impossible", "fx_rates", "A rate is above 0.", "rate > 0 AND rate < DOUBLE('Infinity')", REJECT
    ),
    # Open-Meteo
    Expectation(
        "place_missing", "weather_daily", "The body names the place.", "latitude + longitude IS NOT NULL", REJECT
    ),
    Expectation(
        "date_missing", "weather_daily", "A day has a date.", "date IS NOT NULL OR NOT _has_values", REJECT
    ),
    Expectation(
        "units_unknown",
        "weather_daily",
        "Degrees are Celsius, lengths millimetres, speeds kilometres an hour.",
        "_has_units",
        REJECT,
    ),
    Expectation(
        "values_missing", "weather_daily", "A body has a day with at least one value.", "_has_values", REJECT
    ),
    # The response log itself
    Expectation(
        "line_incomplete",
        "responses",
        "A line has all that the log requires.",
        "landing_run IS NOT NULL AND endpoint IS NOT NULL AND page IS NOT NULL AND attempt IS NOT NULL "
        "AND method IS NOT NULL AND url IS NOT NULL AND status IS NOT NULL AND fetched_at IS NOT NULL "
        "AND elapsed_ms IS NOT NULL "
        "AND outcome IN ('landed', 'error') AND source IS NOT NULL",
        REJECT,
    ),
)


def expectations_of(table: str, severity: str) -> tuple[Expectation, ...]:
    """The rules of this severity that are for exactly this table (or ANY_TABLE)."""
    return tuple(rule for rule in EXPECTATIONS if rule.table == table and rule.severity == severity)


def broken_expectations(table: str, severity: str) -> Column:
    """ARRAY<STRING>: the names, sorted, of the rules that a row breaks."""
    names = [
        F.when(~F.coalesce(F.expr(rule.expression), F.lit(False)), rule.name)
        for rule in expectations_of(table, severity)
    ]
    if not names:
        return F.array().cast("array<string>")
    return F.array_sort(F.array_compact(F.array(*names)))
