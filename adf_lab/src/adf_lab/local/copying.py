"""Copy: between files of every format and tables, as they are or through a mapping of columns.

Sources: azure-docs, copy-activity-overview, copy-activity-schema-and-type-mapping, connector-azure-sql-database,
and those of formats.py and storage.py.
"""

import re
import shutil
import time
import uuid

from adf_lab.engine import ActivityFailure
from adf_lab.local.database import literal, quoted, table_of, translated
from adf_lab.local.formats import EXTENSIONS, READERS, WRITERS, copy_to, json_objects, select_from
from adf_lab.local.refusal import not_supported, one_of, refuse_unknown
from adf_lab.local.sources import source_files
from adf_lab.local.storage import is_true, place_of

KNOWN = (
    "source", "sink", "translator", "parallelCopies", "dataIntegrationUnits", "validateDataConsistency",
    "enableStaging", "cloudDataMovementUnits", "enableSkipIncompatibleRow", "redirectIncompatibleRowSettings",
    "logSettings",
)  # fmt: skip
FILE_SINK = ("type", "storeSettings", "formatSettings", "maxConcurrentConnections")
SQL_SOURCE = (
    "type", "sqlReaderQuery", "query", "queryTimeout", "partitionOption", "additionalColumns", "isolationLevel",
)  # fmt: skip
SQL_SINK = (
    "type", "preCopyScript", "tableOption", "writeBehavior", "upsertSettings", "writeBatchSize",
    "writeBatchTimeout", "disableMetricsCollection", "sqlWriterUseTableLock", "maxConcurrentConnections",
)  # fmt: skip
WRITE_SETTINGS = ("type", "copyBehavior", "maxConcurrentConnections", "blockSizeInMB")
MAPPED = (
    "type", "mappings", "columnMappings", "collectionReference", "mapComplexValuesToString", "typeConversion",
    "typeConversionSettings", "schemaMapping",
)  # fmt: skip
DATABASES = (
    "AzureSqlTable", "AzureSqlMITable", "AzureSqlDWTable", "SqlServerTable", "AzurePostgreSqlTable",
    "AzureMySqlTable", "PostgreSqlTable", "PostgreSqlV2Table", "MySqlTable",
)  # fmt: skip


def is_table(dataset):
    """Whether a resolved dataset is a table of a database."""
    return dataset["type"] in DATABASES


def copy(world, call):
    """Copy from one dataset into another; the output counts what was read and written.

    A row that does not fit fails the copy, also where the service would be asked to skip and log it.
    """
    properties = call.type_properties
    refuse_unknown(f"Copy '{call.name}'", properties, KNOWN)
    if is_true(properties.get("enableStaging", False)):
        raise not_supported(f"Copy '{call.name}' through a staging store")
    if len(call.inputs) != 1 or len(call.outputs) != 1:
        raise ActivityFailure("BadRequest", f"Copy '{call.name}' needs one input and one output.")
    source, sink = (world.dataset(reference) for reference in (call.inputs[0], call.outputs[0]))
    began = time.monotonic()
    work = _copy_binary if source["type"] == sink["type"] == "Binary" else _copy_rows
    counts = work(world, call, source, sink)
    return counts | {
        "copyDuration": round(time.monotonic() - began),
        "errors": [],
        "effectiveIntegrationRuntime": "adf-lab (this machine)",
    }


def _copy_binary(world, call, source, sink):
    """Files as they are."""
    properties = call.type_properties
    _, found = source_files(world, call.name, source, properties["source"])
    target, behaviour = _target(world, call, sink)
    if target.names_file and len(found) > 1:
        raise not_supported(f"Copy '{call.name}': many files into one")
    size = 0
    for path, relative in found:
        end = target.path if target.names_file else target.inside(_name(relative, behaviour, path.suffix))
        end.parent.mkdir(parents=True, exist_ok=True)
        beside = end.with_name(f".{end.name}.{uuid.uuid4().hex}")
        shutil.copyfile(path, beside)
        beside.replace(end)
        size += end.stat().st_size
    _delete_copied(properties["source"], found)
    return {"dataRead": size, "dataWritten": size, "filesRead": len(found), "filesWritten": len(found)}


def _copy_rows(world, call, source, sink):
    """Rows: from a table or from files, into a table or into files."""
    if not is_table(sink) and sink["type"] not in WRITERS:
        raise not_supported(f"Copy '{call.name}' into {sink['type']}")
    if is_table(source):
        service = source["linkedService"]["name"]
        world.mapping.database(service)
        with world.database.session(service) as cursor:
            select = _mapped(call, select_of_table(call.name, call.type_properties["source"], source))
            return _write(world, call, cursor, [(select, call.name, None)], sink)
    if source["type"] not in (*READERS, "RestResource"):
        raise not_supported(f"Copy '{call.name}' from {source['type']}")
    given = call.type_properties["source"]
    source, found = source_files(world, call.name, source, given)
    with world.database.session() as cursor:
        selects = [
            (_select(world, cursor, call, source, path, relative), relative, path) for path, relative in found
        ]
        counts = _write(world, call, cursor, selects, sink)
    _delete_copied(given, found)
    size = sum(path.stat().st_size for path, _ in found if path.exists())
    return {"dataRead": size, "filesRead": len(found), **counts}


