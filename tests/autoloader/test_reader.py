"""The reader of landed files: rules that need no stream, on files of one line."""

import gzip
import json
import types
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from coinlake import autoloader
from coinlake.autoloader import reader
from coinlake.errors import CoinlakeError


@pytest.fixture
def read(spark, tmp_path):
    """Writes one file and reads it in rescue mode: a list of (data, rescued data, corrupt text)."""

    def read_text(text: str | bytes, schema: str, name: str = "p.json", **options):
        file = tmp_path / "landing" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        options = {"mode": "rescue", "corrupt_column": "_bad"} | options
        frame = autoloader.read_files(spark, [str(file)], schema=schema, **options)
        hidden = {reader.RECORD, *reader.SOURCE_COLUMNS, "_bad", "_rescued_data"}
        data = F.to_json(F.struct(*(F.col(f"`{name}`") for name in frame.columns if name not in hidden)))
        rows = frame.select(data, "_rescued_data", "_bad").collect()
        return [(json.loads(values), _without_path(rescued), bad) for values, rescued, bad in rows]

    return read_text


def _without_path(rescued: str | None) -> dict | None:
    if rescued is None:
        return None
    values = json.loads(rescued)
    assert values.pop("_file_path").startswith("file:/")
    return values


def test_mismatches_are_rescued_in_the_type_they_came(read):
    body = (
        '[{"id":"a","rank":1.5,"price":"2","ok":1,"day":"2026-02-30","at":"yesterday","big":1e3},'
        '{"id":7,"rank":2147483648,"price":true,"ok":"true","day":7,"at":"2026-08-12T14:22:00Z","big":0.25}]'
    )
    schema = "id string, rank int, price double, ok boolean, day date, at timestamp, big decimal(10,2)"
    assert read(body, schema) == [
        (
            {"id": "a", "big": 1000.00},
            {"rank": 1.5, "price": "2", "ok": 1, "day": "2026-02-30", "at": "yesterday"},
            None,
        ),
        (
            {"id": "7", "at": "2026-08-12T14:22:00.000Z", "big": 0.25},
            {"rank": 2147483648, "price": True, "ok": "true", "day": 7},
            None,
        ),
    ]


@pytest.mark.both_sessions
def test_inside_a_struct_only_the_lost_part_is_rescued(read):
    body = '[{"roi":{"times":"x","currency":"btc","more":{"deep":1}}},{"roi":7},{"roi":null},{"roi":{}}]'
    assert read(body, "roi struct<times:double,currency:string>") == [
        ({"roi": {"currency": "btc"}}, {"roi": {"times": "x", "more": {"deep": 1}}}, None),
        ({}, {"roi": 7}, None),
        ({}, None, None),
        ({"roi": {}}, None, None),
    ]


def test_an_array_or_map_with_a_lost_part_is_rescued_whole(read):
    body = (
        '[{"prices":[[1,2.5],[2,"x"]],"coins":[{"id":"a","new":1}],"shares":{"btc":56.1,"eth":"x"}},'
        '{"prices":[[1,null],null],"coins":[{"id":"a"},null],"shares":{"btc":null}}]'
    )
    schema = "prices array<array<double>>, coins array<struct<id:string>>, shares map<string,double>"
    assert [(rescued, bad) for _, rescued, bad in read(body, schema)] == [
        (
            {
                "prices": [[1, 2.5], [2, "x"]],
                "coins": [{"id": "a", "new": 1}],
                "shares": {"btc": 56.1, "eth": "x"},
            },
            None,
        ),
        (None, None),
    ]


@pytest.mark.both_sessions
def test_a_name_in_another_case_is_rescued_or_read(read):
    body = '[{"Id":"a","roi":{"Times":2.5},"list":[{"X":1}]}]'
    schema = "id string, roi struct<times:double>, list array<struct<x:int>>"
    assert read(body, schema) == [
        ({"roi": {}, "list": [{}]}, {"Id": "a", "roi": {"Times": 2.5}, "list": [{"X": 1}]}, None)
    ]
    assert read(body, schema, reader_case_sensitive=False) == [
        ({"id": "a", "roi": {"times": 2.5}, "list": [{"x": 1}]}, None, None)
    ]


@pytest.mark.parametrize(
    "text",
    ['[{"id":"a"},{"id', "[[1]]", "null", '"x"', '[{"id":"a"},null]', '[{"id":"a"},5]', "<html>", "7", "{"],
)
def test_text_that_is_no_record_is_one_corrupt_row(read, text):
    assert read(text, "id string") == [({}, None, text)]


