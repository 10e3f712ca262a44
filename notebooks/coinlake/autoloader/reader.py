"""One reader for landed JSON: Auto Loader on Databricks, the file stream source anywhere else.

The same call gives the same rows on both: typed columns, partition columns from key=value folders, the corrupt
record, the rescued data, and where each row came from. The rules are those of Auto Loader; a function that
follows one names the page, all below docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/:
`schema`, `options`, `faq`; and docs.databricks.com/aws/en/query/formats/json (`json`).

Where Spark reads for itself, a file is taken as text and parsed twice by from_json: into the schema, and into
a map of what is there (landed_rescue). Three limits of that: files are UTF-8; a string column that receives
a number holds it in Spark's own spelling (give numbers a type); rescued numbers lose trailing zeros.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming import DataStreamReader, DataStreamWriter, StreamingQuery
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from coinlake import runtime
from coinlake.autoloader import rescued_data, schema_evolution
from coinlake.errors import CoinlakeError
from coinlake.files import escape_glob

ADD_NEW_COLUMNS, RESCUE, FAIL_ON_NEW_COLUMNS, NONE = MODES = (
    "addNewColumns",
    "rescue",
    "failOnNewColumns",
    "none",
)
SOURCE_COLUMNS = ("_src_path", "_src_name", "_src_modified")
RECORD = "_record"
Reader = TypeVar("Reader", DataFrameReader, DataStreamReader)

# A folder of hourly pages holds years: the file source's own default forgets files older than a week.
NO_AGE_LIMIT = "36500d"
FILES_PER_TRIGGER = 1000

# A name may occur twice in an object: the last one counts, as for Spark's JSON reader.
CONFS = {"spark.sql.mapKeyDedupPolicy": "LAST_WIN", "spark.sql.variant.allowDuplicateKeys": "true"}


@dataclass(frozen=True)
class Options:
    """How landed JSON is read; names and meaning as in Auto Loader's `options` page.

    schema: DDL or StructType; None infers one, which needs schema_location. schema_hints: types for some
    columns of an inferred schema, "price double, roi.times double". mode: what new fields do, one of MODES;
    None is `none` with a schema and `addNewColumns` without. infer_types: without it all inferred leaves are
    strings. multi_line: a file is one document, else each line is one. partition_columns: folders key=value
    that become string columns. glob: which file names are read. folders: a pattern of the folders below the
    path that are read, such as `{date=2026-08-12,date=2026-08-13}`; empty reads all. reader_case_sensitive:
    whether a field named in another case is rescued (True) or read (False). rescued_column: its name; None is
    `_rescued_data` where the schema is inferred or the mode is `rescue`, else there is no such column.
    corrupt_column: the name of the column for text that is no JSON, or None for no column.
    max_files_per_trigger: files in one micro-batch; None is 1000.
    """

    schema: str | StructType | None = None
    schema_hints: str | None = None
    schema_location: str | None = None
    mode: str | None = None
    infer_types: bool = False
    multi_line: bool = True
    partition_columns: Sequence[str] = ()
    glob: str = "*.json"
    folders: str = ""
    max_files_per_trigger: int | None = None
    reader_case_sensitive: bool = True
    rescued_column: str | None = None
    corrupt_column: str | None = None

    def checked(self) -> "Options":
        """The options with their defaults filled in. Raises CoinlakeError where they contradict each other."""
        given = self.schema is not None
        mode = self.mode or (NONE if given else ADD_NEW_COLUMNS)
        if mode not in MODES:
            raise CoinlakeError(
                f"mode={mode!r} is unknown to the reader of landed files: use one of {', '.join(MODES)}."
            )
        if given and mode == ADD_NEW_COLUMNS:
            raise CoinlakeError(
                "mode='addNewColumns' cannot widen a given schema: pass it as schema_hints instead."
            )
        if given and self.schema_hints:
            raise CoinlakeError("schema_hints are for an inferred schema: pass either schema or schema_hints.")
        if not given:
            self.schema_log()
        default = "_rescued_data" if mode == RESCUE or not given else None
        return replace(self, mode=mode, rescued_column=self.rescued_column or default)

    def schema_log(self) -> schema_evolution.SchemaLog:
        """Where an inferred schema is kept. Raises CoinlakeError if that was not said."""
        if not self.schema_location:
            raise CoinlakeError("An inferred schema must be kept somewhere: pass schema_location, or a schema.")
        return schema_evolution.SchemaLog(self.schema_location)


def read(spark: SparkSession, path: str, **options: Any) -> DataFrame:
    """A stream of the records in the JSON files below a folder, whose path is no pattern; options as in Options.

    Columns: those of the schema, partition_columns, corrupt_column and rescued_column as asked for, then
    `_record` (the record as JSON text; of a corrupt one its text) and SOURCE_COLUMNS: `_src_path` (URI of the
    file, URL-encoded), `_src_name`, `_src_modified` (UTC). Select what is needed: `_record` costs only then.
    Rows and batches come in no order. A file is read once, however old, also if it is overwritten later.

    Raises CoinlakeError for options that contradict each other, and where a schema must be inferred and there is
    nothing to infer it from, or the path has characters of a pattern. With the modes addNewColumns and
    failOnNewColumns the stream fails with UNKNOWN_FIELD_EXCEPTION at a field that the schema lacks;
    `run_available_now` handles that.
    """
    asked = Options(**options).checked()
    if runtime.is_databricks():
        return _auto_loader(spark, path, asked)
    schema = _stream_schema(spark, path, asked)
    reader = (
        spark.readStream.format("text")
        .schema("value string")
        .option("maxFileAge", NO_AGE_LIMIT)
        .option("maxFilesPerTrigger", asked.max_files_per_trigger or FILES_PER_TRIGGER)
    )
    stream = _text_options(reader, asked).load(_below(escape_glob(path), asked.folders))
    return _parsed(spark, stream, schema, asked)


def read_files(spark: SparkSession, paths: Sequence[str], **options: Any) -> DataFrame:
    """The same records and columns as read_landed gives, of these files, now and without a checkpoint.

    For files that are read again, such as quarantined ones. Works the same on Databricks. The schema is the
    given one or the newest of schema_location; nothing is inferred and no field makes it fail. Raises
    CoinlakeError if there is neither.
    """
    asked = Options(**options).checked()
    if asked.schema is not None:
        schema = schema_evolution.ddl(spark, asked.schema)
    else:
        kept = asked.schema_log().read()
        if kept is None:
            raise CoinlakeError(
                f"No schema is kept in {asked.schema_location} yet: run the stream first, or pass one."
            )
        schema = schema_evolution.apply_hints(spark, kept, asked.schema_hints)
    reader = _text_options(spark.read.format("text").schema("value string"), asked)
    files = reader.load([escape_glob(path) for path in paths])
    return _parsed(spark, files, schema, replace(asked, mode=RESCUE if asked.rescued_column else NONE))


def run_available_now(
    spark: SparkSession,
    path: str,
    start: Callable[[DataFrame], DataStreamWriter],
    *,
    checkpoint: str,
    restarts: int = 3,
    **options: Any,
) -> StreamingQuery:
    """Reads all files that are there, writes them, and returns the finished query.

    start: makes the writer of the records, such as `lambda rows: rows.writeStream.foreachBatch(merge)`; the
    checkpoint and the trigger are set here. A new field under addNewColumns widens the kept schema and
    restarts the query, at most `restarts` times (one for each micro-batch with new fields); the schema is
    widened before the error is raised, so that a later run goes on. One checkpoint and one schema_location
    belong to one stream. Raises what the query raises.
    """
    asked = Options(**options).checked()
    for left in range(restarts, -1, -1):
        try:
            query = (
                start(read(spark, path, **options))
                .option("checkpointLocation", checkpoint)
                .trigger(availableNow=True)
                .start()
            )
            _wait_for(query)
            return query
        except PySparkException as error:
            if asked.mode != ADD_NEW_COLUMNS or not _is_unknown_field(error):
                raise
            if not runtime.is_databricks():
                _widen(spark, checkpoint, asked)
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def _wait_for(query: StreamingQuery) -> None:
    """Waits until the query has ended. Who is interrupted while waiting, or can wait no more, ends it."""
    try:
        query.awaitTermination()
    except BaseException:
        query.stop()
        raise


def _is_unknown_field(error: PySparkException) -> bool:
    return "UNKNOWN_FIELD_EXCEPTION" in str(error) or "UnknownFieldException" in str(error)


def _widen(spark: SparkSession, checkpoint: str, asked: Options) -> None:
    """Adds the new fields of the micro-batch that failed to the kept schema (`schema`: addNewColumns)."""
    log = asked.schema_log()
    old = schema_evolution.apply_hints(spark, log.read() or StructType(), asked.schema_hints)
    files = schema_evolution.planned_files(checkpoint)
    found = schema_evolution.infer(spark, files, infer_types=asked.infer_types, multi_line=asked.multi_line)
    new = schema_evolution.merge(old, found)
    if new != old:
        log.write(new)


def _stream_schema(spark: SparkSession, path: str, asked: Options) -> StructType:
    if asked.schema is not None:
        return schema_evolution.ddl(spark, asked.schema)
    log = asked.schema_log()
    kept = log.read()
    if kept is not None:
        return schema_evolution.apply_hints(spark, kept, asked.schema_hints)
    files = schema_evolution.newest_files(spark, path, asked.glob)
    found = schema_evolution.infer(spark, files, infer_types=asked.infer_types, multi_line=asked.multi_line)
    if not found.fields:
        raise CoinlakeError(
            f"No schema can be inferred: {path} has no JSON record in files named {asked.glob}. "
            "Land some first, or pass a schema."
        )
    schema = schema_evolution.apply_hints(spark, found, asked.schema_hints)
    log.write(schema)
    return schema


def _text_options(reader: Reader, asked: Options) -> Reader:
    return (
        reader.option("wholetext", asked.multi_line)
        .option("recursiveFileLookup", True)
        .option("pathGlobFilter", asked.glob)
    )


def _below(path: str, folders: str) -> str:
    return f"{path}/{folders}" if folders else path


def _parsed(spark: SparkSession, files: DataFrame, schema: StructType, asked: Options) -> DataFrame:
    _set_confs(spark)
    body = _body(schema, asked)
    records = _records(files, body, asked)
    typed, present = F.col("_typed"), F.col("_present")
    if asked.mode in (ADD_NEW_COLUMNS, FAIL_ON_NEW_COLUMNS):
        records = records.withColumn("_new", rescued_data.unknown(typed, present, body)).where(
            _no_new_field(asked.mode)
        )
    if asked.rescued_column:
        records = records.withColumn("_lost", rescued_data.rescued(typed, present, body))
    return records.select(*_columns(schema, body, asked))


def _body(schema: StructType, asked: Options) -> StructType:
    """The part of the schema that the files' text fills; paths and the reader fill the other columns."""
    elsewhere = {*asked.partition_columns, asked.corrupt_column, asked.rescued_column}
    return StructType([field for field in schema if field.name not in elsewhere])


