"""Whether silver is what the landing zone makes of it: every row, every rejected record, every key once.

All landed files are judged again, as the streams do, and what comes out is compared with what is stored: by that
every file was taken in, its rows are in the tables or its records in quarantine, and nothing else is there.
"""

from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame

from coinlake import autoloader, runtime, schema, sources
from coinlake.delta import checked, explained
from coinlake.errors import StorageError, rebuilt_by
from coinlake.findings import Check
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake.silver.judging import LOG_FOLDER, judged, quarantined, stream_of, with_log_file, with_response
from coinlake.silver.streams import ACCEPTED, landed_folder, reader_options

# A record that was rejected only because the log did not name its file yet, and then passed, leaves this behind.
PASSED_LATER = "replayed_at IS NOT NULL"
TABLES = tuple(table for table in schema.TABLES if table.schema in (schema.RAW, schema.CLEANED))
SET_ASIDE = "array_contains(reasons, 'unprocessable')"


def verify(lake: Lakehouse) -> list[Check]:
    """Compares every table of silver, and the response log, with the landing zone; writes nothing.

    One Spark job a table, and one before them. The tables are read as they stand: let no run be at work.
    """
    mend = rebuilt_by(lake.path, schema.CLEANED)
    try:
        with explained():
            set_aside = _set_aside(lake)
    except StorageError as problem:
        return [Check("silver", "quarantine against landing", 0, (str(problem),), mend)]
    rows_of: dict[str, DataFrame] = {}
    log = _records(lake, LOG_FOLDER, set_aside)
    if log is not None:
        rows_of[LOG_FOLDER] = judged(with_log_file(log), LOG_FOLDER)
    # What the files say of the responses, whatever the table does.
    responses = _expected(lake, schema.RESPONSES, rows_of)
    for name in sources.SOURCES:
        records = _records(lake, name, set_aside)
        if records is not None and responses is not None:
            rows_of[name] = judged(with_response(records, responses, name), name)
    rejected = _all([quarantined(rows, stream_of(name).table, name) for name, rows in rows_of.items()])
    checks = []
    with runtime.compiled(lake.spark):
        for table in TABLES:
            is_quarantine = table is schema.QUARANTINE
            checks.append(
                checked(
                    lake.table(table),
                    rejected if is_quarantine else _expected(lake, table, rows_of),
                    layer="silver",
                    against="landing",
                    mend=mend,
                    where=f"NOT ({PASSED_LATER}) AND NOT {SET_ASIDE}" if is_quarantine else "true",
                )
            )
    return checks


def _expected(lake: Lakehouse, table: Table, rows_of: dict[str, DataFrame]) -> DataFrame | None:
    """The rows that all landed files together make for a table; None where none was landed for it."""
    parts = []
    for name, rows in rows_of.items():
        for target in stream_of(name).targets:
            if target.table is table:
                made = target.rows(rows.where(ACCEPTED))
                if target.with_stored:
                    made = target.with_stored(_no_rows(lake, table), made)
                parts.append(made.select(*table.column_names))
    return _all(parts)


def _all(frames: list[DataFrame]) -> DataFrame | None:
    return reduce(DataFrame.unionByName, frames) if frames else None


def _no_rows(lake: Lakehouse, table: Table) -> DataFrame:
    return lake.spark.createDataFrame([], ", ".join(f"{column.name} {column.type}" for column in table.columns))


def _records(lake: Lakehouse, name: str, set_aside: dict[str, set[str]]) -> DataFrame | None:
    """The records of all landed files of an endpoint but those that were set aside; None without a file."""
    folder = LOG_FOLDER if name == LOG_FOLDER else f"landing/endpoint={name}"
    options = reader_options(name)
    place, aside = Path(landed_folder(lake, folder)), set_aside.get(name, set())
    # Quarantine names a file below landing/, and one of the log below the lake.
    kept = [
        str(path)
        for path in sorted(place.rglob(options["glob"]))
        if str(path.relative_to(place.parent)) not in aside
    ]
    if not kept:
        return None
    # A folder is listed faster than its files are named one by one.
    return autoloader.read_files(lake.spark, kept if aside else [str(place)], **options)


def _set_aside(lake: Lakehouse) -> dict[str, set[str]]:
    """The files that could not be processed and stand in quarantine whole, by endpoint."""
    found: dict[str, set[str]] = {}
    for row in lake.table(schema.QUARANTINE).read().where(SET_ASIDE).select("endpoint", "file").collect():
        found.setdefault(row["endpoint"], set()).add(row["file"])
    return found
