"""The line that an exercise prints: never an exception, whatever the learner writes."""

import numpy as np
import pandas as pd
import pytest

from coinlake import course

HINT = "Count the rows."


class Broken:
    """An answer that cannot even be compared."""

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __hash__(self):
        return 0


@pytest.mark.parametrize(
    ("answer", "expected", "line"),
    [
        (None, 14, "not answered yet"),
        (..., 14, "not answered yet"),
        (14, 14, "✓ right: 14"),
        (14.0, 14, "✓ right: 14.0"),
        (np.int64(14), 14, "✓ right: 14"),
        (0.1 + 0.2, 0.3, "✓ right: 0.30000000000000004"),
        (0, 0, "✓ right: 0"),
        (15, 14, "✗ not yet. Count the rows."),
        ("14", 14, "✗ not yet. Count the rows."),
        (True, 1, "✗ not yet. Count the rows."),
        (True, True, "✓ right: True"),
        (np.bool_(True), True, "✓ right: True"),
        ("bitcoin", "bitcoin", "✓ right: bitcoin"),
        (("a", 1.0), ["a", 1], "✓ right: ('a', 1.0)"),
        (["a"], ["a", "b"], "✗ not yet. Count the rows."),
        ({"a": 1.0}, {"a": 1}, "✓ right: {'a': 1.0}"),
        ({"a": 1.0}, {"b": 1}, "✗ not yet. Count the rows."),
        (float("nan"), 1.0, "✗ not yet. Count the rows."),
        (Broken(), 1, "✗ not yet. Count the rows."),
        (pd.DataFrame({"coin": ["a"], "rows": [2]}), [{"coin": "a", "rows": 2}], "✓ right: DataFrame"),
        (pd.Series([1, 2]), [1, 2], "✓ right: Series"),
        (pd.Series([1, 2]), [1, 3], "✗ not yet. Count the rows."),
        (14, lambda: 14, "✓ right: 14"),
        (15, lambda: 14, "✗ not yet. Count the rows."),
        (None, lambda: 1 / 0, "not answered yet"),
        ("x" * 81, "x" * 81, "✓ right: str"),
    ],
)
def test_one_line_says_how_the_answer_stands(answer, expected, line, capsys):
    course.check(answer, expected=expected, hint=HINT)
    said = capsys.readouterr().out
    assert said.removesuffix("\n").removesuffix(" as expected") == line
    assert said.count("\n") == 1


def test_the_tolerance_is_the_teachers_choice(capsys):
    course.check(10.4, expected=10, hint=HINT, tolerance=0.05)
    course.check(10.6, expected=10, hint=HINT, tolerance=0.05)
    assert capsys.readouterr().out == "✓ right: 10.4\n✗ not yet. Count the rows.\n"
