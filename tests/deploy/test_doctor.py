"""What would stop a deployment is found before anything is created, each with what mends it."""

from dataclasses import replace

import pytest

from coinlake_ops import cli
from coinlake_ops.deploy import deployment, doctor
from tests.support import environment
from tests.support.internet import Answer


def found(root, described=environment.DEV):
    return [(one.problem, one.remedy) for one in doctor.findings(environment.clients(root, described))]


def deploy(root, *only):
    deployment.apply(deployment.parts(environment.clients(root), only), lambda _line: None)


def test_nothing_is_found_in_an_empty_group_nor_after_a_deployment_and_nothing_is_changed(net, root):
    assert found(root) == []
    deploy(root)
    net.calls.clear()
    assert found(root) == []
    assert net.changing == []


REFUSED = (
    "InvalidTemplateDeployment: The template deployment failed because of policy violation. Please see details "
    "for more information. RequestDisallowedByPolicy: Public access is denied."
)
IN_AZURE = {
    "a subscription that is past due": (
        {"enabled": "PastDue"},
        (
            "The subscription is PastDue.",
            f"Its owner: az account subscription enable --id {environment.DEV.subscription}; a bill that is past "
            "due is paid first, in the portal under Cost Management + Billing.",
        ),
    ),
    "an offer without budgets": (
        {"offer": "FreeTrial_2014-09-01"},
        (
            "The subscription's offer (FreeTrial_2014-09-01) has no budgets.",
            "Write monthly_budget: 0 into coinlake_ops/azure/dev.yml.",
        ),
    ),
    "a provider of the template": (
        {"unregistered": {"Microsoft.DataFactory"}},
        (
            "The provider Microsoft.DataFactory is not registered.",
            "az provider register --namespace Microsoft.DataFactory --wait",
        ),
    ),
    "a provider of the managed group": (
        {"unregistered": {"Microsoft.Compute"}},
        (
            "The provider Microsoft.Compute is not registered.",
            "az provider register --namespace Microsoft.Compute --wait",
        ),
    ),
    "a storage account of somebody else's": (
        {"taken": {"stcoinlakedev"}},
        (
            "storage_account: stcoinlakedev is already taken.",
            "Write another storage_account into coinlake_ops/azure/dev.yml.",
        ),
    ),
    "a server of somebody else's": (
        {"taken": {"sql-coinlake-dev"}},
        (
            "sql_server: sql-coinlake-dev is already taken.",
            "Write another sql_server into coinlake_ops/azure/dev.yml.",
        ),
    ),
    "too few machines": (
        {"vcpus": {"cores": 5, "standardNCFamily": 0}},
        (
            "vCPUs of cores: 3 of 5 vCPU are left in westeurope, and the export of tables (load_with=copy) "
            "needs 4.",
            "az extension add --name quota; az quota update --resource-name cores --scope "
            f"/subscriptions/{environment.DEV.subscription}/providers/Microsoft.Compute/locations/westeurope "
            "--limit-object value=6 --resource-type dedicated; serverless machines need none.",
        ),
    ),
    "a policy": (
        {"policy": "Public access is denied."},
        (
            f"Azure would refuse the template: {REFUSED}",
            "Who owns the policy: az policy exemption create --name coinlake --exemption-category Waiver --scope "
            f"{environment.DEV.group_id} --policy-assignment <its id>; or choose another region.",
        ),
    ),
}


@pytest.mark.parametrize("case", IN_AZURE)
def test_what_azure_would_refuse_is_named_with_its_remedy(net, root, case):
    settings, expected = IN_AZURE[case]
    for name, value in settings.items():
        setattr(net.fakes["arm"], name, value)
    assert found(root) == [expected]


def test_a_policy_that_refuses_the_very_question_is_named_too(net, root):
    net.fakes["arm"].policy, net.fakes["arm"].refuses_what_if = "Public access is denied.", True
    [(problem, remedy)] = found(root)
    assert problem.startswith("Azure would refuse the template: POST https://management.azure.com/")
    assert problem.endswith(f"/whatIf: 400 {REFUSED}")
    assert remedy.startswith("Who owns the policy: az policy exemption create")


def test_a_region_without_a_service_is_named(net, root):
    net.fakes["arm"].regions = ["North Europe"]
    problems = [problem for problem, _ in found(root)]
    assert "Microsoft.Sql/servers is not to be had in westeurope." in problems
    assert found(root, replace(environment.DEV, location="northeurope")) == []


