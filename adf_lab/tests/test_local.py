"""Pipelines run for real on this machine: files and tables by DuckDB, within what is mapped and nowhere else."""

import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE

import pytest

from adf_lab import AdfLabError, Script
from adf_lab.cli import main
from adf_lab.local import Mapping, read_mapping, refuse_what_cannot_run
from adf_lab.local.database import shared_database
from adf_support.factories import expression, reference
from adf_support.local_factory import Laptop, copy, dataset, files, lookup, script, table, workbook

CSV = files("DelimitedText", "day", "a.csv", firstRowAsHeader=True)
ROWS = [{"id": "1", "name": "x"}, {"id": "2", "name": "y, z"}]
TEXT = 'id,name\n1,x\n2,"y, z"\n'
AUTO = {"sink": {"type": "AzureSqlSink", "tableOption": "autoCreate"}}


@pytest.fixture
def laptop(tmp_path):
    return Laptop(tmp_path)


def rows(laptop, data, **source):
    """All rows that a Lookup finds in a dataset."""
    return laptop.output(lookup({"type": "any", **source}, firstRowOnly=False), {"data": data})["value"]


def counts(output):
    return {
        name: value
        for name, value in output.items()
        if name not in ("copyDuration", "errors", "effectiveIntegrationRuntime")
    }


# --- formats ---------------------------------------------------------------------------------------------


def test_delimited_text_goes_through_every_format_and_back(laptop):
    laptop.put("day/a.csv", TEXT)
    steps = {
        "source": CSV,
        "parquet": files("Parquet", "p", "a.parquet"),
        "json": files("Json", "j", "a.json"),
        "sql": table("copied"),
        "sink": files("DelimitedText", "out", "b.csv", firstRowAsHeader=True, columnDelimiter=";", escapeChar='"'),
    }
    names = list(steps)
    run = laptop.run(
        [copy(f"to_{b}", AUTO if b == "sql" else None, a, b) for a, b in pairwise(names)],
        steps,
    )
    assert [(one.name, one.error) for one in run.activities] == [(f"to_{name}", None) for name in names[1:]]
    assert counts(run.activities[0].output) | {"dataWritten": 0} == {
        "dataRead": len(TEXT), "filesRead": 1, "rowsRead": 2, "rowsCopied": 2, "filesWritten": 1, "dataWritten": 0,
    }  # fmt: skip
    assert (laptop.lake / "j/a.json").read_text() == '{"id":"1","name":"x"}\n{"id":"2","name":"y, z"}\n'
    assert (laptop.lake / "out/b.csv").read_text() == "id;name\n1;x\n2;y, z\n"
    for step in steps.values():
        assert rows(laptop, step) == ROWS
    assert [path.name for path in laptop.lake.rglob(".*")] == []


def test_delimited_text_is_read_as_its_dataset_says(laptop):
    laptop.put("day/a.csv", "# written by hand\n1|'a|\\'b'|-\n2||-\n")
    data = files("DelimitedText", "day", "a.csv", columnDelimiter="|", quoteChar="'", nullValue="-")
    settings = {"type": "DelimitedTextReadSettings", "skipLineCount": 1}
    assert rows(laptop, data, formatSettings=settings) == [
        {"Prop_0": "1", "Prop_1": "a|'b", "Prop_2": None},
        {"Prop_0": "2", "Prop_1": "", "Prop_2": None},
    ]
    laptop.put("z/a.csv.gz", gzip.compress("id,ID,\n1,2,3\n".encode("utf-16")))
    data = files(
        "DelimitedText", "z", "a.csv.gz", firstRowAsHeader=True, compressionCodec="gzip", encodingName="UTF-16"
    )
    assert rows(laptop, data) == [{"id": "1", "ID_1": "2", "Prop_2": "3"}]
    laptop.put("day/empty.csv", "")
    assert (
        laptop.failure(lookup(), {"data": files("DelimitedText", "day", "empty.csv")})[0] == "DelimitedTextEmpty"
    )


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": "2026-01-01T00:00:00Z", "n": {"x": [1, 2]}}\n{"a": 2, "c": true}',
        '[{"a": 1, "b": "2026-01-01T00:00:00Z", "n": {"x": [1, 2]}}, {"a": 2, "c": true}]',
    ],
)
def test_json_keeps_its_types_and_what_is_nested(laptop, text):
    laptop.put("a.json", text)
    assert rows(laptop, files("Json", "", "a.json")) == [
        {"a": 1, "b": "2026-01-01T00:00:00Z", "n": {"x": [1, 2]}, "c": None},
        {"a": 2, "b": None, "n": None, "c": True},
    ]


