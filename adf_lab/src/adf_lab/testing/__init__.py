"""Tests of one's own pipelines: a factory is played with given answers, and the run is looked at.

With pytest, the fixture `adf` is a FactoryUnderTest (docs/testing.md); it can be used without pytest too:

    adf = FactoryUnderTest("adf")
    run = adf.run("pl_main", {"day": "2026-08-12"}, answers={"gold": failed("no space left")})
    assert run.status == "Failed"
"""

from adf_lab.testing.answers import Answer, failed, from_file, rows, succeeded
from adf_lab.testing.coverage import Coverage
from adf_lab.testing.factory_under_test import FactoryUnderTest, Firing, Trigger, UnusedAnswers
from adf_lab.testing.recorded import script_of
from adf_lab.testing.run import Run

__all__ = [
    "Answer",
    "Coverage",
    "FactoryUnderTest",
    "Firing",
    "Run",
    "Trigger",
    "UnusedAnswers",
    "failed",
    "from_file",
    "rows",
    "script_of",
    "succeeded",
]
