"""An environment in a network of its own: one setting closes it, and who stands outside is told so."""

from collections import Counter
from dataclasses import replace

import pytest

from coinlake.errors import CoinlakeError, WarehouseError
from coinlake_ops import databricks_runtime
from coinlake_ops.azure import template as arm
from coinlake_ops.deploy import deployment
from coinlake_ops.deploy.database import Database
from coinlake_ops.deploy.needed import NotAllowed
from coinlake_ops.deploy.resources.azure_resources import AzureResources
from tests.support import environment
from tests.support.internet import Answer

PRIVATE = replace(environment.DEV, network="private", network_address="10.20.0.0/20")
NETWORK = f"{environment.DEV.group_id}/providers/Microsoft.Network/virtualNetworks/vnet-coinlake-dev"


def parts(root, *only, described=PRIVATE):
    return deployment.parts(environment.clients(root, described), only)


def apply(root, *only, described=PRIVATE):
    return deployment.apply(parts(root, *only, described=described), lambda _line: None)


@pytest.fixture
def resources(net, root):
    """Type -> the resources of the template in a private environment."""
    parameters = AzureResources(environment.clients(root, PRIVATE)).parameters()
    found = {}
    for one in arm.resources(arm.read(), parameters, PRIVATE.group_id):
        found.setdefault(one.type, []).append(one)
    return found


def test_nothing_is_open_to_the_internet(resources):
    def properties(kind):
        [one] = resources[kind]
        return one.content["properties"]

    closed = {
        kind: properties(kind)["publicNetworkAccess"]
        for kind in (
            "Microsoft.Storage/storageAccounts",
            "Microsoft.KeyVault/vaults",
            "Microsoft.Sql/servers",
            "Microsoft.Databricks/workspaces",
            "Microsoft.DataFactory/factories",
        )
    }
    assert set(closed.values()) == {"Disabled"}
    assert "Microsoft.Sql/servers/firewallRules" not in resources
    # Unity Catalog comes in by the access connector alone, and services of Azure that sign in by an identity.
    connector = f"{PRIVATE.group_id}/providers/Microsoft.Databricks/accessConnectors/dbac-coinlake-dev"
    assert properties("Microsoft.Storage/storageAccounts")["networkAcls"] == {
        "defaultAction": "Deny",
        "bypass": "AzureServices",
        "resourceAccessRules": [{"tenantId": PRIVATE.tenant, "resourceId": connector}],
    }
    assert properties("Microsoft.KeyVault/vaults")["networkAcls"] == {
        "defaultAction": "Deny",
        "bypass": "AzureServices",
    }


def test_machines_stand_in_the_network_and_leave_it_by_one_address(resources):
    [network] = resources["Microsoft.Network/virtualNetworks"]
    subnets = {one["name"]: one["properties"] for one in network.content["properties"]["subnets"]}
    assert {name: subnet["addressPrefix"] for name, subnet in subnets.items()} == {
        "hosts": "10.20.0.0/24",
        "containers": "10.20.1.0/24",
        "endpoints": "10.20.2.0/27",
    }
    [gateway] = resources["Microsoft.Network/natGateways"]
    [address] = resources["Microsoft.Network/publicIPAddresses"]
    assert gateway.content["properties"] == {"publicIpAddresses": [{"id": address.id}]}
    for name in ("hosts", "containers"):
        assert subnets[name]["natGateway"] == {"id": gateway.id}
    [workspace] = resources["Microsoft.Databricks/workspaces"]
    assert workspace.content["properties"]["requiredNsgRules"] == "NoAzureDatabricksRules"
    assert workspace.content["properties"]["parameters"] == {
        "enableNoPublicIp": {"value": True},
        "customVirtualNetworkId": {"value": network.id},
        "customPublicSubnetName": {"value": "hosts"},
        "customPrivateSubnetName": {"value": "containers"},
    }