def test_json_is_written_as_one_list_if_it_is_asked_for(laptop):
    laptop.put("day/a.csv", TEXT)
    pattern = {
        "sink": {
            "type": "JsonSink",
            "formatSettings": {"type": "JsonWriteSettings", "filePattern": "arrayOfObjects"},
        }
    }
    laptop.copied(CSV, files("Json", "", "b.json"), pattern)
    assert json.loads((laptop.lake / "b.json").read_text()) == ROWS


def test_excel_is_read_as_text(laptop):
    workbook(laptop.lake / "a.xlsx", ["id", "share", "name"], [1, 0.5, "x, y"], [2, 3.0, "z"])
    data = files("Excel", "", "a.xlsx", sheetName="data", firstRowAsHeader=True)
    expected = [{"id": "1", "share": "0.5", "name": "x, y"}, {"id": "2", "share": "3", "name": "z"}]
    assert rows(laptop, data) == expected
    data = files("Excel", "", "a.xlsx", sheetIndex=0)
    assert rows(laptop, data)[0] == {"Prop_0": "id", "Prop_1": "share", "Prop_2": "name"}
    assert (
        laptop.failure(lookup(), {"data": files("Excel", "", "a.xlsx", sheetName="none")})[0]
        == "ExcelInvalidSheet"
    )


def test_binary_files_are_copied_as_they_are(laptop):
    laptop.put("day/a.bin", b"\x00\xff")
    laptop.put("day/deep/b.bin", b"12")
    given = {
        "source": {
            "type": "BinarySource",
            "storeSettings": {"type": "any", "recursive": True, "deleteFilesAfterCompletion": True},
        }
    }
    output = laptop.copied(files("Binary", "day"), files("Binary", "out"), given)
    assert counts(output) == {"dataRead": 4, "dataWritten": 4, "filesRead": 2, "filesWritten": 2}
    assert (laptop.lake / "out/a.bin").read_bytes() == b"\x00\xff"
    assert (laptop.lake / "out/deep/b.bin").read_bytes() == b"12"
    assert not (laptop.lake / "day/a.bin").exists()


# --- which files, which columns --------------------------------------------------------------------------


def test_wildcards_choose_files_and_every_file_keeps_its_name(laptop):
    for path in ("2026/01/a.csv", "2026/02/b.csv", "2026/02/b.txt", "2025/01/c.csv"):
        laptop.put(path, "id\n1\n")
    given = {
        "source": {
            "type": "DelimitedTextSource",
            "storeSettings": {
                "type": "any",
                "wildcardFolderPath": "2026/*",
                "wildcardFileName": "?.csv",
                "recursive": False,
            },
            "additionalColumns": [
                {"name": "file", "value": "$$FILEPATH"},
                {"name": "same", "value": "$$COLUMN:id"},
            ],
        }
    }
    laptop.copied(files("DelimitedText", firstRowAsHeader=True), files("Json", "out"), given)
    written = {
        path.relative_to(laptop.lake).as_posix(): json.loads(path.read_text())
        for path in (laptop.lake / "out").rglob("*.json")
    }
    assert written == {
        "out/2026/01/a.json": {"id": "1", "file": "2026/01/a.csv", "same": "1"},
        "out/2026/02/b.json": {"id": "1", "file": "2026/02/b.csv", "same": "1"},
    }


def test_many_files_become_one(laptop):
    laptop.put("day/a.csv", "id\n1\n")
    laptop.put("day/b.csv", "id,more\n2,x\n")
    source = files("DelimitedText", "day", firstRowAsHeader=True)
    laptop.copied(source, files("Json", "", "all.json"))
    assert (laptop.lake / "all.json").read_text() == '{"id":"1","more":null}\n{"id":"2","more":"x"}\n'
    given = {"sink": {"type": "JsonSink", "storeSettings": {"type": "any", "copyBehavior": "MergeFiles"}}}
    assert laptop.copied(source, files("Json", "merged"), given)["filesWritten"] == 1


