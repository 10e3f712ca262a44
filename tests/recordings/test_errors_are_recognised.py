"""Every recorded or quoted error, judged as the API meant it; and broken bodies, which never become data.

The recordings are read, not known: what each must come to follows from its status and its own text.
"""

import json
import re

import pytest

from coinlake import api
from coinlake.sources import SOURCES
from tests.support import recordings

pytestmark = recordings.needed

# Statuses of bodies that were quoted without one, by CoinGecko's code, or by the text of an error.
STATUS_OF_CODE = {429: 429, 10002: 401, 10005: 401, 10006: 429, 10010: 400, 10011: 400, 10012: 401, 403: 403}
ENDPOINTS = [source.endpoint for source in SOURCES.values()]
ERRORS = [*recordings.files("errors", "*.json"), *recordings.files("errors_quoted", "*.json")]
MALFORMED = recordings.files("malformed")


def code_in(body: bytes) -> int | None:
    found = re.search(rb'"error_code"\s*:\s*"?(\d+)', body)
    return int(found[1]) if found else None


def status_of(path) -> int:
    """From the response's own record, else the file's name, else the code in the body."""
    meta = recordings.RECORDINGS / "http_meta" / path.name
    if meta.exists():
        return json.loads(meta.read_text())["status"]
    in_name = re.search(r"(?:^|_)([45]\d\d)(?:_|$)", path.stem)
    return int(in_name[1]) if in_name else STATUS_OF_CODE.get(code_in(path.read_bytes()), 401)


def message_in(document) -> str:
    """The deepest error message, wherever the shape has it."""
    if isinstance(document, dict):
        for key in ("error_message", "error", "reason", "message"):
            if isinstance(document.get(key), str):
                return document[key]
        return next((found for value in document.values() if (found := message_in(value))), "")
    return ""


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
@pytest.mark.parametrize("as_200", [False, True], ids=["own-status", "with-http-200"])
def test_a_recorded_error_keeps_its_code_and_message(path, as_200):
    body = path.read_bytes()
    document = json.loads(body)
    own_status, code = status_of(path), code_in(body)
    status = 200 if as_200 else own_status
    reported = code or (document["status"] if isinstance(document.get("status"), int) else status)
    is_passing = own_status in (408, 429) or own_status >= 500
    if as_200:
        is_passing = reported in (408, 429) or 500 <= reported < 600
    for endpoint in ENDPOINTS:
        classification = api.classify(endpoint, status, body)
        assert classification.outcome == "error"
        assert classification.code == reported
        assert classification.error.startswith(f"{reported} {message_in(document)[:60].strip()}")
        assert classification.stop == (code == 10006)
        assert classification.retry == (is_passing and code != 10006)


@pytest.mark.parametrize("path", MALFORMED, ids=lambda path: path.stem)
def test_a_broken_body_never_becomes_data(path):
    body = path.read_bytes()
    for endpoint in ENDPOINTS:
        classification = api.classify(endpoint, 200, body)
        assert (classification.outcome, classification.retry, classification.stop) == ("error", True, False)
        assert classification.error.startswith("200 body is not one whole JSON document")
    assert not api.is_json(body)