def test_every_service_has_an_endpoint_and_a_zone_that_names_it(resources):
    zones = {one.id: one.name for one in resources["Microsoft.Network/privateDnsZones"]}
    named = {}
    for group in resources["Microsoft.Network/privateEndpoints/privateDnsZoneGroups"]:
        [config] = group.content["properties"]["privateDnsZoneConfigs"]
        named[group.name.partition("/")[0]] = zones[config["properties"]["privateDnsZoneId"]]
    found = set()
    for endpoint in resources["Microsoft.Network/privateEndpoints"]:
        [connection] = endpoint.content["properties"]["privateLinkServiceConnections"]
        target = connection["properties"]["privateLinkServiceId"].rpartition("/")[2]
        found.add((target, *connection["properties"]["groupIds"], named[endpoint.name]))
    assert found == {
        ("stcoinlakedev", "blob", "privatelink.blob.core.windows.net"),
        ("stcoinlakedev", "dfs", "privatelink.dfs.core.windows.net"),
        ("kv-coinlake-dev", "vault", "privatelink.vaultcore.azure.net"),
        ("sql-coinlake-dev", "sqlServer", "privatelink.database.windows.net"),
        ("dbw-coinlake-dev", "databricks_ui_api", "privatelink.azuredatabricks.net"),
        ("dbw-coinlake-dev", "browser_authentication", "privatelink.azuredatabricks.net"),
    }
    linked = {one.name for one in resources["Microsoft.Network/privateDnsZones/virtualNetworkLinks"]}
    assert linked == {f"{zone}/coinlake" for zone in zones.values()}


def test_the_factory_reaches_them_from_a_network_of_its_own(resources):
    kind = "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints"
    assert {
        (
            one.content["properties"]["privateLinkResourceId"].rpartition("/")[2],
            one.content["properties"]["groupId"],
        )
        for one in resources[kind]
    } == {
        ("stcoinlakedev", "dfs"),
        ("kv-coinlake-dev", "vault"),
        ("sql-coinlake-dev", "sqlServer"),
        ("dbw-coinlake-dev", "databricks_ui_api"),
    }
    # A runtime of this name is the one that linked services use which name none.
    [runtime] = resources["Microsoft.DataFactory/factories/integrationRuntimes"]
    assert runtime.name == "adf-coinlake-dev/AutoResolveIntegrationRuntime"
    assert runtime.content["properties"]["managedVirtualNetwork"]["referenceName"] == "default"


def test_a_public_environment_has_none_of_it(net, root):
    parameters = AzureResources(environment.clients(root)).parameters()
    made = Counter(one.type.partition("/")[0] for one in arm.resources(arm.read(), parameters, PRIVATE.group_id))
    assert made["Microsoft.Network"] == 0


def test_it_is_made_comes_to_rest_and_goes(net, root):
    assert apply(root) > 60
    assert deployment.plan(parts(root), lambda _line: None) == deployment.Plan(0, ())
    workspace = net.fakes["workspace"].state
    [warehouse] = workspace["warehouses"].values()
    assert (warehouse["enable_serverless_compute"], warehouse["warehouse_type"]) == (False, "PRO")
    deployment.destroy(parts(root), lambda _line: None)
    assert net.fakes["arm"].resources == {}


def test_its_job_runs_on_machines_in_the_network(net, root):
    apply(root, "resources", "compute", "notebooks", "job")
    workspace = net.fakes["workspace"].state
    (job, _), [pool] = workspace["jobs"].values(), workspace["pools"]
    assert job["settings"]["job_clusters"] == [
        {
            "job_cluster_key": "shared",
            "new_cluster": {
                "spark_version": "18.x-scala2.13",
                "instance_pool_id": pool,
                "num_workers": 1,
                "data_security_mode": "SINGLE_USER",
            },
        }
    ]
    assert "environments" not in job["settings"]
    for task in (one for one in job["settings"]["tasks"] if "notebook_task" in one):
        assert task["job_cluster_key"] == "shared"
        assert {"pypi": {"package": f"filelock=={databricks_runtime.pins()['filelock']}"}} in task["libraries"]
    job["settings"]["job_clusters"][0]["new_cluster"]["num_workers"] = 8
    assert deployment.plan(parts(root, "job"), lambda _line: None).changes == 1


