"""The schema of landed JSON: what needs no Spark."""

import json

import pytest
from pyspark.sql.types import ArrayType, DoubleType, LongType, StringType, StructField, StructType

from coinlake.autoloader import schema_evolution
from coinlake.errors import CoinlakeError


def struct(**fields) -> StructType:
    return StructType([StructField(name, kind) for name, kind in fields.items()])


TEXT, NUMBER, WHOLE = StringType(), DoubleType(), LongType()


def test_new_fields_come_last_in_their_struct_and_types_stay():
    old = struct(id=TEXT, roi=struct(times=NUMBER), tags=ArrayType(struct(a=TEXT)), rank=TEXT)
    new = struct(
        ath=NUMBER,
        ID=WHOLE,
        roi=struct(best=TEXT, times=TEXT),
        tags=ArrayType(struct(b=TEXT)),
        rank=struct(x=TEXT),
    )
    assert schema_evolution.merge(old, new) == struct(
        id=TEXT, roi=struct(times=NUMBER, best=TEXT), tags=ArrayType(struct(a=TEXT)), rank=TEXT, ath=NUMBER
    )


def test_the_newest_version_of_the_log_counts(tmp_path):
    log = schema_evolution.SchemaLog(str(tmp_path / "schema"))
    assert log.read() is None
    versions = [struct(**{f"f{number}": TEXT}) for number in range(11)]
    for version in versions:
        log.write(version)
    assert schema_evolution.SchemaLog(str(tmp_path / "schema")).read() == versions[-1]
    assert sorted(path.name for path in log.folder.iterdir()) == sorted(map(str, range(11)))


def test_two_streams_cannot_share_a_schema_location(tmp_path, monkeypatch):
    log = schema_evolution.SchemaLog(str(tmp_path))
    log.write(struct(id=TEXT))
    monkeypatch.setattr(log, "_newest", lambda: None)
    with pytest.raises(CoinlakeError, match="give each its own"):
        log.write(struct(id=TEXT, rank=TEXT))
    monkeypatch.undo()
    assert log.read() == struct(id=TEXT)


def planned(folder, name, *entries):
    log = folder / "sources" / "0"
    log.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"path": f"file:///l/{path}", "timestamp": 1, "batchId": batch}) for path, batch in entries
    ]
    (log / name).write_text("\n".join(["v1", *lines]))


def test_the_files_of_the_newest_batch_are_found(tmp_path):
    planned(tmp_path, "0", ("a.json", 0))
    planned(tmp_path, "10", ("c%20d.json", 10), ("e.json", 10))
    planned(tmp_path, "9.compact", ("a.json", 0), ("b.json", 9))
    assert schema_evolution.planned_files(str(tmp_path)) == ["file:///l/c d.json", "file:///l/e.json"]


def test_also_when_the_newest_batch_is_a_compacted_one(tmp_path):
    planned(tmp_path, "9.compact", ("a.json", 0), ("b.json", 9))
    assert schema_evolution.planned_files(str(tmp_path)) == ["file:///l/b.json"]