def test_files_are_chosen_by_the_time_of_their_change(laptop):
    for name, day in (("old", "2026-01-01"), ("new", "2026-01-03")):
        path = laptop.put(f"day/{name}.csv", f"id\n{name}\n")
        moment = time.mktime(time.strptime(day, "%Y-%m-%d"))
        os.utime(path, (moment, moment))
    settings = {
        "type": "any",
        "modifiedDatetimeStart": "2026-01-02T00:00:00Z",
        "modifiedDatetimeEnd": "2026-01-05",
    }
    data = files("DelimitedText", "day", firstRowAsHeader=True)
    assert rows(laptop, data, storeSettings=settings) == [{"id": "new"}]


def translator(*pairs, **more):
    mappings = [{"source": source, "sink": sink} for source, sink in pairs]
    return {"translator": {"type": "TabularTranslator", "mappings": mappings, **more}}


def test_columns_are_mapped_by_name_by_place_and_by_path(laptop):
    laptop.put("day/a.csv", TEXT)
    by_name = translator(
        ({"name": "name"}, {"name": "title"}), ({"name": "id", "type": "String"}, {"name": "key"})
    )
    laptop.copied(CSV, files("Json", "", "a.json"), by_name)
    assert rows(laptop, files("Json", "", "a.json"))[0] == {"title": "x", "key": "1"}
    by_place = translator(({"ordinal": 2}, {"name": "title"}))
    laptop.copied(CSV, files("Json", "", "a.json"), by_place)
    assert rows(laptop, files("Json", "", "a.json"))[0] == {"title": "x"}
    laptop.put("o.json", '{"day": 1, "it": {"ems": [{"n": {"a": "x"}}, {"n": {"a": "y"}}]}}')
    by_path = translator(
        ({"path": "$['day']"}, {"name": "day"}),
        ({"path": "['n']['a']"}, {"name": "a"}),
        collectionReference="$['it']['ems']",
    )
    laptop.copied(files("Json", "", "o.json"), files("DelimitedText", "", "o.csv", firstRowAsHeader=True), by_path)
    assert (laptop.lake / "o.csv").read_text() == "day,a\n1,x\n1,y\n"
    older = {"translator": {"type": "TabularTranslator", "columnMappings": "id: key"}}
    laptop.copied(CSV, files("Json", "", "a.json"), older)
    assert rows(laptop, files("Json", "", "a.json")) == [{"key": "1"}, {"key": "2"}]


# --- databases -------------------------------------------------------------------------------------------


def test_a_copy_into_a_table_prepares_it_and_is_all_or_nothing(laptop):
    laptop.put("day/a.csv", TEXT)
    made = script("CREATE TABLE [dbo].[t] (id INT NOT NULL, name NVARCHAR(10)); INSERT INTO t VALUES (9, 'old')")
    into = {"sink": {"type": "AzureSqlSink", "preCopyScript": "TRUNCATE TABLE [dbo].[t]"}}
    run = laptop.run([made, copy("copy", into)], {"source": CSV, "sink": table("t")})
    assert run.status == "Succeeded", run.message
    assert rows(laptop, table("t")) == [{"id": 1, "name": "x"}, {"id": 2, "name": "y, z"}]
    laptop.put("day/a.csv", "id,name\n3,z\nno number,z\n")
    code, message = laptop.failure(copy("copy", into), {"source": CSV, "sink": table("t")})
    assert (code, "no number" in message) == ("SqlOperationFailed", True)
    assert len(rows(laptop, table("t"))) == 2
    assert laptop.failure(copy(), {"source": CSV, "sink": table("none")}) == (
        "SqlOperationFailed",
        "There is no table dbo.none in what 'ls_sql' stands for: create it, or give the sink the tableOption "
        "autoCreate.",
    )


