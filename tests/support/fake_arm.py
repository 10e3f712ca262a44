"""Azure Resource Manager: it evaluates templates on its own and refuses what Azure refuses."""

import copy
import json
import re
import uuid
from ipaddress import ip_network
from types import SimpleNamespace

from tests.support import tokens
from tests.support.fake_factory import FakeFactory
from tests.support.internet import Answer, Request

PRINCIPALS = uuid.UUID("11111111-2222-3333-4444-555555555555")
WORKSPACE_NUMBER = "1111111111111111"
WORKSPACE_HOST = f"adb-{WORKSPACE_NUMBER}.1.azuredatabricks.net"

VERSIONS = {
    "Microsoft.Resources/deployments": {"2022-09-01"},
    "Microsoft.Resources/resourceGroups": {"2022-09-01"},
    "Microsoft.Authorization/permissions": {"2022-04-01"},
    "Microsoft.Authorization/roleAssignments": {"2022-04-01"},
    "Microsoft.Consumption/budgets": {"2023-11-01", "2023-05-01"},
    "Microsoft.DataFactory/factories": {"2018-06-01"},
    "Microsoft.DataFactory/factories/integrationRuntimes": {"2018-06-01"},
    "Microsoft.DataFactory/factories/managedVirtualNetworks": {"2018-06-01"},
    "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints": {"2018-06-01"},
    "Microsoft.Databricks/accessConnectors": {"2024-05-01"},
    "Microsoft.Databricks/workspaces": {"2024-05-01"},
    "Microsoft.Insights/actionGroups": {"2023-01-01"},
    "Microsoft.Insights/diagnosticSettings": {"2021-05-01-preview"},
    "Microsoft.Insights/metricAlerts": {"2018-03-01"},
    "Microsoft.Insights/scheduledQueryRules": {"2023-12-01"},
    "Microsoft.KeyVault/vaults": {"2023-07-01"},
    "Microsoft.KeyVault/locations/deletedVaults": {"2023-07-01"},
    "Microsoft.ManagedIdentity/identities": {"2023-01-31"},
    "Microsoft.Network/natGateways": {"2023-11-01"},
    "Microsoft.Network/networkSecurityGroups": {"2023-11-01"},
    "Microsoft.Network/privateDnsZones": {"2020-06-01"},
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": {"2020-06-01"},
    "Microsoft.Network/privateEndpoints": {"2023-11-01"},
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": {"2023-11-01"},
    "Microsoft.Network/publicIPAddresses": {"2023-11-01"},
    "Microsoft.Network/virtualNetworks": {"2023-11-01"},
    "Microsoft.OperationalInsights/workspaces": {"2023-09-01"},
    "Microsoft.OperationalInsights/workspaces/savedSearches": {"2020-08-01"},
    "Microsoft.Sql/servers": {"2023-08-01"},
    "Microsoft.Sql/servers/databases": {"2023-08-01"},
    "Microsoft.Sql/servers/firewallRules": {"2023-08-01"},
    "Microsoft.Storage/storageAccounts": {"2023-05-01"},
    "Microsoft.Storage/storageAccounts/blobServices": {"2023-05-01"},
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"2023-05-01"},
    "Microsoft.Storage/storageAccounts/managementPolicies": {"2023-05-01"},
}
NAMESPACES = {kind.partition("/")[0] for kind in VERSIONS} | {"Microsoft.Compute"}
# What can be logged and measured of a resource, by its type.
CATEGORIES = {
    "logs": {
        "Microsoft.DataFactory/factories": ("ActivityRuns", "PipelineRuns", "TriggerRuns", "SandboxPipelineRuns"),
        "Microsoft.KeyVault/vaults": ("AuditEvent", "AzurePolicyEvaluationDetails"),
        "Microsoft.Storage/storageAccounts/blobServices": ("StorageRead", "StorageWrite", "StorageDelete"),
        "Microsoft.Sql/servers/databases": ("SQLInsights", "Errors", "Timeouts", "Blocks", "Deadlocks"),
        "Microsoft.Databricks/workspaces": ("dbfs", "clusters", "jobs", "secrets", "unityCatalog"),
    },
    "metrics": {
        "Microsoft.DataFactory/factories": ("AllMetrics",),
        "Microsoft.KeyVault/vaults": ("AllMetrics",),
        "Microsoft.Storage/storageAccounts/blobServices": ("Capacity", "Transaction"),
        "Microsoft.Sql/servers/databases": ("Basic", "InstanceAndAppAdvanced", "WorkloadManagement"),
        "Microsoft.Databricks/workspaces": (),
    },
}
# What can be reached by a private endpoint, by type: Azure documentation, "Private-link resource".
GROUPS = {
    "Microsoft.Storage/storageAccounts": {"blob", "dfs"},
    "Microsoft.KeyVault/vaults": {"vault"},
    "Microsoft.Sql/servers": {"sqlServer"},
    "Microsoft.Databricks/workspaces": {"databricks_ui_api", "browser_authentication"},
}
OWNER = [{"actions": ["*"], "notActions": []}]


