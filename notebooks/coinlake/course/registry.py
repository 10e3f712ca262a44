"""Asks, checks and helps: what a notebook calls. Its exercises stand in the module of its number."""

import importlib
from collections.abc import Iterable
from textwrap import dedent
from typing import Any

from coinlake.course import progress
from coinlake.course.answers import is_missing, shown
from coinlake.course.exercise import Exercise, NotAnswered, learner
from coinlake.errors import ConfigurationError

NOTEBOOKS = tuple(f"{number:02}" for number in range(9))
DRILLS = tuple(f"D{number}" for number in range(1, 7))
# How many hints of an exercise were given in this kernel.
_given: dict[str, int] = {}


def all_exercises(notebooks: Iterable[str] = NOTEBOOKS) -> list[Exercise]:
    """Every exercise of the notebooks, or of the drills, in the order of the course."""
    return [exercise for notebook in notebooks for exercise in of_notebook(notebook)]


def of_notebook(notebook: str) -> tuple[Exercise, ...]:
    """The exercises of a notebook, "03", or of a drill, "D3". Imported when asked for: each needs its own only."""
    module = f"drill_{notebook[1:]}" if notebook in DRILLS else f"notebook_{notebook}"
    exercises: tuple[Exercise, ...] = importlib.import_module(f"coinlake.course.{module}").EXERCISES
    return exercises


def find(number: str) -> Exercise:
    """The exercise of this number, such as "03.1". Raises ConfigurationError for one that does not exist."""
    notebook = number.partition(".")[0]
    exercises = of_notebook(notebook) if notebook in NOTEBOOKS + DRILLS else ()
    for exercise in exercises:
        if exercise.number == number:
            return exercise
    known = ", ".join(exercise.number for exercise in exercises)
    raise ConfigurationError(f"There is no exercise {number}." + (f" This notebook has {known}." if known else ""))


def ask(number: str) -> None:
    """Print the question of an exercise, with the learner's own values in it."""
    exercise = find(number)
    print(exercise.question.format_map(exercise.values(learner())))


def mine(number: str) -> dict[str, Any]:
    """What is the learner's own in an exercise, for a notebook that prepares it."""
    return find(number).values(learner())


def check(number: str, answer: object, given: object = None) -> None:
    """Print whether an answer is right: not answered yet, ✓ right, or ✗ not yet and what is wrong.

    `given` is what the judge needs of the notebook: a frame, a folder.
    An answer that is right is noted as progress. Nothing is raised, whatever the answer is or does: an exercise
    must not stop the run of a notebook.
    """
    verdict = judged(number, answer, learner(), given)
    if verdict is None:
        print("not answered yet")
    elif verdict:
        print(f'✗ not yet. {verdict} course.hint("{number}") helps.')
    else:
        print("✓ right")
        progress.note(number)


def judged(number: str, answer: object, name: str, given: object = None) -> str | None:
    """What is wrong with a learner's answer, in words; empty when it is right, None when there is none.

    Whatever the answer does: what it raises is what is wrong with it. Raises ConfigurationError where there is no
    such exercise.
    """
    exercise = find(number)
    try:
        if is_missing(answer, exercise.start):
            return None
        return exercise.judge(answer, exercise.values(name) | {"given": given}) or ""
    except NotAnswered:
        return None
    except Exception as error:
        return raised(error)


def raised(error: BaseException) -> str:
    """What a learner is told of an error that their answer raised."""
    first = next(iter(str(error).strip().splitlines()), "")
    return f"It raised {type(error).__name__}: {shown(first[:75])}"


def hint(number: str) -> None:
    """Print the next hint of an exercise; after the last one, how to see the solution."""
    hints = find(number).hints
    given = _given.get(number, 0)
    if given < len(hints):
        print(f"Hint {given + 1} of {len(hints)}: {hints[given]}")
    else:
        print(f'There are no more hints. course.solution("{number}") shows one way.')
    _given[number] = given + 1


def solution(number: str) -> None:
    """Print a solution of an exercise: one way among others."""
    print(solved(find(number), learner()))


def solved(exercise: Exercise, name: str) -> str:
    """The solution of an exercise as Python, for a learner."""
    text = dedent(exercise.solution).strip()
    for value, own in exercise.values(name).items():
        text = text.replace(f"<{value}>", str(own))
    return text
