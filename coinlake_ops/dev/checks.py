"""Checks what needs no test run: style, types, who imports whom, and the hygiene of the notebooks.

`coinlake check` reports, `coinlake fix` mends what can be mended.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from coinlake_ops import notebooks
from coinlake_ops.project import ROOT

LONGEST_CELL = 25
MOST_CELLS = 45
LAST_HEADINGS = ("## What we learned", "## Exercises")
# The command lint-imports, in this Python.
LINT_IMPORTS = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
)
MACHINE_PATH = re.compile(r"(?<![\w/.])/(?:home|root|Users|work)/\w+")


def run(fix: bool = False) -> bool:
    """Run ruff, mypy, lint-imports and the notebook rules and print what is wrong; `fix` mends what it can first.

    Returns whether all is well.
    """
    if fix:
        _strip_outputs()
    ruff = [sys.executable, "-m", "ruff"]
    codes = [
        subprocess.run([*ruff, "format", "--quiet", *([] if fix else ["--check"]), "."], cwd=ROOT).returncode,
        subprocess.run([*ruff, "check", "--quiet", *(["--fix"] if fix else []), "."], cwd=ROOT).returncode,
        _lint_imports(),
    ]
    # The slowest one: the notebooks are looked at meanwhile.
    types = subprocess.Popen([sys.executable, "-m", "mypy", "--no-error-summary"], cwd=ROOT)
    faults = [f"{path.name}: {fault}" for path in notebooks.all_paths() for fault in notebook_faults(path)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if types.wait() or any(codes) or faults:
        print("Some checks failed. `coinlake fix` mends style and outputs.", file=sys.stderr)
        return False
    print(f"style, types, imports and {len(notebooks.all_paths())} notebooks: ok")
    return True


def notebook_faults(path: Path) -> Iterator[str]:
    """What keeps a notebook from obeying the rules that all notebooks of the course share."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = notebook.cells
    if not cells or not re.match(rf"# {path.stem[:2]} · \S", cells[0].source):
        yield f"the first cell must start with '# {path.stem[:2]} · Title'"
    if "| Reads |" not in cells[0].source.replace("**", ""):
        yield "the first cell must hold the contract table, with a row 'Reads'"
    if "parameters" not in cells[1].metadata.get("tags", []):
        yield "the second cell must be tagged 'parameters'"
    if "parameters.override(globals())" not in cells[2].source:
        yield "the third cell must call parameters.override(globals())"
    if len(cells) > MOST_CELLS:
        yield f"{len(cells)} cells; at most {MOST_CELLS} can be read in one go"
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    for heading in LAST_HEADINGS:
        if heading not in text:
            yield f"there must be a heading {heading!r}"
    if "Next:" not in cells[-1].source:
        yield "the last cell must say what comes next: 'Next: …'"
    for number, cell in enumerate(cells, start=1):
        if MACHINE_PATH.search(cell.source):
            yield f"cell {number} names a path of one machine"
        if cell.cell_type != "code":
            continue
        if len(cell.source.splitlines()) > LONGEST_CELL:
            yield f"cell {number} has more than {LONGEST_CELL} lines"
        if cell.outputs and notebooks.KEPT not in cell.metadata.get("tags", []):
            yield f"cell {number} keeps an output without the tag {notebooks.KEPT!r}"
        if number > 3 and re.search(r"^(?:import|from) ", cell.source, flags=re.MULTILINE):
            yield f"cell {number} imports; all imports stand in the third cell"


def _lint_imports() -> int:
    """Who imports whom (contracts in pyproject.toml): prints what is wrong, and nothing else."""
    done = subprocess.run([sys.executable, "-c", LINT_IMPORTS], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done.returncode


def _strip_outputs() -> None:
    paths = [str(path) for path in (*notebooks.all_paths(), *notebooks.FOLDER.glob("drills/*.ipynb"))]
    subprocess.run([sys.executable, "-m", "nbstripout", "--keep-count", "--keep-id", *paths], cwd=ROOT, check=True)
