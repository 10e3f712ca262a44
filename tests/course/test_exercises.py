"""Every exercise, for three learners: its solution and what is also right pass, what is nearly right is told why.

An answer stands where a learner writes it, in the exercise's cell of its notebook.
"""

import ast
import re
from textwrap import dedent

import nbformat
import pytest

from coinlake import course
from coinlake_ops import notebooks
from tests.support.course_answers import ANSWERS

NAMES = ("", "ada", "Muḥammad ibn Mūsā")
EXERCISES = course.all_exercises()
# Their answers are tried on tables and frames of Spark; of what they ask only a number is a learner's own.
WITH_SPARK = ("00.2", "03.1", "03.2", "04.1", "04.2")
NUMBERS = [exercise.number for exercise in EXERCISES]


def cells_of(notebook):
    return nbformat.read(notebook, as_version=4).cells


def exercise_cells(notebook):
    """The exercises' cells of a notebook, by the number that they check."""
    cells = [cell.source for cell in cells_of(notebook) if "exercise" in cell.metadata.get("tags", [])]
    return {re.search(r'course\.check\("([\d.]+)", \w+\)$', cell)[1]: cell for cell in cells}


@pytest.fixture
def say(monkeypatch, tmp_path, capsys):
    """What an exercise's cell prints at its end with a learner's answer in it; with None, as it comes."""
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))

    def answer(number, name, code):
        monkeypatch.setenv(course.LEARNER, name)
        notebook = next(path for path in notebooks.all_paths() if path.stem.startswith(number[:2]))
        imports = [
            node for node in ast.parse(cells_of(notebook)[2].source).body if "Import" in type(node).__name__
        ]
        namespace = {}
        exec(compile(ast.Module(imports, []), "imports", "exec"), namespace)
        cell = exercise_cells(notebook)[number]
        for value, own in course.find(number).values(name).items():
            code = code and code.replace(f"<{value}>", str(own))
        exec(cell if code is None else dedent(code) + "\n" + cell.splitlines()[-1], namespace)
        return capsys.readouterr().out.splitlines()[-1]

    return answer


def assert_judged(number, names, say):
    for name in names:
        assert say(number, name, None) == "not answered yet"
        for code in (course.find(number).solution, *ANSWERS[number].also_right):
            assert (say(number, name, code), code) == ("✓ right", code)
        for code, words in ANSWERS[number].nearly_right:
            said = say(number, name, code)
            assert said.startswith("✗ not yet. "), code
            assert words in said, code
            assert said.endswith(f' course.hint("{number}") helps.')


@pytest.mark.parametrize("number", [number for number in NUMBERS if number not in WITH_SPARK])
def test_answers_are_judged_for_three_learners(number, say):
    assert_judged(number, NAMES, say)


@pytest.mark.slow
@pytest.mark.parametrize("number", WITH_SPARK)
def test_answers_that_work_on_tables_are_judged_by_what_they_leave(spark, number, say):
    assert say(number, "ada", course.find(number).solution) == "✓ right"
    code, words = ANSWERS[number].nearly_right[-1]
    assert words in say(number, "ada", code)


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("number", WITH_SPARK)
def test_all_answers_that_work_on_tables_are_judged_by_what_they_leave(spark, number, say):
    assert_judged(number, NAMES, say)


def test_each_notebook_has_its_exercises_and_each_exercise_its_answers():
    there = {path.stem[:2]: [*exercise_cells(path)] for path in notebooks.all_paths()}
    assert [number for numbers in there.values() for number in numbers] == NUMBERS == [*ANSWERS]
    assert all(number.startswith(notebook) for notebook, numbers in there.items() for number in numbers)
    for number, answers in ANSWERS.items():
        assert answers.also_right and len(answers.nearly_right) >= 2, number


def test_what_an_exercise_consists_of():
    assert {exercise.kind for exercise in EXERCISES} == {*course.KINDS}
    assert len(set(NUMBERS)) == len(NUMBERS)
    for exercise in EXERCISES:
        assert len(exercise.hints) == 2, exercise.number
        assert exercise.values("ada") == exercise.values("ada")


def test_no_cell_shows_what_is_expected():
    for path in notebooks.all_paths():
        for number, cell in exercise_cells(path).items():
            exercise = course.find(number)
            assert "expected" not in cell
            assert course.solved(exercise, "").splitlines()[-1].strip() not in cell, number


@pytest.mark.parametrize("number", [exercise.number for exercise in EXERCISES if exercise.values("")])
def test_a_personal_question_differs_from_name_to_name_and_says_its_values(number, monkeypatch, capsys):
    asked = set()
    for name in ("ada", "grace", "edsger", "barbara"):
        monkeypatch.setenv(course.LEARNER, name)
        course.ask(number)
        asked.add(capsys.readouterr().out)
    assert len(asked) > 1
    assert not re.search(r"[{}]", "".join(asked).replace("'{", "").replace("}'", ""))
