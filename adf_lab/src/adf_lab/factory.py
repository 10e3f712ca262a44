"""A factory as Data Factory's git mode keeps it: one JSON file for each resource, in a folder for its kind.

Source: azure-docs, source-control ("Git integration"); parameterize-linked-services.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from adf_lab.errors import AdfLabError
from adf_lab.expressions import Context, evaluate_tree
from adf_lab.templates import PUBLISHED, documents_of

FOLDERS = (
    "pipeline",
    "dataset",
    "linkedService",
    "trigger",
    "integrationRuntime",
    "dataflow",
    "credential",
    "managedVirtualNetwork",
    "factory",
    "globalParameters",
)
# Deeper than any pipeline can be; it keeps every walk through a document within the stack.
DEEPEST = 100
FOLDER_OF_REFERENCE = {
    "PipelineReference": "pipeline",
    "DatasetReference": "dataset",
    "LinkedServiceReference": "linkedService",
    "TriggerReference": "trigger",
    "IntegrationRuntimeReference": "integrationRuntime",
    "DataFlowReference": "dataflow",
    "CredentialReference": "credential",
    "ManagedVirtualNetworkReference": "managedVirtualNetwork",
}


@dataclass(frozen=True)
class Resource:
    """One file of a factory: its folder, its path inside the factory, and its document."""

    folder: str
    file: str
    document: dict

    @property
    def name(self):
        """The name of the resource: that of its file."""
        return Path(self.file).stem

    @property
    def properties(self):
        """The properties of the document, empty if it has none."""
        properties = self.document.get("properties")
        return properties if isinstance(properties, dict) else {}


@dataclass
class Factory:
    """All resources by folder and name.

    `texts` are those of resources that do not stand in a file of their own, but in a template.
    `unreadable` maps files that are no JSON objects to the reason; `repeating` are those in which a key comes
    twice in one object. `of_fabric`: its pipelines are those of a Fabric workspace.
    """

    root: Path
    resources: dict = field(default_factory=lambda: {folder: {} for folder in FOLDERS})
    unreadable: dict = field(default_factory=dict)
    repeating: set = field(default_factory=set)
    texts: dict = field(default_factory=dict)
    of_fabric: bool = False

    @property
    def all_resources(self):
        """Every resource, in the order of folders and names."""
        return [resource for by_name in self.resources.values() for resource in by_name.values()]

    @property
    def name(self):
        """The factory's name: that of its file in factory/."""
        return next(iter(self.resources["factory"]), self.root.name)

    def text(self, file):
        """The text of a resource's file."""
        if file in self.texts:
            return self.texts[file]
        return (self.root / file).read_text(encoding="utf-8-sig")

    @property
    def pipelines(self):
        """Documents of the pipelines by name."""
        return {name: resource.document for name, resource in self.resources["pipeline"].items()}

    @property
    def global_parameter_files(self):
        """Specifications of the global parameters `{name: {"type", "value"}}` with the file that has them."""
        for resource in self.resources["factory"].values():
            specifications = resource.properties.get("globalParameters")
            yield resource, specifications if isinstance(specifications, dict) else {}
        for resource in self.resources["globalParameters"].values():
            yield resource, resource.properties

    @property
    def global_parameters(self):
        """Values of the global parameters by name."""
        return {
            name: specification.get("value")
            for _, specifications in self.global_parameter_files
            for name, specification in specifications.items()
            if isinstance(specification, dict)
        }

    def resolve_dataset(self, reference):
        """A dataset with everything evaluated that its reference and its linked service decide.

        `reference` is a DatasetReference with evaluated parameters. Returns `{"name", "type",
        "typeProperties", "schema"?, "linkedService"}`; the linked service is `{"name", "type",
        "typeProperties"}`. AdfLabError if either is missing or a parameter has no value.
        """
        resource = self._named("dataset", reference["referenceName"])
        values = _values(resource, reference.get("parameters") or {})
        properties = evaluate_tree(
            {name: value for name, value in resource.properties.items() if name != "parameters"},
            Context(dataset=values),
        )
        return {
            "name": resource.name,
            "type": properties["type"],
            "typeProperties": properties.get("typeProperties") or {},
            "linkedService": self.resolve_linked_service(properties["linkedServiceName"]),
        }

    def resolve_linked_service(self, reference):
        """A linked service with its parameters put in; see resolve_dataset."""
        resource = self._named("linkedService", reference["referenceName"])
        values = _values(resource, reference.get("parameters") or {})
        type_properties = evaluate_tree(
            resource.properties.get("typeProperties") or {}, Context(linked_service=values)
        )
        return {"name": resource.name, "type": resource.properties["type"], "typeProperties": type_properties}

    def _named(self, folder, name):
        if name not in self.resources[folder]:
            raise AdfLabError(f"{self.root} has no {folder}/{name}.json, which an activity refers to.")
        return self.resources[folder][name]


