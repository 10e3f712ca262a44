"""Two states of a table, compared key by key: what is missing, too much, different, there twice."""

from typing import NamedTuple

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from coinlake.delta.damage import explained
from coinlake.delta.tables import DeltaTable, best_of_key
from coinlake.errors import StorageError
from coinlake.findings import Check, counted
from coinlake.schema import Column, Table

WORDS = {
    "missing": "rows are missing",
    "extra": "rows should not be there",
    "differing": "rows have other values",
    "repeated": "keys are there more than once",
}


class Comparison(NamedTuple):
    """How the rows of a table compare with those that are expected of it; `examples` are keys, JSON, by kind.

    rows: keys that are stored. missing: expected and not stored. extra: stored and not expected. differing:
    stored with other values. repeated: keys that are stored more than once.
    """

    rows: int
    missing: int = 0
    extra: int = 0
    differing: int = 0
    repeated: int = 0
    examples: dict[str, list[str]] = {}

    def problems(self) -> tuple[str, ...]:
        """The differences in words, each kind with its count and examples; none where the rows are the same."""
        return tuple(
            counted(count, what, self.examples[kind])
            for kind, what in WORDS.items()
            if (count := getattr(self, kind))
        )


@explained()
def compare(table: Table, expected: DataFrame, stored: DataFrame) -> Comparison:
    """Compares two frames with the columns of a table, in one Spark job.

    Of several expected rows of a key the one of the greatest rank counts, as in a merge.
    Raises StorageError where a file of the table is damaged.
    """
    wanted = _side(table, best_of_key(table, expected), True)
    keys = (
        wanted.unionByName(_side(table, stored, False))
        .groupBy("_key")
        .agg(
            F.count_if("_is_expected").alias("expected"),
            F.count_if(~F.col("_is_expected")).alias("stored"),
            F.any_value(F.when(F.col("_is_expected"), F.col("_values")), True).alias("_expected"),
            F.any_value(F.when(~F.col("_is_expected"), F.col("_values")), True).alias("_stored"),
        )
    )
    kind = (
        F.when(F.col("stored") > 1, "repeated")
        .when(F.col("stored") == 0, "missing")
        .when(F.col("expected") == 0, "extra")
        .when(~F.col("_expected").eqNullSafe(F.col("_stored")), "differing")
        .otherwise("same")
    )
    key = F.to_json("_key")
    found = keys.groupBy(kind.alias("kind")).agg(
        F.count("*").alias("keys"), F.count_if(F.col("stored") > 0).alias("rows"), F.min(key), F.max(key)
    )
    rows = {row["kind"]: row for row in found.collect()}
    counts = {name: row["keys"] for name, row in rows.items() if name != "same"}
    examples = {name: sorted({rows[name][3], rows[name][4]}) for name in counts}
    return Comparison(sum(row["rows"] for row in rows.values()), examples=examples, **counts)


def checked(
    stored: DeltaTable, expected: DataFrame | None, *, layer: str, against: str, mend: str, where: str = "true"
) -> Check:
    """The rows of a stored table that meet `where`, compared with those expected (None: no row is), as a check.

    A damaged file is what the check says then.
    """
    what = f"{stored.table.name} against {against}"
    try:
        rows = stored.read().where(where)
        found = compare(stored.table, rows.where("false") if expected is None else expected, rows)
    except StorageError as problem:
        return Check(layer, what, 0, (str(problem),), mend)
    return Check(layer, what, found.rows, found.problems(), mend)


def _side(table: Table, frame: DataFrame, is_expected: bool) -> DataFrame:
    values = [column for column in table.columns if column.name not in table.key]
    return frame.select(
        F.struct(*(_comparable(column) for column in table.columns if column.name in table.key)).alias("_key"),
        # A value that is always there: a struct of no columns is none.
        F.struct(F.lit(0).alias("_"), *map(_comparable, values)).alias("_values"),
        F.lit(is_expected).alias("_is_expected"),
    )


def _comparable(column: Column) -> SparkColumn:
    value = F.col(column.name).cast(column.type)
    if column.type.startswith("MAP"):
        value = F.array_sort(F.map_entries(value))
    return value.alias(column.name)
