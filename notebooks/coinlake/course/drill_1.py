"""Exercises of the drill Open the log: which files count, and an accident undone."""

import json
from pathlib import Path
from typing import Any

from coinlake import runtime
from coinlake.course.answers import shown
from coinlake.course.exercise import DO, PREDICT, Exercise, NotAnswered, Values

# The last commit of the set-up: whoever has repaired the table has made another.
SET_UP = 4


def files_at(folder: Path, version: int) -> set[str]:
    """The names of the files that count at a version of the table in a folder."""
    files: set[str] = set()
    for commit in sorted((folder / "_delta_log").glob("*.json"))[: version + 1]:
        for action in map(json.loads, commit.read_text().splitlines()):
            files |= {action["add"]["path"]} if "add" in action else set()
            files -= {action["remove"]["path"]} if "remove" in action else set()
    return files


def judge_files(answer: Any, values: Values) -> str | None:
    """Compares with the log itself."""
    said = {Path(str(name)).name for name in answer}
    expected = files_at(Path(values["given"]), 2)
    if said == expected:
        return None
    if said - files_at(Path(values["given"]), SET_UP) - expected:
        return (
            "One of them is a file that an UPDATE or DELETE has removed from the table, or no file of it at all."
        )
    return f"At version 2 the table has {len(expected)} files; you name {len(said & expected)} of them."


def judge_version(answer: Any, values: Values) -> str | None:
    """Compares with the version before the DELETE."""
    if answer == 2:
        return None
    return (
        "3 is the accident itself: look at the version before." if answer == 3 else "Which commit is the DELETE?"
    )


def judge_repair(answer: Any, values: Values) -> str | None:
    """Looks at the rows, and at the log, which must remember the accident."""
    folder = Path(values["given"])
    commits = sorted((folder / "_delta_log").glob("*.json"))
    if len(commits) == SET_UP + 1:
        raise NotAnswered
    operations = [
        action["commitInfo"]["operation"]
        for commit in commits
        for action in map(json.loads, commit.read_text().splitlines())
        if "commitInfo" in action
    ]
    if operations[3:4] != ["DELETE"]:
        return "The table was made anew, and its history is gone. Begin the drill again from the top."
    rows = sorted(map(tuple, runtime.spark().read.format("delta").load(str(folder)).collect()))
    days = [day for day, _ in rows]
    if len(days) != len(set(days)):
        return "Some day is there twice: of the old version only the days that are missing must come back."
    if 9 not in days:
        return "Day 9 was written after the accident, and is gone: RESTORE takes back everything that came later."
    if days != [*range(1, 10)]:
        return f"Days {shown(sorted(set(range(1, 10)) - {*days}))} are still missing."
    return None if (3, 20) in rows else "The mood of day 3 had been corrected to 20 before the accident."


EXERCISES = (
    Exercise(
        number="D1.1",
        kind=DO,
        idea="list by hand which files of a table count",
        judge=judge_files,
        hints=(
            "Commits 0, 1 and 2 in turn: each `add` puts a name on your list, each `remove` strikes one out.",
            "The UPDATE of version 2 has removed the file in which day 3 stood, and added one in its place.",
        ),
        solution="""
            files_of_version_2 = set()
            for commit in sorted((place / "moods" / "_delta_log").glob("*.json"))[:3]:
                for action in map(json.loads, commit.read_text().splitlines()):
                    files_of_version_2 |= {action["add"]["path"]} if "add" in action else set()
                    files_of_version_2 -= {action["remove"]["path"]} if "remove" in action else set()
        """,
    ),
    Exercise(
        number="D1.2",
        kind=PREDICT,
        idea="find the version before an accident",
        judge=judge_version,
        hints=("The operation of each commit stands in its commitInfo.", "The DELETE is version 3."),
        solution="before_the_accident = 2",
    ),
    Exercise(
        number="D1.3",
        kind=DO,
        idea="undo an accident and keep what was written since",
        judge=judge_repair,
        draw=lambda chance: {"last": chance.randint(4, 6)},
        hints=(
            "SELECT * FROM … VERSION AS OF 2 reads the table as it was; INSERT INTO takes what a SELECT gives.",
            "Only the days that the DELETE took must come back: WHERE day > … AND day < 9.",
        ),
        solution="""
            spark.sql(f"INSERT INTO {moods} SELECT * FROM {moods} VERSION AS OF 2 WHERE day > <last>")
        """,
    ),
)
