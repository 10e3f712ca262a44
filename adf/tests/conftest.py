"""The factory as it stands in git, with what its activities answer when all is well."""

import pytest

START = "2026-08-12T14:22:00Z"


@pytest.fixture
def adf(adf):
    """The factory under test; a test gives the answers in which its run differs."""
    adf.script = "answers.json"
    adf.now = START
    return adf
