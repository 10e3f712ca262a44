"""The record of a run of the project's own factory, and its page."""

import json
from datetime import UTC, datetime

import pytest

from adf_lab import AdfLabError, monitor, pages
from adf_lab.testing import failed
from coinlake_ops.factory import FACTORY

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def adf(load_adf):
    adf = load_adf(FACTORY)
    adf.script, adf.now = "tests/answers.json", "2026-08-12T14:22:00Z"
    return adf


@pytest.fixture(scope="module")
def red(adf, tmp_path_factory):
    """The lake and the record of a run whose job fails, with copies and a key."""
    given = {"ingest_with": "copy", "load_with": "copy"}
    run = adf.run("pl_main", given, answers={"run_notebooks": failed("no space left")})
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
    [job] = [line for line in lines if line.strip().startswith("run_notebooks ")]
    assert job.startswith("  run_notebooks (DatabricksJob)  Failed  14:")
    assert job.endswith("  no space left")
    assert "  load (IfCondition)  Skipped" in lines
    assert any(line.strip().startswith("copy_once [3] (Copy)  Succeeded") for line in lines)


def test_no_secret_is_in_the_record_or_on_the_page(red):
    text = json.dumps(red[1]) + pages.run_page(red[1], START)
    assert "a-demo-key" not in text
    assert "secret-path" not in text
    assert "*** secured ***" in text


def test_the_pages_lead_with_what_failed_first(red):
    lake, record = red
    index = pages.write_pages(lake, program="coinlake factory", now=START)
    for page in (index, lake / pages.page_of(record["runId"])):
        text = page.read_text()
        assert text.index("pl_main › run_notebooks") < text.index("no space left")
        assert f"coinlake factory rerun {record['runId']} --from-failed" in text
        assert len(text) < 300_000
