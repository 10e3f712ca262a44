"""The pipeline's own records, on tiny literal logs."""

import json
import shutil
from datetime import UTC, date, datetime

import pytest

from coinlake import Lakehouse, delta, files, observability, schema
from coinlake.observability import metrics
from tests.support.rows import assert_rows
from tests.support.silver_frames import at, frame, hourly, values

CATALOG = "spark_catalog"
CHARTS = "https://api.coingecko.com/api/v3/coins/x/market_chart"


@pytest.fixture
def lake(spark, tmp_path):
    return Lakehouse.create(CATALOG, str(tmp_path / "lake"), spark)


def attempt(page: int, fetched_at: str, status: int = 200, **columns) -> dict:
    outcome = "landed" if status == 200 else "error"
    return {
        "landing_run": "r",
        "endpoint": "coins_market_chart",
        "page": page,
        "attempt": 1,
        "method": "GET",
        "url": CHARTS,
        "status": status,
        "fetched_at": at(fetched_at),
        "elapsed_ms": 5,
        "bytes": 100,
        "outcome": outcome,
        "source": "simulated",
    } | columns


def refused(number: str, fetched_at: str | None, *reasons: str, **columns) -> dict:
    return {
        "quarantine_id": number,
        "table_name": "coin_prices",
        "endpoint": "coins_market_chart",
        "file": "f",
        "fetched_at": fetched_at and at(fetched_at),
        "reasons": list(reasons),
        "copies": 1,
    } | columns


def rate(day: date) -> dict:
    pair = {"base_currency": "usd", "currency": "eur", "rate": 0.9}
    return {"date": day, "fetched_at": at("2026-08-03 01:00"), "file": "f"} | pair


def arrive(lake, table, *rows: dict) -> None:
    lake.table(table).merge(frame(lake.spark, table, list(rows)))


def stored(lake, table) -> list[tuple]:
    return values(lake.table(table).read())


def test_requests_are_counted_by_day_endpoint_and_source(spark):
    responses = frame(
        spark,
        schema.RESPONSES,
        [
            attempt(1, "2026-08-01 00:00"),
            attempt(2, "2026-08-01 23:59", status=429),
            attempt(3, "2026-08-01 23:59", status=0, error="0 answer timed out", bytes=None),
            attempt(7, "2026-08-01 23:59", status=0, error="0 connection failed", bytes=None),
            attempt(4, "2026-08-01 12:00", status=200, outcome="error"),
            attempt(5, "2026-08-02 00:00"),
            attempt(1, "2026-08-01 00:00", endpoint="fear_greed", url="https://api.alternative.me/fng/"),
            attempt(6, "2026-08-01 00:00", source="live", bytes=None),
        ],
    )
    assert_rows(
        metrics.api_usage(responses),
        [
            (date(2026, 8, 1), "coins_market_chart", "live", 1, 1, 0, 0, 1, 0),
            (date(2026, 8, 1), "coins_market_chart", "simulated", 5, 1, 4, 1, 3, 300),
            (date(2026, 8, 1), "fear_greed", "simulated", 1, 1, 0, 0, 0, 100),
            (date(2026, 8, 2), "coins_market_chart", "simulated", 1, 1, 0, 0, 1, 100),
        ],
    )


def test_a_quarantined_record_counts_once_for_each_rule(spark):
    quarantine = frame(
        spark,
        schema.QUARANTINE,
        [
            refused("1", "2026-08-01 10:00", "no_price", "no_time"),
            refused("2", "2026-08-01 11:00", "no_price", copies=3, replayed_at=at("2026-08-02 10:00")),
            refused("3", None, "no_json"),
        ],
    )
    assert_rows(
        metrics.quarantine_daily(quarantine),
        [
            (date(1900, 1, 1), "coin_prices", "no_json", 1, 0),
            (date(2026, 8, 1), "coin_prices", "no_price", 4, 3),
            (date(2026, 8, 1), "coin_prices", "no_time", 1, 0),
        ],
    )