def test_a_group_that_is_missing_is_named_with_the_command_that_makes_it(net, root):
    net.fakes["arm"].state["groups"].clear()
    expected = "There is no resource group rg-coinlake-dev."
    assert found(root) == [(expected, "az group create --name rg-coinlake-dev --location westeurope")]


def test_a_name_that_is_ours_or_that_can_be_taken_back_is_free(net, root):
    deploy(root, "resources")
    net.fakes["arm"].taken = {"stcoinlakedev", "kv-coinlake-dev", "sql-coinlake-dev"}
    assert found(root) == []
    deployment.destroy(deployment.parts(environment.clients(root), ["resources"]), lambda _line: None)
    net.fakes["arm"].taken = {"kv-coinlake-dev"}
    assert found(root) == []


def test_an_offer_without_budgets_is_fine_for_who_wants_none(net, root):
    net.fakes["arm"].offer = "AzureForStudents_2018-01-01"
    assert found(root, replace(environment.DEV, monthly_budget=0)) == []


def test_privileges_that_the_platform_group_lacks_come_with_the_command(net, root):
    deploy(root, "resources")
    net.fakes["workspace"].metastore_privileges = ["CREATE_CATALOG", "CREATE_STORAGE_CREDENTIAL"]
    assert found(root) == [
        (
            "coinlake-platform lacks on the metastore: CREATE_SERVICE_CREDENTIAL, CREATE_EXTERNAL_LOCATION.",
            "An account administrator: databricks grants update metastore m1 --json "
            '\'{"changes": [{"principal": "coinlake-platform", '
            '"add": ["CREATE_SERVICE_CREDENTIAL", "CREATE_EXTERNAL_LOCATION"]}]}\'',
        )
    ]


def test_a_workspace_without_a_metastore_or_a_group_is_named(net, root):
    deploy(root, "resources")
    net.fakes["workspace"].metastore = ""
    net.fakes["workspace"].catalog.groups.discard("coinlake-analysts")
    assert found(root) == [
        (
            "The workspace has no metastore of Unity Catalog.",
            "An account administrator: databricks account metastores list, and where the region has none, "
            'databricks account metastores create --json \'{"name": "metastore-westeurope", '
            '"region": "westeurope"}\'; '
            "then databricks account metastore-assignments create 1111111111111111 <its id>",
        ),
        (
            "The group coinlake-analysts is not assigned to the workspace.",
            "An account administrator: databricks account groups list --filter "
            "'displayName eq \"coinlake-analysts\"', "
            "then databricks account workspace-assignment update 1111111111111111 <its id> "
            '--json \'{"permissions": ["USER"]}\'',
        ),
    ]
    net.fakes["workspace"].catalog.groups.discard("coinlake-platform")
    assert found(root)[1][1].endswith('--json \'{"permissions": ["ADMIN"]}\'')


def test_a_check_that_is_not_allowed_does_not_hide_the_others(net, root):
    message = "The client 'x' does not have authorization to perform action 'a/read' over scope '/s'."

    def refuse(request):
        if request.path.endswith("/usages"):
            return Answer(403, {"error": {"code": "AuthorizationFailed", "message": message}})
        return None

    net.before = refuse
    net.fakes["arm"].taken = {"stcoinlakedev"}
    assert [problem for problem, _ in found(root)] == [
        "storage_account: stcoinlakedev is already taken.",
        "quota: could not be checked",
    ]


def test_the_command_prints_what_it_finds_and_fails(net, root, monkeypatch, capsys):
    monkeypatch.setattr("coinlake_ops.deploy.Clients", lambda *_: environment.clients(root))
    monkeypatch.setattr("coinlake_ops.environment.load", lambda _name: (environment.DEV, environment.VALUES))
    assert cli.main(["deploy", "doctor", "dev"]) == 0
    assert capsys.readouterr().out.startswith("8 checks: nothing would stop a deployment.")
    net.fakes["arm"].taken = {"stcoinlakedev"}
    assert cli.main(["deploy", "plan", "--environment", "dev"]) == 0
    assert capsys.readouterr().out.startswith("! storage_account: stcoinlakedev is already taken.\n")
    assert cli.main(["deploy", "doctor", "dev"]) == 1
    assert capsys.readouterr().out == (
        "! storage_account: stcoinlakedev is already taken.\n"
        "    Write another storage_account into coinlake_ops/azure/dev.yml.\n"
    )
