"""The proof that the pipeline's own tables are what they are made from."""

from datetime import date
from pathlib import Path

import pytest

from coinlake import Lakehouse, observability, schema
from coinlake.observability import metrics
from tests.support.silver_frames import at, frame

TEN = at("2026-08-01 10:00")
REPORT = "08_report_pipeline_health"
ROWS = [
    (
        schema.RESPONSES,
        {
            **{"landing_run": "r", "endpoint": "fear_greed", "page": 1, "attempt": 1, "method": "GET", "url": "u"},
            **{"status": 200, "fetched_at": TEN, "elapsed_ms": 5, "bytes": 100, "outcome": "landed"},
            "source": "simulated",
        },
    ),
    (
        schema.QUARANTINE,
        {
            **{"quarantine_id": "1", "table_name": "coin_prices", "endpoint": "coins_market_chart", "file": "f"},
            **{"fetched_at": TEN, "reasons": ["no_price"], "copies": 1},
        },
    ),
    (
        schema.FX_RATES,
        {
            **{"date": date(2026, 8, 1), "base_currency": "usd", "currency": "eur", "rate": 0.9},
            **{"fetched_at": TEN, "file": "f"},
        },
    ),
]


@pytest.fixture
def lake(spark, tmp_path):
    """A lake of two runs, the second of which has gathered the records of the first; its path has a blank."""
    lake = Lakehouse.create("spark_catalog", str(tmp_path / "a lake"), spark)
    for table, row in ROWS:
        lake.table(table).merge(frame(spark, table, [row]))
    observability.update_metrics(lake, 26.0)
    step(lake, "r1", "03_stream_to_silver").skip("Nothing to do.")
    step(lake, "r1", REPORT).fail("no")
    reporting = step(lake, "r2", REPORT)
    observability.load_steps(lake, reporting)
    reporting.skip("Nothing to do.")
    return lake


def step(lake: Lakehouse, run_id: str, name: str) -> observability.Step:
    return observability.Step(name, run_id, lake.path, {"run_id": run_id})


def change(lake: Lakehouse, table: schema.Table, what: str, where: str = "true") -> None:
    lake.spark.sql(f"UPDATE {lake.table(table).name} SET {what} WHERE {where}")


def test_a_difference_is_named_with_what_mends_it_and_what_later_runs_take_in_is_none(lake):
    found = observability.verify(lake)
    assert [(check.what, check.compared, check.problems) for check in found] == [
        ("run_steps against records", 2, ()),
        ("pipeline_runs against run_steps", 1, ()),
        ("api_usage against responses", 1, ()),
        ("quarantine_daily against quarantine", 1, ()),
        ("freshness against the tables", len(metrics.REACHES), ()),
    ]

    # Housekeeping puts old records away, and their rows stay.
    (gone,) = Path(lake.path, "steps").rglob("03_stream_to_silver.json")
    gone.unlink()
    change(lake, schema.RUN_STEPS, "rows_read = 9")
    change(lake, schema.PIPELINE_RUNS, "status = 'succeeded'")
    change(lake, schema.API_USAGE, "credits = 9")
    change(lake, schema.QUARANTINE, "reasons = array('no_time')")
    change(lake, schema.FRESHNESS, "rows = 9", "table_name = 'cleaned_data.fx_rates'")
    again, run = f"coinlake rebuild gold --lake '{lake.path}'", f"coinlake run 'LAKE_PATH={lake.path}'"
    key = '{{"date":"2026-08-01","table_name":"coin_prices","reason":"{}"}}'
    assert {check.what: (check.problems, check.mend) for check in observability.verify(lake)} == {
        "run_steps against records": (
            (f'1 rows have other values: {{"run_id":"r1","step":"{REPORT}"}}',),
            again,
        ),
        "pipeline_runs against run_steps": (('1 rows have other values: {"run_id":"r1"}',), again),
        "api_usage against responses": (
            ('1 rows have other values: {"date":"2026-08-01","endpoint":"fear_greed","source":"simulated"}',),
            again,
        ),
        "quarantine_daily against quarantine": (
            (
                f"1 rows are missing: {key.format('no_time')}",
                f"1 rows should not be there: {key.format('no_price')}",
            ),
            run,
        ),
        "freshness against the tables": (
            ('1 rows have other values: {"table_name":"cleaned_data.fx_rates"}',),
            again,
        ),
    }
