"""When things ran: the begin and end of runs and attempts, and what of it was work and what was waiting."""

from dataclasses import dataclass
from datetime import datetime

from adf_lab.monitor import rows
from adf_lab.pages.words import OPEN


@dataclass(frozen=True)
class Piece:
    """A stretch of time of an activity: `work` (an attempt), `wait`, or `group` (a container or a call)."""

    kind: str
    start: datetime
    end: datetime
    status: str
    error: dict | None = None

    @property
    def seconds(self):
        """How long it was."""
        return (self.end - self.start).total_seconds()


def moment(text):
    """The datetime of a text in a record; None for None."""
    return datetime.fromisoformat(text) if text else None


def run_span(record, now):
    """The begin and end of a run; one that is open ends now, one that never ended at the last that is known."""
    start, end = moment(record["runStart"]), moment(record["runEnd"])
    if end is None and record["status"] in OPEN:
        end = max(now, start)
    return start, end or _last_known(record, start)


def run_seconds(record, now):
    """How long a run took, or has taken until now."""
    start, end = run_span(record, now)
    return (end - start).total_seconds()


def pieces(row, until):
    """The pieces of an activity run, one after the other; what has no end lasts until then."""
    record = row.record
    if record["status"] in ("Skipped", "Inactive"):
        return []
    end = moment(record["activityRunEnd"]) or max(until, row.start)
    if record["children"] or record["pipelineRun"]:
        return [Piece("group", row.start, end, record["status"])]
    if record["activityType"] == "Wait":
        return [Piece("wait", row.start, end, record["status"])]
    found: list[Piece] = []
    for attempt in record["attempts"]:
        begun = moment(attempt["start"])
        before = found[-1].end if found else row.start
        if begun > before:
            found.append(Piece("wait", before, begun, "Waiting"))
        found.append(
            Piece("work", begun, moment(attempt["end"]) or end, _status(attempt, record), attempt["error"])
        )
    if found and end > found[-1].end:
        found.append(Piece("wait", found[-1].end, end, "Waiting"))
    return found or [Piece("work", row.start, end, record["status"])]


def _status(attempt, record):
    """An attempt that was cut off has no status of its own."""
    return record["status"] if attempt["status"] == "InProgress" else attempt["status"]


def _last_known(record, start):
    times = [moment(row.record[name]) for row in rows(record) for name in ("activityRunStart", "activityRunEnd")]
    return max([start, *filter(None, times)])
