"""Other forms of a factory: ARM templates, as Data Factory and Synapse publish them, and Fabric's items.

Each becomes the documents that git mode would keep, by file. Sources: azure-docs, continuous-integration-delivery
(Data Factory) and cicd/continuous-integration-delivery (Synapse), azure-resource-manager template-expressions;
Fabric docs, data-factory/git-integration-and-deployment.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from adf_lab.errors import AdfLabError

PUBLISHED = ("ARMTemplateForFactory.json", "TemplateForWorkspace.json")
ITEMS = "**/*.DataPipeline/pipeline-content.json"
FOLDERS_OF_TYPES = {
    "pipelines": "pipeline",
    "datasets": "dataset",
    "linkedservices": "linkedService",
    "triggers": "trigger",
    "integrationruntimes": "integrationRuntime",
    "dataflows": "dataflow",
    "credentials": "credential",
    "managedvirtualnetworks": "managedVirtualNetwork",
    "globalparameters": "globalParameters",
}
OWNERS = ("microsoft.datafactory/factories", "microsoft.synapse/workspaces")
LINKED = re.compile(r"ArmTemplate_\d+\.json")
TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z]\w*)|([(),]))")
DEEPEST = 10  # of expressions that lead to others
DEEPEST_TEMPLATE = 2  # of templates in templates; those that are published have one in another


def documents_of(path: Path) -> dict[str, dict] | None:
    """Documents by file, such as `pipeline/pl_main.json`, of a template, a folder with one, or a folder of items.

    None if the path is neither; AdfLabError if a template cannot be read.
    """
    path = Path(path)
    if path.is_file():
        return _template(path)
    for name in PUBLISHED:
        if (path / name).is_file():
            return _template(path / name)
    items = sorted(path.glob(ITEMS)) if path.is_dir() else []
    return {f"pipeline/{item.parent.stem}.json": _item(item) for item in items} or None


def _item(path):
    """A pipeline of Fabric, as a document of git mode."""
    content = _read(path)
    properties = content.get("properties", content)
    return {"name": path.parent.stem, "properties": properties}


def _read(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdfLabError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict):
        raise AdfLabError(f"{path} holds no object.")
    return content


def _template(path):
    content = _read(path)
    if "resources" not in content:
        raise AdfLabError(f"{path} is no template: it has no resources.")
    try:
        found = dict(_documents(path, content, _given(path), 0))
    except RecursionError:
        raise AdfLabError(f"{path} is nested too deep to be read.") from None
    if not found:
        raise AdfLabError(f"{path} has no resource of a data factory or of a Synapse workspace.")
    return found


def _given(path):
    """The values of parameters in the file that is published beside a template."""
    beside = path.with_name(path.name.replace("TemplateFor", "TemplateParametersFor"))
    if beside == path or not beside.is_file():
        return {}
    values = _read(beside).get("parameters")
    pairs = values.items() if isinstance(values, dict) else ()
    return {name: entry["value"] for name, entry in pairs if isinstance(entry, dict) and "value" in entry}


def _documents(path, template, given, depth) -> Iterator[tuple[str, dict]]:
    """Pairs of file and document of every resource that git mode would keep."""
    known = _Known(template, given)
    resources = template.get("resources")
    if isinstance(resources, dict):
        resources = list(resources.values())
    for resource in resources if isinstance(resources, list) else []:
        if not isinstance(resource, dict):
            continue
        kind, properties = str(resource.get("type", "")).lower(), resource.get("properties")
        if kind == "microsoft.resources/deployments" and depth < DEEPEST_TEMPLATE:
            yield from _nested(path, resource, given, depth)
        owner, _, last = kind.rpartition("/")
        name = known.name(resource.get("name"))
        if owner in OWNERS and last in FOLDERS_OF_TYPES and name and isinstance(properties, dict):
            yield f"{FOLDERS_OF_TYPES[last]}/{name}.json", {"name": name, "properties": known.put_into(properties)}
        elif kind in OWNERS and isinstance(properties, dict) and "globalParameters" in properties:
            kept = {"globalParameters": known.put_into(properties["globalParameters"])}
            yield f"factory/{name or 'factory'}.json", {"name": name or "factory", "properties": kept}


def _nested(path, resource, given, depth):
    """The documents of a template in a template, or of one beside it that is linked to."""
    properties = resource.get("properties")
    inner = properties.get("template") if isinstance(properties, dict) else None
    if isinstance(inner, dict):
        yield from _documents(path, inner, given, depth + 1)
        return
    named = LINKED.search(json.dumps(properties))
    if named and path.with_name(named[0]).is_file():
        yield from _documents(path, _read(path.with_name(named[0])), given, depth + 1)


class _Known:
    """The values that a template's expressions refer to."""

    def __init__(self, template, given):
        parameters, self.variables = _object(template, "parameters"), _object(template, "variables")
        defaults = {
            name: entry["defaultValue"]
            for name, entry in parameters.items()
            if isinstance(entry, dict) and "defaultValue" in entry
        }
        self.parameters = defaults | given

    def name(self, text):
        """The name of a resource: what stands after the last slash, whatever stands before; "" if unknown."""
        value = str(self.value(text))
        if value.startswith("["):
            value = (re.search(r"'/?([^']*)'\)\]$", value) or ["", ""])[1]
        return value.rpartition("/")[2].replace("\\", "_")

    def put_into(self, value, depth=0):
        """A JSON value with every expression in it replaced that can be evaluated."""
        if isinstance(value, dict):
            return {name: self.put_into(member, depth) for name, member in value.items()}
        if isinstance(value, list):
            return [self.put_into(item, depth) for item in value]
        return self.value(value, depth)

    def value(self, text, depth=0):
        """The value of a text: what is no expression, or refers to what is not known, stays as it is."""
        if not isinstance(text, str) or not text.startswith("[") or not text.endswith("]"):
            return text
        if text.startswith("[["):
            return text[1:]
        tokens = _tokens(text[1:-1])
        try:
            value = self._call(tokens, depth)
        except (KeyError, IndexError, TypeError):
            return text
        return text if tokens else value

    def _call(self, tokens, depth):
        """Take one call or literal off the tokens and return its value; KeyError if it is not known."""
        kind, token = tokens.pop(0)
        if kind == "text":
            return token
        if kind != "name" or tokens.pop(0)[1] != "(":
            raise KeyError(token)
        arguments = []
        while tokens[0][1] != ")":
            arguments.append(self._call(tokens, depth))
            if tokens[0][1] == ",":
                tokens.pop(0)
        tokens.pop(0)
        if token == "concat" and all(isinstance(argument, str) for argument in arguments):
            return "".join(arguments)
        if depth > DEEPEST or len(arguments) != 1:
            raise KeyError(token)
        table = {"parameters": self.parameters, "variables": self.variables}[token]
        return self.put_into(table[arguments[0]], depth + 1)


def _object(template, name):
    value = template.get(name)
    return value if isinstance(value, dict) else {}


def _tokens(text):
    """Pairs of kind (text, name, mark) and token; what is no token ends them, so that they cannot be read."""
    tokens, end = [], 0
    for match in TOKEN.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        if match[1] is not None:
            tokens.append(("text", match[1].replace("''", "'")))
        else:
            tokens.append(("name", match[2]) if match[2] else ("mark", match[3]))
    return tokens if not text[end:].strip() else [("mark", text[end:])]
