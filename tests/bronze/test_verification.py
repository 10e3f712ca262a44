"""Damage to a landing zone, and how it is found."""

import json
from datetime import UTC, datetime

import pytest

from coinlake import api, bronze
from coinlake.api import Attempt, Request
from coinlake.bronze import LandingZone
from coinlake.sources import endpoint_of

RUN = "20260812T142200Z-0123abcd"
AT = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
PAGE = "landing/endpoint=coins_list/date=2026-08-12/run=20260812T142200Z-0123abcd/p0001.json"
ERROR = "landing_errors/endpoint=coins_list/date=2026-08-12/run=20260812T142200Z-0123abcd/p0001-a1.txt"
LOG = f"landing_meta/date=2026-08-12/run={RUN}.jsonl"


@pytest.fixture
def lake(tmp_path):
    """A lake with one run: an answer that was an error, and the one that was data."""
    endpoint = endpoint_of("coins_list")
    with LandingZone(tmp_path).begin(RUN, simulated=False) as run:
        for number, status, body in ((1, 502, b"Bad gateway"), (2, 200, b'[{"id":"bitcoin"}]')):
            request = Request(endpoint, 1, "https://api.coingecko.com/api/v3/coins/list")
            run.add(
                Attempt(request, number, status, {}, body, AT, 1, api.classify(endpoint, status, body)), "live"
            )
        run.commit()
    return tmp_path


def problems(lake):
    [check] = bronze.verify(str(lake))
    return check.compared, check.problems


def test_what_was_landed_is_there(lake):
    assert problems(lake) == (2, ())


def test_a_body_that_has_changed(lake):
    (lake / PAGE).write_bytes(b'[{"id":"bitcoim"}]')
    assert problems(lake)[1] == (f"1 bodies have changed since they were landed: {PAGE.removeprefix('landing/')}",)


def test_a_body_that_is_missing_and_one_of_an_error_that_was_put_away(lake):
    (lake / ERROR).unlink()
    assert problems(lake) == (2, ())
    (lake / PAGE).unlink()
    assert problems(lake)[1] == (f"1 bodies are missing: {PAGE.removeprefix('landing/')}",)
    [error, _] = LandingZone(lake).lines(RUN)
    assert LandingZone(lake).read(error) == b""


def test_files_without_a_line(lake):
    for number in range(2, 7):
        (lake / PAGE).with_name(f"p000{number}.json").write_bytes(b"[]")
    folder = PAGE.removesuffix("p0001.json")
    assert problems(lake)[1] == (
        f"5 files have no line in the response log: {folder}p0002.json, {folder}p0003.json, {folder}p0004.json, …",
    )


def test_a_file_of_the_log_that_was_cut(lake):
    text = (lake / LOG).read_text()
    (lake / LOG).write_text(text[: len(text) // 3])
    assert problems(lake)[1] == (
        f"1 files of landing_meta cannot be read: run={RUN}.jsonl",
        f"2 files have no line in the response log: {PAGE}, {ERROR}",
    )


def test_a_line_that_leads_out_of_the_lake(lake):
    error, line = (json.loads(text) for text in (lake / LOG).read_text().splitlines())
    line["file"] = "../../etc/passwd"
    (lake / LOG).write_text("\n".join(map(json.dumps, (error, line))))
    assert problems(lake)[1] == (
        "1 bodies have changed since they were landed: ../../etc/passwd",
        f"1 files have no line in the response log: {PAGE}",
    )
