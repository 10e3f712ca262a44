"""coin_monthly: calendar months of each coin, in the quoted currency and, through ECB rates, in others."""

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.arithmetic import mean_in_order
from coinlake.gold.days import COIN, days_earlier, earliest
from coinlake.gold.facts import complete_days
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.update import Update, stored_from

RATE_LASTS_DAYS = 14


def coin_monthly(days: DataFrame) -> DataFrame:
    """coin_monthly from complete days in all currencies (see `converted`).

    The return compares the last close with the last close of the calendar month before.
    """
    closes = F.array_sort(F.collect_list(F.struct("date", "close")))
    months_apart = F.year("month") * 12 + F.month("month")
    month_before = Window.partitionBy(*COIN).orderBy(months_apart).rangeBetween(-1, -1)
    return (
        days.groupBy(*COIN, F.trunc("date", "month").alias("month"))
        .agg(
            F.transform(closes, lambda day: day["close"]).alias("closes"),
            F.max("high").alias("high"),
            F.min("low").alias("low"),
        )
        .select(
            *COIN,
            "month",
            mean_in_order("closes").alias("average"),
            F.element_at("closes", -1).alias("close"),
            "high",
            "low",
            F.size("closes").alias("days"),
        )
        .withColumn("return_1m", F.try_divide("close", F.max("close").over(month_before)) - 1)
        .withColumn("is_complete", F.col("days") == F.day(F.last_day("month")))
        .select(*schema.COIN_MONTHLY.column_names)
    )


def converted(days: DataFrame, rates: DataFrame) -> DataFrame:
    """Complete days (coin_id, vs_currency, date, high, low, close) in their own and in other currencies.

    Each value is multiplied by the day's rate from its currency. A price that was quoted in a currency
    outranks one that was converted into it; a day without a rate has no row.
    """
    quoted = days.select(*COIN, "date", F.struct("high", "low", "close").alias("price"), F.lit(0).alias("rank"))
    by_rate = daily_rates(rates).withColumnRenamed("base_currency", "vs_currency")
    other = days.join(F.broadcast(by_rate), ["vs_currency", "date"]).select(
        "coin_id",
        F.col("currency").alias("vs_currency"),
        "date",
        F.struct(*((F.col(price) * F.col("rate")).alias(price) for price in ("high", "low", "close"))),
        F.lit(1),
    )
    return (
        quoted.union(other)
        .groupBy(*COIN, "date")
        .agg(F.min_by("price", "rank").alias("price"))
        .select(*COIN, "date", "price.*")
    )


def daily_rates(rates: DataFrame) -> DataFrame:
    """ECB rates for every day: base_currency, currency, date, rate.

    A rate holds until the next one, over weekends and holidays, but for at most 14 days after its own: so far
    does Frankfurter carry a rate forward (its version 1 API).
    """
    in_order = Window.partitionBy("base_currency", "currency").orderBy("date")
    next_rate = F.coalesce(F.lead("date").over(in_order), F.lit(date(9999, 12, 31)))
    last = F.least(F.date_sub(next_rate, 1), F.date_add("date", RATE_LASTS_DAYS))
    days = F.explode(F.sequence("date", "last"))
    return rates.withColumn("last", last).select("base_currency", "currency", days.alias("date"), "rate")


def coin_monthly_update(inputs: Inputs, reach: Reach) -> Update | None:
    """From the month of the first changed close or rate on, the months of the coins whose closes changed, or of
    all coins when a rate did. The month before is read for the return."""
    rates_since = inputs.plan.rates_since
    first = earliest(reach.since, rates_since)
    if first is None:
        return None
    since = first.replace(day=1)
    month_before = days_earlier(since, 1).replace(day=1)
    days = complete_days(inputs, reach, month_before, all_coins=rates_since is not None)
    months = coin_monthly(converted(days, inputs.read(schema.FX_RATES)))
    return Update(schema.COIN_MONTHLY, months.where(F.col("month") >= since), stored_from("month", since))
