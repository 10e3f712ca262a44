"""A notebook under Databricks' widgets: the texts that Data Factory passes become its parameters."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from coinlake_ops import notebooks

pytestmark = pytest.mark.processes

STUB = """
class Widgets:
    def getAll(self):
        return {widgets!r}

class Notebook:
    def exit(self, result):
        print("exit with " + result)

class Utilities:
    widgets, notebook = Widgets(), Notebook()

dbutils = Utilities()
"""


def text_of(executed):
    cells = nbformat.read(executed, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


@pytest.fixture
def execute_with_widgets(tmp_path):
    """Executes a notebook with a stub of dbutils in its namespace, as a cluster puts one there."""

    def execute(name, widgets):
        notebook = nbformat.read(notebooks.path(name), as_version=4)
        notebook.cells.insert(0, new_code_cell(STUB.format(widgets=widgets)))
        source, executed = tmp_path / f"{name}.ipynb", tmp_path / "executed" / f"{name}.ipynb"
        nbformat.write(notebook, source)
        notebooks.execute(source, executed, {})
        return executed

    return execute


def test_widgets_set_the_parameters_by_type(execute_with_widgets, tmp_path):
    lake = tmp_path / "lake"
    executed = execute_with_widgets(
        "02_ingest_context_data",
        # A job hands over the parameters of its other notebooks, and its own, too.
        {"lake_path": str(lake), "run_id": "from-widgets", "history_days": "30", "latitude": "-33.9"}
        | {"coins": "7", "top_coins": "3", "with_reports": "false"},
    )
    [record] = lake.glob("steps/date=*/from-widgets/02_ingest_context_data.json")
    parameters = json.loads(record.read_text())["parameters"]
    assert (parameters["history_days"], parameters["latitude"], parameters["source"]) == (30, -33.9, "simulated")
    result = '{"step": "02_ingest_context_data", "run_id": "from-widgets", "rows_read": 3, "rows_written": 3, '
    assert f"exit with {result}" in text_of(executed)


def test_an_unknown_widget_stops_the_notebook_before_anything_is_written(execute_with_widgets, tmp_path):
    lake = tmp_path / "lake"
    with pytest.raises(notebooks.CellFailed, match=r"histroy_days: did you mean history_days\?"):
        execute_with_widgets("02_ingest_context_data", {"lake_path": str(lake), "histroy_days": "30"})
    assert not lake.exists()
