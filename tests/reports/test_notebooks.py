"""The three report notebooks, cell by cell and without Spark: as they come, and over empty gold."""

import nbformat
import pytest

from coinlake import Lakehouse, observability
from coinlake_ops import notebooks
from coinlake_ops.notebooks import REPORTS
from tests.support import gold_frames


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """Notebooks write their records below tmp_path and reach DuckDB where they ask for Spark."""

    def use(frames):
        monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
        place = "/Volumes/spark_catalog/raw_data/lake"
        opened = Lakehouse(gold_frames.Catalog(frames), "spark_catalog", place)
        monkeypatch.setattr(Lakehouse, "open", lambda catalog, lake_path: opened)
        monkeypatch.setattr(observability, "load_steps", lambda *_: {})
        monkeypatch.setattr(observability, "closes_of_two_sources", lambda _: [])

    return use


def run(name):
    """Execute the cells in one namespace."""
    namespace = {"__name__": "__main__"}
    for cell in nbformat.read(notebooks.path(name), as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    return namespace


def answers(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith(("✓", "✗", "not answered"))]


@pytest.mark.parametrize("name", REPORTS)
def test_unsolved_exercises_say_so_and_stop_nothing(name, lake, tables, capsys):
    lake(tables)
    run(name)
    assert answers(capsys) == ["not answered yet", "not answered yet"]


@pytest.mark.parametrize("name", REPORTS)
def test_empty_gold_runs_to_the_end(name, lake, capsys):
    lake(gold_frames.empty())
    run(name)
    assert answers(capsys) == ["not answered yet", "not answered yet"]


@pytest.mark.parametrize(("name", "report"), REPORTS.items())
def test_every_section_is_shown_once_and_in_the_order_of_the_page(name, report, lake, tables):
    lake(tables)
    built = run(name)["r"]
    cells = nbformat.read(notebooks.path(name), as_version=4).cells
    tagged = [cell.source for cell in cells if "page" in cell.metadata.get("tags", [])]
    assert built.name == report
    assert [source.splitlines()[-1] for source in tagged] == [
        "r.opening()",
        *(f'r.show("{key}")' for key in built.sections),
        "r.closing()",
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_kept_outputs_are_what_the_cells_print(name, lake, tables, capsys):
    lake(tables)
    namespace = {"__name__": "__main__"}
    for cell in nbformat.read(notebooks.path(name), as_version=4).cells:
        if cell.cell_type == "code":
            capsys.readouterr()
            exec(cell.source, namespace)
            if cell.outputs:
                assert "".join(output.text for output in cell.outputs) == capsys.readouterr().out
