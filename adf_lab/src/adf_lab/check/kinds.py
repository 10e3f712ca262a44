"""Kinds that must go together: values and what holds them, datasets and linked services, copies and datasets.

Sources: azure-docs, concepts-parameters-variables, concepts-datasets-linked-services, copy-activity-overview,
control-flow-set-variable-activity, control-flow-append-variable-activity, control-flow-web-activity.
"""

import json

from adf_lab.check.expressions import KINDS_OF_TYPE, Expressions
from adf_lab.check.finding import finding, objects
from adf_lab.check.names import find
from adf_lab.expressions import is_expression, kind_of
from adf_lab.factory import target_of
from adf_lab.structure import all_activities, is_active

# Kinds that a parameter of a type can never be made of; the service reads numbers and booleans from texts.
NEVER = {
    "string": {"array", "object"},
    "securestring": {"array", "object"},
    "int": {"array", "object", "boolean"},
    "float": {"array", "object", "boolean"},
    "bool": {"array", "object", "integer", "float"},
    "array": {"boolean", "integer", "float", "object"},
}
# The kinds of linked service that a dataset, or the location in it, can stand on.
SERVICES = {
    "AmazonS3Location": {"AmazonS3"},
    "AmazonS3CompatibleLocation": {"AmazonS3Compatible"},
    "AzureBlobFSLocation": {"AzureBlobFS"},
    "AzureBlobStorageLocation": {"AzureBlobStorage", "AzureStorage"},
    "AzureDataLakeStoreLocation": {"AzureDataLakeStore"},
    "AzureFileStorageLocation": {"AzureFileStorage"},
    "FileServerLocation": {"FileServer"},
    "FtpServerLocation": {"FtpServer"},
    "GoogleCloudStorageLocation": {"GoogleCloudStorage"},
    "HdfsLocation": {"Hdfs"},
    "HttpServerLocation": {"HttpServer"},
    "OracleCloudStorageLocation": {"OracleCloudStorage"},
    "SftpLocation": {"Sftp"},
    "AzureBlob": {"AzureBlobStorage", "AzureStorage"},
    "AzureBlobFSFile": {"AzureBlobFS"},
    "AzureDataExplorerTable": {"AzureDataExplorer"},
    "AzureDataLakeStoreFile": {"AzureDataLakeStore"},
    "AzureDatabricksDeltaLakeDataset": {"AzureDatabricksDeltaLake"},
    "AzureMySqlTable": {"AzureMySql"},
    "AzurePostgreSqlTable": {"AzurePostgreSql"},
    "AzureSqlDWTable": {"AzureSqlDW"},
    "AzureSqlMITable": {"AzureSqlMI"},
    "AzureSqlTable": {"AzureSqlDatabase"},
    "AzureTable": {"AzureTableStorage", "AzureStorage"},
    "CosmosDbSqlApiCollection": {"CosmosDb"},
    "HttpFile": {"HttpServer"},
    "MongoDbV2Collection": {"MongoDbV2"},
    "ODataResource": {"OData"},
    "OracleTable": {"Oracle"},
    "RestResource": {"RestService"},
    "SnowflakeTable": {"Snowflake"},
    "SnowflakeV2Table": {"SnowflakeV2"},
    "SqlServerTable": {"SqlServer"},
}
KNOWN_SERVICES = set().union(*SERVICES.values())
# Published factories read one kind of SQL Server with the source of another.
SQL = {"AzureSql", "Sql", "SqlMI", "SqlServer"}
# The sources and sinks that go with a dataset, without their last word; older names of the same beside them.
COPIES = {
    **{name: {name} for name in ("Avro", "Binary", "DelimitedText", "Excel", "Json", "Orc", "Parquet", "Xml")},
    "AzureBlob": {"Blob"},
    "AzureDataExplorerTable": {"AzureDataExplorer"},
    "AzureSqlDWTable": {"SqlDW"},
    "AzureSqlMITable": SQL,
    "AzureSqlTable": SQL,
    "AzureTable": {"AzureTable"},
    "OracleTable": {"Oracle"},
    "RestResource": {"Rest"},
    "SnowflakeTable": {"Snowflake"},
    "SnowflakeV2Table": {"SnowflakeV2"},
    "SqlServerTable": SQL,
}
KNOWN_COPIES = set().union(*COPIES.values())
NEEDS_BODY, HAS_NO_BODY = {"post", "put", "patch"}, {"get"}


