"""Records that are there from the beginning of a run, and true however it ends.

<folder>/<run id>.json         the record (monitor.py), written whenever the run has changed
<folder>/.running/<run id>     held locked by the process that runs it; what it leaves behind, `settle` marks
"""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adf_lab import monitor
from adf_lab.engine import PipelineRun
from adf_lab.files import write_json
from adf_lab.locks import Lock

UNFINISHED = {"Queued", "InProgress"}
INTERRUPTED = "Interrupted"
RUNNING = ".running"
MESSAGE = "The process that ran it ended before the run did; the time of its end is the last that is known of it."
TIMES = {"runStart", "activityRunStart", "activityRunEnd", "start", "end"}
PARTS = {"activityRuns", "attempts", "children", "pipelineRun"}
# A record is written at most once in so many seconds, and takes at most this share of the time.
LEAST_SECONDS, LARGEST_SHARE = 1.0, 0.05


class Recorder:
    """Keeps the records of runs in a folder from their beginning; without a folder it keeps nothing.

    Of what happens on a virtual clock (not `live`) it writes the beginning and the end.
    """

    def __init__(self, folder: Path | None, *, live: bool = True) -> None:
        self.folder, self.live = folder, live
        self._runs: dict[str, tuple[PipelineRun, Lock]] = {}
        self._resting: set[str] = set()
        self._changed: set[str] = set()

    def changed(self, run: PipelineRun) -> None:
        """Write the record of a run, or of the one that has called it: now, or as soon as it has rested.

        To be called in the event loop of the run.
        """
        root = run.root
        if self.folder is None:
            return
        is_new = root.run_id not in self._runs
        if is_new:
            self._runs[root.run_id] = root, Lock(self.folder / RUNNING / root.run_id)
        if root.run_id in self._resting:
            self._changed.add(root.run_id)
        elif is_new or self.live:
            self._write(root)

    def end(self, run: PipelineRun) -> None:
        """Write the record of a run that has ended, or was broken off, and give back what it holds."""
        if self.folder is not None and run.run_id in self._runs:
            _, lock = self._runs.pop(run.run_id)
            path = monitor.keep(run, self.folder)
            if run.status in UNFINISHED:
                _mark(path)
            lock.release(remove=True)

    def close(self) -> None:
        """End all that has not ended."""
        for run, _ in list(self._runs.values()):
            self.end(run)

    def _write(self, run: PipelineRun) -> None:
        assert self.folder is not None
        begun = time.monotonic()
        monitor.keep(run, self.folder)
        if self.live:
            rest = max(LEAST_SECONDS, (time.monotonic() - begun) / LARGEST_SHARE)
            self._resting.add(run.run_id)
            asyncio.get_running_loop().call_later(rest, self._wake, run)

    def _wake(self, run: PipelineRun) -> None:
        self._resting.discard(run.run_id)
        if run.run_id in self._changed:
            self._changed.discard(run.run_id)
            if run.run_id in self._runs:
                self._write(run)


def settle(folder: Path) -> list[dict[str, Any]]:
    """Mark the runs in a folder that their processes have left unfinished as Interrupted; their records."""
    settled = []
    for path in sorted((folder / RUNNING).glob("*")):
        lock = Lock(path)
        if not lock.is_held:
            continue
        if status_of(folder, path.name) in UNFINISHED:
            settled.append(_mark(folder / f"{path.name}.json"))
        lock.release(remove=True)
    return settled


def status_of(folder: Path, run_id: str) -> str | None:
    """The status in the record of a run; None if there is none."""
    try:
        status: str = json.loads((folder / f"{run_id}.json").read_text(encoding="utf-8"))["status"]
        return status
    except (OSError, ValueError, KeyError):
        return None


def _mark(path: Path) -> dict[str, Any]:
    """Write into a record that its run was interrupted, and return it."""
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    _interrupt(record, max(_instants(record)))
    write_json(path, record)
    return record


def _interrupt(record: dict[str, Any], at: str) -> None:
    """End a record of a pipeline run, and all in it that has not ended."""
    if record["status"] in UNFINISHED:
        record |= {"status": INTERRUPTED, "runEnd": at, "message": MESSAGE}
    for activity in record["activityRuns"]:
        _interrupt_activity(activity, at)


def _interrupt_activity(activity: dict[str, Any], at: str) -> None:
    if activity["status"] in UNFINISHED:
        activity |= {"status": INTERRUPTED, "activityRunEnd": at}
    for attempt in activity["attempts"]:
        if attempt["status"] in UNFINISHED:
            attempt |= {"status": INTERRUPTED, "end": at}
    for child in activity["children"]:
        _interrupt_activity(child, at)
    if activity["pipelineRun"]:
        _interrupt(activity["pipelineRun"], at)


def _instants(value: object) -> Iterator[str]:
    """The times in a record at which something began or ended."""
    if isinstance(value, list):
        for item in value:
            yield from _instants(item)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in TIMES and isinstance(member, str):
                yield member
            elif name in PARTS:
                yield from _instants(member)
