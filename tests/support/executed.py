"""Executed report notebooks without a kernel: the outputs are what the report's parts would leave."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def notebook(report, beside=None):
    """A notebook whose cells show every part of the report, with a lesson around them.

    `beside` are further pages by their names, each in one cell with that tag.
    """
    parts = [("r.opening()", report.opening())]
    parts += [(f'r.show("{key}")', report.show(key)) for key in report.sections]
    parts += [("r.closing()", report.closing())]
    cells = [new_markdown_cell("# A lesson that stays in the notebook")]
    for source, part in parts:
        outputs = [new_output("display_data", data=data) for data in part.outputs()]
        cells.append(new_code_cell(source, outputs=outputs, metadata={"tags": ["page"]}))
    for name, page in (beside or {}).items():
        outputs = [new_output("display_data", data=data) for data in page.whole().outputs()]
        cells.append(new_code_cell(name, outputs=outputs, metadata={"tags": [name]}))
    stays = new_output("stream", name="stdout", text="not answered yet")
    cells.append(new_code_cell("answer = None", outputs=[stays], metadata={"tags": ["exercise"]}))
    return new_notebook(cells=cells)


def written(report, path, beside=None):
    """The same as a file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(report, beside), path)
    return path