def _delete_copied(given, found):
    if is_true((given.get("storeSettings") or {}).get("deleteFilesAfterCompletion", False)):
        for path, _ in found:
            path.unlink()


def select_of_table(name, given, dataset):
    """The SELECT that a source of SQL stands for: its query, or the whole table of its dataset."""
    statements = statements_of_table(name, given, dataset)
    if len(statements) != 1:
        raise not_supported(f"'{name}': a query of {len(statements)} statements")
    return statements[0]


def statements_of_table(name, given, dataset):
    """The statements that a source of SQL stands for, of which the last gives its rows."""
    refuse_unknown(f"The source of '{name}'", given, SQL_SOURCE)
    if given.get("partitionOption") not in (None, "None"):
        raise not_supported(f"'{name}' with partitions")
    query = given.get("sqlReaderQuery") or given.get("query")
    table = None if query else quoted(dataset["linkedService"]["name"], *table_of(dataset))
    return translated(query, name) if query else [f"SELECT * FROM {table}"]


def _select(world, cursor, call, source, path, relative):
    """The SELECT of one file, mapped and with its additional columns."""
    given, translator = call.type_properties["source"], call.type_properties.get("translator") or {}
    paths = any("path" in (one.get("source") or {}) for one in translator.get("mappings") or [])
    if source["type"] == "Json" and (paths or translator.get("collectionReference")):
        return _by_paths(call, json_objects(source, path))
    select = select_from(world.database, cursor, source, path, given.get("formatSettings"))
    for column in given.get("additionalColumns") or []:
        select = f"SELECT *, {_additional(column, relative)} AS {quoted(column['name'])} FROM ({select})"
    return _mapped(call, select)


def _additional(column, relative):
    value = str(column.get("value", ""))
    if value == "$$FILEPATH":
        return literal(relative)
    return quoted(value.removeprefix("$$COLUMN:")) if value.startswith("$$COLUMN:") else literal(value)


# --- mapping of columns ----------------------------------------------------------------------------------


def _mapped(call, select):
    """A SELECT of the columns that the translator names, under their names in the sink."""
    translator = call.type_properties.get("translator") or {}
    refuse_unknown(f"The translator of '{call.name}'", translator, MAPPED)
    pairs = [(one["source"], one["sink"]) for one in translator.get("mappings") or []]
    older = translator.get("columnMappings") or {}
    if isinstance(older, str):
        older = {
            left.strip(): right.strip() for left, _, right in (pair.partition(":") for pair in older.split(","))
        }
    pairs += [({"name": left}, {"name": right}) for left, right in older.items()]
    if translator.get("schemaMapping"):
        raise not_supported(f"Copy '{call.name}' with a schemaMapping")
    if not pairs:
        return select
    columns = [f"{_source_column(left)} AS {quoted(_sink_name(right))}" for left, right in pairs]
    aliased = f"SELECT * FROM ({select}) AS rows" if any("ordinal" in left for left, _ in pairs) else select
    return f"SELECT {', '.join(columns)} FROM ({aliased})"


def _source_column(column):
    if column.get("name") is not None:
        return quoted(column["name"])
    if column.get("ordinal") is not None:
        return f"#{int(column['ordinal'])}"
    raise not_supported("A mapping of a column without a name")


def _sink_name(column):
    name = column.get("name") or column.get("path") or f"Prop_{int(column.get('ordinal') or 1) - 1}"
    return _steps(name)[-1] if str(name).startswith(("$", "[")) else name


def _by_paths(call, objects):
    """Columns by their paths in JSON; with a collectionReference a row for each of its items."""
    translator = call.type_properties["translator"]
    refuse_unknown(f"The translator of '{call.name}'", translator, MAPPED)
    collection = translator.get("collectionReference")
    if collection:
        items = f"unnest(json_extract(json, {literal(_pointer(collection))})::JSON[])"
        rows = f"SELECT json AS root, {items} AS item FROM ({objects})"
    else:
        rows = f"SELECT json AS root, json AS item FROM ({objects})"
    columns = []
    for one in translator.get("mappings") or []:
        path = str(one["source"].get("path") or one["source"].get("name") or "")
        start = "root" if path.startswith("$") else "item"
        columns.append(
            f"json_extract_string({start}, {literal(_pointer(path))}) AS {quoted(_sink_name(one['sink']))}"
        )
    if not columns:
        raise not_supported(f"Copy '{call.name}' with a collection and no mappings")
    return f"SELECT {', '.join(columns)} FROM ({rows})"


