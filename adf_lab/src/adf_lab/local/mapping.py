"""adf.local.yml: what stands on this machine for each linked service, and which hosts may be asked.

linkedServices:
  ls_lake: {folder: data/lake}              # a container is a folder in it
  ls_sql: {duckdb: data/warehouse.duckdb}   # made if it is missing
  ls_api: {url: "http://127.0.0.1:8000/"}   # takes the place of the base address
hosts: [api.example.com]                    # what Web activities may ask besides
"""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from adf_lab.engine import ActivityFailure
from adf_lab.errors import AdfLabError
from adf_lab.local.refusal import WAY_OUT

FILE = "adf.local.yml"
KINDS = ("folder", "duckdb", "url")


@dataclass(frozen=True)
class Mapping:
    """Folders, DuckDB files and base addresses by name of linked service; hosts in lower case."""

    file: Path
    folders: dict = field(default_factory=dict)
    databases: dict = field(default_factory=dict)
    urls: dict = field(default_factory=dict)
    hosts: frozenset = frozenset()

    def holds(self, name):
        """Whether a linked service is mapped."""
        return name in self.folders or name in self.databases or name in self.urls

    def folder(self, name):
        """The folder of a linked service; ActivityFailure if it has none."""
        return self._mapped(name, self.folders, "folder: FOLDER")

    def database(self, name):
        """The DuckDB file of a linked service; ActivityFailure if it has none."""
        return self._mapped(name, self.databases, "duckdb: FILE")

    def url(self, name):
        """The base address of a linked service; ActivityFailure if it has none."""
        return self._mapped(name, self.urls, "url: ADDRESS")

    def _mapped(self, name, mapped, kind):
        if name not in mapped:
            raise ActivityFailure(
                "NotMapped",
                f"The linked service '{name}' stands for nothing here: write `{name}: {{{kind}}}` below "
                f"linkedServices in {self.file}, or {WAY_OUT}.",
            )
        return mapped[name]

    def refuse_host(self, url):
        """ActivityFailure unless a host is listed, or is that of a mapped address."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.username or not self._is_listed(parts):
            listed = ", ".join(sorted(self.hosts)) or "none"
            raise ActivityFailure(
                "HostNotListed",
                f"{parts.scheme}://{parts.hostname} is not asked: {self.file} lists the hosts {listed}. "
                f"Add it below hosts, or {WAY_OUT}.",
            )

    def _is_listed(self, parts):
        try:
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        return host in self.hosts or f"{host}:{port}" in self.hosts


def file_of(factory):
    """Where the mapping of a factory stands: in its folder, or beside its template."""
    return (factory.parent if factory.is_file() else factory) / FILE


def read_mapping(path):
    """Read a mapping; AdfLabError if it says something that is not understood. Paths are taken from its folder."""
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AdfLabError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict) or not content.keys() <= {"linkedServices", "hosts"}:
        raise AdfLabError(f"{path}: it holds linkedServices and hosts, and nothing else.")
    services, hosts = content.get("linkedServices") or {}, content.get("hosts") or []
    if not isinstance(services, dict) or not isinstance(hosts, list):
        raise AdfLabError(f"{path}: linkedServices is an object, hosts a list.")
    found: dict[str, dict] = {kind: {} for kind in KINDS}
    for name, entry in services.items():
        if not isinstance(entry, dict) or len(entry) != 1 or not isinstance(next(iter(entry.values())), str):
            raise AdfLabError(f"{path}: {name} needs one of {', '.join(f'{kind}: …' for kind in KINDS)}.")
        [(kind, value)] = entry.items()
        if kind not in KINDS:
            raise AdfLabError(f"{path}: {name} has a '{kind}': use one of {', '.join(KINDS)}.")
        found[kind][str(name)] = value if kind == "url" else (path.parent / value).resolve()
    mapped = [urlsplit(url) for url in found["url"].values()]
    if any(url.scheme not in ("http", "https") or not url.hostname for url in mapped):
        raise AdfLabError(f"{path}: a url is written like http://127.0.0.1:8000/.")
    listed = {str(host).lower() for host in hosts} | {url.netloc.rpartition("@")[2].lower() for url in mapped}
    return Mapping(path, found["folder"], found["duckdb"], found["url"], frozenset(listed))
