"""The record that each notebook leaves: what it read, wrote and rejected, and where the data came from.

A step is one JSON file. It is there from the step's beginning, as running, and says in the end how the step ended;
notebook 08 gathers the files into the table `run_steps`. The notebook writes it by itself, wherever it runs: what
its cells raise, the record has. Only a kernel that was killed cannot write any more; its record is closed as
interrupted by whoever finds it: its runner, or the next run.
Beside the record stands the step's newest lineage event (see lineage.py).
"""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from coinlake import errors, files, instants, project_files, runtime
from coinlake.observability import lineage
from coinlake.schema import FAILED, INTERRUPTED, RUNNING, SUCCEEDED

# How often a running step says that it lives, at most: after a cell, if the last time was so long ago.
SIGN_OF_LIFE = timedelta(seconds=10)
# Names the run of all notebooks that one person opens in one sitting.
SITTING = "COINLAKE_RUN_ID"
BY_HAND = "A person interrupted it."
FOUND = "A later run found it unfinished: it was cut off, and could not say why."
CUT_OFF = "Its record cannot be read: it was cut off while it was written."


@dataclass
class Step:
    """One notebook within one pipeline run; its record says how it stands.

    `parameters` are the notebook's own; in one that runs by hand, for itself, their `run_id` is empty.
    """

    name: str
    run_id: str
    lake_path: str
    parameters: dict[str, Any]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _unwatch: Callable[[], None] | None = field(default=None, repr=False)
    _noted: tuple[str, datetime] = field(default=("", datetime.min.replace(tzinfo=UTC)), repr=False)

    def end(
        self,
        *,
        rows_read: int,
        rows_written: int,
        rows_rejected: int = 0,
        reads: Iterable[str] = (),
        writes: Mapping[str, int | None] | None = None,
    ) -> None:
        """Record the step as succeeded, print its counts, and hand them to a caller who passed parameters.

        `reads` names the inputs (schema.table, or a folder of the lake);
        `writes` maps each output to its Delta version, None where there is no version.
        """
        self._close()
        writes = dict(writes or {})
        ended_at = datetime.now(UTC)
        record = self._write(
            SUCCEEDED,
            ended_at,
            rows_read=rows_read,
            rows_written=rows_written,
            rows_rejected=rows_rejected,
            table_versions={name: version for name, version in writes.items() if version is not None},
        )
        self._keep_event(lineage.COMPLETE, ended_at, reads=reads, writes=writes)
        print(f"{self.name}: {rows_read:,} read, {rows_written:,} written, {rows_rejected:,} rejected")
        runtime.finish(json.dumps(step_result(record)))

    def skip(self, message: str) -> dict[str, Any]:
        """Record the step as succeeded without work, and why there was none; returns the record."""
        return self._write(
            SUCCEEDED, datetime.now(UTC), rows_read=0, rows_written=0, rows_rejected=0, message=message
        )

    def fail(self, message: str) -> None:
        """Record the step as failed, with the message that a person should read."""
        self._end_badly(FAILED, lineage.FAIL, message)

    def interrupt(self, message: str) -> None:
        """Record the step as interrupted: it neither succeeded nor failed, it was ended from outside."""
        self._end_badly(INTERRUPTED, lineage.ABORT, message)

    def _begin(self) -> None:
        self._write(RUNNING, self.started_at)
        self._keep_event(lineage.START, self.started_at)
        self._unwatch = runtime.after_each_cell(self._after_cell)

    def _after_cell(self, error: BaseException | None) -> None:
        """What the record says after a cell of the step: that it lives, or what the cell raised."""
        if isinstance(error, KeyboardInterrupt):
            self.interrupt(BY_HAND)
        elif error is not None:
            self.fail(errors.in_words(type(error).__name__, str(error)))
        else:
            now = datetime.now(UTC)
            status, at = self._noted
            # A person mends a cell that failed, and goes on.
            if status != RUNNING or now - at >= SIGN_OF_LIFE:
                self._write(RUNNING, now)

    def _close(self) -> None:
        """From here on no cell changes the record: exercises, for example, may fail."""
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None

    def _end_badly(self, status: str, kind: str, message: str) -> None:
        ended_at = datetime.now(UTC)
        noted = read_record(self.lake_path, self.run_id, self.name)
        if noted is not None:
            # Whoever runs a notebook begins before it; one record of one step has one start.
            self.started_at = max(self.started_at, datetime.fromisoformat(noted["started_at"]))
        self._write(status, ended_at, message=message)
        self._keep_event(kind, ended_at, message=message)

    def _record(self, status: str, ended_at: datetime, **facts: Any) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "step": self.name,
            "status": status,
            "started_at": instants.to_text(self.started_at),
            "ended_at": instants.to_text(ended_at),
            "seconds": round((ended_at - self.started_at).total_seconds(), 3),
            "rows_read": None,
            "rows_written": None,
            "rows_rejected": None,
            "table_versions": {},
            "parameters": self.parameters,
            "code_hash": code_hash(),
            "message": None,
        } | facts

    def _write(self, status: str, ended_at: datetime, **facts: Any) -> dict[str, Any]:
        record = self._record(status, ended_at, **facts)
        self._noted = status, ended_at
        try:
            files.write_json(record_path(self.lake_path, self.started_at, self.run_id, self.name), record)
        except OSError as problem:
            # A failure is said all the same where the disk is full; that a step succeeded needs a record.
            if status == SUCCEEDED and not isinstance(problem, PermissionError):
                raise
            if status == SUCCEEDED:
                print(
                    f"{self.name}: no record is left of this step, because you may read this lake and not write "
                    "to it"
                )
        return record

    def _keep_event(self, kind: str, at: datetime, **content: Any) -> None:
        with contextlib.suppress(OSError):
            event = lineage.event(kind, at, self.run_id, self.name, **content)
            lineage.keep(_lake(self.lake_path), self.run_id, self.name, event)