def test_an_update_follows_what_arrives_and_writes_nothing_when_nothing_did(lake):
    arrive(lake, schema.RESPONSES, attempt(1, "2026-08-01 10:00"), attempt(2, "2026-08-02 10:00"))
    arrive(lake, schema.QUARANTINE, refused("1", "2026-08-01 10:00", "no_price"))
    arrive(lake, schema.COIN_PRICES, hourly("x", "2026-08-01 10:00", 1.0), hourly("x", "2026-08-01 11:00", 1.0))
    arrive(lake, schema.FX_RATES, rate(date(2026, 8, 1)))
    first = observability.update_metrics(lake, 26.0)
    assert sorted(first) == [f"aggregated_data.{name}" for name in ("api_usage", "freshness", "quarantine_daily")]
    fresh = {row[0]: row[1:] for row in stored(lake, schema.FRESHNESS)}
    assert fresh["cleaned_data.coin_prices"] == (datetime(2026, 8, 1, 11), 2, 26.0, 1)
    assert fresh["cleaned_data.fx_rates"] == (datetime(2026, 8, 1), 1, 122.0, 1)
    assert fresh["cleaned_data.fear_greed"] == (None, 0, 26.0, 0)

    written = [schema.API_USAGE, schema.QUARANTINE_DAILY, schema.FRESHNESS, schema.GOLD_PROGRESS]
    before = delta.versions(map(lake.table, written))
    assert observability.update_metrics(lake, 26.0) == {}
    assert delta.versions(map(lake.table, written)) == before

    arrive(lake, schema.RESPONSES, attempt(3, "2026-08-02 11:00", status=429))
    arrive(lake, schema.COIN_PRICES, hourly("y", "2026-07-01 10:00", 1.0))
    changed = observability.update_metrics(lake, 26.0)
    assert {name: merged[:2] for name, merged in changed.items()} == {
        "aggregated_data.api_usage": (0, 1),
        "aggregated_data.freshness": (len(metrics.REACHES), 0),
    }
    responses = lake.table(schema.RESPONSES).read()
    assert stored(lake, schema.API_USAGE) == values(metrics.api_usage(responses))
    fresh = {row[0]: row[1:] for row in stored(lake, schema.FRESHNESS)}
    assert fresh["cleaned_data.coin_prices"] == (datetime(2026, 8, 1, 11), 3, 26.0, 2)

    arrive(lake, schema.COIN_PRICES, hourly("y", "2026-08-01 11:30", 1.0))
    arrive(lake, schema.FX_RATES, rate(date(2026, 8, 2)))
    observability.update_metrics(lake, 26.0)
    fresh = {row[0]: row[1:] for row in stored(lake, schema.FRESHNESS)}
    assert fresh["cleaned_data.coin_prices"] == (datetime(2026, 8, 1, 11, 30), 4, 26.0, 3)
    assert fresh["cleaned_data.fx_rates"] == (datetime(2026, 8, 2), 2, 122.0, 2)

    shutil.rmtree(lake.table(schema.FX_RATES).folder)
    Lakehouse.create(CATALOG, lake.path, lake.spark)
    for day in (3, 4):
        arrive(lake, schema.FX_RATES, rate(date(2026, 8, day)))
    observability.update_metrics(lake, 26.0)
    fresh = {row[0]: row[1:] for row in stored(lake, schema.FRESHNESS)}
    assert fresh["cleaned_data.fx_rates"] == (datetime(2026, 8, 4), 2, 122.0, 2)


def test_closes_that_gold_has_twice(lake):
    def day(coin_id, date_, close, is_complete=True):
        return {
            **{"coin_id": coin_id, "vs_currency": "usd", "date": date_, "period": f"{date_:%Y-%m}"},
            **{
                "coin_key": 1,
                "currency_key": 1,
                "date_key": 1,
                "samples": 1,
                "is_complete": is_complete,
                "file": "f",
            },
            **dict.fromkeys(("open", "high", "low", "close", "average"), close),
        }

    def hour(coin_id, instant, close):
        return {
            **{"coin_id": coin_id, "vs_currency": "usd", "hour": at(instant), "period": instant[:7], "samples": 1},
            **dict.fromkeys(("open", "high", "low", "close"), close),
        }

    assert observability.closes_of_two_sources(lake) == []
    newest, before = date(2026, 8, 1), date(2026, 7, 31)
    days = [day("x", before, 1.0), day("x", newest, 2.0), day("y", newest, 3.0), day("z", newest, 4.0)]
    arrive(lake, schema.FACT_PRICE_DAILY, *days, day("x", date(2026, 8, 2), 5.0, is_complete=False))
    hours = [
        hour("x", "2026-07-31 23:00", 9.0),
        hour("x", "2026-08-01 22:00", 9.0),
        hour("z", "2026-08-01 23:00", 7.0),
    ]
    arrive(lake, schema.CANDLE_HOURLY, *hours, hour("x", "2026-08-01 23:00", 6.0))
    observability.update_metrics(lake, 26.0)
    found = sorted(tuple(row.values()) for row in observability.closes_of_two_sources(lake))
    assert found == [("x", "usd", newest, 2.0, 6.0), ("z", "usd", newest, 4.0, 7.0)]


