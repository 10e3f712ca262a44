"""Names, references and parameters: everything that is referred to exists, everything that exists is used."""

import re
from dataclasses import replace

from adf_lab.check.finding import finding, note, objects, strings
from adf_lab.check.places import scan
from adf_lab.expressions import WHOLE, ExpressionError, is_expression, parse, references
from adf_lab.factory import Resource, target_of
from adf_lab.spelling import misspelled, suggestion
from adf_lab.structure import all_activities

BUILT_IN = {"autoresolveintegrationruntime"}
PREFIXES = {"pipeline": "pl_", "dataset": "ds_", "linkedService": "ls_", "trigger": "tr_"}
HOUSE_NAME = re.compile(r"[a-z]{2}_[a-z0-9]+(_[a-z0-9]+)*")
# Sources: azure-docs, naming-rules; concepts-pipelines-activities ("Activity JSON").
REFUSED = set(".+?/<>*%&:\\")
NAMED_WITHOUT_DASH = {"dataset", "linkedService", "dataflow"}
LONGEST_ACTIVITY = 55
OWN_SCOPE = {"pipeline": "parameters", "dataset": "dataset", "linkedService": "linkedservice"}


def unreadable_files(factory):
    """Files that are not JSON objects, and objects that hold a key twice."""
    for file, reason in factory.unreadable.items():
        message = f"the file is not a JSON object ({reason}): repair or remove it."
        yield finding("unreadable-file", file, "", message)
    for file in sorted(factory.repeating):
        for path, line in scan(factory.text(file)).repeated:
            found = finding(
                "repeated-key", file, path, "the key comes twice in one object: remove one of the two."
            )
            yield replace(found, line=line)


def names_disagree(factory):
    """A file is named after its resource; names are such as the service takes, and differ by more than case."""
    for folder, by_name in factory.resources.items():
        seen: dict[str, Resource] = {}
        for resource in by_name.values():
            name = resource.document.get("name")
            if folder != "globalParameters" and name != resource.name and "properties" in resource.document:
                message = f"{str(name)[:80]!r} is not the name of the file: rename one of the two."
                if name is None:
                    message = f"the name is missing: it must be {resource.name!r}, as that of the file."
                yield finding("file-name", resource.file, "name", message)
            shown = name if isinstance(name, str) else resource.name
            if folder in ("pipeline", *NAMED_WITHOUT_DASH) and (bad := _refused(shown, folder == "pipeline")):
                yield finding("resource-name", resource.file, "name", f"the name {bad}: rename it.")
            elif folder in NAMED_WITHOUT_DASH and "-" in shown:
                yield finding("dash-in-name", resource.file, "name", "the name has a dash: use an underscore.")
            other = seen.setdefault(resource.name.lower(), resource)
            if other is not resource:
                message = f"the name differs from {other.file} only by case: rename it."
                yield finding("resource-name", resource.file, "", message)
        for resource in by_name.values() if folder == "pipeline" else ():
            yield from _activity_names(resource)


def _refused(name, is_pipeline):
    """What is wrong with a name; None if nothing is."""
    bad = sorted(set(name) & REFUSED)
    if bad:
        return f"has {' '.join(bad)}"
    if is_pipeline:
        begins = "a letter, a number or an underscore"
        return None if name[:1].isalnum() or name[:1] == "_" else f"does not begin with {begins}"
    return None if name[:1].isalpha() else "does not begin with a letter"


def _activity_names(resource):
    seen: dict[str, tuple[str, str]] = {}
    for path, activity in all_activities(resource.properties.get("activities") or []):
        name, place = str(activity.get("name")), f"{path}.name"
        known, where = seen.setdefault(name.lower(), (name, path))
        if where != path and known == name:
            yield finding("repeated-activity", resource.file, place, f"'{name}' is also the name of {where}.")
        elif where != path:
            message = f"'{name}' differs from '{known}' only by case: rename one of the two."
            yield finding("activity-case", resource.file, place, message)
        if len(name) > LONGEST_ACTIVITY:
            message = f"the name has {len(name)} characters: the limit is {LONGEST_ACTIVITY}."
            yield finding("activity-name", resource.file, place, message)
        if bad := _refused(name, is_pipeline=True):
            yield finding("activity-name", resource.file, place, f"the name {bad}: rename it.")


def global_parameter_names(factory):
    """Names of global parameters that expressions cannot write."""
    for resource, specifications in factory.global_parameter_files:
        for name in specifications:
            if "-" in name:
                path = _path_of_global(resource, name)
                yield finding("resource-name", resource.file, path, f"'{name}' has a dash: rename it.")


def _path_of_global(resource, name):
    inside = "properties" if resource.folder == "globalParameters" else "properties.globalParameters"
    return f"{inside}.{name}"


