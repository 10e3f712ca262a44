"""Quarantine, the dead letter table of silver: what waits there, and taking it in again.

A record that was rejected only because the response log did not name its file yet is replayed once it does.
"""

from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import files, schema
from coinlake.delta import explained
from coinlake.lakehouse import Lakehouse
from coinlake.silver import streams
from coinlake.silver.judging import landed_responses


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