class FakeArm:
    """One subscription: resource groups, resources by id, deployments, and who may do what."""

    def __init__(self, group_id: str, permissions=OWNER):
        self.permissions = permissions
        self.month = "2026-12"
        # When deployments end, with Azure's seven digits of a second.
        self.deployed_at = "2026-12-15T11:55:00.1234567Z"
        # Types that the subscription's offer does not have: the rest of a deployment is made all the same.
        self.unsupported: set[str] = set()
        self.enabled, self.offer = "Enabled", "PayAsYouGo_2014-09-01"
        self.unregistered: set[str] = set()
        self.regions = ["West Europe", "North Europe"]
        self.vcpus = {"cores": 100, "standardDDSv5Family": 100, "standardNCFamily": 0}
        self.taken: set[str] = set()
        # Said in an answer of its own, or by refusing the question.
        self.policy, self.refuses_what_if = "", False
        self.state = {
            "groups": {group_id},
            "resources": {},
            "deployments": {},
            "deleted_vaults": set(),
            "busy": {},
        }

    def answers(self, host: str) -> bool:
        return host == "management.azure.com"

    @property
    def resources(self) -> dict:
        return self.state["resources"]

    def handle(self, request: Request) -> Answer:
        if tokens.claims(request.headers.get("Authorization")).get("aud") != "https://management.azure.com":
            return _error(401, "InvalidAuthenticationToken", "The access token is for another audience.")
        path = request.path
        if "/operations/" in path:
            return self._operation(path)
        child = re.fullmatch(
            r"(.+/Microsoft\.DataFactory/factories/[^/]+)/(\w+)(?:/([^/]+))?(?:/(start|stop|createRun))?", path
        )
        is_network = child and child[2] in ("managedVirtualNetworks", "integrationRuntimes")
        if child and not is_network and "/providers/Microsoft.Insights" not in path:
            return FakeFactory(self.resources, child[1]).handle(request, child[2], child[3], child[4])
        about_subscription = self._about_subscription(request)
        if about_subscription is not None:
            return about_subscription
        kind = _type(path)
        if request.query.get("api-version") not in VERSIONS.get(kind, ()):
            version = request.query.get("api-version")
            return _error(400, "NoRegisteredProviderFound", f"No provider for {kind} in {version}.")
        group = re.match(r"/subscriptions/[^/]+/resourceGroups/[^/]+", path)
        if group and group[0] not in self.state["groups"]:
            return _error(404, "ResourceGroupNotFound", f"Resource group {group[0]} could not be found.")
        if kind == "Microsoft.Resources/resourceGroups":
            return Answer(200, {"id": path, "location": "westeurope"})
        if kind == "Microsoft.Resources/deployments":
            return self._deployment(request)
        if kind == "Microsoft.Authorization/permissions":
            return Answer(200, {"value": self.permissions})
        if kind == "Microsoft.KeyVault/locations/deletedVaults":
            there = path.rpartition("/")[2] in self.state["deleted_vaults"]
            return Answer(200, {"id": path}) if there else _error(404, "NotFound", "no deleted vault")
        if kind == "Microsoft.ManagedIdentity/identities":
            return self._identity(path.partition("/providers/Microsoft.ManagedIdentity/")[0])
        if path.endswith("/roleAssignments"):
            return self._role_assignments(path)
        return self._resource(request, kind)

    def _about_subscription(self, request: Request) -> Answer | None:
        """Source: examples of the Azure REST API specifications: subscriptions, providers, usages, names."""
        version, path = request.query.get("api-version"), re.sub(r"^/subscriptions/[^/]+", "", request.path)
        if path == "" and version == "2022-12-01":
            return Answer(200, {"state": self.enabled, "subscriptionPolicies": {"quotaId": self.offer}})
        if path == "/providers" and version == "2021-04-01":
            return Answer(200, {"value": [self._provider(name) for name in NAMESPACES]})
        if path.endswith("/usages") and version == "2024-07-01":
            used = {name: {"value": name, "localizedValue": f"vCPUs of {name}"} for name in self.vcpus}
            return Answer(
                200,
                {"value": [{"name": used[name], "limit": self.vcpus[name], "currentValue": 2} for name in used]},
            )
        if path.endswith("/checkNameAvailability"):
            name, field = request.json["name"], "available" if "Sql" in path else "nameAvailable"
            is_free = name not in self.taken
            return Answer(200, {field: is_free} | ({} if is_free else {"message": f"{name} is already taken."}))
        if path.endswith("/whatIf"):
            return self._what_if()
        return None

    def _what_if(self) -> Answer:
        """What a policy says stands in the details. Source: examples of deployments (What If); azure-cli #6075."""
        if not self.policy:
            return Answer(200, {"status": "Succeeded", "properties": {"changes": []}})
        error = {
            "code": "InvalidTemplateDeployment",
            "message": "The template deployment failed because of policy violation. Please see details for more "
            "information.",
            "details": [{"code": "RequestDisallowedByPolicy", "target": "stcoinlakedev", "message": self.policy}],
        }
        if self.refuses_what_if:
            return Answer(400, {"error": error})
        return Answer(200, {"status": "Failed", "error": error})

    def _provider(self, namespace: str) -> dict:
        types = [kind for kind in VERSIONS if kind.startswith(f"{namespace}/")]
        shown = [{"resourceType": kind.partition("/")[2], "locations": self.regions} for kind in types]
        state = "NotRegistered" if namespace in self.unregistered else "Registered"
        return {"namespace": namespace, "registrationState": state, "resourceTypes": shown}

    def _resource(self, request: Request, kind: str) -> Answer:
        held = self.resources.get(request.path.lower())
        if request.method == "GET":
            shown = _shown(held, request.query.get("$expand", "")) if held else None
            return Answer(200, shown) if held else _error(404, "ResourceNotFound", f"{request.path}: none")
        action = f"{kind}/{'delete' if request.method == 'DELETE' else 'write'}"
        if not self._may(action):
            return self._forbidden(action, request.path)
        if request.method == "PUT":
            # Only the factory is written past the template: whatever a PUT leaves out is gone afterwards.
            kept = {name: held[name] for name in ("id", "name", "type")} | {"children": held["children"]}
            sent = request.json.get("identity")
            identity = self.identities(sent, request.path) if sent else {}
            self.resources[request.path.lower()] = kept | request.json | {"identity": identity}
            return Answer(200, _shown(self.resources[request.path.lower()]))
        return self._delete(request.path, kind, held)

    def _delete(self, path: str, kind: str, held) -> Answer:
        if held is None:
            return Answer(204)
        user = self._user_of(path, kind)
        if user:
            return _error(400, "InUse", f"{path} is used by {user}.")
        if kind == "Microsoft.KeyVault/vaults":
            self.state["deleted_vaults"].add(held["name"])
        extension = "/providers/"
        for id_ in [id_ for id_ in self.resources if id_ == path.lower() or id_.startswith(f"{path.lower()}/")]:
            if extension not in id_.removeprefix(path.lower()):
                del self.resources[id_]
        if kind in ("Microsoft.KeyVault/vaults", "Microsoft.Authorization/roleAssignments"):
            return Answer(200)
        operation = f"/subscriptions/s/operations/{len(self.state['busy'])}"
        self.state["busy"][operation] = 1
        return Answer(202, headers={"Location": f"https://management.azure.com{operation}?api-version=2022-09-01"})

    def _user_of(self, path: str, kind: str) -> str | None:
        """What must go before a part of a network can go: who refers to it, and for a zone, what is in it."""
        if not kind.startswith("Microsoft.Network/"):
            return None
        for id_, one in self.resources.items():
            is_inside = id_.startswith(f"{path.lower()}/")
            if is_inside and kind == "Microsoft.Network/privateDnsZones":
                return id_
            if not is_inside and id_ != path.lower() and path.lower() in json.dumps(one["properties"]).lower():
                return id_
        return None

    def _operation(self, path: str) -> Answer:
        left = self.state["busy"][path]
        self.state["busy"][path] = left - 1
        location = f"https://management.azure.com{path}?api-version=2022-09-01"
        return Answer(202, headers={"Location": location}) if left > 0 else Answer(204)

    def _role_assignments(self, path: str) -> Answer:
        scope = path.rpartition("/providers/")[0].lower()
        found = [
            _shown(resource)
            for resource in self.resources.values()
            if resource["type"] == "Microsoft.Authorization/roleAssignments"
            and scope.startswith(resource["properties"]["scope"].lower())
        ]
        return Answer(200, {"value": found})

    def _deployment(self, request: Request) -> Answer:
        path = request.path.removesuffix("/validate")
        record = self.state["deployments"].get(path)
        if request.method == "GET":
            if record is None:
                return _error(404, "DeploymentNotFound", "no such deployment")
            states = record["waiting"]
            state = states.pop(0) if len(states) > 1 else states[0]
            properties = {"provisioningState": state, "timestamp": self.deployed_at}
            properties |= {"outputs": record["outputs"]} if state == "Succeeded" else {}
            properties |= {"error": record["error"]} if state == "Failed" else {}
            return Answer(200, {"id": path, "properties": properties})
        if request.method == "DELETE":
            self.state["deployments"].pop(path, None)
            return Answer(204)
        if not self._may("Microsoft.Resources/deployments/write"):
            return self._forbidden("Microsoft.Resources/deployments/write", path)
        if record and record["waiting"][0] not in ("Succeeded", "Failed"):
            return _error(409, "DeploymentActive", "The deployment is still active.")
        group_id = path.partition("/providers/")[0]
        try:
            made, outputs = self._evaluate(request.json["properties"], group_id)
        except Refused as refusal:
            return _error(400, refusal.code, str(refusal))
        if request.path.endswith("/validate"):
            return Answer(200, {"properties": {"provisioningState": "Succeeded"}})
        refused = {id_ for id_, one in made.items() if one["type"] in self.unsupported}
        self.resources.update({id_: one for id_, one in made.items() if id_ not in refused})
        self.state["deleted_vaults"] -= {resource["name"] for resource in made.values()}
        self.state["deployments"][path] = {
            "outputs": outputs,
            "waiting": ["Running", "Running", "Failed" if refused else "Succeeded"],
            "error": {
                "code": "BadRequest",
                "message": f"The offer does not support: {', '.join(sorted(refused))}",
            },
        }
        return Answer(201, {"id": path, "properties": {"provisioningState": "Accepted"}})

    def _evaluate(self, properties: dict, group_id: str):
        """The resources and outputs of a template; nothing is kept when any of it is refused."""
        template, given = properties["template"], properties["parameters"]
        if properties["mode"] != "Incremental":
            raise Refused("InvalidMode", "Complete mode deletes what is not in the template.")
        for name in given:
            if name not in template["parameters"]:
                raise Refused("InvalidTemplate", f"The template has no parameter {name}.")
        values = {}
        for name, declared in template["parameters"].items():
            if name not in given and "defaultValue" not in declared:
                raise Refused("InvalidTemplate", f"The value for the parameter {name} is not provided.")
            values[name] = given[name]["value"] if name in given else declared["defaultValue"]
        scope = _Scope(self, template, values, group_id)
        waiting, left_out = scope.listed()
        done = set(left_out)
        while waiting:
            ready = [one for one in waiting if all(need in done for need in scope.at(one).of(_needs(one)))]
            if not ready:
                raise Refused("InvalidTemplate", "Circular dependency, or dependsOn names no resource.")
            for document in ready:
                resource = scope.at(document).make(document)
                self._check(resource, document)
                self._check_network(resource, scope.made)
                scope.made[resource["id"].lower()] = resource
                done.add(resource["id"])
                waiting.remove(document)
        outputs = {
            name: {"type": out["type"], "value": scope.of(out["value"])}
            for name, out in template["outputs"].items()
        }
        return scope.made, outputs

    def _check(self, resource: dict, document: dict) -> None:
        kind, before = resource["type"], self.resources.get(resource["id"].lower())
        if document["apiVersion"] not in VERSIONS.get(kind, ()):
            raise Refused("InvalidTemplate", f"{kind} has no version {document['apiVersion']}.")
        if not self._may(f"{kind}/write"):
            raise Refused("AuthorizationFailed", f"{kind}/write on {resource['id']}")
        properties = resource["properties"]
        if kind == "Microsoft.KeyVault/vaults" and before is None:
            is_deleted = resource["name"] in self.state["deleted_vaults"]
            if is_deleted != (properties["createMode"] == "recover"):
                raise Refused(
                    "ConflictError", f"A vault {resource['name']} is deleted, or there is none to recover."
                )
        starts_late = (
            kind == "Microsoft.Consumption/budgets" and properties["timePeriod"]["startDate"][:7] < self.month
        )
        if starts_late and before is None:
            raise Refused("400", "Start date must not be before the current month.")
        held = before["properties"] if before else properties
        if held.get("isHnsEnabled") != properties.get("isHnsEnabled"):
            raise Refused("AccountPropertyCannotBeUpdated", "isHnsEnabled cannot be changed.")
        if kind == "Microsoft.Authorization/roleAssignments":
            self._check_assignment(resource)

    def _check_network(self, resource: dict, made: dict) -> None:
        """Source: Azure documentation, "Deploy Azure Databricks in your Azure virtual network"."""
        properties, there = resource["properties"], self.resources | made
        network = properties.get("parameters", {}).get("customVirtualNetworkId")
        if network:
            subnets = {one["name"]: one for one in there[network["value"].lower()]["properties"]["subnets"]}
            for name in ("customPublicSubnetName", "customPrivateSubnetName"):
                subnet = subnets[properties["parameters"][name]["value"]]["properties"]
                delegated = {one["properties"]["serviceName"] for one in subnet.get("delegations", [])}
                if delegated != {"Microsoft.Databricks/workspaces"} or "networkSecurityGroup" not in subnet:
                    raise Refused("InvalidSubnet", "The subnet is not delegated, or has no security group.")
        if resource["type"] == "Microsoft.Network/privateEndpoints":
            [connection] = properties["privateLinkServiceConnections"]
            target, [group] = (
                connection["properties"]["privateLinkServiceId"],
                connection["properties"]["groupIds"],
            )
            if target.lower() not in there or group not in GROUPS[_type(target)]:
                raise Refused("InvalidPrivateEndpoint", f"{group} of {target}")
            network, _, subnet = properties["subnet"]["id"].partition("/subnets/")
            if subnet not in [one["name"] for one in there[network.lower()]["properties"]["subnets"]]:
                raise Refused("InvalidResourceReference", f"no subnet {subnet}")
        is_managed = resource["type"].endswith("/managedPrivateEndpoints")
        if is_managed and properties["groupId"] not in GROUPS[_type(properties["privateLinkResourceId"])]:
            raise Refused("InvalidPrivateEndpoint", str(properties))

    def _check_assignment(self, resource: dict) -> None:
        said = [resource["properties"][name] for name in ("principalId", "roleDefinitionId", "scope")]
        for other in self.resources.values():
            is_other = other["type"] == resource["type"] and other["id"].lower() != resource["id"].lower()
            names = ("principalId", "roleDefinitionId", "scope")
            if is_other and said == [other["properties"][name] for name in names]:
                raise Refused("RoleAssignmentExists", "The role assignment already exists.")

    def principal(self, resource_id: str) -> str:
        return str(uuid.uuid5(PRINCIPALS, resource_id.lower()))

    def _identity(self, owner: str) -> Answer:
        held = self.resources.get(owner.lower())
        if held is None or "identity" not in held:
            return _error(404, "ResourceNotFound", f"{owner} has no identity of its own.")
        principal = held["identity"]["principalId"]
        client = str(uuid.uuid5(PRINCIPALS, principal))
        return Answer(200, {"name": "default", "properties": {"clientId": client, "principalId": principal}})

    def identities(self, sent: dict, owner: str) -> dict:
        """The identities of a resource as the service shows them: with ids, those that were not sent gone."""
        assigned = {id_: {"principalId": "p", "clientId": "c"} for id_ in sent.get("userAssignedIdentities", {})}
        own = {"principalId": self.principal(owner)} if "SystemAssigned" in sent["type"] else {}
        return {"type": sent["type"]} | own | ({"userAssignedIdentities": assigned} if assigned else {})

    def _may(self, action: str) -> bool:
        return any(
            re.fullmatch(pattern.replace(".", r"\.").replace("*", ".*"), action)
            for permission in self.permissions
            for pattern in permission["actions"]
        )

    def _forbidden(self, action: str, scope: str) -> Answer:
        message = f"The client 'x' does not have authorization to perform action '{action}' over scope '{scope}'."
        return _error(403, "AuthorizationFailed", message)


