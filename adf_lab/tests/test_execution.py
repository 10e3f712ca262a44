"""Runs that are fired at once: queued, each with executors of its own, recorded whatever becomes of them."""

import asyncio
import json
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from adf_lab import AdfLabError, VirtualClock, load_factory
from adf_lab.execution import Execution
from adf_lab.recording import Recorder
from adf_lab.watch import Firing
from adf_support.factories import reference, write_factory

START = datetime(2026, 8, 12, 14, 0, tzinfo=UTC)


class Place:
    """A factory with `one` (concurrency 1), `free` and `caller`, which calls `one`; a run takes a minute.

    `told` are the events, by the parameter `n` of the runs: when a run got its executors, worked, gave them back.
    """

    def __init__(self, folder):
        work = {"name": "w", "type": "Copy", "typeProperties": {}}
        call = {
            "name": "c",
            "type": "ExecutePipeline",
            "typeProperties": {"pipeline": reference("one", "Pipeline"), "parameters": {"n": "called"}},
        }
        own = {"parameters": {"n": {"type": "string"}}}
        documents = {
            "one": {"activities": [work], "concurrency": 1, **own},
            "free": {"activities": [work], **own},
            "caller": {"activities": [call], **own},
        }
        root = write_factory(
            folder / "factory",
            {f"pipeline/{name}.json": {"name": name, "properties": value} for name, value in documents.items()},
        )
        self.clock, self.told, self.statuses = VirtualClock(START), [], []
        self.folder = folder / "records"
        self.execution = Execution(
            load_factory(root),
            self.clock,
            {},
            self.executors,
            Recorder(self.folder),
            lambda event, run: None,
            lambda firing, run: None,
            lambda run: self.statuses.append((run.parameters["n"], run.status, run.message)),
        )

    def tell(self, what, n):
        self.told.append((int((self.clock.now() - START).total_seconds()), what, n))

    @contextmanager
    def executors(self, parameters):
        n = parameters["n"]
        if n == "refused":
            raise OSError("no space left")
        self.tell("enters", n)

        async def work(call):
            await asyncio.sleep(60)
            self.tell("works", n)
            return {}

        yield {"Copy": work}
        self.tell("leaves", n)

    def run(self, *fired, until=None):
        """Fire (pipeline, n) at once; the statuses that were noted."""
        noted = []

        async def fire(pipeline, n):
            firing = Firing("t", START, pipeline, {"n": n}, START)
            return await self.execution.run(firing, {}, lambda status, run: noted.append((n, status)))

        async def play():
            async with asyncio.timeout(until), asyncio.TaskGroup() as group:
                for pipeline, n in fired:
                    group.create_task(fire(pipeline, n))

        self.clock.run(play())
        return noted

    def records(self):
        found = [json.loads(path.read_text()) for path in self.folder.glob("*.json")]
        return {record["parameters"]["n"]: record for record in found}


def test_runs_of_a_pipeline_queue_as_its_concurrency_says_in_their_order(tmp_path):
    place = Place(tmp_path)
    noted = place.run(("one", "1"), ("one", "2"), ("one", "3"), ("free", "f"))
    assert [event for event in place.told if event[1] == "enters"] == [
        (0, "enters", "1"),
        (0, "enters", "f"),
        (60, "enters", "2"),
        (120, "enters", "3"),
    ]
    assert [n for n, status in noted if status == "Queued"] == ["1", "2", "3", "f"]
    assert [n for n, status in noted if status == "InProgress"] == ["1", "f", "2", "3"]
    assert {n: (record["status"], record["runStart"][14:16]) for n, record in place.records().items()} == {
        "1": ("Succeeded", "00"),
        "f": ("Succeeded", "00"),
        "2": ("Succeeded", "01"),
        "3": ("Succeeded", "02"),
    }


def test_a_called_pipeline_counts_too_and_nothing_waits_for_ever(tmp_path):
    place = Place(tmp_path)
    place.run(("caller", "c"), ("one", "1"))
    assert sorted(at for at, what, _ in place.told if what == "works") == [60, 120]
    assert sorted(place.statuses) == [("1", "Succeeded", ""), ("c", "Succeeded", "")]


def test_a_run_that_waits_says_queued_in_its_record(tmp_path):
    place = Place(tmp_path)
    with pytest.raises(TimeoutError):
        place.run(("one", "1"), ("one", "2"), until=30)
    records = place.records()
    assert {n: record["status"] for n, record in records.items()} == {"1": "Cancelled", "2": "Cancelled"}
    assert [len(records[n]["activityRuns"]) for n in ("1", "2")] == [1, 0]
    assert place.told == [(0, "enters", "1"), (30, "leaves", "1")]


def test_a_run_without_executors_has_failed_and_says_why(tmp_path):
    place = Place(tmp_path)
    noted = place.run(("one", "refused"), ("one", "1"))
    assert place.statuses == [("refused", "Failed", "no space left"), ("1", "Succeeded", "")]
    assert noted == [("refused", "Queued"), ("1", "Queued"), ("1", "InProgress")]
    assert place.records()["refused"]["message"] == "no space left"


def test_what_does_not_fit_is_refused_before_there_is_a_run(tmp_path):
    place = Place(tmp_path)
    firing = Firing("t", START, "one", {"x": 1}, START)
    with pytest.raises(AdfLabError, match="has no parameter x"):
        place.clock.run(place.execution.run(firing, {}, lambda status, run: None))
    assert list(place.folder.glob("*")) == []
