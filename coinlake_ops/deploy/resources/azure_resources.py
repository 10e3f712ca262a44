"""The Azure resources: what the ARM template says against what stands in the resource group."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from coinlake.errors import CoinlakeError
from coinlake_ops.azure import lint, template
from coinlake_ops.deploy.arm_client import POLLS, SECONDS_BETWEEN_POLLS
from coinlake_ops.deploy.clients import DEPLOYMENTS_API, Clients
from coinlake_ops.deploy.needed import NotAllowed
from coinlake_ops.deploy.pruning import matching
from coinlake_ops.deploy.resources.part import Change, Part
from coinlake_ops.environment import EVERY_MINUTE

MAIN_PIPELINE = "pl_main"
PERMISSIONS_API = "2022-04-01"
ROLE_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"

# What Azure takes but never gives back, and so cannot be compared.
WRITE_ONLY = {("Microsoft.KeyVault/vaults", "properties.createMode")}

# What a resource shows only to who asks for it.
EXPANDED = {"Microsoft.Sql/servers": {"$expand": "administrators/activedirectory"}}
# What the service tells of a factory and does not take.
FACTORY_READ_ONLY = ("createTime", "provisioningState", "version")
BUDGETS = "Microsoft.Consumption/budgets"
# What only watches: some offers have no budgets, some policies refuse alerts, and neither may hold up the rest.
WATCHING = (
    "Microsoft.Insights/actionGroups",
    "Microsoft.Insights/metricAlerts",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.OperationalInsights/workspaces/savedSearches",
    BUDGETS,
)


# Parts of a resource that must be gone before it can go.
REMOVED_ALONE = ("Microsoft.Network/privateDnsZones/virtualNetworkLinks",)


class AzureResources(Part):
    """One incremental deployment of the template when anything of it is missing or differs."""

    name = "resources"
    purpose = "Azure resources by ARM template: storage, factory, workspace, vault, SQL, logs, roles"

    def __init__(self, clients: Clients):
        super().__init__(clients)
        self._template = self._part_of(template.read())
        self._deployment = clients.deployment

    def _part_of(self, whole: dict[str, Any]) -> dict[str, Any]:
        part = template.only(whole, lambda type_: type_ not in WATCHING)
        return part | {"outputs": whole["outputs"]}

    def changes(self) -> list[Change]:
        """See Part; the deployment itself names every right that is missing before it begins."""
        _require_no_faults()
        self._require_group()
        differences = list(self._differences())
        if not differences:
            return []
        action = "create" if self._clients.arm.get(self._deployment, DEPLOYMENTS_API) is None else "update"
        return [Change(action, "deployment", self._deployment_name, tuple(differences), self._deploy)]

    def notes(self) -> list[str]:
        """See Part: every right that an apply would lack."""
        missing = self._missing_rights()
        return [f"an apply would lack the right {action}" for action in missing]

    def removals(self) -> list[Change]:
        """See Part: what is part of a resource goes with it, and the resource group itself stays."""
        found = []
        for resource in reversed(self._resources()):
            is_part_of_another = (
                resource.scope == self._group and "/" in str(resource.name) and resource.type not in REMOVED_ALONE
            )
            live = None if is_part_of_another else self._live(resource)
            if live is not None:
                call = self._deleting(live["id"], resource.api_version)
                found.append(Change("delete", resource.type, _shown_name(resource), (), call))
        if self._clients.arm.get(self._deployment, DEPLOYMENTS_API):
            call = self._deleting(self._deployment, DEPLOYMENTS_API)
            found.append(Change("delete", "deployment record", self._deployment_name, (), call))
        return found

    def parameters(self) -> dict[str, Any]:
        """The values of the template's parameters, by name."""
        environment, notebooks = self._clients.environment, self._clients.parameters
        factory = self._factory()
        extra = {
            "environment": environment.name,
            "mainPipeline": MAIN_PIPELINE,
            "budgetFrom": self._budget_from(),
            "isScheduled": bool({*environment.running_triggers} - {EVERY_MINUTE}),
            "freshnessHours": max(1, round(float(notebooks["freshness_sla_hours"]))),
            "factoryIdentity": factory_identity(factory or {}),
            "factoryProperties": factory_settings(factory or {})
            | {"publicNetworkAccess": "Disabled" if environment.is_private else "Enabled"},
            "networkKept": self._network_kept(),
        }
        return {
            name: extra[name] if name in extra else getattr(environment, _snake(name))
            for name in self._template["parameters"]
            if name in extra or hasattr(environment, _snake(name))
        }

    def request(self) -> dict[str, Any]:
        """What Resource Manager is asked to deploy, to validate, or to say what it would do."""
        parameters = {name: {"value": value} for name, value in self.parameters().items()}
        if self._clients.deleted_vault() is not None:
            parameters["keyVaultCreateMode"] = {"value": "recover"}
        return {"properties": {"mode": "Incremental", "template": self._template, "parameters": parameters}}

    @property
    def _group(self) -> str:
        return self._clients.environment.group_id

    @property
    def _deployment_name(self) -> str:
        return self._deployment.rpartition("/")[2]

    def _resources(self) -> list[template.Resource]:
        return template.resources(self._template, self.parameters(), self._group, self._reference)

    def _reference(self, resource_id: str) -> Any:
        live = self._clients.arm.get(resource_id, lint.API_VERSIONS[template.type_of(resource_id)])
        return template.UNKNOWN if live is None else live

    def _differences(self) -> Iterator[str]:
        for resource in self._resources():
            live = self._live(resource)
            if live is None:
                yield f"+ {resource.type} {_shown_name(resource)}"
            else:
                for difference in _mismatches(resource.type, resource.content, live):
                    yield f"~ {resource.type} {_shown_name(resource)}: {difference}"

    def _live(self, resource: template.Resource) -> dict[str, Any] | None:
        """The resource as it is; a role assignment is found by what it grants, for its name is a hash."""
        if resource.type != ROLE_ASSIGNMENTS:
            return self._clients.arm.get(resource.id, resource.api_version, **EXPANDED.get(resource.type, {}))
        wanted = {name: resource.content["properties"][name] for name in ("principalId", "roleDefinitionId")}
        if template.UNKNOWN in wanted.values():
            return None
        listed = self._clients.arm.values(
            f"{resource.scope}/providers/{ROLE_ASSIGNMENTS}", resource.api_version, **{"$filter": "atScope()"}
        )
        for assignment in listed:
            properties = assignment["properties"]
            is_here = properties["scope"].lower() == resource.scope.lower()
            if is_here and all(str(properties[name]).lower() == wanted[name].lower() for name in wanted):
                return assignment
        return None

    def _budget_from(self) -> str:
        """The first day of the budget's first month: this month's, and once there is a budget, its own.

        Source: Azure REST API reference, Budgets: a new budget must not begin in the past.
        """
        path = self._clients.resource_id(BUDGETS, f"coinlake-{self._clients.environment.name}")
        live = self._clients.arm.get(path, lint.API_VERSIONS[BUDGETS])
        start = live["properties"]["timePeriod"]["startDate"] if live else self._clients.now().date().isoformat()
        return f"{start[:7]}-01"

    def _factory(self) -> dict[str, Any] | None:
        """The factory as it is: what it has and the template does not say, a deployment must not delete."""
        path = self._clients.resource_id("Microsoft.DataFactory/factories", self._clients.environment.factory)
        return self._clients.arm.get(path, lint.API_VERSIONS["Microsoft.DataFactory/factories"])

    def _network_kept(self) -> dict[str, list[dict[str, Any]]]:
        """What a private network has besides the template's: rules that Databricks writes, subnets of people."""
        if not self._clients.environment.is_private:
            return {"rules": [], "subnets": [], "peerings": []}

        def held(type_: str, prefix: str, field: str) -> list[dict[str, Any]]:
            path = self._clients.resource_id(type_, f"{prefix}-coinlake-{self._clients.environment.name}")
            live = self._clients.arm.get(path, lint.API_VERSIONS[type_])
            entries = live["properties"].get(field) or [] if live else []
            return [{"name": entry["name"], "properties": entry["properties"]} for entry in entries]

        subnets = held("Microsoft.Network/virtualNetworks", "vnet", "subnets")
        ours = {subnet["name"] for subnet in self._template["variables"]["subnets"]}
        return {
            "rules": held("Microsoft.Network/networkSecurityGroups", "nsg", "securityRules"),
            "subnets": [subnet for subnet in subnets if subnet["name"] not in ours],
            "peerings": held("Microsoft.Network/virtualNetworks", "vnet", "virtualNetworkPeerings"),
        }

    def _require_group(self) -> None:
        if self._clients.arm.get(self._group, DEPLOYMENTS_API) is None:
            environment = self._clients.environment
            raise CoinlakeError(
                f"There is no resource group {environment.resource_group} in subscription "
                f"{environment.subscription}. Make it: "
                f"az group create --name {environment.resource_group} --location {environment.location}"
            )

    def _missing_rights(self) -> list[str]:
        """Every action that the deployment needs and the signed-in identity may not do in the group."""
        granted = self._clients.arm.values(
            f"{self._group}/providers/Microsoft.Authorization/permissions", PERMISSIONS_API
        )
        needed = ["Microsoft.Resources/deployments/write", "Microsoft.Resources/deployments/validate/action"]
        needed += sorted({f"{resource.type}/write" for resource in self._resources()})
        return [action for action in needed if not any(_allows(permission, action) for permission in granted)]

    def _require_rights(self) -> None:
        missing = self._missing_rights()
        if missing:
            raise NotAllowed(
                f"Rights are missing on {self._group}:\n  " + "\n  ".join(missing) + "\nThe roles Contributor and "
                "Role Based Access Control Administrator on the resource group hold all of them."
            )

    def _deploy(self) -> None:
        environment = self._clients.environment
        self._require_rights()
        body = self.request()
        self._clients.sign_in()
        self._wait_for_the_one_under_way()
        checked = self._clients.arm.post(f"{self._deployment}/validate", DEPLOYMENTS_API, body)
        if "error" in checked:
            reason = f"{checked['error'].get('code')}: {checked['error'].get('message')}"
            raise CoinlakeError(f"Azure refuses the template in {environment.resource_group}: {reason}")
        self._clients.arm.put(self._deployment, DEPLOYMENTS_API, body)

    def _wait_for_the_one_under_way(self) -> None:
        """Azure refuses a second deployment of the name while the first, perhaps of a call that died, runs."""
        for _ in range(POLLS):
            record = self._clients.arm.get(self._deployment, DEPLOYMENTS_API)
            if record is None or record["properties"]["provisioningState"] in ("Succeeded", "Failed", "Canceled"):
                return
            self._clients.sleep(SECONDS_BETWEEN_POLLS)

    def _deleting(self, path: str, version: str):
        return lambda: self._clients.arm.delete(path, version)


