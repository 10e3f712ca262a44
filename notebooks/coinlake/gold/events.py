"""market_events: what happened to coins, as closes of days and the pages of the largest coins show it.

What a close shows has the instant of the close. A page is the last snapshot of each coin on a day; two pages are
compared when no page is between them and they are at most seven days apart, so that a pipeline that rests at
weekends, or runs once a week, misses nothing, and none reads further back for it.
"""

from datetime import date, datetime
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.gold.averages import LONGEST_WINDOW, crossing, days_before, mean_close, preceding_days
from coinlake.gold.days import COIN, FIRST_DAY, as_column, close_of, day_of, days_earlier, earliest, from_instant
from coinlake.gold.facts import complete_days
from coinlake.gold.inputs import Inputs, Reach
from coinlake.gold.kinds import FREE, PEGGED, Kinds, is_kind
from coinlake.gold.update import Update

USUAL_DAYS = 30  # before a day: what is usual for it
UNUSUAL_VOLUME = 3.0  # times the usual one
OFF_PEG = 0.02  # of the usual close; currencies move less against each other in a month, as a rule
PAGES_APART = 7  # days, at most
OF_CLOSES = ("peg_lost", "peg_regained", "volume_anomaly", "trend_up", "trend_down")
OF_PAGES = ("record_high", "entered", "left")


def events_of_closes(days: DataFrame, kinds: Kinds) -> DataFrame:
    """The events of complete days of fact_price_daily; each on the first day that shows it.

    - trend_up, trend_down: the close of a free coin crosses its 200-day average, in the sense of `crossing`;
    - volume_anomaly: the day's volume is at least 3 times the mean of the 30 days before;
    - peg_lost, peg_regained: a pegged coin closes more than 2 % off its mean close of the 30 days before, and no
      longer so on the calendar day after such a day.

    Means over 30 days are there when all 30 are.
    """
    before = preceding_days(USUAL_DAYS)
    measured = days.select(
        *COIN,
        "date",
        "close",
        "total_volume",
        mean_close(200).alias("average_200d"),
        *(
            F.when(F.count(measure).over(before) == USUAL_DAYS, F.avg(measure).over(before)).alias(usual)
            for measure, usual in (("close", "usual_close"), ("total_volume", "usual_volume"))
        ),
    )
    is_free, is_pegged = is_kind(kinds, FREE), is_kind(kinds, PEGGED)
    many_times = F.col("total_volume") >= UNUSUAL_VOLUME * F.col("usual_volume")
    judged = measured.select(
        "*",
        F.when(is_free, crossing("close", "average_200d", up="trend_up", down="trend_down")).alias("turn"),
        ((F.col("usual_volume") > 0) & many_times).alias("is_unusual"),
        (is_pegged & (F.abs(F.try_divide("close", "usual_close") - 1) > OFF_PEG)).alias("is_off"),
    )
    was_unusual, was_off = (
        F.coalesce(F.max(state).over(days_before(1)), F.lit(False)).alias(f"was_{state}")
        for state in ("is_unusual", "is_off")
    )
    unusual, off = F.col("is_unusual"), F.col("is_off")
    events = F.array(
        F.when(F.col("turn").isNotNull(), _event("turn", "close", "average_200d")),
        F.when(
            unusual & ~F.col("was_is_unusual"), _event(F.lit("volume_anomaly"), "total_volume", "usual_volume")
        ),
        F.when(off & ~F.col("was_is_off"), _event(F.lit("peg_lost"), "close", "usual_close")),
        F.when(~off & F.col("was_is_off"), _event(F.lit("peg_regained"), "close", "usual_close")),
    )
    return (
        judged.select("*", was_unusual, was_off)
        .select(*COIN, close_of("date").alias("happened_at"), F.explode(F.array_compact(events)).alias("event"))
        .select("*", "event.*")
        .select(*schema.MARKET_EVENTS.column_names)
    )


def _event(kind: str | Column, value: str, reference: str) -> Column:
    return F.struct(
        as_column(kind).alias("kind"), F.col(value).alias("value"), F.col(reference).alias("reference")
    )


