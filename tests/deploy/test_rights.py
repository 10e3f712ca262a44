"""What must never become looser: sign-in, walls, and whose rights count."""

from dataclasses import replace

import pytest

from coinlake import schema
from coinlake_ops.azure import template as arm
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.resources.azure_resources import AzureResources
from coinlake_ops.deploy.resources.secret_scope import Secrets
from coinlake_ops.deploy.resources.sql import ACCESS, Sql
from coinlake_ops.desired_state import Item
from coinlake_ops.governance import model, statements
from coinlake_ops.governance.access import grants
from tests.support import databricks_grammar, environment

ALL_TABLES = schema.TABLES


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
def workspace(deployed):
    """What a whole deployment leaves in the workspace."""
    return deployed.fakes["workspace"].state


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


def test_readers_of_the_dashboard_see_with_their_own_rights(workspace):
    published = workspace["published"].values()
    # Left out of a request it would mean true: Databricks REST API, Lakeview, publish.
    assert [one["embed_credentials"] for one in published] == [False, False]


def test_what_decides_who_sees_what_belongs_to_the_platform_group_whoever_deployed(workspace):
    """Only its owner may replace a function or a view, and the next to deploy may be somebody else."""
    held = {kind: workspace["unity"][kind] for kind in ("function", "view", "table", "schema", "catalog")}
    assert {(kind, one["owner"]) for kind, objects in held.items() for one in objects.values()} == {
        (kind, "coinlake-platform") for kind in held
    }


def test_the_export_cluster_serves_one_identity_and_obeys_unity_catalog(net, root, workspace):
    [cluster] = workspace["clusters"].values()
    assert cluster["data_security_mode"] == "SINGLE_USER"
    assert cluster["single_user_name"] == environment.clients(root).factory_application_id
    cluster["data_security_mode"] = "NONE"
    assert (
        deployment.plan(deployment.parts(environment.clients(root), ["compute"]), lambda _line: None).changes == 1
    )


def test_analysts_read_the_database_and_nobody_else_loads_it_than_who_must(net, root):
    def members(name):
        described = replace(environment.DEV, name=name)
        [access] = [item for item in Sql(environment.clients(root, described)).desired() if item.kind == ACCESS]
        return access.content

    assert members("dev") == {
        "coinlake_analyst": ["coinlake-analysts"],
        "coinlake_factory": ["adf-coinlake-dev"],
        "coinlake_loader": ["coinlake-engineers", "dbac-coinlake-dev"],
    }
    assert members("prod") == {
        "coinlake_analyst": ["coinlake-analysts", "coinlake-engineers"],
        "coinlake_factory": ["adf-coinlake-dev"],
        "coinlake_loader": ["dbac-coinlake-dev"],
    }


def test_in_production_no_person_reads_the_pipelines_secrets(net, root):
    def readers(name):
        desired = Secrets(environment.clients(root, replace(environment.DEV, name=name))).desired()
        return [item.name.rpartition(" to ")[2] for item in desired if item.kind == "scope reader"]

    pipeline = environment.clients(root).factory_application_id
    assert readers("dev") == [pipeline, "coinlake-engineers"]
    assert readers("prod") == [pipeline]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_analysts_get_no_right_to_change_anything(name):
    setting = model.setting_without_cloud(name)
    granted = grants(model.desired(setting))
    theirs = {grant.privilege for grant in granted if grant.principal == setting.principals["analysts"]}
    assert theirs <= {"USE CATALOG", "BROWSE", "USE SCHEMA", "SELECT"}


DOCUMENTED = {
    "COMMENT ON VOLUME `c`.`s`.`v` IS 'it\\'s'": True,
    "COMMENT ON EXTERNAL LOCATION `l` IS 'x'": False,
    "ALTER EXTERNAL LOCATION `l` OWNER TO `platform`": True,
    "ALTER FUNCTION `c`.`s`.`f` OWNER TO `platform`": False,
    "ALTER TABLE `t` ALTER COLUMN `a` SET TAGS ('a' = 'b', 'c' = 'd')": True,
    "ALTER TABLE `t` SET TAGS ()": False,
    "GRANT SELECT, USE SCHEMA ON SCHEMA `c`.`s` TO `a b`": True,
    "GRANT SELECT ON TABLE `t` TO `a`, `b`": False,
    "GRANT EVERYTHING ON TABLE `t` TO `a`": False,
    "CREATE VOLUME `v` COMMENT 'x' LOCATION 'abfss://a'": False,
    "CREATE TABLE t (a MAP<STRING, ARRAY<DECIMAL(38, 0)>> NOT NULL COMMENT 'x') USING delta CLUSTER BY (a)": True,
    "CREATE OR REPLACE FUNCTION f(a STRING) RETURNS BOOLEAN COMMENT 'x' RETURN a = 'b' OR f() = 'c'": True,
    "CREATE OR REPLACE FUNCTION f(a STRING) RETURNS BOOLEAN RETURN a = ": False,
    "SELECT a FROM system.information_schema.tables WHERE b = 'c'": True,
    "SELECT a FROM": False,
}


@pytest.mark.parametrize("statement", DOCUMENTED)
def test_the_grammar_is_that_of_the_reference(statement):
    assert databricks_grammar.documented(statement) is DOCUMENTED[statement]


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_every_statement_is_one_that_the_reference_knows(name, monkeypatch):
    """Every statement that makes an item, changes a value of it, or removes what may be removed."""
    monkeypatch.setattr(schema, "TABLES", ALL_TABLES)
    texts = []
    for item in model.desired(model.setting_without_cloud(name)):
        texts += statements.put(item, None)
        if item.kind in ("tags", "grants", "function"):
            texts += statements.remove(item)
        if isinstance(item.content, dict):
            for field, value in item.content.items():
                if isinstance(value, str) and field not in ("url", "location", "managed_location"):
                    before = Item(item.kind, item.name, item.content | {field: "other"})
                    texts += statements.put(item, before)
    texts += statements.remove(Item("row filter", "c.s.t", {})) + statements.remove(
        Item("column mask", "c.s.t.a", {})
    )
    assert len(texts) > 300
    assert [text for text in texts if not databricks_grammar.documented(text)] == []
