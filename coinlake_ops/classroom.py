"""The exercises from outside: where a learner stands, what is handed in, and how it is graded."""

import ast
import contextlib
import csv
import io
import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import nbformat

from coinlake import course, instants
from coinlake.errors import CoinlakeError
from coinlake_ops import notebooks, spark_server

# How long an answer may take: one that never ends must not hold up those of the others.
LONGEST_SECONDS = 60
GRADES = "grades.csv"


class TooLong(Exception):
    """An answer took longer than it may."""


def standing(name: str) -> str:
    """A line for each exercise: its kind, what is done in it, and when the learner has solved it.

    Without a name it is that of the learner who has solved one last.
    """
    name = name or course.newest_learner()
    solved = course.solved_at(name)
    exercises = course.all_exercises()
    lines = [
        f"{'✓' if each.number in solved else '·'} {each.number}  {each.kind:<8} {each.idea:<70}"
        f"{solved.get(each.number, '')[:10]}".rstrip()
        for each in exercises
    ]
    count = sum(each.number in solved for each in exercises)
    return "\n".join([*lines, f"{count} of {len(exercises)} solved{f' by {name}' if name else ''}"])


def cells() -> dict[str, tuple[Path, str]]:
    """The exercises' cells of the notebooks as they are saved: number -> notebook, source."""
    found = {}
    for path in sorted(notebooks.folder_to_work_in().glob("[0-9][0-9]_*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            checked = re.search(r'course\.check\("([\d.]+)"', cell.source)
            if checked and cell.cell_type == "code":
                found[checked[1]] = (path, cell.source)
    return found


def hand_in(name: str, folder: Path) -> Path:
    """Writes a learner's answers, and nothing else of the notebooks, into <name>.json; returns its path.

    Raises CoinlakeError for a name of nothing but signs.
    """
    stem = re.sub(r"\W+", "-", name).strip("-")
    if not stem:
        raise CoinlakeError(f"{name!r} names nobody: give a name with letters or digits.")
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{stem}.json"
    answers = {number: source for number, (_, source) in cells().items()}
    content = {"learner": name, "at": instants.to_text(datetime.now(UTC)), "answers": answers}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file


def grade(folder: Path) -> Iterator[str]:
    """Judges every file of a folder, and writes grades.csv there; yields a line for each learner.

    What the learners have written is run, each answer for LONGEST_SECONDS at most, in this process: where they
    would be let work themselves. One Spark server serves all. Raises CoinlakeError where there
    is nothing to grade, or a file is none of `hand_in`.
    """
    handed_in = [_read(file) for file in sorted(folder.glob("*.json"))]
    if not handed_in:
        raise CoinlakeError(f"Nothing was handed in in {folder}: it holds no file of `coinlake course hand-in`.")
    numbers = [exercise.number for exercise in course.all_exercises()]
    imports = {number: _imports(path) for number, (path, _) in cells().items()}
    with TemporaryDirectory(prefix="coinlake-grade-") as place, spark_server.start(Path(place)) as server:
        os.environ.update(server.environment)
        table = []
        for content in handed_in:
            name, answers = content["learner"], content["answers"]
            results = {number: _verdict(number, answers.get(number, ""), imports, name) for number in numbers}
            table.append({"learner": name, "solved": [*results.values()].count("right")} | results)
            yield f"{name}: {table[-1]['solved']} of {len(numbers)}"
    with (folder / GRADES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["learner", "solved", *numbers])
        writer.writeheader()
        writer.writerows(table)
    yield f"{folder / GRADES} says of each answer what is wrong with it"


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content["learner"], str) and isinstance(content["answers"], dict):
            return dict(content)
    except (ValueError, KeyError, TypeError):
        pass
    raise CoinlakeError(f"{file} is no file of `coinlake course hand-in`: remove it, or ask for it again.")


def _verdict(number: str, source: str, imports: Mapping[str, str], name: str) -> str:
    """What a learner's cell comes to: right, missing, or what is wrong."""
    answers: dict[str, object] = {}
    # The cell's own call only hands over the answer: what it prints is not believed.
    stand_in = SimpleNamespace(
        check=answers.__setitem__, ask=lambda number: None, hint=lambda number: None, solution=lambda number: None
    )
    said = io.StringIO()
    try:
        with _at_most(LONGEST_SECONDS), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            namespace: dict[str, Any] = {}
            exec(imports.get(number, ""), namespace)
            exec(source, namespace | {"course": stand_in})
            verdict = course.judged(number, answers.get(number), name)
    except (Exception, SystemExit) as error:
        return course.raised(error)
    return "missing" if verdict is None else verdict or "right"


def _imports(notebook: Path) -> str:
    """The imports of a notebook, which its exercises may use."""
    tree = ast.parse(nbformat.read(notebook, as_version=4).cells[2].source)
    return "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))


@contextlib.contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Raises TooLong in the block when it takes longer."""

    def late(*_: Any) -> None:
        raise TooLong(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