def events_of_pages(snapshots: DataFrame) -> DataFrame:
    """The events of pages, each page against the one before.

    - entered, left: of two pages as many of the largest coins are compared as the shorter one has, by the rank on
      the page, then by coin_id, so that asking for fewer coins lets none leave. A coin enters with its first
      snapshot of the day; it is gone with the day's first snapshot of any coin;
    - record_high: the coin's all-time high is higher and younger than on the page before. Its instant is that of
      the high, as far as it lies between the coin's first and last snapshot of the day.
    """
    last = F.struct("snapshot_at", "market_cap_rank", "ath", "ath_date")
    # All that follows is of one currency: its rows are sent around once, and not for each step.
    seen = (
        snapshots.select(*COIN, "snapshot_at", "market_cap_rank", "ath", "ath_date")
        .repartition("vs_currency")
        .groupBy(*COIN, day_of("snapshot_at").alias("date"))
        .agg(F.max_by(last, "snapshot_at").alias("last"), F.min("snapshot_at").alias("first_seen_at"))
    )
    coin = F.struct(
        F.coalesce("last.market_cap_rank", F.lit(2**31 - 1)).alias("order"),
        "coin_id",
        "first_seen_at",
        F.col("last.snapshot_at").alias("last_seen_at"),
        F.col("last.market_cap_rank").cast("double").alias("rank"),
        F.col("last.ath").alias("high"),
        F.col("last.ath_date").alias("high_at"),
    )
    in_order = Window.partitionBy("vs_currency").orderBy("date")
    pages = (
        seen.groupBy("vs_currency", "date")
        .agg(F.array_sort(F.collect_list(coin)).alias("page"), F.min("first_seen_at").alias("seen_at"))
        .withColumn("before", F.lag("page").over(in_order))
        .withColumn("date_before", F.lag("date").over(in_order))
        .where(F.col("date_before") >= F.date_sub("date", PAGES_APART))
        .withColumn("compared", F.least(F.size("page"), F.size("before")))
        .withColumn("coin_now", F.map_from_arrays(_ids("page"), F.col("page")))
        .withColumn("coin_before", F.map_from_arrays(_ids("before"), F.col("before")))
    )
    return (
        pages.select("vs_currency", F.explode(F.concat(_entered(), _left(), _records())).alias("event"))
        .select("vs_currency", "event.*")
        .select(*schema.MARKET_EVENTS.column_names)
    )


def _entered() -> Column:
    def event(coin_id: Column) -> Column:
        coin = F.try_element_at(F.col("coin_now"), coin_id)
        return _page_event("entered", coin, coin["first_seen_at"], coin["rank"], F.col("compared").cast("double"))

    return F.transform(F.array_except(_ids(_largest("page")), _ids(_largest("before"))), event)


def _left() -> Column:
    def event(coin_id: Column) -> Column:
        coin = F.try_element_at(F.col("coin_before"), coin_id)
        return _page_event("left", coin, F.col("seen_at"), coin["rank"], F.col("compared").cast("double"))

    return F.transform(F.array_except(_ids(_largest("before")), _ids(_largest("page"))), event)


def _records() -> Column:
    def before(coin: Column) -> Column:
        return F.try_element_at(F.col("coin_before"), coin["coin_id"])

    def is_record(coin: Column) -> Column:
        return (coin["high"] > before(coin)["high"]) & (coin["high_at"] > before(coin)["high_at"])

    def record(coin: Column) -> Column:
        at = F.least(F.greatest(coin["high_at"], coin["first_seen_at"]), coin["last_seen_at"])
        return _page_event("record_high", coin, at, coin["high"], before(coin)["high"])

    return F.transform(F.filter("page", is_record), record)


def _page_event(kind: str, coin: Column, at: Column, value: Column, reference: Column) -> Column:
    return F.struct(
        F.lit(kind).alias("kind"),
        coin["coin_id"].alias("coin_id"),
        at.alias("happened_at"),
        value.alias("value"),
        reference.alias("reference"),
    )


def _largest(page: str) -> Column:
    return F.slice(page, F.lit(1), F.col("compared"))


def _ids(coins: str | Column) -> Column:
    return F.transform(coins, lambda coin: coin["coin_id"])


def market_events_update(inputs: Inputs, reach: Reach) -> Update | None:
    """The events of closes from the first changed close on, or all of them when a coin's kind changed; those of
    pages from the first day with new snapshots on. None when they are what is stored: most hours bring none."""
    plan, table = inputs.plan, schema.MARKET_EVENTS
    since_of = {OF_CLOSES: reach.since_of_kinds, OF_PAGES: earliest(*plan.days(schema.COIN_SNAPSHOTS))}
    if plan.is_first:
        since_of = {OF_CLOSES: FIRST_DAY, OF_PAGES: FIRST_DAY}
    due = {kinds: _midnight(since) for kinds, since in since_of.items() if since is not None}
    if not due:
        return None
    found = []
    if since := since_of[OF_CLOSES]:
        days = complete_days(inputs, reach, days_earlier(since, LONGEST_WINDOW), all_coins=True)
        found.append(events_of_closes(days, reach.kinds))
    if since := since_of[OF_PAGES]:
        first = _midnight(days_earlier(since, PAGES_APART))
        found.append(events_of_pages(inputs.read(schema.COIN_SNAPSHOTS).where(from_instant("snapshot_at", first))))
    events = reduce(DataFrame.union, found)
    if plan.is_first:
        return Update(table, events)
    renewed = reduce(
        Column.__or__,
        (F.col("kind").isin(*kinds) & (F.col("happened_at") > since) for kinds, since in due.items()),
    )
    rows = sorted(map(tuple, events.where(renewed).collect()))
    stored = (tuple(row[name] for name in table.column_names) for row in inputs.lake.table(table).collected())
    at = table.column_names.index("happened_at")
    kind = table.column_names.index("kind")
    if rows == sorted(
        row for row in stored if any(row[kind] in of and row[at] > since for of, since in due.items())
    ):
        return None
    return Update(table, inputs.lake.spark.createDataFrame(rows, table.ddl), replaces=renewed)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())
