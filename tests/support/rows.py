"""Compares rows, and says of wide ones only what differs."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from pyspark.sql import DataFrame


def assert_rows(
    found: DataFrame | Sequence[tuple], expected: Sequence[tuple], columns: Sequence[str] = ()
) -> None:
    """Rows equal the expected ones, in their order, every value as `==` says: floats to the last bit.

    found: tuples, or a frame, whose rows are sorted by their text first. columns: their names, where no frame
    has them. The AssertionError lists rows that are missing or too many, and of rows that stand at the same
    place only the columns that differ.
    """
    __tracebackhide__ = True
    if isinstance(found, DataFrame):
        columns = found.columns
        found = sorted((tuple(row) for row in found.collect()), key=repr)
    rows, wanted = [tuple(row) for row in found], [tuple(row) for row in expected]
    if rows != wanted:
        lines = "\n".join(_differences(rows, wanted, columns))
        raise AssertionError(f"{len(rows)} rows, expected {len(wanted)}:\n{lines}")


def _differences(found: list[tuple], expected: list[tuple], columns: Sequence[str]) -> Iterator[str]:
    matcher = SequenceMatcher(None, [repr(row) for row in found], [repr(row) for row in expected], autojunk=False)
    for kind, first, last, wanted_first, wanted_last in matcher.get_opcodes():
        if kind == "equal":
            continue
        rows, wanted = found[first:last], expected[wanted_first:wanted_last]
        for number, (row, other) in enumerate(zip(rows, wanted, strict=False), first):
            yield from _cells(number, row, other, columns)
        for number, row in enumerate(rows[len(wanted) :], first + len(wanted)):
            yield f"  row {number} is not expected: {row!r}"
        for row in wanted[len(rows) :]:
            yield f"  a row is missing: {row!r}"


def _cells(number: int, row: tuple, other: tuple, columns: Sequence[str]) -> Iterator[str]:
    if len(row) != len(other):
        yield f"  row {number} has {len(row)} columns, expected {len(other)}: {row!r}, expected {other!r}"
        return
    for place, (value, wanted) in enumerate(zip(row, other, strict=True)):
        if _differ(value, wanted):
            name = columns[place] if columns else f"column {place}"
            yield f"  row {number}, {name}: {value!r}, expected {wanted!r}"


def _differ(value: Any, wanted: Any) -> bool:
    # As within a list: a NaN equals itself and no other.
    return [value] != [wanted]
