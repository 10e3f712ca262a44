"""Which notebooks need not run again: those whose inputs are what they were when a whole run had succeeded.

A run that succeeds notes, in <lake>/unchanged.json, what each notebook was given and what the lake is then: the
files of the landing zone, the newest commit of each table, the warehouse's file, the reports. The next run
finds the same lake where nothing landed meanwhile and nobody wrote a table, and repeats what the notebook said.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from coinlake import files, project_files, schema
from coinlake.parameters import Value
from coinlake_ops import notebooks, project

NAME = "unchanged.json"
LANDED = ("landing", "landing_meta")
WAREHOUSE = "warehouse.duckdb"
# These ask the world, or look at the run itself: they always run.
ALWAYS = frozenset({"01_ingest_market_data", "02_ingest_context_data", "08_report_pipeline_health"})
# This one makes the tables: it has nothing to do where they are as they were, whatever has landed.
SETUP = "00_setup"
# Every run says in these tables that it was there.
NOTED_BY_EVERY_RUN = frozenset({schema.RUN_STEPS.name, schema.PIPELINE_RUNS.name})


def find(lake: Path, name: str, values: Mapping[str, Value]) -> Path | None:
    """The executed copy of the notebook `name` if it would do now what it did then, given these parameters."""
    # Nothing here tells what a catalog's tables or a server's hold.
    if name in ALWAYS or values.get("sql_server") or files.is_volume(str(lake)):
        return None
    try:
        noted = json.loads((lake / NAME).read_text(encoding="utf-8"))
        executed = lake / noted["executed"][name]
    except (OSError, ValueError, KeyError):
        return None
    if noted["given"][name] != _given(name, values) or not executed.exists():
        return None
    state = _state(lake)
    if name == SETUP:
        are_there = all(_newest_commit(_folder(lake, table)) for table in schema.TABLES)
        return executed if are_there and noted["lake"]["tables"] == state["tables"] else None
    return executed if noted["lake"] == state else None


def note(lake: Path, executed: Path, values: Mapping[str, Value]) -> None:
    """Notes the lake as it is after a run that has succeeded; `executed` is the folder of its notebooks."""
    names = [name for name in schema.STEPS if name not in ALWAYS]
    content: dict[str, Any] = {
        "given": {name: _given(name, _declared(name, values)) for name in names},
        "executed": {name: str((executed / f"{name}.ipynb").relative_to(lake)) for name in names},
        "lake": _state(lake),
    }
    files.write_json(lake / NAME, content)


def repeat(executed: Path, to: Path) -> None:
    """Puts the executed copy of an earlier run where that of this run would be."""
    # A run may have the id of the one before.
    if executed != to:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(executed, to)


def _declared(name: str, values: Mapping[str, Value]) -> dict[str, Value]:
    return {parameter: values[parameter] for parameter in notebooks.declared_parameters(notebooks.path(name))}


def _given(name: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """What a notebook is given: its parameters, its own text, and the code that it calls."""
    text = hashlib.sha256(notebooks.path(name).read_bytes()).hexdigest()
    parameters = {key: value for key, value in values.items() if key != "run_id"}
    return {"parameters": parameters, "notebook": text, "code": _code()}


@cache
def _code() -> str:
    """All that things are made by: code, and what it reads, such as the warehouse's SQL and the pages' looks."""
    digest = hashlib.sha256()
    for folder in (project_files.PACKAGE, project.PACKAGE, project_files.path("sql")):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(folder)}\n".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _state(lake: Path) -> dict[str, Any]:
    """What the notebooks read and write in a lake, as it is now; plain data."""
    landed = sorted(str(path.relative_to(lake)) for folder in LANDED for path in (lake / folder).rglob("*.json*"))
    tables = {
        table.name: _newest_commit(_folder(lake, table))
        for table in schema.TABLES
        if table.name not in NOTED_BY_EVERY_RUN
    }
    shown = (*notebooks.REPORTS.items(), *notebooks.BESIDE.items())
    pages = [page for name, page in shown if name not in ALWAYS]
    made = [lake / WAREHOUSE, *(lake / "reports" / f"{page}.html" for page in pages)]
    return {
        "landed": hashlib.sha256("\n".join(landed).encode()).hexdigest(),
        "tables": tables,
        "made": {path.name: path.stat().st_size for path in made if path.exists()},
    }


def _folder(lake: Path, table: schema.Table) -> Path:
    return lake / "tables" / table.schema / table.name


def _newest_commit(table: Path) -> str | None:
    """The newest commit of a table, which no other commit of any table equals; None when it has none."""
    newest = max(table.glob(f"_delta_log/{'[0-9]' * 20}.json"), default=None)
    return None if newest is None else f"{newest.stem} {hashlib.sha256(newest.read_bytes()).hexdigest()}"
