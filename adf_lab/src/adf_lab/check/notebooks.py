"""Notebooks that pipelines run: they exist, and their parameters are the ones that are passed."""

import ast
import json
from pathlib import PurePosixPath

from adf_lab.check.finding import finding, note
from adf_lab.errors import AdfLabError
from adf_lab.expressions import Access, Call, ExpressionError, Interpolation, Literal, parse
from adf_lab.structure import all_activities, is_active


def wrong_notebooks(factory, folder):
    """Notebook activities whose notebook is missing in a folder, or declares other parameters."""
    unchecked = []
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            if activity.get("type") != "DatabricksNotebook" or not is_active(activity):
                continue
            properties = activity.get("typeProperties") or {}
            where = f"{path}.typeProperties"
            if folder is None:
                unchecked.append((resource.file, f"{where}.notebookPath"))
                continue
            name = _notebook_name(properties.get("notebookPath"))
            if name is None:
                yield note(resource.file, f"{where}.notebookPath", "the path is known at run time only.")
                continue
            notebook = folder / f"{name}.ipynb"
            if not _exists(notebook):
                message = f"there is no {notebook}: correct the path."
                yield finding("notebook", resource.file, f"{where}.notebookPath", message)
                continue
            try:
                declared = set(_declared_parameters(notebook))
            except AdfLabError as error:
                yield finding("notebook", resource.file, f"{where}.notebookPath", str(error))
                continue
            given = set(properties.get("baseParameters") or {})
            for parameter in sorted(given - declared):
                message = f"{notebook.name} has no such parameter: remove it."
                yield finding("notebook", resource.file, f"{where}.baseParameters.{parameter}", message)
            for parameter in sorted(declared - given):
                message = f"{notebook.name} has the parameter '{parameter}': pass it."
                yield finding("notebook", resource.file, f"{where}.baseParameters", message)
    if unchecked:
        yield note(*unchecked[0], f"no folder of notebooks was given ({len(unchecked)} in all).")


def _exists(path):
    try:
        return path.exists()
    except (OSError, ValueError):  # no name of a file
        return False


def _declared_parameters(notebook):
    """Name -> default of every parameter that a notebook declares in its cell tagged `parameters`.

    AdfLabError when there is no such cell, or when it holds more than `name: type = literal` lines.
    """
    # Read as the JSON it is: nbformat, which also validates, takes a second to load.
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise AdfLabError(f"{notebook.name} is not a notebook: open and save it in JupyterLab.") from None
    for cell in cells:
        if "parameters" in cell["metadata"].get("tags", []):
            source = "".join(cell["source"])
            try:
                return dict(_declaration(line) for line in ast.parse(source).body)
            except (ValueError, SyntaxError):
                raise AdfLabError(
                    f"{notebook.name}: the parameters cell holds more than `name: type = literal` lines."
                ) from None
    raise AdfLabError(f"{notebook.name} has no cell tagged parameters.")


def _declaration(line: ast.stmt) -> tuple[str, object]:
    """Name and default of a line `name: type = literal`; ValueError for any other line."""
    match line:
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, ast.literal_eval(value)
    raise ValueError("not a declaration")


def _notebook_name(value):
    """The last part of a notebook's path, if the texts in it tell; None if only the run does."""
    text = value.get("value") if isinstance(value, dict) else value
    try:
        pieces = list(_pieces(parse(str(text))))
    except ExpressionError:
        return None
    if not pieces or pieces[-1] is None:
        return None
    whole = "".join(piece if piece is not None else "?" for piece in pieces)
    name = PurePosixPath(whole).name
    return None if "?" in name or not name else name


def _pieces(tree):
    """The texts that a path is put together from, None for those that only the run knows."""
    match tree:
        case Literal(value):
            yield str(value)
        case Interpolation(parts):
            for part in parts:
                yield from _pieces(part)
        case Call(name, arguments) if name.lower() == "concat":
            for argument in arguments:
                yield from _pieces(argument)
        case Call() | Access():
            yield None