def test_an_upsert_replaces_the_rows_with_its_keys(laptop):
    laptop.put("day/a.csv", "id,name\n2,new\n3,z\n")
    made = script("CREATE TABLE t (id INT, name NVARCHAR(10)); INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    into = {"sink": {"type": "AzureSqlSink", "writeBehavior": "upsert", "upsertSettings": {"keys": ["id"]}}}
    assert laptop.run([made, copy("copy", into)], {"source": CSV, "sink": table("t")}).status == "Succeeded"
    found = rows(laptop, table("t"), sqlReaderQuery="SELECT * FROM t ORDER BY id")
    assert [(row["id"], row["name"]) for row in found] == [(1, "a"), (2, "new"), (3, "z")]


def test_rows_go_from_one_database_into_another(laptop):
    made = script(
        "CREATE TABLE s (id INT, at DATETIME2); INSERT INTO s VALUES (1, '2026-01-02 03:04:05'), (2, NULL)"
    )
    given = AUTO | {
        "source": {"type": "AzureSqlSource", "sqlReaderQuery": "SELECT TOP 1 * FROM [dbo].[s] ORDER BY [id]"}
    }
    run = laptop.run([made, copy("copy", given)], {"source": table("s"), "sink": table("t", "ls_other")})
    assert run.status == "Succeeded", run.message
    assert rows(laptop, table("t", "ls_other")) == [{"id": 1, "at": "2026-01-02T03:04:05"}]


def test_the_last_statement_of_a_lookup_gives_its_rows(laptop):
    laptop.output(script("CREATE TABLE t (id INT)"))
    query = "INSERT INTO t VALUES (4); SELECT id FROM t"
    assert rows(laptop, table("t"), sqlReaderQuery=query) == [{"id": 4}]
    assert rows(laptop, table("t")) == [{"id": 4}]


def test_a_script_takes_parameters_and_is_one_transaction(laptop):
    laptop.output(script("CREATE TABLE t (name NVARCHAR(50))"))
    evil = "x'); DROP TABLE t; --"
    written = script(
        "INSERT INTO t VALUES (@name)", parameters=[{"name": "name", "value": evil, "type": "String"}]
    )
    assert laptop.output(written)["recordsAffected"] == 1
    output = laptop.output(script("SELECT name, 1.5 AS half FROM t", "Query"))
    assert output == {
        "resultSetCount": 1,
        "recordsAffected": 0,
        "resultSets": [{"rowCount": 1, "rows": [{"name": evil, "half": 1.5}]}],
        "outputParameters": {},
    }
    laptop.failure(script("DELETE FROM t; SELECT * FROM none"))
    assert len(rows(laptop, table("t"))) == 1


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("EXEC dbo.merge_all", "NotSupportedHere", "--script FILE --mixed"),
        ("IF 1 = 1 DROP TABLE t", "NotSupportedHere", "--script FILE --mixed"),
        ("DECLARE @x INT = 1; SELECT @x", "NotSupportedHere", "DECLARE in SQL"),
        ("BEGIN TRAN; ROLLBACK", "NotSupportedHere", "ROLLBACK in SQL"),
        ("SET enable_external_access = true", "NotSupportedHere", "SET in SQL"),
        ("SELECT (1", "SqlOperationFailed", "is not understood"),
        ("SELECT * FROM none", "SqlOperationFailed", "none does not exist"),
        ("", "BadRequest", "no statement"),
    ],
)
def test_sql_that_cannot_run_is_refused(laptop, text, code, words):
    found, message = laptop.failure(script(text))
    assert (found, words in message) == (code, True), message


def test_statements_about_the_session_change_nothing(laptop):
    laptop.output(script("CREATE TABLE t (one INT); INSERT INTO t VALUES (1)"))
    text = "SET NOCOUNT ON; BEGIN TRAN; SELECT one FROM t WITH (NOLOCK); COMMIT"
    assert laptop.output(script(text, "Query"))["resultSets"] == [{"rowCount": 1, "rows": [{"one": 1}]}]


