"""The formats of files: how DuckDB reads and writes them.

Sources: azure-docs, format-delimited-text, format-json, format-parquet, format-excel, format-binary.
"""

import csv
import gzip
import io
import itertools
import uuid

from adf_lab.engine import ActivityFailure
from adf_lab.local.database import literal, quoted
from adf_lab.local.refusal import not_supported, one_of, refuse_unknown
from adf_lab.local.storage import is_true

DELIMITED = ("location", "columnDelimiter", "rowDelimiter", "encodingName", "compressionCodec", "compressionLevel",
             "quoteChar", "escapeChar", "firstRowAsHeader", "nullValue")  # fmt: skip
JSON = ("location", "encodingName", "compression")
PARQUET = ("location", "compressionCodec")
EXCEL = ("location", "sheetName", "sheetIndex", "range", "firstRowAsHeader", "nullValue")
COMPRESSIONS = {"": "none", "none": "none", "gzip": "gzip"}
PARQUET_COMPRESSIONS = {"": "snappy", "none": "uncompressed", "snappy": "snappy", "gzip": "gzip"}
ENCODINGS = {"": "utf-8", "utf-8": "utf-8", "us-ascii": "utf-8", "utf-16": "utf-16", "iso-8859-1": "latin-1"}
EXTENSIONS = {"DelimitedText": ".csv", "Json": ".json", "Parquet": ".parquet"}
JSON_TYPES = {
    "UBIGINT": "BIGINT",
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "VARCHAR": "VARCHAR",
}


def select_from(database, cursor, dataset, path, settings):
    """A SELECT of all columns of a file; `settings` are the formatSettings of the activity."""
    return one_of("Files of type", dataset["type"], READERS)(database, cursor, dataset, path, settings or {})


def copy_to(cursor, select, dataset, path, settings):
    """Write what a SELECT gives into a file, as a whole; how many rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = one_of("Files of type", dataset["type"], WRITERS)(dataset, settings or {})
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        [[count]] = cursor.execute(f"COPY ({select}) TO {literal(beside)} ({options})").fetchall()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return count


# --- delimited text --------------------------------------------------------------------------------------


def _delimited(dataset):
    """The properties of delimited text, with the service's defaults."""
    properties = dataset["typeProperties"]
    refuse_unknown(f"The dataset '{dataset['name']}'", properties, DELIMITED)
    if properties.get("rowDelimiter") not in (None, "", "\n", "\r\n", "\r"):
        raise not_supported("A row delimiter other than a line break")
    return {
        "delim": properties.get("columnDelimiter", ","),
        "quote": properties.get("quoteChar", '"'),
        "escape": properties.get("escapeChar", "\\"),
        "nullstr": properties.get("nullValue", ""),
        "header": is_true(properties.get("firstRowAsHeader", False)),
        "compression": one_of(
            "The compression", str(properties.get("compressionCodec") or "").lower(), COMPRESSIONS
        ),
        "encoding": one_of("The encoding", str(properties.get("encodingName") or "").lower(), ENCODINGS),
    }


def _read_delimited(_database, _cursor, dataset, path, settings):
    refuse_unknown("DelimitedTextReadSettings", settings, ("type", "skipLineCount"))
    known, skip = _delimited(dataset), int(settings.get("skipLineCount") or 0)
    names = _names_of(path, known, skip)
    if not names:
        raise ActivityFailure("DelimitedTextEmpty", f"{path} has no columns: it is empty.")
    return _read_csv(path, names, known, skip)


def _read_csv(path, names, known, skip=0):
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options = "".join(
        f", {name} = {literal(known[name])}"
        for name in ("delim", "quote", "escape", "nullstr", "compression", "encoding")
    )
    header = "true" if known["header"] else "false"
    return (
        f"SELECT * FROM read_csv({literal(path)}, auto_detect = false, header = {header}, skip = {skip}, "
        f"columns = {{{columns}}}{options})"
    )


def _names_of(path, known, skip):
    """The names of the columns: the first row, or Prop_0, Prop_1 … without a header."""
    opened = gzip.open if known["compression"] == "gzip" else open
    with opened(
        path, "rt", encoding="utf-8-sig" if known["encoding"] == "utf-8" else known["encoding"], newline=""
    ) as file:
        quote, escape = known["quote"], known["escape"]
        doubled = {"doublequote": quote == escape, "escapechar": None if quote == escape else escape or None}
        quoting = {"quotechar": quote, **doubled} if quote else {"quoting": csv.QUOTE_NONE}
        lines = csv.reader(itertools.islice(file, skip, None), delimiter=known["delim"], **quoting)
        first = next(lines, [])
    names = first if known["header"] else [f"Prop_{number}" for number in range(len(first))]
    return _told_apart(names)


def _told_apart(names):
    """Names for all columns, none of them twice."""
    found: list[str] = []
    for number, name in enumerate(names):
        name = str(name).strip() or f"Prop_{number}"
        found.append(f"{name}_{number}" if name.lower() in map(str.lower, found) else name)
    return found


def _write_delimited(dataset, settings):
    refuse_unknown("DelimitedTextWriteSettings", settings, ("type", "quoteAllText", "fileExtension"))
    known = _delimited(dataset)
    if known["encoding"] != "utf-8":
        raise not_supported(f"Writing in the encoding {known['encoding']}")
    options = "".join(
        f", {name.upper()} {literal(known[name])}" for name in ("quote", "escape", "nullstr", "compression")
    )
    force = ", FORCE_QUOTE *" if is_true(settings.get("quoteAllText", False)) else ""
    return (
        f"FORMAT csv, DELIMITER {literal(known['delim'])}, HEADER {str(known['header']).lower()}{options}{force}"
    )


