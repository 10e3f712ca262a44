"""What is expected of the body that a record came in, and which expectations a row breaks.

What is expected of the rows of a source stands beside the source, in coinlake.sources.
"""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

from coinlake.sources import REJECT, Expectation

# A record that breaks one of these is not asked anything else.
BODY_EXPECTATIONS = (
    Expectation("uncommitted", "The response log names the file.", "_is_committed", REJECT),
    Expectation("not_json", "The file is whole JSON.", "_corrupt_record IS NULL", REJECT),
    Expectation("error_object", "The body is data, not an error message.", "NOT _is_error", REJECT),
)


def broken_expectations(expectations: Iterable[Expectation], severity: str) -> Column:
    """ARRAY<STRING>: the names, sorted, of those of this severity that a row breaks."""
    names = [
        F.when(~F.coalesce(F.expr(each.expression), F.lit(False)), each.name)
        for each in expectations
        if each.severity == severity
    ]
    if not names:
        return F.array().cast("array<string>")
    return F.array_sort(F.array_compact(F.array(*names)))
