"""Tapes: recorded responses that can be played again. A tape is a folder with a landing zone in it.

Every lake is a tape; `add` makes one from loose bodies.
What is data and what is an error is decided by `api.classify`, as when the client asks:
a body that is not whole is an error on a tape too, whatever status it came with.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from coinlake import api, instants, sources
from coinlake.api import Attempt, Request, keep_headers
from coinlake.bronze.landing_zone import META, LandingZone, Line
from coinlake.errors import CoinlakeError, ConfigurationError


class Recording:
    """A recorded landing zone, read run by run."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        if not (self.path / META).is_dir():
            raise ConfigurationError(
                f"There is no tape at {self.path}: it has no folder {META}. Set tape_path to a lake, "
                "or make a tape with: coinlake tape add --help"
            )
        self._landing = LandingZone(self.path)

    def runs(self, group: str, until: datetime | None = None) -> Iterator[tuple[str, list[Line]]]:
        """Runs of the tape with their lines of this group, oldest first, up to and including `until`."""
        for run in self._landing.runs():
            if until is not None and instants.from_stamp(run) > until:
                return
            lines = [line for line in self.lines(run) if sources.endpoint_of(line["endpoint"]).group == group]
            if lines:
                yield run, lines

    def lines(self, run: str) -> list[Line]:
        """All lines of one run of the tape, with full addresses."""
        lines = self._landing.lines(run)
        return [
            line | {"url": api.absolute_url(sources.endpoint_of(line["endpoint"]), line["url"])} for line in lines
        ]

    def body(self, line: Line) -> bytes:
        """The recorded body of a line; empty when none was recorded."""
        return self._landing.read(line) if line["file"] else b""

    def overview(self) -> list[dict[str, object]]:
        """One row per run and endpoint: run, moment, endpoint, responses, errors, bytes."""
        rows = []
        for run in self._landing.runs():
            lines = self.lines(run)
            for endpoint in dict.fromkeys(line["endpoint"] for line in lines):
                its = [line for line in lines if line["endpoint"] == endpoint]
                rows.append(
                    {
                        "run": run,
                        "moment": its[0]["fetched_at"],
                        "endpoint": endpoint,
                        "responses": sum(line["outcome"] == "landed" for line in its),
                        "errors": sum(line["outcome"] == "error" for line in its),
                        "bytes": sum(line["bytes"] or 0 for line in its),
                    }
                )
        return rows


def requests_of(lines: Sequence[Line]) -> list[tuple[Request, list[Line]]]:
    """The requests behind recorded lines, in their order, each with the lines of its attempts."""
    recorded: dict[tuple[str, int, str], list[Line]] = {}
    for line in lines:
        recorded.setdefault((line["endpoint"], line["page"], line["url"]), []).append(line)
    return [
        (Request(sources.endpoint_of(endpoint), page, url, attempts=len(its)), its)
        for (endpoint, page, url), its in recorded.items()
    ]


def add_recording(
    tape: str | os.PathLike[str],
    *,
    endpoint: str,
    url: str,
    fetched_at: str,
    bodies: Sequence[bytes],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> str | None:
    """Put loose bodies on a tape as one run; several bodies are its pages. Returns the run's id.

    Keys in `url` are left out, headers are kept by the allow-list; an address without a host gets the
    endpoint's, and where it has a parameter `page`, that counts up from body to body.
    Returns None when exactly this is on the tape already. Raises CoinlakeError for an unknown endpoint,
    an instant or address that cannot be read, or an impossible status.
    """
    moment = instants.parse(fetched_at)
    asked = sources.endpoint_of(endpoint)
    address = api.without_key(api.absolute_url(asked, url))
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname:
        raise CoinlakeError(f"--url {address!r} is not a web address. Write it like https://host/path?query.")
    if not 100 <= status <= 599:
        raise CoinlakeError(f"--status {status} is not an HTTP status. It lies between 100 and 599.")
    if not bodies:
        raise CoinlakeError("There is no body to put on the tape. Name at least one file.")
    kept = keep_headers(headers or {})
    attempts = [
        Attempt(
            request=Request(asked, page, _page_address(address, page)),
            number=1,
            status=status,
            headers=kept,
            body=body,
            fetched_at=moment,
            elapsed_ms=0,
            classification=api.classify(asked, status, body),
        )
        for page, body in enumerate(bodies, start=1)
    ]
    digests = [hashlib.sha256(body).hexdigest() for body in bodies]
    facts = [endpoint, address, instants.to_text(moment), status, kept, digests]
    run = f"{instants.to_stamp(moment)}-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:8]}"
    landing = LandingZone(tape)
    if landing.has(run):
        return None
    with landing.begin(run, simulated=False) as gathering:
        for attempt in attempts:
            gathering.add(attempt, "replay")
        gathering.commit()
    return run


def _page_address(address: str, page: int) -> str:
    """The address of the page-th body: its parameter `page`, if it has one, moves on."""
    parts = urlsplit(address)
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    first = dict(parameters).get("page", "")
    if page == 1 or not first.isdigit():
        return address
    moved = [(name, str(int(first) + page - 1) if name == "page" else value) for name, value in parameters]
    return urlunsplit(parts._replace(query=urlencode(moved, safe=",:")))
