"""What would stop a first deployment, found before anything is created: each with the command that mends it.

Source: Azure REST API reference, Subscriptions, Providers, Check Name Availability, Usage, Deployments What If;
Databricks REST API, Metastores, Grants, Groups.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from databricks.sdk.errors import DatabricksError

from coinlake.errors import CoinlakeError
from coinlake_ops.azure import template
from coinlake_ops.deploy.arm_client import reasons
from coinlake_ops.deploy.clients import DEPLOYMENTS_API, Clients
from coinlake_ops.deploy.needed import NotAllowed
from coinlake_ops.deploy.resources.azure_resources import AzureResources

SUBSCRIPTIONS_API = "2022-12-01"
PROVIDERS_API = "2021-04-01"
USAGES_API = "2024-07-01"
# Beside those of the template: what Databricks makes in the group that it manages.
MANAGED = ("Microsoft.Compute", "Microsoft.ManagedIdentity", "Microsoft.Network")
# Serverless machines count nowhere. One that exports tables, for load_with=copy, has four; in a network of its own
# the job has two more of that kind.
VCPUS, PRIVATE_VCPUS = 4, 12
# What the quota of a subscription begins with, when its offer has no budgets.
WITHOUT_BUDGETS = ("AzureForStudents", "FreeTrial", "AzurePass", "DreamSpark")
# The type of a name that is unique in all of Azure -> which value it is, and the version that checks it.
UNIQUE = {
    "Microsoft.Storage/storageAccounts": ("storage_account", "2023-05-01"),
    "Microsoft.KeyVault/vaults": ("key_vault", "2023-07-01"),
    "Microsoft.Sql/servers": ("sql_server", "2023-08-01"),
}
METASTORE_PRIVILEGES = (
    "CREATE_CATALOG",
    "CREATE_STORAGE_CREDENTIAL",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_EXTERNAL_LOCATION",
)


@dataclass(frozen=True)
class Finding:
    """Something that would stop a deployment, and what to do; or a check that could not be made, and why."""

    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.problem}\n    {self.remedy}"


def findings(clients: Clients) -> Iterator[Finding]:
    """Everything that would stop a deployment, in the order in which it would."""
    for name, check in CHECKS.items():
        try:
            yield from check(clients)
        except (CoinlakeError, DatabricksError) as error:
            yield Finding(f"{name}: could not be checked", str(error).partition("\n")[0])


def examine(clients: Clients, emit: Callable[[str], None]) -> bool:
    """Print every finding; returns whether there is none."""
    found = list(findings(clients))
    for finding in found:
        emit(f"! {finding}")
    if not found:
        emit(
            f"{len(CHECKS)} checks: nothing would stop a deployment. Only the factory's name cannot be asked for."
        )
    return not found


def _subscription(clients: Clients) -> Iterator[Finding]:
    environment = clients.environment
    found = clients.arm.get(f"/subscriptions/{environment.subscription}", SUBSCRIPTIONS_API)
    if found is None:
        yield Finding(
            f"There is no subscription {environment.subscription} for who is signed in.",
            f"az login --tenant {environment.tenant}",
        )
        return
    if found["state"] != "Enabled":
        yield Finding(
            f"The subscription is {found['state']}.",
            f"Its owner: az account subscription enable --id {environment.subscription}; a bill that is past "
            "due is paid first, in the portal under Cost Management + Billing.",
        )
    quota = found.get("subscriptionPolicies", {}).get("quotaId", "")
    if environment.monthly_budget and quota.startswith(WITHOUT_BUDGETS):
        yield Finding(f"The subscription's offer ({quota}) has no budgets.", _write(clients, "monthly_budget: 0"))


def _providers(clients: Clients) -> Iterator[Finding]:
    """Registered, and with each type of resource in the region."""
    environment, types = clients.environment, {one["type"] for one in template.read()["resources"]}
    listed = clients.arm.values(f"/subscriptions/{environment.subscription}/providers", PROVIDERS_API)
    known = {one["namespace"].lower(): one for one in listed}
    for namespace in sorted({type_.partition("/")[0] for type_ in types} | {*MANAGED}):
        provider = known.get(namespace.lower())
        if provider is None or provider["registrationState"] != "Registered":
            yield Finding(
                f"The provider {namespace} is not registered.",
                f"az provider register --namespace {namespace} --wait",
            )
            continue
        places = {one["resourceType"].lower(): one.get("locations", []) for one in provider["resourceTypes"]}
        for type_ in sorted(one for one in types if one.partition("/")[0] == namespace):
            there = [place.lower().replace(" ", "") for place in places.get(type_.partition("/")[2].lower(), [])]
            if there and environment.location not in there and "global" not in there:
                yield Finding(
                    f"{type_} is not to be had in {environment.location}.", _write(clients, "another location")
                )


def _resource_group(clients: Clients) -> Iterator[Finding]:
    environment = clients.environment
    if clients.arm.get(environment.group_id, DEPLOYMENTS_API) is None:
        name, place = environment.resource_group, environment.location
        yield Finding(f"There is no resource group {name}.", f"az group create --name {name} --location {place}")


def _names(clients: Clients) -> Iterator[Finding]:
    """Free in the world, unless the resource is there and ours."""
    for type_, (field, version) in UNIQUE.items():
        name = getattr(clients.environment, field)
        is_ours = clients.arm.get(clients.resource_id(type_, name), version) is not None
        if is_ours or (field == "key_vault" and clients.deleted_vault() is not None):
            continue
        namespace = type_.partition("/")[0]
        path = f"/subscriptions/{clients.environment.subscription}/providers/{namespace}/checkNameAvailability"
        answer = clients.arm.post(path, version, {"name": name, "type": type_})
        if not answer.get("nameAvailable", answer.get("available")):
            yield Finding(
                f"{field}: {answer.get('message', 'the name is taken')}", _write(clients, f"another {field}")
            )


def _quota(clients: Clients) -> Iterator[Finding]:
    environment = clients.environment
    wanted, what = VCPUS, "the export of tables (load_with=copy)"
    if environment.is_private:
        wanted, what = PRIVATE_VCPUS, "a job on machines of its own"
    path = (
        f"/subscriptions/{environment.subscription}/providers/Microsoft.Compute/locations/{environment.location}"
    )
    for usage in clients.arm.values(f"{path}/usages", USAGES_API):
        left = usage["limit"] - usage["currentValue"]
        if usage["name"]["value"] in ("cores", "standardDDSv5Family") and left < wanted:
            yield Finding(
                f"{usage['name']['localizedValue']}: {left} of {usage['limit']} vCPU are left in "
                f"{environment.location}, and {what} needs {wanted}.",
                f"az extension add --name quota; az quota update --resource-name {usage['name']['value']} "
                f"--scope {path} --limit-object value={usage['currentValue'] + wanted} --resource-type dedicated; "
                "serverless machines need none.",
            )


def _policies(clients: Clients) -> Iterator[Finding]:
    """What a policy of the organisation, or a region that is closed, would refuse."""
    if clients.arm.get(clients.environment.group_id, DEPLOYMENTS_API) is None:
        return
    part = AzureResources(clients)
    reason = ""
    try:
        answer = clients.arm.post(f"{clients.deployment}/whatIf", DEPLOYMENTS_API, part.request())
        error = answer.get("error") or answer.get("properties", {}).get("error")
        reason = reasons(error) if error else ""
    except NotAllowed:
        raise
    except CoinlakeError as refusal:
        reason = str(refusal)
    if reason:
        yield Finding(
            f"Azure would refuse the template: {reason}",
            f"Who owns the policy: az policy exemption create --name coinlake --exemption-category Waiver --scope "
            f"{clients.environment.group_id} --policy-assignment <its id>; or choose another region.",
        )


def _metastore(clients: Clients) -> Iterator[Finding]:
    workspace, group = clients.workspace(), clients.environment.platform_group
    if workspace is None:
        return
    metastore = workspace.metastores.summary().metastore_id
    if not metastore:
        yield Finding(
            "The workspace has no metastore of Unity Catalog.",
            "An account administrator: databricks account metastores list, and where the region has none, "
            f'databricks account metastores create --json \'{{"name": "metastore-{clients.environment.location}", '
            f'"region": "{clients.environment.location}"}}\'; then '
            f"databricks account metastore-assignments create {clients.workspace_number()} <its id>",
        )
        return
    granted = workspace.grants.get_effective("metastore", metastore, principal=group).privilege_assignments or []
    held = {
        one.privilege.value
        for assignment in granted
        for one in assignment.privileges or []
        if one.privilege is not None
    }
    missing = [privilege for privilege in METASTORE_PRIVILEGES if privilege not in held]
    if missing:
        changes = f'{{"changes": [{{"principal": "{group}", "add": {missing}}}]}}'.replace("'", '"')
        yield Finding(
            f"{group} lacks on the metastore: {', '.join(missing)}.",
            f"An account administrator: databricks grants update metastore {metastore} --json '{changes}'",
        )


def _groups(clients: Clients) -> Iterator[Finding]:
    workspace, environment = clients.workspace(), clients.environment
    if workspace is None:
        return
    # Who deploys is a member of the platform group, and needs to be an administrator.
    groups = {environment.platform_group: "ADMIN", environment.engineers_group: "USER"}
    for group, level in (groups | {environment.analysts_group: "USER"}).items():
        if not list(workspace.groups.list(filter=f'displayName eq "{group}"')):
            yield Finding(
                f"The group {group} is not assigned to the workspace.",
                f"An account administrator: databricks account groups list --filter 'displayName eq \"{group}\"', "
                f"then databricks account workspace-assignment update {clients.workspace_number()} <its id> "
                f'--json \'{{"permissions": ["{level}"]}}\'',
            )


def _write(clients: Clients, what: str) -> str:
    return f"Write {what} into coinlake_ops/azure/{clients.environment.name}.yml."


CHECKS: dict[str, Callable[[Clients], Iterator[Finding]]] = {
    "subscription": _subscription,
    "providers and region": _providers,
    "resource group": _resource_group,
    "names": _names,
    "quota": _quota,
    "policies": _policies,
    "metastore": _metastore,
    "groups": _groups,
}
