"""databricks.yml: up to date, whole in itself, and the same job as the deployment makes."""

import json
import re

import pytest
import yaml
from databricks.sdk.service.jobs import JobSettings

from coinlake.schema import STEPS
from coinlake_ops import databricks_job, parameter_files, project
from coinlake_ops.deploy import bundle
from coinlake_ops.deploy.pruning import pruned


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


def test_with_the_values_of_an_environment_they_are_the_jobs_of_the_deployment():
    document, values = bundle.document(), parameter_files.load("prod")
    text = json.dumps(document["resources"]["jobs"]).replace("${resources.jobs.coinlake.id}", "7")
    filled = json.loads(re.sub(r"\$\{var\.(\w+)\}", lambda match: str(values[match[1]]), text))
    deployed = databricks_job.settings(values, project.ROOT, lambda name: f"./notebooks/{name}.ipynb")
    for task in deployed["tasks"]:
        task.get("notebook_task", {}).pop("source", None)
    assert filled == {"coinlake": deployed, "coinlake_minutes": databricks_job.minutes(values, "7", running=False)}
    assert [task["task_key"] for task in deployed["tasks"] if "notebook_task" in task] == [*STEPS]


@pytest.mark.parametrize("name", ["coinlake", "coinlake_minutes"])
def test_the_types_of_the_sdk_lose_nothing_of_it(name):
    text = json.dumps(bundle.document()["resources"]["jobs"][name])
    job = json.loads(text.replace('"${resources.jobs.coinlake.id}"', "7"))
    assert JobSettings.from_dict(job).as_dict() == pruned(job)


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
