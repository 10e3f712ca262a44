"""Documents against the definitions in azure-mgmt-datafactory: properties, required ones, types, enumerations.

The package describes every object of the REST API as a TypedDict (`azure.mgmt.datafactory.types`); objects
of one family are told apart by their `type`.
"""

import types
import typing
from dataclasses import replace
from enum import Enum
from functools import cache

import typing_extensions
from azure.mgmt.datafactory import models
from azure.mgmt.datafactory import types as sdk

from adf_lab.check.finding import finding, note
from adf_lab.expressions import is_expression
from adf_lab.spelling import misspelled

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
# What the service takes although the package does not have it: azure-docs, control-flow-web-activity,
# concepts-parameters-variables; and what Studio itself writes into files.
ACCEPTED_BESIDES = {"VariableType": {"boolean", "integer"}, "WebActivityMethod": {"patch"}}
# A trigger may be kept without a pipeline until it is given one.
NOT_NEEDED = {("TumblingWindowTrigger", "pipeline")}
# Enumerations that the service will not extend; of others it may know more values than the package.
CLOSED = {
    *("ActivityState", "DayOfWeek", "DaysOfWeek", "DependencyCondition", "ParameterType", "RecurrenceFrequency"),
    *("TumblingWindowFrequency", "VariableType", "WebActivityMethod", "WebHookActivityMethod"),
}
WRITTEN_BY_STUDIO = {
    "azurecloudtype",
    "cachesinks",
    "clusteroption",
    "globalconfigurations",
    "lastpublishtime",
    "trustmodeclaimformi",
}


def wrong_types(factory):
    """Unknown and missing properties, unknown types, values of a wrong type."""
    for resource in factory.all_resources:
        root = ROOTS.get(resource.folder)
        if root is None:
            yield note(resource.file, "", f"resources of the folder {resource.folder} have no definition here.")
            continue
        for rule, path, message in _differences(resource.document, root, ""):
            if rule == "not-checked":
                yield note(resource.file, path, message)
            else:
                yield finding(rule, resource.file, path, message)


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
    """What is wrong with one value: rule, path, message."""
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
        yield from _literal(value, typing_extensions.get_args(hint), path)
    elif hint in SIMPLE and not _is_simple(value, hint):
        yield "wrong-value", path, f"{_shown(value)} must be {SIMPLE[hint]}."


def _literal(value, allowed, path):
    """A text that must be one of some; its letter case does not matter, and Microsoft itself varies it."""
    written = {str(text).lower() for text in allowed}
    if value in allowed or (isinstance(value, str) and value.lower() in written):
        return
    if isinstance(value, str) and _today(value).lower() in written:
        message = f"{value!r} is how the documentation wrote it in 2019: write '{_today(value)}'."
        yield "not-checked", path, message
        return
    yield "wrong-value", path, f"{_shown(value)} must be {' or '.join(map(repr, allowed))}."


def _today(kind):
    """Types of settings were in the singular in the documentation of 2019, like AmazonS3ReadSetting."""
    return f"{kind}s" if kind.endswith(("ReadSetting", "WriteSetting")) else kind


def _is_simple(value, hint):
    if isinstance(value, bool) or hint is bool:
        return isinstance(value, bool) and hint is bool
    return isinstance(value, int | float if hint is float else hint)


def _object(value, definition, path):
    if not isinstance(value, dict):
        yield "wrong-value", path, f"{_shown(value)} must be an object."
        return
    if value.get("state") == "Inactive":
        return
    members = _members(definition)
    written = {name.lower(): name for name in members}
    unknown = [name for name in value if name.lower() not in {*written, *WRITTEN_BY_STUDIO}]
    meant = {name: misspelled(name, members) for name in unknown}
    given = {name.lower() for name in value} | {known.lower() for known in meant.values() if known}
    for name, (_, required) in members.items():
        if required and name.lower() not in given and (definition.__name__, name) not in NOT_NEEDED:
            yield "missing-property", path, f"the property '{name}' is missing: add it."
    for name, known in meant.items():
        place = _joined(path, name)
        if known:
            yield "unknown-property", place, f"there is no such property: did you mean '{known}'?"
        else:
            yield "not-checked", place, "azure-mgmt-datafactory has no such property."
    for name, member in value.items():
        if name.lower() not in written:
            continue
        hint, required = members[written[name.lower()]]
        if required and hint is str and is_expression(member):
            yield "wrong-value", _joined(path, name), f"{_shown(member)} must be a text, no expression."
        yield from _differences(member, hint, _joined(path, name))


