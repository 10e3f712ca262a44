"""The landing zone: every answer byte for byte, one file each, and a run that is visible whole or not at all.

    landing/endpoint=…/date=…/run=…/p0001.json              bodies that are data
    landing_errors/endpoint=…/date=…/run=…/p0001-a1.json    bodies of everything else; .txt when not JSON
    landing_meta/date=…/run=….jsonl                         a line per attempt, last of all: the commit marker
    landing_staging/run=….…/                                a run that is not visible yet, and its journal

A run is gathered in landing_staging. To commit, its moves are noted in a journal and then carried out, the meta
file last. Whoever comes next finishes a run that has a journal and discards one that has none. Nothing that is
visible is ever written again.

On a volume, which cannot rename (coinlake.files), a move is a copy: bodies come to stand in landing/ one after
another, before the meta file that commits them. Every one of them gets its meta line, if not now then from whoever
comes next, because the journal decides before the first is copied. There are no locks on a volume either: runs may
be gathered side by side, and one that is not decided on counts as interrupted a day after its last file. One run
is one job's; of two that gather the same one, the second is refused by what stands there.
"""

import errno
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from coinlake import api, files, instants, sources
from coinlake.api import Attempt
from coinlake.errors import LandingError

BODIES, ERRORS, META, STAGING = "landing", "landing_errors", "landing_meta", "landing_staging"

Line = dict[str, Any]

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_JOURNAL = "journal.json"
_ABANDONED_AFTER_SECONDS = 86_400


