"""What must never become looser: sign-in, walls, whose rights count, and alerts that fire when they should."""

import operator

import pytest

from coinlake_ops.azure import template as arm
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.resources.azure_resources import AzureResources
from coinlake_ops.deploy.resources.sql import ACCESS, Sql
from coinlake_ops.governance import model, statements
from coinlake_ops.governance.access import grants
from tests.support import environment

OPERATORS = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}


@pytest.fixture
def resources(net, root):
    """The template's resources with the values of dev."""
    parameters = AzureResources(environment.clients(root)).parameters()
    return arm.resources(arm.read(), parameters, environment.DEV.group_id)


@pytest.fixture
def made(resources):
    """The same by type: of those of which there is one."""
    return {one.type: one for one in resources}


@pytest.fixture
def workspace(net, root):
    """What a whole deployment leaves in the workspace."""
    deployment.apply(deployment.parts(environment.clients(root)), lambda _line: None)
    return net.fakes["workspace"].state


def test_the_database_is_signed_in_to_by_entra_id_alone(made):
    assert made["Microsoft.Sql/servers"].content["properties"] == {
        "version": "12.0",
        "minimalTlsVersion": "1.2",
        "publicNetworkAccess": "Enabled",
        "administrators": {
            "administratorType": "ActiveDirectory",
            "principalType": "Group",
            "login": "coinlake-platform",
            "sid": environment.DEV.platform_group_id,
            "tenantId": environment.DEV.tenant,
            "azureADOnlyAuthentication": True,
        },
    }


def test_the_only_hole_in_the_databases_wall_is_azure_itself(resources):
    """0.0.0.0 to 0.0.0.0 stands for services of Azure; any wider range is the internet's."""
    rules = [one for one in resources if one.type.endswith("/firewallRules")]
    assert [(rule.name, rule.content["properties"]) for rule in rules] == [
        ("sql-coinlake-dev/AllowAllWindowsAzureIps", {"startIpAddress": "0.0.0.0", "endIpAddress": "0.0.0.0"})
    ]


def test_what_is_deleted_from_the_vault_can_be_recovered_by_nobody_but_its_owners(made):
    assert made["Microsoft.KeyVault/vaults"].content["properties"] == {
        "tenantId": environment.DEV.tenant,
        "sku": {"family": "A", "name": "standard"},
        "createMode": "default",
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90,
        "enablePurgeProtection": True,
    }


def fires(criterion: dict, value: float) -> bool:
    """Whether one evaluation of an alert's criterion fires at a measured value. Source: Azure Monitor."""
    periods = criterion.get("failingPeriods", {"minFailingPeriodsToAlert": 1})
    return OPERATORS[criterion["operator"]](value, criterion["threshold"]) and (
        periods["minFailingPeriodsToAlert"] == 1
    )


def test_the_alert_of_failed_runs_fires_at_the_first_one(made):
    alert = made["Microsoft.Insights/metricAlerts"].content["properties"]
    [criterion] = alert["criteria"]["allOf"]
    assert (criterion["metricName"], criterion["timeAggregation"]) == ("PipelineFailedRuns", "Total")
    assert [fires(criterion, failed) for failed in (0, 1, 2)] == [False, True, True]
    assert alert["enabled"] is True


def test_the_alert_of_stale_data_fires_when_no_run_succeeded(made):
    alert = made["Microsoft.Insights/scheduledQueryRules"].content["properties"]
    [criterion] = alert["criteria"]["allOf"]
    assert criterion["timeAggregation"] == "Count"
    assert [fires(criterion, succeeded) for succeeded in (0, 1, 2)] == [True, False, False]
    assert alert["enabled"] is True


@pytest.mark.parametrize("kind", ["Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules"])
def test_an_alert_writes_to_the_address_of_the_environment(made, kind):
    group = made["Microsoft.Insights/actionGroups"]
    assert group.id in str(made[kind].content["properties"]["actions"])
    assert group.content["properties"]["emailReceivers"] == [
        {"name": "platform", "emailAddress": "data@example.org", "useCommonAlertSchema": True}
    ]


def test_readers_of_the_dashboard_see_with_their_own_rights(workspace):
    [published] = workspace["published"].values()
    # Left out of a request it would mean true: Databricks REST API, Lakeview, publish.
    assert published["embed_credentials"] is False


def test_the_export_cluster_serves_one_identity_and_obeys_unity_catalog(net, root, workspace):
    [cluster] = workspace["clusters"].values()
    assert cluster["data_security_mode"] == "SINGLE_USER"
    assert cluster["single_user_name"] == environment.clients(root).factory_application_id
    cluster["data_security_mode"] = "NONE"
    assert (
        deployment.plan(deployment.parts(environment.clients(root), ["compute"]), lambda _line: None).changes == 1
    )


def test_analysts_read_the_database_and_nobody_else_loads_it_than_who_must(net, root):
    [access] = [item for item in Sql(environment.clients(root)).desired() if item.kind == ACCESS]
    assert access.content == {
        "coinlake_analyst": ["coinlake-analysts"],
        "coinlake_factory": ["adf-coinlake-dev"],
        "coinlake_loader": ["coinlake-engineers", "dbac-coinlake-dev"],
    }


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_analysts_get_no_right_to_change_anything(name):
    setting = model.setting_without_cloud(name)
    granted = grants(model.desired(setting))
    theirs = {grant.privilege for grant in granted if grant.principal == setting.principals["analysts"]}
    assert theirs <= {"USE CATALOG", "BROWSE", "USE SCHEMA", "SELECT"}


# Databricks SQL language reference: what each of these statements may be about.
DOCUMENTED = {
    "COMMENT ON": {
        *("CATALOG", "COLUMN", "CONNECTION", "PROVIDER", "RECIPIENT", "SCHEMA", "DATABASE", "SHARE", "TABLE"),
        "VOLUME",
    },
    "ALTER": {
        "CATALOG",
        "CONNECTION",
        "CREDENTIAL",
        "EXTERNAL LOCATION",
        "SCHEMA",
        "SHARE",
        "TABLE",
        "VIEW",
        "VOLUME",
    },
}


def test_every_statement_is_about_something_that_its_grammar_knows():
    """Every statement that makes an item or changes a value of it, against the kinds that the reference lists."""
    texts = []
    for item in model.desired(model.setting_without_cloud("dev")):
        texts += statements.put(item, None)
        if isinstance(item.content, dict):
            for field, value in item.content.items():
                if isinstance(value, str) and field not in ("url", "location", "managed_location"):
                    texts += statements.put(
                        item, type(item)(item.kind, item.name, item.content | {field: "other"})
                    )
    assert len(texts) > 100
    for text in texts:
        for verb, kinds in DOCUMENTED.items():
            if text.startswith(f"{verb} "):
                assert any(text.startswith(f"{verb} {kind} `") for kind in kinds), text
