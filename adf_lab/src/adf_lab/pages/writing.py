"""Writing the pages into the folder of the records, beside them."""

from datetime import UTC, datetime
from pathlib import Path

from adf_lab import monitor
from adf_lab.pages.overview import overview_page
from adf_lab.pages.run import run_page
from adf_lab.pages.words import OPEN, page_of

INDEX = "index.html"


def write_pages(folder, triggers=None, program="adf-lab", where="", now=None, *, anew=False):
    """Write the page of all runs in a folder and that of each, and return the path of the first.

    The page of a run is written if there is none, if the record is newer, if the run goes on, or if all are
    written anew: they hold what `program` and `where` were when they were written.
    """
    folder, now = Path(folder), now or datetime.now(UTC)
    records = monitor.runs(folder)
    for record in records:
        path, source = folder / page_of(record["runId"]), folder / f"{record['runId']}.json"
        if anew or record["status"] in OPEN or not _is_newer(path, source):
            _write(path, run_page(record, now, program, where, INDEX))
    index = folder / INDEX
    _write(index, overview_page(records, now, triggers, program, where))
    return index


def _is_newer(path, source):
    return path.exists() and source.exists() and path.stat().st_mtime >= source.stat().st_mtime


def _write(path, text):
    """As a whole: a browser that reads it again meets no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8", errors="backslashreplace")
    beside.replace(path)
