"""Silver: landed responses become typed, checked rows, one per natural key; the rest goes to quarantine.

    landed JSON -> records -> rows -> judged rows -> accepted rows -> MERGE (an upsert by key)
                                                  -> rejected ones -> quarantine (the dead letter table)

What the records of a source mean is declared in coinlake.sources; here is what all have in common.
`stream_endpoint` reads the files that are new since its checkpoint, in one or more micro-batches, and merges what
they hold. A micro-batch that is repeated, because a crash came between MERGE and checkpoint, finds its rows there
and changes nothing: the write is idempotent.
"""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import autoloader, files, schema, sources
from coinlake.delta import DeltaTable, Merged, explained, only_row
from coinlake.errors import LandingError, StorageError, full_disk, rebuilt_by
from coinlake.lakehouse import Lakehouse
from coinlake.silver.judging import (
    LOG_FOLDER,
    judged,
    landed_responses,
    quarantined,
    stream_of,
    unprocessable,
    with_log_file,
    with_response,
)

# A page of 250 coins is 1 MB: this bounds what one micro-batch parses, whatever has piled up.
FILES_PER_BATCH = 200

ATTEMPTS_AT_MERGE = 5

ACCEPTED = "size(_reasons) = 0"

# What Delta says of rows that a table must not hold.
REFUSED_ROWS = (
    "DELTA_VIOLATE_CONSTRAINT",
    "DELTA_NOT_NULL_CONSTRAINT_VIOLATED",
    "DELTA_MULTIPLE_SOURCE_ROW_MATCHING",
)

# Beside the checkpoints: which files there were when a stream had last taken in all.
TAKEN_IN = "taken_in"

# Streams that run side by side at most: they share the memory of one driver.
MOST_AT_ONCE = 3


@dataclass
class Counts:
    """What a stream did. read: records; written: rows inserted or updated; rejected: rows to quarantine.

    versions: Delta version of each table that was written to, by schema.table. faults: files that could not be
    processed and stand in quarantine whole, with the error.
    """

    read: int = 0
    written: int = 0
    rejected: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        versions = {
            name: max(counts.versions.get(name, 0) for counts in (self, other))
            for name in self.versions | other.versions
        }
        return Counts(
            self.read + other.read,
            self.written + other.written,
            self.rejected + other.rejected,
            versions,
            self.faults | other.faults,
        )


def require_landed(lake: Lakehouse) -> None:
    """Raises LandingError, which names the notebook that lands answers, where no run was ever landed."""
    if not any(Path(lake.folder(LOG_FOLDER)).rglob("*.jsonl")):
        raise LandingError(
            f"Nothing is landed in {lake.path}. Run notebook 01_ingest_market_data first, with this lake_path."
        )


def stream_endpoint(lake: Lakehouse, endpoint: str) -> Counts:
    """Brings all new answers of an endpoint into silver; `landing_meta` brings the response log itself.

    Where the lake is a folder and holds no new file, the stream is not started.
    Says which files could not be processed. Raises CoinlakeError for an unknown endpoint, StorageError where a
    table or the stream's checkpoint is damaged, and what Spark raises.
    """
    stream_of(endpoint)
    folder = LOG_FOLDER if endpoint == LOG_FOLDER else f"landing/endpoint={endpoint}"
    if not Path(lake.folder(folder)).is_dir():
        return Counts()
    tables = _bind(lake, endpoint)
    there = None if lake.is_managed else _listing(lake, endpoint, folder) | {"tables": tables}
    if there and there == _taken_in(lake, endpoint):
        return Counts()
    try:
        with explained():
            counts = take_in_files(lake, endpoint, folder, lake.checkpoint(endpoint))
    except StorageError:
        raise
    except Exception:
        # Java says of it what happened to find the end of a text; what stands there tells.
        cut = _cut_file(Path(lake.checkpoint(endpoint)))
        if cut is None:
            raise
        raise StorageError(
            f"The stream {endpoint} cannot go on: {cut} is cut or overwritten, in which it notes the files that "
            f"it has taken in. Nothing is lost, silver can be made again: {rebuilt_by(lake.path, schema.CLEANED)}"
        ) from None
    if there:
        files.write_json(Path(lake.checkpoint(TAKEN_IN), f"{endpoint}.json"), there)
    for file, error in counts.faults.items():
        print(f"{file} could not be processed and waits in quarantine: {error}")
    return counts


