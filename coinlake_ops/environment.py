"""One environment of the cloud: coinlake_ops/azure/<name>.yml, and what follows from it for the notebooks.

The file is the user's, made by `coinlake deploy init <name>` from <name>.example.yml, which is read where there
is no such file. A variable COINLAKE_AZURE_<NAME OF THE VALUE> goes before both, as in a workflow. A value in
<angle brackets> is still to be filled in: it is refused by its name, before any call is made.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from coinlake.errors import ConfigurationError
from coinlake.parameters import Value
from coinlake_ops import parameter_files, project

FOLDER = project.PACKAGE / "azure"
TEMPLATE = ".example.yml"
VARIABLE = "COINLAKE_AZURE_"
# In running_triggers: no trigger of the factory, but the Databricks job that repeats itself.
EVERY_MINUTE = "minutes"

_GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_DASHED = r"[a-z0-9][a-z0-9-]*[a-z0-9]"
_RULES = {
    "subscription": (_GUID, "a GUID: az account show --query id"),
    "tenant": (_GUID, "a GUID: az account show --query tenantId"),
    "machines": (r"serverless|single", "serverless, or single: the job on one machine of the pool"),
    "resource_group": (r"[\w.()-]{1,90}", "the name of an existing resource group"),
    "location": (r"[a-z0-9]+", "a region in one word, such as westeurope"),
    "storage_account": (r"[a-z0-9]{3,24}", "3 to 24 lower-case letters and digits, unique in Azure"),
    "key_vault": (r"(?=.{3,24}$)[a-z][a-z0-9-]*[a-z0-9]", "3 to 24 letters, digits, dashes, unique in Azure"),
    "factory": (rf"(?=.{{3,63}}$){_DASHED}", "3 to 63 letters, digits, dashes, unique in Azure"),
    "workspace": (rf"(?=.{{3,64}}$){_DASHED}", "3 to 64 letters, digits, dashes"),
    "access_connector": (rf"(?=.{{3,64}}$){_DASHED}", "3 to 64 letters, digits, dashes"),
    "sql_server": (rf"(?=.{{1,63}}$){_DASHED}", "up to 63 lower-case letters, digits, dashes, unique in Azure"),
    "sql_database": (r"[A-Za-z0-9_-]{1,128}", "a name"),
    "log_workspace": (rf"(?=.{{4,63}}$){_DASHED}", "4 to 63 letters, digits, dashes"),
    "platform_group": (r"[^<>`]+", "display name of the group that owns everything"),
    "platform_group_id": (_GUID, 'its object id: az ad group show --group "<name>" --query id'),
    "engineers_group": (r"[^<>`]+", "display name of the group of data engineers"),
    "engineers_group_id": (_GUID, 'its object id: az ad group show --group "<name>" --query id'),
    "analysts_group": (r"[^<>`]+", "display name of the group of analysts"),
    "analysts_group_id": (_GUID, 'its object id: az ad group show --group "<name>" --query id'),
    "databricks_application_object_id": (
        _GUID,
        "object id of the enterprise application AzureDatabricks in your tenant: "
        "az ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d --query id",
    ),
    "alert_email": (r"[^@<>\s]+@[^@<>\s]+\.[^@<>\s]+", "an address that alerts go to"),
    "sql_backup_redundancy": (r"Local|Zone|Geo|GeoZone", "Local, Zone, Geo or GeoZone"),
    "network": (r"public|private", "public or private"),
    "network_address": (r"(\d{1,3}\.){3}\d{1,3}/(1\d|2[0-2])", "a block of addresses of at least /22"),
    "storage_redundancy": (r"Standard_(LRS|ZRS|GRS|GZRS)", "Standard_LRS, _ZRS, _GRS or _GZRS"),
}


@dataclass(frozen=True)
class Environment:
    """One environment of the cloud. Names are Azure's; groups are those of Entra ID, as Unity Catalog knows them.

    Money is in the billing currency of the subscription a month; vCores, minutes and days say so.
    """

    name: str
    subscription: str
    tenant: str
    resource_group: str
    location: str
    storage_account: str
    key_vault: str
    factory: str
    workspace: str
    access_connector: str
    sql_server: str
    sql_database: str
    log_workspace: str
    platform_group: str
    platform_group_id: str
    engineers_group: str
    engineers_group_id: str
    analysts_group: str
    analysts_group_id: str
    databricks_application_object_id: str
    alert_email: str
    storage_redundancy: str
    monthly_budget: int
    sql_vcores: int
    sql_pause_minutes: int
    log_retention_days: int
    running_triggers: tuple[str, ...]
    sql_backup_redundancy: str = "Local"
    machines: str = "serverless"
    network: str = "public"
    network_address: str = "10.144.0.0/22"

    @property
    def is_private(self) -> bool:
        """Whether everything stands in a network of its own, which the internet does not reach."""
        return self.network == "private"

    @property
    def group_id(self) -> str:
        """The resource id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def vault_url(self) -> str:
        """Where the secrets are."""
        return f"https://{self.key_vault}.vault.azure.net"

    @property
    def sql_host(self) -> str:
        """Where the database's server answers."""
        return f"{self.sql_server}.database.windows.net"

    def container(self, name: str) -> str:
        """The address of a container of the storage account: lake, tables or staging."""
        return f"abfss://{name}@{self.storage_account}.dfs.core.windows.net/"