# --- values ----------------------------------------------------------------------------------------------


def parameter_kinds(factory):
    """Defaults and passed values that a parameter cannot hold; values of global parameters."""
    for resource in factory.all_resources:
        for name, specification in (resource.properties.get("parameters") or {}).items():
            if isinstance(specification, dict) and "defaultValue" in specification:
                kind, value = specification.get("type"), specification["defaultValue"]
                if wrong := _misfit(kind, value, None):
                    path = f"properties.parameters.{name}.defaultValue"
                    yield finding("parameter-kind", resource.file, path, f"'{name}' is of type {kind}: {wrong}")
    for resource, specifications in factory.global_parameter_files:
        for name, specification in specifications.items():
            if not isinstance(specification, dict):
                continue
            inside = "properties." if resource.folder == "globalParameters" else "properties.globalParameters."
            if wrong := _misfit(specification.get("type"), specification.get("value"), None):
                message = f"'{name}' is of type {specification.get('type')}: {wrong}"
                yield finding("parameter-kind", resource.file, f"{inside}{name}.value", message)
    for folder in ("pipeline", "dataset", "trigger"):
        for resource in factory.resources[folder].values():
            yield from _passed(factory, resource, Expressions(factory, resource))


def _passed(factory, resource, expressions):
    """The values of parameters that a resource passes to others."""
    for path, holder in objects(resource.document):
        reference = holder.get("pipeline") or holder.get("pipelineReference") or holder
        folder, name = target_of(reference) if isinstance(reference, dict) else (None, None)
        target = find(factory, folder, name) if folder in ("pipeline", "dataset", "linkedService") else None
        given = holder.get("parameters")
        if target is None or not isinstance(given, dict):
            continue
        for name, specification in (target.properties.get("parameters") or {}).items():
            if name in given and (wrong := _misfit(specification.get("type"), given[name], expressions)):
                message = f"{target.file} declares '{name}' as {specification.get('type')}: {wrong}"
                yield finding("parameter-kind", resource.file, f"{path}.parameters.{name}", message)


def _misfit(kind, value, expressions):
    """Why a value, or what the expression in it gives, is none of a type; None if it can be."""
    kind = str(kind).lower()
    if value is None or kind not in NEVER:
        return None
    literal = value["value"] if is_expression(value) else value
    if isinstance(literal, str) and "@" not in literal:
        return None if _reads_as(kind, literal) else f"{literal[:60]!r} is no such value."
    if isinstance(literal, str) and expressions is None:
        return None
    kinds = expressions.kinds_of(value) if expressions else {kind_of(literal)}
    return f"it cannot be {' or '.join(sorted(kinds))}." if kinds <= NEVER[kind] else None


def _reads_as(kind, text):
    """Whether a text can be read as a value of a type."""
    if kind in ("string", "securestring") or not text:
        return True
    if kind == "bool":
        return text.lower() in ("true", "false")
    try:
        if kind == "array":
            return isinstance(json.loads(text), list)
        float(text)
    except (ValueError, RecursionError):
        return False
    return True


