"""The factory's global parameters: parameters/<environment>.yml and the addresses of its Azure resources.

git mode is connected to one factory, that of dev, so adf/factory/ holds the values of dev. A deployment gives
any other factory the values of its own environment: `global_parameters("prod")`.
"""

import json
from pathlib import Path

import yaml

from adf_lab import Factory
from coinlake.errors import CoinlakeError
from coinlake_ops import parameter_files

ADDRESSES = Path(__file__).with_name("addresses.yml")
ENVIRONMENT_OF_GIT = "dev"
FACTORY_NAME = "adf-coinlake-dev"
LOCATION = "westeurope"
# They belong to a run, not to an environment: pipelines hand them over.
OF_A_RUN = {"run_id", "as_of"}
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
    return {
        "name": FACTORY_NAME,
        "location": LOCATION,
        "identity": {"type": "SystemAssigned"},
        "properties": {"globalParameters": global_parameters(ENVIRONMENT_OF_GIT)},
    }


def write(root: Path) -> Path:
    """Write the factory's document below the folder of a factory and return its path."""
    path = _path(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(factory_document(), indent=2) + "\n", encoding="utf-8")
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
    resource = factory.resources["factory"].get(FACTORY_NAME)
    held = resource.properties.get("globalParameters") if resource else None
    if held is None:
        found.append(f"{_path(factory.root)} is missing: coinlake factory parameters")
        return found
    for name in sorted(set(held) | set(reference)):
        if held.get(name) != reference.get(name):
            found.append(
                f"{resource.file}: '{name}' is {_shown(held, name)}, but {ENVIRONMENT_OF_GIT} has "
                f"{_shown(reference, name)}: coinlake factory parameters"
            )
    return found


def _addresses() -> dict[str, dict]:
    return yaml.safe_load(ADDRESSES.read_text(encoding="utf-8"))


def _path(root: Path) -> Path:
    return Path(root) / "factory" / f"{FACTORY_NAME}.json"


def _shown(parameters: dict, name: str) -> str:
    return json.dumps(parameters[name]["value"]) if name in parameters else "missing"
