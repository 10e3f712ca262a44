"""Reads the ARM template main.json: which resources it makes, with every expression evaluated.

The deployment compares these with what is there, and so needs to deploy nothing to know what differs.
Source of the functions' meaning: Azure Resource Manager documentation, "ARM template functions".
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from itertools import islice
from pathlib import Path
from typing import Any

from coinlake.errors import CoinlakeError

PATH = Path(__file__).with_name("main.json")
# A text, or the name of the function that is a word of Python.
_TOKEN = re.compile(r"'(?P<text>(?:[^']|'')*)'|\bif\(")
_NO_CONTENT = {"type", "apiVersion", "name", "dependsOn", "scope", "comments", "condition", "copy"}


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
            needed = [text for text in document.get("dependsOn", ()) if all(map(types, _types_in(text)))]
            kept.append({**document, "dependsOn": needed})
    return {**template, "resources": kept, "outputs": {}}


def _types_in(text: str) -> list[str]:
    """The type of the resource that an expression of `dependsOn` names; none where it stands in a variable."""
    return [ast.literal_eval(call.args[0]) for call in calls(text) if called(call) == "resourceId"]


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
        times = values.of(document["copy"]["count"]) if "copy" in document else 1
        for index in range(times if values.of(document.get("condition", True)) else 0):
            found.append(_resource(document, values.at(index), group_id))
    return list(_ordered(found))


def _resource(document: Mapping[str, Any], values: "Values", group_id: str) -> Resource:
    name = values.of(document["name"])
    base = values.of(document["scope"]) if "scope" in document else group_id
    return Resource(
        id=f"{base}/providers/{_path(document['type'], str(name).split('/'))}",
        type=document["type"],
        name=name,
        api_version=document["apiVersion"],
        content={key: values.of(part) for key, part in document.items() if key not in _NO_CONTENT},
        depends_on=tuple(values.of(needed) for needed in document.get("dependsOn", ())),
    )


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
        self._index = 0

    def at(self, index: int) -> "Values":
        """The same for one copy of a resource that is made several times; the first is 0."""
        other = copy(self)
        other._index = index
        return other

    def of(self, value: Any) -> Any:
        """The value with every expression in it evaluated; a member that is null is as good as left out."""
        if isinstance(value, dict):
            found = {name: self.of(part) for name, part in value.items()}
            return {name: part for name, part in found.items() if part is not None}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        return self._evaluate(_tree(value)) if is_expression(value) else value

    def _evaluate(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Attribute):
            owner = self._evaluate(node.value)
            return UNKNOWN if owner is UNKNOWN else owner.get(node.attr, UNKNOWN)
        if isinstance(node, ast.Subscript):
            return self._evaluate(node.value)[self._evaluate(node.slice)]
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
    "copyIndex": lambda values: values._index,
    "concat": lambda _, *lists: [entry for part in lists for entry in part],
    "length": lambda _, value: len(value),
    "equals": lambda _, one, other: one == other,
    "if_": lambda _, condition, one, other: one if condition else other,
    "cidrSubnet": lambda _, network, size, index: str(
        next(islice(ip_network(network).subnets(new_prefix=size), index, None))
    ),
    # Azure's own hash: nothing here depends on its value, for role assignments are found by what they say.
    "guid": lambda _, *parts: UNKNOWN,
}


@cache
def _tree(text: str) -> ast.expr:
    """The expression's syntax: that of Python, but for quotes doubled inside a text, and for if."""
    inner = text[1:-1] if is_expression(text) else text
    try:
        tree = ast.parse(_TOKEN.sub(_as_python, inner), mode="eval").body
    except SyntaxError:
        raise CoinlakeError(f"The template's expression {text} cannot be read.") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise CoinlakeError(f"The template's expression {text} calls another function than {known}.")
    return tree


def _as_python(match: re.Match[str]) -> str:
    return "if_(" if match["text"] is None else repr(match["text"].replace("''", "'"))


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
