"""A factory in other forms: ARM templates of Data Factory and Synapse, items of Fabric."""

import json
import random

import pytest

from adf_lab import AdfLabError, check_factory, load_factory
from adf_lab.cli import main
from adf_lab.templates import documents_of
from adf_support.factories import after, good_factory

CONCAT = "[concat(parameters('factoryName'), '/{}')]"
WAIT = {"name": "wait", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 60}}


def resource(kind, name, properties, owner="Microsoft.DataFactory/factories"):
    return {
        "name": CONCAT.format(name),
        "type": f"{owner}/{kind}",
        "apiVersion": "2018-06-01",
        "properties": properties,
    }


def template(*resources, parameters=None, variables=None):
    return {
        "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#",
        "parameters": {"factoryName": {"type": "string"}, **(parameters or {})},
        "variables": {"factoryId": "[concat('Microsoft.DataFactory/factories/', parameters('factoryName'))]"}
        | (variables or {}),
        "resources": list(resources),
    }


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def exported(documents):
    """Documents of git mode as the template that the service exports."""
    kinds = {
        "pipeline": "pipelines",
        "dataset": "datasets",
        "linkedService": "linkedServices",
        "trigger": "triggers",
    }
    found = []
    for file, document in documents.items():
        folder, _, name = file.removesuffix(".json").partition("/")
        if folder in kinds:
            found.append(resource(kinds[folder], name, document["properties"]))
        elif folder == "factory":
            found.append({"name": "[parameters('factoryName')]", "type": "Microsoft.DataFactory/factories",
                          "properties": document["properties"]})  # fmt: skip
    return template(*found, parameters={"factoryName": {"type": "string", "defaultValue": "adf_test"}})


def test_an_exported_template_is_the_factory_that_it_was_made_from(tmp_path):
    documents = good_factory()
    path = write(tmp_path / "ARMTemplateForFactory.json", exported(documents))
    for root in (path, tmp_path):
        factory = load_factory(root)
        assert {one.file: one.properties for one in factory.all_resources} == {
            file: document["properties"] for file, document in documents.items()
        }
        assert factory.name == "adf_test"
        assert [one.rule for one in check_factory(factory)] == ["not-checked"]  # notebooks


def test_expressions_are_evaluated_where_their_values_are_known(tmp_path):
    properties = {
        "type": "AzureSqlDatabase",
        "typeProperties": {
            "server": "[parameters('server')]",
            "database": "[concat(variables('prefix'), '_', parameters('stage'), '''s')]",
            "connectionString": "[parameters('secret')]",
            "table": "[[dbo].[t]",
            "odd": [
                "[resourceGroup().location]",
                "[concat(",
                "[]",
                "[parameters('server') parameters('server')]",
                "@a[0]",
            ],
            "list": "[parameters('list')]",
        },
    }
    parameters = {
        "server": {"type": "string", "defaultValue": "overruled"},
        "stage": {"type": "string", "defaultValue": "dev"},
        "secret": {"type": "secureString"},
        "list": {"type": "array", "defaultValue": [1, "[parameters('stage')]"]},
    }
    content = template(
        resource("linkedServices", "ls", properties),
        parameters=parameters,
        variables={"prefix": "[parameters('stage')]"},
    )
    write(tmp_path / "ARMTemplateForFactory.json", content)
    values = {"parameters": {"server": {"value": "sql.invalid"}, "factoryName": {"value": "adf"}}}
    write(tmp_path / "ARMTemplateParametersForFactory.json", values)
    assert documents_of(tmp_path)["linkedService/ls.json"]["properties"]["typeProperties"] == {
        "server": "sql.invalid",
        "database": "dev_dev's",
        "connectionString": "[parameters('secret')]",
        "table": "[dbo].[t]",
        "odd": [
            "[resourceGroup().location]",
            "[concat(",
            "[]",
            "[parameters('server') parameters('server')]",
            "@a[0]",
        ],
        "list": [1, "dev"],
    }


def test_parameters_that_refer_to_themselves_end(tmp_path):
    content = template(
        resource("datasets", "ds", {"type": "[variables('a')]"}), variables={"a": "[variables('a')]"}
    )
    assert documents_of(write(tmp_path / "t.json", content)) == {
        "dataset/ds.json": {"name": "ds", "properties": {"type": "[variables('a')]"}}
    }


def test_linked_and_nested_templates_are_read(tmp_path):
    inner = template(resource("pipelines", "pl_in", {"activities": [WAIT]}))
    master = template(
        {"type": "Microsoft.Resources/deployments", "name": "in", "properties": {"template": inner}},
        {
            "type": "Microsoft.Resources/deployments",
            "name": "far",
            "properties": {"templateLink": {"uri": "[concat(parameters('uri'), '/ArmTemplate_0.json')]"}},
        },
    )
    write(tmp_path / "ArmTemplate_0.json", template(resource("triggers", "tr", {"type": "ScheduleTrigger"})))
    assert list(documents_of(write(tmp_path / "ArmTemplate_master.json", master))) == [
        "pipeline/pl_in.json",
        "trigger/tr.json",
    ]