def _records(files: DataFrame, body: StructType, asked: Options) -> DataFrame:
    """One row a record: `_typed`, `_present` (NULL unless needed), `_bad` (text of no JSON) and the source.

    As Spark's JSON reader (`json`): an array gives its objects, an object one row; an empty or blank text
    and `[]` none; anything else, also one wrong element, makes the whole text one corrupt record.
    """
    rows, maps = ArrayType(body), f"array<{rescued_data.PRESENT}>"
    text = F.regexp_replace("value", "^\ufeff", "")
    texts = files.select(text.alias("_text"), *_source()).where(F.col("_text").rlike(r"\S"))
    objects = F.coalesce(F.from_json("_text", maps), F.array(F.from_json("_text", rescued_data.PRESENT)))
    if not asked.reader_case_sensitive:
        spelled = F.transform(objects, lambda record: rescued_data.with_schema_case(record, body))
        texts = texts.withColumn("_maps", spelled)
        parsed, objects = texts.withColumn("_rows", F.from_json(F.to_json("_maps"), rows)), F.col("_maps")
    else:
        parsed = texts.withColumn("_rows", F.from_json("_text", rows))
        if asked.rescued_column is None and asked.mode in (RESCUE, NONE):
            objects = F.lit(None)
    whole = F.coalesce(~F.exists("_rows", lambda record: record.isNull()), F.lit(False))
    pages = parsed.select(
        "_text", "_rows", objects.cast(maps).alias("_maps"), whole.alias("_whole"), *SOURCE_COLUMNS
    )
    nothing = F.array()
    # The text must not ride along with every record: of a page of 250 it would be copied 250 times.
    records = F.arrays_zip(
        F.when(F.col("_whole"), F.col("_rows")).otherwise(nothing.cast(rows)).alias("_typed"),
        F.when(F.col("_whole"), F.coalesce("_maps", nothing.cast(maps)))
        .otherwise(nothing.cast(maps))
        .alias("_present"),
        F.when(F.col("_whole"), nothing.cast("array<string>")).otherwise(F.array("_text")).alias("_bad"),
    )
    return pages.select(F.explode(records).alias("_"), *SOURCE_COLUMNS).select("_.*", *SOURCE_COLUMNS)


