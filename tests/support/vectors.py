"""Cases that state what another system does, read from the folder of evidence."""

import json
import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("COINLAKE_SHARED", Path(__file__).parents[3] / "shared"))


def vectors(name):
    """Parameters for pytest, one for each line of vectors/<name>; one skipped parameter if it is missing."""
    path = SHARED / "vectors" / name
    if not path.exists():
        reason = f"{path} is missing: set COINLAKE_SHARED to the folder of the test evidence"
        return [pytest.param(None, id="missing", marks=pytest.mark.skip(reason=reason))]
    cases = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [pytest.param(case, id=case["id"]) for case in cases]