class Watching(AzureResources):
    """Alerts, saved queries and the budget, after everything else and in a deployment of their own."""

    name = "watching"
    purpose = "Azure resources by ARM template: alerts, saved queries, budget"

    def __init__(self, clients: Clients):
        super().__init__(clients)
        self._deployment = f"{clients.deployment}-watching"

    def _part_of(self, whole: dict[str, Any]) -> dict[str, Any]:
        types = [one for one in WATCHING if one != BUDGETS or self._clients.environment.monthly_budget]
        return template.only(whole, types.__contains__)


@cache
def _require_no_faults() -> None:
    """Raises CoinlakeError for a template that cannot be deployed; one that can is looked at once."""
    faults = lint.faults(template.read())
    if faults:
        raise CoinlakeError("The template cannot be deployed:\n  " + "\n  ".join(faults))


def factory_settings(factory: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a factory that can be written: a PUT deletes those that it leaves out."""
    held = factory.get("properties", {})
    return {name: value for name, value in held.items() if name not in FACTORY_READ_ONLY}


def factory_identity(factory: Mapping[str, Any]) -> dict[str, Any]:
    """The identities of a factory as they are written: its own, and those that somebody assigned to it."""
    assigned = factory.get("identity", {}).get("userAssignedIdentities") or {}
    if not assigned:
        return {"type": "SystemAssigned"}
    return {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {id_: {} for id_ in assigned}}


def _mismatches(type_: str, desired: Any, live: Any, path: str = "") -> Iterator[str]:
    """In words, where a live resource lacks what the template says; what Azure adds is no difference."""
    if (
        desired is template.UNKNOWN
        or (type_, path) in WRITE_ONLY
        or (desired in ({}, []) and live in (None, {}, []))
    ):
        return
    if isinstance(desired, dict) and isinstance(live, dict):
        for name, part in desired.items():
            yield from _mismatches(type_, part, live.get(name), f"{path}.{name}" if path else name)
    elif isinstance(desired, list) and isinstance(live, list):
        yield from _list_mismatches(type_, desired, live, path)
    elif not _same(desired, live):
        yield f"{path}: {live!r} -> {desired!r}"


def _list_mismatches(type_: str, desired: list[Any], live: list[Any], path: str) -> Iterator[str]:
    """As _mismatches, in any order. What is listed though nobody asked for it is no difference while it is off."""

    def is_same(one: Any, wanted: Any) -> bool:
        return not list(_mismatches(type_, wanted, one, path))

    left = list(live)
    for index, wanted in enumerate(desired):
        match = matching(left, wanted, is_same)
        if match is None:
            yield f"{path}[{index}]: not there as the template has it"
        else:
            left.remove(match)
            yield from _mismatches(
                type_, wanted, match, f"{path}[{index}]" if not is_same(match, wanted) else path
            )
    for one in left:
        if not (isinstance(one, dict) and one.get("enabled") is False):
            yield f"{path}: {one!r} is there, and not in the template"


def _same(desired: Any, live: Any) -> bool:
    if isinstance(desired, str) and isinstance(live, str):
        # Azure gives ids and region names back in its own capitals and spaces.
        return desired.lower().replace(" ", "") == live.lower().replace(" ", "")
    return (type(desired) is type(live) and desired == live) or (desired == live and not isinstance(live, bool))


def _allows(permission: Mapping[str, Any], action: str) -> bool:
    def matches(patterns) -> bool:
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)

    return matches(permission.get("actions", ())) and not matches(permission.get("notActions", ()))


def _shown_name(resource: template.Resource) -> str:
    if resource.type == ROLE_ASSIGNMENTS:
        properties = resource.content["properties"]
        role = lint.ROLES[properties["roleDefinitionId"].rpartition("/")[2]]
        return f"{role} on {resource.scope.rpartition('/')[2]}: {properties['description']}"
    place = resource.scope.rpartition("/")[2]
    return f"{resource.name} of {place}" if "/providers/" in resource.scope else resource.name


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
