"""What an identity that may only read is shown, and the run that proves a deployment."""

import re

import pytest

from coinlake.errors import CoinlakeError, WarehouseError
from coinlake_ops import cli
from coinlake_ops.deploy import deployment, smoke
from coinlake_ops.deploy.database import Database
from coinlake_ops.deploy.needed import NotAllowed
from tests.support import environment, fake_factory
from tests.support.internet import Answer

UNSEEN = ("compute", "secrets", "governance", "notebooks", "job", "dashboard", "alerts", "factory")
READER = [{"actions": ["*/read"], "notActions": []}]


def parts(root, *only):
    return deployment.parts(environment.clients(root), only)


def reading_only(net):
    """A reader of the resource group, whom neither the vault nor the workspace know."""
    net.fakes["arm"].permissions = READER

    def refuse(request):
        if request.host.endswith("vault.azure.net") and "Authorization" in request.headers:
            return Answer(403, {"error": {"code": "Forbidden", "message": "Caller is not authorized."}})
        if request.host.startswith("adb-"):
            return Answer(403, {"error_code": "PERMISSION_DENIED", "message": "User not authorized."})
        return None

    net.before = refuse


def test_a_readers_plan_shows_what_it_sees_and_says_what_it_does_not(deployed, root):
    net = deployed
    reading_only(net)
    next(one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/vaults"))["tags"] = {}
    lines = []
    found = deployment.plan(parts(root), lines.append)
    text = "\n".join(lines)
    assert found.changes == 1
    assert found.unseen == (
        "compute",
        "secrets",
        "governance",
        "notebooks",
        "job",
        "dashboard",
        "alerts",
        "factory",
    )
    assert "~ Microsoft.KeyVault/vaults kv-coinlake-dev: tags.project: None -> 'coinlake'" in text
    assert "note: an apply would lack the right Microsoft.Resources/deployments/write" in text
    assert "not seen: compute, comparing: a right is missing in Databricks" in text


def test_an_apply_ends_where_a_right_is_missing(net, root):
    deployment.apply(parts(root, "resources", "compute"), lambda _line: None)
    reading_only(net)
    with pytest.raises(NotAllowed, match="compute, comparing: a right is missing in Databricks"):
        deployment.apply(parts(root), lambda _line: None)


@pytest.mark.parametrize(
    ("said", "kind"), [("Login failed for user.", NotAllowed), ("It is on fire.", WarehouseError)]
)
def test_a_database_that_does_not_let_in_is_not_seen(said, kind):
    class Closed:
        def attempt(self, work):
            raise WarehouseError(said)

    with pytest.raises(kind, match=re.escape(said)):
        Database(Closed()).waiting()


@pytest.fixture
def command(net, root, monkeypatch, capsys):
    monkeypatch.setattr("coinlake_ops.deploy.Clients", lambda *_: environment.clients(root))
    monkeypatch.setattr("coinlake_ops.environment.load", lambda _name: (environment.DEV, environment.VALUES))

    def call(*words):
        return cli.main(["deploy", *words, "--environment", "dev"]), capsys.readouterr()

    return call


def test_a_checked_plan_fails_while_anything_would_change_or_is_unseen(net, root, command):
    assert command("plan")[0] == 0
    assert command("plan", "--check")[0] == 1
    deployment.apply(parts(root), lambda _line: None)
    assert command("plan", "--check")[0] == 0
    reading_only(net)
    code, printed = command("plan", "--check")
    assert code == 1
    assert printed.out.endswith(
        "0 changes. Apply them: coinlake deploy apply --environment dev\n"
        f"Not seen, for want of a right: {', '.join(UNSEEN)}.\n"
    )


def test_a_smoke_run_waits_for_the_main_pipeline(deployed, command):
    code, printed = command("smoke")
    assert (code, printed.out) == (
        0,
        "pl_main has begun in adf-coinlake-dev: run run-1\npl_main succeeded after 10 minutes.\n",
    )


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["InProgress", "Failed"], "run-1 of pl_main is Failed: Operation on target ingest failed. Open it"),
        (["Cancelled"], "run-1 of pl_main is Cancelled: no reason given"),
        (["InProgress"], "run-1 of pl_main is InProgress"),
    ],
)
def test_a_smoke_run_that_does_not_succeed_fails_with_the_factorys_words(
    deployed, root, monkeypatch, states, said
):
    monkeypatch.setattr(fake_factory, "RUN", states)
    with pytest.raises(CoinlakeError, match=re.escape(said)):
        smoke.run(environment.clients(root), lambda _line: None)


def test_a_smoke_run_that_fails_names_the_notebooks_of_the_newest_run(deployed, root, monkeypatch):
    workspace = deployed.fakes["workspace"].state
    number = next(iter(workspace["jobs"].values()))["job_id"]

    def run(**states):
        tasks = [
            {"task_key": key, "notebook_task": {"notebook_path": key}, "state": {"result_state": state}}
            for key, state in states.items()
        ]
        tasks.append({"task_key": "finished", "state": {"result_state": "FAILED"}})
        return {"job_id": number, "run_id": len(workspace["job_runs"]) + 1, "tasks": tasks}

    workspace["job_runs"].append(run(silver="FAILED"))
    workspace["job_runs"].append(run(silver="SUCCESS", gold="FAILED", load="UPSTREAM_FAILED"))
    workspace["job_runs"][1]["tasks"][1]["state"]["state_message"] = "no space left"
    workspace["job_runs"].append(run(other="FAILED") | {"job_id": number + 1})
    monkeypatch.setattr(fake_factory, "RUN", ["Failed"])
    with pytest.raises(CoinlakeError, match=r"Open it in the factory's monitor\.\n  gold: no space left$"):
        smoke.run(environment.clients(root), lambda _line: None)


def test_a_smoke_run_without_the_pipeline_says_so(net, root):
    deployment.apply(parts(root, "resources"), lambda _line: None)
    with pytest.raises(CoinlakeError, match=r"The smoke run of pl_main: .*PipelineNotFound"):
        smoke.run(environment.clients(root), lambda _line: None)
