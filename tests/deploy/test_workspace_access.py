"""Whose rights code runs with: nobody but the platform group can change what runs as the pipeline's identity."""

import json

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops import cli
from coinlake_ops.deploy import deployment
from coinlake_ops.governance import workspace
from tests.support import environment
from tests.support.internet import Answer

PRINCIPALS = {role: role for role in ("platform", "engineers", "analysts", "pipeline")}


@pytest.fixture
def made(deployed, root):
    """A workspace after a whole deployment, and the application id of the pipeline's identity."""
    return deployed.fakes["workspace"], environment.clients(root).factory_application_id


def executed(fake, net) -> set[str]:
    """The paths of every notebook that the job runs, which is all that the factory starts."""
    (number, job), _ = fake.state["jobs"].items()
    factory = next(one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/factories"))
    assert factory["properties"]["globalParameters"]["databricks_job_id"]["value"] == number
    assert "DatabricksNotebook" not in json.dumps(factory["children"]["pipelines"])
    tasks = [task["notebook_task"] for task in job["settings"]["tasks"] if "notebook_task" in task]
    return {task["notebook_path"].removeprefix("/Workspace") for task in tasks}


def test_no_group_can_change_what_the_pipeline_runs(net, made):
    fake, pipeline = made
    files = executed(fake, net)
    assert len(files) == 9
    files |= {path for path in fake.state["objects"] if path.startswith("/coinlake")}
    for path in files:
        who = {name for name, levels in fake.effective(path).items() if levels & workspace.CHANGES_WHAT_RUNS}
        assert who == {"admins", environment.DEV.platform_group}, path
        assert pipeline in fake.effective(path), path


def test_no_group_can_start_it_with_other_parameters_or_on_another_machine(made):
    fake, pipeline = made
    jobs, [cluster] = [f"jobs/{number}" for number in fake.state["jobs"]], fake.state["clusters"]
    given = fake.state["permissions"]
    changing = {
        place: {who for who, level in given[place].items() if level in workspace.CHANGES_WHAT_RUNS}
        for place in (*jobs, f"clusters/{cluster}")
    }
    platform = environment.DEV.platform_group
    assert changing == {
        **{job: {"deployer@example.org", platform, pipeline} for job in jobs},
        f"clusters/{cluster}": {platform, pipeline},
    }


def test_the_jobs_run_as_the_pipeline_whoever_deploys(made):
    fake, pipeline = made
    assert [job["settings"]["run_as"] for job in fake.state["jobs"].values()] == [
        {"service_principal_name": pipeline},
        {"service_principal_name": pipeline},
    ]


def test_the_list_lets_only_the_platform_group_and_the_pipeline_change_what_runs():
    given = workspace.permissions(PRINCIPALS)
    assert given.keys() == workspace.OBJECTS.keys()
    for kind in workspace.RUNS_AS_THE_PIPELINE:
        changing = {who for who, level in given[kind].items() if level in workspace.CHANGES_WHAT_RUNS}
        assert changing <= {"platform", "pipeline"}, kind
    assert given["folder"]["pipeline"] == "CAN_READ"


def test_the_matrix_of_access_shows_the_objects_of_the_workspace(capsys):
    rows = list(workspace.matrix(PRINCIPALS, "dev"))
    assert ("engineers", "folder", ["CAN_READ"]) in rows
    assert ("engineers", "secret scope", ["READ"]) in rows
    assert ("engineers", "secret scope", ["READ"]) not in list(workspace.matrix(PRINCIPALS, "prod"))
    assert cli.main(["governance", "access", "--environment", "dev"]) == 0
    rows = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [words.split() for who, words in rows if who == "coinlake-analysts" and "CAN_" in words] == [
        ["job", "CAN_VIEW"],
        ["SQL", "warehouse", "CAN_USE"],
        ["dashboard", "CAN_READ"],
    ]


def test_a_deployer_without_the_role_on_the_identity_is_told_which(net, root):
    def refuse(request):
        if request.path.endswith("/jobs/create"):
            return Answer(403, {"error_code": "PERMISSION_DENIED", "message": "No role servicePrincipal.user."})
        return None

    net.before = refuse
    with pytest.raises(CoinlakeError, match=r"runs as adf-coinlake-dev.*needs the role Service Principal User"):
        deployment.apply(deployment.parts(environment.clients(root)), lambda _line: None)
