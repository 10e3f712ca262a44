"""The folder bi/: the Power BI project and the Databricks dashboards, made from the tables' descriptions.

The project reads the database of the user's own environment, or else of the template; which one is no difference.
"""

import re

from coinlake_ops import environment as environments
from coinlake_ops.bi import dashboard, operations, powerbi
from coinlake_ops.project import ROOT

FOLDER = ROOT / "bi"
EXPRESSIONS = "powerbi/coinlake.SemanticModel/definition/expressions.tmdl"


def files(environment: str) -> dict[str, str]:
    """Path below bi/ -> content, for the database of an environment."""
    described = environments.read(environment, placeholders=True)
    return _files(described.sql_host, described.sql_database)


def _files(server: str, database: str) -> dict[str, str]:
    project = {f"powerbi/{path}": text for path, text in powerbi.files(server, database).items()}
    return project | {"market.lvdash.json": dashboard.text(), "operations.lvdash.json": operations.text()}


def differences() -> list[str]:
    """The paths below bi/ that are missing, out of date, or too much."""
    path = FOLDER / EXPRESSIONS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    named = dict(re.findall(r'^expression (Server|Database) = "([^"]+)"', text, flags=re.MULTILINE))
    wanted = _files(named.get("Server", ""), named.get("Database", ""))
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    return sorted(
        path
        for path in there | set(wanted)
        if path not in there or wanted.get(path) != (FOLDER / path).read_text(encoding="utf-8")
    )


def write(environment: str) -> str:
    """Write what differs, delete what is too much; says how many files that were."""
    wanted, written = files(environment), 0
    for path, text in wanted.items():
        target = FOLDER / path
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            written += 1
    for path in [path for path in differences() if path not in wanted]:
        (FOLDER / path).unlink()
    return f"bi/: {len(wanted)} files, {written} written"
