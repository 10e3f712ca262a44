"""The findings as text, JSON, SARIF, annotations of GitHub, or JUnit's XML."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

from adf_lab.check.finding import Finding
from adf_lab.check.rules import RULES, SEVERITIES
from adf_lab.check.settings import Settings

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def text(findings: Sequence[Finding], factory, settings: Settings, folder: Path) -> str:
    """One line for each finding, and one that counts them."""
    counts = Counter(found.severity for found in findings)
    counted = [(len(factory.all_resources), "resource"), *((counts[name], name) for name in SEVERITIES)]
    last = ", ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counted)
    return "\n".join([*map(str, findings), last])


def as_json(findings: Sequence[Finding], factory, settings: Settings, folder: Path) -> str:
    """An object with all findings and their counts."""
    counts = Counter(found.severity for found in findings)
    return json.dumps(
        {
            "resources": len(factory.all_resources),
            "counts": {name: counts[name] for name in SEVERITIES},
            "findings": [
                {
                    "file": found.file,
                    "line": found.line or None,
                    "activity": found.activity or None,
                    "path": found.path,
                    "rule": found.rule,
                    "severity": found.severity,
                    "message": found.message,
                    "source": RULES[found.rule].source,
                }
                for found in findings
            ],
        },
        indent=2,
    )


def sarif(findings: Sequence[Finding], factory, settings: Settings, folder: Path) -> str:
    """SARIF 2.1.0, which code scanning shows beside the lines."""
    names = sorted({found.rule for found in findings})
    rules = [
        {
            "id": name,
            "shortDescription": {"text": RULES[name].says},
            "fullDescription": {"text": RULES[name].why},
            "helpUri": RULES[name].source,
            "defaultConfiguration": {"level": RULES[name].severity},
        }
        for name in names
    ]
    results = [
        {
            "ruleId": found.rule,
            "ruleIndex": names.index(found.rule),
            "level": found.severity,
            "message": {"text": _sentence(found)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(_path(folder, found.file))},
                        "region": {"startLine": max(found.line, 1)},
                    }
                }
            ],
        }
        for found in findings
    ]
    tool = {"driver": {"name": "adf-lab", "rules": rules}}
    return json.dumps(
        {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": tool, "results": results}]}, indent=2
    )


def github(findings: Sequence[Finding], factory, settings: Settings, folder: Path) -> str:
    """Commands that GitHub's runner makes annotations of."""
    lines = []
    for found in findings:
        where = {"file": _path(folder, found.file), "line": str(max(found.line, 1)), "title": found.rule}
        properties = ",".join(f"{name}={_escaped(value, ':,')}" for name, value in where.items())
        lines.append(f"::{COMMANDS[found.severity]} {properties}::{_escaped(_sentence(found))}")
    return "\n".join(lines)


def junit(findings: Sequence[Finding], factory, settings: Settings, folder: Path) -> str:
    """JUnit's XML: a test for each file, which fails on what makes the check fail."""
    files = sorted({*(resource.file for resource in factory.all_resources), *(found.file for found in findings)})
    failing = {found.file for found in findings if settings.fails(found)}
    counts = {"name": "adf-lab check", "tests": str(len(files)), "failures": str(len(failing))}
    suite = ElementTree.Element("testsuite", counts)
    for file in files:
        case = ElementTree.SubElement(suite, "testcase", {"name": file, "classname": "adf-lab"})
        own = [found for found in findings if found.file == file]
        failures = [found for found in own if settings.fails(found)]
        if failures:
            first = ElementTree.SubElement(case, "failure", {"message": _sentence(failures[0])})
            first.text = "\n".join(map(str, failures))
        rest = [str(found) for found in own if not settings.fails(found)]
        if rest:
            ElementTree.SubElement(case, "system-out").text = "\n".join(rest)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode")


FORMATS: dict[str, Callable[[Sequence[Finding], object, Settings, Path], str]] = {
    "text": text,
    "json": as_json,
    "sarif": sarif,
    "github": github,
    "junit": junit,
}


def rules_page() -> str:
    """The page about all rules, in Markdown."""
    lines = [
        "# Rules of `adf-lab check`",
        "",
        "An *error* is what the service refuses or what cannot work, a *warning* a likely mistake, a *note* style "
        "or something that was not checked. House rules are looked at only where a project asks for them.",
        "This page is made from the rules themselves: `adf-lab rules --markdown`.",
    ]
    group = ""
    for rule in RULES.values():
        if rule.group != group:
            group = rule.group
            lines += ["", f"## {group}"]
        lines += ["", f"### `{rule.name}` ({rule.severity})", "", rule.says, rule.why, f"[Source]({rule.source})."]
    return "\n".join(lines) + "\n"


def rules_table() -> Iterable[str]:
    """A line for each rule: name, severity, what it says."""
    for rule in RULES.values():
        house = " (house rule)" if rule.house else ""
        yield f"{rule.name:<26}{rule.severity:<9}{rule.says}{house}"


def _sentence(found):
    return f"{found.place}: {found.message}" if found.place else found.message


def _path(folder, file):
    """A file as seen from where the command runs."""
    path = folder / file
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _escaped(value, also=""):
    for mark in f"%\r\n{also}":
        value = value.replace(mark, f"%{ord(mark):02X}")
    return value
