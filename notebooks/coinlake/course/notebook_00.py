"""Exercises of notebook 00: what a log says, and a table that refuses."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coinlake import runtime
from coinlake.course.answers import same, shown
from coinlake.course.exercise import DO, WRITE, Exercise, Values

# Logs as lists of commits; a commit is a list of (action, file). Each with its live files and what it shows.
LOGS: tuple[tuple[list[list[tuple[str, str]]], set[str], str], ...] = (
    (
        [[], [("add", "a.parquet"), ("add", "b.parquet")]],
        {"a.parquet", "b.parquet"},
        "A commit may add two files.",
    ),
    (
        [[("add", "a.parquet"), ("add", "b.parquet")], [("remove", "a.parquet"), ("add", "c.parquet")]],
        {"b.parquet", "c.parquet"},
        "A file that a later commit removes does not count any more.",
    ),
    (
        [
            [("add", "a.parquet")],
            *([("add", f"{number}.parquet"), ("remove", f"{number}.parquet")] for number in range(9)),
            [("remove", "a.parquet")],
            [("add", "a.parquet")],
        ],
        {"a.parquet"},
        "What was removed may be added again: commits are read from the oldest to the newest.",
    ),
)


def judge_live_files(live_files: Any, values: Values) -> str | None:
    """Tries the function on logs of its own, which hold what stands in real ones beside the commits."""
    for commits, expected, words in LOGS:
        with TemporaryDirectory() as folder:
            log = Path(folder, "_delta_log")
            log.mkdir()
            # The newest first: a folder is listed in no order.
            for version, commit in reversed([*enumerate(commits)]):
                actions = [
                    {"commitInfo": {"operation": "WRITE"}},
                    *({kind: {"path": file}} for kind, file in commit),
                ]
                (log / f"{version:020}.json").write_text("\n".join(map(json.dumps, actions)) + "\n")
                (log / f"{version:020}.crc").write_text('{"numFiles": 0}')
            got = live_files(log)
        if not isinstance(got, set | list | tuple) or not same(sorted(map(str, got)), sorted(expected)):
            return f"{words} Of a log of {len(commits)} commits it gave {shown(got)}."
    return None


def judge_guard(guard: Any, values: Values) -> str | None:
    """Lets the function guard a table, and then knocks at it."""
    spark = runtime.spark()
    with TemporaryDirectory(prefix="coinlake-course-") as folder:
        table = f"delta.`{folder}/prices`"
        spark.sql(f"CREATE TABLE {table} (coin_id STRING, price DOUBLE) USING delta")
        guard(spark, table)
        for price, is_refused, words in (
            (values["limit"] * 1.01, True, f"A price above {values['limit']} was taken"),
            (-1.0, True, "A negative price was taken"),
            (float(values["limit"]), False, f"A price of exactly {values['limit']} was refused"),
            ("NULL", False, "A price that nobody knows, NULL, was refused"),
        ):
            try:
                spark.sql(f"INSERT INTO {table} VALUES ('a', {price})")
            except Exception as refusal:
                if not is_refused:
                    return f"{words}: {shown(str(refusal).splitlines()[0][:70])}."
                if "CONSTRAINT" not in str(refusal):
                    return f"The table cannot be written to any more: {shown(str(refusal).splitlines()[0][:70])}."
            else:
                if is_refused:
                    return f"{words}."
    return None


EXERCISES = (
    Exercise(
        number="00.1",
        kind=WRITE,
        idea="read a Delta log by hand",
        judge=judge_live_files,
        hints=(
            "Each line of a commit is a JSON object with one key, its action: `add` and `remove` have a `path`.",
            "Go through sorted(log.glob('*.json')), and keep a set: add a path, discard a path.",
        ),
        solution="""
            def live_files(log):
                files = set()
                for commit in sorted(log.glob("*.json")):
                    for action in map(json.loads, commit.read_text().splitlines()):
                        if "add" in action:
                            files.add(action["add"]["path"])
                        if "remove" in action:
                            files.discard(action["remove"]["path"])
                return files
        """,
    ),
    Exercise(
        number="00.2",
        kind=DO,
        idea="let a table refuse bad rows by itself",
        judge=judge_guard,
        draw=lambda chance: {"limit": chance.randrange(200_000, 900_000, 10_000)},
        question="Let the table refuse prices below 0 and above {limit}, and nothing else.",
        hints=(
            "ALTER TABLE … ADD CONSTRAINT a_name CHECK (a condition on the columns)",
            "Delta refuses what is not true, and a comparison with NULL is not: … OR price IS NULL.",
        ),
        solution="""
            def guard(spark, table):
                rule = "price IS NULL OR price BETWEEN 0 AND <limit>"
                spark.sql(f"ALTER TABLE {table} ADD CONSTRAINT plausible CHECK ({rule})")
        """,
    ),
)
