"""What a project wants to be told: read from its `.adf-lab.yml`, overruled by the command line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from adf_lab.check.finding import Finding
from adf_lab.check.rules import ERROR, RULES, SEVERITIES
from adf_lab.errors import AdfLabError
from adf_lab.spelling import suggestion

FILE = ".adf-lab.yml"
KEYS = ("rules", "ignore", "severity", "fail-on", "house-rules", "notebooks")


@dataclass(frozen=True)
class Settings:
    """Which rules are looked at, how bad each is, and what makes a check fail.

    `rules` are the only ones (empty: all), `ignore` are left out; `severity` overrules that of the rules. House
    rules are looked at if `house_rules` asks for them, or `rules` names them.
    """

    rules: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    severity: Mapping[str, str] = field(default_factory=dict)
    fail_on: str = ERROR
    house_rules: bool = False
    notebooks: Path | None = None

    def __post_init__(self):
        known(self.rules | self.ignore | self.severity.keys(), RULES, "rule")
        known({self.fail_on, *self.severity.values()}, SEVERITIES, "severity")

    def wants(self, rule: str) -> bool:
        """Whether a rule is looked at."""
        asked = rule in self.rules or (not self.rules and (self.house_rules or not RULES[rule].house))
        return asked and rule not in self.ignore

    def choose(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings of the rules that are looked at, as bad as they are wanted."""
        return [
            replace(found, severity=self.severity.get(found.rule, found.severity))
            for found in findings
            if self.wants(found.rule)
        ]

    def fails(self, found: Finding) -> bool:
        """Whether a finding makes the check fail."""
        return SEVERITIES.index(found.severity) <= SEVERITIES.index(self.fail_on)


def read_settings(folder: Path, **defaults) -> Settings:
    """The settings in a factory's folder, over the defaults of Settings that are given.

    AdfLabError says what is wrong with the file.
    """
    folder = folder.parent if folder.is_file() else folder
    path = folder / FILE
    if not path.is_file():
        return Settings(**defaults)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, ValueError, OSError, RecursionError) as error:
        raise AdfLabError(f"{path} cannot be read as YAML: {error}") from None
    try:
        return Settings(**defaults | _values(content, folder))
    except AdfLabError as error:
        raise AdfLabError(f"{path}: {error}") from None


def _values(content, folder):
    """The arguments of Settings for the content of a file."""
    if not isinstance(content, dict):
        raise AdfLabError("it must hold keys and values, such as `fail-on: warning`.")
    known(map(str, content), KEYS, "key")
    values: dict = {}
    for key in ("rules", "ignore"):
        if key in content:
            values[key] = frozenset(map(str, _of_type(content, key, list, "a list of rules")))
    if "severity" in content:
        chosen = _of_type(content, "severity", dict, "a rule and its severity on each line")
        values["severity"] = {str(rule): str(severity) for rule, severity in chosen.items()}
    if "fail-on" in content:
        values["fail_on"] = _of_type(content, "fail-on", str, "a severity")
    if "house-rules" in content:
        values["house_rules"] = _of_type(content, "house-rules", bool, "true or false")
    if "notebooks" in content:
        values["notebooks"] = folder / _of_type(content, "notebooks", str, "a folder")
    return values


def _of_type(content, key, kind, what):
    if not isinstance(content[key], kind):
        raise AdfLabError(f"'{key}' must be {what}.")
    return content[key]


def known(names: Iterable[str], all_names: Iterable[str], what: str) -> None:
    """AdfLabError for a name that is none of those that are known."""
    for name in sorted(set(names) - set(all_names)):
        remedy = suggestion(name, all_names, f"; there are: {', '.join(all_names)}.")
        raise AdfLabError(f"'{name}' is no {what}{remedy}")
