"""Frankfurter: the reference rates of the European Central Bank, business days only."""

from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import api, instants, schema
from coinlake.api import Endpoint, Request
from coinlake.errors import ConfigurationError
from coinlake.sources.columns import CARRIED, day, each
from coinlake.sources.source import REJECT, Expectation, Settings, Source, Target

ENDPOINT = Endpoint(
    name="fx_rates",
    group="context",
    root="https://api.frankfurter.dev/v1",
    path="/{start}..{end}",
    query={"base": "USD", "symbols": "{symbols}"},
    shape=dict,
    holds=("rates", dict),
    once_a_day=True,
)


def requests(settings: Settings, as_of: datetime) -> list[Request]:
    """The whole history in one request; none where no foreign currency is asked for."""
    symbols = ",".join(currencies(settings.fx_currencies)).upper()
    if not symbols:
        return []
    today = instants.data_day(as_of)
    first = today - timedelta(days=settings.history_days)
    return [Request(ENDPOINT, 1, api.request_url(ENDPOINT, start=first, end=today, symbols=symbols))]


def currencies(text: str) -> list[str]:
    """The currencies of a comma-separated list, without the dollar, which rates are quoted against."""
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if not (len(name) == 3 and name.isascii() and name.isalpha()):
            raise ConfigurationError(
                f"fx_currencies: {name!r} is not a currency code. Write codes such as eur,chf."
            )
    return [name for name in names if name != "usd"]


SCHEMA = "amount DOUBLE, base STRING, date DATE, start_date DATE, end_date DATE, rates VARIANT"


VARIANTS = "map<string, variant>"


def fx_rates(records: DataFrame) -> DataFrame:
    """Answers of Frankfurter, for one day or a range of days -> rows of fx_rates, for one unit of the base."""
    entries = F.map_entries(F.try_variant_get("rates", "$", VARIANTS))
    of_day = F.struct(F.col("date").cast("string").alias("key"), F.col("rates").alias("value"))
    days = F.when(F.col("date").isNull(), entries).otherwise(F.array(of_day))

    def rates(day: Column) -> Column:
        """The rates of a day; one without a currency where they are no object."""
        none = F.array(F.struct(F.lit(None).cast("string").alias("key"), day["value"].alias("value")))
        return F.coalesce(F.map_entries(F.try_variant_get(day["value"], "$", VARIANTS)), none)

    pairs = F.flatten(
        F.transform(
            days,
            lambda day: F.transform(
                rates(day),
                lambda pair: F.struct(
                    day["key"].alias("date"), pair["key"].alias("currency"), pair["value"].alias("rate")
                ),
            ),
        )
    )
    rate = F.try_variant_get("_element.rate", "$", "double")
    return each(records, pairs).select(
        day("_element.date").alias("date"),
        F.lower("base").alias("base_currency"),
        F.lower("_element.currency").alias("currency"),
        (rate / F.coalesce(F.when(F.col("amount") > 0, F.col("amount")), F.lit(1.0))).alias("rate"),
        *CARRIED,
    )


EXPECTATIONS = (
    Expectation("date_missing", "A rate has a day.", "date IS NOT NULL", REJECT),
    Expectation(
        "currency_unknown",
        "Both currencies are codes of three letters.",
        "base_currency RLIKE '^[a-z]{3}$' AND currency RLIKE '^[a-z]{3}$'",
        REJECT,
    ),
    Expectation("rate_impossible", "A rate is above 0.", "rate > 0 AND rate < DOUBLE('Infinity')", REJECT),
)

SOURCE = Source(
    endpoint=ENDPOINT,
    requests=requests,
    settings=("history_days", "fx_currencies"),
    schema=SCHEMA,
    essential="rates",
    rows=fx_rates,
    expectations=EXPECTATIONS,
    targets=(Target(schema.FX_RATES),),
)
