"""The landing zone: every answer byte for byte, one file each, and a run that is visible whole or not at all.

    landing/endpoint=…/date=…/run=…/p0001.json              bodies that are data
    landing_errors/endpoint=…/date=…/run=…/p0001-a1.json    bodies of everything else; .txt when not JSON
    landing_meta/date=…/run=….jsonl                         a line per attempt, last of all: the commit marker
    landing_staging/run=….…/                                a run that is not visible yet, and its journal

A run is gathered in landing_staging. To commit, its moves are noted in a journal and then carried out, the meta
file last. Whoever comes next finishes a run that has a journal and discards one that has none. Nothing that is
visible is ever written again.

What answers has cost credits, where it is noted before it is sent, is not discarded: of an interrupted run it is
landed as a run of its own, with a line for the attempt of which nothing more was heard. The log holds every call.

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
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from coinlake import api, files, instants, sources
from coinlake.api import Attempt
from coinlake.errors import ConfigurationError, LandingError

BODIES, ERRORS, META, STAGING = "landing", "landing_errors", "landing_meta", "landing_staging"
# In the folder of a staged run: each attempt's line as NNNNNN-sent.json before it is sent, NNNNNN.json afterwards.
ATTEMPTS = "attempts"

Line = dict[str, Any]

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_JOURNAL = "journal.json"
_ABANDONED_AFTER_SECONDS = 86_400


class Spending(NamedTuple):
    """What CoinGecko was asked: the credits of a month, and the UTC instant of the last call, None without one."""

    credits: int
    last_call: datetime | None


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

    def spending(self, instant: datetime, root: str = "") -> Spending:
        """The credits that cost the UTC month of `instant`, and its last call, of runs landed and being gathered.

        Of the credits only those of calls to addresses that begin with `root`, which tells plans apart.
        """
        month = instant.astimezone(UTC).strftime("%Y-%m")
        calls = [
            (line, endpoint)
            for lines in (*map(self.lines, self._runs_of_month(instant)), *self._gathered_lines())
            for line in lines
            if (endpoint := sources.endpoint_of(line["endpoint"])).group == "market"
            and line["error"] != api.OUT_OF_CREDITS
        ]
        credits = sum(
            api.costs_credit(line["status"], line["error"])
            and line["fetched_at"].startswith(month)
            and api.absolute_url(endpoint, line["url"]).startswith(root)
            for line, endpoint in calls
        )
        sent = (
            instants.parse(line["fetched_at"]) - timedelta(milliseconds=line["elapsed_ms"]) for line, _ in calls
        )
        return Spending(credits, max(sent, default=None))

    def newest_answers(self, endpoint: str, since: date) -> dict[tuple, str]:
        """The instant of the newest data of each question to an endpoint, of those answered since that day."""
        folders = (self.path / BODIES / f"endpoint={endpoint}").glob("date=*/run=*")
        runs = {folder.name.removeprefix("run=") for folder in folders if folder.parent.name >= f"date={since}"}
        newest: dict[tuple, str] = {}
        for run in filter(self.has, runs):
            for line in self.lines(run):
                if line["endpoint"] == endpoint and line["outcome"] == "landed":
                    question = api.same_question(line["url"])
                    newest[question] = max(newest.get(question, ""), line["fetched_at"])
        return newest

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
        """Gather a run; unless it is committed inside the `with`, nothing of it stays but what was noted.

        Interrupted runs of others are completed or discarded first.
        Raises LandingError when the run is landed already, another process lands it now, or the disk refuses;
        ConfigurationError when the lake holds the other kind of data (simulated, real).
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
                if not gathering.is_decided:
                    with self._explained(run):
                        self._settle(gathering.folder)

    def refuse_mixing(self, simulated: bool) -> None:
        """Raise ConfigurationError when data of this kind must not enter this lake."""
        here = self.is_simulated()
        if here is not None and here != simulated:
            kinds = {True: "simulated", False: "real"}
            raise ConfigurationError(
                f"The lake {self.path} holds {kinds[here]} data; {kinds[simulated]} data must not join it. "
                f"Set lake_path to another folder, such as lake/{'simulated' if simulated else 'live'}."
            )

    def recover(self) -> list[str]:
        """Finish or discard the runs that were interrupted, and say which: `run …: completed|discarded|kept as …`.

        A run that another process may still be gathering is left alone.
        """
        done = []
        for folder in sorted((self.path / STAGING).glob("run=*/")):
            run = folder.name.removeprefix("run=").partition(".")[0]
            with self._lock(run) as free, self._explained(run):
                if free is False or not folder.exists():
                    continue
                if _journal(folder) is None and free is None and not _is_abandoned(folder):
                    continue
                done.append(f"run {run}: {self._settle(folder)}")
        return done

    def _settle(self, folder: Path) -> str:
        """Bring a staged run to its end, and say to which."""
        end = "completed"
        if _journal(folder) is None:
            lines = _noted_lines(folder)
            end = f"kept as run {self._decide_to_keep(folder, lines)}" if lines else "discarded"
        self.carry_out(folder)
        self._storage.remove(folder)
        return end

    def _decide_to_keep(self, folder: Path, lines: list[Line]) -> str:
        """Write meta file and journal for what was noted of a run that ended early; returns the id that it gets.

        The id is the folder's own, so that the run itself can still be made.
        """
        run = lines[0]["run"]
        kept = f"{run.partition('-')[0]}-{hashlib.sha256(folder.name.encode()).hexdigest()[:8]}"
        moves = []
        for line in lines:
            line["run"] = kept
            if line["file"]:
                root = BODIES if line["outcome"] == "landed" else ERRORS
                staged, line["file"] = line["file"], line["file"].replace(f"run={run}/", f"run={kept}/")
                moves.append((f"{root}/{staged}", f"{root}/{line['file']}"))
        self.decide(folder, kept, lines, moves)
        return kept

    def decide(self, folder: Path, run: str, lines: list[Line], moves: list[tuple[str, str]]) -> None:
        """Write a staged run's meta file, and then the journal of its moves: from here on it will be landed."""
        meta = str(self._meta_file(run).relative_to(self.path))
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        self._storage.write(folder / meta, text.encode())
        self._storage.write(folder / _JOURNAL, json.dumps([*moves, (meta, meta)]).encode())

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

    def _runs_of_month(self, instant: datetime) -> set[str]:
        """The runs that asked in the UTC month of `instant`; a few more are no harm."""
        month = instant.astimezone(UTC).strftime("%Y-%m")
        # A run that began on the last day of the month before may have gone on into this one.
        before = (instant.astimezone(UTC).replace(day=1) - timedelta(days=1)).date().isoformat()
        files = (path for pattern in (before, f"{month}-*") for path in self._meta_files(pattern))
        runs = {path.stem.removeprefix("run=") for path in files}
        # The folder of a body is that of its own day, also where the run was made as of an earlier one.
        bodies = (
            folder.name.removeprefix("run=")
            for root in (BODIES, ERRORS)
            for folder in (self.path / root).glob(f"endpoint=*/date={month}-*/run=*")
        )
        return runs | {run for run in bodies if run not in runs and self.has(run)}

    def _gathered_lines(self) -> Iterator[list[Line]]:
        """What is noted of each run that is not decided on."""
        for folder in (self.path / STAGING).glob("run=*/"):
            if _journal(folder) is None:
                yield _noted_lines(folder)

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
        self.folder = landing.path / STAGING / f"run={run}.{uuid.uuid4().hex[:8]}"
        self._moves: dict[tuple[str, str], None] = {}
        self._noted = 0
        self.is_decided = False
        self.lines: list[Line] = []

    def note(self, attempt: Attempt, source: str) -> None:
        """Note an attempt that is about to be sent, so that the log will hold it whatever happens then.

        From here on nothing that was added is lost when the run is interrupted.
        """
        self._noted = len(self.lines) + 1
        self._keep_line(f"{self._noted:06}-sent", self._line(attempt, source, None))

    def add(self, attempt: Attempt, source: str) -> Line:
        """Stage one attempt: its body, if it has one, and its meta line, which is returned.

        `source` is who answered: simulated, live or replay.
        """
        file = None
        if attempt.body is not None:
            file = _file_of(self.run, attempt)
            root = BODIES if attempt.classification.error is None else ERRORS
            with self._landing._explained(self.run):
                self._storage.write_new(self.folder / root / file, attempt.body)
            folder = f"{root}/{Path(file).parent}"
            self._moves[folder, folder] = None
        line = self._line(attempt, source, file)
        self.lines.append(line)
        if self._noted == len(self.lines):
            self._keep_line(f"{self._noted:06}", line)
        return line

    def _keep_line(self, name: str, line: Line) -> None:
        with self._landing._explained(self.run):
            self._storage.write_new(self.folder / ATTEMPTS / f"{name}.json", json.dumps(line).encode())

    def _line(self, attempt: Attempt, source: str, file: str | None) -> Line:
        body, request, classification = attempt.body, attempt.request, attempt.classification
        return {
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

    def commit(self) -> None:
        """Make the run visible: journal, bodies, and last the meta file.

        Raises LandingError when another job has landed it meanwhile or the disk refuses.
        """
        if self._landing.has(self.run):
            raise LandingError(
                f"Another job has landed run {self.run} in {self._landing.path} meanwhile, and nothing landed is "
                "ever written again. Let one job at a time land a run."
            )
        with self._landing._explained(self.run):
            self._landing.decide(self.folder, self.run, self.lines, list(self._moves))
            self.is_decided = True
            self._landing.carry_out(self.folder)
            self._storage.remove(self.folder)


def _journal(folder: Path) -> list[tuple[str, str]] | None:
    """The moves that were decided on for a staged run; None when nothing was, or not to the end."""
    try:
        return [(source, target) for source, target in json.loads((folder / _JOURNAL).read_bytes())]
    except (FileNotFoundError, ValueError):
        return None


def _noted_lines(folder: Path) -> list[Line]:
    """The lines of the attempts that were noted in a staged run: as they ended, else as they were sent."""
    lines: dict[str, Line] = {}
    for path in sorted((folder / ATTEMPTS).glob("*.json")):
        # A file that was cut off itself says less than the one before it.
        with suppress(ValueError, FileNotFoundError):
            lines[path.name[:6]] = json.loads(path.read_bytes())
    return list(lines.values())


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
        return [_line_of(text, path) for text in file]


def _first_line(path: Path) -> Line:
    with path.open(encoding="utf-8") as file:
        return _line_of(file.readline(), path)


def _line_of(text: str, path: Path) -> Line:
    try:
        return json.loads(text)
    except ValueError:
        raise LandingError(
            f"{path} has a line that is not JSON; it was edited or cut. Restore the file."
        ) from None
