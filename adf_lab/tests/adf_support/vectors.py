"""Cases that state what Data Factory does; vectors/README.md says what their fields mean."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "vectors"


def vectors(name):
    """Parameters for pytest, one for each line of a file."""
    cases = map(json.loads, (FOLDER / name).read_text(encoding="utf-8").splitlines())
    return [pytest.param(case, id=case["id"]) for case in cases]