class Refused(Exception):
    """A deployment that Azure does not accept."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class _Scope:
    """What a template's expressions see; they are run as Python, which they resemble."""

    def __init__(self, arm: FakeArm, template, values, group_id):
        self.made: dict[str, dict] = {}
        self._arm, self._template, self._values, self._group_id = arm, template, values, group_id
        self._index = 0

    def listed(self) -> tuple[list[dict], list[str]]:
        """The documents to make, one for each copy with its number, and the ids of those that are left out."""
        documents, left_out = [], []
        for document in self._template["resources"]:
            times = self.of(document["copy"]["count"]) if "copy" in document else 1
            for index in range(times):
                one = document | {"copy": index}
                if self.of(document.get("condition", True)):
                    documents.append(one)
                else:
                    left_out.append(self.at(one).id_of(one))
        return documents, left_out

    def at(self, document: dict) -> "_Scope":
        other = copy.copy(self)
        other._index = document["copy"]
        return other

    def id_of(self, document: dict) -> str:
        base = self.of(document["scope"]) if "scope" in document else self._group_id
        return f"{base}/providers/{_joined(document['type'], self.of(document['name']).split('/'))}"

    def of(self, value):
        if isinstance(value, dict):
            found = {name: self.of(part) for name, part in value.items()}
            return {name: part for name, part in found.items() if part is not None}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        if not (isinstance(value, str) and value.startswith("[")):
            return value
        source = re.sub(r"'((?:[^']|'')*)'", lambda match: repr(match[1].replace("''", "'")), value[1:-1])
        source = re.sub(r"\bif\(", "either(", source)
        functions = {
            "parameters": lambda name: _members(self._values[name]),
            "variables": lambda name: _members(self.of(self._template["variables"][name])),
            "either": lambda condition, one, other: one if condition else other,
            "equals": lambda one, other: one == other,
            "length": len,
            "concat": lambda *parts: [entry for part in parts for entry in part],
            "copyIndex": lambda: self._index,
            "cidrSubnet": lambda network, size, index: str([*ip_network(network).subnets(new_prefix=size)][index]),
            "format": lambda text, *parts: text.format(*parts),
            "json": json.loads,
            "guid": lambda *parts: str(uuid.uuid5(PRINCIPALS, "/".join(parts))),
            "resourceId": lambda kind, *names: f"{self._group_id}/providers/{_joined(kind, names)}",
            "subscriptionResourceId": lambda kind, *names: (
                f"{self._group_id.partition('/resourceGroups')[0]}/providers/{_joined(kind, names)}"
            ),
            "reference": self._reference,
        }
        return _plain(eval(source, {"__builtins__": {}}, functions))

    def make(self, document: dict) -> dict:
        name, id_ = self.of(document["name"]), self.id_of(document)
        base = id_.rpartition("/providers/")[0]
        before = self._arm.resources.get(id_.lower(), {})
        ours = ("scope", "dependsOn", "apiVersion", "condition", "copy")
        content = {key: self.of(part) for key, part in document.items() if key not in ours}
        resource = content | {"id": id_, "name": name.rpartition("/")[2], "children": before.get("children", {})}
        resource["properties"] = _served(document["type"], resource["name"], base, resource["properties"])
        if "identity" in resource:
            resource["identity"] = self._arm.identities(resource["identity"], id_)
        return resource

    def _reference(self, id_, _version=None, full=None):
        if id_.lower() not in self.made:
            raise Refused("InvalidTemplate", f"reference to {id_}, which is not made before it is used.")
        found = self.made[id_.lower()]
        return _attributes(found if full else found["properties"])


