"""`adf-lab check`: how findings are printed, chosen and judged."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from adf_lab.cli import Project, main
from adf_support.factories import good_factory, write_factory

MAIN = "pipeline/pl_main.json"
URL = "https://learn.microsoft.com/azure/data-factory/"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A factory with an error, a warning and a note, each file over many lines, as git mode writes it."""
    monkeypatch.chdir(tmp_path)
    documents = good_factory()
    load = documents[MAIN]["properties"]["activities"][3]["typeProperties"]["activities"][0]
    load["inputs"][0]["referenceName"] = "ds_golden"
    documents[MAIN]["properties"]["activities"][0]["policy"]["timeout"] = "00:01:00"
    documents["pipeline/pl_finish.json"]["properties"]["variables"]["old"] = {"type": "String"}
    texts = {file: json.dumps(document, indent=2) for file, document in documents.items()}
    write_factory(tmp_path / "factory", texts)
    return "factory"


def line_of(file, text):
    lines = Path("factory", file).read_text().splitlines()
    [number] = [number for number, line in enumerate(lines, start=1) if text in line]
    return number


UNUSED = "nothing reads this variable: remove it."
TOO_SHORT = "00:01:00 must be between 0:10:00 and 7 days, 0:00:00."
MISSING = "there is no dataset/ds_golden.json: did you mean 'ds_gold'?"


def test_a_finding_tells_line_severity_activities_and_rule(folder, capsys):
    assert main(["check", folder, "--ignore", "not-checked"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"pipeline/pl_finish.json:{line_of('pipeline/pl_finish.json', 'old')}: note: properties.variables.old: "
        f"{UNUSED} [unused-declaration]",
        f"{MAIN}:{line_of(MAIN, '00:01:00')}: warning: get_key: policy.timeout: {TOO_SHORT} [policy-range]",
        f"{MAIN}:{line_of(MAIN, 'inputs') + 1}: error: load_tables > load_table: inputs[0]: {MISSING} "
        "[unknown-reference]",
        "11 resources, 1 error, 1 warning, 1 note",
    ]


@pytest.mark.parametrize(
    ("arguments", "rules", "code"),
    [
        ([], ["unused-declaration", "policy-range", "unknown-reference"], 1),
        (["--rule", "policy-range"], ["policy-range"], 0),
        (["--rule", "policy-range", "--fail-on", "warning"], ["policy-range"], 1),
        (["--ignore", "unknown-reference"], ["unused-declaration", "policy-range"], 0),
        (["--ignore", "unknown-reference", "--fail-on", "note"], ["unused-declaration", "policy-range"], 1),
        (["--rule", "house-name", "--fail-on", "note"], [], 0),
    ],
)
def test_rules_are_chosen_and_decide_how_the_check_ends(folder, arguments, rules, code, capsys):
    assert main(["check", folder, "--format", "json", "--ignore", "not-checked", *arguments]) == code
    assert [found["rule"] for found in json.loads(capsys.readouterr().out)["findings"]] == rules


def test_a_factory_has_settings_of_its_own(folder, tmp_path, capsys):
    (tmp_path / "factory/.adf-lab.yml").write_text(
        "fail-on: warning\nignore: [unknown-reference, not-checked]\nseverity: {unused-declaration: error}\n"
        "house-rules: true\n"
    )
    assert main(["check", folder]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "11 resources, 1 error, 1 warning, 0 notes"
    assert main(["check", folder, "--rule", "policy-range", "--fail-on", "error"]) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("fail-on: never", "factory/.adf-lab.yml: 'never' is no severity; there are: error, warning, note."),
        ("ignore: [unused-dataset]", "factory/.adf-lab.yml: 'unused-dataset' is no rule"),
        ("ignored: []", "factory/.adf-lab.yml: 'ignored' is no key: did you mean 'ignore'?"),
        ("ignore: unused-resource", "factory/.adf-lab.yml: 'ignore' must be a list of rules."),
        ("house-rules: 1", "factory/.adf-lab.yml: 'house-rules' must be true or false."),
        ("- x", "factory/.adf-lab.yml: it must hold keys and values"),
        ("a: [", "factory/.adf-lab.yml cannot be read as YAML"),
    ],
)
def test_what_is_wrong_with_the_settings_is_said(folder, tmp_path, content, message, capsys):
    (tmp_path / "factory/.adf-lab.yml").write_text(content)
    assert main(["check", folder]) == 2
    assert capsys.readouterr().err.startswith(message)


def test_an_unknown_rule_is_refused(folder, capsys):
    assert main(["check", folder, "--rule", "secrets"]) == 2
    assert capsys.readouterr().err == "'secrets' is no rule: did you mean 'secret'?\n"


def test_json_has_all_that_is_known_of_a_finding(folder, capsys):
    main(["check", folder, "--rule", "unknown-reference", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == {
        "resources": 11,
        "counts": {"error": 1, "warning": 0, "note": 0},
        "findings": [
            {
                "file": MAIN,
                "line": line_of(MAIN, "inputs") + 1,
                "activity": "load_tables > load_table",
                "path": "properties.activities[3].typeProperties.activities[0].inputs[0]",
                "rule": "unknown-reference",
                "severity": "error",
                "message": MISSING,
                "source": f"{URL}concepts-datasets-linked-services",
            }
        ],
    }


def test_sarif_names_the_rule_and_the_place(folder, capsys):
    main(["check", folder, "--rule", "policy-range", "--format", "sarif"])
    document = json.loads(capsys.readouterr().out)
    [run] = document["runs"]
    assert document["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["policy-range"]
    assert run["results"] == [
        {
            "ruleId": "policy-range",
            "ruleIndex": 0,
            "level": "warning",
            "message": {"text": f"get_key: policy.timeout: {TOO_SHORT}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": f"factory/{MAIN}"},
                        "region": {"startLine": line_of(MAIN, "00:01:00")},
                    }
                }
            ],
        }
    ]


def test_github_gets_one_annotation_for_each_finding(folder, capsys):
    main(["check", folder, "--rule", "unused-declaration", "--format", "github"])
    number = line_of("pipeline/pl_finish.json", "old")
    assert capsys.readouterr().out == (
        f"::notice file=factory/pipeline/pl_finish.json,line={number},title=unused-declaration::"
        f"properties.variables.old: {UNUSED}\n"
    )


def test_junit_fails_for_what_makes_the_check_fail(folder, capsys):
    main(["check", folder, "--format", "junit"])
    suite = ElementTree.fromstring(capsys.readouterr().out)
    assert (suite.get("tests"), suite.get("failures")) == ("11", "1")
    [failed] = [case for case in suite if case.find("failure") is not None]
    assert failed.get("name") == MAIN
    assert failed.find("failure").get("message") == f"load_tables > load_table: inputs[0]: {MISSING}"
    assert "[policy-range]" in failed.find("system-out").text


def test_a_project_with_a_house_style_fails_on_notes_of_its_own_factory(folder, tmp_path):
    (tmp_path / "factory/dataset/ds_golden.json").write_text(
        (tmp_path / "factory/dataset/ds_gold.json").read_text().replace("ds_gold", "ds_golden")
    )
    own = Project(factory=tmp_path / "factory", house_style=True)
    assert main(["check", folder], own) == 1
    assert main(["check", folder], Project(factory=tmp_path / "other", house_style=True)) == 0


def test_the_rules_are_listed(capsys):
    assert main(["rules"]) == 0
    assert (
        "secret                    error    A password, key or token stands in a file." in capsys.readouterr().out
    )
    assert main(["rules", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("# Rules of `adf-lab check`\n")
