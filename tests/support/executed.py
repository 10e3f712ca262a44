"""Executed report notebooks without a kernel: the outputs are what the report's parts would leave."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def notebook(report):
    """A notebook whose cells show every part of the report, with a lesson around them."""
    parts = [("r.opening()", report.opening())]
    parts += [(f'r.show("{key}")', report.show(key)) for key in report.sections]
    parts += [("r.closing()", report.closing())]
    cells = [new_markdown_cell("# A lesson that stays in the notebook")]
    for source, part in parts:
        outputs = [new_output("display_data", data=data) for data in part.outputs()]
        cells.append(new_code_cell(source, outputs=outputs, metadata={"tags": ["page"]}))
    stays = new_output("stream", name="stdout", text="not answered yet")
    cells.append(new_code_cell("answer = None", outputs=[stays], metadata={"tags": ["exercise"]}))
    return new_notebook(cells=cells)


def written(report, path):
    """The same as a file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(report), path)
    return path
