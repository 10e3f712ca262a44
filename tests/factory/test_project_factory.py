"""The project's own factory: without a finding, in its variants too, and true to parameters/ and its picture."""

import re
import shutil
from dataclasses import replace

import pytest

from adf_lab import check_factory, diagram, load_factory
from adf_support.factories import write_factory
from coinlake import sources
from coinlake.api import COINGECKO
from coinlake.parameters import OF_A_JOB, PARAMETERS
from coinlake_ops import environment as environments
from coinlake_ops.factory import FACTORY, NOTEBOOKS, parameters
from coinlake_ops.project import ROOT
from tests.support.pipelines import activities


@pytest.fixture(scope="module")
def factory():
    return load_factory(FACTORY)


def test_the_checker_finds_nothing(factory):
    assert [str(finding) for finding in check_factory(factory, NOTEBOOKS, house_style=True)] == []


def test_the_checker_finds_nothing_in_the_variants(tmp_path):
    folder = shutil.copytree(FACTORY, tmp_path / "adf")
    shutil.copytree(folder / "variants", folder, dirs_exist_ok=True)
    assert [str(found) for found in check_factory(load_factory(folder), NOTEBOOKS, house_style=True)] == []


def test_a_broken_expression_is_found(tmp_path):
    folder = shutil.copytree(FACTORY, tmp_path / "adf")
    file = folder / "pipeline/pl_main.json"
    file.write_text(file.read_text().replace("activity('ingest').output", "activity('ingested').output"))
    findings = [str(finding) for finding in check_factory(load_factory(folder), NOTEBOOKS)]
    assert len(findings) == 1
    assert "the pipeline has no activity 'ingested': did you mean 'ingest'?" in findings[0]


def test_the_job_is_started_with_each_of_its_parameters_and_no_other(factory, tmp_path):
    [job] = [activity for _, activity in activities(factory) if activity["type"] == parameters.JOB]
    assert job["typeProperties"]["jobParameters"].keys() == {*PARAMETERS, *OF_A_JOB}
    folder = shutil.copytree(FACTORY, tmp_path / "adf")
    file = folder / "pipeline/pl_main.json"
    file.write_text(file.read_text().replace('"with_load": {', '"with_loads": {'))
    place = "pipeline/pl_main.json: properties.activities[3].typeProperties.jobParameters of 'run_notebooks'"
    assert parameters.disagreements(load_factory(folder)) == [
        f"{place}: with_load: pass it",
        f"{place}: with_loads: the job has no such parameter",
    ]


def test_the_list_of_what_is_copied_has_every_source(factory):
    listed = factory.pipelines["pl_ingest"]["properties"]["parameters"]["sources"]["defaultValue"]
    assert {entry["sink"]["endpoint"] for entry in listed} == set(sources.SOURCES)
    patterns = {list: "arrayOfObjects", dict: "setOfObjects"}
    for entry in listed:
        endpoint = sources.endpoint_of(entry["sink"]["endpoint"])
        root = entry["source"]["base_url"].replace("{coingecko}", f"{COINGECKO}/")
        assert root == f"{endpoint.root}/", entry["name"]
        assert entry["sink"]["file_pattern"] == patterns[endpoint.shape], entry["name"]


def test_every_activity_says_why_and_how_long(factory):
    for pipeline, activity in activities(factory):
        place = f"{pipeline}: {activity['name']}"
        assert activity["description"].endswith("."), place
        if activity["type"] in ("WebActivity", "Copy", "DatabricksJob", "Delete", "Lookup"):
            assert {"timeout", "retry"} <= activity["policy"].keys(), place


def test_triggers_are_stopped(factory):
    triggers = factory.resources["trigger"].values()
    assert {trigger.properties["runtimeState"] for trigger in triggers} == {"Stopped"}


# --- global parameters -----------------------------------------------------------------------------------


def test_global_parameters_agree(factory):
    assert parameters.disagreements(factory) == []


def test_a_disagreement_is_found_and_mended(tmp_path):
    document = parameters.factory_document()
    values = document["properties"]["globalParameters"]
    values["coins"]["value"] = 7
    values["old"] = {"type": "string", "value": "x"}
    del values["plan"]
    file = f"factory/{document['name']}.json"
    root = write_factory(tmp_path, {file: document})
    command = "coinlake factory parameters"
    assert parameters.disagreements(load_factory(root)) == [
        f"{file}: 'coins' is 7, but dev has 250: {command}",
        f"{file}: 'old' is \"x\", but dev has missing: {command}",
        f"{file}: 'plan' is missing, but dev has \"demo\": {command}",
    ]
    parameters.write(root)
    assert parameters.disagreements(load_factory(root)) == []


def test_the_document_is_called_like_the_users_own_factory_and_any_name_agrees(tmp_path, monkeypatch):
    mine = replace(environments.read("dev", placeholders=True), factory="adf-mine", sql_server="sql-mine")
    root = write_factory(
        tmp_path, {"factory/adf-other.json": parameters.factory_document() | {"name": "adf-other"}}
    )
    monkeypatch.setattr(environments, "read", lambda *_, **__: mine)
    assert parameters.disagreements(load_factory(root)) == []
    assert parameters.write(root) == root / "factory/adf-mine.json"
    assert [path.name for path in (root / "factory").iterdir()] == ["adf-mine.json"]
    held = load_factory(root).resources["factory"]["adf-mine"].properties["globalParameters"]
    assert held["sql_server"]["value"] == "sql-mine.database.windows.net"
    assert parameters.disagreements(load_factory(root)) == []


def test_environments_that_differ_in_names_or_types_are_found(tmp_path, monkeypatch, factory):
    addresses = tmp_path / "addresses.yml"
    texts = parameters.ADDRESSES.read_text().split("prod:")
    wrong = (
        texts[1]
        .replace("databricks_job_id", "job")
        .replace("storage_account: stcoinlakeprod", "storage_account: 5")
    )
    addresses.write_text(f"{texts[0]}prod:{wrong}")
    monkeypatch.setattr(parameters, "ADDRESSES", addresses)
    assert parameters.disagreements(factory) == [
        "'databricks_job_id' is not in both prod and dev: correct addresses.yml.",
        "'job' is not in both prod and dev: correct addresses.yml.",
        "'storage_account' is int in prod and string in dev: write both alike.",
    ]


def test_nothing_of_a_run_is_a_global_parameter(factory):
    assert not {"run_id", "as_of"} & factory.global_parameters.keys()


# --- the picture -----------------------------------------------------------------------------------------


def test_the_diagram_in_the_readme_is_that_of_the_factory(factory):
    text = (FACTORY / "README.md").read_text(encoding="utf-8")
    assert diagram.put_into(text, diagram.mermaid(factory)) == text
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    assert diagram.put_into(front, diagram.overview(factory)) == front
    assert len(diagram.MARKS.findall(text)) == len(diagram.MARKS.findall(front)) == 1


def test_the_diagram_names_all_work_once_and_leads_through_the_rest(factory):
    text = diagram.mermaid(factory)
    for pipeline, activity in activities(factory):
        boxes = re.findall(rf"^    {pipeline}__{activity['name']}[\[{{(]", text, re.MULTILINE)
        assert len(boxes) == (activity["type"] not in diagram.HIDDEN)
    assert "  tr_daily ==> pl_main" in text
    assert "  pl_main__ingest ==> pl_ingest" in text
    assert "  pl_main__load -. failed or skipped .-> pl_main__get_alert_url" in text