# --- JSON ------------------------------------------------------------------------------------------------


def json_objects(dataset, path):
    """A SELECT of every object of a file, as the one column `json`."""
    properties = dataset["typeProperties"]
    refuse_unknown(f"The dataset '{dataset['name']}'", properties, JSON)
    one_of("The encoding", str(properties.get("encodingName") or "").lower(), {"": "", "utf-8": ""})
    compression = (properties.get("compression") or {}).get("type") or ""
    kind = one_of("The compression", str(compression).lower(), COMPRESSIONS)
    return f"SELECT json FROM read_json_objects({literal(path)}, format = 'auto', compression = {literal(kind)})"


def _read_json(_database, cursor, dataset, path, settings):
    refuse_unknown("JsonReadSettings", settings, ("type",))
    objects = json_objects(dataset, path)
    seen = cursor.execute(
        "SELECT e.key, list(DISTINCT e.type) "
        f"FROM (SELECT json, row_number() OVER () AS number FROM ({objects})) AS o, json_each(o.json) AS e "
        "GROUP BY e.key ORDER BY min(o.number), min(e.id)"
    ).fetchall()
    if not seen:
        return "SELECT NULL AS nothing LIMIT 0"
    columns = ", ".join(_column(key, {*types} - {"NULL"}) for key, types in seen)
    return f"SELECT {columns} FROM ({objects})"


def _column(key, types):
    """A member of an object as a column; what is an object or a list stays JSON."""
    found = {JSON_TYPES.get(one, "JSON") for one in types}
    pointer = "/" + str(key).replace("~", "~0").replace("/", "~1")
    if found == {"BIGINT", "DOUBLE"}:
        found = {"DOUBLE"}
    kind = found.pop() if len(found) == 1 else "VARCHAR"
    if kind == "JSON":
        return f"json_extract(json, {literal(pointer)}) AS {quoted(key)}"
    return f"CAST(json_extract_string(json, {literal(pointer)}) AS {kind}) AS {quoted(key)}"


def _write_json(dataset, settings):
    refuse_unknown("JsonWriteSettings", settings, ("type", "filePattern"))
    refuse_unknown(f"The dataset '{dataset['name']}'", dataset["typeProperties"], JSON)
    compression = (dataset["typeProperties"].get("compression") or {}).get("type") or ""
    kind = one_of("The compression", str(compression).lower(), COMPRESSIONS)
    array = {"setOfObjects": "false", "arrayOfObjects": "true"}
    pattern = one_of("The pattern", settings.get("filePattern") or "setOfObjects", array)
    return f"FORMAT json, ARRAY {pattern}, COMPRESSION {literal(kind)}"


# --- Parquet and Excel -----------------------------------------------------------------------------------


def _read_parquet(_database, _cursor, dataset, path, settings):
    refuse_unknown("ParquetReadSettings", settings, ("type", "compressionProperties"))
    refuse_unknown(f"The dataset '{dataset['name']}'", dataset["typeProperties"], PARQUET)
    return f"SELECT * FROM read_parquet({literal(path)})"


def _write_parquet(dataset, settings):
    refuse_unknown("ParquetWriteSettings", settings, ("type", "fileNamePrefix"))
    codec = str(dataset["typeProperties"].get("compressionCodec") or "").lower()
    return f"FORMAT parquet, COMPRESSION {literal(one_of('The compression', codec, PARQUET_COMPRESSIONS))}"


def _read_excel(database, _cursor, dataset, path, settings):
    """Through a file of text: DuckDB's own reader would have to be fetched."""
    import python_calamine

    refuse_unknown("The settings of Excel", settings, ("type",))
    properties = dataset["typeProperties"]
    refuse_unknown(f"The dataset '{dataset['name']}'", properties, EXCEL)
    if properties.get("range"):
        raise not_supported("A range of a sheet")
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        name = properties.get("sheetName") or book.sheet_names[int(properties.get("sheetIndex") or 0)]
        rows = book.get_sheet_by_name(name).to_python()
    except (python_calamine.CalamineError, IndexError, OSError) as error:
        raise ActivityFailure("ExcelInvalidSheet", f"{path}: {error}") from None
    has_header = is_true(properties.get("firstRowAsHeader", False))
    width = max(map(len, rows), default=0)
    if not width:
        raise ActivityFailure("ExcelInvalidSheet", f"{path}: the sheet '{name}' is empty.")
    names = _told_apart(rows[0] if has_header else [f"Prop_{number}" for number in range(width)])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [_excel_text(cell) for cell in row] for row in rows[has_header:]
    )
    copy = database.scratch / f"{uuid.uuid4().hex}.csv"
    copy.write_text(text.getvalue(), encoding="utf-8")
    plain = {"delim": ",", "quote": '"', "escape": '"', "nullstr": properties.get("nullValue", ""),
             "compression": "none", "encoding": "utf-8", "header": False}  # fmt: skip
    return _read_csv(copy, names, plain)


def _excel_text(cell):
    """A cell as text: a whole number has no point."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat(" ") if hasattr(cell, "hour") and hasattr(cell, "year") else str(cell)


READERS = {"DelimitedText": _read_delimited, "Json": _read_json, "Parquet": _read_parquet, "Excel": _read_excel}
WRITERS = {"DelimitedText": _write_delimited, "Json": _write_json, "Parquet": _write_parquet}