def _served(kind: str, name: str, scope: str, properties: dict) -> dict:
    """What the service makes of the properties that it is sent."""
    added = {
        "Microsoft.Databricks/workspaces": {
            "workspaceId": WORKSPACE_NUMBER,
            "workspaceUrl": WORKSPACE_HOST,
            "provisioningState": "Succeeded",
        },
        "Microsoft.KeyVault/vaults": {"vaultUri": f"https://{name}.vault.azure.net/", "accessPolicies": []},
        "Microsoft.Sql/servers": {"fullyQualifiedDomainName": f"{name}.database.windows.net", "state": "Ready"},
        "Microsoft.Authorization/roleAssignments": {"scope": scope},
    }
    return properties | added.get(kind, {})


def _shown(resource: dict, expand: str = "") -> dict:
    """A resource as GET gives it: without what only counts when it is made, with what the service adds.

    Source: examples of the Azure REST API specifications: servers (Get), diagnosticSettings (Get), vaults (Get).
    """
    shown = {name: value for name, value in resource.items() if name != "children"}
    properties = dict(shown["properties"])
    if resource["type"] == "Microsoft.KeyVault/vaults":
        del properties["createMode"]
    if resource["type"] == "Microsoft.Sql/servers" and expand != "administrators/activedirectory":
        del properties["administrators"]
    if resource["type"] == "Microsoft.Insights/diagnosticSettings":
        owner = _type(resource["id"].partition("/providers/Microsoft.Insights/")[0])
        properties |= {kind: _categories(properties.get(kind, []), CATEGORIES[kind][owner]) for kind in CATEGORIES}
    return shown | {"properties": _in_another_order(properties)}