# --- nothing leads out -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "file"),
    [("..", "secret.csv"), ("day/../../..", "secret.csv"), ("", "../../secret.csv"), ("..\\..", "secret.csv"),
     ("day", "link.csv"), ("out", "secret.csv"), ("day", "a\0b"), ("/../..", "secret.csv")],
)  # fmt: skip
def test_no_path_leads_out_of_the_mapped_folder(laptop, folder, file):
    secret = laptop.folder / "secret.csv"
    secret.write_text("id\nsecret\n")
    laptop.put("day/a.csv", TEXT)
    (laptop.lake / "day/link.csv").symlink_to(secret)
    (laptop.lake / "out").symlink_to(laptop.folder)
    datasets = {
        "data": files("DelimitedText", folder, file, firstRowAsHeader=True),
        "binary": files("Binary", folder, file),
        "csv": CSV,
        "raw": files("Binary", "day", "a.csv"),
    }
    one = {"dataset": reference("binary", "Dataset")}
    tried = [
        lookup(),
        copy("write", source="csv", sink="data"),
        copy("copy", source="raw", sink="binary"),
        {"name": "delete", "type": "Delete", "typeProperties": one},
        {"name": "get", "type": "GetMetadata", "typeProperties": one | {"fieldList": ["exists"]}},
    ]
    run = laptop.run(tried, datasets, chained=False)
    assert [activity.error["errorCode"] for activity in run.activities] == ["OutsideTheFolder"] * 5
    assert secret.read_text() == "id\nsecret\n"


def test_a_container_is_a_folder_inside_too_and_links_are_not_followed(laptop):
    (laptop.folder / "secret.csv").write_text("id\nsecret\n")
    laptop.put("day/a.csv", "id\n1\n")
    (laptop.lake / "day/b.csv").symlink_to(laptop.folder / "secret.csv")
    assert rows(laptop, files("DelimitedText", "day", firstRowAsHeader=True)) == [{"id": "1"}]
    outside = dataset(
        "Binary", "ls_lake", location={"type": "any", "container": "../..", "fileName": "secret.csv"}
    )
    assert laptop.failure(
        lookup(), {"data": outside | {"properties": outside["properties"] | {"type": "Parquet"}}}
    )[0] == ("OutsideTheFolder")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM read_text('{secret}')",
        "COPY t TO '{secret}'",
        "ATTACH '{secret}.duckdb' AS other",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
    ],
)
def test_no_query_leads_out_of_what_is_mapped(laptop, query):
    secret = laptop.folder / "secret.csv"
    secret.write_text("id\nsecret\n")
    code, message = laptop.failure(script(query.format(secret=secret), "Query"))
    assert code in ("SqlOperationFailed", "NotSupportedHere")
    assert "\nsecret" not in message
    assert secret.read_text() == "id\nsecret\n"


def test_names_and_texts_are_quoted(laptop):
    laptop.put("day/a ' \" ; b.csv", '"a ; "" \'",n\n1,2\n')
    source = files("DelimitedText", "day", "a ' \" ; b.csv", firstRowAsHeader=True, escapeChar='"')
    named = 't"; DROP SCHEMA dbo; --'
    output = laptop.copied(source, table(named), AUTO)
    assert output["rowsCopied"] == 1
    assert rows(laptop, table(named)) == [{"a ; \" '": "1", "n": "2"}]


# --- the other activities --------------------------------------------------------------------------------


def metadata(*fields, **more):
    return {
        "name": "get",
        "type": "GetMetadata",
        "typeProperties": {"dataset": reference("data", "Dataset"), "fieldList": list(fields), **more},
    }


def test_metadata_of_files_folders_and_tables(laptop):
    path = laptop.put("day/a.csv", TEXT)
    os.utime(path, (0, 0))
    (laptop.lake / "day/deep").mkdir()
    fields = ("exists", "itemName", "itemType", "size", "lastModified", "contentMD5", "structure", "columnCount")
    assert laptop.output(metadata(*fields), {"data": CSV}) == {
        "exists": True,
        "itemName": "a.csv",
        "itemType": "File",
        "size": 21,
        "lastModified": "1970-01-01T00:00:00Z",
        "contentMD5": "6p/M6kATSM+dULiUcD0YCQ==",
        "structure": [{"name": "id", "type": "String"}, {"name": "name", "type": "String"}],
        "columnCount": 2,
    }
    assert laptop.output(metadata("childItems", "itemType"), {"data": files("Binary", "day")}) == {
        "childItems": [{"name": "a.csv", "type": "File"}, {"name": "deep", "type": "Folder"}],
        "itemType": "Folder",
    }
    laptop.output(script("CREATE TABLE t (id INT)"))
    assert laptop.output(metadata("structure", "exists"), {"data": table("t")}) == {
        "exists": True,
        "structure": [{"name": "id", "type": "INTEGER"}],
    }
    missing = {"data": files("Binary", "none")}
    assert laptop.output(metadata("exists", "childItems"), missing) == {"exists": False}
    assert laptop.failure(metadata("childItems"), missing)[0] == "UserErrorFileNotFound"