@pytest.mark.parametrize("text", ["", " \n\t", "[]", " [ ] "])
def test_nothing_gives_no_rows(read, text):
    assert read(text, "id string") == []


@pytest.mark.parametrize(
    "text", ['\ufeff[{"id":"é"}]', '{"id":"é"}', '[{"id":"é"}] {"id":"b"}', '\n\n{\n"id":\n"é"}']
)
def test_marks_blanks_and_what_follows_the_document_do_not_matter(read, text):
    assert read(text, "id string") == [({"id": "é"}, None, None)]


@pytest.mark.both_sessions
def test_of_a_name_that_occurs_twice_the_last_value_counts(read):
    body = '[{"id":"a","rank":1,"rank":2,"new":1,"new":2,"roi":{"x":1,"x":2}}]'
    assert read(body, "id string, rank int") == [({"id": "a", "rank": 2}, {"new": 2, "roi": {"x": 2}}, None)]


def test_lines_are_documents_of_their_own(read):
    body = '{"id":"a"}\r\n\n[{"id":"b"},{"id":"c"}]\n{"id":\n{"id":"d","new":null}\n'
    assert read(body, "id string", multi_line=False) == [
        ({"id": "a"}, None, None),
        ({"id": "b"}, None, None),
        ({"id": "c"}, None, None),
        ({}, None, '{"id":'),
        ({"id": "d"}, {"new": None}, None),
    ]


def test_a_compressed_file_is_read_as_its_content(read):
    assert read(gzip.compress(b'{"id":"a"}'), "id string", name="p.json.gz", glob="*.json*") == [
        ({"id": "a"}, None, None)
    ]


def test_partition_values_are_text_and_decoded(read):
    name = "endpoint=coins_markets/date=2026-08-12/run=a b+c%3A1/p 1.json"
    columns = ["endpoint", "date", "run", "hour"]
    assert read('{"id":"a"}', "id string", name=name, partition_columns=columns) == [
        ({"id": "a", "endpoint": "coins_markets", "date": "2026-08-12", "run": "a b+c%3A1"}, None, None)
    ]


def test_a_partition_column_of_the_schema_keeps_its_place_and_type(spark, tmp_path):
    file = tmp_path / "page=7" / "p.json"
    file.parent.mkdir()
    file.write_text('{"id":"a"}')
    rows = autoloader.read_files(spark, [str(file)], schema="page int, id string", partition_columns=["page"])
    assert rows.columns == ["page", "id", "_record", "_src_path", "_src_name", "_src_modified"]
    assert rows.select("page", "id").collect() == [(7, "a")]


def test_every_row_knows_its_text_and_its_file(spark, tmp_path):
    file = tmp_path / "p[1].json"
    file.write_text('[{"rank":"x","id":"a","n":[1,{"b":null}]}]')
    broken = tmp_path / "q.json"
    broken.write_text('[{"id')
    rows = autoloader.read_files(spark, [str(file), str(broken)], schema="id string", mode="rescue")
    assert rows.select("_record", "_src_name").orderBy("_src_name").collect() == [
        ('{"rank":"x","id":"a","n":[1,{"b":null}]}', "p%5B1%5D.json"),
        ('[{"id', "q.json"),
    ]


def test_typed_values_equal_those_of_sparks_own_reader(spark, tmp_path):
    schema = "id string, price double, rank int, at timestamp, roi struct<times:double>, sizes array<double>"
    rows = [
        {
            "id": f"c{n}",
            "price": 10.0**-n,
            "rank": n,
            "at": f"2026-08-{n + 1:02}T00:00:00.{n}Z",
            "sizes": [n, None],
        }
        | ({"roi": {"times": n / 3}} if n % 2 else {"roi": None})
        for n in range(20)
    ]
    file = tmp_path / "p.json"
    file.write_text(json.dumps(rows))
    own = spark.read.schema(schema).option("multiLine", True).json(str(file))
    ours = autoloader.read_files(spark, [str(file)], schema=schema).select(own.columns)
    assert ours.collect() == own.collect()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schema": "id string", "mode": "addNewColumns"}, "pass it as schema_hints"),
        ({"schema": "id string", "mode": "evolve"}, "mode='evolve' is unknown"),
        ({"schema": "id string", "schema_hints": "id int"}, "either schema or schema_hints"),
        ({"mode": "rescue"}, "pass schema_location"),
        ({"schema_location": "{folder}/schema"}, "No schema can be inferred"),
        ({"schema_location": "{folder}/schema", "schema_hints": "price"}, "`name type`"),
    ],
)
def test_wrong_options_are_refused_before_anything_runs(spark, tmp_path, options, message):
    landing = tmp_path / "landing"
    landing.mkdir()
    if "schema_hints" in options:
        (landing / "p.json").write_text('{"id":1}')
    options = {name: value.format(folder=tmp_path) for name, value in options.items()}
    with pytest.raises(CoinlakeError, match=message):
        autoloader.read(spark, str(landing), **options)