def _categories(asked: list[dict], every: tuple[str, ...]) -> list[dict]:
    """Every category that there is, those that nobody asked for switched off."""
    retention = {"enabled": False, "days": 0}
    off = [
        {"category": name, "enabled": False} for name in every if name not in {one["category"] for one in asked}
    ]
    return [one | {"categoryGroup": None, "retentionPolicy": retention} for one in [*asked, *off]]


def _in_another_order(value):
    if isinstance(value, dict):
        return {name: _in_another_order(part) for name, part in value.items()}
    return [_in_another_order(part) for part in reversed(value)] if isinstance(value, list) else value


def _needs(document: dict) -> list[str]:
    return document.get("dependsOn", [])


class _Members(dict):
    """An object of a template: its members are reached by a dot too."""

    __getattr__ = dict.__getitem__


def _members(value):
    if isinstance(value, dict):
        return _Members({name: _members(part) for name, part in value.items()})
    return [_members(part) for part in value] if isinstance(value, list) else value


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _attributes(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _attributes(part) for name, part in value.items() if name.isidentifier()})
    return value


def _joined(kind: str, names) -> str:
    provider, *segments = kind.split("/")
    assert len(segments) == len(names), f"{kind} needs {len(segments)} names, not {names}"
    return "/".join([provider, *(part for pair in zip(segments, names, strict=True) for part in pair)])


def _type(path: str) -> str:
    if "/providers/" not in path:
        return "Microsoft.Resources/resourceGroups"
    provider, *segments = path.removesuffix("/validate").rpartition("/providers/")[2].split("/")
    return "/".join([provider, *segments[0::2]])


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": {"code": code, "message": message}})
