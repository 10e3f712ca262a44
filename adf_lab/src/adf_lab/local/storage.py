"""Files: what a dataset's location and an activity's store settings mean in a mapped folder, and never outside it.

Sources: azure-docs, connector-azure-blob-storage ("Folder and file filter examples"), copy-activity-overview.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from adf_lab.engine import ActivityFailure
from adf_lab.expressions import ExpressionError, to_json
from adf_lab.local.refusal import not_supported, refuse_unknown
from adf_lab.triggers import parse_time

CONTAINERS = ("fileSystem", "container", "bucketName")
LOCATION = ("type", *CONTAINERS, "folderPath", "fileName")
READ = (
    "type",
    "recursive",
    "wildcardFolderPath",
    "wildcardFileName",
    "modifiedDatetimeStart",
    "modifiedDatetimeEnd",
    "deleteFilesAfterCompletion",
    "maxConcurrentConnections",
    "disableMetricsCollection",
)
SWITCHES = ("enablePartitionDiscovery",)  # understood where they are off


@dataclass(frozen=True)
class Place:
    """What a location names: the container's folder, the path in it, and whether that path is one of a file."""

    container: Path
    path: Path
    names_file: bool

    def inside(self, *parts):
        """A path below this one; ActivityFailure if it leads outside the container."""
        return inside(self.path, *parts, root=self.container)


def place_of(mapping, dataset):
    """The place of a resolved dataset."""
    location = dataset["typeProperties"].get("location")
    if not isinstance(location, dict):
        raise not_supported(f"The dataset '{dataset['name']}' without a location")
    refuse_unknown(f"The location of '{dataset['name']}'", location, LOCATION)
    root = mapping.folder(dataset["linkedService"]["name"])
    container = inside(root, next((location[name] for name in CONTAINERS if location.get(name)), ""))
    path = inside(container, location.get("folderPath") or "", location.get("fileName") or "")
    return Place(container, path, bool(location.get("fileName")))


def inside(folder, *parts, root=None):
    """A path below a folder, links followed; ActivityFailure if it leads outside of it, or of `root`."""
    path = folder
    for part in parts:
        text = str(part).replace("\\", "/")
        if "\0" in text or ".." in PurePosixPath(text).parts:
            raise _outside(text, root or folder)
        path = path / text.strip("/")
    if not path.resolve().is_relative_to((root or folder).resolve()):
        raise _outside(path, root or folder)
    return path


def _outside(path, folder):
    return ActivityFailure("OutsideTheFolder", f"'{path}' leads outside {folder}, which is all that may be used.")


def files_of(place, settings, what):
    """The files that a place and the read settings name, sorted, each with its path from where it was sought.

    ActivityFailure if there is a setting that is not known, or a file is named that is not there.
    """
    settings = settings or {}
    refuse_unknown(what, {k: v for k, v in settings.items() if not (k in SWITCHES and not is_true(v))}, READ)
    folder_pattern, file_pattern = settings.get("wildcardFolderPath"), settings.get("wildcardFileName")
    if place.names_file and not (folder_pattern or file_pattern):
        if not place.path.is_file():
            raise ActivityFailure("UserErrorFileNotFound", f"There is no file {place.path}.")
        found = [(place.path, place.path.name)]
    else:
        start = place.container if folder_pattern else place.path.parent if place.names_file else place.path
        if not start.is_dir():
            raise ActivityFailure("UserErrorFileNotFound", f"There is no folder {start}.")
        found = list(
            _sought(start, place.container, folder_pattern, file_pattern, is_true(settings.get("recursive", True)))
        )
    return [(path, name) for path, name in found if _is_in_time(path, settings)]


def _sought(start, root, folder_pattern, file_pattern, recursive):
    folders = _pattern(folder_pattern.strip("/")) if folder_pattern else None
    names = _pattern(file_pattern) if file_pattern else None
    for path in sorted(start.rglob("*") if recursive or folders else start.glob("*")):
        if not path.is_file() or not path.resolve().is_relative_to(root.resolve()):
            continue
        relative = path.relative_to(start)
        if names and not names.fullmatch(path.name):
            continue
        above = [str(PurePosixPath(*relative.parts[:depth])) for depth in range(1, len(relative.parts))]
        if folders and not any(folders.fullmatch(name) for name in (above if recursive else above[-1:])):
            continue
        yield path, relative.as_posix()


def _pattern(text):
    """`*` any characters of a name, `**` of several, `?` one, `^` takes the meaning from the next."""
    pieces = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    tokens = re.findall(r"\^.|\*\*|.", str(text), flags=re.DOTALL)
    return re.compile(
        "".join(
            re.escape(one[1]) if one[0] == "^" and len(one) > 1 else pieces.get(one) or re.escape(one)
            for one in tokens
        )
    )


def _is_in_time(path, settings):
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    start, end = settings.get("modifiedDatetimeStart"), settings.get("modifiedDatetimeEnd")
    return not (start and changed < parse_time(start)) and not (end and changed >= parse_time(end))


def is_true(value):
    """A switch, which may be given as a text."""
    try:
        return to_json(value).strip('"').lower() == "true"
    except ExpressionError:
        return False
