"""What the checker says: where, how bad, what, and what to do."""

from dataclasses import dataclass

from adf_lab.check.rules import RULES


@dataclass(frozen=True, order=True)
class Finding:
    """One finding.

    `path` is the JSON path inside the file. `places.located` puts in the `line` (0: the whole file), the names
    of the activities around the place, outermost first, and the path `inside` the last of them.
    """

    file: str
    line: int
    path: str
    message: str
    rule: str
    severity: str
    activity: str = ""
    inside: str = ""

    @property
    def place(self) -> str:
        """Where in the file: the activity and the path inside it, or the path alone."""
        return ": ".join(part for part in (self.activity, self.inside) if part) or self.path

    def __str__(self):
        where = f"{self.file}:{self.line}" if self.line else self.file
        place = f"{self.place}: " if self.place else ""
        return f"{where}: {self.severity}: {place}{self.message} [{self.rule}]"


def finding(rule: str, file: str, path: str, message: str) -> Finding:
    """A finding of a rule, as bad as the rule says; what cannot be printed is escaped."""
    return Finding(printable(file), 0, printable(path), printable(message), rule, RULES[rule].severity)


def note(file: str, path: str, message: str) -> Finding:
    """Something that the checker does not know and therefore has not checked."""
    return finding("not-checked", file, path, f"not checked: {message}")


def printable(text):
    """A text in one line, without halves of characters, which JSON allows and no output does."""
    lines = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(mark if mark.isprintable() or mark == " " else f"\\x{ord(mark):02x}" for mark in lines)


def strings(value, path=""):
    """Every text of a JSON value as (path, text), in their order."""
    return [(place, member) for place, member in _values(value, path) if isinstance(member, str)]


def objects(value, path=""):
    """Every object of a JSON value as (path, object), outer ones first."""
    return [(place, member) for place, member in _values(value, path) if isinstance(member, dict)]


def _values(value, path):
    """Every value inside a JSON value, itself first, as (path, value)."""
    found, waiting = [], [(path, value)]
    while waiting:
        place, current = waiting.pop()
        found.append((place, current))
        if isinstance(current, list):
            waiting += [(f"{place}[{index}]", item) for index, item in enumerate(current)][::-1]
        elif isinstance(current, dict):
            start = f"{place}." if place else ""
            waiting += [(f"{start}{name}", member) for name, member in current.items()][::-1]
    return found