def _bind(lake: Lakehouse, endpoint: str) -> dict[str, str]:
    """Makes the stream read all files again where one of its tables was made anew since it read them; returns
    the ids of its tables, by name.

    A checkpoint says which files were taken in, and not by which tables: their ids are kept beside it. Reading a
    file twice changes nothing, because a MERGE finds its rows there.
    """
    tables = [*(target.table for target in stream_of(endpoint).targets), schema.QUARANTINE]
    ids = {table.name: lake.table(table).id() for table in tables}
    note, checkpoint = Path(lake.checkpoint("tables"), f"{endpoint}.json"), Path(lake.checkpoint(endpoint))
    if note.exists() and json.loads(note.read_text(encoding="utf-8")) == ids:
        return ids
    files.at(checkpoint).remove(checkpoint)
    files.write_json(note, ids)
    return ids


def _cut_file(checkpoint: Path) -> Path | None:
    """A file of a stream's checkpoint that does not hold what Spark writes there; None where all do.

    Source: Spark's HDFSMetadataLog and OffsetSeq: a version, then JSON, or "-" where a source has no offset.
    """
    for file in sorted(checkpoint.rglob("*")):
        if not file.is_file() or file.name.startswith("."):
            continue
        first, *lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        if file.name == "metadata":
            lines = [first]
        elif not first.startswith("v") or not lines:
            return file
        try:
            for line in lines:
                if line and line != "-":
                    json.loads(line)
        except ValueError:
            return file
    return None


def _listing(lake: Lakehouse, endpoint: str, folder: str) -> dict[str, Any]:
    """What identifies the files that a stream finds: one whose tables have taken them in need not be started.

    A file of the landing zone never changes, so that its name is enough.
    """
    root = Path(lake.folder(folder))
    found = sorted(str(file.relative_to(root)) for file in root.rglob(reader_options(endpoint)["glob"]))
    return {"files": len(found), "sha256": hashlib.sha256("\n".join(found).encode()).hexdigest()}


def _taken_in(lake: Lakehouse, endpoint: str) -> dict[str, Any] | None:
    """The files and tables of the stream when it had last taken in all; None where its checkpoint is gone."""
    note = Path(lake.checkpoint(TAKEN_IN), f"{endpoint}.json")
    if not note.exists() or not Path(lake.checkpoint(endpoint)).is_dir():
        return None
    noted: dict[str, Any] = json.loads(note.read_text(encoding="utf-8"))
    return noted


def take_in_files(lake: Lakehouse, endpoint: str, folder: str, checkpoint: str, folders: str = "") -> Counts:
    """Takes in the files below a folder of the lake that are new to the checkpoint; `folders` as in the reader."""
    notes = Path(lake.checkpoint("counts"), endpoint)
    files.at(notes).remove(notes)
    landed = landed_folder(lake, folder)
    # Over Spark Connect a batch runs in another process, with a session of its own.
    merge_batch = partial(
        _take_in_batch, catalog=lake.catalog, path=lake.path, endpoint=endpoint, notes=str(notes)
    )
    autoloader.run_available_now(
        lake.spark,
        landed,
        lambda records: records.writeStream.foreachBatch(merge_batch),
        checkpoint=checkpoint,
        folders=folders,
        max_files_per_trigger=FILES_PER_BATCH,
        **reader_options(endpoint),
    )
    # Its counts come back as files.
    return sum((Counts(**json.loads(note.read_text())) for note in sorted(notes.glob("*.json"))), Counts())


