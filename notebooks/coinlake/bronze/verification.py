"""Whether the landing zone is what was landed: every body under its line of the response log, unchanged."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from coinlake.bronze.landing_zone import BODIES, ERRORS, META, LandingZone
from coinlake.errors import LandingError
from coinlake.findings import Check, counted

RESTORE = (
    "Restore these files from a copy of the lake: what was answered once cannot be asked again, and nothing else "
    "can make them."
)


def verify(lake_path: str) -> list[Check]:
    """Compares the landing zone with the response log, by SHA-256; reads all bodies and writes nothing.

    The body of an error may be missing: housekeeping puts those away when they are old.
    """
    landing = LandingZone(lake_path)
    missing, changed, unreadable = [], [], []
    named: set[Path] = set()
    for run in landing.runs():
        try:
            lines = landing.lines(run)
        except LandingError:
            unreadable.append(f"run={run}.jsonl")
            continue
        for line in lines:
            if line["file"] is None:
                continue
            try:
                path = landing.body_path(line)
            except LandingError:
                changed.append(str(line["file"]))
                continue
            named.add(path)
            if not path.is_file():
                if line["outcome"] == "landed":
                    missing.append(line["file"])
            elif line["sha256"] is not None and hashlib.sha256(path.read_bytes()).hexdigest() != line["sha256"]:
                changed.append(line["file"])
    unnamed = [str(path.relative_to(landing.path)) for path in _bodies(landing.path) if path not in named]
    found = (
        (unreadable, f"files of {META} cannot be read"),
        (missing, "bodies are missing"),
        (changed, "bodies have changed since they were landed"),
        (unnamed, "files have no line in the response log"),
    )
    problems = tuple(counted(len(names), what, names) for names, what in found if names)
    return [Check("landing", "bodies against the response log, by SHA-256", len(named), problems, RESTORE)]


def _bodies(lake: Path) -> Iterator[Path]:
    for folder in (BODIES, ERRORS):
        yield from (path for path in sorted((lake / folder).glob("endpoint=*/date=*/run=*/*")) if path.is_file())
