"""`python -m coinlake_ops.bi` writes bi/: the Power BI project and the Databricks dashboard; `--check` only compares."""

import argparse
import sys

from coinlake_ops.bi import dashboard, powerbi
from coinlake_ops.settings import ROOT

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


def main(arguments: list[str]) -> int:
    """Write what differs; with --check, 1 when anything does."""
    parser = argparse.ArgumentParser(
        prog="python -m coinlake_ops.bi", description="Makes bi/ from the tables' descriptions."
    )
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args(arguments)
    changed = differences()
    if options.check:
        for path in changed:
            print(f"bi/{path} is out of date: python -m coinlake_ops.bi", file=sys.stderr)
        return 1 if changed else 0
    wanted = files()
    for path in changed:
        if path in wanted:
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_text(wanted[path], encoding="utf-8")
        else:
            (FOLDER / path).unlink()
    print(f"bi/: {len(wanted)} files, {len(changed)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
