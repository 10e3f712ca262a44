"""Everything that HTTP clients can reach in a test: fakes by host name, and nothing else.

The official clients of Azure and Databricks all send through requests; their own code runs, with the addresses
of production, up to the point where a socket would open.
"""

import copy
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import requests
import requests.adapters


class Killed(BaseException):
    """The client's process ends, as if by kill: no handler of errors may catch it."""


@dataclass
class Request:
    """One request as a fake gets it."""

    method: str
    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body) if self.body else {}

    @property
    def changes(self) -> bool:
        """Whether it is a request to change something."""
        if self.method in ("GET", "HEAD"):
            return False
        if self.path.endswith(("/validate", "/whatIf", "/checkNameAvailability")):
            return False
        return not (self.path == "/api/2.0/sql/statements" and self.json["statement"].startswith("SELECT"))

    def __str__(self):
        return f"{self.method} {self.host}{self.path}"


@dataclass
class Answer:
    """What a fake answers: a status, a JSON document or bytes, and headers."""

    status: int = 200
    document: object = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None

    @property
    def body(self) -> bytes:
        if self.content is not None:
            return self.content
        return b"" if self.document is None else json.dumps(self.document).encode()


class Internet:
    """Fakes by host; `calls` are the requests so far.

    `before` is called with each request before a fake sees it: it may raise, or return an Answer of its own.
    """

    def __init__(self, **fakes):
        self.fakes = fakes
        self.calls: list[Request] = []
        self.before: Callable[[Request], Answer | None] = lambda request: None

    def install(self, monkeypatch):
        """From now on requests sends to the fakes."""
        monkeypatch.setattr(
            requests.adapters.HTTPAdapter, "send", lambda adapter, prepared, **_: self._send(prepared)
        )
        # No proxy stands between a test and its fakes; to look for one takes half the time of a call.
        monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: {})

    @property
    def changing(self) -> list[Request]:
        return [call for call in self.calls if call.changes]

    def state(self):
        """A copy of everything that the fakes hold."""
        return {name: copy.deepcopy(fake.state) for name, fake in self.fakes.items()}

    def restore(self, state):
        for name, held in state.items():
            self.fakes[name].state = copy.deepcopy(held)

    def _send(self, prepared):
        url = urlsplit(prepared.url)
        body = prepared.body
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        request = Request(
            prepared.method, url.netloc, url.path, dict(parse_qsl(url.query)), dict(prepared.headers), body or b""
        )
        assert url.scheme == "https", f"{prepared.url} would travel in clear text"
        self.calls.append(request)
        answer = self.before(request) or self._fake(request.host)(request)
        return _response(prepared, answer)

    def _fake(self, host):
        for fake in self.fakes.values():
            if fake.answers(host):
                return fake.handle
        raise AssertionError(f"a test must not reach {host}")


def _response(prepared, answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update({"Content-Type": "application/json"} | answer.headers)
    response.raw = _Raw(answer.body)
    response.url = prepared.url
    response.request = prepared
    response.reason = "OK" if answer.status < 400 else "refused"
    response.encoding = "utf-8"
    return response


class _Raw(io.BytesIO):
    """What requests reads a body from."""

    def stream(self, size, decode_content=False):
        while chunk := self.read(size):
            yield chunk

    def read(self, size=-1, **_):
        return super().read(size)

    def release_conn(self):
        pass