class Stream:
    """A stream from a folder into a Delta table."""

    def __init__(self, spark, folder: Path, **options):
        self.spark, self.folder = spark, folder
        self.landing, self.table = folder / "landing", folder / "table"
        self.options = {"schema_location": str(folder / "schema")} | options

    def put(self, **bodies) -> "Stream":
        self.landing.mkdir(exist_ok=True)
        for name, body in bodies.items():
            (self.landing / f"{name}.json").write_text(json.dumps(body))
        return self

    def run(self, restarts: int = 3):
        def start(rows):
            writer = rows.drop(reader.RECORD, *reader.SOURCE_COLUMNS).writeStream.format("delta")
            return writer.option("path", str(self.table)).option("mergeSchema", "true")

        checkpoint = str(self.folder / "checkpoint")
        autoloader.run_available_now(
            self.spark, str(self.landing), start, checkpoint=checkpoint, restarts=restarts, **self.options
        )
        table = self.spark.read.format("delta").load(str(self.table))
        return table.columns, sorted(map(tuple, table.drop("_rescued_data").collect()), key=str)


@pytest.mark.both_sessions
def test_new_fields_restart_the_stream_and_come_last(spark, tmp_path):
    stream = Stream(
        spark,
        tmp_path,
        infer_types=True,
        schema_hints="rank int, tags.element int",
        max_files_per_trigger=1,
        partition_columns=["run"],
    )
    stream.put(a={"id": "a", "roi": {"times": 1}})
    assert stream.run() == (
        ["id", "roi", "rank", "tags", "run", "_rescued_data"],
        [("a", (1,), None, None, None)],
    )
    stream.put(
        b={"id": "b", "rank": 2, "tags": [1]}, c={"ath": 2.5, "id": 3, "empty": {}}, d={"roi": {"best": True}}
    )
    columns, rows = stream.run()
    assert columns == ["id", "roi", "rank", "tags", "run", "_rescued_data", "ath"]
    assert rows == [
        ("3", None, None, None, None, 2.5),
        ("a", (1, None), None, None, None, None),
        ("b", None, 2, [1], None, None),
        (None, (None, True), None, None, None, None),
    ]


# A folder of somebody's lake: nothing in its name is a pattern, an escape, or the end of a path.
ODD_FOLDER = "my lake [2026] {a,b} *? 100%41 #1 it's größe+x=y&z"


def test_a_folders_name_is_a_name(spark, tmp_path):
    (tmp_path / ODD_FOLDER).mkdir()
    stream = Stream(spark, tmp_path / ODD_FOLDER, schema="id string", mode="rescue")
    assert stream.put(a={"id": "a"}).run()[1] == [("a",)]
    assert stream.put(b={"id": "b"}).run()[1] == [("a",), ("b",)]
    inferring = Stream(spark, tmp_path / ODD_FOLDER)
    with pytest.raises(CoinlakeError, match=r"infers no schema .*a\.json.* Pass a schema, or rename the folder"):
        inferring.run()


def test_names_that_differ_in_case_are_one_column(spark, tmp_path):
    stream = Stream(spark, tmp_path, mode="rescue", schema_hints="`price.usd` double, ID string")
    stream.put(a=[{"Id": "a", "price.usd": 1.5}, {"id": "b", "price.usd": 2}])
    columns, rows = stream.run()
    assert (columns, rows) == (["Id", "price.usd", "_rescued_data"], [("a", 1.5), (None, 2.0)])


def test_a_schema_location_of_another_reader_is_refused(spark, tmp_path):
    stream = Stream(spark, tmp_path).put(a={"id": "a"})
    (tmp_path / "schema" / "_schemas").mkdir(parents=True)
    (tmp_path / "schema" / "_schemas" / "0").write_text("v1\n{}\n")
    with pytest.raises(CoinlakeError, match="not written by this reader"):
        stream.run()


