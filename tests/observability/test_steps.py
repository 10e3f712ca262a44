"""The record that a notebook leaves."""

import errno
import json
from datetime import UTC, date, datetime

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import dataset_version_dataset, error_message_run
from openlineage.client.serde import Serde

from coinlake import files, instants, observability
from coinlake.errors import CoinlakeError
from coinlake.observability import lineage, steps


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


def test_lineage_goes_from_the_start_to_the_end_of_a_step(notebook, tmp_path):
    kept = tmp_path / "lineage/r1/04_build_gold.json"
    step = observability.begin("04_build_gold", notebook)
    started = json.loads(kept.read_text())
    assert (started["eventType"], started["inputs"], started["outputs"]) == ("START", [], [])
    step.end(
        rows_read=1,
        rows_written=1,
        reads=["cleaned_data.coin_prices"],
        writes={"aggregated_data.dim_coin": 2},
    )
    ended = json.loads(kept.read_text())
    assert ended["eventType"] == "COMPLETE"
    assert ended["run"] == started["run"]
    assert [dataset["name"] for dataset in ended["inputs"]] == ["cleaned_data.coin_prices"]
    [output] = ended["outputs"]
    assert output["name"] == "aggregated_data.dim_coin"
    assert output["facets"]["version"]["datasetVersion"] == "2"


def test_events_are_those_of_the_standards_own_client():
    at = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
    run = "3dc3fcdc-7b25-5e2c-8dc7-7d8b60f04a59"
    versioned = dataset_version_dataset.DatasetVersionDatasetFacet("3", producer=lineage.PRODUCER)
    failed = error_message_run.ErrorMessageRunFacet("No disk.", "Python", producer=lineage.PRODUCER)
    common = {"eventTime": "2026-08-12T14:22:00.000Z", "job": Job("coinlake", "05_load_sql")}
    complete = RunEvent(
        **common,
        eventType=RunState.COMPLETE,
        run=Run(run),
        producer=lineage.PRODUCER,
        inputs=[InputDataset("coinlake", "a.b")],
        outputs=[OutputDataset("coinlake", "c.d", facets={"version": versioned}), OutputDataset("coinlake", "e")],
    )
    fail = RunEvent(
        **common,
        eventType=RunState.FAIL,
        run=Run(run, facets={"errorMessage": failed}),
        producer=lineage.PRODUCER,
        inputs=[],
        outputs=[],
    )
    ours = lineage.event("COMPLETE", at, "r1", "05_load_sql", reads=["a.b"], writes={"c.d": 3, "e": None})
    assert ours["run"]["runId"] == lineage.event("START", at, "r1", "05_load_sql")["run"]["runId"] != run
    ours["run"]["runId"] = run
    assert ours == json.loads(Serde.to_json(complete))
    ours = lineage.event("FAIL", at, "r1", "05_load_sql", message="No disk.")
    ours["run"]["runId"] = run
    assert ours == json.loads(Serde.to_json(fail))


def test_a_failed_step_keeps_its_message(notebook, tmp_path):
    observability.begin("05_load_sql", notebook).fail("The disk is full.")
    [path] = (tmp_path / "steps").glob("date=*/r1/*.json")
    record = json.loads(path.read_text())
    assert (record["status"], record["message"], record["rows_read"]) == ("failed", "The disk is full.", None)
    event = json.loads((tmp_path / "lineage/r1/05_load_sql.json").read_text())
    assert event["eventType"] == "FAIL"
    assert event["run"]["facets"]["errorMessage"]["message"] == "The disk is full."


def records(tmp_path):
    return {record["step"]: record for record in steps.read_records(str(tmp_path), date.min)}


def test_a_record_is_there_from_the_beginning(notebook, tmp_path):
    step = observability.begin("03_stream_to_silver", notebook)
    assert records(tmp_path) == {
        "03_stream_to_silver": {
            "run_id": "r1",
            "step": "03_stream_to_silver",
            "status": "running",
            "started_at": instants.to_text(step.started_at),
            "ended_at": instants.to_text(step.started_at),
            "seconds": 0.0,
            "rows_read": None,
            "rows_written": None,
            "rows_rejected": None,
            "table_versions": {},
            "parameters": {"lake_path": str(tmp_path), "run_id": "r1"},
            "code_hash": steps.code_hash(),
            "message": None,
        }
    }


def test_what_was_left_running_is_closed_by_who_finds_it(notebook, tmp_path):
    observability.begin("03_stream_to_silver", notebook)
    observability.begin("04_build_gold", notebook).fail("The disk is full.")
    found = steps.read_records(str(tmp_path), date.min)
    observability.close_unfinished(str(tmp_path), found)
    assert [(record["status"], record["message"]) for record in found] == [
        ("interrupted", steps.FOUND),
        ("failed", "The disk is full."),
    ]
    assert list(records(tmp_path).values()) == found