def _pointer(path):
    """`$['a']['b'][0]`, `$.a.b` or `a.b` as a pointer of JSON."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in _steps(path))


def _steps(path):
    """The names and numbers of a path."""
    text = str(path).removeprefix("$")
    steps = re.findall(r"\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\]|\.?([^.\[\]]+)", text)
    return [first or second or third for first, second, third in steps]


# --- the sink --------------------------------------------------------------------------------------------


def _write(world, call, cursor, selects, sink):
    if is_table(sink):
        return _write_table(world, call, selects, sink)
    return _write_files(world, call, cursor, selects, sink)


def _write_table(world, call, selects, sink):
    given, service = call.type_properties["sink"], sink["linkedService"]["name"]
    refuse_unknown(f"The sink of '{call.name}'", given, SQL_SINK)
    behaviour = one_of(
        "The behaviour", str(given.get("writeBehavior") or "insert").lower(), {"insert": False, "upsert": True}
    )
    world.mapping.database(service)
    schema, table = table_of(sink)
    name = quoted(service, schema, table)
    source = world.dataset(call.inputs[0])
    origin = source["linkedService"]["name"] if is_table(source) else service
    count = 0
    with world.database.writing(service) as cursor:
        for statement in translated(given["preCopyScript"], call.name) if given.get("preCopyScript") else []:
            cursor.execute(statement)
        rows = " UNION ALL BY NAME ".join(f"({select})" for select, _, _ in selects)
        if not selects:
            return {"rowsRead": 0, "rowsCopied": 0}
        if origin != service:
            # Names in the query of a source are those of its own database.
            cursor.execute(f"USE {quoted(origin, 'dbo')}")
        cursor.execute(f"CREATE TEMP TABLE copied AS {rows}")
        cursor.execute(f"USE {quoted(service, 'dbo')}")
        _make_if_asked(cursor, given, service, schema, table, name)
        columns = ", ".join(quoted(row[0]) for row in cursor.execute("DESCRIBE copied").fetchall())
        if behaviour:
            _delete_those_with_keys(cursor, call, given, name)
        [[count]] = cursor.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM copied").fetchall()
        cursor.execute("DROP TABLE copied")
    return {"rowsRead": count, "rowsCopied": count}


def _make_if_asked(cursor, given, service, schema, table, name):
    """Make a table that is missing, if the sink asks for it."""
    known = cursor.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND lower(schema_name) = lower(?) "
        "AND lower(table_name) = lower(?)",
        [service, schema, table],
    ).fetchall()
    if known:
        return
    if str(given.get("tableOption") or "").lower() != "autocreate":
        raise ActivityFailure(
            "SqlOperationFailed",
            f"There is no table {schema}.{table} in what '{service}' stands for: create it, or give the sink "
            "the tableOption autoCreate.",
        )
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(service, schema)}")
    cursor.execute(f"CREATE TABLE {name} AS SELECT * FROM copied LIMIT 0")


def _delete_those_with_keys(cursor, call, given, name):
    keys = (given.get("upsertSettings") or {}).get("keys")
    if not isinstance(keys, list) or not keys:
        raise not_supported(f"Copy '{call.name}': an upsert without a list of keys")
    same = " AND ".join(f"{name}.{quoted(key)} = copied.{quoted(key)}" for key in keys)
    cursor.execute(f"DELETE FROM {name} USING copied WHERE {same}")


def _target(world, call, sink):
    """The place of a sink of files, and how names are made in it."""
    given = call.type_properties["sink"]
    refuse_unknown(f"The sink of '{call.name}'", given, FILE_SINK)
    settings = given.get("storeSettings") or {}
    refuse_unknown(f"The store settings of '{call.name}'", settings, WRITE_SETTINGS)
    behaviour = settings.get("copyBehavior") or "PreserveHierarchy"
    known = ("PreserveHierarchy", "FlattenHierarchy", "MergeFiles")
    return place_of(world.mapping, sink), one_of("The copyBehavior", behaviour, {name: name for name in known})


def _name(relative, behaviour, extension):
    """The name of a file that is written: that of its source, or, in a flattened hierarchy, one of its own."""
    if behaviour == "FlattenHierarchy":
        return f"data_{uuid.uuid4()}{extension}"
    return relative


def _write_files(world, call, cursor, selects, sink):
    target, behaviour = _target(world, call, sink)
    settings = call.type_properties["sink"].get("formatSettings") or {}
    extension = settings.get("fileExtension") or EXTENSIONS[sink["type"]]
    merged = behaviour == "MergeFiles" or target.names_file
    if merged and selects:
        rows = " UNION ALL BY NAME ".join(f"({select})" for select, _, _ in selects)
        selects = [(rows, f"data_{uuid.uuid4()}{extension}", None)]
    count, size = 0, 0
    for select, relative, path in selects:
        if target.names_file:
            end = target.path
        elif path is None:
            end = target.inside(relative if merged else f"data_{uuid.uuid4()}{extension}")
        else:
            end = target.inside(_name(relative.removesuffix(path.suffix) + extension, behaviour, extension))
        count += copy_to(cursor, select, sink, end, settings)
        size += end.stat().st_size
    return {"rowsRead": count, "rowsCopied": count, "filesWritten": len(selects), "dataWritten": size}