CLOUD_FILES_OPTIONS = {
    "cloudFiles.format",
    "cloudFiles.schemaLocation",
    "cloudFiles.schemaHints",
    "cloudFiles.schemaEvolutionMode",
    "cloudFiles.inferColumnTypes",
    "cloudFiles.partitionColumns",
    "cloudFiles.maxFilesPerTrigger",
    "multiLine",
    "pathGlobFilter",
    "readerCaseSensitive",
    "rescuedDataColumn",
    "columnNameOfCorruptRecord",
}


class Recorder:
    """Stands for spark.readStream on Databricks: keeps what it is told and knows the names of the options."""

    def __init__(self, rows):
        self.rows, self.kind, self.ddl, self.path, self.options = rows, None, None, None, {}

    def format(self, kind):
        self.kind = kind
        return self

    def schema(self, schema):
        self.ddl = schema.simpleString()
        return self

    def option(self, name, value):
        assert name in CLOUD_FILES_OPTIONS, f"Auto Loader has no option {name}"
        assert name not in self.options
        self.options[name] = value
        return self

    def load(self, path):
        self.path = path
        return self.rows


@pytest.fixture
def auto_loader(spark, tmp_path, monkeypatch):
    """A Spark of Databricks whose stream gives the rows of one file: (session, recorder)."""
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "18.0")
    file = tmp_path / "p.json"
    file.write_text('{"id":"a","_bad":null,"_rescued_data":"{}"}')
    recorder = Recorder(spark.read.schema("id string, _bad string, _rescued_data string").json(str(file)))
    return types.SimpleNamespace(readStream=recorder, createDataFrame=spark.createDataFrame), recorder


def test_on_databricks_the_same_call_is_auto_loader_with_a_schema(auto_loader):
    databricks, recorder = auto_loader
    rows = autoloader.read(
        databricks,
        "/Volumes/c/raw_data/landing",
        schema="id string, run string",
        mode="rescue",
        corrupt_column="_bad",
        partition_columns=["date", "run"],
        schema_location="/Volumes/c/raw_data/schema",
    )
    assert (recorder.kind, recorder.path) == ("cloudFiles", "/Volumes/c/raw_data/landing")
    assert recorder.ddl == "struct<id:string,run:string,date:string,_bad:string>"
    assert recorder.options == {
        "cloudFiles.format": "json",
        "cloudFiles.schemaLocation": "/Volumes/c/raw_data/schema",
        "cloudFiles.schemaEvolutionMode": "rescue",
        "cloudFiles.partitionColumns": "date,run",
        "multiLine": True,
        "pathGlobFilter": "*.json",
        "readerCaseSensitive": True,
        "rescuedDataColumn": "_rescued_data",
        "columnNameOfCorruptRecord": "_bad",
    }
    assert rows.columns == ["id", "_bad", "_rescued_data", "_record", "_src_path", "_src_name", "_src_modified"]
    assert rows.select("_record", "_src_name").collect() == [('{"id":"a","_rescued_data":"{}"}', "p.json")]


def test_on_databricks_the_same_call_is_auto_loader_with_hints(auto_loader):
    databricks, recorder = auto_loader
    autoloader.read(
        databricks,
        "/landing",
        schema_hints="price double",
        schema_location="/schema",
        corrupt_column="_bad",
        partition_columns=["run"],
        folders="{date=1,date=2}",
        max_files_per_trigger=7,
        multi_line=False,
        reader_case_sensitive=False,
        rescued_column="_saved",
    )
    assert (recorder.ddl, recorder.path) == (None, "/landing/{date=1,date=2}")
    assert recorder.options == {
        "cloudFiles.format": "json",
        "cloudFiles.schemaLocation": "/schema",
        "cloudFiles.schemaHints": "price double, `run` string, `_bad` string",
        "cloudFiles.schemaEvolutionMode": "addNewColumns",
        "cloudFiles.inferColumnTypes": False,
        "cloudFiles.partitionColumns": "run",
        "cloudFiles.maxFilesPerTrigger": 7,
        "multiLine": False,
        "pathGlobFilter": "*.json",
        "readerCaseSensitive": False,
        "rescuedDataColumn": "_saved",
        "columnNameOfCorruptRecord": "_bad",
    }
