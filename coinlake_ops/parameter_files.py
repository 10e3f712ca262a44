"""Reads parameters/<environment>.yml, applies what the command line overrides, and checks the result.

parameters/schema.json is the schema that these files obey: `coinlake parameters` writes it.
"""

import json
from collections.abc import Iterable

import yaml

from coinlake import parameters
from coinlake.errors import ConfigurationError
from coinlake.parameters import PARAMETERS, Value
from coinlake_ops import project

FOLDER = project.ROOT / "parameters"
SCHEMA = FOLDER / "schema.json"


def load(environment: str = "local", overrides: Iterable[str] = ()) -> dict[str, Value]:
    """The parameters of an environment, by name.

    `overrides` are texts such as `SOURCE=live` or `coins=100`.
    Each source has a lake of its own: unless `lake_path` is given too, `source=live` moves it to lake/live.

    Raises ConfigurationError when the file is missing, or names or values do not obey the contract.
    """
    values = read(environment)
    given = dict(_pair(text) for text in overrides)
    if "source" in given and "lake_path" not in given and environment == "local":
        given["lake_path"] = f"lake/{given['source']}"
    values |= given
    parameters.check(values)
    return values


def read(environment: str) -> dict[str, Value]:
    """The content of parameters/<environment>.yml, checked; raises ConfigurationError."""
    path = FOLDER / f"{environment}.yml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.yml")))
        raise ConfigurationError(
            f"There is no parameters/{environment}.yml. Environments are: {known}. Copy one of them."
        )
    values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    missing = sorted(set(PARAMETERS) - set(values))
    if missing:
        raise ConfigurationError(f"parameters/{environment}.yml lacks {', '.join(missing)}. Add them.")
    try:
        parameters.check(values)
    except ConfigurationError as error:
        raise ConfigurationError(f"parameters/{environment}.yml: {error}") from None
    return values


def schema_text() -> str:
    """The content of parameters/schema.json."""
    return json.dumps(parameters.json_schema(), indent=2) + "\n"


def _pair(text: str) -> tuple[str, Value]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigurationError(f"{text!r} is not NAME=VALUE. Example: COINS=100")
    name = name.strip().lower()
    return name, parameters.from_text(name, value)
