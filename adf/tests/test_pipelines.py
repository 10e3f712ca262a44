"""What the pipelines do with what their activities answer."""

import json

import pytest

from adf_lab.testing import failed, succeeded


def notebook(read=0, written=0, rejected=0):
    return succeeded(runOutput={"rows_read": read, "rows_written": written, "rows_rejected": rejected})


NIGHT = {"ingest_with": "copy", "load_with": "copy", "with_reports": False}


def test_counts_go_up_from_the_notebooks_to_the_run(adf):
    answers = {
        "ingest_market": notebook(53, 52, 1),
        "ingest_context": notebook(3, 3),
        "silver": notebook(20_000, 19_990, 10),
        "gold": notebook(19_990, 5_000),
        "load_notebook": notebook(5_000, 4_999),
    }
    run = adf.run("pl_main", answers=answers)
    assert run.status == "Succeeded"
    assert run.return_value == {
        "run_id": "20260812T142200Z-00000000",
        "landed": 55,
        "lost": 1,
        "rejected": 10,
        "gold_rows": 5_000,
        "loaded_rows": 4_999,
    }


def test_every_notebook_gets_the_run_and_the_lake(adf):
    run = adf.run("pl_main", global_parameters={"lake_path": "/Volumes/x/lake"})
    notebooks = [call for call in run.calls if call.type == "DatabricksNotebook"]
    assert len(notebooks) == 8
    for call in notebooks:
        given = call.type_properties["baseParameters"]
        told = (given["run_id"], given["lake_path"])
        assert told == ("20260812T142200Z-00000000", "/Volumes/x/lake"), call.name


def test_too_many_rejected_rows_stop_before_gold_and_are_told_once(adf):
    run = adf.run("pl_main", answers={"silver": notebook(100, 50, 50)})
    assert (run.status, run.called("gold"), run["load"].status) == ("Failed", [], "Skipped")
    [alert] = run.called("alert")
    assert alert.type_properties["url"] == "https://alerts.invalid/secret-path"
    assert alert.type_properties["body"]["message"].endswith(
        "50 rows were rejected and 50 accepted: look into cleaned_data.quarantine. Gold was not built."
    )
    assert run["stop"].error["errorCode"] == "PipelineFailed"


@pytest.mark.parametrize(("rejected", "status"), [(24, "Succeeded"), (25, "Succeeded"), (26, "Failed")])
def test_the_gate_lets_through_what_it_is_told(adf, rejected, status):
    given = {"run_id": "r", "most_rejected_share": 0.2}
    assert adf.run("pl_medallion", given, answers={"silver": notebook(0, 100, rejected)}).status == status


def test_copies_are_taken_over_as_a_tape(adf):
    run = adf.run("pl_main", NIGHT)
    copies = [call for call in run.calls if call.name in ("copy_pages", "copy_once")]
    sources = adf.factory.pipelines["pl_ingest"]["properties"]["parameters"]["sources"]["defaultValue"]
    assert len(copies) == len(sources)
    [ingest] = run.called("ingest_market")
    given = ingest.type_properties["baseParameters"]
    assert given["source"] == "replay"
    assert given["tape_path"].endswith("/lake/copied/20260812T142200Z-00000000")
    tables = adf.factory.pipelines["pl_load_sql"]["properties"]["parameters"]["tables"]["defaultValue"]
    staged = [call.outputs[0]["parameters"]["table"] for call in run.called("copy_table")]
    assert staged == [table["sink"]["table"] for table in tables]
    assert run.return_value["loaded_rows"] == 4_711


def test_no_secret_stands_in_the_monitor(adf):
    run = adf.run("pl_main", NIGHT, answers={"gold": failed("no space left")})
    [copy, *_] = run.called("copy_pages")
    assert "a-demo-key" in json.dumps(copy.type_properties)
    shown = json.dumps(run.record.as_dict(), default=str)
    assert "a-demo-key" not in shown
    assert "secret-path" not in shown


def test_the_hourly_run_makes_no_reports_and_the_daily_one_does(adf):
    hourly = adf.trigger("tr_hourly").fires("2026-08-12")
    assert [one.at.strftime("%H:%M") for one in hourly] == [f"{hour:02}:05" for hour in range(1, 24)]
    [daily] = adf.trigger("tr_daily").fires("2026-08-12")
    assert daily.at.strftime("%H:%M") == "00:45"
    reports = [[name for name in adf.run(one).worked if name.startswith("report_")] for one in (hourly[0], daily)]
    assert reports == [[], ["report_price_averages", "report_market_trends", "report_pipeline_health"]]


def test_the_days_of_the_past_run_one_by_one(adf):
    windows = adf.trigger("tr_backfill").fires("2026-08-01", "2026-09-01")
    assert [one.parameters["window_start"][:10] for one in windows] == [
        f"2026-08-{day:02}" for day in range(5, 12)
    ]
    live = adf.run(windows[0])
    # A live market has no past: its history is asked for instead, as far back as the window lies.
    assert live["run_with_history"].input["parameters"] == {"history_days": 2, "with_reports": False}
    other = adf.run(windows[0], global_parameters={"source": "simulated"})
    assert other["run_as_of_window"].input["parameters"] == {
        "as_of": "2026-08-06T00:00:00Z",
        "with_reports": False,
    }
