"""The pipeline's own records: what was asked and what it cost, what was quarantined, how fresh each table is,
and how each run went."""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial, reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from coinlake import api, delta, schema
from coinlake.delta import DeltaTable, Merged
from coinlake.lakehouse import Lakehouse
from coinlake.observability.steps import Step, close_unfinished, read_records
from coinlake.schema import Table

UNKNOWN_DAY = date(1900, 1, 1)
COINGECKO = "coingecko.com/"
# What is asked of the steps of a run to say how the run went.
PIPELINE_RUN_STEPS = (
    *("run_id", "step", "status", "started_at", "ended_at", "parameters"),
    *("rows_read", "rows_written", "rows_rejected"),
)

# How far each table reaches: the column that tells, and the instant to which a row brings its table. A table of
# silver names its column itself; a day of context is known when the day begins. Daily prices reach the end of
# their day; of the facts, only complete days count.
END_OF_DAY = "CAST(date_add(date, 1) AS TIMESTAMP)"
REACHES = (
    *((table, table.reaches, f"CAST({table.reaches} AS TIMESTAMP)") for table in schema.TABLES if table.reaches),
    (schema.FACT_MARKET_SNAPSHOT, "snapshot_at", "snapshot_at"),
    (schema.FACT_PRICE_DAILY, "date", f"CASE WHEN is_complete THEN {END_OF_DAY} END"),
    (schema.CANDLE_HOURLY, "hour", "hour"),
    (schema.PRICE_AVERAGES_DAILY, "date", END_OF_DAY),
    (schema.MARKET_TRENDS_DAILY, "date", END_OF_DAY),
    (schema.MARKET_DAILY, "date", END_OF_DAY),
)
# Sources that are slower by nature, in hours on top of the promise: the European Central Bank rests from Good
# Friday to Easter Monday, and the weather archive is written five days late.
SLOWER_BY_HOURS = {"fx_rates": 96.0, "weather_daily": 120.0}


@delta.explained()
def update_metrics(lake: Lakehouse, sla_hours: float) -> dict[str, Merged]:
    """Brings api_usage, quarantine_daily and freshness up to date; returns what was written, by table.

    Requests and quarantined records are counted again only for the days that are new or differ. `sla_hours`
    is the age at which a table counts as late.
    """
    watermarks = lake.table(schema.GOLD_PROGRESS)
    sources = [lake.table(table) for table in METRIC_SOURCES]
    held, now = delta.read_watermarks(watermarks, sources), delta.versions(sources)
    due = {schema.FRESHNESS.qualified_name: partial(_freshness, lake, sla_hours)}
    for target, source, counted in COUNTED:
        if held.get(source.name) != now[source.name]:
            since = held.get(source.name)
            due[target.qualified_name] = partial(_count_again, lake, source, since, target, counted)
    with ThreadPoolExecutor(max_workers=len(due)) as pool:
        done = {name: pool.submit(write) for name, write in due.items()}
        written = {name: merged.result() for name, merged in done.items()}
    if any(held.get(name) != version for name, version in now.items()):
        delta.write_watermarks(watermarks, [(stored, now[stored.table.name]) for stored in sources])
    return _effective(written)


def api_usage(responses: DataFrame) -> DataFrame:
    """api_usage from whole days of raw_data.responses. A request to CoinGecko costs what api.costs_credit says."""
    counted = F.col("status").between(200, 299) | F.col("error").isin(*api.COUNTED_WITHOUT_ANSWER)
    return responses.groupBy(F.to_date("fetched_at").alias("date"), "endpoint", "source").agg(
        F.count("*").cast("int").alias("attempts"),
        F.count_if(F.col("outcome") == "landed").cast("int").alias("landed"),
        F.count_if(F.col("outcome") != "landed").cast("int").alias("errors"),
        F.count_if(F.col("status") == 429).cast("int").alias("rate_limited"),
        F.count_if(counted & F.col("url").contains(COINGECKO)).cast("int").alias("credits"),
        F.coalesce(F.sum("bytes"), F.lit(0)).alias("bytes"),
    )


def quarantine_daily(quarantine: DataFrame) -> DataFrame:
    """quarantine_daily from whole days of quarantine: a record counts once for each rule that it breaks."""
    return (
        quarantine.select(_arrival("fetched_at").alias("date"), "*", F.explode("reasons").alias("reason"))
        .groupBy("date", "table_name", "reason")
        .agg(
            F.sum("copies").cast("int").alias("records"),
            F.sum(F.when(F.col("replayed_at").isNotNull(), F.col("copies")).otherwise(0))
            .cast("int")
            .alias("replayed"),
        )
    )


