"""Makes the file of one environment from its template: what `az` knows is read, the rest is asked."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from coinlake.errors import ConfigurationError
from coinlake_ops import environment as environments
from coinlake_ops.deploy.clients import DATABRICKS

# (name of the value, its meaning, what is offered) -> the answer.
Ask = Callable[[str, str, str], str]
# Arguments of the Azure CLI -> the document that it prints, None when it is not there or has none.
Az = Callable[[list[str]], Any]

# A template's names that must be unique in all of Azure, and what stands between each and its ending.
UNIQUE = {"storage_account": "", "key_vault": "-", "factory": "-", "sql_server": "-"}
SUFFIX = re.compile(r"[a-z0-9]{1,6}")
GROUPS = ("platform_group", "engineers_group", "analysts_group")
COMMENTS = (
    "# A template: `coinlake deploy init",
    "# such file, variables fill",
    "# Unique in all of Azure: `init` gives",
)


def azure_cli(arguments: list[str]) -> Any:
    """What `az` answers, as JSON; None where there is no `az`, nobody is signed in, or there is no such thing."""
    program = shutil.which("az")
    if program is None:
        return None
    answer = subprocess.run([program, *arguments, "--output", "json"], capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 and answer.stdout.strip() else None


def write(
    name: str,
    ask: Ask,
    az: Az = azure_cli,
    environ: Mapping[str, str] = os.environ,
    folder: Path | None = None,
) -> Path:
    """Write <name>.yml and return its path; a value that a variable gives is not asked.

    Raises ConfigurationError when the file is there already, or there is no template of that name.
    """
    folder = folder or environments.FOLDER
    environments.require_known(name, folder)
    path, template = folder / f"{name}.yml", folder / f"{name}{environments.TEMPLATE}"
    if path.exists():
        raise ConfigurationError(f"{path} is there already. Edit it, or delete it and begin anew.")
    text = template.read_text(encoding="utf-8")
    answers = _answers(yaml.safe_load(text), ask, az, environ)
    lines = [line for line in text.splitlines() if not line.startswith(COMMENTS)]
    for answered, value in answers.items():
        lines = [f"{answered}: {_scalar(value)}" if line.startswith(f"{answered}: ") else line for line in lines]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _answers(template: Mapping[str, Any], ask: Ask, az: Az, environ: Mapping[str, str]) -> dict[str, str]:
    account = az(["account", "show"]) or {}
    answers: dict[str, str] = {}

    def settle(name: str, known: str = "", offered: str = "") -> None:
        """A variable, what is known, or an answer that obeys the rules."""
        value = environ.get(f"{environments.VARIABLE}{name.upper()}", "") or known
        meaning = environments.fault(name, "<>").partition(": ")[2]
        while not value or environments.fault(name, value):
            value = ask(name, f"not {value!r}, but {meaning}" if value else meaning, offered)
        answers[name] = value

    settle("subscription", account.get("id", ""))
    settle("tenant", account.get("tenantId", ""))
    settle("resource_group", offered=template["resource_group"])
    settle("location", offered=template["location"])
    suffix = ""
    while not SUFFIX.fullmatch(suffix):
        offered = answers["subscription"][:4]
        suffix = ask("suffix", "1 to 6 lower-case letters or digits that make names unique in Azure", offered)
    for name, dash in UNIQUE.items():
        settle(name, f"{template[name]}{dash}{suffix}")
    for name in GROUPS:
        settle(name, offered=template[name])
        group = az(["ad", "group", "show", "--group", answers[name]]) or {}
        settle(f"{name}_id", group.get("id", ""))
    application = az(["ad", "sp", "show", "--id", DATABRICKS]) or {}
    settle("databricks_application_object_id", application.get("id", ""))
    settle("alert_email", offered=account.get("user", {}).get("name", ""))
    return answers


def _scalar(value: str) -> str:
    """A text as YAML writes it on one line: in quotes where it would be read as something else."""
    return value if yaml.safe_load(value) == value else json.dumps(value)
