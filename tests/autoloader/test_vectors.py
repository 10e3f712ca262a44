"""The reader of landed files against vectors that are derived from Auto Loader's pages.

tests/vectors/autoloader/README.md defines them.
"""

import json
import os
import time
from pathlib import Path
from urllib.parse import unquote

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from coinlake import autoloader
from coinlake.autoloader import reader
from coinlake.errors import CoinlakeError

FOLDER = Path(__file__).parents[1] / "vectors" / "autoloader"
VECTORS = sorted(FOLDER.rglob("vector.json"))

OPTIONS = {
    "schema": "schema",
    "schemaHints": "schema_hints",
    "schemaEvolutionMode": "mode",
    "inferColumnTypes": "infer_types",
    "multiLine": "multi_line",
    "readerCaseSensitive": "reader_case_sensitive",
    "rescuedDataColumn": "rescued_column",
    "columnNameOfCorruptRecord": "corrupt_column",
    "partitionColumns": "partition_columns",
    "maxFilesPerTrigger": "max_files_per_trigger",
    "pathGlobFilter": "glob",
}
HIDDEN = {reader.RECORD, *reader.SOURCE_COLUMNS}
LATEST = time.time() - 1e5


class Landing:
    """A landing folder in which each put is ten seconds newer than the one before."""

    def __init__(self, root: Path, source: Path):
        self.root, self.source, self.puts = root, source, 0

    def put(self, files: dict[str, str], age_days: float = 0) -> None:
        self.root.mkdir(exist_ok=True)
        self.puts += 1
        modified = LATEST + 10 * self.puts - age_days * 86400
        for name, content in files.items():
            target, draft = self.root / name, self.root.parent / "draft"
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes((self.source / content).read_bytes())
            os.utime(draft, (modified, modified))
            draft.replace(target)

    def remove(self, names: list[str]) -> None:
        for name in names:
            (self.root / name).unlink()


class Reader:
    """One stream over a landing folder; each run defines the reader anew."""

    def __init__(self, spark, landing: Landing, folder: Path, options: dict):
        self.spark, self.landing = spark, landing
        self.out, self.checkpoint = str(folder / "out"), str(folder / "checkpoint")
        self.options = {OPTIONS[name]: value for name, value in options.items()}
        self.options["schema_location"] = str(folder / "schema")
        self.version = -1

    def run(self):
        """The error, if any; schema; rows that this run delivered; micro-batches with data."""
        schema, error, at, query = None, None, "define", None

        def start(records):
            nonlocal schema, at
            at = "run"
            schema = [
                [field.name, field.dataType.simpleString()] for field in records.schema if field.name not in HIDDEN
            ]
            writer = records.drop(reader.RECORD).writeStream.format("delta")
            return writer.option("path", self.out).option("mergeSchema", "true")

        try:
            query = autoloader.run_available_now(
                self.spark, str(self.landing.root), start, checkpoint=self.checkpoint, restarts=0, **self.options
            )
        except (CoinlakeError, PySparkException) as problem:
            error = str(problem)
        batches = sum(progress["numInputRows"] > 0 for progress in query.recentProgress) if query else None
        return error, at, schema, self._new_rows(), batches

    def _new_rows(self) -> list[dict]:
        log = Path(self.out) / "_delta_log"
        newest = max((int(path.stem) for path in log.glob("*.json")), default=-1)
        added = [
            json.loads(line)["add"]["path"]
            for version in range(self.version + 1, newest + 1)
            for line in (log / f"{version:020}.json").read_text().splitlines()
            if "add" in json.loads(line)
        ]
        self.version = newest
        if not added:
            return []
        frame = self.spark.read.parquet(*(f"{self.out}/{unquote(path)}" for path in added))
        return [json.loads(row[0]) for row in frame.select(F.to_json(F.struct("*"))).collect()]


def comparable(row: dict, rescued_column: str, optional_nulls: bool) -> str:
    """A row without its NULLs and with the rescued data parsed, as text that can be sorted."""
    row = {name: value for name, value in row.items() if value is not None}
    rescued = row.get(rescued_column)
    if isinstance(rescued, str):
        rescued = json.loads(rescued)
        assert unquote(rescued.pop("_file_path")).endswith(row["_src"])
    if rescued is not None:
        row[rescued_column] = (
            {name: value for name, value in rescued.items() if value is not None} if optional_nulls else rescued
        )
    return json.dumps(_numbers_by_value(row), sort_keys=True)


def _numbers_by_value(value):
    if isinstance(value, dict):
        return {name: _numbers_by_value(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_numbers_by_value(each) for each in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def source_below(root: Path, row: dict) -> dict:
    path = unquote(row["_src_path"])
    row["_src"] = path[path.index(str(root)) + len(str(root)) + 1 :]
    return {name: value for name, value in row.items() if name not in HIDDEN}


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.parent.name)
def test_vectors(spark, tmp_path, path):
    vector = json.loads(path.read_text())
    landing = Landing(tmp_path / "landing", path.parent)
    reader = Reader(spark, landing, tmp_path, vector["reader"])
    for step in vector["steps"]:
        if "put" in step:
            landing.put(step["put"], step.get("age_days", 0))
        elif "remove" in step:
            landing.remove(step["remove"])
        else:
            check(reader, step["run"])


def check(reader: Reader, expected: dict) -> None:
    error, at, schema, rows, batches = reader.run()
    if expected["outcome"] == "fail":
        assert error is not None
        assert expected["error"] == "ANY" or expected["error"] in error
        assert at == expected.get("at", at)
    else:
        assert error is None
    if "schema" in expected and schema is not None:
        head = len(schema) - 1 - expected.get("schema_tail_any_order", 0)
        assert schema[:head] == expected["schema"][:head]
        assert sorted(schema[head:-1]) == sorted(expected["schema"][head:-1])
        assert schema[-1] == expected["schema"][-1]
    if "rows" in expected:
        column = expected.get("rescued_column", "_rescued_data")
        optional = expected.get("null_rescued_keys") == "optional"
        got = sorted(comparable(source_below(reader.landing.root, row), column, optional) for row in rows)
        assert got == sorted(comparable(row, column, optional) for row in expected["rows"])
    if "batches" in expected:
        assert batches == expected["batches"]