class LandingZone:
    """The landing zone of the lake at `lake_path`; a tape is one too."""

    def __init__(self, lake_path: str | os.PathLike[str], storage: files.Storage | None = None):
        self.path = Path(lake_path)
        self._storage = storage or files.at(self.path)

    # Reading

    def runs(self) -> list[str]:
        """Ids of the landed runs, oldest first."""
        return sorted(path.stem.removeprefix("run=") for path in self._meta_files("*"))

    def has(self, run: str) -> bool:
        """Whether the run is landed."""
        return self._meta_file(run).exists()

    def lines(self, run: str) -> list[Line]:
        """The meta lines of a landed run, in the order of the attempts."""
        return _lines(self._meta_file(run))

    def read(self, line: Line) -> bytes:
        """The body that a meta line is about; raises LandingError when it is missing or has changed.

        A tape made by others, such as a copy of Data Factory, may not know the hash: null is not compared. The
        body of an error that housekeeping has put away is empty.
        """
        path = self.body_path(line)
        if not path.is_file():
            if line["outcome"] != "landed":
                return b""
            raise LandingError(f"{path} is missing, but run {line['run']} has landed it. Restore the file.")
        body = path.read_bytes()
        if line["sha256"] is not None and hashlib.sha256(body).hexdigest() != line["sha256"]:
            raise LandingError(f"{path} has changed since it was landed (sha256 differs). Restore the file.")
        return body

    def body_path(self, line: Line) -> Path:
        """Where the body of a meta line stands."""
        root = self.path / (BODIES if line["outcome"] == "landed" else ERRORS)
        relative = Path(line["file"] or "")
        if not line["file"] or relative.is_absolute() or ".." in relative.parts:
            raise LandingError(
                f"Run {line['run']} of {self.path}: the meta line names no file of this lake: {line['file']!r}. "
                "The file was edited or is not from a landing zone; restore it."
            )
        return root / relative

    def newest(self, *names: str) -> Line | None:
        """The meta line of the newest answer that is data, of the first of these endpoints that has one."""
        for name in names:
            folders = (self.path / BODIES / f"endpoint={name}").glob("date=*/run=*")
            for folder in sorted(folders, reverse=True):
                run = folder.name.removeprefix("run=")
                if self.has(run):
                    lines = [line for line in self.lines(run) if line["endpoint"] == name]
                    return [line for line in lines if line["outcome"] == "landed"][-1]
        return None

    def groups(self) -> Iterator[tuple[str, str]]:
        """Pairs (run, group of its endpoints), newest run first."""
        for run in reversed(self.runs()):
            yield run, sources.endpoint_of(_first_line(self._meta_file(run))["endpoint"]).group

    def asked(self, day: date) -> set[tuple]:
        """Questions whose answer landed in a run of this data day, as `api.same_question` has them."""
        folders = (day, day + timedelta(days=1))
        return {
            api.same_question(line["url"])
            for folder in folders
            for path in self._meta_files(folder.isoformat())
            if instants.data_day(instants.from_stamp(path.stem.removeprefix("run="))) == day
            for line in _lines(path)
            if line["outcome"] == "landed"
        }

    def credits_used(self, instant: datetime) -> int:
        """CoinGecko answers with a 2xx status in the UTC month of `instant`."""
        month = instant.astimezone(UTC).strftime("%Y-%m")
        # A run that began on the last day of the month before may have gone on into this one.
        before = (instant.astimezone(UTC).replace(day=1) - timedelta(days=1)).date().isoformat()
        return sum(
            200 <= line["status"] < 300
            and line["fetched_at"].startswith(month)
            and sources.endpoint_of(line["endpoint"]).group == "market"
            for folder in (before, f"{month}-*")
            for path in self._meta_files(folder)
            for line in _lines(path)
        )

    def is_simulated(self) -> bool | None:
        """Whether the lake holds simulated data; None when it holds nothing."""
        # Mixing is refused at every door, so any run tells for all.
        for folder in (self.path / META).glob("date=*"):
            for path in folder.glob("run=*.jsonl"):
                return _first_line(path)["source"] == "simulated"
        return None

    # Writing

    @contextmanager
    def begin(self, run: str, *, simulated: bool) -> Iterator["LandingRun"]:
        """Gather a run; unless it is committed inside the `with`, nothing of it stays.

        Interrupted runs of others are completed or discarded first.
        Raises LandingError when the run is landed already, another process lands it now, the lake holds the
        other kind of data (simulated, real), or the disk refuses.
        """
        self.recover()
        self.refuse_mixing(simulated)
        with self._lock(run) as free:
            if free is False:
                raise LandingError(f"Another process lands run {run} into {self.path} now. Let it finish.")
            if self.has(run):
                raise LandingError(f"Run {run} is landed in {self.path} already; it is never written again.")
            gathering = LandingRun(self, run, self._storage)
            try:
                yield gathering
            finally:
                gathering.discard()

    def refuse_mixing(self, simulated: bool) -> None:
        """Raise LandingError when data of this kind must not enter this lake."""
        here = self.is_simulated()
        if here is not None and here != simulated:
            kinds = {True: "simulated", False: "real"}
            raise LandingError(
                f"The lake {self.path} holds {kinds[here]} data; {kinds[simulated]} data must not join it. "
                f"Set lake_path to another folder, such as lake/{'simulated' if simulated else 'live'}."
            )

    def recover(self) -> list[str]:
        """Finish or discard the runs that were interrupted, and say which: `run …: completed|discarded`.

        A run that another process may still be gathering is left alone.
        """
        done = []
        for folder in sorted((self.path / STAGING).glob("run=*/")):
            run = folder.name.removeprefix("run=").partition(".")[0]
            with self._lock(run) as free, self._explained(run):
                if free is False or not folder.exists():
                    continue
                is_decided = _journal(folder) is not None
                if is_decided:
                    self.carry_out(folder)
                elif free is None and not _is_abandoned(folder):
                    continue
                self._storage.remove(folder)
                done.append(f"run {run}: {'completed' if is_decided else 'discarded'}")
        return done

    def carry_out(self, folder: Path) -> None:
        """Make the moves of the journal in `folder` that are not made yet."""
        for source, target in _journal(folder) or ():
            if (folder / source).exists():
                self._storage.move(folder / source, self.path / target)

    @contextmanager
    def _lock(self, run: str) -> Iterator[bool | None]:
        """Hold the run's lock while inside; gives whether it was free, None where there are no locks."""
        with ExitStack() as held:
            with self._explained(run):
                free = held.enter_context(self._storage.lock(self.path / STAGING / f"{run}.lock"))
            yield free

    @contextmanager
    def _explained(self, run: str) -> Iterator[None]:
        """Turn what the disk refuses into an error that says what to do."""
        try:
            yield
        except OSError as problem:
            why = {
                errno.ENOSPC: "the disk is full: free some space",
                errno.EDQUOT: "the disk quota is used up: free some space",
                errno.EACCES: "writing is not allowed: set lake_path to a folder of yours",
                errno.EPERM: "writing is not allowed: set lake_path to a folder of yours",
                errno.EROFS: "the disk is read-only: set lake_path to a folder on another one",
                errno.EEXIST: f"{problem.filename2 or problem.filename} stands there already, and nothing landed "
                "is ever written again: move it away",
                errno.ENOTDIR: "a file stands where a folder is needed: set lake_path to a folder",
            }.get(problem.errno or 0, str(problem))
            raise LandingError(
                f"Run {run} could not be landed in {self.path}: {why}, and run again. "
                "No part of a run stays behind: it is completed or discarded then."
            ) from None

    def _meta_file(self, run: str) -> Path:
        return self.path / META / f"date={_date_of(run)}" / f"run={run}.jsonl"

    def _meta_files(self, date_pattern: str) -> Iterator[Path]:
        for path in sorted((self.path / META).glob(f"date={date_pattern}/run=*.jsonl")):
            if _RUN.fullmatch(path.stem.removeprefix("run=")):
                yield path


