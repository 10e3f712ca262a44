"""What the pipelines do with what their activities answer."""

import json

import pytest

from adf_lab.testing import failed

NIGHT = {"ingest_with": "copy", "load_with": "copy", "with_reports": False}


def given_to_the_job(run):
    [job] = run.called("run_notebooks")
    return job.type_properties["jobParameters"]


def test_a_run_starts_one_job_and_gives_back_by_what_its_records_are_found(adf):
    run = adf.run("pl_main", global_parameters={"lake_path": "/Volumes/x/lake", "databricks_job_id": "7"})
    assert run.status == "Succeeded"
    assert run.worked == ["ping", "run_notebooks"]
    assert run.return_value == {"run_id": "20260812T142200Z-00000000"}
    [job] = run.called("run_notebooks")
    assert job.type_properties["jobId"] == "7"
    given = given_to_the_job(run)
    assert (given["run_id"], given["lake_path"]) == ("20260812T142200Z-00000000", "/Volumes/x/lake")
    assert all(isinstance(text, str) for text in given.values())


def test_what_is_given_to_a_run_goes_before_the_environments_own(adf):
    own = given_to_the_job(adf.run("pl_main"))
    assert (own["source"], own["as_of"], own["history_days"], own["tape_path"]) == ("live", "", "365", "")
    run = adf.run("pl_main", {"as_of": "+1h", "history_days": 9}, global_parameters={"source": "simulated"})
    told = given_to_the_job(run)
    assert (told["source"], told["as_of"], told["history_days"]) == ("simulated", "+1h", "9")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, ("true", "true", "true")),
        ({"with_reports": False}, ("false", "true", "false")),
        ({"load_with": "copy"}, ("false", "false", "true")),
        (NIGHT, ("false", "false", "false")),
    ],
)
def test_the_job_is_told_what_the_factory_does_itself_and_what_nobody_wants(adf, given, wanted):
    told = given_to_the_job(adf.run("pl_main", given))
    assert tuple(told[name] for name in ("with_setup", "with_load", "with_reports")) == wanted


def test_a_job_that_fails_is_told_once_in_its_own_words(adf):
    run = adf.run("pl_main", NIGHT, answers={"run_notebooks": failed("04_build_gold, cell 13: no space left")})
    assert (run.status, run["load"].status, run.called("delete_copies")) == ("Failed", "Skipped", [])
    [alert] = run.called("alert")
    assert alert.type_properties["url"] == "https://alerts.invalid/secret-path"
    assert alert.type_properties["body"]["message"] == "04_build_gold, cell 13: no space left"
    assert run["stop"].error["errorCode"] == "PipelineFailed"


def test_copies_are_taken_over_as_a_tape(adf):
    run = adf.run("pl_main", NIGHT)
    copies = [call for call in run.calls if call.name in ("copy_pages", "copy_once")]
    sources = adf.factory.pipelines["pl_ingest"]["properties"]["parameters"]["sources"]["defaultValue"]
    assert len(copies) == len(sources)
    given = given_to_the_job(run)
    assert (given["source"], given["as_of"]) == ("replay", "")
    assert given["tape_path"].endswith("/lake/copied/20260812T142200Z-00000000")
    tables = adf.factory.pipelines["pl_load_sql"]["properties"]["parameters"]["tables"]["defaultValue"]
    staged = [call.outputs[0]["parameters"]["table"] for call in run.called("copy_table")]
    assert staged == [table["sink"]["table"] for table in tables]
    assert run["load_copies"].output["pipelineReturnValue"] == {"loaded_rows": 4_711}
    [removed] = run.called("delete_copies")
    assert removed.type_properties["dataset"]["parameters"]["folder"] == "copied/20260812T142200Z-00000000"


def test_no_secret_stands_in_the_monitor(adf):
    run = adf.run("pl_main", NIGHT, answers={"run_notebooks": failed("no space left")})
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
    told = [given_to_the_job(adf.run(one)) for one in (hourly[0], daily)]
    assert [(one["with_setup"], one["with_reports"]) for one in told] == [("false", "false"), ("true", "true")]


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
