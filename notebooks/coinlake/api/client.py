"""The API client: asks one request until it is answered or asking makes no sense, within pace and budget.

It stores nothing and decides nothing about a run: it returns every attempt, with the bytes that came.
Who answers (a simulator, a tape, the network) and what time it is are given to it.
"""

import email.utils
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests
import urllib3

from coinlake import __version__
from coinlake.api import endpoints, responses
from coinlake.api.endpoints import Endpoint, Request
from coinlake.api.responses import Classification
from coinlake.clocks import Clock
from coinlake.runtime import Secret

# CoinGecko refuses requests without a descriptive User-Agent (HTTP 403).
USER_AGENT = f"coinlake/{__version__} (learning lakehouse; python-requests/{requests.__version__})"

LARGEST_BODY = 64 * 2**20
# Small, because of a connection that breaks only whole chunks are kept.
CHUNK = 4096
SHORTEST_KEY = 8

# What a meta line keeps of the response headers: nothing in it can be secret.
KEPT_HEADERS = (
    "age",
    "cache-control",
    "cf-cache-status",
    "content-encoding",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "location",
    "retry-after",
    "x-data-source",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
)


@dataclass(frozen=True)
class Attempt:
    """One attempt at a request and what came of it.

    `status` is 0 when no answer came; `body` are the bytes after content-decoding, None when there are none to
    keep; `fetched_at` is the UTC instant at which the answer was complete.
    """

    request: Request
    number: int
    status: int
    headers: dict[str, str]
    body: bytes | None = field(repr=False)
    fetched_at: datetime
    elapsed_ms: int
    classification: Classification


class _KeyHeader(requests.auth.AuthBase):
    """Puts the key into its header at the last moment, so that no session or request object shows it."""

    def __init__(self, header: str, key: Secret):
        self._header, self._key = header, key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self._header] = self._key.reveal()
        return request


