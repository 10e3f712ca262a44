"""Where things stand in a file: the line of a JSON path, keys that come twice, the activities around a path."""

import json
import re
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from adf_lab.check.finding import Finding, printable
from adf_lab.structure import all_activities

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


@dataclass
class Places:
    """The line of every path of a JSON text, counted from 1, and the paths and lines of keys that come again."""

    lines: dict[str, int] = field(default_factory=dict)
    repeated: list[tuple[str, int]] = field(default_factory=list)

    def line(self, path: str) -> int:
        """The line of a path, or of the nearest around it that the text has; 0 for the whole file."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 0)


@dataclass
class _Open:
    """An object or array whose end has not come yet: its path, its keys (an object) or its index (an array)."""

    path: str
    keys: set[str] | None
    index: int = 0


def scan(text: str) -> Places:
    """The places of a text that is JSON."""
    ends = [match.start() for match in re.finditer("\n", text)]
    found, around = Places(), [_Open("", None)]
    path, wants_key = "", False
    for match in TOKEN.finditer(text):
        token, inner = match[0], around[-1]
        line = bisect(ends, match.start()) + 1
        if token in "}]":
            around.pop()
        elif token == "," and inner.keys is None:
            inner.index += 1
            path = f"{inner.path}[{inner.index}]"
        elif token == ",":
            wants_key = True
        elif wants_key and inner.keys is not None:
            key = json.loads(token, strict=False)
            path, wants_key = f"{inner.path}.{key}" if inner.path else key, False
            if key in inner.keys:
                found.repeated.append((path, line))
            inner.keys.add(key)
            found.lines[path] = line
        elif token != ":":
            found.lines.setdefault(path, line)
            if token in "{[":
                around.append(_Open(path, set() if token == "{" else None))
                wants_key = token == "{"
                path = path if token == "{" else f"{path}[0]"
        if token in "}]":
            wants_key = False
    return found


def located(findings: Iterable[Finding], factory, unshaped: Iterable[str]) -> list[Finding]:
    """The findings with their lines and activities, in the order of files and lines.

    In `unshaped` files what an index counts is uncertain: they get no activities.
    """
    by_file: dict[str, list[Finding]] = {}
    for found in findings:
        by_file.setdefault(found.file, []).append(found)
    resources = {resource.file: resource for resource in factory.all_resources}
    result: list[Finding] = []
    for file, group in by_file.items():
        places = scan(factory.text(file)) if file in resources else Places()
        activities = _activities(resources[file]) if file in resources and file not in unshaped else []
        for found in group:
            around = [(path, name) for path, name in activities if _is_inside(found.path, path)]
            inside = found.path[len(around[-1][0]) :].removeprefix(".") if around else found.path
            line = found.line or places.line(found.path)
            names = " > ".join(name for _, name in around)
            result.append(replace(found, line=line, inside=inside, activity=names))
    return sorted(result)


def _activities(resource):
    if resource.folder != "pipeline":
        return []
    found = all_activities(resource.properties.get("activities") or [])
    return [(printable(path), printable(str(activity.get("name")))) for path, activity in found]


def _is_inside(path, activity):
    return path.startswith(activity) and path[len(activity) : len(activity) + 1] in ("", ".", "[")
