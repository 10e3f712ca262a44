"""The files that a source reads: those of a mapped folder, or answers fetched from a mapped address.

Sources: azure-docs, connector-rest, connector-http.
"""

import re
import uuid
from pathlib import Path, PurePosixPath
from urllib.parse import urljoin, urlsplit

from adf_lab.engine import ActivityFailure
from adf_lab.local.refusal import not_supported, refuse_unknown
from adf_lab.local.storage import files_of, place_of
from adf_lab.local.web import send
from adf_lab.timespans import parse_timespan

REST = ("relativeUrl", "requestMethod", "requestBody", "additionalHeaders")
REST_SOURCE = (
    "type", "httpRequestTimeout", "requestInterval", "requestMethod", "requestBody", "additionalHeaders",
    "paginationRules", "additionalColumns",
)  # fmt: skip
HTTP_SETTINGS = (
    "type",
    "requestMethod",
    "requestBody",
    "additionalHeaders",
    "requestTimeout",
    "maxConcurrentConnections",
)
HTTP_LOCATION = ("type", "relativeUrl", "folderPath", "fileName")
FILE_SOURCE = (
    "type", "storeSettings", "formatSettings", "additionalColumns", "recursive", "maxConcurrentConnections",
)  # fmt: skip
DEFAULT_TIMEOUT = "00:01:40"
MOST_PAGES = 10_000


def source_files(world, name, dataset, given):
    """The dataset as one of files, and its files with their names; `given` is the source of the activity."""
    what = f"The source of '{name}'"
    if dataset["type"] == "RestResource":
        refuse_unknown(what, given, REST_SOURCE)
        refuse_unknown(f"The dataset '{dataset['name']}'", dataset["typeProperties"], REST)
        rules = dict(given.get("paginationRules") or {})
        follows = str(rules.pop("supportRFC5988", "true")).lower() == "true"
        if rules:
            raise not_supported(f"{what} with the pagination rules {', '.join(rules)}")
        asked = dataset["typeProperties"] | {key: given[key] for key in REST if given.get(key)}
        found = _fetched(world, dataset, asked, given.get("httpRequestTimeout"), follows)
        return dataset | {"type": "Json", "typeProperties": {}}, found
    refuse_unknown(what, given, FILE_SOURCE)
    location = dataset["typeProperties"].get("location") or {}
    if location.get("type") != "HttpServerLocation":
        return dataset, files_of(place_of(world.mapping, dataset), given.get("storeSettings"), what)
    settings = given.get("storeSettings") or {}
    refuse_unknown(what, settings, HTTP_SETTINGS)
    refuse_unknown(f"The location of '{dataset['name']}'", location, HTTP_LOCATION)
    parts = [location[key] for key in ("relativeUrl", "folderPath", "fileName") if location.get(key)]
    asked = settings | {"relativeUrl": "/".join(str(part).strip("/") for part in parts)}
    return dataset, _fetched(world, dataset, asked, settings.get("requestTimeout"), False)


def _fetched(world, dataset, asked, timeout, follows):
    """The answers of an address, kept as files while the run lasts; the next page is that of the header Link."""
    base = world.mapping.url(dataset["linkedService"]["name"])
    relative = str(asked.get("relativeUrl") or "").lstrip("/")
    url: str | None = f"{base.rstrip('/')}/{relative}" if relative else base
    folder = world.database.scratch / uuid.uuid4().hex
    folder.mkdir()
    found: list[tuple[Path, str]] = []
    request = {
        "method": asked.get("requestMethod") or "GET",
        "body": asked.get("requestBody") or None,
        "headers": _headers(asked.get("additionalHeaders")),
    }
    while url is not None:
        world.mapping.refuse_host(url)
        seconds = parse_timespan(timeout or DEFAULT_TIMEOUT).total_seconds()
        status, headers, content = send(world.mapping, request, url, seconds, largest=None)
        if not 200 <= status < 300:
            raise ActivityFailure("RestCallFailed", f"{urlsplit(url).hostname} answered {status}.")
        name = PurePosixPath(urlsplit(url).path).name or "data"
        path = folder / f"{len(found):05}"
        path.write_bytes(content)
        found.append((path, name))
        url = _next(url, headers) if follows else None
        if len(found) >= MOST_PAGES:
            raise ActivityFailure("RestCallFailed", f"{base} leads to more than {MOST_PAGES:,} pages.")
    return found


def _headers(given):
    """Headers as an object, or as the lines of a text."""
    if isinstance(given, dict):
        return given
    lines = [line.partition(":") for line in str(given or "").splitlines() if ":" in line]
    return {name.strip(): value.strip() for name, _, value in lines}


def _next(url, headers):
    link = re.search(r'<([^>]*)>\s*;[^,]*rel="?next"?', headers.get("Link", ""))
    return urljoin(url, link[1]) if link else None