def _union(value, hint, path):
    arguments = typing_extensions.get_args(hint)
    enumerations = [member for member in arguments if isinstance(member, type) and issubclass(member, Enum)]
    if enumerations:
        yield from _enumeration(value, enumerations[0], path)
        return
    family = _family(hint)
    if not family or not isinstance(value, dict):
        if family:
            yield "wrong-value", path, f"{_shown(value)} must be an object."
        return
    kind = value.get("type")
    if known := family.get(str(kind).lower()) or family.get(_today(str(kind)).lower()):
        yield from _object(value, known[1], path)
        return
    names = [name for name, _ in family.values()]
    if kind is None:
        yield "missing-property", path, "the type is missing: say which one it is."
    elif meant := misspelled(str(kind), names):
        yield "unknown-type", path, f"the type {kind!r} is unknown: did you mean '{meant}'?"
    else:
        yield "not-checked", path, f"azure-mgmt-datafactory has no type {_shown(kind)}."


def _enumeration(value, enumeration, path):
    allowed = {member.value.lower(): member.value for member in enumeration}
    if not isinstance(value, str) or value.startswith("@"):
        return
    known = allowed.get(value.lower())
    if enumeration.__name__ == "DependencyCondition" and known not in (None, value):
        yield "letter-case", path, f"{value!r} must be written '{known}'."
    elif known is None and value.lower() not in ACCEPTED_BESIDES.get(enumeration.__name__, ()):
        meant = misspelled(value, allowed.values())
        remedy = f"did you mean '{meant}'?" if meant else f"it must be one of {', '.join(allowed.values())}."
        if meant or enumeration.__name__ in CLOSED:
            yield "wrong-value", path, f"{_shown(value)} is not allowed: {remedy}"
        else:
            yield "not-checked", path, f"azure-mgmt-datafactory has no value {_shown(value)} here."


def _list(value, hint, path):
    if not isinstance(value, list):
        yield "wrong-value", path, f"{_shown(value)} must be an array."
        return
    for index, item in enumerate(value):
        yield from _differences(item, hint, f"{path}[{index}]")


def _dictionary(value, hint, path):
    if not isinstance(value, dict):
        yield "wrong-value", path, f"{_shown(value)} must be an object."
        return
    for name, member in value.items():
        yield from _differences(member, hint, _joined(path, name))


def without_misfits(factory):
    """A factory whose documents have lost what has the wrong shape, and the files that lost more than a value.

    `wrong_types` reports what has the wrong shape; the other rules then need not expect it. Where an object or
    an item of a list is lost, they would miss what stands in it, and count wrong.
    """
    resources: dict[str, dict] = {}
    unshaped: set[str] = set()
    for folder, by_name in factory.resources.items():
        resources[folder] = {}
        for name, resource in by_name.items():
            root = ROOTS.get(folder)
            document = resource.document if root is None else _fitting(resource.document, root)
            document = {} if document is MISFIT else document
            if _has_lost(document, resource.document):
                unshaped.add(resource.file)
            resources[folder][name] = replace(resource, document=document)
    return replace(factory, resources=resources), unshaped


def _has_lost(value, original):
    if isinstance(value, list):
        return len(value) < len(original) or any(map(_has_lost, value, original))
    if isinstance(value, dict):
        return any(
            _has_lost(value[name], member) if name in value else isinstance(member, dict | list)
            for name, member in original.items()
        )
    return False


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
    objects = {"typeProperties": (dict[str, typing.Any], False), "policy": (dict[str, typing.Any], False)}
    return _fitting_object(value, shared | objects | {"type": (str, True)})


def _fitting_object(value, members):
    """An object without misfits; MISFIT if it lacks a text that it needs, such as its name."""
    if not isinstance(value, dict):
        return MISFIT
    fitting = {
        name: _fitting(member, members[name][0]) if name in members else member for name, member in value.items()
    }
    fitting = {name: member for name, member in fitting.items() if member is not MISFIT}
    needed = [name for name, (hint, required) in members.items() if required and hint is str]
    return fitting if all(isinstance(fitting.get(name), str) for name in needed) else MISFIT


def _is_structure(hint):
    """Whether a list holds objects that have a definition, such as activities."""
    [item] = typing_extensions.get_args(hint)
    return typing_extensions.is_typeddict(item) or bool(_family(item))


def _joined(path, name):
    return f"{path}.{name}" if path else name


def _shown(value):
    """A value for a message: short, however long it is."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
