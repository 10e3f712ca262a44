"""The folder bi/: the Power BI project and the Databricks dashboard, made from the tables' descriptions."""

from coinlake_ops.bi import dashboard, powerbi
from coinlake_ops.project import ROOT

FOLDER = ROOT / "bi"


def files() -> dict[str, str]:
    """Path below bi/ -> content."""
    project = {f"powerbi/{path}": text for path, text in powerbi.files().items()}
    return project | {"market.lvdash.json": dashboard.text()}


def differences() -> list[str]:
    """The paths below bi/ that are missing, out of date, or too much."""
    wanted = files()
    there = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    return sorted(
        path
        for path in there | set(wanted)
        if path not in there or wanted.get(path) != (FOLDER / path).read_text(encoding="utf-8")
    )


def write() -> str:
    """Write what differs, delete what is too much; says how many files that were."""
    wanted, changed = files(), differences()
    for path in changed:
        if path in wanted:
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_text(wanted[path], encoding="utf-8")
        else:
            (FOLDER / path).unlink()
    return f"bi/: {len(wanted)} files, {len(changed)} written"