def variable_kinds(factory):
    """Values that a variable cannot hold: its default, what sets it, what is appended to it."""
    for resource in factory.resources["pipeline"].values():
        declared = resource.properties.get("variables") or {}
        expressions = Expressions(factory, resource)
        for name, specification in declared.items():
            value, kind = specification.get("defaultValue"), specification.get("type")
            wanted = KINDS_OF_TYPE.get(str(kind).lower())
            if (
                wanted
                and value is not None
                and not expressions.kinds_of(value) & wanted
                and not _is_text_of(kind, value)
            ):
                path = f"properties.variables.{name}.defaultValue"
                yield finding(
                    "variable-kind", resource.file, path, f"'{name}' is of type {kind}: correct the value."
                )
        for path, activity in all_activities(resource.properties.get("activities") or []):
            properties = activity.get("typeProperties") or {}
            name = properties.get("variableName")
            if name not in declared or not is_active(activity) or properties.get("setSystemVariable"):
                continue
            kind = str(declared[name].get("type"))
            place = f"{path}.typeProperties"
            if activity.get("type") == "AppendVariable" and kind.lower() != "array":
                message = f"'{name}' is of type {kind}: only an Array can be appended to."
                yield finding("variable-kind", resource.file, f"{place}.variableName", message)
            wanted = KINDS_OF_TYPE.get(kind.lower())
            if activity.get("type") == "SetVariable" and wanted and "value" in properties:
                value = properties["value"]
                kinds = expressions.kinds_of(value)
                if not kinds & (wanted | {"null"}) and not _is_text_of(kind, value):
                    message = f"'{name}' is of type {kind}: it cannot hold {' or '.join(sorted(kinds))}."
                    yield finding("variable-kind", resource.file, f"{place}.value", message)


def _is_text_of(kind, value):
    """Whether a literal text, such as `true` or `5`, can be read as a value of a type."""
    kind = {"boolean": "bool", "integer": "int"}.get(str(kind).lower(), str(kind).lower())
    return isinstance(value, str) and "@" not in value and kind != "string" and _reads_as(kind, value)


# --- resources -------------------------------------------------------------------------------------------


def dataset_services(factory):
    """Datasets on a linked service that has no such data."""
    for resource in factory.resources["dataset"].values():
        properties = resource.properties
        location = (properties.get("typeProperties") or {}).get("location")
        kind = location.get("type") if isinstance(location, dict) else properties.get("type")
        reference = properties.get("linkedServiceName") or {}
        service = find(factory, "linkedService", str(reference.get("referenceName")))
        actual = service.properties.get("type") if service else None
        if kind in SERVICES and actual in KNOWN_SERVICES and actual not in SERVICES[kind]:
            needed = " or ".join(sorted(SERVICES[kind]))
            message = f"{kind} needs a linked service of type {needed}: '{service.name}' is {actual}."
            yield finding("dataset-linked-service", resource.file, "properties.linkedServiceName", message)


def copy_types(factory):
    """Sources and sinks that do not go with their datasets, in copies and lookups."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            if not is_active(activity):
                continue
            properties = activity.get("typeProperties") or {}
            ends = {
                "Copy": [
                    ("Source", properties.get("source"), (activity.get("inputs") or [None])[0]),
                    ("Sink", properties.get("sink"), (activity.get("outputs") or [None])[0]),
                ],
                "Lookup": [("Source", properties.get("source"), properties.get("dataset"))],
            }.get(str(activity.get("type")), [])
            for word, end, reference in ends:
                if isinstance(end, dict) and isinstance(reference, dict):
                    message = _misfitting_end(factory, word, end, reference)
                    if message:
                        place = f"{path}.typeProperties.{word.lower()}.type"
                        yield finding("copy-type", resource.file, place, message)


def _misfitting_end(factory, word, end, reference):
    dataset = find(factory, "dataset", str(reference.get("referenceName")))
    kind, actual = dataset.properties.get("type") if dataset else None, str(end.get("type"))
    fitting = COPIES.get(str(kind), set())
    known = actual.endswith(word) and actual.removesuffix(word) in KNOWN_COPIES
    if not fitting or not known or actual.removesuffix(word) in fitting:
        return None
    return f"{actual} does not go with '{dataset.name}', which is {kind}: use {sorted(fitting)[0]}{word}."


def web_bodies(factory):
    """Web requests that lack a body, or have one that their method cannot have."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            properties = activity.get("typeProperties") or {}
            if activity.get("type") != "WebActivity" or not is_active(activity):
                continue
            method, has_body = str(properties.get("method")).lower(), properties.get("body") not in (None, "")
            if method in NEEDS_BODY and not has_body:
                message = f"{method.upper()} needs a body: give one, if only '{{}}'."
                yield finding("web-body", resource.file, f"{path}.typeProperties", message)
            if method in HAS_NO_BODY and has_body:
                message = f"{method.upper()} cannot have a body: remove it."
                yield finding("web-body", resource.file, f"{path}.typeProperties.body", message)
