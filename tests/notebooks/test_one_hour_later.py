"""Notebook 01 lands the next hour when its reader asks for it, and only then."""

import nbformat
import pytest

from coinlake.bronze import LandingZone
from coinlake_ops import notebooks

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("hours", "landed"), [(0, ["20260812T142200Z"]), (1, ["20260812T142200Z", "20260812T152200Z"])]
)
def test_the_next_hour_is_landed_on_demand(hours, landed, tmp_path):
    notebook = nbformat.read(notebooks.path("01_ingest_market_data"), as_version=4)
    [later] = [cell for cell in notebook.cells if cell.source.startswith("hours_later = 0")]
    later.source = later.source.replace("hours_later = 0", f"hours_later = {hours}")
    nbformat.write(notebook, tmp_path / "01_ingest_market_data.ipynb")
    values = {"lake_path": str(tmp_path / "lake"), "coins": 10, "history_coins": 1}
    notebooks.execute(tmp_path / "01_ingest_market_data.ipynb", tmp_path / "executed.ipynb", values)
    assert [run.split("-")[0] for run in LandingZone(tmp_path / "lake").runs()] == landed
