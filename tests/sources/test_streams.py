"""A source that exists only here is asked, landed, judged and merged: its declaration and its table are enough."""

import json
from datetime import UTC, date, datetime

import pytest
from pyspark.sql import functions as F

from coinlake import api, lakehouse, schema, silver, sources
from coinlake.api import Endpoint, Request
from coinlake.bronze import Settings, ingest
from coinlake.clocks import VirtualClock
from coinlake.schema import Column, Table
from coinlake.sources import REJECT, Expectation, Source, Target
from tests.support.scripted_api import Reply, ScriptedApi
from tests.support.silver_lake import SilverLake

AS_OF = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
TIDES = Table(
    schema.CLEANED,
    "tides",
    "High water of one harbour.",
    (
        Column("date", "DATE", "day of the tide", required=True),
        Column("height", "DOUBLE", "metres above chart datum"),
        Column("file", "STRING", "raw response"),
    ),
    key=("date",),
)
ENDPOINT = Endpoint(
    name="tides",
    group="context",
    root="https://tides.example",
    path="/{year}",
    query={"unit": "m"},
    shape=list,
    once_a_day=True,
)
URL = "https://tides.example/2026?unit=m"


def requests(settings, as_of):
    return [Request(ENDPOINT, 1, api.request_url(ENDPOINT, year=as_of.year))]


def rows(records):
    return records.select(
        F.col("day").alias("date"), "height", "file", "landing_run", "fetched_at", "_record", "_body_reasons"
    )


SOURCE = Source(
    endpoint=ENDPOINT,
    requests=requests,
    schema="day DATE, height DOUBLE",
    essential="day",
    rows=rows,
    expectations=(
        Expectation("height_impossible", "Water rises by metres.", "height BETWEEN -20 AND 20", REJECT),
    ),
    targets=(Target(TIDES),),
)


@pytest.fixture
def lake(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "SOURCES", {"tides": SOURCE})
    monkeypatch.setattr(lakehouse, "TABLES", (schema.RESPONSES, schema.QUARANTINE, TIDES))
    return SilverLake(spark, tmp_path / "lake")


def ask(lake, script):
    clock = VirtualClock(AS_OF)
    settings = Settings(str(lake.path), source="live")
    return ingest("context", settings, say=lambda line: None, adapter=ScriptedApi(script, clock), clock=clock)


def test_a_source_that_is_declared_is_asked_landed_judged_and_merged(lake):
    body = [{"day": "2026-08-12", "height": 4.5}, {"day": "2026-08-13", "height": 450}]
    summary = ask(lake, {URL: [Reply(503, b""), Reply(200, json.dumps(body).encode())]})
    assert (summary.landed, summary.errors) == (1, 1)
    silver.load_responses(lake.lakehouse)
    assert {name: (its.read, its.written, its.rejected) for name, its in _stream_all(lake).items()} == {
        "tides": (2, 1, 1)
    }
    [(day, height, file)] = lake.rows(TIDES)
    assert (day, height) == (date(2026, 8, 12), 4.5)
    assert lake.quarantined(file) == [(["height_impossible"], 1, body[1])]
    assert lake.rows(schema.QUARANTINE, "table_name", "endpoint") == [("tides", "tides")]
    assert ask(lake, {}).already_landed == summary.runs
    assert _stream_all(lake) == {"tides": silver.Counts()}


def _stream_all(lake):
    return silver.stream_all(lake.lakehouse)
