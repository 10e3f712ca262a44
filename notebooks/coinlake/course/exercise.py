"""An exercise: a question, what judges an answer, hints in turn, and a solution."""

import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from coinlake.course.answers import same, shown

# The four kinds, rising: say what will come, edit one thing, leave something in a state, write a function.
PREDICT, CHANGE, DO, WRITE = KINDS = ("predict", "change", "do", "write")
# Whose exercises these are: from the name come the numbers of a question that is personal.
LEARNER = "COINLAKE_LEARNER"

Values = Mapping[str, Any]
# An answer and the learner's values -> what is wrong with it in a sentence or two, None when it is right. Under
# "given" the values hold what the notebook hands over beside the answer.
Judge = Callable[[Any, Values], str | None]


class NotAnswered(Exception):
    """A judge finds that nothing was done yet: what was to be changed is as it was."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    number: notebook and place in it, "03.1". idea: what the learner does, in a few words. judge: never sees an
    answer that is missing; what it raises is told to the learner as what their function raised. hints: from a
    nudge to nearly everything. solution: Python for the exercise's cell; `<name>` is a value of the learner. draw:
    the learner's own values, from chance that the name alone decides. question: what `ask` prints, with the
    values in it. start: what stands in the cell before anyone answers, where that is not nothing.
    """

    number: str
    kind: str
    idea: str
    judge: Judge
    hints: tuple[str, ...]
    solution: str
    draw: Callable[[Random], dict[str, Any]] = lambda chance: {}
    question: str = ""
    start: object = None

    def values(self, learner: str) -> dict[str, Any]:
        """What is the learner's own in the question: the same for the same name, always."""
        return self.draw(Random(f"{learner}/{self.number}"))


def learner() -> str:
    """The learner's name, as `coinlake lab --learner NAME` was given it; empty when there was none."""
    return os.environ.get(LEARNER, "").strip()


@dataclass(frozen=True)
class Case:
    """A call of a learner's function: its arguments, what must come, and what was missed if it does not."""

    arguments: tuple[Any, ...]
    expected: object
    words: str


def tried_on(*cases: Case, tolerance: float = 1e-6) -> Judge:
    """Judges a function by calls that its author does not see, in this order, each with arguments of its own."""

    def judge(function: Any, values: Values) -> str | None:
        for case in cases:
            got = function(*deepcopy(case.arguments))
            if not same(got, case.expected, tolerance):
                return f"{case.words} It gave {shown(got)}."
        return None

    return judge
