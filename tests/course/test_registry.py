"""What a notebook calls: never an exception, whatever the learner writes; help in turn; progress noted once."""

import json

import pytest

from coinlake import course, project_files
from coinlake.course import progress, registry
from coinlake.course.exercise import PREDICT, Exercise
from coinlake.errors import ConfigurationError


class Broken:
    """An answer that cannot even be compared."""

    def __eq__(self, other):
        raise RuntimeError("no comparison\nand more")

    def __hash__(self):
        return 0


EXERCISE = Exercise(
    number="00.9",
    kind=PREDICT,
    idea="a test",
    judge=lambda answer, values: None if answer == values["number"] else "Count again.",
    hints=("First.", "Second."),
    solution="answer = <number>",
    draw=lambda chance: {"number": chance.randint(1, 10**6)},
    question="How many are {number}?",
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A home of its own, one exercise, and a learner."""
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    monkeypatch.setenv(course.LEARNER, " ada ")
    monkeypatch.setattr(registry, "of_notebook", lambda notebook: (EXERCISE,))
    monkeypatch.setattr(registry, "_given", {})
    return tmp_path


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (None, "not answered yet"),
        (0, '✗ not yet. Count again. course.hint("00.9") helps.'),
        (Broken(), '✗ not yet. It raised RuntimeError: no comparison course.hint("00.9") helps.'),
        (EXERCISE.values("ada")["number"], "✓ right"),
    ],
)
def test_one_line_says_how_the_answer_stands(answer, line, capsys):
    course.check("00.9", answer)
    assert capsys.readouterr().out == f"{line}\n"


def test_hints_come_in_turn_and_the_solution_is_the_learners_own(capsys):
    for _ in range(3):
        course.hint("00.9")
    course.solution("00.9")
    course.ask("00.9")
    number = EXERCISE.values("ada")["number"]
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 2: First.",
        "Hint 2 of 2: Second.",
        'There are no more hints. course.solution("00.9") shows one way.',
        f"answer = {number}",
        f"How many are {number}?",
    ]


@pytest.mark.parametrize("number", ["00.1", "9", "77.1", ""])
def test_an_exercise_that_does_not_exist_is_named(number):
    with pytest.raises(ConfigurationError, match=rf"There is no exercise {number}\."):
        course.check(number, 1)


def test_what_is_solved_is_noted_once_for_each_learner_and_forgotten_on_demand(monkeypatch):
    for name in ("ada", "grace", "ada"):
        monkeypatch.setenv(course.LEARNER, name)
        course.check("00.9", EXERCISE.values(name)["number"])
    course.check("00.9", 0)
    lines = (project_files.home() / "lake/progress.jsonl").read_text().splitlines()
    assert [(line["learner"], line["exercise"]) for line in map(json.loads, lines)] == [
        ("ada", "00.9"),
        ("grace", "00.9"),
    ]
    assert progress.reset("ada") == 1
    assert (progress.solved_at("ada"), [*progress.solved_at("grace")]) == ({}, ["00.9"])
    assert progress.reset("ada") == 0


def test_progress_that_cannot_be_noted_or_read_stops_nothing(place, capsys):
    (place / "lake").mkdir()
    progress.file().write_text("no JSON\n[1]\n")
    assert progress.solved_at("ada") == {}
    progress.file().unlink()
    progress.file().mkdir()
    course.check("00.9", EXERCISE.values("ada")["number"])
    assert capsys.readouterr().out.startswith("✓ right\n(It could not be noted as progress: ")
