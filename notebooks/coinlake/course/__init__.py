"""The exercises of the course: asked, checked, helped with, and noted when they are solved."""

from coinlake.course.exercise import CHANGE, DO, KINDS, LEARNER, PREDICT, WRITE, Exercise, learner
from coinlake.course.registry import all_exercises, ask, check, find, hint, solution, solved

__all__ = [
    "CHANGE",
    "DO",
    "KINDS",
    "LEARNER",
    "PREDICT",
    "WRITE",
    "Exercise",
    "all_exercises",
    "ask",
    "check",
    "find",
    "hint",
    "learner",
    "solution",
    "solved",
]
