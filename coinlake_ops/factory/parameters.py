"""The factory's global parameters: parameters/<environment>.yml and the addresses of its Azure resources.

git mode is connected to one factory, that of dev, so adf/factory/ holds the values of dev, in a file called like
the factory. Names of resources are those of the user's own environment, or else of the template; which ones is no
disagreement. A deployment gives any other factory the values of its own environment: `global_parameters("prod")`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from adf_lab import Factory, all_activities
from coinlake.errors import CoinlakeError
from coinlake_ops import databricks_job, parameter_files, project
from coinlake_ops import environment as environments_of_the_cloud

ADDRESSES = Path(__file__).with_name("addresses.yml")
ENVIRONMENT_OF_GIT = "dev"
JOB = "DatabricksJob"
# They belong to a run, not to an environment: pipelines hand them over.
OF_A_RUN = {"run_id", "as_of"}
# What is called as the user likes, or given by Azure.
NAMES_OF_RESOURCES = {
    *("storage_account", "key_vault_url", "sql_server", "sql_database"),
    *("databricks_workspace_url", "databricks_workspace_id", "databricks_job_id", "databricks_cluster_id"),
}
TYPES = {str: "string", int: "int", float: "float", bool: "bool"}


def environments() -> list[str]:
    """The environments that have addresses, in the order of the file."""
    return list(_addresses())


def values(environment: str, overrides=()) -> dict:
    """Name -> value of an environment's global parameters; `overrides` are texts such as `coins=100`.

    Raises CoinlakeError when the environment has no file, no addresses, or a value that breaks the contract.
    """
    addresses = _addresses()
    if environment not in addresses:
        raise CoinlakeError(
            f"{ADDRESSES.name} has no environment '{environment}', only: {', '.join(addresses)}. Add it."
        )
    notebooks = parameter_files.load(environment, overrides)
    return {name: value for name, value in notebooks.items() if name not in OF_A_RUN} | addresses[environment]


def global_parameters(environment: str) -> dict:
    """The `globalParameters` of an environment's factory: name -> {type, value}."""
    return {name: {"type": TYPES[type(value)], "value": value} for name, value in values(environment).items()}


def factory_document() -> dict:
    """The document of the factory that git mode is connected to."""
    environment = environments_of_the_cloud.read(ENVIRONMENT_OF_GIT, placeholders=True)
    declared = global_parameters(ENVIRONMENT_OF_GIT)
    names = {
        "storage_account": environment.storage_account,
        "key_vault_url": environment.vault_url,
        "sql_server": environment.sql_host,
        "sql_database": environment.sql_database,
    }
    for name, value in names.items():
        declared[name]["value"] = value
    return {
        "name": environment.factory,
        "location": environment.location,
        "identity": {"type": "SystemAssigned"},
        "properties": {"globalParameters": declared},
    }


def write(root: Path) -> Path:
    """Write the factory's document below the folder of a factory, in place of any other, and return its path."""
    document = factory_document()
    path = Path(root) / "factory" / f"{document['name']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    for other in path.parent.glob("*.json"):
        other.unlink()
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return path


def disagreements(factory: Factory) -> list[str]:
    """What does not agree between the factory in git, parameters/*.yml and the addresses; each with its remedy."""
    found = []
    expected = {environment: global_parameters(environment) for environment in environments()}
    reference = expected[ENVIRONMENT_OF_GIT]
    for environment, parameters in expected.items():
        for name in sorted(set(reference) ^ set(parameters)):
            found.append(
                f"'{name}' is not in both {environment} and {ENVIRONMENT_OF_GIT}: correct {ADDRESSES.name}."
            )
        for name in sorted(set(reference) & set(parameters)):
            if parameters[name]["type"] != reference[name]["type"]:
                found.append(
                    f"'{name}' is {parameters[name]['type']} in {environment} and {reference[name]['type']} in "
                    f"{ENVIRONMENT_OF_GIT}: write both alike."
                )
    found += _unlike_the_job(factory)
    documents = list(factory.resources["factory"].values())
    if len(documents) != 1 or "globalParameters" not in documents[0].properties:
        found.append(
            f"{factory.root / 'factory'} must hold one file with global parameters: coinlake factory parameters"
        )
        return found
    [resource] = documents
    held = resource.properties["globalParameters"]
    for name in sorted(set(held) | set(reference)):
        if _without_names(name, held.get(name)) != _without_names(name, reference.get(name)):
            found.append(
                f"{resource.file}: '{name}' is {_shown(held, name)}, but {ENVIRONMENT_OF_GIT} has "
                f"{_shown(reference, name)}: coinlake factory parameters"
            )
    return found


def _unlike_the_job(factory: Factory) -> Iterator[str]:
    """Activities that start the job with other parameters than it has."""
    declared = set(databricks_job.parameters(parameter_files.load(ENVIRONMENT_OF_GIT), project.ROOT))
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties["activities"]):
            if activity["type"] == JOB:
                given = set(activity["typeProperties"].get("jobParameters", {}))
                for name in sorted(given ^ declared):
                    what = "pass it" if name in declared else "the job has no such parameter"
                    where = f"{path}.typeProperties.jobParameters of '{activity['name']}'"
                    yield f"{resource.file}: {where}: {name}: {what}"


def _addresses() -> dict[str, dict]:
    return yaml.safe_load(ADDRESSES.read_text(encoding="utf-8"))


def _without_names(name: str, parameter: dict | None) -> dict | None:
    return {"type": parameter["type"]} if parameter and name in NAMES_OF_RESOURCES else parameter


def _shown(parameters: dict, name: str) -> str:
    return json.dumps(parameters[name]["value"]) if name in parameters else "missing"
