"""What a failed, interrupted or half-permitted deployment leaves, and that it can be repaired or removed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.needed import NotAllowed
from tests.support import environment
from tests.support.internet import Answer

LATER = environment.NOW + timedelta(hours=1)


def parts(root, *only, described=environment.DEV, now=environment.NOW):
    return deployment.parts(environment.clients(root, described, now), only)


def apply(root, *only, described=environment.DEV, now=environment.NOW, emit=lambda _line: None):
    return deployment.apply(parts(root, *only, described=described, now=now), emit)


def factory(net):
    return next(one for one in net.fakes["arm"].resources.values() if one["type"].endswith("/factories"))


# Alerts and budgets


def test_a_budget_that_the_offer_does_not_have_holds_up_nothing_else(net, root):
    net.fakes["arm"].unsupported = {"Microsoft.Consumption/budgets"}
    for _ in range(2):
        with pytest.raises(CoinlakeError, match=r"^watching, \w+ deployment .*Failed\. BadRequest: The offer"):
            apply(root)
    assert net.fakes["workspace"].state["jobs"]
    assert factory(net)["children"]["pipelines"]
    kinds = {one["type"] for one in net.fakes["arm"].resources.values()}
    assert {"Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules"} <= kinds
    assert apply(root, described=replace(environment.DEV, monthly_budget=0)) == 0


def test_without_a_budget_everything_else_is_made(net, root):
    described = replace(environment.DEV, monthly_budget=0)
    assert apply(root, described=described) > 60
    assert not any(one["type"].endswith("/budgets") for one in net.fakes["arm"].resources.values())
    assert apply(root, described=described) == 0


# The record of the last deployment


@pytest.fixture
def failed(deployed):
    """A whole environment whose last deployment of resources failed."""
    net = deployed
    for record in net.fakes["arm"].state["deployments"].values():
        record["waiting"] = ["Failed"]
    return net


def test_after_a_failed_deployment_what_is_there_is_seen(failed, root):
    found = deployment.plan(parts(root), lambda _line: None)
    assert found == deployment.Plan(0, ())
    failed.fakes["arm"].state["deployments"].clear()
    assert apply(root) == 0


def test_after_a_failed_deployment_destroy_leaves_nothing_in_the_shared_metastore(failed, root):
    deployment.destroy(parts(root), lambda _line: None)
    assert {kind: held for kind, held in failed.fakes["workspace"].state["unity"].items() if held} == {}
    assert failed.fakes["arm"].resources == {}


def test_destroy_needs_no_warehouse_to_empty_the_metastore(deployed, root):
    net = deployed
    net.fakes["workspace"].state["warehouses"].clear()
    deployment.destroy(parts(root, "governance"), lambda _line: None)
    assert {kind: held for kind, held in net.fakes["workspace"].state["unity"].items() if held} == {}


# Roles that were just assigned


def test_a_first_apply_waits_until_storage_knows_the_new_role(net, root):
    net.fakes["workspace"].catalog.roles_unknown_for = 3
    lines = []
    assert apply(root, emit=lines.append) > 60
    waited = [line for line in lines if "waits until a new role is known" in line]
    assert waited == [
        f"  governance: create external location coinlake_dev_tables waits until a new role is known ({n} of 20 "
        "times)"
        for n in (1, 2, 3)
    ]


def test_a_first_apply_waits_until_the_vault_knows_the_new_role(net, root):
    left = [2]

    def refuse(request):
        if request.host.endswith("vault.azure.net") and "Authorization" in request.headers and left[0]:
            left[0] -= 1
            return Answer(403, {"error": {"code": "Forbidden", "message": "ForbiddenByRbac"}})
        return None

    net.before = refuse
    lines = []
    assert apply(root, emit=lines.append) > 60
    assert left == [0]
    assert sum("secrets: comparing waits until" in line for line in lines) == 2


def test_an_apply_after_one_that_was_killed_waits_for_its_roles_too(net, root):
    net.fakes["workspace"].catalog.roles_unknown_for = 100
    with pytest.raises(CoinlakeError, match="AuthorizationPermissionMismatch"):
        apply(root)
    net.fakes["workspace"].catalog.roles_unknown_for = 2
    lines = []
    assert apply(root, "governance", emit=lines.append) > 20
    assert sum("waits until a new role is known" in line for line in lines) == 2


def test_a_role_that_never_comes_ends_the_apply_and_one_that_nobody_assigned_is_not_waited_for(net, root):
    net.fakes["workspace"].catalog.roles_unknown_for = 100
    with pytest.raises(
        CoinlakeError, match=r"governance, create external location .*AuthorizationPermissionMismatch"
    ):
        apply(root)
    assert net.fakes["workspace"].catalog.roles_unknown_for == 100 - deployment.ATTEMPTS
    with pytest.raises(CoinlakeError, match="AuthorizationPermissionMismatch"):
        apply(root, "governance", now=LATER)
    assert net.fakes["workspace"].catalog.roles_unknown_for == 100 - deployment.ATTEMPTS - 1


def test_users_of_the_database_wait_for_the_identities(deployed, root):
    net = deployed
    net.fakes["database"].state["members"].clear()
    resources = net.fakes["arm"].resources
    del resources[factory(net)["id"].lower()]
    with pytest.raises(CoinlakeError, match=r"adf-coinlake-dev: there is no identity yet\. Apply the part"):
        apply(root, "sql")


# What others set on a factory


KEPT = {
    "repoConfiguration": {"type": "FactoryGitHubConfiguration", "accountName": "a", "repositoryName": "r"},
    "encryption": {"vaultBaseUrl": "https://kv.vault.azure.net", "keyName": "k"},
    "purviewConfiguration": {"purviewResourceId": "/p"},
}
# An identity that somebody assigned, as a key of one's own needs one.
ASSIGNED = {
    "type": "SystemAssigned,UserAssigned",
    "userAssignedIdentities": {"/subscriptions/s/mine": {"principalId": "p", "clientId": "c"}},
}


@pytest.mark.parametrize("part", ["resources", "factory"])
def test_a_factory_keeps_its_git_connection_and_encryption(deployed, root, part):
    net = deployed
    factory(net)["properties"].update(KEPT)
    factory(net)["identity"].update(ASSIGNED)
    assert deployment.plan(parts(root), lambda _line: None).changes == 0
    if part == "resources":
        factory(net)["tags"] = {}
    else:
        factory(net)["properties"]["globalParameters"]["coins"]["value"] = 1
    assert apply(root, part) == 1
    assert {name: factory(net)["properties"][name] for name in KEPT} == KEPT
    assert {name: factory(net)["identity"][name] for name in ASSIGNED} == ASSIGNED
    assert factory(net)["identity"]["principalId"]
    assert factory(net)["properties"]["globalParameters"]["coins"]["value"] == 250


def test_a_factory_that_was_closed_to_the_internet_is_drift(deployed, root):
    net = deployed
    factory(net)["properties"]["publicNetworkAccess"] = "Disabled"
    assert deployment.plan(parts(root, "resources"), lambda _line: None).changes == 1


def test_who_may_not_see_is_told_at_once(deployed, root):
    net = deployed

    def refuse(request):
        if request.host.endswith("vault.azure.net") and "Authorization" in request.headers:
            return Answer(403, {"error": {"code": "Forbidden", "message": "ForbiddenByRbac"}})
        return None

    net.before = refuse
    lines = []
    with pytest.raises(NotAllowed, match="Key Vault Secrets Officer"):
        apply(root, now=LATER, emit=lines.append)
    assert not any("waits until" in line for line in lines)
