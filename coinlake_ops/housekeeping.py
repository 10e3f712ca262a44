"""Puts away what a lake no longer needs, at most once a day, when a run has succeeded; nothing of landing/.

Tables: files that no newer version of them has used for the time that a property of the table names are removed
(VACUUM), and many small files become few (OPTIMIZE). Files: records of steps, lineage, executed notebooks, and the
bodies of errors are kept for so many days.

A child process of a run does it, as a client of its Spark server: `python -m coinlake_ops.housekeeping LAKE`.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import SparkSession

from coinlake import delta, files, runtime, schema
from coinlake.delta import DeltaTable
from coinlake.errors import CoinlakeError
from coinlake.lakehouse import Lakehouse
from coinlake_ops.swap import remove
from coinlake_ops.verification import CATALOG

NOTE = "housekeeping.json"
DAYS = "COINLAKE_KEEP_DAYS"
DEFAULT_DAYS = 90
EVERY = timedelta(days=1)
# As the property of the tables says it (delta.PROPERTIES).
RETENTION = timedelta(days=7)
# A table of that many files is worth a rewrite, if they are that small.
MANY_FILES, SMALL_BYTES = 64, 1_000_000


def days_to_keep(environ: Mapping[str, str] = os.environ) -> int:
    """For how many days records are kept. Raises CoinlakeError where the variable says no number of days."""
    text = environ.get(DAYS, "") or str(DEFAULT_DAYS)
    if not text.isdecimal() or int(text) < 1:
        raise CoinlakeError(
            f"{DAYS}={text} is no number of days. Set it to 1 or more, or unset it for {DEFAULT_DAYS}."
        )
    return int(text)


def is_due(lake: Path, now: datetime) -> bool:
    """Whether it was last done a day ago or longer. In a lake without a note the first day begins now."""
    try:
        done_at = datetime.fromisoformat(json.loads((lake / NOTE).read_text(encoding="utf-8"))["done_at"])
    except (FileNotFoundError, ValueError, KeyError):
        _note(lake, now)
        return False
    return now - done_at >= EVERY


def when_due(lake: Path, environment: Mapping[str, str]) -> None:
    """Do it in a child process with this environment, if it is due; that it failed is said, and fails no run."""
    if files.is_volume(lake) or not is_due(lake, datetime.now(UTC)):
        return
    done = subprocess.run(
        [sys.executable, "-m", "coinlake_ops.housekeeping", str(lake)],
        env=os.environ | dict(environment),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it was ended"]
        print(
            f"Housekeeping did not come to its end, and is tried again after the next run: {last[0]}",
            file=sys.stderr,
        )


def keep(
    lake: Path, session: Callable[[], SparkSession], days: int, now: datetime, say: Callable[[str], None]
) -> None:
    """Do it now: first the tables, then the files; notes when it was done."""
    lakehouse = Lakehouse(session(), CATALOG, str(lake))
    for line in (*_keep_tables(lakehouse, now), *_keep_files(lake, now.date() - timedelta(days=days))):
        say(line)
    _note(lake, now)


def _note(lake: Path, now: datetime) -> None:
    files.write_json(lake / NOTE, {"done_at": now.isoformat()})


def _keep_tables(lakehouse: Lakehouse, now: datetime) -> Iterator[str]:
    progress = lakehouse.table(schema.GOLD_PROGRESS)
    read_up_to = {row["table_name"]: row["version"] for row in progress.read().collect()}
    moved = []
    for table in schema.TABLES:
        stored, name = lakehouse.table(table), table.qualified_name
        before = stored.version()
        detail = delta.only_row(lakehouse.spark.sql(f"DESCRIBE DETAIL {stored.name}"))
        if any(detail["properties"].get(key) != value for key, value in delta.PROPERTIES.items()):
            lakehouse.spark.sql(f"ALTER TABLE {stored.name} SET TBLPROPERTIES ({delta.properties()})")
        if detail["numFiles"] >= MANY_FILES and detail["sizeInBytes"] < detail["numFiles"] * SMALL_BYTES:
            lakehouse.spark.sql(f"OPTIMIZE {stored.name}")
            yield f"{name}: {detail['numFiles']:,} small files were looked at to be made fewer"
        if read_up_to.get(table.name, before) < before:
            yield f"{name}: gold has not read its newest rows yet, so that nothing of it is removed"
            continue
        if (count := _vacuum(stored, now)) is not None:
            yield f"{name}: {count:,} files removed that no version of the last {RETENTION.days} days uses"
        if table.name in read_up_to and stored.version() > before:
            moved.append((stored, stored.version()))
    if moved:
        # No row has changed: who had read everything still has.
        delta.write_watermarks(progress, moved)


def _vacuum(stored: DeltaTable, now: datetime) -> int | None:
    """Removes the files of a table that may go; how many those were, None where none is old enough."""
    folder = Path(stored.folder or "")
    data = [path for path in folder.rglob("*.parquet") if "_delta_log" not in path.parts]
    if not any(path.stat().st_mtime < (now - RETENTION).timestamp() for path in data):
        return None
    stored.spark.sql(f"VACUUM {stored.name}")
    return sum(not path.exists() for path in data)


def _keep_files(lake: Path, before: date) -> Iterator[str]:
    """Removes what is older than the day `before`."""
    kinds = {
        "records of steps": (lake / "steps").glob("date=*"),
        "bodies of errors": (lake / "landing_errors").glob("endpoint=*/date=*"),
        "lineage": (lake / "lineage").glob("*"),
        "executed notebooks": _but_the_newest((lake / "runs").glob("*")),
    }
    for what, places in kinds.items():
        old = [place for place in places if _day_of(place) < before]
        for place in old:
            remove(place)
        if old:
            yield f"{what}: {len(old):,} folders removed, of days before {before}"


def _day_of(place: Path) -> date:
    """The day that a folder's name says, or on which it was written last."""
    try:
        return date.fromisoformat(place.name.removeprefix("date="))
    except ValueError:
        return datetime.fromtimestamp(place.stat().st_mtime, UTC).date()


def _but_the_newest(places: Iterable[Path]) -> list[Path]:
    """The places but the one that was written last: the reports are rendered from it."""
    return sorted(places, key=lambda place: place.stat().st_mtime)[:-1]


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[1]), runtime.spark, days_to_keep(), datetime.now(UTC), print)
    except CoinlakeError as problem:
        sys.exit(str(problem))
