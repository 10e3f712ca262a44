"""Quarantine, the dead letter table of silver: what waits there, and taking it in again.

A record that was rejected only because the response log did not name its file yet is replayed once it does.
"""

import shutil
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from coinlake import delta, runtime, schema
from coinlake.silver import streams
from coinlake.silver.judging import landed_responses


def replay_uncommitted(spark: SparkSession, catalog: str, lake_path: str) -> streams.Counts:
    """Takes in again what was quarantined because the response log did not name its file, where it does now.

    Records that pass are marked replayed_at, those that do not get their new reasons.
    """
    folders: dict[str, set[str]] = {}
    # The join comes only where something waits, which is hardly ever.
    if not _uncommitted(spark, catalog).isEmpty():
        for row in _no_longer_uncommitted(spark, catalog).select("endpoint", "file").distinct().collect():
            folders.setdefault(row["endpoint"], set()).add(str(Path(row["file"]).parent))
    lake = runtime.resolve_path(lake_path)
    counts = streams.Counts()
    for endpoint, runs in sorted(folders.items()):
        checkpoint = Path(lake) / "checkpoints" / "replays" / endpoint
        # A checkpoint that is gone has seen nothing: the files of these runs are read again.
        shutil.rmtree(checkpoint, ignore_errors=True)
        these_runs = f"landing/{{{','.join(sorted(runs))}}}"
        counts += streams.take_in_files(spark, catalog, lake, endpoint, these_runs, str(checkpoint))
    if folders:
        # What did not pass has other reasons by now, and is not among these rows any more.
        passed = _no_longer_uncommitted(spark, catalog).withColumn("replayed_at", F.col("_committed_at"))
        marked = delta.merge_changes(spark, catalog, schema.QUARANTINE, passed)
        counts.versions[streams.table_name(schema.QUARANTINE)] = marked.version
    return counts


def _uncommitted(spark: SparkSession, catalog: str) -> DataFrame:
    """Rows of quarantine that wait for a line of the response log."""
    waits = "array_contains(reasons, 'uncommitted') AND replayed_at IS NULL"
    return delta.read(spark, catalog, schema.QUARANTINE).where(waits)


def _no_longer_uncommitted(spark: SparkSession, catalog: str) -> DataFrame:
    """Those of them whose file the log names by now; _committed_at says when it was fetched."""
    answers = landed_responses(delta.read(spark, catalog, schema.RESPONSES))
    committed = answers.select("file", F.col("_response.fetched_at").alias("_committed_at"))
    return _uncommitted(spark, catalog).join(committed, "file")
