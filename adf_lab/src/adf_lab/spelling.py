"""Misspelled names: what was meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def misspelled(name: str, names: Iterable[str]) -> str | None:
    """The known name that differs by a slip: one letter, or two in a long name; None if there is none."""
    most = 1 if len(name) < 6 else 2
    near = [other for other in names if abs(len(other) - len(name)) <= most and len(other) > 2]
    found = [(distance, other) for other in near if (distance := _distance(name.lower(), other.lower())) <= most]
    return min(found)[1] if found else None


def suggestion(name: str, names: Iterable[str], otherwise: str = ".") -> str:
    """`: did you mean 'x'?` for a known name that resembles one, else what is said otherwise."""
    known = {other.lower(): other for other in names}
    close = get_close_matches(name.lower(), known, n=1, cutoff=0.7)
    return f": did you mean '{known[close[0]]}'?" if close else otherwise


def _distance(left, right):
    """How many letters are changed, added, left out or exchanged with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for index, letter in enumerate(left, start=1):
        earlier, before, row = before, row, [index]
        for place, other in enumerate(right, start=1):
            cost = min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != other))
            if index > 1 and place > 1 and letter == right[place - 2] and left[index - 2] == other:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
    return row[-1]
