"""The ARM template: what it makes, what the lint finds, and which right or value is missing."""

import copy
from collections import Counter
from datetime import UTC, datetime

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.azure import lint
from coinlake_ops.azure import template as arm
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.needed import NotAllowed
from coinlake_ops.deploy.resources.azure_resources import AzureResources
from tests.support import environment

GROUP = environment.DEV.group_id
SQL_DATABASE = (
    "[resourceId('Microsoft.Sql/servers/databases', parameters('sqlServer'), parameters('sqlDatabase'))]"
)


def test_the_template_has_no_fault():
    assert lint.faults(arm.read()) == []


def test_it_makes_every_resource_of_an_environment(net, root):
    parameters = AzureResources(environment.clients(root)).parameters()
    made = arm.resources(arm.read(), parameters, GROUP)
    assert Counter(resource.type for resource in made) == {
        "Microsoft.Authorization/roleAssignments": 6,
        "Microsoft.Insights/diagnosticSettings": 5,
        "Microsoft.OperationalInsights/workspaces/savedSearches": 6,
        "Microsoft.Storage/storageAccounts/blobServices/containers": 3,
    } | dict.fromkeys(
        (
            "Microsoft.Consumption/budgets",
            "Microsoft.DataFactory/factories",
            "Microsoft.Databricks/accessConnectors",
            "Microsoft.Databricks/workspaces",
            "Microsoft.Insights/actionGroups",
            "Microsoft.Insights/metricAlerts",
            "Microsoft.Insights/scheduledQueryRules",
            "Microsoft.KeyVault/vaults",
            "Microsoft.OperationalInsights/workspaces",
            "Microsoft.Sql/servers",
            "Microsoft.Sql/servers/databases",
            "Microsoft.Sql/servers/firewallRules",
            "Microsoft.Storage/storageAccounts",
            "Microsoft.Storage/storageAccounts/blobServices",
            "Microsoft.Storage/storageAccounts/managementPolicies",
        ),
        1,
    )
    by_type = {resource.type: resource for resource in made}
    storage = by_type["Microsoft.Storage/storageAccounts"]
    assert storage.id == f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stcoinlakedev"
    assert storage.content["properties"] == {
        "isHnsEnabled": True,
        "accessTier": "Hot",
        "supportsHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "defaultToOAuthAuthentication": True,
    }
    [query] = by_type["Microsoft.Insights/scheduledQueryRules"].content["properties"]["criteria"]["allOf"]
    assert query["query"] == (
        "ADFPipelineRun | where PipelineName == 'pl_main' and Status == 'Succeeded' and TimeGenerated > ago(26h)"
    )


