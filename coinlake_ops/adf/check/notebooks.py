"""Notebooks that pipelines run: they exist, and their parameters are the ones that are passed."""

from pathlib import PurePosixPath

from coinlake.errors import CoinlakeError
from coinlake_ops.adf.check.finding import Finding, note
from coinlake_ops.adf.expressions import ExpressionError
from coinlake_ops.adf.expressions.syntax import Access, Call, Interpolation, Literal, parse
from coinlake_ops.adf.structure import all_activities, is_active
from coinlake_ops.notebooks import declared_parameters


def wrong_notebooks(factory, folder):
    """Notebook activities whose notebook is missing in a folder, or declares other parameters."""
    for resource in factory.resources["pipeline"].values():
        for path, activity in all_activities(resource.properties.get("activities") or []):
            if activity.get("type") != "DatabricksNotebook" or not is_active(activity):
                continue
            properties = activity.get("typeProperties") or {}
            where = f"{path}.typeProperties"
            name = _notebook_name(properties.get("notebookPath"))
            if folder is None or name is None:
                reason = (
                    "no folder of notebooks was given" if folder is None else "the path is known at run time only"
                )
                yield note(resource.file, f"{where}.notebookPath", f"{reason}.")
                continue
            notebook = folder / f"{name}.ipynb"
            if not notebook.exists():
                yield Finding(resource.file, f"{where}.notebookPath", f"there is no {notebook}: correct the path.")
                continue
            try:
                declared = set(declared_parameters(notebook))
            except CoinlakeError as error:
                yield Finding(resource.file, f"{where}.notebookPath", str(error))
                continue
            given = set(properties.get("baseParameters") or {})
            for parameter in sorted(given - declared):
                message = f"{notebook.name} has no such parameter: remove it."
                yield Finding(resource.file, f"{where}.baseParameters.{parameter}", message)
            for parameter in sorted(declared - given):
                message = f"{notebook.name} has the parameter '{parameter}': pass it."
                yield Finding(resource.file, f"{where}.baseParameters", message)


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
