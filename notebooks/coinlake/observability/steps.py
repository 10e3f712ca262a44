"""The record that each notebook leaves: what it read, wrote and rejected, and where the data came from.

A step is one JSON file, written when the notebook has done its work; notebook 08 gathers the files into the
table `run_steps`. Beside it stands the step's newest lineage event (see lineage.py).
"""

import contextlib
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from coinlake import files, instants, project_files, runtime
from coinlake.observability import lineage


@dataclass
class Step:
    """One notebook within one pipeline run; `end` writes its record."""

    name: str
    run_id: str
    lake_path: str
    parameters: dict[str, Any]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

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
        writes = dict(writes or {})
        ended_at = datetime.now(UTC)
        record = self._write(
            "succeeded",
            ended_at,
            rows_read=rows_read,
            rows_written=rows_written,
            rows_rejected=rows_rejected,
            table_versions={name: version for name, version in writes.items() if version is not None},
        )
        self._keep_event(lineage.COMPLETE, ended_at, reads=reads, writes=writes)
        print(f"{self.name}: {rows_read:,} read, {rows_written:,} written, {rows_rejected:,} rejected")
        runtime.finish(json.dumps(step_result(record)))

    def fail(self, message: str) -> None:
        """Record the step as failed, with the message that a person should read."""
        ended_at = datetime.now(UTC)
        self._write("failed", ended_at, message=message)
        self._keep_event(lineage.FAIL, ended_at, message=message)

    def _write(self, status: str, ended_at: datetime, **facts: Any) -> dict[str, Any]:
        record = {
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
        try:
            files.write_json(record_path(self.lake_path, self.started_at, self.run_id, self.name), record)
        except PermissionError:
            print(
                f"{self.name}: no record is left of this step, because you may read this lake and not write to it"
            )
        return record

    def _keep_event(self, kind: str, at: datetime, **content: Any) -> None:
        with contextlib.suppress(PermissionError):
            event = lineage.event(kind, at, self.run_id, self.name, **content)
            lineage.keep(_lake(self.lake_path), self.run_id, self.name, event)


def begin(name: str, namespace: MutableMapping[str, Any]) -> Step:
    """Start the step of the notebook `name`; `namespace` is its `globals()` after `parameters.override`.

    An empty `run_id` gets a new one.
    """
    declared = {key: namespace[key] for key in namespace["__annotations__"] if not key.startswith("_")}
    run_id = declared["run_id"] or new_run_id()
    step = Step(name, run_id, declared["lake_path"], declared | {"run_id": run_id})
    step._keep_event(lineage.START, step.started_at)
    return step


def step_result(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a step gives back to its caller, in Data Factory as `runOutput`: step, run_id and its counts."""
    return {name: record[name] for name in ("step", "run_id", "rows_read", "rows_written", "rows_rejected")}


def new_run_id() -> str:
    """A run id that sorts by time: the UTC instant and eight random hex digits."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def record_path(lake_path: str, started_at: datetime, run_id: str, name: str) -> Path:
    """Where the record of a step stands below the lake."""
    return _lake(lake_path) / "steps" / f"date={started_at:%Y-%m-%d}" / run_id / f"{name}.json"


def read_record(lake_path: str, run_id: str, name: str) -> dict[str, Any] | None:
    """The newest record of a step of this run, whichever day it began on; None when it left none."""
    records = sorted((_lake(lake_path) / "steps").glob(f"date=*/{run_id}/{name}.json"))
    return json.loads(records[-1].read_text(encoding="utf-8")) if records else None


def read_records(lake_path: str, since: date) -> list[dict[str, Any]]:
    """The records of the steps that started on the day `since` or later, in the order of their paths."""
    return [
        json.loads(path.read_text(encoding="utf-8"))
        for day in sorted((_lake(lake_path) / "steps").glob("date=*"))
        if day.name >= f"date={since}"
        for path in sorted(day.glob("*/*.json"))
        if not path.name.startswith(".")
    ]


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
