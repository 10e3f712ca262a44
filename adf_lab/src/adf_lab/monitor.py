"""The record of runs: what Data Factory's monitor would show, as JSON files.

<folder>/<run id>.json     one run with all that it called; secured values are masked already
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adf_lab.errors import AdfLabError
from adf_lab.files import write_json

__all__ = ["FOLDER", "Row", "find", "keep", "listing", "rows", "runs", "seconds", "tree", "unreadable"]

NEEDED = {"activityRuns", "invokedBy", "pipelineName", "runEnd", "runId", "runStart", "status"}
FOLDER = "adf_runs"  # the usual name of the folder


@dataclass(frozen=True)
class Row:
    """One activity run of a record: how deep it stands in the tree, its path of names, and the record itself."""

    depth: int
    path: tuple[str, ...]
    record: dict

    @property
    def name(self) -> str:
        """The activity's name, with the number of its iteration."""
        iteration = self.record["iteration"]
        return self.record["activityName"] + ("" if iteration is None else f" [{iteration}]")

    @property
    def start(self) -> datetime:
        """When it began."""
        return datetime.fromisoformat(self.record["activityRunStart"])

    @property
    def seconds(self) -> float:
        """How long it took, waits between attempts included; so far, if it has not ended."""
        return (_ended(self.record["activityRunEnd"]) - self.start).total_seconds()


def keep(run, folder: Path) -> Path:
    """Write the record of a PipelineRun into a folder and return its path."""
    path = folder / f"{run.run_id}.json"
    # Through text and back: outputs may hold instants and paths.
    write_json(path, json.loads(json.dumps(run.as_dict(), default=str)))
    return path


def runs(folder: Path) -> list[dict]:
    """The records in a folder, newest first; a file that is none is left out (see `unreadable`)."""
    # Scripted runs begin at the same time of their virtual clocks: of these the file tells which is newer.
    paths = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    records = [record for path in paths if (record := _read(path)) is not None]
    return sorted(records, key=lambda record: record["runStart"], reverse=True)


def unreadable(folder: Path) -> list[Path]:
    """The JSON files in a folder that are no records of runs."""
    return sorted(path for path in folder.glob("*.json") if _read(path) is None)


def _read(path):
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and record.keys() >= NEEDED else None


def find(folder: Path, run_id: str) -> dict:
    """The record whose id begins with a text, or the newest for "last"; raises AdfLabError if there is none."""
    known = runs(folder)
    found = known[:1] if run_id == "last" else [run for run in known if run["runId"].startswith(run_id)]
    if len(found) != 1:
        count = "No run" if not found else f"{len(found)} runs"
        raise AdfLabError(f"{count} in {folder} for '{run_id}'. Without an id, `monitor` lists them.")
    return found[0]


def rows(record: dict) -> Iterator[Row]:
    """Every activity run of a record in the order of the tree, those of called pipelines included."""
    yield from _rows(record["activityRuns"], 0, (record["pipelineName"],))


def _rows(records, depth, path):
    for record in records:
        row = Row(depth, (*path, record["activityName"]), record)
        yield row
        yield from _rows(record["children"], depth + 1, row.path)
        if record["pipelineRun"]:
            child = record["pipelineRun"]
            yield from _rows(child["activityRuns"], depth + 1, (*row.path, child["pipelineName"]))


def seconds(record: dict) -> float:
    """How long a run took; so far, if it has not ended."""
    return (_ended(record["runEnd"]) - datetime.fromisoformat(record["runStart"])).total_seconds()


def _ended(moment):
    return datetime.fromisoformat(moment) if moment else datetime.now(UTC)


def listing(records: list[dict]) -> Iterator[str]:
    """The runs as lines: start, status, seconds, pipeline, trigger, id."""
    yield f"{'start (UTC)':<21}{'status':<11}{'seconds':>8}  {'pipeline':<14}{'trigger':<13}run"
    for record in records:
        yield (
            f"{record['runStart'][:19].replace('T', ' '):<21}{record['status']:<11}{seconds(record):>8.1f}  "
            f"{record['pipelineName']:<14}{record['invokedBy']['TriggerName']:<13}{record['runId']}"
        )


def one_line(text: str) -> str:
    """A message without its line breaks, which would tear a tree."""
    return " ".join(text.split())


def tree(record: dict) -> Iterator[str]:
    """One run as lines: a line for each activity with status, duration, attempts and error."""
    yield f"{record['pipelineName']}  {record['status']}  {seconds(record):.1f} s  {record['runId']}"
    for row in rows(record):
        run = row.record
        attempts = f"  {len(run['attempts'])} attempts" if len(run["attempts"]) > 1 else ""
        message = f"  {one_line(run['error']['message'])}" if run["error"] else ""
        began = "" if run["status"] == "Skipped" else f"  {run['activityRunStart'][11:19]}  {row.seconds:.1f} s"
        line = f"{row.name} ({run['activityType']})  {run['status']}{began}{attempts}{message}"
        yield "  " * (row.depth + 1) + line