# The tables of metrics, what each counts, and how.
COUNTED: tuple[tuple[Table, Table, Callable[[DataFrame], DataFrame]], ...] = (
    (schema.API_USAGE, schema.RESPONSES, api_usage),
    (schema.QUARANTINE_DAILY, schema.QUARANTINE, quarantine_daily),
)
METRIC_SOURCES = tuple(source for _, source, _ in COUNTED)


@delta.explained()
def load_steps(lake: Lakehouse, reporting: Step) -> dict[str, Merged]:
    """Gathers the steps' records below <lake>/steps into run_steps, and their runs into pipeline_runs.

    `reporting` is the step that does so. Its own record comes in with a later run, since it has not ended, and its
    run is judged by the others. What other runs have left unfinished is closed as interrupted.
    Only folders from the day before the newest step known are read again. Returns what was written, by table.
    """
    newest = delta.only_row(lake.table(schema.RUN_STEPS).read().agg(F.max("started_at")))[0]
    since = newest.date() - timedelta(days=1) if newest else date.min
    own = (reporting.run_id, reporting.name)
    records = [record for record in read_records(lake.path, since) if (record["run_id"], record["step"]) != own]
    close_unfinished(lake.path, (record for record in records if record["run_id"] != reporting.run_id))
    if not records:
        return {}
    steps = run_steps(lake.spark, records)
    written = {schema.RUN_STEPS.qualified_name: lake.table(schema.RUN_STEPS).merge(steps)}
    runs = sorted({record["run_id"] for record in records})
    table = lake.table(schema.PIPELINE_RUNS)
    columns = [F.col(name) for name in PIPELINE_RUN_STEPS]
    now = lake.table(schema.RUN_STEPS).read().where(F.col("run_id").isin(*runs))
    theirs = [row.asDict() for row in now.select(*columns).collect()]
    written[table.table.qualified_name] = table.merge(run_rows(lake.spark, pipeline_runs(theirs, own)))
    return _effective(written)


def closes_of_two_sources(lake: Lakehouse) -> list[dict[str, Any]]:
    """The newest closes that stand in gold twice, as rows of coin_id, vs_currency, date, day and hour.

    `day` is the close of fact_price_daily, the chart's where there is one; `hour` is that of the last hour of
    candle_hourly, which knows nothing of charts.
    """
    known = {row["table_name"]: row["as_of"] for row in lake.table(schema.FRESHNESS).collected()}
    end = known.get(schema.FACT_PRICE_DAILY.qualified_name)
    if end is None:
        return []
    day = (end - timedelta(days=1)).date()
    days = lake.table(schema.FACT_PRICE_DAILY).read().where(f"date = '{day}' AND is_complete")
    hours = lake.table(schema.CANDLE_HOURLY).read().where(f"hour = '{day} 23:00:00'")
    coin = ("coin_id", "vs_currency")
    month = f"period = '{day:%Y-%m}'"
    both = days.where(month).join(hours.where(month).select(*coin, F.col("close").alias("hour")), list(coin))
    return [row.asDict() for row in both.select(*coin, "date", F.col("close").alias("day"), "hour").collect()]


def run_steps(spark: SparkSession, records: Iterable[dict[str, Any]]) -> DataFrame:
    """run_steps from the steps' records, as coinlake.observability.steps writes them."""
    text = ("table_versions", "parameters")
    instants = ("started_at", "ended_at")
    rows = [
        record
        | {name: json.dumps(record[name], sort_keys=True) for name in text}
        | {name: datetime.fromisoformat(record[name]) for name in instants}
        for record in records
    ]
    return spark.createDataFrame(
        [tuple(row[name] for name in schema.RUN_STEPS.column_names) for row in rows], schema.RUN_STEPS.ddl
    )


def run_rows(spark: SparkSession, runs: Iterable[Mapping[str, Any]]) -> DataFrame:
    """The rows of pipeline_runs as a frame."""
    rows = [tuple(run[name] for name in schema.PIPELINE_RUNS.column_names) for run in runs]
    return spark.createDataFrame(rows, schema.PIPELINE_RUNS.ddl)


def pipeline_runs(
    steps: Iterable[Mapping[str, Any]], reporting: tuple[str, str] = ("", "")
) -> list[dict[str, Any]]:
    """The rows of pipeline_runs from all steps of some runs, which have the columns PIPELINE_RUN_STEPS.

    `reporting` is run and name of the step that is about to report: it counts as there.
    """
    of_run: dict[str, list[Mapping[str, Any]]] = {}
    for step in steps:
        of_run.setdefault(step["run_id"], []).append(step)
    return [_pipeline_run(run_id, of_run[run_id], reporting) for run_id in sorted(of_run)]


