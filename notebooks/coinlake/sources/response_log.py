"""The response log: the meta lines of landed runs, one a request, become raw_data.responses.

No API is asked for it: it is a stream of silver only.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from coinlake import schema
from coinlake.sources.columns import fits, literal, possible
from coinlake.sources.source import REJECT, Expectation, Stream, Target

SCHEMA = """
    run STRING, endpoint STRING, page INT, attempt INT, method STRING, url STRING, status INT,
    fetched_at TIMESTAMP,
    elapsed_ms BIGINT, headers MAP<STRING, STRING>, file STRING, bytes BIGINT, sha256 STRING,
    content_encoding STRING, outcome STRING, error STRING, source STRING
"""


def responses(records: DataFrame) -> DataFrame:
    """Lines of the response log -> rows of responses; the line's own file as _line_file."""
    return records.withColumns(
        {
            "landing_run": F.coalesce("run", "landing_run"),
            "headers": F.to_json("headers"),
            "fetched_at": possible("fetched_at"),
        }
    )


def logged_lines(rows: DataFrame) -> DataFrame:
    """The rows with the file that each line is about, in place of its own."""
    return rows.withColumn("file", F.col("_line_file"))


def runs_of_log() -> Column:
    """The condition on the target that names the runs of the lines."""
    first, last = (literal(of("landing_run")) for of in (F.min, F.max))
    return F.concat(F.lit("t.landing_run BETWEEN "), first, F.lit(" AND "), last)


EXPECTATIONS = (
    Expectation(
        "line_incomplete",
        "A line has all that the log requires.",
        "landing_run IS NOT NULL AND endpoint IS NOT NULL AND page IS NOT NULL AND attempt IS NOT NULL "
        "AND method IS NOT NULL AND url IS NOT NULL AND status IS NOT NULL AND fetched_at IS NOT NULL "
        "AND elapsed_ms IS NOT NULL "
        "AND outcome IN ('landed', 'error') AND source IS NOT NULL",
        REJECT,
    ),
    Expectation(
        "text_too_long",
        f"An endpoint has at most {schema.LONGEST_LABEL} letters, a source {schema.LONGEST_SOURCE}.",
        f"coalesce({fits('endpoint', schema.LONGEST_LABEL)} AND {fits('source', schema.LONGEST_SOURCE)}, true)",
        REJECT,
    ),
)

RESPONSE_LOG = Stream(
    schema=SCHEMA,
    essential="run",
    rows=responses,
    expectations=EXPECTATIONS,
    targets=(Target(schema.RESPONSES, logged_lines, runs_of_log),),
)