# The step that this kernel's cells belong to; None where there are no cells.
_of_this_kernel: Step | None = None


def begin(name: str, namespace: MutableMapping[str, Any]) -> Step:
    """Start the step of the notebook `name`; `namespace` is its `globals()` after `parameters.override`.

    Its record is there from now on, and follows its cells until `end`. An empty `run_id` is that of the sitting
    (the environment variable COINLAKE_RUN_ID, by which the notebooks of one JupyterLab are one run) or a new one.
    """
    global _of_this_kernel
    declared = {key: namespace[key] for key in namespace["__annotations__"] if not key.startswith("_")}
    step = Step(
        name, declared["run_id"] or os.environ.get(SITTING) or new_run_id(), declared["lake_path"], declared
    )
    if _of_this_kernel is not None and _of_this_kernel._unwatch is not None:
        # Its notebook was begun again from the top.
        _of_this_kernel._close()
        _of_this_kernel.interrupt(BY_HAND)
    step._begin()
    if step._unwatch is not None:
        _of_this_kernel = step
    return step


def step_result(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a step gives back to its caller, on Databricks as its output: step, run_id and its counts."""
    return {name: record[name] for name in ("step", "run_id", "rows_read", "rows_written", "rows_rejected")}


def refuse_too_many_rejected(step: Step, most_rejected_share: float) -> None:
    """Raise CoinlakeError if notebook 03 of the run of `step` rejected more than this share (0 to 1) of its rows.

    The rows are in quarantine, and gold stays as it was. Nothing is refused where notebook 03 left no counts.
    """
    silver = read_record(step.lake_path, step.run_id, "03_stream_to_silver")
    if silver is None or silver["rows_rejected"] is None:
        return
    rejected, accepted = silver["rows_rejected"], silver["rows_written"]
    if rejected > most_rejected_share * (accepted + rejected):
        raise errors.CoinlakeError(
            f"{rejected:,} rows were rejected and {accepted:,} accepted: look into cleaned_data.quarantine. "
            f"Gold was not built. If they are rejected rightly, run it with a higher most_rejected_share than "
            f"{most_rejected_share:g}."
        )


def new_run_id() -> str:
    """A run id that sorts by time: the UTC instant and eight random hex digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def record_path(lake_path: str, started_at: datetime, run_id: str, name: str) -> Path:
    """Where the record of a step stands below the lake."""
    return _lake(lake_path) / "steps" / f"date={started_at:%Y-%m-%d}" / run_id / f"{name}.json"


def read_record(lake_path: str, run_id: str, name: str) -> dict[str, Any] | None:
    """The newest record of a step of this run, whichever day it began on; None when it left none."""
    records = sorted((_lake(lake_path) / "steps").glob(f"date=*/{run_id}/{name}.json"))
    return _read(records[-1]) if records else None


def read_records(lake_path: str, since: date) -> list[dict[str, Any]]:
    """The records of the steps that started on the day `since` or later: the newest of each step of each run."""
    records = [
        _read(path)
        for day in sorted((_lake(lake_path) / "steps").glob("date=*"))
        if day.name >= f"date={since}"
        for path in sorted(day.glob("*/*.json"))
        if not path.name.startswith(".")
    ]
    return list({(record["run_id"], record["step"]): record for record in records}.values())


def close_unfinished(lake_path: str, records: Iterable[dict[str, Any]], message: str = FOUND) -> None:
    """Record those of these steps as interrupted that are still running, and change `records` accordingly.

    A step that goes on all the same, in a notebook that somebody has open, says so after its next cells.
    """
    for record in records:
        if record["status"] == RUNNING:
            record |= {"status": INTERRUPTED, "message": message}
            path = record_path(
                lake_path, datetime.fromisoformat(record["started_at"]), record["run_id"], record["step"]
            )
            with contextlib.suppress(PermissionError):
                files.write_json(path, record)


def _read(path: Path) -> dict[str, Any]:
    """A record; what its path says of a step whose record was cut off, which a volume does not prevent."""
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        day = datetime.fromisoformat(path.parent.parent.name.removeprefix("date=")).replace(tzinfo=UTC)
        step = Step(path.stem, path.parent.name, "", {}, day)
        record = step._record(INTERRUPTED, day, message=CUT_OFF, code_hash=None)
    return record


@cache
def code_hash() -> str:
    """SHA-256 of the package's source files, first 12 hex digits: which code made the data."""
    digest = hashlib.sha256()
    package = project_files.PACKAGE
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _lake(lake_path: str) -> Path:
    return Path(runtime.resolve_path(lake_path))
