"""Whether the pipeline's own tables are what they are made from: records of steps, responses, quarantine, tables.

Metrics are counted whole again. Of the step log those rows are compared whose record had been gathered and still
stands: the step that gathers has not ended when it does so, and housekeeping puts old records away.
"""

import shlex
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake import delta, schema
from coinlake.errors import StorageError, brought_up_to_date_by, rebuilt_by
from coinlake.findings import Check
from coinlake.lakehouse import Lakehouse
from coinlake.observability import metrics
from coinlake.observability.steps import read_records
from coinlake.schema import Table

LAYER = "gold"
GATHERS = "08_report_pipeline_health"


def verify(lake: Lakehouse) -> list[Check]:
    """Compares run_steps, pipeline_runs, api_usage, quarantine_daily and freshness with what they are made from.

    Writes nothing; a Spark job a table. The tables are read as they stand: let no run be at work.
    """
    gathered, open_runs = _gathered(read_records(lake.path, date.min))
    return [
        _checked(lake, schema.RUN_STEPS, "records", lambda: _steps(lake, gathered)),
        _checked(lake, schema.PIPELINE_RUNS, "run_steps", lambda: _runs(lake, open_runs)),
        *(
            _checked(lake, table, source.name, partial(_metric, lake, table, source, counted))
            for table, source, counted in metrics.COUNTED
        ),
        _checked(lake, schema.FRESHNESS, "the tables", lambda: _freshness(lake)),
    ]


def _checked(
    lake: Lakehouse, table: Table, against: str, sides: Callable[[], tuple[DataFrame, DataFrame, bool]]
) -> Check:
    """A table against what is expected of it: `sides` gives the rows expected, those stored, and whether
    the table is only behind, so that the next run brings it up to date."""
    what = f"{table.name} against {against}"
    try:
        with delta.explained():
            expected, stored, is_behind = sides()
            found = delta.compare(table, expected, stored)
    except StorageError as problem:
        return Check(LAYER, what, 0, (str(problem),), f"coinlake rebuild all --lake {shlex.quote(lake.path)}")
    mend = brought_up_to_date_by(lake.path) if is_behind else rebuilt_by(lake.path, table.schema)
    return Check(LAYER, what, found.rows, found.problems(), mend)


def _gathered(records: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], set[str]]:
    """The records that the newest step which gathers them found as they are, and the runs that have others."""
    begun = [
        _instant(step, "started_at")
        for step in records
        if step["step"] == GATHERS and step["status"] == schema.SUCCEEDED
    ]
    found = [step for step in records if begun and _instant(step, "ended_at") <= max(begun)]
    names = {(step["run_id"], step["step"]) for step in found}
    return found, {step["run_id"] for step in records if (step["run_id"], step["step"]) not in names}


def _instant(record: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(record[name])


def _steps(lake: Lakehouse, records: list[dict[str, Any]]) -> tuple[DataFrame, DataFrame, bool]:
    expected = metrics.run_steps(lake.spark, records)
    key = list(schema.RUN_STEPS.key)
    return expected, lake.table(schema.RUN_STEPS).read().join(expected.select(key), key, "left_semi"), False


def _runs(lake: Lakehouse, open_runs: set[str]) -> tuple[DataFrame, DataFrame, bool]:
    is_closed = ~F.col("run_id").isin(*open_runs)
    steps = lake.table(schema.RUN_STEPS).read().where(is_closed).select(*metrics.PIPELINE_RUN_STEPS).collect()
    expected = metrics.run_rows(lake.spark, metrics.pipeline_runs([row.asDict() for row in steps]))
    return expected, lake.table(schema.PIPELINE_RUNS).read().where(is_closed), False


def _metric(
    lake: Lakehouse, table: Table, source: Table, counted: Callable[[DataFrame], DataFrame]
) -> tuple[DataFrame, DataFrame, bool]:
    counts = lake.table(source)
    counted_to = delta.read_watermarks(lake.table(schema.GOLD_PROGRESS), [counts]).get(source.name)
    return counted(counts.read()), lake.table(table).read(), counted_to != counts.version()


def _freshness(lake: Lakehouse) -> tuple[DataFrame, DataFrame, bool]:
    stored = lake.table(schema.FRESHNESS)
    noted = {row["table_name"]: row for row in stored.collected()}
    reached = metrics.reached(lake, metrics.REACHES, {})
    rows, is_behind = [], False
    for table, _, _ in metrics.REACHES:
        name, now = table.qualified_name, lake.table(table)
        # What was promised, and when it was looked, only the row itself knows.
        row = noted.get(name, {"sla_hours": 0.0, "version": -1})
        rows.append((name, reached[table.name], now.rows(), row["sla_hours"], row["version"]))
        is_behind |= row["version"] != now.version()
    return lake.spark.createDataFrame(rows, stored.table.ddl), stored.read(), is_behind