def test_a_budget_begins_in_the_month_in_which_it_is_made_and_stays_there(net, root):
    """Azure refuses a new budget that begins in the past, whenever the first deployment is."""
    net.fakes["arm"].month = "2027-02"

    def changes(*day):
        clients = environment.clients(root, now=datetime(*day, tzinfo=UTC))
        return deployment.apply(deployment.parts(clients, ["resources", "watching"]), lambda _line: None)

    assert changes(2027, 2, 28) == 2
    [budget] = [one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/budgets")]
    assert budget["properties"]["timePeriod"] == {"startDate": "2027-02-01T00:00:00Z"}
    assert changes(2027, 5, 1) == 0


def test_each_role_is_granted_on_one_resource_to_one_identity(net, root):
    parameters = AzureResources(environment.clients(root)).parameters()

    def reference(resource_id):
        return {"identity": {"principalId": f"identity of {resource_id.rpartition('/')[2]}"}, "properties": {}}

    made = arm.resources(arm.read(), parameters, GROUP, reference)
    granted = {
        (
            lint.ROLES[resource.content["properties"]["roleDefinitionId"].rpartition("/")[2]],
            resource.scope.rpartition("/")[2],
            resource.content["properties"]["principalId"],
        )
        for resource in made
        if resource.type == "Microsoft.Authorization/roleAssignments"
    }
    assert granted == {
        ("Storage Blob Data Contributor", "stcoinlakedev", "identity of dbac-coinlake-dev"),
        ("Storage Blob Data Contributor", "staging", "identity of adf-coinlake-dev"),
        ("Storage Blob Data Contributor", "lake", "identity of adf-coinlake-dev"),
        ("Key Vault Secrets User", "kv-coinlake-dev", "identity of adf-coinlake-dev"),
        ("Key Vault Secrets User", "kv-coinlake-dev", environment.DEV.databricks_application_object_id),
        ("Key Vault Secrets Officer", "kv-coinlake-dev", environment.DEV.platform_group_id),
    }


def _first(template, kind):
    return next(resource for resource in template["resources"] if resource["type"] == kind)


FAULTS = {
    "unknown parameter": (
        lambda t: _first(t, "Microsoft.KeyVault/vaults").update(name="[parameters('vault')]"),
        "parameters('vault') is used but not declared.",
    ),
    "unused variable": (
        lambda t: t["variables"].update(left="over"),
        "variables('left') is declared but not used.",
    ),
    "unknown function": (
        lambda t: _first(t, "Microsoft.KeyVault/vaults").update(name="[uniqueString('a')]"),
        "The template's expression [uniqueString('a')] calls another function",
    ),
    "unreadable expression": (
        lambda t: _first(t, "Microsoft.KeyVault/vaults").update(name="[format('a',,)]"),
        "The template's expression [format('a',,)] cannot be read.",
    ),
    "misspelled type": (
        lambda t: _first(t, "Microsoft.OperationalInsights/workspaces").update(
            type="Microsoft.OperationalInsight/workspaces"
        ),
        "Microsoft.OperationalInsight/workspaces: the type is not in API_VERSIONS.",
    ),
    "unknown version": (
        lambda t: _first(t, "Microsoft.KeyVault/vaults").update(apiVersion="2021-99-99"),
        "Microsoft.KeyVault/vaults: apiVersion 2021-99-99 is not the one we know, 2023-07-01.",
    ),
    "dependency on nothing": (
        lambda t: (
            _first(t, "Microsoft.Sql/servers")
            .setdefault("dependsOn", [])
            .append("[resourceId('Microsoft.Sql/servers', 'other')]")
        ),
        "Microsoft.Sql/servers sample-sqlServer depends on",
    ),
    "reference without dependency": (
        lambda t: _first(t, "Microsoft.Insights/metricAlerts").update(dependsOn=[]),
        "Microsoft.Insights/metricAlerts refers to resourceId(",
    ),
    "child without its parent": (
        lambda t: _first(t, "Microsoft.Sql/servers/databases").update(dependsOn=[]),
        "Microsoft.Sql/servers/databases sample-sqlServer/sample-sqlDatabase must depend on",
    ),
    "circle": (
        lambda t: _first(t, "Microsoft.Sql/servers").update(dependsOn=[SQL_DATABASE]),
        "These resources wait for each other:",
    ),
    "twice": (
        lambda t: t["resources"].append(copy.deepcopy(_first(t, "Microsoft.KeyVault/vaults"))),
        "stands in the template twice.",
    ),
    "output missing": (lambda t: t["outputs"].pop("workspaceUrl"), "The output workspaceUrl is missing"),
    "too many names": (
        lambda t: _first(t, "Microsoft.KeyVault/vaults").update(name="a/b"),
        "Microsoft.KeyVault/vaults takes 1 names, but the template gives a/b.",
    ),
    "key in the open": (
        lambda t: t["outputs"].update(key={"type": "string", "value": "[listKeys('a')]"}),
        "A secret would pass through the template",
    ),
    "role of an owner": (
        lambda t: t["variables"].update(keyVaultSecretsUser="8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        "The role 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 is not among those",
    ),
    "role on the group": (
        lambda t: _first(t, "Microsoft.Authorization/roleAssignments").pop("scope"),
        "is granted on the whole resource group",
    ),
    "property that the SDK does not know": (
        lambda t: t["parameters"]["factoryProperties"]["defaultValue"].update(publicNetworkAcces="Enabled"),
        "Microsoft.DataFactory/factories: properties.publicNetworkAcces: there is no such property",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_lint_finds_each_fault(fault):
    template = arm.read()
    spoil, expected = FAULTS[fault]
    spoil(template)
    found = lint.faults(template)
    assert any(expected in line for line in found), found


def test_an_expression_means_what_azure_says_it_means():
    template = {
        "parameters": {"a": {"type": "string"}, "b": {"type": "int", "defaultValue": 7}},
        "variables": {"v": "[format('{0}-{1}', parameters('a'), parameters('b'))]"},
    }
    values = arm.Values(
        template, {"a": "it's"}, "/subscriptions/s/resourceGroups/g", lambda id_: {"properties": {"p": id_}}
    )
    assert values.of("[variables('v')]") == "it's-7"
    assert values.of("[format('say ''{0}''', 'x')]") == "say 'x'"
    assert values.of("[json('0.5')]") == 0.5
    assert (
        values.of("[resourceId('A.B/c/d', 'x', 'y')]") == "/subscriptions/s/resourceGroups/g/providers/A.B/c/x/d/y"
    )
    assert values.of("[subscriptionResourceId('A.B/c', 'x')]") == "/subscriptions/s/providers/A.B/c/x"
    assert (
        values.of("[reference(resourceId('A.B/c', 'x')).p]")
        == "/subscriptions/s/resourceGroups/g/providers/A.B/c/x"
    )
    assert values.of("[guid('a')]") is arm.UNKNOWN
    assert values.of("[[not an expression]") == "[[not an expression]"
    with pytest.raises(CoinlakeError, match="parameter 'c' has no value"):
        values.of("[parameters('c')]")


def test_rights_that_are_missing_are_named_before_anything_is_deployed(monkeypatch, root):
    net = environment.internet(permissions=[{"actions": ["*/read", "Microsoft.Storage/*"], "notActions": []}])
    net.install(monkeypatch)
    part = AzureResources(environment.clients(root))
    [change] = part.changes()
    assert "an apply would lack the right Microsoft.Resources/deployments/write" in part.notes()
    with pytest.raises(NotAllowed) as refused:
        change.run()
    lines = str(refused.value).splitlines()
    assert lines[0] == f"Rights are missing on {GROUP}:"
    assert "  Microsoft.Resources/deployments/write" in lines
    assert "  Microsoft.Authorization/roleAssignments/write" in lines
    assert not any("Microsoft.Storage" in line for line in lines)
    assert net.changing == []


def test_a_group_that_is_missing_is_named_with_the_command_that_makes_it(net, root):
    net.fakes["arm"].state["groups"].clear()
    with pytest.raises(CoinlakeError, match="az group create --name rg-coinlake-dev --location westeurope"):
        AzureResources(environment.clients(root)).changes()


def test_a_right_that_azure_refuses_is_named(net, root):
    part = AzureResources(environment.clients(root))
    [change] = part.changes()
    few = [{"actions": ["*/read", "Microsoft.Resources/*"], "notActions": []}]

    def lose_rights(request):
        if request.path.endswith("/validate"):
            net.fakes["arm"].permissions = few

    net.before = lose_rights
    with pytest.raises(
        CoinlakeError, match=r"AuthorizationFailed: Microsoft\.OperationalInsights/workspaces/write"
    ):
        change.run()


def test_a_deployment_that_is_under_way_is_waited_for(net, root):
    [change] = AzureResources(environment.clients(root)).changes()
    change.run()
    record = next(iter(net.fakes["arm"].state["deployments"].values()))
    record["waiting"] = ["Running", "Running", "Running", "Succeeded"]
    change.run()
    assert AzureResources(environment.clients(root)).changes() == []


def test_a_repair_of_one_resource_keeps_the_global_parameters_of_the_factory(net, root):
    deployment.apply(
        deployment.parts(environment.clients(root), ["resources", "compute", "factory"]), lambda _line: None
    )
    arm_state = net.fakes["arm"].resources
    factory = next(one for one in arm_state.values() if one["type"] == "Microsoft.DataFactory/factories")
    before = copy.deepcopy(factory["properties"]["globalParameters"])
    next(one for one in arm_state.values() if one["type"] == "Microsoft.KeyVault/vaults")["tags"] = {}
    deployment.apply(deployment.parts(environment.clients(root), ["resources"]), lambda _line: None)
    factory = next(one for one in arm_state.values() if one["type"] == "Microsoft.DataFactory/factories")
    assert factory["properties"]["globalParameters"] == before != {}