def record(lake, run_id: str, step: str, start: str, seconds: float, **facts) -> None:
    started_at = at(start)
    ended_at = datetime.fromtimestamp(started_at.timestamp() + seconds, UTC)
    content = {
        "run_id": run_id,
        "step": step,
        "status": "succeeded",
        "started_at": started_at.isoformat().replace("+00:00", "Z"),
        "ended_at": ended_at.isoformat().replace("+00:00", "Z"),
        "seconds": seconds,
        "rows_read": 1,
        "rows_written": 2,
        "rows_rejected": 0,
        "table_versions": {"b": 2, "a": 1},
        "parameters": {"run_id": run_id, "lake_path": "lake"},
        "code_hash": "abc",
        "message": None,
    } | facts
    files.write_json(observability.record_path(lake.path, started_at, run_id, step), content)


@pytest.mark.both_sessions
def test_steps_become_runs(lake):
    reporting = observability.Step("08_report_pipeline_health", "r9", lake.path, {}, at("2026-08-03 10:00"))
    assert observability.load_steps(lake, reporting) == {}
    alone = {"parameters": {"run_id": "", "lake_path": "lake"}}
    record(lake, "r0", "03_c", "2026-08-01 10:00", 30.0, **alone)
    record(lake, "r1", "01_a", "2026-08-01 23:59", 30.0)
    record(lake, "r1", "02_b", "2026-08-02 00:01", 30.0, rows_read=10, rows_rejected=None)
    record(lake, "r2", "01_a", "2026-08-02 10:00", 0.5)
    record(lake, "r3", "01_a", "2026-08-02 11:00", 0.5, status="running")
    record(lake, "r9", "08_report_pipeline_health", "2026-08-03 10:00", 0.0, status="running")
    assert {name: merged[:2] for name, merged in observability.load_steps(lake, reporting).items()} == {
        "aggregated_data.run_steps": (5, 0),
        "aggregated_data.pipeline_runs": (4, 0),
    }
    assert observability.load_steps(lake, reporting) == {}
    failed = {"status": "failed", "rows_read": None, "rows_written": None, "rows_rejected": None, "message": "no"}
    record(lake, "r2", "02_b", "2026-08-02 10:01", 60.0, **failed)
    observability.load_steps(lake, reporting)
    instant = datetime
    assert_rows(
        stored(lake, schema.PIPELINE_RUNS),
        [
            ("r0", "succeeded", instant(2026, 8, 1, 10), instant(2026, 8, 1, 10, 0, 30), 30.0, 1, 1, 2, 0),
            ("r1", "incomplete", instant(2026, 8, 1, 23, 59), instant(2026, 8, 2, 0, 1, 30), 150.0, 2, 11, 4, 0),
            ("r2", "failed", instant(2026, 8, 2, 10), instant(2026, 8, 2, 10, 2), 120.0, 2, 1, 2, 0),
            (
                "r3",
                "interrupted",
                instant(2026, 8, 2, 11),
                instant(2026, 8, 2, 11, 0, 0, 500_000),
                0.5,
                1,
                1,
                2,
                0,
            ),
        ],
        schema.PIPELINE_RUNS.column_names,
    )
    assert stored(lake, schema.RUN_STEPS)[4] == (
        *("r2", "02_b", "failed", instant(2026, 8, 2, 10, 1), instant(2026, 8, 2, 10, 2), 60.0),
        *(None, None, None, '{"a": 1, "b": 2}'),
        *(json.dumps({"lake_path": "lake", "run_id": "r2"}), "abc", "no"),
    )
