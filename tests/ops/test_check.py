"""The rules that all notebooks share: one good notebook, and one fault each."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from coinlake_ops.dev import checks


def good_cells():
    return [
        new_markdown_cell("# 03 · Stream to silver\n\n| | |\n|---|---|\n| Reads | landing |"),
        new_code_cell('environment: str = "local"  # help', metadata={"tags": ["parameters"]}),
        new_code_cell("import math\n\nparameters.override(globals())"),
        new_markdown_cell("## What we learned\n\nMuch.\n\n## Exercises\n\nTwo."),
        new_markdown_cell("Next: 04"),
    ]


def faults(tmp_path, cells):
    path = tmp_path / "03_stream_to_silver.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return list(checks.notebook_faults(path))


def test_a_good_notebook_has_no_fault(tmp_path):
    assert faults(tmp_path, good_cells()) == []


@pytest.mark.parametrize(
    ("position", "cell", "fault"),
    [
        (0, new_markdown_cell("# Stream\n| Reads |"), "the first cell must start with '# 03 · Title'"),
        (
            0,
            new_markdown_cell("# 03 · Stream"),
            "the first cell must hold the contract table, with a row 'Reads'",
        ),
        (1, new_code_cell("a: int = 1"), "the second cell must be tagged 'parameters'"),
        (2, new_code_cell("import math"), "the third cell must call parameters.override(globals())"),
        (3, new_markdown_cell("## Exercises"), "there must be a heading '## What we learned'"),
        (3, new_markdown_cell("## What we learned"), "there must be a heading '## Exercises'"),
        (4, new_markdown_cell("The end."), "the last cell must say what comes next: 'Next: …'"),
    ],
)
def test_each_fault_is_named(tmp_path, position, cell, fault):
    cells = good_cells()
    cells[position] = cell
    assert faults(tmp_path, cells) == [fault]


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (new_code_cell("\n".join("1" * 26)), "cell 4 has more than 25 lines"),
        (new_code_cell("import json"), "cell 4 imports; all imports stand in the third cell"),
        (new_code_cell("open('/home/somebody/data')"), "cell 4 names a path of one machine"),
        (
            new_code_cell("1", outputs=[new_output("stream", text="1")]),
            "cell 4 keeps an output without the tag 'keep_output'",
        ),
    ],
)
def test_each_faulty_code_cell_is_named(tmp_path, cell, fault):
    cells = good_cells()
    cells.insert(3, cell)
    assert faults(tmp_path, cells) == [fault]


def test_a_kept_output_is_allowed_where_it_is_tagged(tmp_path):
    cells = good_cells()
    cells.insert(
        3, new_code_cell("1", outputs=[new_output("stream", text="1")], metadata={"tags": ["keep_output"]})
    )
    assert faults(tmp_path, cells) == []
