"""The record of a run, and its page."""

import json

import pytest

from adf_lab import AdfLabError, monitor
from adf_lab.testing import failed
from coinlake.reports.page.page import plotly_js
from coinlake_ops.factory import FACTORY, monitor_page


@pytest.fixture(scope="module")
def adf(load_adf):
    adf = load_adf(FACTORY)
    adf.script, adf.now = "tests/answers.json", "2026-08-12T14:22:00Z"
    return adf


@pytest.fixture(scope="module")
def red(adf, tmp_path_factory):
    """The lake and the record of a run whose gold is broken, with copies and a key."""
    given = {"ingest_with": "copy", "load_with": "copy"}
    run = adf.run("pl_main", given, answers={"gold": failed("no space left")})
    lake = tmp_path_factory.mktemp("lake")
    return lake, json.loads(monitor.keep(run.record, lake).read_text())


def test_a_record_is_kept_listed_and_found(red):
    lake, record = red
    assert monitor.runs(lake) == [record]
    assert monitor.find(lake, record["runId"][:8]) == monitor.find(lake, "last") == record
    listed = list(monitor.listing([record]))[1]
    assert listed.startswith("2026-08-12 14:22:00  Failed ")
    assert listed.endswith(record["runId"])
    with pytest.raises(AdfLabError, match="No run in"):
        monitor.find(lake, "nothing")


def test_the_tree_shows_status_attempts_and_error(red):
    lines = list(monitor.tree(red[1]))
    assert lines[0].startswith("pl_main  Failed  ")
    [gold] = [line for line in lines if line.strip().startswith("gold ")]
    assert gold.startswith("    gold (DatabricksNotebook)  Failed  14:")
    assert gold.endswith("2 attempts  no space left")
    assert "  load (ExecutePipeline)  Skipped" in lines
    assert any(line.strip().startswith("copy_once [3] (Copy)  Succeeded") for line in lines)


def test_no_secret_is_in_the_record_or_on_the_page(red):
    text = json.dumps(red[1]) + monitor_page.report(red[1]).html()
    assert "a-demo-key" not in text
    assert "secret-path" not in text
    assert "*** secured ***" in text


def test_the_page_is_one_file_that_asks_for_nothing(red, tmp_path):
    page = monitor_page.write(red[1], tmp_path)
    text = page.read_text()
    assert page.name == f"{red[1]['runId']}.html"
    assert "default-src 'none'" in text
    assert plotly_js() in text
    assert "pl_main › refine › pl_medallion › gold: no space left" in text


def test_the_timeline_has_a_bar_for_each_activity_that_ran(red):
    instant = {"SetVariable", "AppendVariable"}
    ran = [
        row
        for row in monitor.rows(red[1])
        if row.record["status"] != "Skipped" and row.record["activityType"] not in instant
    ]
    figure = monitor_page.report(red[1]).sections["timeline"].figure
    [bars] = figure["data"]
    labels = figure["layout"]["annotations"]
    names = [label["text"] for label in labels]
    assert names == [row.name for row in ran]
    indents = [label["xshift"] - labels[0]["xshift"] for label in labels]
    assert indents == [monitor_page.STEP * row.depth for row in ran]
    gold = names.index("gold")
    assert (bars["x"][gold], bars["customdata"][gold][:3]) == (60.0, ["gold", "DatabricksNotebook", "Failed"])
    assert len(bars["base"]) == len(bars["x"]) == len(ran)


def test_the_page_of_a_good_run_says_so(adf):
    record = adf.run("pl_medallion", {"run_id": "r"}).record
    report = monitor_page.report(json.loads(json.dumps(record.as_dict())))
    assert (report.banner.state, report.headline[:22]) == ("fresh", "pl_medallion succeeded")
