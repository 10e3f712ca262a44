"""Puts what was made beside a lake in the place of what stands there: all of it, if need be after a crash.

    <lake>/rebuild/…            what is made, and links to what it is made from
    <lake>/rebuild/swap.json    the decision: the names that change places; written last, when all is made
    <lake>/rebuild/old/…        what stood there before, until it is removed

Without the decision nothing of it counts and the next one removes it. With it, every further call comes to the
same end, whoever makes it: each name is moved away and its successor moved in, where that is not done yet.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from coinlake import files

FOLDER, DECISION, OLD = "rebuild", "swap.json", "old"


def beside(lake: Path) -> Path:
    """The folder in which the successors are made."""
    return lake / FOLDER


def decide(lake: Path, names: Iterable[str]) -> None:
    """Decide that the files and folders of these names, which stand whole in `beside`, take their places."""
    files.write_json(beside(lake) / DECISION, {"names": list(names)})
    finish(lake)


def finish(lake: Path) -> None:
    """Carry out what was decided, to its end; nothing where nothing was."""
    folder = beside(lake)
    try:
        names = json.loads((folder / DECISION).read_text(encoding="utf-8"))["names"]
    except FileNotFoundError:
        return
    for name in names:
        made, place, old = folder / name, lake / name, folder / OLD / name
        if not made.exists():
            continue
        if place.exists():
            # What stands there although the old one was moved away is what somebody made in between: empty tables.
            remove(old)
            old.parent.mkdir(parents=True, exist_ok=True)
            place.rename(old)
        place.parent.mkdir(parents=True, exist_ok=True)
        made.rename(place)
    discard(lake)


def discard(lake: Path) -> None:
    """Remove the folder with all that is in it: what was made and not decided on, or what stood there before."""
    folder = beside(lake)
    # The decision goes last: what is left of a folder that has one was carried out.
    for path in folder.glob("*"):
        if path.name != DECISION:
            remove(path)
    remove(folder)


def remove(path: Path) -> None:
    """Removes a file, a link, or a folder with all that is in it, if it is there; not what a link points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
