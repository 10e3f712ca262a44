"""Quarantine, the dead letter table of silver: what waits there, and taking it in again.

A record that was rejected only because the response log did not name its file yet is replayed once it does, in
every run. What broke an expectation is replayed when somebody has changed the expectation, and asks for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import autoloader, files, schema, sources
from coinlake.delta import explained, only_row
from coinlake.lakehouse import Lakehouse
from coinlake.silver import streams
from coinlake.silver.judging import LOG_FOLDER, judged, landed_responses, passed_records, stream_of


class Waiting(NamedTuple):
    """Records of a silver table that broke an expectation, and how many of them pass now."""

    table_name: str
    reason: str
    records: int
    passed: int


@dataclass
class Replay:
    """What a replay did. records: those that waited; passed: of these; reasons: the same for each reason.

    A record that broke two expectations counts under both. counts: what the files were read, written, rejected.
    """

    records: int = 0
    passed: int = 0
    reasons: list[Waiting] = field(default_factory=list)
    counts: streams.Counts = field(default_factory=streams.Counts)


@explained()
def replay_quarantine(lake: Lakehouse) -> Replay:
    """Puts all that waits in quarantine, records and whole files, through the expectations as they are now.

    The files are read again. What passes is merged into its table and then marked replayed_at; what does not gets
    the reasons of today. A record whose file is gone, or whose endpoint there is no more, waits on. Idempotent; a
    replay that was interrupted is completed by the next, because a MERGE finds its rows there.
    """
    quarantine = lake.table(schema.QUARANTINE)
    # As it was: the replay itself changes it.
    waiting = quarantine.read(quarantine.version()).where("replayed_at IS NULL")
    replay = Replay()
    for endpoint, paths in _files_waiting(lake, waiting):
        replay.counts += _replay_files(lake, waiting.where(F.col("endpoint") == endpoint), endpoint, paths)
    # What has passed is marked by now, among what waited at the beginning.
    passes = F.col("_replayed_at").isNotNull()
    now = quarantine.read().select("quarantine_id", F.col("replayed_at").alias("_replayed_at"))
    judged_again = waiting.join(now, "quarantine_id")
    copies = (F.sum("copies"), F.sum(F.when(passes, F.col("copies")).otherwise(0)))
    of_reason = (
        judged_again.withColumn("reason", F.explode("reasons")).groupBy("table_name", "reason").agg(*copies)
    )
    replay.reasons = [Waiting(*row) for row in of_reason.orderBy("table_name", "reason").collect()]
    if replay.reasons:
        replay.records, replay.passed = only_row(judged_again.agg(*copies))
    return replay


def _files_waiting(lake: Lakehouse, waiting: DataFrame) -> Iterator[tuple[str, dict[str, str]]]:
    """Endpoint and, of its files that are still there, name -> path: some at a time, those of the log first."""
    found: dict[str, dict[str, str]] = {name: {} for name in (LOG_FOLDER, *sources.SOURCES)}
    for row in waiting.select("endpoint", "file").distinct().collect():
        path = lake.folder(*(() if row["endpoint"] == LOG_FOLDER else ("landing",)), row["file"])
        if row["endpoint"] in found and Path(path).is_file():
            found[row["endpoint"]][row["file"]] = path
    for endpoint, paths in found.items():
        names = sorted(paths)
        for start in range(0, len(names), streams.FILES_PER_BATCH):
            yield endpoint, {name: paths[name] for name in names[start : start + streams.FILES_PER_BATCH]}


def _replay_files(lake: Lakehouse, waiting: DataFrame, endpoint: str, paths: dict[str, str]) -> streams.Counts:
    """Takes in files again and marks what passes, of the rows of quarantine that wait for this endpoint."""
    options = streams.reader_options(endpoint)
    records = autoloader.read_files(lake.spark, list(paths.values()), **options)
    counts = streams.take_in_whatever_comes(lake, records, endpoint)
    processed = [name for name in paths if name not in counts.faults]
    if not processed:
        return counts
    again = autoloader.read_files(lake.spark, [paths[name] for name in processed], **options)
    passed = passed_records(judged(streams.known(lake, again, endpoint), endpoint), stream_of(endpoint).table)
    begun = F.try_to_timestamp(F.substring("landing_run", 1, 16), F.lit("yyyyMMdd'T'HHmmss'Z'"))
    # As in all tables, no instant says when somebody replayed: the same files end with the same rows.
    marked = (
        waiting.where(F.col("file").isin(processed))
        .join(passed.withColumnRenamed("fetched_at", "_fetched_at"), "quarantine_id", "left")
        .where(F.col("_fetched_at").isNotNull() | F.array_contains("reasons", "unprocessable"))
        .withColumn("replayed_at", F.coalesce("_fetched_at", "fetched_at", begun))
    )
    merged = lake.table(schema.QUARANTINE).merge(marked)
    counts.versions[schema.QUARANTINE.qualified_name] = merged.version
    return counts


@explained()
def replay_uncommitted(lake: Lakehouse) -> streams.Counts:
    """Takes in again what was quarantined because the response log did not name its file, where it does now.

    Records that pass are marked replayed_at, those that do not get their new reasons.
    """
    folders: dict[str, set[str]] = {}
    # The join comes only where something waits, which is hardly ever.
    if not _uncommitted(lake).isEmpty():
        for row in _no_longer_uncommitted(lake).select("endpoint", "file").distinct().collect():
            folders.setdefault(row["endpoint"], set()).add(str(Path(row["file"]).parent))
    counts = streams.Counts()
    for endpoint, runs in sorted(folders.items()):
        checkpoint = Path(lake.checkpoint("replays"), endpoint)
        # A checkpoint that is gone has seen nothing: the files of these runs are read again.
        files.at(checkpoint).remove(checkpoint)
        these_runs = f"{{{','.join(sorted(runs))}}}"
        counts += streams.take_in_files(lake, endpoint, "landing", str(checkpoint), these_runs)
    if folders:
        # What did not pass has other reasons by now, and is not among these rows any more.
        passed = _no_longer_uncommitted(lake).withColumn("replayed_at", F.col("_committed_at"))
        marked = lake.table(schema.QUARANTINE).merge(passed)
        counts.versions[schema.QUARANTINE.qualified_name] = marked.version
    return counts


def _uncommitted(lake: Lakehouse) -> DataFrame:
    """Rows of quarantine that wait for a line of the response log."""
    waits = "array_contains(reasons, 'uncommitted') AND replayed_at IS NULL"
    return lake.table(schema.QUARANTINE).read().where(waits)


def _no_longer_uncommitted(lake: Lakehouse) -> DataFrame:
    """Those of them whose file the log names by now; _committed_at says when it was fetched."""
    answers = landed_responses(lake.table(schema.RESPONSES).read())
    committed = answers.select("file", F.col("_response.fetched_at").alias("_committed_at"))
    return _uncommitted(lake).join(committed, "file")
