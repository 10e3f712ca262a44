"""Finds, reads and executes the course's notebooks."""

import ast
import json
import re
import shutil
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from coinlake import errors
from coinlake.errors import CoinlakeError
from coinlake.parameters import Value
from coinlake_ops import project
from coinlake_ops.kernels import Kernels, send

if TYPE_CHECKING:
    from coinlake_ops.private_kernels import KeptKernels

FOLDER = project.ROOT / "notebooks"
KEPT = "keep_output"
# The notebooks that show a report, and its name, in the order in which reports/README.md shows them.
REPORTS = {
    "07_report_market_trends": "market_trends",
    "06_report_price_averages": "price_averages",
    "08_report_pipeline_health": "pipeline_health",
}
# The page that a notebook shows beside its report, in a cell that has the page's name as its tag.
BESIDE = {"06_report_price_averages": "coins"}


class TimeIsUp(CoinlakeError):
    """A notebook was not done in its time; its kernel was killed."""


class Interrupted(CoinlakeError):
    """A notebook was ended from outside before it was done."""


class KernelDied(CoinlakeError):
    """The process of a notebook ended by itself, most often because memory ran out."""


class CellFailed(CoinlakeError):
    """A cell raised an error: `cell` is its number as JupyterLab counts cells, from 1."""

    def __init__(self, cell: int, message: str):
        super().__init__(message)
        self.cell = cell


def all_paths() -> list[Path]:
    """The notebooks of the course, in the order in which they run."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def path(name: str) -> Path:
    """The file of a notebook, by its name without the ending."""
    return FOLDER / f"{name}.ipynb"


def folder_to_work_in() -> Path:
    """The folder in which a person opens the notebooks; an installed package puts copies beside the lake, once."""
    if not project.IS_INSTALLED:
        return FOLDER
    folder = project.home() / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for notebook in all_paths():
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
    return folder


def declared_parameters(notebook: Path) -> dict[str, Value]:
    """Name -> default of every parameter that a notebook declares in its cell tagged `parameters`.

    Raises CoinlakeError when there is no such cell, or when it holds more than `name: type = literal` lines.
    """
    # Read as the JSON it is: nbformat, which also validates, takes a second to load.
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise CoinlakeError(f"{notebook.name} is not a notebook: open and save it in JupyterLab.") from None
    for cell in cells:
        if "parameters" in cell["metadata"].get("tags", []):
            source = "".join(cell["source"])
            try:
                return dict(map(_declared, ast.parse(source).body))
            except (ValueError, SyntaxError):
                raise CoinlakeError(
                    f"{notebook.name}: the parameters cell holds more than `name: type = literal` lines."
                ) from None
    raise CoinlakeError(f"{notebook.name} has no cell tagged parameters.")


def _declared(line: ast.stmt) -> tuple[str, Value]:
    """Name and default of a line `name: type = literal`; raises ValueError for any other."""
    if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value:
        return line.target.id, ast.literal_eval(line.value)
    raise ValueError(ast.unparse(line))


def execute(
    notebook: Path,
    executed: Path,
    values: Mapping[str, Value],
    progress: TextIO | None = None,
    deadline: float | None = None,
    environment: Mapping[str, str] | None = None,
    kernels: Kernels | None = None,
    kept: "KeptKernels | None" = None,
) -> None:
    """Execute a notebook with papermill; the executed copy is written even when a cell fails.

    `progress` receives what the cells print while they run. After `deadline` seconds the kernel is killed.
    `environment` is what the kernel gets on top of the variables that everything gets which is started here.
    `kernels` are those of the run, which may be ended together. `kept` may have one that waits for the notebook,
    with the environment that it had then, and keeps it when all went well.
    Raises CellFailed, KernelDied, TimeIsUp for a killed one, and Interrupted when the run's kernels are ended.
    """
    # Imported here: most users of this module only read notebooks, and papermill takes a second to load.
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from coinlake_ops.private_kernels import PrivateKernel

    run = kernels or Kernels()

    def refuse_when_stopped(**_):
        # Between two cells a kernel hears no signal.
        if run.stopped.done():
            raise Interrupted(f"{notebook.stem} was interrupted.")

    refuse_when_stopped()
    killed = threading.Event()

    def kill():
        killed.set()
        send([kernel], signal.SIGKILL)

    timer = threading.Timer(deadline, kill) if deadline is not None else None
    executed.parent.mkdir(parents=True, exist_ok=True)
    log = executed.with_suffix(".log")
    kernel = (kept and kept.take(notebook.stem)) or PrivateKernel(FOLDER, log, environment or {})
    is_kept = False
    if timer:
        timer.daemon = True
        timer.start()
    try:
        with run.at_work([kernel]):
            papermill.execute_notebook(
                _unformatted(notebook),
                _unformatted(executed),
                parameters=dict(values),
                kernel_name="python3",
                km=kernel,
                progress_bar=False,
                stdout_file=progress,
                on_cell_execute=refuse_when_stopped,
            )
            kernel.hang_up()
            is_kept = bool(kept and kept.give(notebook.stem, kernel))
    except PapermillExecutionError as error:
        refuse_when_stopped()
        raise CellFailed(error.cell_index + 1, errors.in_words(error.ename, error.evalue)) from None
    except (DeadKernelError, RuntimeError) as error:
        # Of a kernel that dies while it starts, Jupyter says so in an error without a class of its own.
        if not isinstance(error, DeadKernelError) and "died" not in str(error):
            raise
        refuse_when_stopped()
        if killed.is_set():
            raise TimeIsUp(f"{notebook.stem} was not done after {deadline:.0f} s.") from None
        raise KernelDied(f"Its kernel died, most often because memory ran out. Its log: {log}") from None
    finally:
        if not is_kept:
            kernel.end()
        if timer:
            timer.cancel()


def _unformatted(path: Path) -> str:
    """A path in which papermill, which takes what is in braces for a parameter's name, sees none."""
    return re.sub(r"[{}]", r"\g<0>\g<0>", str(path))


def keep_outputs(executed: Path, notebook: Path) -> int:
    """Copy the outputs of the cells tagged `keep_output` from an executed copy; returns how many cells there are.

    For after a change that is meant to change them: the tests compare these outputs from then on.
    Raises CoinlakeError when the executed copy is of another version of the notebook.
    """
    import nbformat

    outputs = {cell.id: cell for cell in nbformat.read(executed, as_version=4).cells}
    course = nbformat.read(notebook, as_version=4)
    code = [cell for cell in course.cells if cell.cell_type == "code"]
    kept = [cell for cell in code if KEPT in cell.metadata.get("tags", [])]
    for cell in kept:
        if cell.id not in outputs or outputs[cell.id].source != cell.source:
            raise CoinlakeError(f"{executed}: cell {cell.id!r} is not that of {notebook.name}. Run it again.")
        cell.outputs = outputs[cell.id].outputs
        # nbval takes a cell without a number for one that was never run, and would compare nothing.
        cell.execution_count = outputs[cell.id].execution_count
    nbformat.write(course, notebook)
    return len(kept)
