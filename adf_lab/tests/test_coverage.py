"""What the tests of a factory have seen: activities, branches, outcomes; as a table and from several processes."""

import json

import pytest

from adf_lab import load_factory
from adf_lab.testing import Coverage, FactoryUnderTest, failed, succeeded
from adf_support.factories import after, expression, write_factory


def copy(name, *dependencies, **more):
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": {}, **more}


CHOICE = {
    "name": "choice",
    "type": "Switch",
    "dependsOn": [after("load")],
    "typeProperties": {
        "on": expression("@pipeline().parameters.kind"),
        "cases": [{"value": "a", "activities": [copy("of_a")]}, {"value": "b"}],
        "defaultActivities": [copy("of_default", policy={"retry": 1})],
    },
}
CONDITION = {
    "name": "condition",
    "type": "IfCondition",
    "dependsOn": [after("choice", "Failed")],
    "typeProperties": {
        "expression": expression("@equals(pipeline().parameters.kind, 'a')"),
        "ifTrueActivities": [
            {"name": "stop", "type": "Fail", "typeProperties": {"message": "m", "errorCode": "E"}}
        ],
    },
}
NOTE = {
    "name": "note",
    "type": "SetVariable",
    "typeProperties": {"variableName": "v", "value": "x"},
}
OFF = copy("off", state="Inactive")
DOCUMENTS = {
    "pipeline/pl.json": {
        "properties": {
            "parameters": {"kind": {"type": "string", "defaultValue": "a"}},
            "variables": {"v": {"type": "String"}},
            "activities": [copy("load"), CHOICE, CONDITION, NOTE, OFF],
        }
    },
    "pipeline/empty.json": {"properties": {}},
}
POINTS = [
    "pl: load has never run",
    "pl: load was never Succeeded",
    "pl: load was never Failed",
    "pl: choice has never run",
    "pl: choice has never chosen 'a'",
    "pl: choice has never chosen 'b'",
    "pl: choice has never chosen the default",
    "pl: choice was never Succeeded",
    "pl: choice was never Failed",
    "pl: choice was never Skipped",
    "pl: of_default has never run",
    "pl: of_default was never Succeeded",
    "pl: of_default was never Failed",
    "pl: of_default was never Succeeded after a retry",
    "pl: of_default was never Failed after a retry",
    "pl: of_a has never run",
    "pl: of_a was never Succeeded",
    "pl: of_a was never Failed",
    "pl: condition has never run",
    "pl: condition has never chosen true",
    "pl: condition has never chosen false",
    "pl: condition was never Succeeded",
    "pl: condition was never Failed",
    "pl: condition was never Skipped",
    "pl: stop has never run",
    "pl: stop was never Failed",
    "pl: note has never run",
    "pl: note was never Succeeded",
]


@pytest.fixture
def adf(tmp_path):
    return FactoryUnderTest(write_factory(tmp_path / "factory", DOCUMENTS))


def missing(coverage):
    return [str(point) for point in coverage.missing()]


def test_at_first_nothing_is_seen(adf):
    assert missing(adf.coverage) == POINTS
    assert adf.coverage.percent() == 0


def test_a_run_sees_what_it_comes_by(adf):
    adf.run("pl")
    seen = ["load has never", "load was never S", "choice has never run", "chosen 'a'", "choice was never Su"]
    seen += ["of_a has", "of_a was never S", "condition was never Sk", "note "]
    assert missing(adf.coverage) == [point for point in POINTS if not any(part in point for part in seen)]


def test_of_what_never_ran_nothing_else_is_told(tmp_path):
    idle = {"pipeline/idle.json": DOCUMENTS["pipeline/pl.json"] | {"name": "idle"}}
    adf = FactoryUnderTest(write_factory(tmp_path, DOCUMENTS | idle))
    adf.run("pl")
    told = adf.coverage.told()
    assert told[0] == "idle has never run"
    assert [line for line in told if "of_default" in line] == ["pl: of_default has never run"]
    assert "pl: load was never Failed" in told
    assert set(told[1:]) < set(missing(adf.coverage))


def test_all_can_be_seen(adf):
    adf.run("pl", answers={"load": failed()})
    adf.run("pl", answers={"of_a": failed()})
    for kind in ("a", "b", "c"):
        adf.run("pl", {"kind": kind})
    adf.run("pl", {"kind": "c"}, answers={"of_default": [failed(), succeeded()]})
    adf.run("pl", {"kind": "c"}, answers={"of_default": [failed(), failed()]})
    assert missing(adf.coverage) == []
    assert adf.coverage.percent() == 100


def test_the_table_counts_and_rounds_down(adf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    adf.run("pl")
    assert adf.coverage.table() == [
        "factory",
        "pipeline       activities    branches    outcomes   seen",
        "pl                    4/7         1/5        5/16   35 %",
        "all pipelines         4/7         1/5        5/16   35 %",
    ]


def test_what_other_processes_have_seen_is_added(adf):
    factory, whole = adf.factory, Coverage()
    adf.run("pl", answers={"load": failed()})
    second = FactoryUnderTest(factory.root)
    second.run("pl", {"kind": "b"})
    for coverage in (adf.coverage, second.coverage):
        whole.merge(json.loads(json.dumps(coverage.as_dict())))
    both = set(missing(adf.coverage)) & set(missing(second.coverage))
    assert missing(whole) == [point for point in POINTS if point in both]
    assert len(both) < len(missing(adf.coverage))


def test_a_secured_choice_tells_no_branch(tmp_path):
    documents = json.loads(json.dumps(DOCUMENTS))
    documents["pipeline/pl.json"]["properties"]["parameters"]["kind"]["type"] = "SecureString"
    adf = FactoryUnderTest(write_factory(tmp_path, documents))
    adf.run("pl")
    assert "pl: choice has never chosen 'a'" in missing(adf.coverage)
    assert "pl: of_a has never run" not in missing(adf.coverage)


def test_a_pipeline_that_cannot_run_counts_for_nothing(tmp_path):
    broken = {"properties": {"activities": [{"type": "Copy"}]}}
    adf = FactoryUnderTest(write_factory(tmp_path, DOCUMENTS | {"pipeline/broken.json": broken}))
    adf.run("pl")
    assert {point.pipeline for point in adf.coverage.missing()} == {"pl"}


def test_a_factory_without_activities_is_wholly_seen(tmp_path):
    factory = load_factory(write_factory(tmp_path, {"pipeline/pl.json": {"properties": {}}}))
    coverage = Coverage()
    coverage.add_factory(factory)
    assert (coverage.percent(), coverage.table()[-1].split()) == (100, ["all", "pipelines", "-", "-", "-", "-"])