def _no_new_field(mode: str) -> Column:
    """True, or the failure of the stream. A filter: no later select can drop it."""
    retry = "true" if mode == ADD_NEW_COLUMNS else "false"
    message = F.concat(
        F.lit("[UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_FILE] Encountered unknown fields during parsing: ["),
        F.concat_ws(", ", F.map_keys("_new")),
        F.lit(f"], which can be fixed by an automatic retry: {retry}. Found in file: "),
        F.col("_src_path"),
    )
    fails = F.raise_error(message).cast("boolean")
    return F.when(F.size("_new") > 0, fails).otherwise(F.lit(True))


def _columns(schema: StructType, body: StructType, asked: Options) -> list[Column]:
    columns = {field.name: F.col("_typed")[field.name] for field in body}
    kinds = {field.name: field.dataType for field in schema.fields}
    for name in asked.partition_columns:
        columns[name] = _partition_value(name).cast(kinds.get(name, "string"))
    if asked.corrupt_column:
        columns[asked.corrupt_column] = F.col("_bad")
    if asked.rescued_column:
        file_path = F.create_map(F.lit("_file_path"), F.col("_src_path").cast("variant"))
        lost = F.to_json(F.map_concat("_lost", file_path))
        columns[asked.rescued_column] = F.when(F.size("_lost") > 0, lost)
    record = F.coalesce("_bad", F.to_json("_present"), F.to_json("_typed"))
    return [
        *(columns[name].alias(name) for name in dict.fromkeys([*kinds, *columns])),
        record.alias(RECORD),
        *map(F.col, SOURCE_COLUMNS),
    ]


