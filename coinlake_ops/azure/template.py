"""Reads the ARM template main.json: which resources it makes, with every expression evaluated.

The deployment compares these with what is there, and so needs to deploy nothing to know what differs.
Source of the functions' meaning: Azure Resource Manager documentation, "ARM template functions".
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coinlake.errors import CoinlakeError

PATH = Path(__file__).with_name("main.json")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_NO_CONTENT = {"type", "apiVersion", "name", "dependsOn", "scope", "comments"}


class _Unknown:
    """A value that only Azure knows, such as the id of an identity that is not made yet."""

    def __repr__(self) -> str:
        return "(known after the deployment)"


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class Resource:
    """One resource: its full id, what is sent for it, and the ids of the resources it waits for."""

    id: str
    type: str
    name: str
    api_version: str
    content: dict[str, Any]
    depends_on: tuple[str, ...]

    @property
    def scope(self) -> str:
        """The id of the resource that it belongs to: what stands before its own provider."""
        return self.id.rpartition("/providers/")[0]


def read(path: Path = PATH) -> dict[str, Any]:
    """The template as JSON."""
    return json.loads(path.read_text(encoding="utf-8"))


def only(template: Mapping[str, Any], types: Callable[[str], bool]) -> dict[str, Any]:
    """The part of a template whose resources are of the types that `types` accepts, as a template without outputs.

    What its resources depend on elsewhere must be there already.
    """
    kept = []
    for document in template["resources"]:
        if types(document["type"]):
            needed = [text for text in document.get("dependsOn", ()) if types(_type_in(text))]
            kept.append({**document, "dependsOn": needed})
    return {**template, "resources": kept, "outputs": {}}


def _type_in(text: str) -> str:
    """The type of the resource that an expression of `dependsOn` names."""
    return next(ast.literal_eval(call.args[0]) for call in calls(text) if called(call) == "resourceId")


def resources(
    template: Mapping[str, Any],
    parameters: Mapping[str, Any],
    group_id: str,
    reference: Callable[[str], Any] = lambda _: UNKNOWN,
) -> list[Resource]:
    """The resources of a template, each after those it depends on.

    `parameters` maps names to values; `reference` gives the document of a live resource by its id, or UNKNOWN.
    Raises CoinlakeError for an expression that cannot be read, or a circle of dependencies.
    """
    values = Values(template, parameters, group_id, reference)
    found = []
    for document in template["resources"]:
        name = values.of(document["name"])
        base = values.of(document["scope"]) if "scope" in document else group_id
        found.append(
            Resource(
                id=f"{base}/providers/{_path(document['type'], str(name).split('/'))}",
                type=document["type"],
                name=name,
                api_version=document["apiVersion"],
                content={key: values.of(part) for key, part in document.items() if key not in _NO_CONTENT},
                depends_on=tuple(values.of(needed) for needed in document.get("dependsOn", ())),
            )
        )
    return list(_ordered(found))


def calls(text: str) -> Iterator[ast.Call]:
    """The function calls in one expression, outermost first."""
    return (node for node in ast.walk(_tree(text)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The name of the function that a call calls."""
    return ast.unparse(call.func)


def is_expression(value: Any) -> bool:
    """Whether a value of a template is an expression: text in square brackets."""
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def type_of(resource_id: str) -> str:
    """The type in a resource's id: Microsoft.Sql/servers/databases for …/Microsoft.Sql/servers/a/databases/b."""
    provider, *segments = resource_id.rpartition("/providers/")[2].split("/")
    return "/".join([provider, *segments[0::2]])


class Values:
    """Evaluates the expressions of one template with its parameters."""

    def __init__(self, template, parameters, group_id, reference):
        defaults = {
            name: declared["defaultValue"]
            for name, declared in template["parameters"].items()
            if "defaultValue" in declared
        }
        self._parameters = defaults | dict(parameters)
        self._variables = template.get("variables", {})
        self._group_id = group_id
        self._reference = reference

    def of(self, value: Any) -> Any:
        """The value with every expression in it evaluated."""
        if isinstance(value, dict):
            return {name: self.of(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        return self._evaluate(_tree(value)) if is_expression(value) else value

    def _evaluate(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Attribute):
            owner = self._evaluate(node.value)
            return UNKNOWN if owner is UNKNOWN else owner.get(node.attr, UNKNOWN)
        if not isinstance(node, ast.Call):
            raise CoinlakeError(f"{ast.unparse(node)} is no expression of a template.")
        arguments = [self._evaluate(argument) for argument in node.args]
        return UNKNOWN if UNKNOWN in arguments else FUNCTIONS[called(node)](self, *arguments)

    def _parameter(self, name):
        if name not in self._parameters:
            raise CoinlakeError(f"The template's parameter {name!r} has no value.")
        return self._parameters[name]

    def _resource_id(self, kind, *names):
        return f"{self._group_id}/providers/{_path(kind, names)}"

    def _subscription_resource_id(self, kind, *names):
        return f"{self._group_id.partition('/resourceGroups/')[0]}/providers/{_path(kind, names)}"

    def _reference_to(self, resource_id, _version=None, full=None):
        document = self._reference(resource_id)
        return document if document is UNKNOWN or full else document.get("properties", UNKNOWN)


FUNCTIONS: dict[str, Callable] = {
    "parameters": Values._parameter,
    "variables": lambda values, name: values.of(values._variables[name]),
    "format": lambda _, text, *arguments: text.format(*arguments),
    "json": lambda _, text: json.loads(text),
    "resourceId": Values._resource_id,
    "subscriptionResourceId": Values._subscription_resource_id,
    "reference": Values._reference_to,
    # Azure's own hash: nothing here depends on its value, for role assignments are found by what they say.
    "guid": lambda _, *parts: UNKNOWN,
}


@cache
def _tree(text: str) -> ast.expr:
    """The expression's syntax: that of Python, but for quotes doubled inside a text."""
    inner = text[1:-1] if is_expression(text) else text
    try:
        tree = ast.parse(_TEXT.sub(lambda match: repr(match[1].replace("''", "'")), inner), mode="eval").body
    except SyntaxError:
        raise CoinlakeError(f"The template's expression {text} cannot be read.") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise CoinlakeError(f"The template's expression {text} calls another function than {known}.")
    return tree


def _path(kind: str, names) -> str:
    provider, *segments = kind.split("/")
    if len(segments) != len(names):
        raise CoinlakeError(
            f"{kind} takes {len(segments)} names, but the template gives {'/'.join(map(str, names))}."
        )
    return "/".join([provider, *(part for pair in zip(segments, map(str, names), strict=True) for part in pair)])


def _ordered(found: list[Resource]) -> Iterator[Resource]:
    waiting, done = list(found), set()
    here = {resource.id for resource in found}
    while waiting:
        ready = [one for one in waiting if all(needed in done for needed in one.depends_on if needed in here)]
        if not ready:
            raise CoinlakeError(f"These resources wait for each other: {', '.join(one.name for one in waiting)}.")
        yield from ready
        done |= {one.id for one in ready}
        waiting = [one for one in waiting if one not in ready]
