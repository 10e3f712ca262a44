"""What has become of what a trigger has fired: its state over restarts, as a file that only grows.

<records>/triggers/<trigger>.jsonl

    {"at": "…", "status": "Watched"}                                      the trigger is watched from then on
    {"at": "…", "firing": "…", "pipeline": "…", "status": "…", "run": "…"}   a firing, and how it stands since then

`firing` is the time of a schedule, or the begin of a window. Its status is Queued, InProgress, then Succeeded,
Failed, Cancelled or Interrupted, or Missed if it was left out. Several processes may append; the last line
about a firing counts.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FOLDER = "triggers"
WATCHED = "Watched"
MISSED = "Missed"


@dataclass(frozen=True)
class Entry:
    """How one firing of a trigger stands, and since when."""

    at: datetime
    status: str
    run: str | None = None


class Journal:
    """The journal of one trigger; without a path it is kept in memory."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.watched_since: datetime | None = None
        self._entries: dict[tuple[datetime, str], Entry] = {}
        self._runs: dict[str, tuple[datetime, str]] = {}
        self._read = 0

    def entries(self) -> dict[tuple[datetime, str], Entry]:
        """How every firing stands, by time and pipeline."""
        if self.path is not None and self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                # A line that is not whole yet is read the next time.
                whole, newline, _ = file.read().rpartition(b"\n")
            self._read += len(whole) + len(newline)
            for line in whole.splitlines():
                self._take(line)
        return self._entries

    def last(self) -> datetime | None:
        """The time of the last firing, or since when the trigger is watched; None if it never was."""
        times = [time for time, _ in self.entries()]
        return max(times, default=self.watched_since)

    def firing_of(self, run_id: str) -> tuple[datetime, str] | None:
        """Time and pipeline of the firing that a run belongs to."""
        self.entries()
        return self._runs.get(run_id)

    def watch(self, at: datetime) -> None:
        """Note that the trigger is watched from a time on."""
        self._append({"at": _text(at), "status": WATCHED})

    def note(self, at: datetime, firing: tuple[datetime, str], status: str, run: str | None = None) -> None:
        """Note how a firing stands from a time on."""
        time, pipeline = firing
        line = {"at": _text(at), "firing": _text(time), "pipeline": pipeline, "status": status, "run": run}
        self._append(line)

    def _append(self, line):
        text = json.dumps(line).encode() + b"\n"
        if self.path is None:
            self._take(text)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(text if _ends_whole(self.path) else b"\n" + text)

    def _take(self, text):
        try:
            line = json.loads(text)
            if line["status"] == WATCHED:
                self.watched_since = datetime.fromisoformat(line["at"])
                return
            firing = datetime.fromisoformat(line["firing"]), line["pipeline"]
            self._entries[firing] = Entry(datetime.fromisoformat(line["at"]), line["status"], line["run"])
            if line["run"]:
                self._runs[line["run"]] = firing
        except (ValueError, KeyError, TypeError):
            # Half a line, which a process that was killed has left.
            return


def _ends_whole(path):
    with path.open("rb") as file:
        if file.seek(0, 2) == 0:
            return True
        file.seek(-1, 2)
        return file.read() == b"\n"


def _text(moment):
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
