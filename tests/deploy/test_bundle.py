"""databricks.yml: up to date, whole in itself, and the same job as the deployment makes."""

import re

import yaml

from coinlake.schema import STEPS
from coinlake_ops import parameter_files, project
from coinlake_ops.deploy import bundle
from coinlake_ops.deploy.resources import job


def test_the_file_is_what_the_data_makes():
    assert bundle.is_up_to_date(), "run coinlake deploy bundle"
    assert yaml.safe_load(bundle.text()) == bundle.document()


def test_every_variable_is_declared_and_has_a_value_in_every_target():
    document = bundle.document()
    used = set(re.findall(r"\$\{var\.(\w+)\}", str([document["resources"], document["targets"]])))
    assert used <= set(document["variables"])
    for name, target in document["targets"].items():
        assert set(target["variables"]) == set(document["variables"]) - {"warehouse_id", *bundle.PRINCIPALS}
        assert target["variables"]["catalog"] == f"coinlake_{name}"
    assert document["targets"]["dev"]["mode"] == "development"
    assert document["targets"]["prod"]["mode"] == "production"


def test_with_the_values_of_an_environment_it_is_the_job_of_the_deployment():
    document, values = bundle.document(), parameter_files.load("prod")
    [bundled] = document["resources"]["jobs"].values()
    filled = yaml.safe_load(
        re.sub(r"\$\{var\.(\w+)\}", lambda match: str(values[match[1]]), yaml.safe_dump(bundled, width=1000))
    )
    deployed = job.settings(values, project.ROOT, lambda name: f"./notebooks/{name}.ipynb")
    for task, expected in zip(filled["tasks"], deployed["tasks"], strict=True):
        del expected["notebook_task"]["source"]
        given = {name: str(value) for name, value in task["notebook_task"]["base_parameters"].items()}
        assert given.keys() == expected["notebook_task"]["base_parameters"].keys()
        assert task | {"notebook_task": ""} == expected | {"notebook_task": ""}
    assert [task["task_key"] for task in filled["tasks"]] == [*STEPS]


def test_in_development_it_is_the_developers_and_in_production_the_pipelines():
    """The CLI refuses a target in development mode whose path or identity is not the developer's own."""
    targets = bundle.document()["targets"]
    assert {"workspace", "run_as", "permissions"} & {*targets["dev"]} == set()
    assert targets["prod"]["workspace"] == {"root_path": "/Workspace/coinlake/.bundle/${bundle.target}"}
    assert targets["prod"]["run_as"] == {"service_principal_name": "${var.pipeline}"}
    assert targets["prod"]["permissions"] == [
        {"level": "CAN_MANAGE", "group_name": "${var.platform_group}"},
        {"level": "CAN_VIEW", "group_name": "${var.engineers_group}"},
        {"level": "CAN_RUN", "service_principal_name": "${var.pipeline}"},
    ]


def test_every_file_that_it_names_is_there():
    text = bundle.text()
    paths = re.findall(r"\./[\w./-]+", text)
    assert len(paths) == len(STEPS) + 2
    assert all((project.ROOT / path).exists() for path in paths)
