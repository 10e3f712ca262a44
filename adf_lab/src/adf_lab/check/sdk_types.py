"""Documents against the definitions in azure-mgmt-datafactory: properties, required ones, types, enumerations.

The package describes every object of the REST API as a TypedDict (`azure.mgmt.datafactory.types`); objects
of one family are told apart by their `type`.
"""

import types
import typing
from dataclasses import replace
from difflib import get_close_matches
from enum import Enum
from functools import cache

import typing_extensions
from azure.mgmt.datafactory import models
from azure.mgmt.datafactory import types as sdk

from adf_lab.check.finding import Finding, note
from adf_lab.expressions import is_expression

ROOTS = {
    "pipeline": sdk.PipelineResource,
    "dataset": sdk.DatasetResource,
    "linkedService": sdk.LinkedServiceResource,
    "trigger": sdk.TriggerResource,
    "integrationRuntime": sdk.IntegrationRuntimeResource,
    "credential": sdk.CredentialResource,
    "factory": sdk.Factory,
    "globalParameters": sdk.GlobalParameterResource,
}
NAMESPACE = {**vars(models), **vars(sdk)}
SIMPLE = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
MISFIT = object()
ACCEPTED_BESIDES = {"VariableType": {"boolean", "integer"}}


def wrong_types(factory):
    """Unknown and missing properties, unknown types, values of a wrong type."""
    for resource in factory.all_resources:
        root = ROOTS.get(resource.folder)
        if root is None:
            yield note(resource.file, "", f"resources of the folder {resource.folder} have no definition here.")
            continue
        for path, message, known in _differences(resource.document, root, ""):
            yield Finding(resource.file, path, message, known)


@cache
def _members(definition):
    """Names, types and necessity of a TypedDict's properties."""
    hints = typing_extensions.get_type_hints(definition, NAMESPACE, NAMESPACE, include_extras=True)
    members = {}
    for name, hint in hints.items():
        required = typing_extensions.get_origin(hint) is typing_extensions.Required
        members[name] = (typing_extensions.get_args(hint)[0] if required else hint, required)
    return members


@cache
def _family(union):
    """The definitions of a union by their `type`, in lower case."""
    family = {}
    for definition in typing_extensions.get_args(union):
        if typing_extensions.is_typeddict(definition):
            literal = _members(definition).get("type", (None, False))[0]
            for name in typing_extensions.get_args(literal):
                text = name.value if isinstance(name, Enum) else name
                family[text.lower()] = (text, definition)
    return family


def _differences(value, hint, path):
    """Pairs of path and message (and whether it is known to be wrong) for one value."""
    if hint is typing.Any or is_expression(value):
        return
    origin = typing_extensions.get_origin(hint)
    if typing_extensions.is_typeddict(hint):
        yield from _object(value, hint, path)
    elif origin in (typing.Union, types.UnionType):
        yield from _union(value, hint, path)
    elif origin is list:
        yield from _list(value, typing_extensions.get_args(hint)[0], path)
    elif origin is dict:
        yield from _dictionary(value, typing_extensions.get_args(hint)[1], path)
    elif origin is typing_extensions.Literal:
        if value not in typing_extensions.get_args(hint):
            yield path, f"{value!r} must be {' or '.join(map(repr, typing_extensions.get_args(hint)))}.", True
    elif hint in SIMPLE and not _is_simple(value, hint):
        yield path, f"{value!r} must be {SIMPLE[hint]}.", True


def _is_simple(value, hint):
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, int | float if hint is float else hint)


def _object(value, definition, path):
    if not isinstance(value, dict):
        yield path, f"{value!r} must be an object.", True
        return
    if value.get("state") == "Inactive":
        return
    members = _members(definition)
    written = {name.lower(): name for name in members}
    given = {name.lower() for name in value}
    for name, (_, required) in members.items():
        if required and name.lower() not in given:
            yield path, f"the property '{name}' is missing.", True
    for name, member in value.items():
        known = written.get(name.lower())
        if known is None:
            yield _joined(path, name), f"there is no such property{_suggestion(name, members)}", True
            continue
        if known != name:
            yield _joined(path, name), f"whether the service takes '{name}' for '{known}'.", False
        yield from _differences(member, members[known][0], _joined(path, name))


