"""From the records of landed files to judged rows: what the log knows of them, typed columns, broken expectations.

Everything here is a function from DataFrame to DataFrame.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import sources
from coinlake.schema import Table
from coinlake.silver.body_expectations import BODY_EXPECTATIONS, broken_expectations
from coinlake.sources import REJECT, WARN, Stream

LOG_FOLDER = "landing_meta"


def stream_of(name: str) -> Stream:
    """How the answers of an endpoint, or the lines of landing_meta, are read; CoinlakeError for an unknown one."""
    if name == LOG_FOLDER:
        return sources.RESPONSE_LOG
    sources.endpoint_of(name)
    return sources.SOURCES[name]


def with_response(records: DataFrame, responses: DataFrame, endpoint: str) -> DataFrame:
    """Adds to the reader's records what the response log knows of their file.

    Adds: file (path below landing/), landing_run, fetched_at (NULL when the log does not name the file), _url,
    _served_at (fetched_at, less the seconds that a cache says it kept the answer), _odd (MAP<STRING, STRING> of
    what was rescued), _is_error, _is_committed, _body_reasons (broken expectations about the body).
    """
    path = F.regexp_extract("_src_path", "^.*/landing/(endpoint=.+)$", 1)
    age = F.expr("try_cast(get_json_object(_response.headers, '$.age') AS INT)")
    return (
        records.withColumn("file", path)
        .join(F.broadcast(landed_responses(responses)), "file", "left")
        .withColumn("landing_run", F.regexp_extract("file", "/run=([^/]+)/", 1))
        .withColumn("fetched_at", F.col("_response.fetched_at"))
        .withColumn("_url", F.col("_response.url"))
        .withColumn(
            "_served_at",
            F.col("fetched_at") - F.make_dt_interval(secs=F.when(age.between(0, 86_400), age).otherwise(0)),
        )
        .withColumn("_is_committed", F.col("fetched_at").isNotNull())
        .transform(_with_body_reasons, stream_of(endpoint).essential)
    )


def with_log_file(records: DataFrame) -> DataFrame:
    """What with_response adds, for lines of the response log, which no other log names."""
    return (
        records.withColumn("_line_file", F.col("file"))
        .withColumn("file", F.regexp_extract("_src_path", f"({LOG_FOLDER}/.+)$", 1))
        .withColumn("landing_run", F.regexp_extract("file", "/run=([^/]+)[.]jsonl$", 1))
        .withColumn("_is_committed", F.lit(True))
        .transform(_with_body_reasons, sources.RESPONSE_LOG.essential)
    )


def judged(records: DataFrame, endpoint: str) -> DataFrame:
    """The records of with_response as rows of the endpoint's table, and what the expectations say of each.

    Adds _reasons, the names of the expectations of severity reject that the row breaks, and fills `warnings`
    where the table has it.
    """
    source = stream_of(endpoint)
    rows, table = source.rows(records), source.table
    about_row = broken_expectations(source.expectations, REJECT)
    about_body = F.col("_body_reasons")
    rows = rows.withColumn("_reasons", F.when(F.size(about_body) > 0, about_body).otherwise(about_row))
    if "warnings" in table.column_names:
        rows = rows.withColumn("warnings", broken_expectations(source.expectations, WARN))
    return rows


def record_id(table: Table) -> Column:
    """STRING: the id that a record, of judged rows, has in quarantine."""
    return F.sha2(F.concat_ws("\n", F.lit(table.name), "file", "_record"), 256)


def passed_records(rows: DataFrame, table: Table) -> DataFrame:
    """quarantine_id and fetched_at of the records, of judged rows, that break no expectation."""
    record = rows.withColumn("quarantine_id", record_id(table)).groupBy("quarantine_id")
    found = record.agg(
        F.bool_and(F.size("_reasons") == 0).alias("_passes"), F.max("fetched_at").alias("fetched_at")
    )
    return found.where("_passes").drop("_passes")


def quarantined(rows: DataFrame, table: Table, endpoint: str) -> DataFrame:
    """The rejected rows as rows of quarantine, the dead letter table, one for each record of a file."""
    record = (
        rows.where(F.size("_reasons") > 0)
        .withColumn("quarantine_id", record_id(table))
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


def unprocessable(
    files: DataFrame, responses: DataFrame | None, table: Table, endpoint: str, error: str
) -> DataFrame:
    """Files (_src_path) that could not be processed as rows of quarantine: whole, the error as their record.

    responses: the response log; None for files of the log itself.
    """
    pattern = f"^.*/({LOG_FOLDER}/.+)$" if responses is None else "^.*/landing/(.+)$"
    named = files.select(F.regexp_extract("_src_path", pattern, 1).alias("file"))
    if responses is None:
        known = named.withColumn("fetched_at", F.lit(None).cast("timestamp"))
    else:
        fetched = landed_responses(responses).select("file", F.col("_response.fetched_at").alias("fetched_at"))
        known = named.join(fetched, "file", "left")
    return known.select(
        F.sha2(F.concat_ws("\n", F.lit(table.name), "file"), 256).alias("quarantine_id"),
        F.lit(table.name).alias("table_name"),
        F.lit(endpoint).alias("endpoint"),
        "file",
        F.nullif(F.regexp_extract("file", "/run=([^/]+?)(?:/|[.]jsonl$)", 1), F.lit("")).alias("landing_run"),
        "fetched_at",
        F.array(F.lit("unprocessable")).alias("reasons"),
        F.to_json(F.struct(F.lit(error).alias("error"))).alias("record"),
        F.lit(1).alias("copies"),
        F.lit(None).cast("timestamp").alias("replayed_at"),
    )


def landed_responses(responses: DataFrame) -> DataFrame:
    """file, and _response (url, fetched_at, headers), of the answers that are data."""
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
        .withColumn("_body_reasons", broken_expectations(BODY_EXPECTATIONS, REJECT))
    )
