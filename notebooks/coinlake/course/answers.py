"""Exercises that check themselves: one line says whether an answer is right, and never stops a notebook."""

import math
from collections.abc import Mapping
from numbers import Real


def check(answer: object, expected: object, hint: str, tolerance: float = 1e-6) -> None:
    """Print whether `answer` is `expected`: not answered yet, ✓ right, or ✗ not yet with the hint.

    What it takes work to know, `expected` may compute when it is called; it is not, before there is an answer.
    Numbers may differ by `tolerance`, relative to the expected one (near 0: absolute); numbers inside
    lists, tuples and dictionaries too. A frame counts as the list of its rows. Nothing is raised, whatever
    the answer is: an exercise must not stop the run of a notebook.
    """
    try:
        if answer is None or answer is ...:
            print("not answered yet")
        elif _same(_plain(answer), _plain(expected() if callable(expected) else expected), tolerance):
            print(f"✓ right: {_shown(answer)}")
        else:
            print(f"✗ not yet. {hint}")
    except Exception:
        print(f"✗ not yet. {hint}")


def _plain(value: object) -> object:
    """The value as plain Python: frames, series and arrays become lists, their numbers Python numbers."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict("records")
    for method in ("asDict", "tolist", "toPandas"):
        if hasattr(value, method):
            return _plain(getattr(value, method)())
    return value


def _same(answer: object, expected: object, tolerance: float) -> bool:
    if isinstance(expected, bool) or isinstance(answer, bool):
        return isinstance(answer, bool) and isinstance(expected, bool) and answer == expected
    if isinstance(expected, Real) and isinstance(answer, Real):
        return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(expected, Mapping) and isinstance(answer, Mapping):
        return answer.keys() == expected.keys() and all(
            _same(_plain(answer[key]), _plain(expected[key]), tolerance) for key in expected
        )
    if isinstance(expected, list | tuple) and isinstance(answer, list | tuple):
        return len(answer) == len(expected) and all(
            _same(_plain(one), _plain(other), tolerance) for one, other in zip(answer, expected, strict=True)
        )
    return bool(answer == expected)


def _shown(answer: object) -> str:
    text = str(answer)
    return text if len(text) <= 80 and "\n" not in text else f"{type(answer).__name__} as expected"
