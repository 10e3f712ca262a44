"""Columns and rows that the sources share: numbers of a record, parameters of its address, elements of an array.

A record is what the reader gives, with what `silver.with_response` adds. A row has the columns of its table,
and beside them those of CARRIED and what the expectations ask (names that begin with _).
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# What every row takes over from its record as it is: where it comes from, its text, what is said of its body.
CARRIED = ("file", "landing_run", "fetched_at", "_record", "_body_reasons")
PLAIN_NUMBER = r"^-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]+)?$"
# Instants and days outside of these are no data of a market: an epoch in another unit, or nonsense.
EARLIEST, LATEST = "1970-01-01", "2100-01-01"
LATEST_SECONDS = 4_102_444_800


# --- total conversions: whatever the value is, the result is a possible one or NULL; nothing here raises ---------


def finite(value: Column | str) -> Column:
    """DOUBLE: the number, NULL for NaN and the infinities."""
    value = F.col(value) if isinstance(value, str) else value
    return F.when(F.abs(value) < float("inf"), value)


def plain_number(text: Column) -> Column:
    """DOUBLE: a number that was read as text, NULL for what is not plainly one."""
    return finite(F.when(text.rlike(PLAIN_NUMBER), text.try_cast("double")))


def number(name: str) -> Column:
    """DOUBLE: a number of a record; one that was sent as text counts where it is plainly a number."""
    return finite(F.coalesce(F.col(name), plain_number(F.col(f"_odd.{name}"))))


def positive(number: Column) -> Column:
    """DOUBLE: a market cap; 0 is how CoinGecko says that it does not know."""
    return F.when((number > 0) & (number < float("inf")), number)


def whole(value: Column) -> Column:
    """INT: a number without a fraction, NULL for one that has one or that does not fit."""
    return F.when(value == F.rint(value), value).try_cast("int")


def instant(seconds: Column) -> Column:
    """TIMESTAMP: the instant of a Unix time, seconds of any type, to the microsecond; NULL outside 1970-2100."""
    return F.timestamp_micros(F.rint(F.when(seconds.between(0, LATEST_SECONDS), seconds) * 1_000_000).cast("long"))


def possible(time: Column | str) -> Column:
    """A TIMESTAMP or DATE as it is, NULL outside 1970-2100."""
    time = F.col(time) if isinstance(time, str) else time
    return F.when((time >= F.lit(EARLIEST)) & (time < F.lit(LATEST)), time)


def day(text: Column | str) -> Column:
    """DATE: a day that is written as yyyy-mm-dd, NULL for anything else and outside 1970-2100."""
    return possible((F.col(text) if isinstance(text, str) else text).try_cast("date"))


def fits(name: str, most: int) -> str:
    """The condition that a column NVARCHAR(most) holds the text of this name: it counts units of UTF-16."""
    return f"octet_length(encode({name}, 'UTF-16LE')) <= {2 * most}"


def fitting(name: str, most: int) -> Column:
    """STRING: the text of this name, NULL where NVARCHAR(most) would not hold it."""
    return F.when(F.expr(fits(name, most)), F.col(name))


def short(name: str, most: int) -> Column:
    """STRING: the text of this name, or its beginning where NVARCHAR(most) would not hold it."""
    # A letter is one or two units.
    return F.coalesce(fitting(name, most), F.left(name, F.lit(most // 2)))


def parameter(name: str) -> Column:
    """A parameter of the response's address, trimmed; NULL when it is not there or empty."""
    text = F.regexp_extract("_url", rf"[?&]{name}=([^&#]*)", 1)
    return F.nullif(F.trim(F.lower(F.try_url_decode(text))), F.lit(""))


def with_rescued(records: DataFrame, **converted: tuple[Column, Column]) -> DataFrame:
    """Adds `rescued`: what was rescued, as a JSON object, names sorted; NULL where all fitted.

    That is what the reader rescued, without the file's path, which differs from lake to lake, and of `converted`
    (name -> the value as it was read, the value that is stored) those of which nothing could be stored.
    """
    nothing = F.expr("cast(map() as map<string,variant>)")
    read = F.coalesce(F.from_json("_rescued_data", "map<string,variant>"), nothing)
    entries = [
        F.when(
            sent.isNotNull() & stored.isNull(),
            F.struct(F.lit(name).alias("key"), sent.cast("variant").alias("value")),
        )
        for name, (sent, stored) in converted.items()
    ]
    misfits = F.map_from_entries(F.array_compact(F.array(*entries))) if entries else nothing
    names = F.array_sort(F.concat(F.map_keys(read), F.map_keys(misfits)))
    names = F.filter(names, lambda name: name != "_file_path")
    fields = F.transform(names, lambda name: F.struct(name, F.coalesce(read[name], misfits[name])))
    # A column of its own: beside a column that is selected under its old name, the function of a transform takes
    # the new column for the old one.
    return records.withColumn("rescued", F.when(F.size(names) > 0, F.to_json(F.map_from_entries(fields))))


def month(instant: str | Column) -> Column:
    """The partition of an hourly row: yyyy-MM."""
    return F.date_format(instant, "yyyy-MM")


def each(records: DataFrame, elements: Column) -> DataFrame:
    """One row for each element of an array, as _element, its text as _record.

    A body that is rejected whole gives one row, whose _element is NULL and whose _record is the body's. The body
    does not ride along with each of its elements: that would cost the square of its size.
    """
    is_whole = (F.size("_body_reasons") > 0) | elements.isNull()
    body = F.array(F.struct(F.get(elements, F.lit(-1)).alias("element"), F.col("_record").alias("body")))
    parts = F.transform(
        elements, lambda part: F.struct(part.alias("element"), F.lit(None).cast("string").alias("body"))
    )
    rest = [name for name in records.columns if name != "_record"]
    return (
        records.select(*rest, F.explode(F.when(is_whole, body).otherwise(parts)).alias("_part"))
        .withColumn("_element", F.col("_part.element"))
        .withColumn("_record", F.coalesce(F.to_json("_element"), "_part.body"))
        .drop("_part")
    )


def literal(text: Column) -> Column:
    """STRING: a text as a literal of Spark SQL, as schema.quoted_text writes it."""
    escaped = F.replace(F.replace(text, F.lit("\\"), F.lit("\\\\")), F.lit("'"), F.lit("\\'"))
    return F.concat(F.lit("'"), escaped, F.lit("'"))


def partitions(*periods: Column | str) -> Column:
    """The condition on the target that names the partitions in these columns of the accepted rows."""
    of_row = F.when(F.size("_reasons") == 0, F.array_compact(F.array(*periods)))
    named = F.array_sort(F.array_distinct(F.flatten(F.collect_set(of_row))))
    return F.concat(F.lit("t.period IN ('"), F.array_join(named, "', '"), F.lit("')"))


def periods() -> Column:
    """The condition on the target that names the partitions of the accepted rows."""
    return partitions("period")
