"""Says what is wrong with the ARM template before Azure does: `coinlake deploy lint`.

References, types and versions, dependencies, outputs that the deployment reads, rights that are granted, and,
where an SDK describes them, the properties of a resource.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adf_lab import Factory, wrong_types
from adf_lab import Resource as FactoryFile
from coinlake.errors import CoinlakeError
from coinlake_ops.azure import template as arm_template

# Released versions, one for each type; a preview only where Azure has nothing else for it.
API_VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Consumption/budgets": "2023-11-01",
    "Microsoft.DataFactory/factories": "2018-06-01",
    "Microsoft.DataFactory/factories/integrationRuntimes": "2018-06-01",
    "Microsoft.DataFactory/factories/managedVirtualNetworks": "2018-06-01",
    "Microsoft.DataFactory/factories/managedVirtualNetworks/managedPrivateEndpoints": "2018-06-01",
    "Microsoft.Databricks/accessConnectors": "2024-05-01",
    "Microsoft.Databricks/workspaces": "2024-05-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/diagnosticSettings": "2021-05-01-preview",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.KeyVault/vaults": "2023-07-01",
    "Microsoft.Network/natGateways": "2023-11-01",
    "Microsoft.Network/networkSecurityGroups": "2023-11-01",
    "Microsoft.Network/privateDnsZones": "2020-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2020-06-01",
    "Microsoft.Network/privateEndpoints": "2023-11-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2023-11-01",
    "Microsoft.Network/publicIPAddresses": "2023-11-01",
    "Microsoft.Network/virtualNetworks": "2023-11-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.OperationalInsights/workspaces/savedSearches": "2020-08-01",
    "Microsoft.Sql/servers": "2023-08-01",
    "Microsoft.Sql/servers/databases": "2023-08-01",
    "Microsoft.Sql/servers/firewallRules": "2023-08-01",
    "Microsoft.Storage/storageAccounts": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2023-05-01",
    "Microsoft.Storage/storageAccounts/managementPolicies": "2023-05-01",
}

# Azure's built-in roles that may be granted here: to read or write data, never to manage a resource.
ROLES = {
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
}

OUTPUTS = (
    "workspaceUrl",
    "workspaceId",
    "accessConnectorId",
    "keyVaultId",
    "keyVaultUri",
    "factoryPrincipalId",
    "sqlServerHost",
)

_SAMPLE_GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sample"
_SECRET = re.compile(r"AccountKey=|SharedAccessSignature|password|listKeys|listAccountSas", re.IGNORECASE)


def faults(template: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with a template, in words; empty when it can be deployed."""
    found = [*_names(template), *_secrets(template)]
    if found:
        return found
    sample = {name: _sample(name, declared) for name, declared in template["parameters"].items()}
    networks = template["parameters"].get("network", {}).get("allowedValues", [""])
    try:
        variants = [
            arm_template.resources(template, sample | {"network": network}, _SAMPLE_GROUP) for network in networks
        ]
    except CoinlakeError as error:
        return [str(error)]
    every = {resource.id for resources in variants for resource in resources}
    found = list(_outputs(template))
    for resources in variants:
        found += [*_resources(template, resources, every), *_rights(resources), *_factory(resources)]
    return list(dict.fromkeys(found))


def _names(template) -> Iterator[str]:
    """Parameters and variables that are used but not declared, or declared but not used."""
    used: dict[str, set[str]] = {"parameters": set(), "variables": set()}
    for text in _expressions({key: template.get(key, {}) for key in ("variables", "resources", "outputs")}):
        try:
            for call in arm_template.calls(text):
                if arm_template.called(call) in used:
                    used[arm_template.called(call)].add(ast.literal_eval(call.args[0]))
        except CoinlakeError as error:
            yield str(error)
    for kind, names in used.items():
        declared = set(template.get(kind, {}))
        for name in sorted(names - declared):
            yield f"{kind}('{name}') is used but not declared."
        for name in sorted(declared - names):
            yield f"{kind}('{name}') is declared but not used."


def _secrets(template) -> Iterator[str]:
    for text in _texts(template):
        if _SECRET.search(text):
            yield f"A secret would pass through the template: {text!r}. Identities and roles need none."


def _resources(template, resources, every: set[str]) -> Iterator[str]:
    """`every` has the ids of all variants: Azure waits for nothing that its condition leaves out."""
    ids = [resource.id for resource in resources if "(known" not in resource.id]
    for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
        yield f"{id_} stands in the template twice."
    for resource in resources:
        expected = API_VERSIONS.get(resource.type)
        if expected is None:
            yield f"{resource.type}: the type is not in API_VERSIONS. Is it spelled right?"
        elif resource.api_version != expected:
            yield f"{resource.type}: apiVersion {resource.api_version} is not the one we know, {expected}."
        for needed in resource.depends_on:
            if needed not in every:
                yield f"{resource.type} {resource.name} depends on {needed}, which is not in the template."
        parents = [id_ for id_ in ids if resource.id.startswith(f"{id_}/") and id_ not in resource.depends_on]
        if parents and not any(set(parents) <= _all_needs(needed, resources) for needed in resource.depends_on):
            yield f"{resource.type} {resource.name} must depend on {parents[-1]}, which it is part of."
    for document in template["resources"]:
        waited_for = {
            ast.unparse(call) for text in document.get("dependsOn", ()) for call in arm_template.calls(text)
        }
        for text in _expressions(
            {key: part for key, part in document.items() if key not in ("dependsOn", "name")}
        ):
            for call in arm_template.calls(text):
                if arm_template.called(call) == "resourceId" and ast.unparse(call) not in waited_for:
                    yield f"{document['type']} refers to {ast.unparse(call)} but does not depend on it."


def _all_needs(id_, resources) -> set[str]:
    """The id and everything that its resource waits for."""
    needs = {id_}
    for resource in resources:
        if resource.id == id_:
            for needed in resource.depends_on:
                needs |= _all_needs(needed, resources)
    return needs


def _rights(resources) -> Iterator[str]:
    for resource in resources:
        if resource.type == "Microsoft.Authorization/roleAssignments":
            role = resource.content["properties"]["roleDefinitionId"].rpartition("/")[2]
            if role not in ROLES:
                yield f"The role {role} is not among those that this project grants: {', '.join(ROLES.values())}."
            if resource.scope == _SAMPLE_GROUP:
                yield f"{ROLES.get(role, role)} is granted on the whole resource group. Grant it on one resource."


def _outputs(template) -> Iterator[str]:
    for name in OUTPUTS:
        if name not in template.get("outputs", {}):
            yield f"The output {name} is missing; the deployment reads it."


def _factory(resources) -> Iterator[str]:
    """The factory against its definition in azure-mgmt-datafactory."""
    for resource in resources:
        if resource.type == "Microsoft.DataFactory/factories":
            file = FactoryFile(
                "factory", f"factory/{resource.name}.json", {"name": resource.name} | resource.content
            )
            factory = Factory(Path())
            factory.resources["factory"][resource.name] = file
            for finding in wrong_types(factory):
                yield f"{resource.type}: {finding.path}: {finding.message}"


def _expressions(value: Any) -> Iterator[str]:
    return (text for text in _texts(value) if arm_template.is_expression(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _sample(name: str, declared: Mapping[str, Any]) -> Any:
    samples = {"int": 1, "object": {}, "array": []}
    return declared.get("defaultValue", samples.get(declared["type"], f"sample-{name}"))
