"""Silver: landed responses become typed, checked rows, one per natural key; the rest goes to quarantine.

    landed JSON -> records -> rows -> judged rows -> accepted rows -> MERGE
                                                  -> rejected ones -> quarantine

Everything from records to accepted rows is a function from DataFrame to DataFrame. `stream_endpoint` reads the
files that are new since its checkpoint, in one or more micro-batches, and merges what they hold. A micro-batch
that is repeated, because a crash came between MERGE and checkpoint, finds its rows there and changes nothing.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import autoloader, files, schema
from coinlake.delta import DeltaTable, Merged
from coinlake.lakehouse import Lakehouse
from coinlake.schema import Table
from coinlake.silver import expectations, row_builders

RESPONSE_LOG = "landing_meta"

# A page of 250 coins is 1 MB: this bounds what one micro-batch parses, whatever has piled up.
FILES_PER_BATCH = 200

ATTEMPTS_AT_MERGE = 5


@dataclass
class Counts:
    """What a stream did. read: records; written: rows inserted or updated; rejected: rows to quarantine.

    versions: Delta version of each table that was written to, by schema.table.
    """

    read: int = 0
    written: int = 0
    rejected: int = 0
    versions: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Counts") -> "Counts":
        versions = {
            name: max(counts.versions.get(name, 0) for counts in (self, other))
            for name in self.versions | other.versions
        }
        return Counts(
            self.read + other.read, self.written + other.written, self.rejected + other.rejected, versions
        )


@dataclass(frozen=True)
class Target:
    """A table that accepted rows go to: how they become its rows, and where it is searched for stored ones.

    search: an aggregate over the judged rows that gives a SQL condition on the target, as `t`.
    with_stored: what to make of stored and new rows together, where a new row does not simply replace one.
    """

    table: Table
    rows: Callable[[DataFrame], DataFrame]
    search: Callable[[], Column] | None = None
    with_stored: Callable[[DataFrame, DataFrame], DataFrame] | None = None


@dataclass(frozen=True)
class Source:
    """How the answers of one endpoint are read.

    schema: fields of a record, as DDL. essential: the field without which a body that speaks of an error is one.
    rows: records -> rows to be judged by the rules of `table`.
    """

    schema: str
    essential: str
    table: Table
    rows: Callable[[DataFrame], DataFrame]
    targets: tuple[Target, ...]


def stream_endpoint(lake: Lakehouse, endpoint: str) -> Counts:
    """Brings all new answers of an endpoint into silver; `landing_meta` brings the response log itself.

    Raises CoinlakeError for an unknown endpoint, and what Spark raises.
    """
    folder = RESPONSE_LOG if endpoint == RESPONSE_LOG else f"landing/endpoint={endpoint}"
    if not Path(lake.folder(folder)).is_dir():
        return Counts()
    return _stream(lake, endpoint, folder, lake.checkpoint(endpoint))


def _stream(lake: Lakehouse, endpoint: str, folder: str, checkpoint: str) -> Counts:
    """Takes in the files below a folder of the lake that are new to the checkpoint."""
    notes = Path(lake.checkpoint("counts"), endpoint)
    files.at(notes).remove(notes)
    # Over Spark Connect a batch runs in another process, with a session of its own.
    merge_batch = partial(
        _take_in_batch, catalog=lake.catalog, path=lake.path, endpoint=endpoint, notes=str(notes)
    )
    autoloader.run_available_now(
        lake.spark,
        lake.folder(folder),
        lambda records: records.writeStream.foreachBatch(merge_batch),
        checkpoint=checkpoint,
        max_files_per_trigger=FILES_PER_BATCH,
        **reader_options(endpoint),
    )
    # Its counts come back as files.
    return sum((Counts(**json.loads(note.read_text())) for note in sorted(notes.glob("*.json"))), Counts())


def stream_all(lake: Lakehouse) -> dict[str, Counts]:
    """Runs the streams of all endpoints, some side by side; returns their counts in the order of ENDPOINTS.

    load_responses comes first. Streams that merge into the same table run one after the other.
    """

    def run(endpoints: tuple[str, ...]) -> dict[str, Counts]:
        return {endpoint: stream_endpoint(lake, endpoint) for endpoint in endpoints}

    with ThreadPoolExecutor(max_workers=len(SIDE_BY_SIDE)) as pool:
        done = {endpoint: counts for part in pool.map(run, SIDE_BY_SIDE) for endpoint, counts in part.items()}
    return {endpoint: done[endpoint] for endpoint in ENDPOINTS}


def load_responses(lake: Lakehouse) -> Counts:
    """Brings the new lines of landing_meta/ into raw_data.responses."""
    return stream_endpoint(lake, RESPONSE_LOG)


def replay_uncommitted(lake: Lakehouse) -> Counts:
    """Takes in again what was quarantined because the response log did not name its file, where it does now.

    Records that pass are marked replayed_at, those that do not get their new reasons.
    """
    folders: dict[str, set[str]] = {}
    # The join comes only where something waits, which is hardly ever.
    if not _uncommitted(lake).isEmpty():
        for row in _no_longer_uncommitted(lake).select("endpoint", "file").distinct().collect():
            folders.setdefault(row["endpoint"], set()).add(str(Path(row["file"]).parent))
    counts = Counts()
    for endpoint, runs in sorted(folders.items()):
        checkpoint = Path(lake.checkpoint("replays"), endpoint)
        # A checkpoint that is gone has seen nothing: the files of these runs are read again.
        files.at(checkpoint).remove(checkpoint)
        these_runs = f"landing/{{{','.join(sorted(runs))}}}"
        counts += _stream(lake, endpoint, these_runs, str(checkpoint))
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
    answers = _landed_responses(lake.table(schema.RESPONSES).read())
    committed = answers.select("file", F.col("_response.fetched_at").alias("_committed_at"))
    return _uncommitted(lake).join(committed, "file")


def take_in(lake: Lakehouse, records: DataFrame, endpoint: str) -> Counts:
    """Judges the records of landed files and merges the accepted rows and the rejected ones where they belong."""
    source = SOURCES[endpoint]
    if endpoint == RESPONSE_LOG:
        known = with_log_file(records)
    else:
        known = with_response(records, lake.table(schema.RESPONSES).read(), endpoint)
    rows = judged(known, endpoint)
    is_accepted = F.size("_reasons") == 0
    # One pass tells whether anything was rejected and where stored rows are to be searched for.
    found = rows.agg(
        F.count("*").alias("read"),
        F.count_if(~is_accepted).alias("rejected"),
        *(target.search().alias(target.table.name) for target in source.targets if target.search),
    ).first()
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
    counts = take_in(Lakehouse(records.sparkSession, catalog, path), records, endpoint)
    files.write_json(Path(notes, f"{batch}.json"), asdict(counts))


def reader_options(endpoint: str) -> dict[str, object]:
    """How the reader (landed) is asked for the records of an endpoint, or of the response log."""
    is_log = endpoint == RESPONSE_LOG
    return {
        "schema": SOURCES[endpoint].schema,
        "mode": autoloader.RESCUE,
        "corrupt_column": "_corrupt_record",
        "multi_line": not is_log,
        "glob": "*.jsonl" if is_log else "*.json",
    }


# From records to judged rows


def with_response(records: DataFrame, responses: DataFrame, endpoint: str) -> DataFrame:
    """Adds to the reader's records what the response log knows of their file.

    Adds: file (path below landing/), landing_run, fetched_at (NULL when the log does not name the file), _url,
    _served_at (fetched_at, less the seconds that a cache says it kept the answer), _odd (MAP<STRING, STRING> of
    what was rescued), _is_error, _is_committed, _body_reasons (broken rules about the body).
    """
    path = F.regexp_extract("_src_path", "^.*/landing/(endpoint=.+)$", 1)
    age = F.expr("try_cast(get_json_object(_response.headers, '$.age') AS INT)")
    return (
        records.withColumn("file", path)
        .join(F.broadcast(_landed_responses(responses)), "file", "left")
        .withColumn("landing_run", F.regexp_extract("file", "/run=([^/]+)/", 1))
        .withColumn("fetched_at", F.col("_response.fetched_at"))
        .withColumn("_url", F.col("_response.url"))
        .withColumn(
            "_served_at",
            F.col("fetched_at") - F.make_dt_interval(secs=F.when(age.between(0, 86_400), age).otherwise(0)),
        )
        .withColumn("_is_committed", F.col("fetched_at").isNotNull())
        .transform(_with_body_reasons, SOURCES[endpoint].essential)
    )


def with_log_file(records: DataFrame) -> DataFrame:
    """What with_response adds, for lines of the response log, which no other log names."""
    return (
        records.withColumn("_line_file", F.col("file"))
        .withColumn("file", F.regexp_extract("_src_path", f"({RESPONSE_LOG}/.+)$", 1))
        .withColumn("landing_run", F.regexp_extract("file", "/run=([^/]+)[.]jsonl$", 1))
        .withColumn("_is_committed", F.lit(True))
        .transform(_with_body_reasons, SOURCES[RESPONSE_LOG].essential)
    )


def judged(records: DataFrame, endpoint: str) -> DataFrame:
    """The records of with_response as rows of the endpoint's table, and what the rules say of each.

    Adds _reasons, the names of the rules of severity reject that the row breaks, and fills `warnings` where the
    table has it.
    """
    source = SOURCES[endpoint]
    rows, table = source.rows(records), source.table
    about_row = expectations.broken_expectations(table.name, expectations.REJECT)
    about_body = F.col("_body_reasons")
    rows = rows.withColumn("_reasons", F.when(F.size(about_body) > 0, about_body).otherwise(about_row))
    if "warnings" in table.column_names:
        rows = rows.withColumn("warnings", expectations.broken_expectations(table.name, expectations.WARN))
    return rows


def quarantined(rows: DataFrame, table: Table, endpoint: str) -> DataFrame:
    """The rejected rows as rows of quarantine, one for each record of a file."""
    record = (
        rows.where(F.size("_reasons") > 0)
        .withColumn("quarantine_id", F.sha2(F.concat_ws("\n", F.lit(table.name), "file", "_record"), 256))
        .groupBy("quarantine_id", "file", "landing_run", "fetched_at")
    )
    return record.agg(
        F.lit(table.name).alias("table_name"),
        F.lit(endpoint).alias("endpoint"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_set("_reasons")))).alias("reasons"),
        F.any_value("_record").alias("record"),
        F.count("*").cast("int").alias("copies"),
        F.lit(None).cast("timestamp").alias("replayed_at"),
    )


def _landed_responses(responses: DataFrame) -> DataFrame:
    return responses.where("outcome = 'landed'").select(
        "file", F.struct("url", "fetched_at", "headers").alias("_response")
    )


def _with_body_reasons(records: DataFrame, essential: str) -> DataFrame:
    odd = F.from_json("_rescued_data", "map<string,string>")
    speaks_of_error = F.exists(
        F.map_keys("_odd"), lambda name: name.isin("status", "error", "error_code", "message")
    )
    return (
        records.withColumn("_odd", odd)
        .withColumn("_is_error", F.col(essential).isNull() & F.coalesce(speaks_of_error, F.lit(False)))
        .withColumn("_body_reasons", expectations.broken_expectations(expectations.ANY_TABLE, expectations.REJECT))
    )


# Where rows go, and where stored ones are searched for


def _partitions(*periods: Column | str) -> Column:
    """The condition on the target that names the partitions in these columns of the accepted rows."""
    of_row = F.when(F.size("_reasons") == 0, F.array_compact(F.array(*periods)))
    named = F.array_sort(F.array_distinct(F.flatten(F.collect_set(of_row))))
    return F.concat(F.lit("t.period IN ('"), F.array_join(named, "', '"), F.lit("')"))


def _logged_lines(rows: DataFrame) -> DataFrame:
    return rows.withColumn("file", F.col("_line_file"))


def _runs_of_log() -> Column:
    return F.concat(
        F.lit("t.landing_run BETWEEN '"), F.min("landing_run"), F.lit("' AND '"), F.max("landing_run"), F.lit("'")
    )


def _months_of_sparklines() -> Column:
    first = F.col("_last_hour") - F.make_dt_interval(hours=F.lit(row_builders.SPARKLINE_HOURS - 1))
    return _partitions(row_builders.month(first), row_builders.month("_last_hour"))


def _periods() -> Column:
    return _partitions("period")


def _months_of_snapshots() -> Column:
    """The months of the snapshots, and in these the files that reach as far back as the first of them."""
    first = F.min(F.when(F.size("_reasons") == 0, F.col("snapshot_at")))
    since = F.concat(F.lit("t.snapshot_at >= TIMESTAMP_MICROS("), F.unix_micros(first), F.lit(")"))
    return F.concat_ws(" AND ", _periods(), since)


def _as_they_are(rows: DataFrame) -> DataFrame:
    return rows


def _one_table(schema: str, essential: str, table: Table, rows: Callable[[DataFrame], DataFrame]) -> Source:
    return Source(schema, essential, table, rows, (Target(table, _as_they_are),))


SOURCES: dict[str, Source] = {
    RESPONSE_LOG: Source(
        row_builders.RESPONSE_LOG_SCHEMA,
        "run",
        schema.RESPONSES,
        row_builders.responses,
        (Target(schema.RESPONSES, _logged_lines, _runs_of_log),),
    ),
    "coins_markets": Source(
        row_builders.MARKETS_SCHEMA,
        "id",
        schema.COIN_SNAPSHOTS,
        row_builders.coin_snapshots,
        (
            Target(schema.COIN_SNAPSHOTS, _as_they_are, _months_of_snapshots),
            Target(schema.COIN_PRICES, row_builders.sparkline_prices, _months_of_sparklines),
        ),
    ),
    "coins_market_chart": Source(
        row_builders.CHART_SCHEMA,
        "prices",
        schema.COIN_PRICES,
        row_builders.chart_points,
        (Target(schema.COIN_PRICES, row_builders.chart_prices, _periods),),
    ),
    "coins_list": Source(
        row_builders.LIST_SCHEMA,
        "id",
        schema.COIN_LIST,
        row_builders.listed_coins,
        (Target(schema.COIN_LIST, _as_they_are, with_stored=row_builders.coins_ever_listed),),
    ),
    "global": _one_table(row_builders.GLOBAL_SCHEMA, "data", schema.MARKET_TOTALS, row_builders.market_totals),
    "fear_greed": _one_table(row_builders.FEAR_GREED_SCHEMA, "data", schema.FEAR_GREED, row_builders.fear_greed),
    "fx_rates": _one_table(row_builders.FX_SCHEMA, "rates", schema.FX_RATES, row_builders.fx_rates),
    "weather_daily": _one_table(
        row_builders.WEATHER_SCHEMA, "daily", schema.WEATHER_DAILY, row_builders.weather_daily
    ),
}
ENDPOINTS = tuple(endpoint for endpoint in SOURCES if endpoint != RESPONSE_LOG)
# Both of the first merge into coin_prices.
SIDE_BY_SIDE = (
    ("coins_markets", "coins_market_chart"),
    ("coins_list", "global", "fear_greed"),
    ("fx_rates", "weather_daily"),
)
