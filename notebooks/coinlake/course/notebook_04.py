"""Exercises of notebook 04: a window on the calendar, a dimension with a memory, the reach of a correction."""

from datetime import date, timedelta
from random import Random
from typing import Any

from coinlake import runtime
from coinlake.course.answers import same, shown
from coinlake.course.exercise import PREDICT, WRITE, Exercise, Values

# Closes of two coins as (coin, day of August, close); of the first one the 4th is missing.
CLOSES = [
    *(("a", day, close) for day, close in ((1, 10.0), (2, 20.0), (3, 30.0), (5, 50.0), (6, 60.0), (7, 70.0))),
    *(("b", day, float(day)) for day in (1, 2, 3)),
]
AVERAGES = {("a", 3): 20.0, ("a", 7): 60.0, ("b", 3): 2.0}

# Sightings as (coin, seen at, symbol, name), in no order, and the versions that they make.
SIGHTINGS = [
    ("x", "2026-08-03", "NEW", "X"),
    ("x", "2026-08-01", "OLD", "X"),
    ("x", "2026-08-04", "OLD", "X"),
    ("x", "2026-08-02", "OLD", "X"),
    ("y", "2026-08-02", "Y", "Why"),
    ("y", "2026-08-03", "Y", "Ypsilon"),
]
VERSIONS = {
    ("x", "2026-08-01", "2026-08-03", "OLD", "X"),
    ("x", "2026-08-03", "2026-08-04", "NEW", "X"),
    ("x", "2026-08-04", None, "OLD", "X"),
    ("y", "2026-08-02", "2026-08-03", "Y", "Why"),
    ("y", "2026-08-03", None, "Y", "Ypsilon"),
}


def judge_average(average: Any, values: Values) -> str | None:
    """Asks for averages of 3 days over two coins, of which one has a gap."""
    rows = [(coin, date(2026, 8, day), close) for coin, day, close in CLOSES]
    closes = runtime.spark().createDataFrame(rows, "coin_id STRING, date DATE, close DOUBLE")
    found = average(closes, 3).select("coin_id", "date", "average").collect()
    got = {(coin, day.day): value for coin, day, value in found}
    if got.keys() != {(coin, day) for coin, day, _ in CLOSES} or len(found) != len(CLOSES):
        return f"There must be a row for each row of `closes`, {len(CLOSES)} of them; there are {len(found)}."
    if got["b", 1] is not None or got["a", 2] is not None:
        return "Before three days exist an average of 3 days is NULL, for each coin by itself."
    if got["a", 5] is not None or got["a", 6] is not None:
        return "The 4th is missing: on the 5th and 6th only two of three days exist, so that the average is NULL."
    expected = {key: AVERAGES.get(key) for key in got}
    return None if same(got, expected) else f"Full windows should give other averages; there are {shown(got)}."


def judge_versions(versions: Any, values: Values) -> str | None:
    """Shows the function two coins: a symbol that goes and comes back, and a name that changes alone."""
    seen = runtime.spark().createDataFrame(SIGHTINGS, "coin_id STRING, seen_at STRING, symbol STRING, name STRING")
    frame = versions(seen).select("coin_id", "valid_from", "valid_to", "symbol", "name")
    found = {tuple(row) for row in frame.collect()}
    if found == VERSIONS:
        return None
    starts = {row[:2] for row in found}
    if ("x", "2026-08-04") not in starts:
        return "A name that comes back is valid in another interval: it is a version of its own."
    if ("x", "2026-08-02") in starts:
        return "A page that shows what the page before showed begins no version."
    if ("y", "2026-08-03") not in starts:
        return "A version is what a coin is called in symbol *and* name: either may change alone."
    if ("x", "2026-08-01", "2026-08-03", "OLD", "X") not in found:
        return "A version ends where the next one of the same coin begins, at the same instant."
    return f"The newest version of each coin has no end, NULL. There are {len(found)} rows."


def judge_reach(answer: Any, values: Values) -> str | None:
    """Compares with the days whose window holds the corrected day, as far as history goes."""
    days, after = values["days"], values["after"]
    if answer == min(days, after + 1):
        return None
    if answer == days:
        return "That many days would follow if history went on: it ends before."
    if answer in (days - 1, days + 1):
        return "The day itself is the last day of a window, too: count the first and the last one that holds it."
    if answer in (after, after + 1):
        return "A later window does not reach back to the corrected day any more: how many days does one hold?"
    return "On which day does the first window end that holds the corrected day, and on which the last one?"


def a_correction(chance: Random) -> dict[str, Any]:
    """A length of averages, a corrected day, and the last day of history, so many days after it."""
    days = chance.choice((30, 90))
    after = chance.randint(days // 2, 2 * days)
    last = date(2026, 8, 11)
    return {"days": days, "after": after, "day": last - timedelta(days=after), "last": last}


EXERCISES = (
    Exercise(
        number="04.1",
        kind=WRITE,
        idea="an average over days, not over rows",
        judge=judge_average,
        hints=(
            "A window of each coin: PARTITION BY coin_id ORDER BY unix_date(date) RANGE BETWEEN … "
            "PRECEDING AND CURRENT ROW. With F: Window.partitionBy(…).orderBy(…).rangeBetween(1 - days, 0).",
            "Count the closes of the same window, and keep the average only where the count is `days`: "
            "F.when(F.count('close').over(window) == days, F.avg('close').over(window)).",
        ),
        solution='''
            def average(closes, days):
                closes.createOrReplaceTempView("closes")
                return closes.sparkSession.sql(f"""
                    SELECT coin_id, date,
                        CASE WHEN count(close) OVER days = {days} THEN avg(close) OVER days END AS average
                    FROM closes
                    WINDOW days AS (
                        PARTITION BY coin_id ORDER BY unix_date(date)
                        RANGE BETWEEN {days - 1} PRECEDING AND CURRENT ROW
                    )
                """)
        ''',
    ),
    Exercise(
        number="04.2",
        kind=WRITE,
        idea="a slowly changing dimension by hand",
        judge=judge_versions,
        hints=(
            "lag(struct(symbol, name)) OVER (PARTITION BY coin_id ORDER BY seen_at) is what the page before "
            "showed. Keep the rows where it is something else; IS DISTINCT FROM can deal with NULL.",
            "Of the rows that are left, lead(seen_at) over the same window is where the version ends.",
        ),
        solution='''
            def versions(sightings):
                sightings.createOrReplaceTempView("sightings_of_coins")
                return sightings.sparkSession.sql("""
                    WITH compared AS (
                        SELECT *, lag(struct(symbol, name)) OVER (PARTITION BY coin_id ORDER BY seen_at) AS before
                        FROM sightings_of_coins
                    )
                    SELECT coin_id, symbol, name, seen_at AS valid_from,
                        lead(seen_at) OVER (PARTITION BY coin_id ORDER BY seen_at) AS valid_to
                    FROM compared
                    WHERE before IS DISTINCT FROM struct(symbol, name)
                """)
        ''',
    ),
    Exercise(
        number="04.3",
        kind=PREDICT,
        idea="say how far a correction reaches",
        judge=judge_reach,
        draw=a_correction,
        question="A coin has a close for each day up to {last}. The one of {day} is corrected. How many of its "
        "averages of {days} days are computed again?",
        hints=(
            "The average of a day holds the close of that day and of the days before it.",
            "The first average that changes is that of the corrected day itself; the last one begins with it.",
        ),
        solution="answer = min(<days>, <after> + 1)  # history may end before the last window does",
    ),
)
