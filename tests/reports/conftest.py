"""Reports over the gold of the random walk, made once."""

import pytest

from tests.support import gold_frames
from tests.support.built_reports import MODULES, built, lake


@pytest.fixture(scope="session")
def tables():
    """Gold tables: ten coins, months in three calendar years, one coin with three days of history."""
    return gold_frames.gold(days=620, young={"pepe": 3})


@pytest.fixture(scope="session")
def gold(tables):
    """The frames of the two market reports."""
    opened = lake(tables)
    return {name: MODULES[name].read(opened) for name in MODULES}


@pytest.fixture(scope="session")
def reports(tables):
    """All three reports by name."""
    return {name: built(name, tables) for name in MODULES}
