"""The record of a run: kept, listed, found, and shown as a tree."""

import json
import os
from datetime import UTC, datetime

import pytest

from adf_lab import AdfLabError, Engine, Script, VirtualClock, monitor
from adf_support.factories import after

PIPELINES = {
    "pl_outer": {
        "properties": {
            "activities": [
                {
                    "name": "copy",
                    "type": "Copy",
                    "policy": {"retry": 1, "secureOutput": True},
                    "typeProperties": {},
                },
                {
                    "name": "call",
                    "type": "ExecutePipeline",
                    "dependsOn": [after("copy")],
                    "typeProperties": {"pipeline": {"referenceName": "pl_inner", "type": "PipelineReference"}},
                },
                {"name": "after", "type": "Copy", "dependsOn": [after("call")], "typeProperties": {}},
            ]
        }
    },
    "pl_inner": {
        "properties": {
            "activities": [
                {
                    "name": "each",
                    "type": "ForEach",
                    "typeProperties": {
                        "items": "@createArray('a')",
                        "activities": [{"name": "load", "type": "Copy", "typeProperties": {}}],
                    },
                }
            ]
        }
    },
}
SCRIPT = {
    "copy": [
        {"status": "Failed", "error": {"errorCode": "E", "message": "busy"}, "durationSeconds": 5},
        {"status": "Succeeded", "output": {"value": "a-secret"}},
    ],
    "load": [{"status": "Failed", "error": {"errorCode": "E", "message": "no space left"}, "durationSeconds": 2}],
}


@pytest.fixture
def run():
    ids = iter(range(100))
    clock = VirtualClock(datetime(2026, 8, 12, 14, 22, tzinfo=UTC))
    executors = Script(SCRIPT).executors(["Copy"])
    return Engine(PIPELINES, executors, clock, new_id=lambda: f"id-{next(ids)}").run("pl_outer")


def test_a_record_is_kept_whole_listed_and_found(run, tmp_path):
    path = monitor.keep(run, tmp_path / "records")
    record = json.loads(path.read_text())
    assert [each.name for each in path.parent.iterdir()] == ["id-0.json"]
    assert record == run.as_dict()
    assert monitor.runs(path.parent) == [record]
    assert monitor.find(path.parent, "id") == monitor.find(path.parent, "last") == record
    assert list(monitor.listing([record])) == [
        "start (UTC)          status      seconds  pipeline      trigger      run",
        "2026-08-12 14:22:00  Failed         37.0  pl_outer      Manual       id-0",
    ]
    with pytest.raises(AdfLabError, match=r"No run in .*records for 'nothing'"):
        monitor.find(path.parent, "nothing")


def test_the_newest_is_first(run, tmp_path):
    older = run.as_dict() | {"runId": "id-older", "runStart": "2026-08-11T14:22:00Z"}
    (tmp_path / "id-older.json").write_text(json.dumps(older))
    monitor.keep(run, tmp_path)
    assert [record["runId"] for record in monitor.runs(tmp_path)] == ["id-0", "id-older"]
    with pytest.raises(AdfLabError, match="2 runs in"):
        monitor.find(tmp_path, "id-")


def test_the_tree_shows_status_attempts_and_errors(run):
    record = run.as_dict()
    inner = "Activity failed because an inner activity failed; Inner activity name: load, Error: no space left"
    assert list(monitor.tree(record)) == [
        "pl_outer  Failed  37.0 s  id-0",
        "  copy (Copy)  Succeeded  14:22:00  35.0 s  2 attempts",
        f"  call (ExecutePipeline)  Failed  14:22:35  2.0 s  Operation on target each failed: {inner}",
        f"    each (ForEach)  Failed  14:22:35  2.0 s  {inner}",
        "      load [0] (Copy)  Failed  14:22:35  2.0 s  no space left",
        "  after (Copy)  Skipped",
    ]
    assert [row.path for row in monitor.rows(record)][3] == ("pl_outer", "call", "pl_inner", "each", "load")


def test_a_secured_output_is_not_in_the_record(run):
    assert "a-secret" not in json.dumps(run.as_dict())


def test_of_runs_that_began_together_the_last_is_the_one_whose_record_is_newer(run, tmp_path):
    for number, name in enumerate(("a", "c", "b")):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(run.as_dict() | {"runId": name}))
        os.utime(path, ns=(number, number))
    assert [record["runId"] for record in monitor.runs(tmp_path)] == ["b", "c", "a"]


def test_a_run_that_has_not_ended_is_shown_as_it_stands(run):
    record = run.as_dict() | {"runEnd": None, "status": "InProgress"}
    record["activityRuns"] = record["activityRuns"][:1]
    record["activityRuns"][0] |= {"activityRunEnd": None, "status": "InProgress"}
    line, activity = monitor.tree(record)
    assert line.startswith("pl_outer  InProgress  ")
    assert activity.startswith("  copy (Copy)  InProgress  14:22:00  ")
    begun = datetime.fromisoformat(record["runStart"])
    assert abs(monitor.seconds(record) - (datetime.now(UTC) - begun).total_seconds()) < 60


@pytest.mark.parametrize("content", ["", "{", "[]", '{"runId": "x"}', "[" * 99_999])
def test_a_broken_file_among_the_records_is_left_out_and_named(run, tmp_path, content):
    monitor.keep(run, tmp_path)
    (tmp_path / "broken.json").write_text(content)
    assert [record["runId"] for record in monitor.runs(tmp_path)] == [run.run_id]
    assert monitor.unreadable(tmp_path) == [tmp_path / "broken.json"]
