"""Lookup, GetMetadata, Delete, Validation and Script.

Sources: azure-docs, control-flow-lookup-activity, control-flow-get-metadata-activity, delete-activity,
control-flow-validation-activity, transform-data-using-script.
"""

import asyncio
import base64
import hashlib
import json
import shutil
from datetime import UTC, datetime

from adf_lab.engine import ActivityFailure
from adf_lab.local.copying import is_table, statements_of_table
from adf_lab.local.database import rows_of, table_of, translated
from adf_lab.local.formats import READERS, select_from
from adf_lab.local.refusal import not_supported, refuse_unknown
from adf_lab.local.sources import source_files
from adf_lab.local.storage import files_of, is_true, place_of
from adf_lab.scripted import MOST_LOOKUP_ROWS, lookup_output
from adf_lab.timespans import parse_timespan

DEFAULT_SLEEP = 10
FILE_FIELDS = ("itemName", "itemType", "size", "created", "lastModified", "childItems", "contentMD5", "structure",
               "columnCount", "exists")  # fmt: skip
TABLE_FIELDS = ("structure", "columnCount", "exists")


def lookup(world, call):
    """The first rows of a query, a table or a file."""
    properties = call.type_properties
    refuse_unknown(f"Lookup '{call.name}'", properties, ("source", "dataset", "firstRowOnly"))
    dataset, source = world.dataset(properties["dataset"]), properties["source"]
    if is_table(dataset):
        service = dataset["linkedService"]["name"]
        world.mapping.database(service)
        *before, last = statements_of_table(call.name, source, dataset)
        with world.database.writing(service) as cursor:
            for statement in before:
                cursor.execute(statement)
            rows = _rows(cursor, last)
    elif dataset["type"] in (*READERS, "RestResource"):
        dataset, found = source_files(world, call.name, dataset, source)
        rows = []
        with world.database.session() as cursor:
            for path, _ in found:
                select = select_from(world.database, cursor, dataset, path, source.get("formatSettings"))
                rows += _rows(cursor, select, dataset["type"] == "Json")
                if len(rows) > MOST_LOOKUP_ROWS:
                    break
    else:
        raise not_supported(f"Lookup '{call.name}' in {dataset['type']}")
    return lookup_output(rows, properties.get("firstRowOnly", True))


def _rows(cursor, select, is_json=False):
    """The rows of a SELECT, no more than a Lookup returns; with JSON, texts of objects and lists are read."""
    cursor.execute(f"SELECT * FROM ({select}) LIMIT {MOST_LOOKUP_ROWS + 1}")
    nested = {column[0] for column in cursor.description if is_json and str(column[1]).upper() == "JSON"}
    rows = rows_of(cursor)
    return [
        {name: json.loads(value) if name in nested and value else value for name, value in row.items()}
        for row in rows
    ]


# --- metadata --------------------------------------------------------------------------------------------


def get_metadata(world, call):
    """The fields of a dataset that are asked for; one that is missing fails unless `exists` is asked."""
    properties = call.type_properties
    known = ("dataset", "fieldList", "storeSettings", "formatSettings")
    refuse_unknown(f"GetMetadata '{call.name}'", properties, known)
    dataset, fields = world.dataset(properties["dataset"]), properties.get("fieldList") or []
    output = _metadata_of_table(world, dataset) if is_table(dataset) else None
    if output is None:
        output = _metadata_of_file(world, call, dataset, fields)
    unknown = [field for field in fields if field not in (TABLE_FIELDS if is_table(dataset) else FILE_FIELDS)]
    if unknown:
        raise ActivityFailure("BadRequest", f"{dataset['type']} has no field {', '.join(map(str, unknown))}.")
    if not output["exists"] and "exists" not in fields:
        raise ActivityFailure(
            "UserErrorFileNotFound", f"What the dataset '{dataset['name']}' names does not exist."
        )
    return {field: output[field] for field in fields if field in output}


def _metadata_of_table(world, dataset):
    service = dataset["linkedService"]["name"]
    world.mapping.database(service)
    schema, table = table_of(dataset)
    with world.database.session(service) as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = ? "
            "AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?) ORDER BY column_index",
            [service, schema, table],
        )
        columns = [{"name": name, "type": kind} for name, kind in cursor.fetchall()]
    return {"exists": bool(columns), "structure": columns, "columnCount": len(columns)}