def target_of(value):
    """The folder and name that an object refers to; (None, None) if it is no reference."""
    name, kind = value.get("referenceName"), value.get("type")
    if not isinstance(name, str) or not isinstance(kind, str) or kind not in FOLDER_OF_REFERENCE:
        return None, None
    return FOLDER_OF_REFERENCE[kind], name


def _values(resource, given):
    declared = resource.properties.get("parameters") or {}
    defaults = {name: spec["defaultValue"] for name, spec in declared.items() if "defaultValue" in spec}
    missing = [name for name in declared if name not in given and name not in defaults]
    if missing:
        raise AdfLabError(f"{resource.file} needs a value for its parameter {', '.join(missing)}.")
    return defaults | given


def load_factory(root):
    """Read a factory: its folder in git mode, an ARM template, or a folder with one or with pipelines of Fabric.

    AdfLabError if it is none of these.
    """
    root = Path(root)
    if root.is_file() or not any((root / folder).is_dir() for folder in FOLDERS):
        documents = documents_of(root)
        if documents is not None:
            of_fabric = root.is_dir() and not any((root / name).is_file() for name in PUBLISHED)
            return replace(_of_documents(root, documents), of_fabric=of_fabric)
    if not any((root / folder).is_dir() for folder in FOLDERS):
        raise AdfLabError(
            f"{root} is no factory: it has none of the folders {', '.join(FOLDERS)}. Give the folder that git "
            "mode calls the root folder, or an ARM template."
        )
    factory = Factory(root)
    for folder in FOLDERS:
        for path in sorted((root / folder).glob("*.json")):
            file = f"{folder}/{path.name}"
            try:
                document, repeats = _parsed(path.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError) as error:
                factory.unreadable[file] = str(error)
                continue
            if repeats:
                factory.repeating.add(file)
            factory.resources[folder][path.stem] = Resource(folder, file, document)
    return factory


def _of_documents(root, documents):
    """A factory of documents that stand in no files of their own."""
    factory = Factory(root)
    for file, document in documents.items():
        folder = file.partition("/")[0]
        text = json.dumps(document, indent=4)
        try:
            _parsed(text)
        except ValueError as error:
            factory.unreadable[file] = str(error)
            continue
        factory.texts[file] = text
        factory.resources[folder][Path(file).stem] = Resource(folder, file, document)
    return factory


def _parsed(text):
    """The JSON object of a text, and whether a key comes twice in one of its objects; ValueError if it is none."""
    repeats = False

    def build(pairs):
        nonlocal repeats
        members = dict(pairs)
        repeats = repeats or len(members) < len(pairs)
        return members

    too_deep = f"it is nested more than {DEEPEST} deep"
    try:
        document = json.loads(text, object_pairs_hook=build)
    except RecursionError:
        raise ValueError(too_deep) from None
    if not isinstance(document, dict):
        raise ValueError("it holds no JSON object")
    level: list = [document]
    depth = 0
    while level:
        depth += 1
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
    if depth > DEEPEST:
        raise ValueError(too_deep)
    return document, repeats