class LandingRun:
    """A run being gathered; made by `LandingZone.begin`."""

    def __init__(self, landing: LandingZone, run: str, storage: files.Storage):
        self._landing, self.run, self._storage = landing, run, storage
        # A folder of its own for each attempt at the run: where nothing is locked, another job may try the same.
        self._folder = landing.path / STAGING / f"run={run}.{uuid.uuid4().hex[:8]}"
        self._moves: dict[tuple[str, str], None] = {}
        self._is_decided = False
        self.lines: list[Line] = []

    def add(self, attempt: Attempt, source: str) -> Line:
        """Stage one attempt: its body, if it has one, and its meta line, which is returned.

        `source` is who answered: simulated, live or replay.
        """
        body, request, classification = attempt.body, attempt.request, attempt.classification
        file = None
        if body is not None:
            file = _file_of(self.run, attempt)
            root = BODIES if classification.error is None else ERRORS
            with self._landing._explained(self.run):
                self._storage.write_new(self._folder / root / file, body)
            folder = f"{root}/{Path(file).parent}"
            self._moves[folder, folder] = None
        line = {
            "run": self.run,
            "endpoint": request.endpoint.name,
            "page": request.page,
            "attempt": attempt.number,
            "method": "GET",
            "url": api.without_key(request.url),
            "status": attempt.status,
            "fetched_at": instants.to_text(attempt.fetched_at),
            "elapsed_ms": attempt.elapsed_ms,
            "headers": attempt.headers,
            "file": file,
            "bytes": None if body is None else len(body),
            "sha256": None if body is None else hashlib.sha256(body).hexdigest(),
            # Bodies are kept after content-decoding; what was used on the way stands in the headers.
            "content_encoding": None if body is None else "identity",
            "outcome": classification.outcome,
            "error": classification.error,
            "source": source,
        }
        self.lines.append(line)
        return line

    def commit(self) -> None:
        """Make the run visible: journal, bodies, and last the meta file.

        Raises LandingError when another job has landed it meanwhile or the disk refuses.
        """
        meta = self._landing._meta_file(self.run).relative_to(self._landing.path)
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines)
        moves = [*self._moves, (str(meta), str(meta))]
        if self._landing.has(self.run):
            raise LandingError(
                f"Another job has landed run {self.run} in {self._landing.path} meanwhile, and nothing landed is "
                "ever written again. Let one job at a time land a run."
            )
        with self._landing._explained(self.run):
            self._storage.write_new(self._folder / meta, text.encode())
            self._storage.write(self._folder / _JOURNAL, json.dumps(moves).encode())
            self._is_decided = True
            self._landing.carry_out(self._folder)
            self._storage.remove(self._folder)

    def discard(self) -> None:
        """Remove what is staged, unless the decision to commit has been made."""
        if not self._is_decided:
            self._storage.remove(self._folder)


def _journal(folder: Path) -> list[tuple[str, str]] | None:
    """The moves that were decided on for a staged run; None when nothing was, or not to the end."""
    try:
        return [(source, target) for source, target in json.loads((folder / _JOURNAL).read_bytes())]
    except (FileNotFoundError, ValueError):
        return None


def _is_abandoned(folder: Path) -> bool:
    """Whether nothing was written into a folder for so long that nobody can be at it any more."""
    written = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
    return bool(written) and time.time() - max(written) > _ABANDONED_AFTER_SECONDS


def _file_of(run: str, attempt: Attempt) -> str:
    """The body's path below its root: made of our own names only, never of what the network says."""
    request = attempt.request
    folder = f"endpoint={request.endpoint.name}/date={attempt.fetched_at.astimezone(UTC):%Y-%m-%d}/run={run}"
    if attempt.classification.error is None:
        return f"{folder}/p{request.page:04d}.json"
    extension = "json" if api.is_json(attempt.body or b"") else "txt"
    return f"{folder}/p{request.page:04d}-a{attempt.number}.{extension}"


def _date_of(run: str) -> str:
    return instants.from_stamp(run).date().isoformat()


def _lines(path: Path) -> list[Line]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _first_line(path: Path) -> Line:
    with path.open(encoding="utf-8") as file:
        return json.loads(file.readline())
