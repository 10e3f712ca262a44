"""The exercises of the course: asked, checked, helped with, and noted when they are solved."""

from coinlake.course.exercise import CHANGE, DO, KINDS, LEARNER, PREDICT, WRITE, Exercise, learner
from coinlake.course.progress import newest_learner, reset, solved_at
from coinlake.course.registry import (
    DRILLS,
    NOTEBOOKS,
    all_exercises,
    ask,
    check,
    find,
    hint,
    judged,
    mine,
    raised,
    solution,
    solved,
)
from coinlake.course.workbench import workbench

__all__ = [
    "CHANGE",
    "DO",
    "DRILLS",
    "KINDS",
    "LEARNER",
    "NOTEBOOKS",
    "PREDICT",
    "WRITE",
    "Exercise",
    "all_exercises",
    "ask",
    "check",
    "find",
    "hint",
    "judged",
    "learner",
    "mine",
    "newest_learner",
    "raised",
    "reset",
    "solution",
    "solved",
    "solved_at",
    "workbench",
]