def delete(**more):
    return {
        "name": "delete",
        "type": "Delete",
        "typeProperties": {"dataset": reference("data", "Dataset"), **more},
    }


def test_delete_takes_what_is_named_and_leaves_the_rest(laptop):
    for path in ("day/a.csv", "day/b.txt", "day/deep/c.csv", "keep.csv"):
        laptop.put(path, "x")
    chosen = delete(storeSettings={"type": "any", "recursive": True, "wildcardFileName": "*.csv"})
    assert laptop.output(chosen, {"data": files("Binary", "day")}) == {
        "datasetName": "data", "filesDeleted": 2, "recursive": True, "isWildcardUsed": True,
    }  # fmt: skip
    assert laptop.output(delete(), {"data": files("Binary", "day")})["filesDeleted"] == 1
    assert [path.name for path in laptop.lake.iterdir()] == ["keep.csv"]
    laptop.output(delete(), {"data": files("Binary")})
    assert (laptop.lake.exists(), list(laptop.lake.iterdir())) == (True, [])
    assert laptop.failure(delete(), {"data": files("Binary", "day")})[0] == "UserErrorFileNotFound"


def test_validation_waits_until_it_is_there(laptop, monkeypatch):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            laptop.put("day/a.csv", TEXT)

    monkeypatch.setattr("adf_lab.local.activities.asyncio.sleep", sleep)
    wait = {"dataset": reference("data", "Dataset"), "sleep": 20, "minimumSize": 5}
    activity = {"name": "wait", "type": "Validation", "typeProperties": wait}
    assert laptop.output(activity, {"data": CSV}) == {"exists": True}
    assert pauses == [20, 20]
    late = {"name": "wait", "type": "Validation", "typeProperties": wait | {"timeout": "0.00:00:30"}}
    assert laptop.failure(late, {"data": files("Binary", "none")}) == (
        "ValidationTimeout",
        "It is not there after 20 seconds.",
    )


PAGES = {"/pages/1": [{"id": 1, "in": {"a": 2}}], "/pages/2": [{"id": 3, "in": None}]}


