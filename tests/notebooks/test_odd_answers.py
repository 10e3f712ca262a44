"""Answers that are landed whatever they hold: no cell that only shows or teaches stops at one."""

import json

import nbformat
import pytest

from coinlake import bronze, sources
from coinlake_ops import notebooks

pytestmark = pytest.mark.processes

AT = "2026-08-12T14:22:00Z"
WEATHER = {"daily": {"time": ["2026-08-11", "2026-08-12"], "temperature_2m_max": [21.5], "weather_code": "rain"}}
MOODS = ["74.5", "", None, "greed", 1e300, [74]]
FEAR_GREED = {"data": [*({"value": value, "timestamp": "1786492800"} for value in MOODS), None]}


def test_an_odd_answer_stops_no_cell(tmp_path):
    for endpoint, body in (("weather_daily", WEATHER), ("fear_greed", FEAR_GREED)):
        bronze.add_recording(
            tmp_path / "tape",
            endpoint=endpoint,
            url=sources.endpoint_of(endpoint).root,
            fetched_at=AT,
            bodies=[json.dumps(body).encode()],
        )
    executed = tmp_path / "executed.ipynb"
    values = {"lake_path": str(tmp_path / "lake"), "source": "replay", "tape_path": str(tmp_path / "tape")}
    notebooks.execute(notebooks.path("02_ingest_context_data"), executed, values)
    shown = [output.get("data", {}).get("text/plain", "") for output in outputs(executed)]
    assert any("temperature_2m_max" in text and "rain" in text for text in shown)


def outputs(executed):
    return [output for cell in nbformat.read(executed, as_version=4).cells for output in cell.get("outputs", [])]