def _partition_value(name: str) -> Column:
    """The value of the folder name=value nearest to the file, or NULL (`options`: partitionColumns)."""
    pattern = rf".*/\Q{name}\E=([^/]*)/.*"
    value = F.when(F.col("_src_path").rlike(pattern), F.regexp_replace("_src_path", pattern, "$1"))
    # A plus sign stands for itself in a path, but for a blank in the encoding that url_decode reads.
    decoded = F.url_decode(F.replace(value, F.lit("+"), F.lit("%2B")))
    return F.nullif(decoded, F.lit("__HIVE_DEFAULT_PARTITION__"))


def _set_confs(spark: SparkSession) -> None:
    """Sets CONFS where they differ. The house's own sessions have them; others keep them afterwards, because
    a query reads them when it runs. Serverless compute refuses: there a name that occurs twice is an error.
    """
    for name, value in CONFS.items():
        try:
            if spark.conf.get(name, None) != value:
                spark.conf.set(name, value)
        except PySparkException:
            if not runtime.is_databricks():
                raise


def _auto_loader(spark: SparkSession, path: str, asked: Options) -> DataFrame:
    """The same stream by Auto Loader, whose options these are (`options`, `schema`)."""
    options = {
        "cloudFiles.format": "json",
        "cloudFiles.schemaLocation": asked.schema_location,
        "cloudFiles.schemaEvolutionMode": asked.mode,
        "cloudFiles.inferColumnTypes": asked.infer_types if asked.schema is None else None,
        "cloudFiles.partitionColumns": ",".join(asked.partition_columns),
        "cloudFiles.maxFilesPerTrigger": asked.max_files_per_trigger,
        "multiLine": asked.multi_line,
        "pathGlobFilter": asked.glob,
        "readerCaseSensitive": asked.reader_case_sensitive,
        "rescuedDataColumn": asked.rescued_column,
        "columnNameOfCorruptRecord": asked.corrupt_column,
    }
    reader = spark.readStream.format("cloudFiles")
    strings = [name for name in (*asked.partition_columns, asked.corrupt_column) if name]
    if asked.schema is None:
        hints = [asked.schema_hints, *(f"`{name}` string" for name in strings)]
        options["cloudFiles.schemaHints"] = ", ".join(filter(None, hints)) or None
    else:
        schema = schema_evolution.ddl(spark, asked.schema)
        missing = [StructField(name, StringType()) for name in strings if name not in schema.names]
        reader = reader.schema(StructType([*schema, *missing]))
    for name, value in options.items():
        if value is not None:
            reader = reader.option(name, value)
    rows = reader.load(_below(path, asked.folders))
    as_read = F.to_json(F.struct(*(F.col(f"`{name}`") for name in rows.columns)))
    record = F.coalesce(F.col(f"`{asked.corrupt_column}`"), as_read) if asked.corrupt_column else as_read
    return rows.select("*", record.alias(RECORD), *_source())


def _source() -> list[Column]:
    names = ("file_path", "file_name", "file_modification_time")
    return [F.col(f"_metadata.{name}").alias(alias) for name, alias in zip(names, SOURCE_COLUMNS, strict=True)]