class Client:
    """Asks requests one after another through `session`, in the time of `clock`.

    `requests_per_minute` spaces all attempts evenly, the first one from `last_call` too: the UTC instant at which
    a client before this one asked. `credits` is how many attempts that cost one may still be made; None is no
    limit. Waits between attempts double from `first_wait` to `longest_wait` seconds, with a jitter seeded by
    `seed`. A server that names its own wait is obeyed; one that names more than `longest_ordered_wait` seconds
    ends the run.
    """

    def __init__(
        self,
        session: requests.Session,
        clock: Clock,
        *,
        requests_per_minute: float,
        last_call: datetime | None = None,
        credits: int | None = None,
        key_header: str | None = None,
        key: Secret | None = None,
        seed: int = 0,
        attempts: int = 5,
        first_wait: float = 1.0,
        longest_wait: float = 60.0,
        longest_ordered_wait: float = 120.0,
        largest_body: int = LARGEST_BODY,
    ):
        self._session, self._clock = session, clock
        self._spacing = 60.0 / requests_per_minute
        self._next_turn: float | None = None
        if last_call is not None:
            # A clock that was set back must not stop anybody for longer than a turn.
            gone = max(0.0, (clock.now() - last_call).total_seconds())
            self._next_turn = clock.monotonic() + self._spacing - gone
        self.credits = credits
        self._auth = _KeyHeader(key_header, key) if key_header and key else None
        self._key = key
        self._random = random.Random(seed)
        self._attempts = attempts
        self._first_wait, self._longest_wait = first_wait, longest_wait
        self._longest_ordered_wait = longest_ordered_wait
        self._largest_body = largest_body

    def fetch(self, request: Request) -> list[Attempt]:
        """Ask until data comes, asking again is no use, or the attempts are used up. The last one counts."""
        return list(self.attempts(request))

    def attempts(
        self, request: Request, *, before: Callable[[Attempt], None] | None = None, keep: int = 0
    ) -> Iterator[Attempt]:
        """The attempts of `fetch`, each as soon as it is made.

        `before` is given each attempt just before it is sent, as what it is should nothing more be heard of it.
        `keep` credits are left: where no more are there, nothing is sent.
        """
        limit = request.attempts or self._attempts
        for number in range(1, limit + 1):
            attempt = self._attempt(request, number, before, keep)
            retry = attempt.classification.retry and number < limit
            wait = self._wait_after(attempt) if retry else 0.0
            if wait > self._longest_ordered_wait:
                retry = False
                attempt = replace(attempt, classification=responses.stay_away(attempt.classification, wait))
            yield attempt
            if not retry:
                return
            self._clock.sleep(wait)

    def _attempt(
        self, request: Request, number: int, before: Callable[[Attempt], None] | None, keep: int
    ) -> Attempt:
        if self.credits is not None and self.credits <= keep:
            return Attempt(request, number, 0, {}, None, self._clock.now(), 0, responses.out_of_credits())
        self._await_turn()
        if before is not None:
            before(Attempt(request, number, 0, {}, None, self._clock.now(), 0, responses.cut_off()))
        started = self._clock.monotonic()
        status, headers, body, flaw = self._ask(request.url)
        elapsed_ms = round((self._clock.monotonic() - started) * 1000)
        classification = self._judge(request.endpoint, status, headers, body, flaw)
        if self.credits is not None and responses.costs_credit(status, classification.error):
            self.credits -= 1
        body, classification, headers = self._without_key(body, classification, headers)
        return Attempt(request, number, status, headers, body, self._clock.now(), elapsed_ms, classification)

    def _await_turn(self) -> None:
        """Keep the pace: turns are `60 / requests_per_minute` seconds apart."""
        now = self._clock.monotonic()
        if self._next_turn is not None and now < self._next_turn:
            self._clock.sleep(self._next_turn - now)
            now = self._next_turn
        self._next_turn = now + self._spacing

    def _ask(self, url: str) -> tuple[int, dict[str, str], bytes | None, str | None]:
        """Status, kept headers, body and what broke on the way; the status is 0 when no answer came."""
        try:
            response = self._send(url)
        except requests.RequestException as problem:
            # Its message and traceback may hold what was sent; its kind says enough.
            return 0, {}, None, _kind(problem)
        headers = keep_headers(response.headers)
        try:
            body, flaw = self._read(response)
        finally:
            response.close()
        return response.status_code, headers, body, flaw

    def _send(self, url: str) -> requests.Response:
        """Send and follow redirects on the same host only: the key must not reach another one."""
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        request = self._session.prepare_request(requests.Request("GET", url, headers=headers, auth=self._auth))
        settings = self._session.merge_environment_settings(url, {}, True, None, None)
        for _ in range(4):
            response = self._session.send(request, timeout=(10, 60), allow_redirects=False, **settings)
            if response.next is None or not _same_host(request.url or "", response.next.url or ""):
                break
            response.close()
            request = response.next
        return response

    def _read(self, response: requests.Response) -> tuple[bytes | None, str | None]:
        """The body, and what broke while it was read; no body when it is larger than the limit."""
        body = bytearray()
        try:
            for chunk in response.iter_content(CHUNK):
                body += chunk
                if len(body) > self._largest_body:
                    return None, f"body larger than {self._largest_body:,} bytes"
        except requests.RequestException as problem:
            return bytes(body), f"{_kind(problem)} after {len(body):,} bytes"
        return bytes(body), None

    def _judge(
        self, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes | None, flaw: str | None
    ) -> Classification:
        if status == 0:
            return responses.no_answer(flaw or "no answer")
        if flaw is not None and 200 <= status < 300:
            return Classification(error=f"{status} {flaw}", code=status, retry=body is not None)
        if 300 <= status < 400 and "location" in headers:
            return Classification(error=f"{status} redirected to {headers['location']}, not followed", code=status)
        return responses.classify(endpoint, status, body or b"")

    def _wait_after(self, attempt: Attempt) -> float:
        """Seconds until the next attempt: what the server asks for, else exponential with full jitter."""
        ordered = ordered_wait(attempt.headers, self._clock.now())
        if ordered is not None:
            return ordered
        ceiling = min(self._longest_wait, self._first_wait * 2 ** (attempt.number - 1))
        return ceiling * self._random.uniform(0.5, 1.0)

    def _without_key(
        self, body: bytes | None, classification: Classification, headers: dict[str, str]
    ) -> tuple[bytes | None, Classification, dict[str, str]]:
        """A server may repeat the key in its answer; what is kept must not."""
        key = self._key.reveal() if self._auth and self._key else ""
        if len(key) < SHORTEST_KEY:
            return body, classification, headers
        headers = {name: value.replace(key, "***") for name, value in headers.items()}
        if classification.error is not None:
            classification = replace(classification, error=classification.error.replace(key, "***"))
        if body is not None and key.encode() in body:
            body = body.replace(key.encode(), b"***")
            if classification.error is None:
                classification = Classification(
                    error="200 the answer repeats the API key; kept without it", code=200
                )
        return body, classification, headers


def keep_headers(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """The response headers that a meta line keeps: lower-case names of the allow-list, short values."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    given = {name.strip().lower(): value.strip()[:300] for name, value in pairs}
    if "location" in given:
        given["location"] = endpoints.without_key(given["location"])
    return {name: given[name] for name in KEPT_HEADERS if name in given}


def ordered_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that the server asks to wait: Retry-After (seconds or a date), else x-ratelimit-reset.

    None when it asks for nothing that can be understood. x-ratelimit-reset is `2026-03-09 03:28:00 +0000`.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), 10**8))
    until = _http_date(text)
    if until is None:
        try:
            until = datetime.strptime(headers.get("x-ratelimit-reset", "").strip(), "%Y-%m-%d %H:%M:%S %z")
        except ValueError:
            return None
    return max(0.0, (until - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date


def _same_host(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _kind(problem: requests.RequestException) -> str:
    """What went wrong on the line, in words: the library's message holds addresses of objects."""
    if isinstance(problem.args[0] if problem.args else None, urllib3.exceptions.ProtocolError):
        # The connection stood, so the request may have arrived.
        return "connection lost"
    kinds = {
        requests.exceptions.SSLError: "secure connection failed",
        requests.exceptions.ProxyError: "proxy did not connect",
        requests.exceptions.ConnectTimeout: "connection timed out",
        requests.exceptions.Timeout: "answer timed out",
        requests.exceptions.ContentDecodingError: "body could not be decompressed",
        requests.exceptions.ChunkedEncodingError: "connection lost",
        requests.exceptions.ConnectionError: "connection failed",
    }
    return next((words for kind, words in kinds.items() if isinstance(problem, kind)), type(problem).__name__)
