"""The log of a Delta table in a folder, read as the files that it consists of.

Delta asks Spark what its own log says, and each question is one more query, or several where the table was just
written. The log of a small table is a few small files, read in a millisecond.

Source: Delta Transaction Log Protocol, "Delta Log Entries", "Checkpoints" and "Action Reconciliation".
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pyarrow.parquet as pq

VERSION = "[0-9]" * 20
# Readers of this protocol need to know nothing of deletion vectors, mapped columns and what else came later.
PLAIN_READER = 1
# What became of a row, as the Change Data Feed names it; of files of changed rows their own column tells.
INSERT, DELETE, CDC = "insert", "delete", "cdc"
CHANGE_FILES = "_change_data"


class Commit(NamedTuple):
    """A Delta commit: its version, its operation (WRITE, MERGE, OPTIMIZE ...), and what the operation counted.

    at: when it was written, in milliseconds since 1970 UTC.
    """

    version: int
    operation: str
    metrics: Mapping[str, str]
    at: int


class File(NamedTuple):
    """A file of rows: its absolute path, and how many they are."""

    path: str
    rows: int


class ChangedFiles(NamedTuple):
    """Files of one commit, and what their rows are: inserted, deleted, or named so in a column of theirs (CDC)."""

    version: int
    kind: str
    paths: list[str]


class State(NamedTuple):
    """A table at a version: Delta's id of it, its schema as JSON, its properties, its files sorted by path."""

    id: str
    schema: str
    properties: Mapping[str, str]
    files: list[File]


def entries(folder: str | Path) -> list[Path]:
    """The log's entries, one a commit, the oldest first; none where there is no log."""
    return sorted(Path(folder, "_delta_log").glob(f"{VERSION}.json"))


def commit(entry: Path) -> Commit:
    """The commit that an entry, actions as lines of JSON, tells of.

    Raises ValueError, IndexError or StopIteration where the entry was cut.
    """
    lines = entry.read_text(encoding="utf-8").splitlines()
    json.loads(lines[-1])
    info = next(json.loads(line)["commitInfo"] for line in lines if line.startswith('{"commitInfo"'))
    # As Delta has it: the entry's own time, not the one that it names.
    written = entry.stat().st_mtime_ns // 1_000_000
    return Commit(int(entry.stem), info["operation"], info["operationMetrics"], written)


def state(folder: str, version: int | None = None) -> State | None:
    """What the table is at a version, or at the newest.

    None where this cannot be told from here: the log no longer reaches back so far, its checkpoint is of another
    kind than the plain one, or to read the files takes more than to read Parquet. Raises ValueError where an
    entry was cut.
    """
    there = {int(entry.stem): entry for entry in entries(folder)}
    if not there:
        return None
    until = max(there) if version is None else version
    plain = Path(folder, "_delta_log").glob(f"{VERSION}.checkpoint.parquet")
    checkpoints = {number: path for path in plain if (number := int(path.name[:20])) <= until}
    start = max(checkpoints, default=-1)
    later = range(start + 1, until + 1)
    if not there.keys() >= set(later):
        return None
    actions: list[Mapping[str, Any]] = []
    if checkpoints:
        actions += pq.read_table(checkpoints[start], columns=["protocol", "metaData", "add"]).to_pylist()
    for number in later:
        actions += map(json.loads, there[number].read_text(encoding="utf-8").splitlines())
    return _reconciled(folder, actions)


def changed_files(folder: str, since: int, until: int) -> list[ChangedFiles] | None:
    """The files that say what changed after a version, up to another one: some a commit that changed rows.

    None where this cannot be told from here: the log no longer reaches back so far, or the table's description
    changed in between, such as whether its changes are kept.
    Source: Delta Transaction Log Protocol, "Add CDC File": a commit that has such files has all its changes there;
    else the rows of the files that it adds are new, and those of the files that it removes are gone.
    """
    there = {int(entry.stem): entry for entry in entries(folder)}
    commits = range(since + 1, until + 1)
    if not there.keys() >= set(commits):
        return None
    found = []
    for version in commits:
        paths: dict[str, list[str]] = {CDC: [], INSERT: [], DELETE: []}
        for action in map(json.loads, there[version].read_text(encoding="utf-8").splitlines()):
            if action.keys() & {"metaData", "protocol"}:
                return None
            for name, kind in (("cdc", CDC), ("add", INSERT), ("remove", DELETE)):
                if name in action and (kind == CDC or action[name]["dataChange"]):
                    paths[kind].append(f"{folder}/{unquote(action[name]['path'])}")
        kinds = (CDC,) if paths[CDC] else (INSERT, DELETE)
        found += [ChangedFiles(version, kind, paths[kind]) for kind in kinds if paths[kind]]
    is_whole = all(Path(path).exists() for changed in found for path in changed.paths)
    return found if is_whole else None


def _reconciled(folder: str, actions: Iterable[Mapping[str, Any]]) -> State | None:
    added: dict[str, Mapping[str, Any]] = {}
    metadata: Mapping[str, Any] = {}
    for action in actions:
        if protocol := action.get("protocol"):
            if protocol["minReaderVersion"] > PLAIN_READER:
                return None
        elif action.get("metaData"):
            metadata = action["metaData"]
        elif add := action.get("add"):
            added[add["path"]] = add
        elif remove := action.get("remove"):
            added.pop(remove["path"], None)
    files = [_file(folder, add) for _, add in sorted(added.items())]
    known = [file for file in files if file is not None]
    if len(known) < len(files):
        return None
    # A map is a list of pairs in a checkpoint.
    return State(str(metadata["id"]), metadata["schemaString"], dict(metadata["configuration"]), known)


def _file(folder: str, add: Mapping[str, Any]) -> File | None:
    """None where the log does not say how many rows a file has, or the file stands elsewhere."""
    stats = json.loads(add["stats"] or "{}")
    if "numRecords" not in stats or ":" in add["path"].partition("/")[0] or add["path"].startswith("/"):
        return None
    return File(f"{folder}/{unquote(add['path'])}", stats["numRecords"])
