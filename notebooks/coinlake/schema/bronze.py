"""Bronze, `raw_data`: the log of every request. The bodies themselves are files of the landing zone."""

from coinlake.schema.table import RAW, Column, Table, required

RESPONSES = Table(
    RAW,
    "responses",
    "One row per request attempt: the log of bronze. landing_meta/ as a table.",
    (
        required("landing_run", "STRING", "ingestion run, as in the folder name run=…"),
        required("endpoint", "STRING", "endpoint, as in the folder name endpoint=…"),
        required("page", "INT", "page or request number within the run, from 1"),
        required("attempt", "INT", "attempt at this page, from 1"),
        required("method", "STRING", "HTTP method"),
        required("url", "STRING", "address asked, without any key"),
        required("status", "INT", "HTTP status; 0 when no answer came"),
        required("fetched_at", "TIMESTAMP", "UTC instant at which the answer was complete"),
        required("elapsed_ms", "BIGINT", "milliseconds from request to answer"),
        Column("headers", "STRING", "allow-listed response headers, JSON object"),
        Column("file", "STRING", "body: path below landing/, or below landing_errors/ when outcome is error"),
        Column("bytes", "BIGINT", "size of the body in bytes"),
        Column("sha256", "STRING", "SHA-256 of the body, hex"),
        required("outcome", "STRING", "landed: the body is data; error: it is not"),
        Column("error", "STRING", "what was wrong, when outcome is error"),
        required("source", "STRING", "who answered: simulated, live or replay"),
    ),
    key=("landing_run", "endpoint", "page", "attempt"),
    checks={"outcome_known": "outcome IN ('landed', 'error')"},
)
