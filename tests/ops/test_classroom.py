"""Where a learner stands, what is handed in, and how a class is graded."""

import csv
import json
from contextlib import nullcontext
from textwrap import dedent
from types import SimpleNamespace

import nbformat
import pytest

from coinlake import course
from coinlake_ops import classroom, cli, notebooks, spark_server
from tests.support.course_answers import ANSWERS

ANSWER = "def slowest(run_steps): return 'gold'\ncourse.check(\"08.1\", slowest)"
NUMBERS = [exercise.number for exercise in course.all_exercises()]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    monkeypatch.delenv(course.LEARNER, raising=False)
    return tmp_path


def solution(number, name):
    """The cell of an exercise with its solution in it."""
    _, cell = classroom.cells()[number]
    return course.solved(course.find(number), name) + "\n" + cell.splitlines()[-1]


def test_the_table_shows_what_the_last_learner_has_solved(monkeypatch, capsys):
    for name in ("grace", "ada"):
        monkeypatch.setenv(course.LEARNER, name)
        course.check("04.3", 0)
    values = course.find("03.3").values("ada")
    course.check("03.3", 168 + values["apart"] * (values["pages"] - 1))
    capsys.readouterr()
    assert cli.main(["course", "progress"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[2:6] for line in lines[:-1]] == NUMBERS
    assert [line[2:6] for line in lines if line.startswith("✓")] == ["03.3"]
    assert lines[-1] == f"1 of {len(NUMBERS)} solved by ada"
    assert cli.main(["course", "progress", "--learner", "grace"]) == 0
    assert capsys.readouterr().out.endswith(f"0 of {len(NUMBERS)} solved by grace\n")
    assert cli.main(["course", "reset"]) == 0
    assert cli.main(["course", "progress"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1 solved exercises of ada are forgotten."


def test_what_is_handed_in_is_what_stands_in_the_saved_cells(home, monkeypatch, capsys):
    folder = home / "notebooks"
    folder.mkdir()
    saved = nbformat.read(notebooks.path("08_report_pipeline_health"), as_version=4)
    for cell in saved.cells:
        if 'course.check("08.1"' in cell.source:
            cell.source = ANSWER
    nbformat.write(saved, folder / "08_report_pipeline_health.ipynb")
    monkeypatch.setattr(notebooks, "folder_to_work_in", lambda: folder)
    assert cli.main(["course", "hand-in", "--learner", "Ada L. / Byron", "--to", str(home / "class")]) == 0
    file = home / "class" / "Ada-L-Byron.json"
    assert capsys.readouterr().out == f"{file} holds your answers.\n"
    content = json.loads(file.read_text())
    assert (content["learner"], [*content["answers"]]) == ("Ada L. / Byron", ["08.1", "08.2"])
    assert content["answers"]["08.1"] == ANSWER
    assert cli.main(["course", "hand-in", "--learner", "/"]) == cli.FAILED


def test_a_class_is_graded_by_what_its_answers_do(home, monkeypatch, capsys):
    monkeypatch.setattr(spark_server, "start", lambda place: nullcontext(SimpleNamespace(environment={})))
    monkeypatch.setattr(classroom, "LONGEST_SECONDS", 1)
    without_spark = [number for number in NUMBERS if number not in ("00.2", "03.1", "03.2", "04.1", "04.2")]
    untouched = {number: cell for number, (_, cell) in classroom.cells().items()}
    ada = untouched | {number: solution(number, "ada") for number in without_spark}
    # Another one's answer to a personal question, the line that a right answer prints, endless work, an end.
    copied = untouched | {
        "02.3": solution("02.3", "ada"),
        "06.1": 'print("✓ right")',
        "06.2": 'while True: pass\ncourse.check("06.2", 1)',
        "07.1": "raise SystemExit",
        "07.2": dedent(ANSWERS["07.2"].nearly_right[1][0]) + '\ncourse.check("07.2", volatility)',
        "08.1": "this is no Python",
    }
    for name, answers in (("ada", ada), ("grace", copied), ("nobody", {})):
        (home / f"{name}.json").write_text(json.dumps({"learner": name, "at": "", "answers": answers}))
    assert cli.main(["course", "grade", str(home)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"ada: {len(without_spark)} of {len(NUMBERS)}",
        f"grace: 0 of {len(NUMBERS)}",
        f"nobody: 0 of {len(NUMBERS)}",
        f"{home}/grades.csv says of each answer what is wrong with it",
    ]
    with (home / "grades.csv").open(newline="") as file:
        rows = {row["learner"]: row for row in csv.DictReader(file)}
    assert [rows["ada"][number] for number in NUMBERS] == [
        "right" if number in without_spark else "missing" for number in NUMBERS
    ]
    assert {number: rows["grace"][number] for number in ("06.1", "06.2", "07.1")} == {
        "06.1": "missing",
        "06.2": "It raised TooLong: it took more than 1 s",
        "07.1": "It raised SystemExit: ",
    }
    assert "closes make 29 returns" in rows["grace"]["07.2"]
    assert rows["grace"]["08.1"].startswith("It raised SyntaxError")
    assert rows["grace"]["02.3"] not in ("right", "missing")
    assert {rows["nobody"][number] for number in NUMBERS} == {"missing"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "Nothing was handed in in "),
        ({"ada.json": "[]"}, "ada.json is no file of `coinlake course hand-in`"),
        ({"ada.json": "{"}, "ada.json is no file of `coinlake course hand-in`"),
        ({"ada.json": '{"learner": "ada", "answers": 1}'}, "ada.json is no file of `coinlake course hand-in`"),
    ],
)
def test_what_cannot_be_graded_is_named(files, said, home, capsys):
    for name, content in files.items():
        (home / name).write_text(content)
    assert cli.main(["course", "grade", str(home)]) == cli.FAILED
    assert said in capsys.readouterr().err