def landed_folder(lake: Lakehouse, folder: str) -> str:
    """A folder below the landing zone, under the name that a checkpoint notes its files by.

    A lake that is made anew beside an old one has the old one's landing zone, by links: after they have changed
    places the checkpoints must know the files.
    """
    top, _, rest = folder.partition("/")
    place = Path(lake.folder(top))
    return str(Path(place.readlink() if place.is_symlink() else place, rest))


def stream_all(lake: Lakehouse) -> dict[str, Counts]:
    """Runs the streams of all endpoints, some side by side; returns their counts in the order of sources.SOURCES.

    load_responses comes first. Streams that merge into the same table run one after the other.
    """

    def run(endpoints: list[str]) -> dict[str, Counts]:
        return {endpoint: stream_endpoint(lake, endpoint) for endpoint in endpoints}

    with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool:
        parts = pool.map(run, sources.one_after_the_other())
        done = {endpoint: counts for part in parts for endpoint, counts in part.items()}
    return {endpoint: done[endpoint] for endpoint in sources.SOURCES}


def load_responses(lake: Lakehouse) -> Counts:
    """Brings the new lines of landing_meta/ into raw_data.responses."""
    return stream_endpoint(lake, LOG_FOLDER)


def known(lake: Lakehouse, records: DataFrame, endpoint: str) -> DataFrame:
    """The records with what is known of their file."""
    if endpoint == LOG_FOLDER:
        return with_log_file(records)
    return with_response(records, lake.table(schema.RESPONSES).read(), endpoint)


def take_in(lake: Lakehouse, records: DataFrame, endpoint: str) -> Counts:
    """Judges the records of landed files and merges the accepted rows and the rejected ones where they belong."""
    source = stream_of(endpoint)
    rows = judged(known(lake, records, endpoint), endpoint)
    is_accepted = F.expr(ACCEPTED)
    # One pass tells whether anything was rejected and where stored rows are to be searched for.
    totals = rows.agg(
        F.count("*").alias("read"),
        F.count_if(~is_accepted).alias("rejected"),
        *(target.search().alias(target.table.name) for target in source.targets if target.search),
    )
    found = only_row(totals)
    counts = Counts(read=found["read"], rejected=found["rejected"])
    if counts.read > counts.rejected:
        accepted = rows.where(is_accepted)
        for target in source.targets:
            merged = target.rows(accepted)
            if target.with_stored:
                merged = target.with_stored(lake.table(target.table).read(), merged)
            where = found[target.table.name] if target.search else None
            _merge(counts, lake.table(target.table), merged, where)
    if counts.rejected:
        _merge(counts, lake.table(schema.QUARANTINE), quarantined(rows, source.table, endpoint), None)
    return counts


def take_in_whatever_comes(lake: Lakehouse, records: DataFrame, endpoint: str) -> Counts:
    """Takes in the records of landed files; a file that cannot be processed goes to quarantine whole."""
    try:
        return take_in(lake, records, endpoint)
    except Exception as fault:
        return take_in_apart(lake, records, endpoint, fault)


