"""The pipeline's own records in `aggregated_data`: what ran, what it cost, how fresh the tables are."""

from coinlake.schema.table import AGGREGATED, Column, Table, required

RUN_STEPS = Table(
    AGGREGATED,
    "run_steps",
    "One row per notebook that a pipeline run executed.",
    (
        required("run_id", "STRING", "pipeline run"),
        required("step", "STRING", "notebook, for example 03_stream_to_silver"),
        required("status", "STRING", "running, succeeded, failed or interrupted"),
        required("started_at", "TIMESTAMP", "UTC start"),
        required("ended_at", "TIMESTAMP", "UTC end; the last sign of life of a step that did not come to an end"),
        required("seconds", "DOUBLE", "from started_at to ended_at"),
        Column("rows_read", "BIGINT", "rows or responses read"),
        Column("rows_written", "BIGINT", "rows or responses written"),
        Column("rows_rejected", "BIGINT", "rows quarantined, or responses that were errors"),
        Column("table_versions", "STRING", "Delta version of each table written, JSON object"),
        Column("parameters", "STRING", "parameters of the notebook, JSON object"),
        Column("code_hash", "STRING", "SHA-256 of the package's code, first 12 hex digits"),
        Column("message", "STRING", "what went wrong, of a step that failed or was interrupted"),
    ),
    key=("run_id", "step"),
)

PIPELINE_RUNS = Table(
    AGGREGATED,
    "pipeline_runs",
    "One row per pipeline run.",
    (
        required("run_id", "STRING", "pipeline run"),
        required(
            "status",
            "STRING",
            "succeeded, when all steps are there and did; failed, interrupted, running, incomplete",
        ),
        required("started_at", "TIMESTAMP", "UTC start of the first step"),
        required("ended_at", "TIMESTAMP", "UTC end of the last step"),
        required("seconds", "DOUBLE", "from the first start to the last end"),
        required("steps", "INT", "steps that left a record"),
        Column("rows_read", "BIGINT", "sum over the steps"),
        Column("rows_written", "BIGINT", "sum over the steps"),
        Column("rows_rejected", "BIGINT", "sum over the steps"),
    ),
    key=("run_id",),
)

API_USAGE = Table(
    AGGREGATED,
    "api_usage",
    "Requests per day, endpoint and source, and what they cost.",
    (
        required("date", "DATE", "UTC day"),
        required("endpoint", "STRING", "endpoint"),
        required("source", "STRING", "who answered: simulated, live or replay"),
        required("attempts", "INT", "requests sent"),
        required("landed", "INT", "answers that are data"),
        required("errors", "INT", "everything else that came back, or did not"),
        required("rate_limited", "INT", "answers with status 429"),
        required(
            "credits",
            "INT",
            "requests that CoinGecko counts, answered 2xx or not heard to their end: one credit each",
        ),
        required("bytes", "BIGINT", "size of all bodies"),
    ),
    key=("date", "endpoint", "source"),
)

FRESHNESS = Table(
    AGGREGATED,
    "freshness",
    "How far each table reaches, against what was promised.",
    (
        required("table_name", "STRING", "schema and table"),
        Column("as_of", "TIMESTAMP", "newest UTC instant in the table; NULL when it is empty"),
        required("rows", "BIGINT", "rows in the table"),
        required("sla_hours", "DOUBLE", "promised age at most, hours"),
        required("version", "BIGINT", "Delta version"),
    ),
    key=("table_name",),
)

QUARANTINE_DAILY = Table(
    AGGREGATED,
    "quarantine_daily",
    "Quarantined records per day, table and reason.",
    (
        required("date", "DATE", "UTC day on which the response arrived; 1900-01-01 when not known"),
        required("table_name", "STRING", "silver table that the records were meant for"),
        required("reason", "STRING", "rule that the records break"),
        required("records", "INT", "records"),
        required("replayed", "INT", "of these, records that passed later"),
    ),
    key=("date", "table_name", "reason"),
)