def _pipeline_run(run_id: str, steps: list[Mapping[str, Any]], reporting: tuple[str, str]) -> dict[str, Any]:
    missing = schema.lacking_steps(steps, reporting)
    started, ended = min(step["started_at"] for step in steps), max(step["ended_at"] for step in steps)
    sums = {}
    for name in ("rows_read", "rows_written", "rows_rejected"):
        known = [step[name] for step in steps if step[name] is not None]
        sums[name] = sum(known) if known else None
    return sums | {
        "run_id": run_id,
        "status": schema.run_status((step["status"] for step in steps), missing),
        "started_at": started,
        "ended_at": ended,
        "seconds": (ended - started).total_seconds(),
        "steps": len(steps),
    }


def _count_again(
    lake: Lakehouse,
    source: Table,
    since: int | None,
    target: Table,
    counted: Callable[[DataFrame], DataFrame],
) -> Merged:
    """Counts the days of `source` that have news since version `since` into `target`."""
    rows = _rows_of_changed_days(lake.table(source), since)
    return lake.table(target).merge(counted(rows))


def _rows_of_changed_days(stored: DeltaTable, since: int | None) -> DataFrame:
    """All rows of the days that hold a row which arrived or changed after version `since`.

    All rows where `since` is None, and where it cannot be known any more what changed since then.
    """
    rows = stored.read()
    if since is None:
        return rows
    day = _arrival("fetched_at")
    days = delta.unless_gone(
        lambda: [row[0] for row in delta.changed_rows(stored, since).select(day).distinct().collect()]
    )
    if days is None:
        return rows
    return rows.where(day.isin(*days)) if days else rows.where("false")


def _freshness(lake: Lakehouse, sla_hours: float) -> Merged:
    """Writes freshness; looks only into tables that were written since, and there only at the newest files."""
    stored = lake.table(schema.FRESHNESS)
    known = {row["table_name"]: row for row in stored.collected()}
    looked_at = stored.newest_commits(1)[0].at
    newest = delta.newest_commit_of_each(lake.table(table) for table, _, _ in REACHES)
    versions = {name: commit.version for name, commit in newest.items()}
    written = [
        (table, column, instant)
        for table, column, instant in REACHES
        if table.qualified_name not in known
        or known[table.qualified_name]["version"] != versions[table.name]
        # One that was made anew may have come to the version that its predecessor had.
        or newest[table.name].at > looked_at
    ]
    as_of_now = reached(lake, written, {name: row["as_of"] for name, row in known.items()})
    counts = {table.name: lake.table(table).rows() for table, _, _ in written}
    fresh = []
    for table, _, _ in REACHES:
        name = table.qualified_name
        as_of = as_of_now.get(table.name) or (known[name]["as_of"] if name in known else None)
        rows = counts[table.name] if table.name in counts else known[name]["rows"]
        promised = sla_hours + SLOWER_BY_HOURS.get(table.name, 0.0)
        fresh.append((name, as_of, rows, promised, versions[table.name]))
    if set(fresh) == {tuple(row[name] for name in stored.table.column_names) for row in known.values()}:
        return Merged(0, 0, stored.version())
    return stored.replace(lake.spark.createDataFrame(fresh, stored.table.ddl))


def reached(
    lake: Lakehouse,
    reaches: Iterable[tuple[Table, str, str]],
    known: Mapping[str, datetime | None],
) -> dict[str, datetime | None]:
    """How far each of the tables reaches, by its name; looks no further back than a day before `known`."""
    looks = []
    for table, column, instant in reaches:
        rows, before = lake.table(table).read(), known.get(table.qualified_name)
        if before:
            # A condition on the bare column, by which Delta finds the files without opening them.
            rows = rows.where(F.col(column) >= (before - timedelta(days=1)).date())
        looks.append(rows.agg(F.lit(table.name).alias("table"), F.max(F.expr(instant)).alias("as_of")))
    return {row["table"]: row["as_of"] for row in reduce(DataFrame.union, looks).collect()} if looks else {}


def _arrival(instant: str) -> Column:
    return F.coalesce(F.to_date(instant), F.lit(UNKNOWN_DAY))


def _effective(written: dict[str, Merged]) -> dict[str, Merged]:
    """Of what was merged, that which changed a table."""
    return {name: merged for name, merged in written.items() if merged.inserted or merged.updated}