def house_names(factory):
    """A style of names that not everybody shares: prefix of the kind, snake case."""
    for folder, prefix in PREFIXES.items():
        for resource in factory.resources[folder].values():
            if not resource.name.startswith(prefix) or not HOUSE_NAME.fullmatch(resource.name):
                message = f"the name must look like {prefix}snake_case."
                yield finding("house-name", resource.file, "name", message)


def broken_references(factory):
    """References to resources that do not exist, and parameters that do not fit what they are passed to."""
    for resource in factory.all_resources:
        for path, value in objects(resource.document):
            folder, name = target_of(value)
            if not folder or name.lower() in BUILT_IN:
                continue
            target = find(factory, folder, name)
            if target is None:
                yield _missing(factory, resource, path, folder, name)
            elif folder in OWN_SCOPE and resource.folder != "dataflow":
                # What a data flow's datasets need comes from the activity that executes it.
                yield from _passed_parameters(resource, path, value, target)


def find(factory, folder, name):
    """A resource by its name, whose case does not matter (azure-docs, naming-rules); None if there is none.

    One whose file is named otherwise is found, too.
    """
    by_name = factory.resources[folder]
    if name in by_name:
        return by_name[name]
    alike = (
        one
        for key, one in by_name.items()
        if name.lower() in (key.lower(), str(one.document.get("name", "")).lower())
    )
    return next(alike, None)


def _missing(factory, resource, path, folder, name):
    if name.startswith("@"):
        return note(resource.file, path, f"the name of the {folder} is an expression.")
    if any(file == f"{folder}/{name}.json" for file in factory.unreadable):
        return note(resource.file, path, f"{folder}/{name}.json cannot be read.")
    if not factory.resources[folder] and not (factory.root / folder).is_dir():
        return note(resource.file, path, f"'{name}': the factory has no folder {folder}.")
    remedy = suggestion(name, factory.resources[folder], ": create it or correct the name.")
    return finding("unknown-reference", resource.file, path, f"there is no {folder}/{name}.json{remedy}")


def _passed_parameters(resource, path, reference, target):
    """Parameters passed to a target: declared there, and none missing. A pipeline's stand beside the reference."""
    given = reference.get("parameters") or {}
    if target.folder == "pipeline":
        path = path.rpartition(".")[0]
        holder = dict(objects(resource.document)).get(path, {})
        given = holder.get("parameters") or {}
    declared = target.properties.get("parameters") or {}
    if not isinstance(given, dict) or is_expression(given):
        return
    lower = {name.lower() for name in declared}
    unknown = [name for name in given if name.lower() not in lower]
    missing = [
        name
        for name, specification in declared.items()
        if name.lower() not in {other.lower() for other in given} and "defaultValue" not in specification
    ]
    for name in unknown:
        meant = misspelled(name, missing)
        remedy = f"did you mean '{meant}'?" if meant else "remove it."
        message = f"{target.file} declares no such parameter: {remedy}"
        yield finding("parameter-not-declared", resource.file, f"{path}.parameters.{name}", message)
        missing = [other for other in missing if other != meant]
    for name in missing:
        message = f"{target.file} needs a value for '{name}': pass it, or give it a default."
        yield finding("parameter-missing", resource.file, path, message)


def unused_resources(factory):
    """Datasets and linked services that nothing refers to."""
    used = {
        (folder, str(name).lower())
        for resource in factory.all_resources
        for _, value in objects(resource.document)
        for folder, name in [target_of(value)]
    }
    for folder in ("dataset", "linkedService"):
        missing = {name for kind, name in used if kind == folder and find(factory, folder, name) is None}
        meant = {misspelled(name, factory.resources[folder]) for name in missing}
        for resource in factory.resources[folder].values():
            if (folder, resource.name.lower()) not in used and resource.name not in meant:
                message = f"nothing uses this {folder}: remove it."
                yield finding("unused-resource", resource.file, "", message)


def unused_declarations(factory):
    """Parameters, variables and global parameters that no expression reads."""
    for folder, scope in OWN_SCOPE.items():
        for resource in factory.resources[folder].values():
            used = _used_names(resource, scope)
            for name in resource.properties.get("parameters") or {}:
                if not _is_used(name, used):
                    path = f"properties.parameters.{name}"
                    yield finding(
                        "unused-declaration", resource.file, path, "nothing uses this parameter: remove it."
                    )
    for resource in factory.resources["pipeline"].values():
        used = _used_names(resource, "variables")
        for name in resource.properties.get("variables") or {}:
            if not _is_used(name, used):
                path = f"properties.variables.{name}"
                yield finding("unused-declaration", resource.file, path, "nothing reads this variable: remove it.")
    used = set()
    for resource in factory.resources["pipeline"].values():
        used |= _used_names(resource, "globalparameters")
    for resource, specifications in factory.global_parameter_files:
        for name in specifications:
            if not _is_used(name, used):
                message = "no pipeline uses this global parameter: remove it."
                yield finding("unused-declaration", resource.file, _path_of_global(resource, name), message)


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
