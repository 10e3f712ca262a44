"""When two answers are the same, and when there is none yet."""

import numpy as np
import pandas as pd
import pytest

from coinlake.course.answers import is_missing, same, shown


@pytest.mark.parametrize(
    ("answer", "expected", "is_same"),
    [
        (14, 14, True),
        (14.0, 14, True),
        (np.int64(14), 14, True),
        (0.1 + 0.2, 0.3, True),
        (0, 0, True),
        (15, 14, False),
        ("14", 14, False),
        (True, 1, False),
        (np.bool_(True), True, True),
        (("a", 1.0), ["a", 1], True),
        (["a"], ["a", "b"], False),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": 1.0}, {"b": 1}, False),
        ({"a": [1, 2.1]}, {"a": [1, 2]}, False),
        (float("nan"), 1.0, False),
        (None, 1.0, False),
        (pd.DataFrame({"coin": ["a"], "rows": [2]}), [{"coin": "a", "rows": 2}], True),
        (pd.Series([1, 2]), [1, 2], True),
        (pd.Series([1, 2]), [1, 3], False),
    ],
)
def test_what_is_the_same(answer, expected, is_same):
    assert same(answer, expected) is is_same


def nothing(a, b): ...


def explained(a):
    """What it will do."""


def five(a):
    return 5


def itself(a):
    return a


@pytest.mark.parametrize(
    ("answer", "start", "is_there"),
    [
        (None, None, False),
        (..., None, False),
        (nothing, None, False),
        (explained, None, False),
        ("as it stood", "as it stood", False),
        ("changed", "as it stood", True),
        (five, None, True),
        (itself, None, True),
        (0, None, True),
        ("", None, True),
    ],
)
def test_what_counts_as_an_answer(answer, start, is_there):
    assert is_missing(answer, start) is not is_there


def test_an_answer_is_shown_on_one_line():
    assert (shown("x" * 80), shown("x" * 81), shown("a\nb")) == ("x" * 80, "a str", "a str")
