"""Columns and rows that the sources share: numbers of a record, parameters of its address, elements of an array.

A record is what the reader gives, with what `silver.with_response` adds. A row has the columns of its table,
and beside them those of CARRIED and what the expectations ask (names that begin with _).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# What every row takes over from its record as it is: where it comes from, its text, what is said of its body.
CARRIED = ("file", "landing_run", "fetched_at", "_record", "_body_reasons")
PLAIN_NUMBER = r"^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$"


def number(name: str) -> Column:
    """A number of a record; one that was sent as text counts where it is plainly a number. Never NaN."""
    sent = F.col(f"_odd.{name}")
    value = F.coalesce(F.col(name), F.when(sent.rlike(PLAIN_NUMBER), sent.try_cast("double")))
    return F.when(F.abs(value) < float("inf"), value)


def positive(number: Column) -> Column:
    """A market cap: 0 is how CoinGecko says that it does not know."""
    return F.when((number > 0) & (number < float("inf")), number)


def parameter(name: str) -> Column:
    """A parameter of the response's address, trimmed; NULL when it is not there or empty."""
    text = F.regexp_extract("_url", rf"[?&]{name}=([^&#]*)", 1)
    return F.nullif(F.trim(F.lower(F.try_url_decode(text))), F.lit(""))


def rescued() -> Column:
    """What was rescued, names sorted, without the file's path, which differs from lake to lake."""
    found = F.from_json("_rescued_data", "map<string,variant>")
    names = F.filter(F.array_sort(F.map_keys(found)), lambda name: name != "_file_path")
    fields = F.map_from_entries(F.transform(names, lambda name: F.struct(name, found[name])))
    return F.when(F.col("_rescued_data").isNotNull(), F.to_json(fields))


def month(instant: str | Column) -> Column:
    """The partition of an hourly row: yyyy-MM."""
    return F.date_format(instant, "yyyy-MM")


def each(records: DataFrame, elements: Column, name: str = "_element") -> DataFrame:
    """One row for each element of an array, its text as _record; one row for a body that is rejected whole."""
    is_whole = F.size("_body_reasons") > 0
    exploded = records.withColumn(
        name, F.explode(F.when(is_whole | elements.isNull(), F.array(F.lit(None))).otherwise(elements))
    )
    return exploded.withColumn("_record", F.coalesce(F.to_json(name), "_record"))


def partitions(*periods: Column | str) -> Column:
    """The condition on the target that names the partitions in these columns of the accepted rows."""
    of_row = F.when(F.size("_reasons") == 0, F.array_compact(F.array(*periods)))
    named = F.array_sort(F.array_distinct(F.flatten(F.collect_set(of_row))))
    return F.concat(F.lit("t.period IN ('"), F.array_join(named, "', '"), F.lit("')"))


def periods() -> Column:
    """The condition on the target that names the partitions of the accepted rows."""
    return partitions("period")
