"""Exercises of notebook 03: a MERGE that makes a repeated batch harmless, an expectation, overlapping pages."""

from tempfile import TemporaryDirectory
from typing import Any

from coinlake import runtime
from coinlake.course.answers import shown
from coinlake.course.exercise import CHANGE, PREDICT, WRITE, Exercise, Values

PAGE = [("bitcoin", 2.0, "10:00"), ("ether", 5.0, "10:00"), ("ether", 6.0, "10:30")]
LATE = [("bitcoin", 1.0, "09:00"), ("tether", 1.0, "09:00")]
# Batches in the order in which they arrive, what the table holds after each, and what it shows.
BATCHES = (
    (PAGE, {"bitcoin": 2.0, "ether": 6.0}, "A page names a coin twice: the row that was fetched last counts."),
    (
        PAGE,
        {"bitcoin": 2.0, "ether": 6.0},
        "The same batch came again, as after a crash, and must change nothing.",
    ),
    (
        LATE,
        {"bitcoin": 2.0, "ether": 6.0, "tether": 1.0},
        "An older page came late: what it knows of a coin must not replace what is newer.",
    ),
)

# What a row holds, whether the rule should take it, and what it shows.
COINS = (
    ("12.0 AS high_24h, 11.0 AS low_24h", True, "A usual coin must pass."),
    ("11.0 AS high_24h, 12.0 AS low_24h", False, "A highest price below the lowest one cannot be."),
    ("11.0 AS high_24h, 11.0 AS low_24h", True, "A coin that does not move has both alike."),
    ("DOUBLE(NULL) AS high_24h, 11.0 AS low_24h", True, "NULL is no lie: a price that is not known must pass."),
    ("12.0 AS high_24h, DOUBLE(NULL) AS low_24h", True, "NULL is no lie, for the lowest price either."),
)
STRICT = "high_24h > low_24h"


def judge_upsert(upsert: Any, values: Values) -> str | None:
    """Gives the function three batches, and looks at the table after each."""
    spark = runtime.spark()
    with TemporaryDirectory(prefix="coinlake-course-") as folder:
        table = f"delta.`{folder}/prices`"
        spark.sql(f"CREATE TABLE {table} (coin_id STRING, price DOUBLE, fetched_at STRING) USING delta")
        for number, (rows, expected, words) in enumerate(BATCHES):
            batch = spark.createDataFrame(rows, "coin_id STRING, price DOUBLE, fetched_at STRING")
            try:
                upsert(batch, table)
            except Exception as error:
                if "MULTIPLE_SOURCE_ROW" in str(error):
                    return f"{words} MERGE refuses a source that has two rows for one row of the target."
                raise
            found = [tuple(row) for row in spark.read.format("delta").load(f"{folder}/prices").collect()]
            if {coin: price for coin, price, _ in found} != expected or len(found) != len(expected):
                held = shown({coin: price for coin, price, _ in found})
                return f"{words} After batch {number + 1} the table has {len(found)} rows: {held}."
    return None


def judge_expectation(condition: Any, values: Values) -> str | None:
    """Puts five coins through the condition; as in the pipeline, only what is true passes."""
    spark = runtime.spark()
    verdicts = spark.sql(
        " UNION ALL ".join(
            f"SELECT {place} AS place, coalesce({condition}, false) AS passes FROM (SELECT {coin})"
            for place, (coin, _, _) in enumerate(COINS)
        )
    )
    passes = {row["place"]: row["passes"] for row in verdicts.collect()}
    return next((words for place, (_, good, words) in enumerate(COINS) if passes[place] != good), None)


def judge_hours(answer: Any, values: Values) -> str | None:
    """Compares with a week of hours and those that each further page adds."""
    pages, apart = values["pages"], values["apart"]
    if answer == 168 + apart * (pages - 1):
        return None
    if answer == 168 * pages:
        return "Most hours stand in several pages, and a key is there once."
    if answer == 168 + apart * pages:
        return "The first page adds all of its 168 hours: only the pages after it add what they know more."
    return "What does the second page know that the first one could not?"


EXERCISES = (
    Exercise(
        number="03.1",
        kind=WRITE,
        idea="MERGE by hand, so that a repeated batch is harmless",
        judge=judge_upsert,
        hints=(
            "First one row a coin: batch.groupBy('coin_id').agg(F.max_by(…, 'fetched_at')). Then "
            "createOrReplaceTempView, and MERGE INTO {target} AS t USING … AS s ON t.coin_id = s.coin_id",
            "WHEN MATCHED may have a condition: AND s.fetched_at > t.fetched_at THEN UPDATE SET *. "
            "Then WHEN NOT MATCHED THEN INSERT *.",
        ),
        solution='''
            def upsert(batch, target):
                newest = F.max_by(F.struct("price", "fetched_at"), "fetched_at").alias("newest")
                rows = batch.groupBy("coin_id").agg(newest).select("coin_id", "newest.*")
                rows.createOrReplaceTempView("newest_of_batch")
                batch.sparkSession.sql(f"""
                    MERGE INTO {target} AS t USING newest_of_batch AS s ON t.coin_id = s.coin_id
                    WHEN MATCHED AND s.fetched_at > t.fetched_at THEN UPDATE SET *
                    WHEN NOT MATCHED THEN INSERT *
                """)
        ''',
    ),
    Exercise(
        number="03.2",
        kind=CHANGE,
        idea="say what must be true of a record before it is believed",
        judge=judge_expectation,
        start=STRICT,
        hints=(
            "Which coins does the condition turn away that are well? Think of one that does not move.",
            "A comparison with NULL is NULL, which is not true: … OR high_24h IS NULL OR low_24h IS NULL.",
        ),
        solution='condition = "high_24h >= low_24h OR high_24h IS NULL OR low_24h IS NULL"',
    ),
    Exercise(
        number="03.3",
        kind=PREDICT,
        idea="say how many rows pages leave that overlap",
        judge=judge_hours,
        draw=lambda chance: {"pages": chance.randint(3, 6), "apart": chance.randint(2, 9)},
        question="{pages} pages with full sparklines are fetched, one every {apart} hours. How many hourly rows "
        "of coin_prices does one coin have then?",
        hints=(
            "The first page brings 168 hours. How many of those of the second page are new?",
            "Each page after the first one brings as many new hours as have passed since the page before.",
        ),
        solution="answer = 168 + <apart> * (<pages> - 1)",
    ),
)