def load(
    name: str,
    folder: Path | None = None,
    placeholders: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> tuple[Environment, dict[str, Value]]:
    """An environment by its name, and the parameters of its notebooks with the addresses that follow from it.

    With `placeholders`, values in angle brackets may still stand there: for what asks no cloud.
    Raises ConfigurationError that names every value that is missing, unknown, a placeholder or of a wrong form.
    """
    environment = read(name, folder, placeholders, environ)
    parameters = parameter_files.load(name) | {
        "key_vault_url": environment.vault_url,
        "sql_server": environment.sql_host,
        "sql_database": environment.sql_database,
    }
    faults = [
        f"{parameter} in parameters/{name}.yml is {parameters[parameter]!r}, but must be {expected!r}: {why}"
        for parameter, expected, why in (
            ("lake_path", f"/Volumes/{parameters['catalog']}/raw_data/lake", "that volume is made here"),
            ("sql_credential", f"{parameters['catalog']}_sql", "that service credential is made here"),
        )
        if parameters[parameter] != expected
    ]
    if faults:
        raise ConfigurationError("The parameters contradict the deployment:\n  " + "\n  ".join(faults))
    return environment, parameters


def require_known(name: str, folder: Path | None = None) -> None:
    """Raises ConfigurationError when neither a file nor a template describes the environment."""
    folder = folder or FOLDER
    known = {file.name.partition(".")[0] for file in folder.glob("*.yml")}
    if name not in known:
        raise ConfigurationError(
            f"There is no {_place(folder / f'{name}.yml')}. Environments of the cloud are: "
            f"{', '.join(sorted(known))}."
        )


def read(
    name: str,
    folder: Path | None = None,
    placeholders: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Environment:
    """The environment as file or template and variables describe it; raises ConfigurationError as `load`."""
    folder = folder or FOLDER
    require_known(name, folder)
    path = folder / f"{name}.yml"
    if not path.exists():
        path = folder / f"{name}{TEMPLATE}"
    names = {field.name: field.type for field in fields(Environment)}
    optional = {field.name for field in fields(Environment) if field.default is not MISSING}
    values = {"name": name} | (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) | _given(names, environ)
    faults = [f"{name} is missing" for name in names if name not in {*values, *optional}]
    faults += [f"{name} is unknown" for name in values if name not in names]
    filled_in = [name for name in names if name in values and not (placeholders and _is_placeholder(values[name]))]
    faults += [fault for field in filled_in if (fault := _fault(field, names[field], values[field]))]
    if faults:
        remedy = "" if path.name == f"{name}.yml" else f"\nFill it in: coinlake deploy init {name}"
        raise ConfigurationError(f"{_place(path)} is not ready:\n  " + "\n  ".join(faults) + remedy)
    return Environment(**values | {"running_triggers": tuple(values["running_triggers"])})


def fault(name: str, value: Any) -> str:
    """What is wrong with a value of an environment, by its name; empty when nothing is."""
    return _fault(name, {field.name: field.type for field in fields(Environment)}[name], value)


def _given(names: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """The values that variables give; an empty one, which a workflow makes of one that nobody set, gives none."""
    found: dict[str, Any] = {}
    for name, type_ in names.items():
        text = environ.get(f"{VARIABLE}{name.upper()}", "")
        if text and name == "running_triggers":
            found[name] = [trigger.strip() for trigger in text.split(",")]
        elif text and name != "name":
            found[name] = int(text) if type_ is int and text.isdecimal() else text
    return found


def _fault(name: str, expected: Any, value: Any) -> str:
    if name == "running_triggers":
        is_list = isinstance(value, list) and all(isinstance(trigger, str) for trigger in value)
        return "" if is_list else f"{name}: {value!r} is not a list of triggers of adf/trigger"
    if expected is int:
        # Some offers of Azure have no budgets: 0 makes none.
        least = 0 if name == "monthly_budget" else 1
        is_enough = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return "" if is_enough else f"{name}: {value!r} is not a whole number of at least {least}"
    pattern, meaning = _RULES.get(name, (".+", "a text"))
    if isinstance(value, str) and re.fullmatch(pattern, value):
        return ""
    if _is_placeholder(value):
        return f"{name} is still to be filled in: {meaning}"
    return f"{name}: {value!r} is not {meaning}"


def _is_placeholder(value) -> bool:
    return isinstance(value, str) and value.startswith("<")


def _place(path: Path) -> str:
    return f"coinlake_ops/azure/{path.name}" if path.parent == FOLDER else str(path)
