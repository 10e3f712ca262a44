"""Whether an answer is the expected one, whatever Python writes it as."""

import dis
import math
from collections.abc import Mapping
from numbers import Real
from types import FunctionType
from typing import Any


def same(answer: object, expected: object, tolerance: float = 1e-6) -> bool:
    """Whether `answer` is `expected`.

    Numbers may differ by `tolerance`, relative to the expected one (near 0: absolute); numbers inside lists,
    tuples and dictionaries too. A frame counts as the list of its rows.
    """
    answer, expected = _plain(answer), _plain(expected)
    if isinstance(expected, bool) or isinstance(answer, bool):
        return isinstance(answer, bool) and isinstance(expected, bool) and answer == expected
    if isinstance(expected, Real) and isinstance(answer, Real):
        return math.isclose(answer, expected, rel_tol=tolerance, abs_tol=tolerance)
    if isinstance(expected, Mapping) and isinstance(answer, Mapping):
        return answer.keys() == expected.keys() and all(
            same(answer[key], expected[key], tolerance) for key in expected
        )
    if isinstance(expected, list | tuple) and isinstance(answer, list | tuple):
        return len(answer) == len(expected) and all(
            same(one, other, tolerance) for one, other in zip(answer, expected, strict=True)
        )
    return bool(answer == expected)


def _plain(value: Any) -> Any:
    """The value as plain Python: frames, series and arrays become lists, their numbers Python numbers."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict("records")
    for method in ("asDict", "tolist", "toPandas"):
        if hasattr(value, method):
            return _plain(getattr(value, method)())
    return value


def shown(answer: object) -> str:
    """An answer in at most 80 characters on one line."""
    text = str(answer)
    return text if len(text) <= 80 and "\n" not in text else f"a {type(answer).__name__}"


def is_missing(answer: object, start: object = None) -> bool:
    """Whether nobody has answered: None, `...`, what stood in the cell, or a function without a body."""
    if answer is None or answer is ...:
        return True
    if start is not None and type(answer) is type(start):
        return bool(answer == start)
    return isinstance(answer, FunctionType) and _has_no_body(answer)


def _has_no_body(function: FunctionType) -> bool:
    # `...` and a docstring compile to nothing: what is left gives None back.
    does = {step.opname for step in dis.get_instructions(function)}
    return does <= {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"} and set(
        function.__code__.co_consts
    ) <= {None, function.__doc__}
