"""Runs that are killed at their commit points: how points are named, drawn and hit, and what is compared."""

import fcntl
import random
import sys

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.dev import crash
from coinlake_ops.dev.crash import Point
from coinlake_ops.project import ROOT

# A run in small: it writes what a lake has, and a process that it starts, of a group of its own, outlives it.
WRITES = """
import fcntl, subprocess, sys
from pathlib import Path
from coinlake import files
from coinlake.commit_points import commit_point
lake = Path(sys.argv[1])
lock = (lake / "lock").open("w")
fcntl.flock(lock, fcntl.LOCK_EX)
left = subprocess.Popen(["sleep", "600"], start_new_session=True, pass_fds=[lock.fileno()])
storage = files.at(lake)
storage.write_new(lake / "landing_staging/run=20260812T142200Z-01234567.89abcdef/p0001.json", b"{}")
for name in ("a", "b"):
    with commit_point("append cleaned_data.coin_prices"):
        (lake / name).touch()
left.kill()
"""
APPEND = "append cleaned_data.coin_prices"


def writes(lake) -> list[str]:
    return [sys.executable, "-c", WRITES, str(lake)]


@pytest.fixture(autouse=True)
def with_packages(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "notebooks"))


def test_a_run_tells_its_moments_by_names_that_are_those_of_every_run(tmp_path):
    staged = "write landing_staging/run=20260812T142200Z-01234567.*/p0001.json"
    points = crash.survey(tmp_path, writes(tmp_path))
    assert points == [
        Point("before", staged, 0),
        Point("after", staged, 0),
        Point("before", APPEND, 0),
        Point("after", APPEND, 0),
        Point("before", APPEND, 1),
        Point("after", APPEND, 1),
    ]
    assert [str(point) for point in points[-2:]] == [f"before {APPEND}, time 2", f"after {APPEND}, time 2"]


@pytest.mark.parametrize(
    ("moment", "written"), [("before", [True, False]), ("after", [True, True])], ids=["before", "after"]
)
def test_a_run_is_killed_at_the_moment_with_all_that_it_has_started(tmp_path, moment, written):
    assert crash.cut_off(tmp_path, writes(tmp_path), Point(moment, APPEND, 1))
    assert [(tmp_path / name).exists() for name in "ab"] == written
    # Whoever of them lived would hold it.
    with (tmp_path / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_run_that_ends_before_the_moment_was_not_cut_off(tmp_path):
    assert not crash.cut_off(tmp_path, writes(tmp_path), Point("before", APPEND, 2))


def test_a_run_that_fails_by_itself_is_an_error(tmp_path):
    failing = [sys.executable, "-c", "raise SystemExit('no disk')"]
    with pytest.raises(CoinlakeError, match="no disk"):
        crash.survey(tmp_path, failing)
    with pytest.raises(CoinlakeError, match="no disk"):
        crash.cut_off(tmp_path, failing, Point("before", APPEND, 0))


def test_points_are_drawn_from_all_kinds_alike():
    many = [Point("before", f"rename steps/{number}.json", 0) for number in range(50)]
    few = [Point("after", "append raw_data.responses", 0), Point("before", "create raw_data.responses", 0)]
    drawn = crash.choose(many + few, 5, random.Random(1))
    assert sorted(point.kind for point in drawn) == [
        "after append raw_data.responses",
        "before create",
        *["before rename steps"] * 3,
    ]
    assert drawn == crash.choose(many + few, 5, random.Random(1))
    assert sorted(crash.choose(many + few, 100, random.Random(1))) == sorted(many + few)


def test_what_differs_is_named_and_counted():
    expected = {"table a": [(1,), (2,)], "table b": [(1,)], "report c": [{"headline": "x"}]}
    found = {"table a": [(2,), (3,)], "table b": [(1,)], "table d": [(1,)]}
    assert list(crash.differences(expected, found)) == [
        "report c has 0 of 1, 1 lacking, 0 strange",
        "table a has 2 of 2, 1 lacking, 1 strange",
        "table d has 1 of 0, 0 lacking, 1 strange",
    ]
    assert list(crash.differences(expected, expected)) == []