def _union(value, hint, path):
    arguments = typing_extensions.get_args(hint)
    enumerations = [member for member in arguments if isinstance(member, type) and issubclass(member, Enum)]
    if enumerations:
        yield from _enumeration(value, enumerations[0], path)
        return
    family = _family(hint)
    if not family or not isinstance(value, dict):
        if family:
            yield path, f"{value!r} must be an object.", True
        return
    kind = value.get("type")
    if str(kind).lower() in family:
        yield from _object(value, family[str(kind).lower()][1], path)
        return
    names = [name for name, _ in family.values()]
    if kind is None:
        yield path, "the type is missing: say which one it is.", True
    elif (close := _suggestion(str(kind), names)) != ".":
        yield path, f"the type {kind!r} is unknown{close}", True
    else:
        yield path, f"the type {kind!r} is not among those of azure-mgmt-datafactory.", False


def _enumeration(value, enumeration, path):
    allowed = {member.value.lower(): member.value for member in enumeration}
    if not isinstance(value, str) or value.startswith("@"):
        return
    if value.lower() not in allowed and value.lower() not in ACCEPTED_BESIDES.get(enumeration.__name__, ()):
        yield path, f"{value!r} must be one of {', '.join(allowed.values())}.", True


def _list(value, hint, path):
    if not isinstance(value, list):
        yield path, f"{value!r} must be an array.", True
        return
    for index, item in enumerate(value):
        yield from _differences(item, hint, f"{path}[{index}]")


def _dictionary(value, hint, path):
    if not isinstance(value, dict):
        yield path, f"{value!r} must be an object.", True
        return
    for name, member in value.items():
        yield from _differences(member, hint, _joined(path, name))


def without_misfits(factory):
    """A factory whose documents have lost what has the wrong shape.

    `wrong_types` reports what has the wrong shape; the other rules then need not expect it.
    """
    resources = {
        folder: {name: _repaired(resource) for name, resource in by_name.items()}
        for folder, by_name in factory.resources.items()
    }
    return replace(factory, resources=resources)


def _repaired(resource):
    root = ROOTS.get(resource.folder)
    document = resource.document if root is None else _fitting(resource.document, root)
    return replace(resource, document=document)


def _fitting(value, hint):
    """A value without the parts that do not fit; MISFIT if nothing of it does."""
    origin = typing_extensions.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _fitting_union(value, hint)
    if typing_extensions.is_typeddict(hint):
        return _fitting_object(value, _members(hint))
    if origin is list:
        if not isinstance(value, list):
            return value if is_expression(value) and not _is_structure(hint) else MISFIT
        items = (_fitting(item, typing_extensions.get_args(hint)[0]) for item in value)
        return [item for item in items if item is not MISFIT]
    if origin is dict:
        if not isinstance(value, dict):
            return MISFIT
        hint = typing_extensions.get_args(hint)[1]
        members = {name: _fitting(member, hint) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not MISFIT}
    if hint in SIMPLE and not _is_simple(value, hint) and not is_expression(value):
        return MISFIT
    return value


def _fitting_union(value, hint):
    family = _family(hint)
    if not family:
        return value if isinstance(value, str) else MISFIT
    if not isinstance(value, dict):
        return MISFIT
    known = family.get(str(value.get("type")).lower())
    if known:
        return _fitting_object(value, _members(known[1]))
    kinds = [_members(definition) for _, definition in family.values()]
    shared = {name: member for name, member in kinds[0].items() if all(kind.get(name) == member for kind in kinds)}
    return _fitting_object(value, shared | {"type": (str, True)})


def _fitting_object(value, members):
    """An object without misfits; MISFIT if it lacks a text that it needs, such as its name."""
    if not isinstance(value, dict):
        return MISFIT
    fitting = {
        name: _fitting(member, members[name][0]) if name in members else member for name, member in value.items()
    }
    fitting = {name: member for name, member in fitting.items() if member is not MISFIT}
    lacks = any(required and hint is str and name not in fitting for name, (hint, required) in members.items())
    return MISFIT if lacks else fitting


def _is_structure(hint):
    """Whether a list holds objects that have a definition, such as activities."""
    [item] = typing_extensions.get_args(hint)
    return typing_extensions.is_typeddict(item) or bool(_family(item))


def _joined(path, name):
    return f"{path}.{name}" if path else name


def _suggestion(name, names):
    close = get_close_matches(name, list(names), n=1, cutoff=0.75)
    return f": did you mean '{close[0]}'?" if close else "."
