"""Names, references and parameters: everything that is referred to exists, everything that exists is used."""

import re

from adf_lab.check.finding import Finding, note, objects, strings
from adf_lab.expressions import WHOLE, ExpressionError, parse, references
from adf_lab.factory import Resource, target_of
from adf_lab.structure import all_activities

BUILT_IN = {"autoresolveintegrationruntime"}
PREFIXES = {"pipeline": "pl_", "dataset": "ds_", "linkedService": "ls_", "trigger": "tr_"}
HOUSE_NAME = re.compile(r"[a-z]{2}_[a-z0-9]+(_[a-z0-9]+)*")
OWN_SCOPE = {"pipeline": "parameters", "dataset": "dataset", "linkedService": "linkedservice"}


def unreadable_files(factory):
    """Files that are not JSON objects."""
    for file, reason in factory.unreadable.items():
        yield Finding(file, "", f"the file is not a JSON object ({reason}): repair or remove it.")


def names_disagree(factory):
    """A file is named after its resource; names differ by more than case."""
    for folder, by_name in factory.resources.items():
        seen: dict[str, Resource] = {}
        for resource in by_name.values():
            if folder not in ("globalParameters",) and resource.document.get("name") != resource.name:
                yield Finding(
                    resource.file,
                    "name",
                    f"{resource.document.get('name')!r} is not the name of the file: rename one of the two.",
                )
            other = seen.setdefault(resource.name.lower(), resource)
            if other is not resource:
                yield Finding(resource.file, "", f"the name differs from {other.file} only by case.")
        for resource in by_name.values() if folder == "pipeline" else ():
            yield from _repeated_activities(resource)


def _repeated_activities(resource):
    seen: dict[str, str] = {}
    for path, activity in all_activities(resource.properties.get("activities") or []):
        name = str(activity.get("name"))
        if name in seen:
            yield Finding(resource.file, f"{path}.name", f"'{name}' is also the name of {seen[name]}.")
        seen.setdefault(name, path)


def house_names(factory):
    """A style of names that not everybody shares: prefix of the kind, snake case."""
    for folder, prefix in PREFIXES.items():
        for resource in factory.resources[folder].values():
            if not resource.name.startswith(prefix) or not HOUSE_NAME.fullmatch(resource.name):
                yield Finding(resource.file, "name", f"the name must look like {prefix}snake_case.")


def broken_references(factory):
    """References to resources that do not exist, and parameters that do not fit what they are passed to."""
    for resource in factory.all_resources:
        for path, value in objects(resource.document):
            folder, name = target_of(value)
            if not folder or name.lower() in BUILT_IN:
                continue
            target = factory.resources[folder].get(name)
            if target is None:
                yield _missing(factory, resource, path, folder, name)
            elif folder in OWN_SCOPE:
                yield from _passed_parameters(resource, path, value, target)


def _missing(factory, resource, path, folder, name):
    if name.startswith("@"):
        return note(resource.file, path, f"the name of the {folder} is an expression.")
    if not factory.resources[folder] and not (factory.root / folder).is_dir():
        return note(resource.file, path, f"'{name}': the factory has no folder {folder}.")
    return Finding(resource.file, path, f"there is no {folder}/{name}.json: create it or correct the name.")


def _passed_parameters(resource, path, reference, target):
    """Parameters passed to a target: declared there, and none missing. A pipeline's stand beside the reference."""
    given = reference.get("parameters") or {}
    if target.folder == "pipeline":
        holder_path = path.rpartition(".")[0]
        holder = dict(objects(resource.document))[holder_path]
        given = holder.get("parameters") or {}
        path = holder_path
    declared = target.properties.get("parameters") or {}
    for name in given:
        if name not in declared:
            yield Finding(
                resource.file, f"{path}.parameters.{name}", f"{target.file} declares no such parameter: remove it."
            )
    for name, specification in declared.items():
        if name not in given and "defaultValue" not in specification:
            yield Finding(
                resource.file, path, f"{target.file} needs a value for '{name}': pass it, or give it a default."
            )


def unused_resources(factory):
    """Datasets and linked services that nothing refers to."""
    used = {target_of(value) for resource in factory.all_resources for _, value in objects(resource.document)}
    for folder in ("dataset", "linkedService"):
        for resource in factory.resources[folder].values():
            if (folder, resource.name) not in used:
                yield Finding(resource.file, "", f"nothing uses this {folder}: remove it.")


def unused_declarations(factory):
    """Parameters, variables and global parameters that no expression reads."""
    for folder, scope in OWN_SCOPE.items():
        for resource in factory.resources[folder].values():
            used = _used_names(resource, scope)
            for name in resource.properties.get("parameters") or {}:
                if not _is_used(name, used):
                    path = f"properties.parameters.{name}"
                    yield Finding(resource.file, path, "nothing uses this parameter: remove it.")
    for resource in factory.resources["pipeline"].values():
        used = _used_names(resource, "variables")
        for name in resource.properties.get("variables") or {}:
            if not _is_used(name, used):
                path = f"properties.variables.{name}"
                yield Finding(resource.file, path, "nothing reads this variable: remove it.")
    used = set()
    for resource in factory.resources["pipeline"].values():
        used |= _used_names(resource, "globalparameters")
    for resource, specifications in factory.global_parameter_files:
        for name in specifications:
            if not _is_used(name, used):
                yield Finding(resource.file, name, "no pipeline uses this global parameter: remove it.")


def _used_names(resource, scope):
    """The names of a scope that a resource's expressions refer to, in lower case; WHOLE for any of them."""
    names = set()
    for _, text in strings(resource.properties):
        try:
            found = list(references(parse(text)))
        except ExpressionError:
            continue
        names |= {one.name if one.name is WHOLE else one.name.lower() for one in found if one.scope == scope}
    return names


def _is_used(name, used):
    return WHOLE in used or name.lower() in used
