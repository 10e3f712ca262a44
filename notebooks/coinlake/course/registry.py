"""Asks, checks and helps: what a notebook calls. Its exercises stand in the module of its number."""

import importlib
from textwrap import dedent

from coinlake.course import progress
from coinlake.course.answers import is_missing, shown
from coinlake.course.exercise import Exercise, learner
from coinlake.errors import ConfigurationError

NOTEBOOKS = tuple(f"{number:02}" for number in range(9))
# How many hints of an exercise were given in this kernel.
_given: dict[str, int] = {}


def all_exercises() -> list[Exercise]:
    """Every exercise, in the order of the course."""
    return [exercise for notebook in NOTEBOOKS for exercise in of_notebook(notebook)]


def of_notebook(notebook: str) -> tuple[Exercise, ...]:
    """The exercises of a notebook, by its two digits. Imported when asked for: a notebook needs its own only."""
    exercises: tuple[Exercise, ...] = importlib.import_module(f"coinlake.course.notebook_{notebook}").EXERCISES
    return exercises


def find(number: str) -> Exercise:
    """The exercise of this number, such as "03.1". Raises ConfigurationError for one that does not exist."""
    notebook = number.partition(".")[0]
    exercises = of_notebook(notebook) if notebook in NOTEBOOKS else ()
    for exercise in exercises:
        if exercise.number == number:
            return exercise
    known = ", ".join(exercise.number for exercise in exercises)
    raise ConfigurationError(f"There is no exercise {number}." + (f" This notebook has {known}." if known else ""))


def ask(number: str) -> None:
    """Print the question of an exercise, with the learner's own values in it."""
    exercise = find(number)
    print(exercise.question.format_map(exercise.values(learner())))


def check(number: str, answer: object) -> None:
    """Print whether an answer is right: not answered yet, ✓ right, or ✗ not yet and what is wrong.

    An answer that is right is noted as progress. Nothing is raised, whatever the answer is or does: an exercise
    must not stop the run of a notebook.
    """
    exercise = find(number)
    try:
        if is_missing(answer, exercise.start):
            print("not answered yet")
            return
        fault = exercise.judge(answer, exercise.values(learner()))
    except Exception as error:
        first = next(iter(str(error).strip().splitlines()), "")
        fault = f"It raised {type(error).__name__}: {shown(first[:75])}"
    if fault:
        print(f'✗ not yet. {fault} course.hint("{number}") helps.')
    else:
        print("✓ right")
        progress.note(exercise.number)


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
