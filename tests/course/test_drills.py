"""The drills, cell by cell as a learner opens them: as they come, solved, and solved again on the same place."""

import re
from textwrap import dedent

import nbformat
import pytest

from coinlake import course
from coinlake_ops import notebooks
from tests.support.drill_answers import ANSWERS

DRILLS = {path.stem[:2].upper(): path for path in sorted((notebooks.FOLDER / "drills").glob("d*.ipynb"))}
WITH_SPARK = ("D1", "D2", "D4")
NUMBERS = [exercise.number for exercise in course.all_exercises(course.DRILLS)]


@pytest.fixture
def walk(monkeypatch, tmp_path, capsys):
    """Runs a drill from top to bottom with answers in its exercises' cells; gives what those cells print last."""
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    monkeypatch.setenv(course.LEARNER, "ada")

    def run(drill, answers):
        namespace, said = {"__name__": "__main__"}, {}
        for cell in nbformat.read(DRILLS[drill], as_version=4).cells:
            if cell.cell_type != "code":
                continue
            capsys.readouterr()
            source = cell.source
            if number := checked(cell):
                answer = dedent(answers.get(number, "")).strip()
                for name, own in course.find(number).values("ada").items():
                    answer = answer.replace(f"<{name}>", str(own))
                source = answer + "\n" + source.splitlines()[-1] if answer else source
            exec(source, namespace)
            if number:
                said[number] = capsys.readouterr().out.splitlines()[-1]
        return said

    return run


def checked(cell):
    """The number of the exercise that a cell checks; None where it checks none."""
    found = re.search(r'course\.check\("(D[\d.]+)"', cell.source)
    return found[1] if found else None


def solutions(drill):
    return {exercise.number: exercise.solution for exercise in course.all_exercises([drill])}


def assert_walked(drill, walk):
    numbers = [number for number in NUMBERS if number.startswith(drill)]
    assert walk(drill, {}) == dict.fromkeys(numbers, "not answered yet")
    for _ in range(2):
        assert walk(drill, solutions(drill)) == dict.fromkeys(numbers, "✓ right")
    for number in numbers:
        for code in ANSWERS[number].also_right:
            assert walk(drill, solutions(drill) | {number: code})[number] == "✓ right", code
        for code, words in ANSWERS[number].nearly_right:
            said = walk(drill, solutions(drill) | {number: code})[number]
            assert said.startswith("✗ not yet. "), code
            assert words in said, code


@pytest.mark.parametrize("drill", [drill for drill in DRILLS if drill not in WITH_SPARK])
def test_a_drill_is_walked(drill, walk):
    assert_walked(drill, walk)


@pytest.mark.slow
@pytest.mark.whole
@pytest.mark.parametrize("drill", WITH_SPARK)
def test_a_drill_is_walked_in_every_way_on_tables(spark, drill, walk):
    assert_walked(drill, walk)


@pytest.mark.slow
@pytest.mark.parametrize("drill", WITH_SPARK)
def test_a_drill_on_tables_is_solved(spark, drill, walk):
    assert set(walk(drill, solutions(drill)).values()) == {"✓ right"}


def test_each_drill_has_its_exercises_a_way_on_and_no_output():
    assert (tuple(DRILLS), [*ANSWERS]) == (course.DRILLS, NUMBERS)
    for drill, path in DRILLS.items():
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert [number for cell in notebook.cells if (number := checked(cell))] == [*solutions(drill)]
        assert notebook.cells[0].source.startswith(f"# {drill} · ")
        assert "Next: " in notebook.cells[-1].source
        assert not [cell for cell in notebook.cells if cell.get("outputs")]
        for target in re.findall(r"\]\((\S+\.ipynb)\)", notebook.cells[-1].source):
            assert (path.parent / target).is_file()
