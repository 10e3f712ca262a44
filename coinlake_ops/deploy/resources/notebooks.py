"""The notebooks, the package beside them and the SQL they run, as files of the workspace.

Content is not read back, for a notebook does not come back byte for byte. A small record in the same folder
says which file was sent and when it was last changed; a file that changed since is sent again.
"""

import hashlib
import io
import json
from pathlib import Path

from databricks.sdk.errors import NotFound, ResourceDoesNotExist
from databricks.sdk.service.workspace import ExportFormat, ImportFormat, ObjectInfo, ObjectType

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import permissions
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.resources.part import ItemsPart
from coinlake_ops.desired_state import Item

# Not in /Shared, where every user may change what the pipeline runs.
FOLDER = "/coinlake"
RECORD = ".deployed.json"
SENT = ("notebooks/*.ipynb", "notebooks/coinlake/**/*", "sql/warehouse/**/*.sql", "sql/azure/**/*.sql")
# Databricks takes no larger notebook.
LARGEST_NOTEBOOK = 10 * 1024 * 1024
CHANGED = "changed in the workspace"


class Notebooks(ItemsPart):
    """Every file that runs on a cluster, at the same place below the folder as below the repository."""

    name = "notebooks"
    purpose = f"Databricks: notebooks, package and SQL in {FOLDER}"

    def __init__(self, clients: Clients):
        super().__init__(clients)
        self._root = clients.root

    def desired(self) -> list[Item]:
        """See ItemsPart: folders, files, and at last the record of both."""
        files = {_target(path): path for path in sorted(self._files())}
        folders = {folder.as_posix() for name in files for folder in Path(name).parents}
        hashes = {name: _hash(self._root / path) for name, path in files.items()}
        return [
            Item("folder", "."),
            # Before anything lies in it.
            permissions.item(self._clients, "folder", "."),
            *(Item("folder", folder) for folder in sorted(folders - {"."})),
            *(Item(_kind(files[name]), name, content) for name, content in hashes.items()),
            Item("record", RECORD, hashes),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart: of files, those that a deployment brought here; who was given anything on any of them."""
        workspace = self._clients.workspace()
        if workspace is None:
            return []
        record, objects = self._record(), self._objects()
        kinds = {ObjectType.DIRECTORY: "folder", ObjectType.NOTEBOOK: "notebook"}
        found: list[Item] = []
        hashes = {}
        wanted = {item.name for item in self.desired()}
        for name, entry in objects.items():
            kind = kinds.get(entry.object_type, "file")
            if kind == "folder" and name in wanted:
                found.append(Item(kind, name))
            elif kind != "folder" and name in record:
                is_as_sent = record[name]["modified_at"] == entry.modified_at
                hashes[name] = record[name]["sha256"] if is_as_sent else CHANGED
                found.append(Item(kind, name, hashes[name]))
            else:
                # A file that no deployment brought, and a folder that only such files are in, are people's own.
                continue
            found += permissions.live(self._clients, kind, name, _id(entry))
        # A file that is gone stays in the record until the next time it is written, which does no harm.
        listed = {name: hashes.get(name, "gone") for name in record if name in wanted or name in objects}
        return found + ([Item("record", RECORD, listed)] if record else [])

    def removals(self):
        """See Part: the folder with everything in it, when it is there."""
        changes = super().removals()
        return [change for change in changes if change.kind == "folder" and change.name == "."]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        workspace, path = self._clients.needed_workspace(), _place(item.name)
        if item.kind == "folder":
            workspace.workspace.mkdirs(path)
        elif item.kind.endswith(permissions.SUFFIX):
            permissions.give(workspace, item, _id(workspace.workspace.get_status(path)))
        elif item.kind == "record":
            self._write_record(item.content)
        else:
            content = (self._root / _source(item)).read_bytes()
            if item.kind == "notebook" and len(content) > LARGEST_NOTEBOOK:
                raise CoinlakeError(
                    f"{_source(item)} has more than 10 MB, which Databricks refuses. Strip outputs."
                )
            kind = ImportFormat.JUPYTER if item.kind == "notebook" else ImportFormat.AUTO
            workspace.workspace.upload(path, io.BytesIO(content), format=kind, overwrite=True)

    def remove(self, item: Item) -> None:
        """See ItemsPart."""
        workspace, path = self._clients.needed_workspace(), _place(item.name)
        if item.kind.endswith(permissions.SUFFIX):
            permissions.give(workspace, Item(item.kind, item.name, {}), _id(workspace.workspace.get_status(path)))
        else:
            workspace.workspace.delete(path, recursive=item.name == ".")

    def _files(self) -> list[str]:
        paths = {path for pattern in SENT for path in self._root.glob(pattern)}
        return [
            path.relative_to(self._root).as_posix()
            for path in paths
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
        ]

    def _objects(self) -> dict:
        """What is in the folder, by its path below it, folders before what they hold."""
        api, found, waiting = self._clients.needed_workspace().workspace, {}, [FOLDER]
        try:
            found["."] = api.get_status(FOLDER)
        except (NotFound, ResourceDoesNotExist):
            return {}
        while waiting:
            for entry in api.list(waiting.pop(0)):
                path = needed(entry.path, f"path of an object below {FOLDER}")
                found[path.removeprefix(f"{FOLDER}/")] = entry
                if entry.object_type is ObjectType.DIRECTORY:
                    waiting.append(path)
        return found

    def _record(self) -> dict:
        try:
            content = self._clients.needed_workspace().workspace.download(_place(RECORD), format=ExportFormat.AUTO)
        except (NotFound, ResourceDoesNotExist):
            return {}
        return json.loads(content.read())

    def _write_record(self, hashes: dict[str, str]) -> None:
        """The hashes, with the instants at which the workspace says that the files changed last."""
        before, objects = self._record(), self._objects()
        kept = {name: entry for name, entry in before.items() if name in objects and name not in hashes}
        sent = {
            name: {"sha256": hash_, "modified_at": objects[name].modified_at} for name, hash_ in hashes.items()
        }
        content = json.dumps(kept | sent, indent=1, sort_keys=True).encode()
        api = self._clients.needed_workspace().workspace
        api.upload(_place(RECORD), io.BytesIO(content), format=ImportFormat.AUTO, overwrite=True)


def notebook_path(name: str) -> str:
    """Where a notebook stands in the workspace, by its name without the ending."""
    return f"/Workspace{FOLDER}/notebooks/{name}"


def _id(entry: ObjectInfo) -> str:
    return str(needed(entry.object_id, f"id of {entry.path}"))


def _target(path: str) -> str:
    return path.removesuffix(".ipynb")


def _source(item: Item) -> str:
    return f"{item.name}.ipynb" if item.kind == "notebook" else item.name


def _kind(path: str) -> str:
    return "notebook" if path.endswith(".ipynb") else "file"


def _place(name: str) -> str:
    return FOLDER if name == "." else f"{FOLDER}/{name}"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