def take_in_apart(lake: Lakehouse, records: DataFrame, endpoint: str, fault: Exception) -> Counts:
    """Takes in the files of a batch that failed, in halves, until each file that is at fault is alone.

    That one goes to quarantine whole, with the error: no file may hold up those behind it. Raises the fault
    where it is not a file's content that is to blame, but a table, the disk or the session.
    """
    paths = sorted(row["_src_path"] for row in records.select("_src_path").distinct().collect())
    if len(paths) < 2:
        if not _is_of_content(lake, records, endpoint, fault):
            raise fault
        return _set_aside(lake, paths, endpoint, fault)
    counts = Counts()
    for part in (paths[: len(paths) // 2], paths[len(paths) // 2 :]):
        counts += take_in_whatever_comes(lake, records.where(F.col("_src_path").isin(part)), endpoint)
    return counts


def _is_of_content(lake: Lakehouse, records: DataFrame, endpoint: str, fault: Exception) -> bool:
    """Whether the records are at fault: the table refuses their rows, or no rows can be made of them."""
    if any(f"[{condition}" in str(fault) for condition in REFUSED_ROWS):
        return True
    if full_disk(str(fault)):
        return False
    if isinstance(fault, StorageError):
        return _has_key_twice(lake, records, endpoint)
    # What rows are made with must itself be readable: else everything would seem to be at fault.
    _evaluate(landed_responses(lake.table(schema.RESPONSES).read()))
    try:
        rows = judged(known(lake, records, endpoint), endpoint)
        for frame in (rows, *(target.rows(rows.where(ACCEPTED)) for target in stream_of(endpoint).targets)):
            _evaluate(frame)
    except Exception as problem:
        return full_disk(str(problem)) is None
    return False


def _has_key_twice(lake: Lakehouse, records: DataFrame, endpoint: str) -> bool:
    """Whether the records make two rows of one key for a table that has no rank to tell which one counts."""
    rows = judged(known(lake, records, endpoint), endpoint).where(ACCEPTED)
    return any(
        not target.rows(rows).groupBy(*target.table.key).count().where("count > 1").isEmpty()
        for target in stream_of(endpoint).targets
        if not target.table.rank
    )


def _evaluate(frame: DataFrame) -> None:
    frame.write.format("noop").mode("overwrite").save()


def _set_aside(lake: Lakehouse, paths: list[str], endpoint: str, fault: Exception) -> Counts:
    """Puts files (_src_path) into quarantine, whole."""
    error = str(fault).strip().partition("\n")[0][:500]
    rows = unprocessable(
        lake.spark.createDataFrame([(path,) for path in paths], "_src_path STRING"),
        None if endpoint == LOG_FOLDER else lake.table(schema.RESPONSES).read(),
        stream_of(endpoint).table,
        endpoint,
        error,
    )
    faults = {row["file"]: error for row in rows.select("file").collect()}
    counts = Counts(read=len(faults), rejected=len(faults), faults=faults)
    _merge(counts, lake.table(schema.QUARANTINE), rows, None)
    return counts


def _merge(counts: Counts, stored: DeltaTable, rows: DataFrame, where: str | None) -> None:
    merged = _again_on_conflict(partial(stored.merge, rows, where=where))
    counts.versions[stored.table.qualified_name] = merged.version
    if stored.table is not schema.QUARANTINE:
        counts.written += merged.inserted + merged.updated


def _again_on_conflict(merge: Callable[[], Merged]) -> Merged:
    """Merges again where another stream wrote to the same table, which is quarantine, in the same moment."""
    for _ in range(ATTEMPTS_AT_MERGE - 1):
        try:
            return merge()
        except Exception as conflict:
            # Delta's own exceptions: PySpark knows them over Connect only, elsewhere Py4J hands them on.
            if "[DELTA_CONCURRENT_" not in str(conflict):
                raise
    return merge()


def _take_in_batch(records: DataFrame, batch: int, *, catalog: str, path: str, endpoint: str, notes: str) -> None:
    counts = take_in_whatever_comes(Lakehouse(records.sparkSession, catalog, path), records, endpoint)
    files.write_json(Path(notes, f"{batch}.json"), asdict(counts))


def reader_options(endpoint: str) -> dict[str, Any]:
    """How the reader (autoloader) is asked for the records of an endpoint, or of the response log."""
    is_log = endpoint == LOG_FOLDER
    return {
        "schema": stream_of(endpoint).schema,
        "mode": autoloader.RESCUE,
        "corrupt_column": "_corrupt_record",
        "multi_line": not is_log,
        "glob": "*.jsonl" if is_log else "*.json",
    }
