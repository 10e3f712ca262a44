"""What the checker says: where, what, and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One finding.

    `path` is the JSON path inside the file. `known` is False for a note: something that the checker does not
    know and therefore has not checked.
    """

    file: str
    path: str
    message: str
    known: bool = True

    def __str__(self):
        place = f"{self.file}: {self.path}" if self.path else self.file
        return f"{place}: {'' if self.known else 'not checked: '}{self.message}"


def note(file, path, message):
    """A finding that is only a note."""
    return Finding(file, path, message, known=False)


def strings(value, path=""):
    """Every text of a JSON value with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from strings(member, f"{path}.{name}" if path else name)


def objects(value, path=""):
    """Every object of a JSON value with its path, outer ones first."""
    if isinstance(value, dict):
        yield path, value
        for name, member in value.items():
            yield from objects(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects(item, f"{path}[{index}]")
