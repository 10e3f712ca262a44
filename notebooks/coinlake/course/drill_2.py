"""Exercises of the drill Once, at least once, exactly once: what a repeated batch does to an append."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinlake import runtime
from coinlake.course.answers import shown
from coinlake.course.exercise import PREDICT, WRITE, Exercise, Values

# Batches as (number, the numbers of its trades), in the order in which a stream hands them over; 1 is repeated.
BATCHES = ((0, (1, 2)), (1, (3,)), (1, (3,)), (2, (4, 5)))


def judge_rows(answer: Any, values: Values) -> str | None:
    """Compares with three pages and the last one once more."""
    rows = values["rows"]
    if answer == 4 * rows:
        return None
    if answer == 3 * rows:
        return "An append does not look at what is there: the batch that comes again is written again."
    if answer == 6 * rows:
        return "Only the batch without its commit comes again: the checkpoint still knows the others."
    return "How many pages are read, and how many of them twice?"


def judge_write(write: Any, values: Values) -> str | None:
    """Hands over four batches, one of them twice, and looks at the table."""
    spark = runtime.spark()
    with TemporaryDirectory(prefix="coinlake-course-") as place:
        target = str(Path(place, "trades"))
        spark.sql(f"CREATE TABLE delta.`{target}` (trade INT, price DOUBLE) USING delta")
        for number, trades in BATCHES:
            write(
                spark.createDataFrame([(trade, 1.0) for trade in trades], "trade INT, price DOUBLE"),
                number,
                target,
            )
        found = sorted(row["trade"] for row in spark.read.format("delta").load(target).collect())
    if found == [1, 2, 3, 4, 5]:
        return None
    if found.count(3) > 1:
        return f"Batch 1 came twice, and its trade stands there {found.count(3)} times."
    return f"The trades 1 to 5 should be there once each; there are {shown(found)}."


EXERCISES = (
    Exercise(
        number="D2.1",
        kind=PREDICT,
        idea="say what a repeated batch does to an append",
        judge=judge_rows,
        draw=lambda chance: {"rows": chance.randint(3, 9)},
        question="Three pages of {rows} trades each are appended, a page a batch. Then the last commit of the "
        "checkpoint is taken away and the stream runs again. How many rows has the table then?",
        hints=(
            "The checkpoint says of two batches that they are done; the third one stands in `offsets` only.",
            "What is not done is done again, with the same files: one page of trades is appended twice.",
        ),
        solution="rows_after_the_repetition = 4 * <rows>",
    ),
    Exercise(
        number="D2.2",
        kind=WRITE,
        idea="write a batch so that it counts once",
        judge=judge_write,
        hints=(
            "Two ways lead there: MERGE on the key `trade`, or an append with the number of the batch.",
            'Delta skips a write whose number it has had of the same writer: .option("txnAppId", "a name")'
            '.option("txnVersion", batch_id) before .mode("append").save(target).',
        ),
        solution="""
            def write_once(batch, batch_id, target):
                numbered = batch.write.format("delta").option("txnAppId", "drill").option("txnVersion", batch_id)
                numbered.mode("append").save(target)
        """,
    ),
)
