"""The schema of landed JSON: inferred once, corrected by hints, kept in a log, widened by new fields.

Rules: "schema inference and evolution" in
docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, MapType, StringType, StructField, StructType

from coinlake import files, runtime
from coinlake.errors import CoinlakeError
from coinlake.files import escape_glob

LOG_HEADER = "coinlake-schema-1"
SAMPLED_FILES = 1000
CORRUPT = "_coinlake_corrupt"


class SchemaLog:
    """The versions of one stream's schema, in <location>/_schemas/<n>; the newest one counts.

    It belongs to one stream on one platform: Auto Loader keeps its own format in a folder of this name.
    """

    def __init__(self, location: str):
        self.folder = Path(location) / "_schemas"

    def read(self) -> StructType | None:
        """The newest schema, or None. Raises CoinlakeError if the folder is not of this reader."""
        newest = self._newest()
        if newest is None:
            return None
        header, _, text = (self.folder / str(newest)).read_text().partition("\n")
        if header != LOG_HEADER:
            raise CoinlakeError(
                f"{self.folder / str(newest)} was not written by this reader. A schema location belongs to one "
                "stream on one platform: give this stream another one."
            )
        return StructType.fromJson(json.loads(text))

    def write(self, schema: StructType) -> None:
        """Adds a version, whole or not at all. Raises CoinlakeError if another stream just did the same."""
        storage = files.at(self.folder)
        with storage.lock(self.folder / ".lock") as free:
            newest = self._newest()
            version = self.folder / str(0 if newest is None else newest + 1)
            if free is False or version.exists():
                raise CoinlakeError(
                    f"Two streams use the schema location {self.folder.parent}: give each its own, and run again."
                )
            storage.write(version, f"{LOG_HEADER}\n{schema.json()}".encode())

    def _newest(self) -> int | None:
        names = (path.name for path in self.folder.glob("*") if path.name.isdigit())
        return max(map(int, names), default=None)


def newest_files(spark: SparkSession, path: str, glob: str) -> list[str]:
    """Paths of the newest files below a folder, as many as a schema is inferred from."""
    newest = (
        spark.read.format("binaryFile")
        .option("recursiveFileLookup", True)
        .option("pathGlobFilter", glob)
        .load(escape_glob(path))
        .select("path", "modificationTime")
        .orderBy(F.desc("modificationTime"), "path")
        .limit(SAMPLED_FILES)
    )
    return [row["path"] for row in newest.collect()]


def infer(spark: SparkSession, files: Sequence[str], *, infer_types: bool, multi_line: bool) -> StructType:
    """The schema of JSON files, as Spark's JSON reader infers it; all leaves are strings without infer_types.

    Names that differ only in case are one column. Fields that hold nothing but empty objects have no type and
    no column. Raises CoinlakeError for a file whose path Spark would take for a pattern.
    """
    if not files:
        return StructType()
    patterns = [file for file in files if escape_glob(file) != file]
    if patterns:
        # Spark unescapes such a path, and the reader of Hadoop that it hands it to then sees the pattern again.
        raise CoinlakeError(
            f"Spark infers no schema from files whose path has one of [ ] {{ }} * ? \\: {min(patterns)}. Pass a "
            "schema, or rename the folder."
        )
    # Spark refuses a file with both `Id` and `id` unless names are case-sensitive while it infers.
    with runtime.settings(spark, {"spark.sql.caseSensitive": "true"}):
        frame = (
            spark.read.option("multiLine", multi_line)
            .option("primitivesAsString", not infer_types)
            .option("columnNameOfCorruptRecord", CORRUPT)
            .option("recursiveFileLookup", True)
            .json(list(files))
        )
        found = frame.schema
    return _one_case(StructType([field for field in found if field.name != CORRUPT]))


def merge(old: StructType, new: StructType) -> StructType:
    """The old schema with the fields that only the new one has, each at the end of its struct.

    Types never change.
    """
    later = {field.name.lower(): field for field in new}
    kept = [
        StructField(field.name, _merge_type(field.dataType, later[field.name.lower()].dataType))
        if field.name.lower() in later
        else field
        for field in old
    ]
    known = {field.name.lower() for field in old}
    return StructType(kept + [field for field in new if field.name.lower() not in known])


def apply_hints(spark: SparkSession, schema: StructType, hints: str | None) -> StructType:
    """The schema with the hinted types; a hinted column that is missing is added at the end.

    hints: as Auto Loader's schemaHints, such as "price double, roi.times double, tags.element string,
    shares.value double". Raises CoinlakeError for a hint that is no `name type`.
    """
    parsed = [_split_hint(hint) for hint in _split_outside_brackets(hints or "")]
    if not parsed:
        return schema
    kinds = ddl(spark, ", ".join(f"hint{number} {kind}" for number, (_, kind) in enumerate(parsed)))
    for ((name, *rest), _), field in zip(parsed, kinds, strict=True):
        schema = _with_hinted_field(schema, name, rest, field.dataType)
    return schema


def ddl(spark: SparkSession, schema: str | StructType) -> StructType:
    """The schema that a DDL text such as "id string, price double" describes; a schema as it is."""
    return schema if isinstance(schema, StructType) else spark.createDataFrame([], schema).schema


def planned_files(checkpoint: str) -> list[str]:
    """The files of the newest micro-batch that a file stream planned: after a failure, of the one that failed."""
    log = Path(checkpoint) / "sources" / "0"
    batches = {int(path.name.split(".")[0]): path for path in sorted(log.glob("[0-9]*"))}
    newest = max(batches)
    # A compacted log ends in .compact and repeats the files of earlier batches.
    _, *lines = batches[newest].read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [unquote(entry["path"]) for entry in entries if entry["batchId"] == newest]


def _merge_type(old: DataType, new: DataType) -> DataType:
    return merge(old, new) if isinstance(old, StructType) and isinstance(new, StructType) else old


def _one_case(schema: StructType) -> StructType:
    fields = {field.name.lower(): field for field in reversed(schema.fields)}
    return StructType(
        [
            StructField(field.name, _one_case_within(field.dataType))
            for field in schema
            if fields[field.name.lower()] is field
        ]
    )


def _one_case_within(kind: DataType) -> DataType:
    if isinstance(kind, ArrayType):
        return ArrayType(_one_case_within(kind.elementType))
    return _one_case(kind) if isinstance(kind, StructType) else kind


def _hinted(kind: DataType, path: Sequence[str], hint: DataType) -> DataType:
    if not path:
        return hint
    name, *rest = path
    if not isinstance(kind, StructType | ArrayType | MapType):
        kind = _container(name)
    if isinstance(kind, ArrayType) and name == "element":
        return ArrayType(_hinted(kind.elementType, rest, hint))
    if isinstance(kind, MapType) and name in ("key", "value"):
        key, value = kind.keyType, kind.valueType
        return (
            MapType(_hinted(key, rest, hint), value) if name == "key" else MapType(key, _hinted(value, rest, hint))
        )
    return _with_hinted_field(kind if isinstance(kind, StructType) else StructType(), name, rest, hint)


def _with_hinted_field(schema: StructType, name: str, rest: Sequence[str], hint: DataType) -> StructType:
    """The schema with the hint for its column `name`, or for the part of it that `rest` leads to."""
    fields = [
        StructField(field.name, _hinted(field.dataType, rest, hint))
        if field.name.lower() == name.lower()
        else field
        for field in schema
    ]
    if name.lower() not in {field.name.lower() for field in schema}:
        fields.append(StructField(name, _hinted(StringType(), rest, hint)))
    return StructType(fields)


def _container(name: str) -> DataType:
    """What a hint on a part of a scalar column makes of it: `tags.element` an array, `shares.value` a map."""
    containers = {"element": ArrayType(StringType()), "key": MapType(StringType(), StringType())}
    containers["value"] = containers["key"]
    return containers.get(name, StructType())


def _split_hint(hint: str) -> tuple[list[str], str]:
    found = re.fullmatch(r"\s*((?:`[^`]+`|[^\s`])+)\s*[\s:]\s*(\S.*?)\s*", hint, re.DOTALL)
    if not found:
        raise CoinlakeError(f"Schema hint {hint!r} is not of the form `name type`: correct schema_hints.")
    names = re.findall(r"`([^`]+)`|([^.`]+)", found.group(1))
    return [quoted or plain for quoted, plain in names], found.group(2)


def _split_outside_brackets(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]