def test_a_synapse_workspace_is_read_and_run(tmp_path, capsys):
    owner = "Microsoft.Synapse/workspaces"
    notebook = {"name": "book", "type": "SynapseNotebook", "dependsOn": [after("wait")], "typeProperties": {}}
    content = template(
        resource("pipelines", "Pipeline 1", {"activities": [WAIT, notebook]}, owner),
        resource("notebooks", "book", {"cells": []}, owner),
        resource("bigDataPools", "pool", {}, owner),
    )
    write(tmp_path / "TemplateForWorkspace.json", content)
    script = write(tmp_path / "script.json", "{}")
    assert main(["run", "Pipeline 1", "--folder", str(tmp_path), "--script", str(script)]) == 0
    assert "  book (SynapseNotebook)  Succeeded  0.0 s" in capsys.readouterr().out


def test_pipelines_of_fabric_are_read_and_run(tmp_path, capsys):
    notebook = {"name": "book", "type": "TridentNotebook", "dependsOn": [after("wait")], "typeProperties": {}}
    write(
        tmp_path / "work/pl.DataPipeline/pipeline-content.json", {"properties": {"activities": [WAIT, notebook]}}
    )
    write(tmp_path / "work/other.DataPipeline/pipeline-content.json", {"activities": [WAIT]})
    script = write(tmp_path / "script.json", "{}")
    assert list(load_factory(tmp_path).pipelines) == ["other", "pl"]
    assert main(["run", "pl", "--folder", str(tmp_path), "--script", str(script)]) == 0
    assert "  book (TridentNotebook)  Succeeded  0.0 s" in capsys.readouterr().out


def test_of_a_pipeline_of_fabric_is_checked_what_it_has_in_common_with_data_factory(tmp_path, capsys):
    request = {"method": "GET", "relativeUrl": "@concat(pipeline().parameters.x, '/a')"}
    call = {"name": "ask", "type": "WebActivity", "externalReferences": {}, "typeProperties": request}
    child = {"referenceName": "f2a51fa4-bd34-4b81-86a5-9c88a446415f", "type": "PipelineReference"}
    invoke = {
        "name": "call",
        "type": "ExecutePipeline",
        "dependsOn": [after("asks")],
        "typeProperties": {"pipeline": child},
    }
    write(tmp_path / "work/pl.DataPipeline/pipeline-content.json", {"properties": {"activities": [call, invoke]}})
    assert main(["check", str(tmp_path)]) == 1
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()[:-1]] == [
        "note: properties.activities: not checked: of a pipeline of Fabric only names, flow, expressions and "
        "secrets are looked at. [not-checked]",
        "error: ask: typeProperties.relativeUrl: there is no parameter 'x' (there are: none): declare it. "
        "[unknown-parameter]",
        "error: call: dependsOn[0]: 'asks' is not an activity beside this one: did you mean 'ask'? "
        "[unknown-dependency]",
    ]


def test_findings_name_the_file_that_git_mode_would_have(tmp_path, capsys):
    documents = good_factory()
    documents["pipeline/pl_finish.json"]["properties"]["activities"][0]["typeProperties"]["variableName"] = "txt"
    path = write(tmp_path / "arm.json", exported(documents))
    assert main(["check", str(path), "--rule", "unknown-variable"]) == 1
    assert capsys.readouterr().out.splitlines()[0].startswith("pipeline/pl_finish.json:")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds no object"),
        ('{"parameters": {}}', "has no resources"),
        ('{"resources": []}', "has no resource of a data factory"),
        ("[" * 99_999, "cannot be read as JSON"),
        (
            json.dumps(template(resource("datasets", "ds", {"a": 0}))).replace("0}", "[" * 700 + "]" * 700 + "}"),
            "too deep",
        ),
    ],
)
def test_what_is_no_template_is_refused(tmp_path, content, message):
    with pytest.raises(AdfLabError, match=message):
        load_factory(write(tmp_path / "t.json", content))


def test_no_template_gives_a_traceback(tmp_path):
    """Values of a template are exchanged at random; it is read or refused."""
    chance = random.Random(5)
    odd = [None, 1, "", "[", "[[", "[concat(", "[x('", [], {}, [[]], {"a": None}, "../x", True]

    def broken(value):
        if chance.random() < 0.05:
            return chance.choice(odd)
        if isinstance(value, dict):
            return {key: broken(member) for key, member in value.items()}
        return [broken(item) for item in value] if isinstance(value, list) else value

    whole = exported(good_factory())
    path = tmp_path / "t.json"
    for _ in range(300):
        path.write_text(json.dumps(broken(whole)))
        try:
            factory = load_factory(path)
        except AdfLabError:
            continue
        assert all(one.file.count("/") == 1 for one in factory.all_resources)
        list(check_factory(factory))
