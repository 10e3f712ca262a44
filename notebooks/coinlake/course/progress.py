"""Which exercises a learner has solved, and when: one line of JSON for each, in lake/progress.jsonl."""

import json
from datetime import UTC, datetime
from pathlib import Path

from coinlake import instants, project_files
from coinlake.course.exercise import learner


def file() -> Path:
    """Where progress is noted: beside the lakes, so that one which is deleted takes nothing with it."""
    return project_files.home() / "lake" / "progress.jsonl"


def note(number: str) -> None:
    """Note that the learner has solved an exercise; once is enough. Where that cannot be written, it is said."""
    if number in solved_at(learner()):
        return
    line = {"learner": learner(), "exercise": number, "at": instants.to_text(datetime.now(UTC))}
    try:
        file().parent.mkdir(parents=True, exist_ok=True)
        with file().open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
    except OSError as problem:
        print(f"(It could not be noted as progress: {problem})")


def solved_at(name: str) -> dict[str, str]:
    """The exercises that a learner has solved, each with the instant (UTC) at which it was first solved."""
    try:
        lines = file().read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    noted = [line for line in map(_parsed, lines) if line.get("learner") == name]
    return {line["exercise"]: line["at"] for line in reversed(noted)}


def newest_learner() -> str:
    """Who has solved an exercise last; empty when nobody has."""
    try:
        lines = file().read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line["learner"] for line in map(_parsed, reversed(lines)) if line), "")


def reset(name: str) -> int:
    """Forget what a learner has solved; returns how many exercises that were."""
    count = len(solved_at(name))
    if count:
        kept = [
            line for line in map(_parsed, file().read_text("utf-8").splitlines()) if line.get("learner") != name
        ]
        file().write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    return count


def _parsed(line: str) -> dict[str, str]:
    """A line of the file; empty where it is none, because a person may edit it."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"learner", "exercise", "at"} <= found.keys() else {}