def _metadata_of_file(world, call, dataset, fields):
    place = place_of(world.mapping, dataset)
    path = place.path
    if not path.exists():
        return {"exists": False}
    state = path.stat()
    output = {
        "exists": True,
        "itemName": path.name,
        "itemType": "Folder" if path.is_dir() else "File",
        "lastModified": _instant(state.st_mtime),
        "created": _instant(state.st_ctime),
    }
    if path.is_dir():
        output["childItems"] = [
            {"name": child.name, "type": "Folder" if child.is_dir() else "File"}
            for child in sorted(path.iterdir())
        ]
        return output
    output["size"] = state.st_size
    if "contentMD5" in fields:
        output["contentMD5"] = base64.b64encode(
            hashlib.md5(path.read_bytes(), usedforsecurity=False).digest()
        ).decode()
    if {"structure", "columnCount"} & {*fields} and dataset["type"] in READERS:
        settings = call.type_properties.get("formatSettings")
        with world.database.session() as cursor:
            select = select_from(world.database, cursor, dataset, path, settings)
            columns = cursor.execute(f"DESCRIBE {select}").fetchall()
        output["structure"] = [
            {"name": name, "type": "String" if kind == "VARCHAR" else kind} for name, kind, *_ in columns
        ]
        output["columnCount"] = len(columns)
    return output


def _instant(seconds):
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


# --- files that go or come -------------------------------------------------------------------------------


def delete(world, call):
    """Delete the files, or the folder, that a dataset names."""
    properties = call.type_properties
    known = (
        "dataset",
        "storeSettings",
        "recursive",
        "enableLogging",
        "logStorageSettings",
        "maxConcurrentConnections",
    )
    refuse_unknown(f"Delete '{call.name}'", properties, known)
    if is_true(properties.get("enableLogging", False)):
        raise not_supported(f"Delete '{call.name}' with a log")
    place = place_of(world.mapping, dataset := world.dataset(properties["dataset"]))
    settings = dict(properties.get("storeSettings") or {})
    recursive = is_true(settings.get("recursive", properties.get("recursive", True)))
    filtered = {"wildcardFileName", "wildcardFolderPath", "modifiedDatetimeStart", "modifiedDatetimeEnd"} & {
        *settings
    }
    found = files_of(place, settings | {"recursive": recursive}, f"Delete '{call.name}'")
    for path, _ in found:
        path.unlink()
    if (
        recursive
        and not filtered
        and not place.names_file
        and place.path not in (place.container, world.root(dataset))
    ):
        shutil.rmtree(place.path)
    return {
        "datasetName": dataset["name"],
        "filesDeleted": len(found),
        "recursive": recursive,
        "isWildcardUsed": bool(filtered & {"wildcardFileName", "wildcardFolderPath"}),
    }


async def validate(world, call):
    """Wait until what a dataset names is there, is large enough, or has children."""
    properties = call.type_properties
    refuse_unknown(
        f"Validation '{call.name}'", properties, ("dataset", "timeout", "sleep", "minimumSize", "childItems")
    )
    pause = max(float(properties.get("sleep") or DEFAULT_SLEEP), 1)
    # Its own time-out is a property of the type, not of the policy.
    limit = parse_timespan(properties.get("timeout") or "0.12:00:00").total_seconds()
    waited = 0.0
    while not _is_valid(world, properties):
        if waited + pause > limit:
            raise ActivityFailure("ValidationTimeout", f"It is not there after {waited:.0f} seconds.")
        await asyncio.sleep(pause)
        waited += pause
    return {"exists": True}


def _is_valid(world, properties):
    dataset = world.dataset(properties["dataset"])
    if is_table(dataset):
        return _metadata_of_table(world, dataset)["exists"]
    path = place_of(world.mapping, dataset).path
    if not path.exists():
        return False
    if path.is_dir():
        wanted = properties.get("childItems")
        return wanted is None or any(path.iterdir()) == is_true(wanted)
    return path.stat().st_size >= int(properties.get("minimumSize") or 0)


# --- scripts of SQL --------------------------------------------------------------------------------------


def run_script(world, call):
    """Statements of SQL in one transaction, with their parameters; the rows of each query."""
    properties = call.type_properties
    refuse_unknown(f"Script '{call.name}'", properties, ("scripts", "scriptBlockExecutionTimeout", "logSettings"))
    if (properties.get("logSettings") or {}).get("logDestination", "ActivityOutput") != "ActivityOutput":
        raise not_supported(f"Script '{call.name}' with a log in a store")
    service = (call.linked_service or {}).get("referenceName", "")
    world.mapping.database(service)
    sets, affected = [], 0
    with world.database.writing(service) as cursor:
        for script in properties.get("scripts") or []:
            given = {one["name"].lstrip("@"): one.get("value") for one in script.get("parameters") or []}
            for statement in translated(script["text"], call.name):
                used = {name: value for name, value in given.items() if f"${name}" in statement}
                cursor.execute(statement, used or None)
                rows = rows_of(cursor) if cursor.description else []
                if str(script.get("type") or "Query").lower() == "query":
                    sets.append({"rowCount": len(rows), "rows": rows[:MOST_LOOKUP_ROWS]})
                elif len(rows) == 1 and list(rows[0]) == ["Count"]:
                    affected += rows[0]["Count"]
    return {"resultSetCount": len(sets), "recordsAffected": affected, "resultSets": sets, "outputParameters": {}}
