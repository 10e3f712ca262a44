"""The workflows on GitHub: their structure, and the rules that keep them from becoming a way in."""

import re
import shlex
from urllib.parse import urlsplit

import pytest
import yaml

from coinlake_ops import environment as environments
from coinlake_ops.deploy import environment_file
from coinlake_ops.deploy.deployment import PARTS
from coinlake_ops.project import ROOT
from tests.support import azure, commands, skips
from tests.support.environment import TO_FILL_IN

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w.-]+@[0-9a-f]{40}$")
# What an author of a pull request can put words into: never inside a shell command.
UNTRUSTED = re.compile(r"\$\{\{[^}]*\b(?:head_ref|event\.|inputs\.|github\.actor)[^}]*\}\}")
JOB_KEYS = {
    *("if", "runs-on", "timeout-minutes", "strategy", "environment", "permissions", "steps", "needs", "env"),
    "defaults",
}
STEP_KEYS = {"name", "uses", "with", "run", "env", "shell", "if", "id"}


def read(path):
    # YAML 1.1 reads the key `on` as true.
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in document.items()}


def jobs():
    return [
        pytest.param(path, job, id=f"{path.stem}-{name}")
        for path in WORKFLOWS
        for name, job in read(path)["jobs"].items()
    ]


def test_there_are_the_two_of_them():
    assert [path.stem for path in WORKFLOWS] == ["deploy", "test"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_nothing_but_read_unless_a_job_says_so(path):
    workflow = read(path)
    assert {*workflow} <= {"name", "on", "permissions", "concurrency", "jobs"}
    assert workflow["permissions"] == {"contents": "read"}
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize(("path", "job"), jobs())
def test_every_job_is_well_formed(path, job):
    assert {*job} <= JOB_KEYS
    assert job["timeout-minutes"] <= 60
    matrix = job.get("strategy", {}).get("matrix", {})
    # A deployment into a private network needs a runner that stands in it.
    own, _, hosted = job["runs-on"].rpartition("vars.COINLAKE_RUNNER || ")
    systems = matrix.get("system", [hosted.removesuffix(" }}").strip("'")])
    assert all(re.fullmatch(r"ubuntu-\d\d\.\d\d|macos-\d\d", system) for system in systems)
    assert "system" not in matrix or job["runs-on"] == "${{ matrix.system }}"
    assert own in ("", "${{ ") and bool(own) == ("environment" in job)
    for step in job["steps"]:
        assert {*step} <= STEP_KEYS
        assert ("uses" in step) != ("run" in step)
        if "uses" in step:
            assert PINNED.match(step["uses"]), f"{step['uses']} is not pinned to a commit"
        else:
            assert not UNTRUSTED.search(step["run"]), step["run"]
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
    text = str(job["steps"])
    assert {*re.findall(r"matrix\.(\w+)", text + job["runs-on"] + str(job.get("environment")))} == {*matrix}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_pin_says_which_release_it_is(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line:
            assert re.search(r"# v\d+\.\d+\.\d+$", line), line


def test_only_jobs_that_sign_in_may_ask_for_a_token_and_nothing_is_secret():
    for path in WORKFLOWS:
        assert "secrets." not in path.read_text(encoding="utf-8"), "OIDC needs no secret"
        for job in read(path)["jobs"].values():
            signs_in = any("azure/login" in step.get("uses", "") for step in job["steps"])
            assert (job.get("permissions", {}).get("id-token") == "write") == signs_in
            assert signs_in == ("environment" in job)


def test_a_pull_request_plans_and_main_applies_to_dev_runs_it_and_then_applies_to_prod():
    deploy = read(ROOT / ".github/workflows/deploy.yml")["jobs"]
    commands = {
        name: [
            words
            for step in job["steps"]
            for words in re.findall(r"coinlake deploy .+?(?= \||$)", step.get("run", ""))
        ]
        for name, job in deploy.items()
    }
    assert commands == {
        "plan": ["coinlake deploy plan --environment dev"],
        "dev": ["coinlake deploy apply --environment dev", "coinlake deploy plan --check --environment dev"],
        "smoke": ["coinlake deploy smoke --environment dev"],
        "prod": ["coinlake deploy apply --environment prod", "coinlake deploy plan --check --environment prod"],
    }
    assert {name: (job.get("needs"), job["environment"]) for name, job in deploy.items()} == {
        "plan": (None, "dev-plan"),
        "dev": (None, "dev"),
        "smoke": ("dev", "dev"),
        "prod": ("smoke", "prod"),
    }
    for name, job in deploy.items():
        assert "vars.COINLAKE_DEPLOY == 'true'" in job["if"], f"{name} would fail in a fork"
        assert ("github.event_name == 'pull_request'" in job["if"]) == (name == "plan")
        assert ("refs/heads/main" in job["if"]) == (name != "plan")


def test_every_value_of_a_template_that_waits_can_come_from_a_variable(only_templates):
    """The values that `init` asks or makes unique, by the names under which a job hands them over."""
    named = (*TO_FILL_IN, *environment_file.UNIQUE, "network", "network_address")
    given = {f"{environments.VARIABLE}{name.upper()}" for name in named}
    for job in read(ROOT / ".github/workflows/deploy.yml")["jobs"].values():
        assert given <= {*job["env"]}
        assert all(value.startswith("${{ vars.") for name, value in job["env"].items() if name in given)


@pytest.mark.parametrize(("path", "job"), jobs())
def test_what_a_workflow_calls_exists(path, job, monkeypatch):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for step in job["steps"]:
        for command in re.findall(r"^coinlake ([^|\n]+)", step.get("run", ""), flags=re.MULTILINE):
            commands.parse(shlex.split(command), monkeypatch)
        for target in re.findall(r"make ([a-z-]+)", step.get("run", "")):
            assert target in targets
        for folder in re.findall(r"(?:adf_lab/)?tests(?:/\w+)?", step.get("run", "")):
            assert (ROOT / folder).is_dir()


def test_the_warehouse_meets_a_server_of_its_own():
    """With the variable that the tests read, and nothing that they would skip for another reason."""
    job = read(ROOT / ".github/workflows/test.yml")["jobs"]["sql-server"]
    [tests] = [step for step in job["steps"] if "AZURE_SQL_TEST_URL" in step.get("env", {})]
    url = urlsplit(tests["env"]["AZURE_SQL_TEST_URL"].replace("${{ env.MSSQL_SA_PASSWORD }}", "Test-0a"))
    assert (url.scheme, url.username, url.password) == ("mssql", "sa", "Test-0a")
    started = "\n".join(step.get("run", "") for step in job["steps"])
    assert f"--publish 127.0.0.1:{url.port}:1433" in started
    database = url.path.strip("/")
    assert "test" in database
    assert f'"CREATE DATABASE {database}"' in started
    assert f'"ALTER DATABASE {database} SET ALLOW_SNAPSHOT_ISOLATION ON"' in started
    assert f"subjectAltName=DNS:{url.hostname}" in started
    assert tests["env"]["SSL_CERT_FILE"].endswith("/server/certificate.pem")
    assert tests["run"] == "python -m pytest -q -n0 tests/warehouse"
    assert skips.is_allowed(azure.only_double.kwargs["reason"])


def test_the_parts_of_a_deployment_are_described_where_people_look():
    text = (ROOT / "coinlake_ops/azure/README.md").read_text(encoding="utf-8")
    for part in PARTS:
        assert f"`{part.name}`" in text


def test_azure_devops_does_the_same():
    pipeline = yaml.safe_load((ROOT / ".azure-pipelines.yml").read_text(encoding="utf-8"))
    assert pipeline["trigger"] == pipeline["pr"] == {"branches": {"include": ["main"]}}
    [plan, each] = pipeline["stages"]
    [(_, [apply])] = each.items()
    assert "PullRequest" in plan["condition"]
    assert "refs/heads/main" in apply["condition"]
    assert all("variables['COINLAKE_DEPLOY'], 'true'" in stage["condition"] for stage in (plan, apply))
    [job] = apply["jobs"]
    assert job["environment"] == "${{ environment }}"
    *steps, only_dev = plan["jobs"][0]["steps"] + job["strategy"]["runOnce"]["deploy"]["steps"]
    [(condition, [smoke])] = only_dev.items()
    assert condition == "${{ if eq(environment, 'dev') }}"
    signed_in = [step for step in [*steps, smoke] if step.get("task") == "AzureCLI@2"]
    # Without it a token for a new service cannot be had after some minutes.
    assert all(step["inputs"]["keepAzSessionActive"] is True for step in signed_in)
    scripts = [step["inputs"]["inlineScript"] for step in signed_in]
    assert [re.findall(r"coinlake deploy \w+(?: --check)?", script) for script in scripts] == [
        ["coinlake deploy plan"],
        ["coinlake deploy apply", "coinlake deploy plan --check"],
        ["coinlake deploy smoke"],
    ]
    assert any("pytest" in step.get("script", "") for step in steps)