@pytest.mark.parametrize("network", ["public", "private"])
def test_a_job_on_a_single_machine_says_so_to_spark(net, root, network):
    described = replace(environment.DEV, machines="single", network=network)
    clients = environment.clients(root, described)
    only = ("resources", "compute", "notebooks", "job")
    deployment.apply(deployment.parts(clients, only), lambda _line: None)
    job, _ = net.fakes["workspace"].state["jobs"].values()
    [cluster] = job["settings"]["job_clusters"]
    assert cluster["new_cluster"] | {"instance_pool_id": ""} == {
        "spark_version": "18.x-scala2.13",
        "instance_pool_id": "",
        "num_workers": 0,
        "data_security_mode": "SINGLE_USER",
        "spark_conf": {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"},
        "custom_tags": {"ResourceClass": "SingleNode"},
    }
    assert "environments" not in job["settings"]
    assert deployment.plan(deployment.parts(clients, only), lambda _line: None).changes == 0


def test_what_databricks_and_people_added_to_the_network_stays(net, root):
    apply(root, "resources")
    made = net.fakes["arm"].resources
    [network] = [one for one in made.values() if one["type"] == "Microsoft.Network/virtualNetworks"]
    [group] = [one for one in made.values() if one["type"] == "Microsoft.Network/networkSecurityGroups"]
    rule = {"name": "databricks-worker-to-worker", "properties": {"access": "Allow", "priority": 100}}
    subnet = {"name": "vpn", "properties": {"addressPrefix": "10.20.3.0/27"}}
    peering = {"name": "to-the-office", "properties": {"allowVirtualNetworkAccess": True}}
    group["properties"]["securityRules"] = [rule | {"id": "x", "etag": "y"}]
    network["properties"]["subnets"].append(subnet | {"id": "x"})
    network["properties"]["virtualNetworkPeerings"] = [peering | {"etag": "y"}]
    assert deployment.plan(parts(root, "resources"), lambda _line: None).changes == 0
    network["tags"] = {}
    assert apply(root, "resources") == 1
    made = net.fakes["arm"].resources
    assert made[group["id"].lower()]["properties"]["securityRules"] == [rule]
    assert made[NETWORK.lower()]["properties"]["subnets"][3:] == [subnet]
    assert made[NETWORK.lower()]["properties"]["virtualNetworkPeerings"] == [peering]


def outside(net):
    """What services answer to the internet once it is shut out. Source: error reports, such as AzureTRE #3789."""

    def refuse(request):
        if request.host.endswith("vault.azure.net") and "Authorization" in request.headers:
            message = (
                "Public network access is disabled and request is not from a trusted service nor via an approved "
                "private link."
            )
            return Answer(
                403,
                {
                    "error": {
                        "code": "Forbidden",
                        "message": message,
                        "innererror": {"code": "ForbiddenByConnection"},
                    }
                },
            )
        if request.host.startswith("adb-"):
            message = "Unauthorized network access to workspace: 1111111111111111"
            return Answer(403, {"error_code": "PERMISSION_DENIED", "message": message})
        return None

    net.before = refuse


def test_who_deploys_from_outside_makes_the_resources_and_is_told_where_to_go_on(net, root):
    outside(net)
    assert apply(root, "resources") == 1
    with pytest.raises(
        NotAllowed, match=r"^compute, comparing: Unauthorized .* closed to the internet: go on from"
    ):
        apply(root)
    net.before = lambda _request: None
    apply(root, "compute")
    outside(net)
    lines = []
    found = deployment.plan(parts(root, "secrets", "compute"), lines.append)
    assert found.unseen == ("compute", "secrets")
    assert "secrets, comparing: https://kv-coinlake-dev.vault.azure.net does not answer. The environment is" in (
        "\n".join(lines)
    )


def test_a_database_behind_the_wall_is_not_seen_from_outside():
    class Closed:
        def attempt(self, work):
            raise WarehouseError(
                "Connection was denied because Deny Public Network Access is set to Yes (47073). To connect to "
                "this server, use the Private Endpoint from inside your virtual network."
            )

    with pytest.raises(NotAllowed, match=r"47073.*closed to the internet"):
        Database(Closed()).waiting()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t["variables"]["endpoints"][0].update(group="file"),
        lambda t: t["variables"]["subnets"][0]["properties"].pop("delegations"),
        lambda t: t["variables"]["factoryEndpoints"][0].update(group="sqlServer"),
    ],
)
def test_azure_refuses_a_network_that_does_not_fit(net, root, monkeypatch, spoil):
    whole = arm.read()
    spoil(whole)
    monkeypatch.setattr(arm, "read", lambda: whole)
    [change] = AzureResources(environment.clients(root, PRIVATE)).changes()
    with pytest.raises(CoinlakeError, match=r"InvalidSubnet|InvalidPrivateEndpoint"):
        change.run()