class Answers(http.server.BaseHTTPRequestHandler):
    """Says what it was asked; /away leads to another host."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://localhost:1/secret")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        self.wfile.write(b"[]" if self.path == "/list" else json.dumps({"path": self.path, "body": body}).encode())

    def do_GET(self):
        if self.path == "/hop":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/headers")
            self.end_headers()
            return
        if self.path == "/headers":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"told": self.headers["X-Key"]}).encode())
            return
        self.send_response(200 if self.path in PAGES else 404)
        if self.path == "/pages/1":
            self.send_header("Link", '</pages/2>; rel="next"')
        self.end_headers()
        self.wfile.write(json.dumps(PAGES.get(self.path)).encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def web(url, **more):
    return {
        "name": "web",
        "type": "WebActivity",
        "typeProperties": {"method": "POST", "url": url, "body": {"a": 1}, **more},
    }


def test_a_web_activity_asks_listed_hosts_only(laptop, server):
    output = laptop.output(web(f"{server}/ask"))
    assert (output["path"], json.loads(output["body"])) == ("/ask", {"a": 1})
    assert laptop.failure(web(f"{server}/none"))[0] == "404"
    assert laptop.failure(web(f"{server}/list"))[0] == "2001"
    hosts = ["http://localhost:1/", "https://example.invalid/x", "http://127.0.0.1@example.invalid/", "file:///etc/passwd",
             "http://user:word@127.0.0.1/", f"{server}/away"]  # fmt: skip
    assert [laptop.failure(web(url))[0] for url in hosts] == ["HostNotListed"] * len(hosts)


def test_what_one_host_is_told_is_not_told_to_another(laptop, server):
    mapping = laptop.folder / "adf.local.yml"
    mapping.write_text(mapping.read_text().replace("[127.0.0.1]", "[127.0.0.1, localhost]"))
    asked = {"method": "GET", "headers": {"X-Key": "k"}, "body": None}
    assert laptop.output(web(f"{server}/headers", **asked))["told"] == "k"
    assert laptop.output(web(f"{server}/hop", **asked))["told"] is None


def test_a_mapped_address_is_copied_page_by_page(laptop, server):
    mapping = (
        (laptop.folder / "adf.local.yml").read_text().replace("hosts", f"  ls_far: {{url: '{server}'}}\nhosts")
    )
    (laptop.folder / "adf.local.yml").write_text(mapping)
    source = dataset("RestResource", "ls_far", relativeUrl="pages/1")
    output = laptop.copied(source, files("Json", "", "all.json"))
    assert (output["rowsCopied"], output["filesRead"]) == (2, 2)
    assert rows(laptop, files("Json", "", "all.json")) == [{"id": 1, "in": {"a": 2}}, {"id": 3, "in": None}]
    assert rows(laptop, source) == [{"id": 1, "in": {"a": 2}}, {"id": 3, "in": None}]
    location = {"type": "HttpServerLocation", "relativeUrl": "pages/2"}
    laptop.copied(dataset("Binary", "ls_far", location=location), files("Binary", "", "raw.json"))
    assert json.loads((laptop.lake / "raw.json").read_text()) == PAGES["/pages/2"]
    missing = dataset("RestResource", "ls_far", relativeUrl="none")
    assert laptop.failure(copy(), {"source": missing, "sink": files("Json", "", "x.json")})[0] == "RestCallFailed"
    ruled = copy("copy", {"source": {"type": "RestSource", "paginationRules": {"AbsoluteUrl": "$.next"}}})
    assert laptop.failure(ruled, {"source": source, "sink": files("Json", "", "x.json")})[0] == "NotSupportedHere"


# --- what is mapped, and what is not ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linkedServices: [a]", "linkedServices is an object"),
        ("linkedServices: {a: {folder: x, duckdb: y}}", "a needs one of folder"),
        ("linkedServices: {a: {files: x}}", "a has a 'files'"),
        ("linkedServices: {a: {url: ftp://x}}", "a url is written like"),
        ("services: {}", "and nothing else"),
        ("[", "cannot be read"),
    ],
)
def test_a_mapping_that_is_not_understood_is_refused(tmp_path, text, message):
    path = tmp_path / "adf.local.yml"
    path.write_text(text)
    with pytest.raises(AdfLabError, match=message):
        read_mapping(path)


def test_the_mapping_of_the_page_is_understood(tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "local.md").read_text()
    path = tmp_path / "adf.local.yml"
    path.write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert read_mapping(path) == Mapping(
        path,
        {"ls_lake": tmp_path / "data/lake"},
        {"ls_sql": tmp_path / "data/warehouse.duckdb"},
        {"ls_prices": "http://127.0.0.1:8000/"},
        frozenset({"api.example.com", "127.0.0.1:8000"}),
    )


def test_all_that_cannot_run_is_told_before_anything_runs(laptop):
    far = files("Binary", "x")
    far["properties"]["linkedServiceName"] = reference("ls_far", "LinkedService")
    activities = [
        copy("here"),
        copy("there", sink="far"),
        {"name": "own", "type": "Custom", "typeProperties": {"command": "x"}},
        {"name": "branch", "type": "IfCondition", "typeProperties": {
            "expression": expression("@true"),
            "ifTrueActivities": [{"name": "inner", "type": "DatabricksNotebook", "typeProperties": {}}]}},
        {"name": "off", "type": "Custom", "state": "Inactive", "typeProperties": {"command": "x"}},
    ]  # fmt: skip
    factory = laptop.factory(activities, {"source": CSV, "sink": CSV, "far": far})
    mapping = read_mapping(laptop.folder / "adf.local.yml")
    with pytest.raises(AdfLabError) as refused:
        refuse_what_cannot_run(factory, "pl", mapping)
    assert str(refused.value).splitlines() == [
        "This cannot run on this machine:",
        "  pl: there (Copy): the linked service 'ls_far' is not mapped",
        "  pl: own (Custom): no activity of this type can",
        "  pl: inner (DatabricksNotebook): no activity of this type can",
        f"Map it in {mapping.file}, or give its result with --script FILE --mixed.",
    ]
    refuse_what_cannot_run(factory, "pl", mapping, Script({"there": [], "own": [], "inner": []}))


def test_mixed_plays_what_the_script_names_and_runs_the_rest(laptop):
    laptop.put("day/a.csv", TEXT)
    answers = {
        "own": [{"status": "Succeeded", "output": {"n": 7}}],
        "played": [{"status": "Failed", "error": {"errorCode": "E", "message": "m"}}],
    }
    activities = [lookup(), {"name": "own", "type": "Custom", "typeProperties": {}}, lookup(name="played")]
    run = laptop.run(activities, {"data": CSV}, Script(answers))
    assert [(one.name, one.output, one.error and one.error["message"]) for one in run.activities] == [
        ("lookup", {"firstRow": ROWS[0]}, None),
        ("own", {"n": 7}, None),
        ("played", {}, "m"),
    ]


def test_properties_that_are_not_known_are_refused(laptop):
    laptop.put("day/a.csv", TEXT)
    code, message = laptop.failure(copy("copy", {"preserve": ["Attributes"]}), {"source": CSV, "sink": CSV})
    assert (code, message) == (
        "NotSupportedHere",
        "Copy 'copy' with preserve cannot be done on this machine: give its result with --script FILE --mixed.",
    )


def test_the_command_line_runs_what_is_mapped(laptop, capsys, monkeypatch):
    laptop.put("day/a.csv", TEXT)
    own = {"name": "own", "type": "Custom", "typeProperties": {}}
    factory = laptop.factory([copy(), own], {"source": CSV, "sink": files("Json", "", "b.json")})
    monkeypatch.chdir(laptop.folder)
    arguments = ["run", "pl", "--folder", str(factory.root)]
    assert main(arguments) == 2
    assert "adf.local.yml what stands here for the linked services" in capsys.readouterr().err
    assert main([*arguments, "--local", "adf.local.yml"]) == 2
    assert "own (Custom): no activity of this type can" in capsys.readouterr().err
    assert main([*arguments, "--mixed"]) == 2
    assert "say --script FILE" in capsys.readouterr().err
    (laptop.folder / "script.json").write_text(json.dumps({"own": [{"status": "Succeeded"}]}))
    # Beside the factory it is found by itself.
    (laptop.folder / "adf.local.yml").rename(factory.root / "adf.local.yml")
    (laptop.folder / "lake").rename(factory.root / "lake")
    assert main([*arguments, "--script", "script.json", "--mixed"]) == 0
    assert (factory.root / "lake/in/b.json").exists()
    assert len(list((laptop.folder / "adf_runs").glob("*.json"))) == 1
    # A script alone plays everything.
    (factory.root / "lake/in/b.json").unlink()
    assert main([*arguments, "--script", "script.json"]) == 0
    assert not (factory.root / "lake/in/b.json").exists()


def test_runs_at_the_same_time_share_one_database_which_is_closed_with_the_last(laptop):
    mapping = read_mapping(laptop.folder / "adf.local.yml")
    with shared_database(mapping) as first:
        with shared_database(read_mapping(laptop.folder / "adf.local.yml")) as second:
            assert second is first
        assert first.scratch.is_dir()
    assert not first.scratch.exists()
    with shared_database(mapping) as third:
        assert third is not first


def test_a_database_that_another_process_has_open_is_named(laptop):
    path = str(laptop.folder / "sql.duckdb")
    code = f"import duckdb; held = duckdb.connect({path!r}); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True) as other:
        other.stdout.readline()
        with pytest.raises(AdfLabError, match=r"adf\.local\.yml: .*sql\.duckdb"):
            laptop.run([])
        other.communicate("\n")
