"""The record that a notebook leaves."""

import json

import pytest

from coinlake import files, observability
from coinlake.observability import steps


@pytest.fixture
def notebook(tmp_path):
    """A notebook's globals after its parameters were checked."""
    return {"__annotations__": {"lake_path": str, "run_id": str}, "lake_path": str(tmp_path), "run_id": "r1"}


def test_a_finished_step_is_recorded_whole(notebook, tmp_path, capsys):
    step = observability.begin("03_stream_to_silver", notebook)
    step.end(
        rows_read=1200,
        rows_written=1199,
        rows_rejected=1,
        reads=["landing"],
        writes={"cleaned_data.coin_prices": 4, "landing": None},
    )
    assert capsys.readouterr().out == "03_stream_to_silver: 1,200 read, 1,199 written, 1 rejected\n"
    [path] = (tmp_path / "steps").glob("date=*/r1/*.json")
    record = json.loads(path.read_text())
    assert record.pop("ended_at") >= record.pop("started_at")
    assert record.pop("seconds") >= 0
    assert record == {
        "run_id": "r1",
        "step": "03_stream_to_silver",
        "status": "succeeded",
        "rows_read": 1200,
        "rows_written": 1199,
        "rows_rejected": 1,
        "table_versions": {"cleaned_data.coin_prices": 4},
        "parameters": {"lake_path": str(tmp_path), "run_id": "r1"},
        "code_hash": steps.code_hash(),
        "message": None,
    }


def test_a_finished_step_is_an_openlineage_event(notebook, tmp_path):
    observability.begin("04_build_gold", notebook).end(
        rows_read=1,
        rows_written=1,
        reads=["cleaned_data.coin_prices"],
        writes={"aggregated_data.dim_coin": 2},
    )
    event = json.loads((tmp_path / "lineage/r1/04_build_gold.json").read_text())
    assert event["eventType"] == "COMPLETE"
    assert event["job"] == {"namespace": "coinlake", "name": "04_build_gold"}
    assert event["inputs"] == [{"namespace": "coinlake", "name": "cleaned_data.coin_prices"}]
    [output] = event["outputs"]
    assert output["name"] == "aggregated_data.dim_coin"
    assert output["facets"]["version"]["datasetVersion"] == "2"


def test_a_failed_step_keeps_its_message_and_makes_no_lineage(notebook, tmp_path):
    observability.begin("05_load_sql", notebook).fail("The disk is full.")
    [path] = (tmp_path / "steps").glob("date=*/r1/*.json")
    record = json.loads(path.read_text())
    assert (record["status"], record["message"], record["rows_read"]) == ("failed", "The disk is full.", None)
    assert not (tmp_path / "lineage").exists()


def test_an_empty_run_id_gets_a_new_one_that_sorts_by_time(notebook):
    notebook["run_id"] = ""
    first, second = observability.begin("00_setup", notebook), observability.begin("00_setup", notebook)
    assert first.run_id != second.run_id
    assert first.run_id[:16] <= second.run_id[:16]
    assert first.parameters["run_id"] == first.run_id


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    files.write_json(path, {"n": 1})
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        files.write_json(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 1}