def test_where_the_disk_is_full_a_failure_is_said_all_the_same_and_no_success_without_a_record(
    notebook, tmp_path, monkeypatch
):
    step = observability.begin("03_stream_to_silver", notebook)
    before = records(tmp_path)

    def refuse(storage, path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files.LocalFolder, "write_new", refuse)
    step.fail("Why.")
    step.interrupt("Why.")
    with pytest.raises(OSError, match="No space left on device"):
        step.end(rows_read=1, rows_written=1)
    assert records(tmp_path) == before


def test_a_step_whose_record_was_cut_off_was_interrupted(notebook, tmp_path):
    step = observability.begin("03_stream_to_silver", notebook)
    path = observability.record_path(str(tmp_path), step.started_at, "r1", step.name)
    # Without its last line break it would still be whole.
    whole = path.read_bytes()[:-1]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        record = observability.read_record(str(tmp_path), "r1", step.name)
        assert (record["run_id"], record["step"], record["status"]) == ("r1", step.name, "interrupted"), size
        assert record["started_at"] == f"{step.started_at:%Y-%m-%d}T00:00:00.000Z"
        assert record["message"] == steps.CUT_OFF


def test_a_runner_and_its_notebook_write_one_record_on_both_sides_of_midnight(notebook, tmp_path):
    parameters = {"lake_path": str(tmp_path), "run_id": "r1"}
    late, early = datetime(2026, 8, 1, 23, 59, 59, tzinfo=UTC), datetime(2026, 8, 2, 0, 0, 1, tzinfo=UTC)
    runner = observability.Step("03_stream_to_silver", "r1", str(tmp_path), parameters, late)
    observability.Step("03_stream_to_silver", "r1", str(tmp_path), parameters, early)._begin()
    runner.fail("Memory ran out.")
    [path] = tmp_path.glob("steps/date=*/r1/*.json")
    assert path.parent.parent.name == "date=2026-08-02"
    assert records(tmp_path)["03_stream_to_silver"]["started_at"] == instants.to_text(early)


def test_a_run_id_that_is_used_again_has_the_newest_record_of_a_step(notebook, tmp_path):
    for day in (1, 2, 3):
        at = datetime(2026, 8, day, tzinfo=UTC)
        observability.Step("03_stream_to_silver", "r1", str(tmp_path), {}, at).fail(str(day))
    assert [record["message"] for record in steps.read_records(str(tmp_path), date.min)] == ["3"]


def test_an_empty_run_id_gets_a_new_one_that_sorts_by_time(notebook):
    notebook["run_id"] = ""
    first, second = observability.begin("00_setup", notebook), observability.begin("00_setup", notebook)
    assert first.run_id != second.run_id
    assert first.run_id[:16] <= second.run_id[:16]
    assert first.parameters["run_id"] == ""


def test_notebooks_that_are_opened_in_one_sitting_are_one_run(notebook, monkeypatch):
    monkeypatch.setenv(observability.SITTING, "of-the-sitting")
    assert observability.begin("00_setup", notebook).run_id == "r1"
    notebook["run_id"] = ""
    steps = [observability.begin(name, notebook) for name in ("00_setup", "01_ingest_market_data")]
    assert [step.run_id for step in steps] == ["of-the-sitting"] * 2
    assert steps[0].parameters["run_id"] == ""


def test_a_failed_write_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "record.json"
    files.write_json(path, {"n": 1})
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(OSError, match="no"):
        files.write_json(path, {"n": 2})
    assert json.loads(path.read_text()) == {"n": 1}


@pytest.mark.parametrize(
    ("rejected", "share", "refused"), [(25, 0.2, False), (26, 0.2, True), (9_000, 1.0, False)]
)
def test_gold_is_refused_when_silver_rejected_more_than_the_share(notebook, rejected, share, refused):
    gold = observability.begin("04_build_gold", notebook)
    observability.refuse_too_many_rejected(gold, 0.0)
    silver = observability.begin("03_stream_to_silver", notebook)
    observability.refuse_too_many_rejected(gold, 0.0)
    silver.end(rows_read=200, rows_written=100, rows_rejected=rejected)
    if refused:
        with pytest.raises(
            CoinlakeError, match=r"^26 rows were rejected and 100 accepted: look into .*quarantine"
        ):
            observability.refuse_too_many_rejected(gold, share)
    else:
        observability.refuse_too_many_rejected(gold, share)
