"""How much Spark has to do in a run, read from its event log: counts, which are the same on every machine."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXECUTION = "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart"
OPERATION = "org.apache.spark.sql.connect.service.SparkListenerConnectOperationStarted"
JOB, TASK = "SparkListenerJobStart", "SparkListenerTaskEnd"
# Spark Connect names each operation's jobs by user, session and operation; a notebook's user is its name.
TAG = re.compile(r"SparkConnect_OperationTag_User_(.*?)_Session_")
TABLE = re.compile(r"tables/(\w+/\w+)")
OTHER = "-"


@dataclass(frozen=True)
class Work:
    """What was done for one notebook and one table: SQL executions, jobs, tasks, Connect operations."""

    notebook: str
    table: str
    executions: int = 0
    jobs: int = 0
    tasks: int = 0
    operations: int = 0


def java_options(folder: Path) -> tuple[str, ...]:
    """The options by which a Spark server writes its events below a folder, which must exist."""
    return (
        "-Dspark.eventLog.enabled=true",
        f"-Dspark.eventLog.dir={folder.as_uri()}",
        "-Dspark.eventLog.rolling.enabled=false",
        "-Dspark.eventLog.compress=false",
    )


def read(folder: Path) -> list[Work]:
    """The work in the event log below a folder, by notebook and table, most executions first."""
    return of_events(json.loads(line) for log in sorted(folder.iterdir()) for line in log.open(encoding="utf-8"))


def of_events(events: Iterable[Mapping[str, Any]]) -> list[Work]:
    """The work that Spark's events tell of."""
    counts: Counter[tuple[str, str, str]] = Counter()
    executions: dict[str, tuple[str, str]] = {}
    stages: dict[int, tuple[str, str]] = {}
    for event in events:
        kind = event["Event"]
        if kind == EXECUTION:
            place = _place(event.get("jobTags", ()), f"{event['description']} {event['physicalPlanDescription']}")
            root = str(event.get("rootExecutionId", event["executionId"]))
            place = executions.get(root, place)
            executions[str(event["executionId"])] = place
            counts[(*place, "executions")] += 1
        elif kind == JOB:
            properties = event.get("Properties") or {}
            tags = properties.get("spark.job.tags", "").split(",")
            place = executions.get(properties.get("spark.sql.execution.id", ""), _place(tags, ""))
            stages |= dict.fromkeys(event["Stage IDs"], place)
            counts[(*place, "jobs")] += 1
        elif kind == TASK:
            counts[(*stages[event["Stage ID"]], "tasks")] += 1
        elif kind == OPERATION:
            counts[(event["userId"] or OTHER, OTHER, "operations")] += 1
    places = {(notebook, table) for notebook, table, _ in counts}
    found = [
        Work(*place, *(counts[(*place, what)] for what in ("executions", "jobs", "tasks", "operations")))
        for place in sorted(places)
    ]
    return sorted(found, key=lambda work: -work.executions)


def total(works: Iterable[Work]) -> Work:
    """The sum of all work."""
    works = list(works)
    sums = (sum(getattr(work, name) for work in works) for name in ("executions", "jobs", "tasks", "operations"))
    return Work("all", OTHER, *sums)


def lines(works: Iterable[Work]) -> Iterator[str]:
    """The work as lines of a table."""
    yield f"{'notebook':<28}{'table':<42}{'executions':>11}{'jobs':>7}{'tasks':>7}{'operations':>12}"
    for work in works:
        yield (
            f"{work.notebook:<28}{work.table:<42}{work.executions:>11,}{work.jobs:>7,}{work.tasks:>7,}"
            f"{work.operations:>12,}"
        )


def _place(tags: Iterable[str], text: str) -> tuple[str, str]:
    """Notebook and table of something that Spark did, from its tags and from what it says of itself."""
    notebook = next((found[1] for found in map(TAG.search, tags) if found), OTHER)
    table = TABLE.search(text)
    return notebook or OTHER, table[1].replace("/", ".") if table else OTHER
