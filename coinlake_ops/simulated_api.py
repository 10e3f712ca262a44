"""Serves the simulated market over HTTP, on 127.0.0.1 only: what `coinlake api` does.

For curl, a browser, or anything that cannot be given a requests adapter. CoinGecko answers under /api/v3 as
api.coingecko.com (as pro-api.coingecko.com when x-cg-pro-api-key is sent), the context APIs under paths of
their own. It needs no key. The clock stands still, so that the same address gives the same bytes, or runs.
"""

import errno
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from urllib.parse import urlsplit

from coinlake.errors import CoinlakeError
from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, Answer, Attempts, ConnectionDropped, Exchange

HOST = "127.0.0.1"
DEFAULT_PORT = 8420
# First match wins.
HOSTS_BY_PATH = (
    ("/api/v3", "api.coingecko.com"),
    ("/fng", "api.alternative.me"),
    ("/v1/forecast", "api.open-meteo.com"),
    ("/v1/archive", "archive-api.open-meteo.com"),
    ("/v1", "api.frankfurter.dev"),
)


class FixedClock:
    """A clock that stands still."""

    def __init__(self, moment: datetime):
        self._moment = moment

    def now(self) -> datetime:
        """The moment it was set to."""
        return self._moment


class RunningClock:
    """A clock that starts at a moment of its own and then keeps real time."""

    def __init__(self, start: datetime, monotonic: Callable[[], float] = time.monotonic):
        self._start, self._monotonic, self._since = start, monotonic, monotonic()

    def now(self) -> datetime:
        """The start and the time since."""
        return self._start + timedelta(seconds=self._monotonic() - self._since)


class ApiServer(ThreadingHTTPServer):
    """The exchange behind a port of this machine; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, exchange: Exchange, clock: FixedClock | RunningClock, port: int = DEFAULT_PORT):
        self.exchange, self.clock = exchange, clock
        self._attempts, self._lock = Attempts(), Lock()
        super().__init__((HOST, port), _Handler)

    @property
    def address(self) -> str:
        """http://127.0.0.1:8420"""
        return f"http://{HOST}:{self.server_address[1]}"

    def answer(self, method: str, path: str, headers: dict[str, str]) -> Answer | None:
        """The answer to a request of this server, or None for a path that no service has."""
        route = urlsplit(path).path
        host = next((host for start, host in HOSTS_BY_PATH if f"{route}/".startswith(f"{start}/")), None)
        if host is None:
            return None
        if host == "api.coingecko.com" and "x-cg-pro-api-key" in headers:
            host = f"pro-{host}"
        url, at = f"https://{host}{path}", self.clock.now()
        with self._lock:
            attempt = self._attempts.count(method, url, at)
            return self.exchange.answer(method, url, headers, at, attempt)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def do_GET(self):
        """Answer one request."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            answer = self.server.answer(self.command, self.path, headers)
        except ConnectionDropped:
            self.close_connection = True
            return
        if answer is None:
            text = f"nothing at {self.path}; this server has:\n{addresses(self.server.address)}\n"
            answer = Answer(404, {"content-type": "text/plain; charset=utf-8"}, text.encode())
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        # A body that was sent with the request is not read.
        self.close_connection = self.close_connection or self.command == "POST"

    do_HEAD = do_POST = do_GET

    def log_message(self, format, *arguments):
        """Say nothing: an address may hold a key."""


def addresses(base: str) -> str:
    """The services of a server, one on each line."""
    return "\n".join(
        [
            f"  CoinGecko     {base}/api/v3/coins/markets",
            f"  Fear & Greed  {base}/fng/",
            f"  Frankfurter   {base}/v1/latest",
            f"  Open-Meteo    {base}/v1/forecast, {base}/v1/archive",
        ]
    )


def _welcome(server: ApiServer, moving: bool) -> str:
    base = server.address
    clock = "a clock that runs from" if moving else "a clock that stands at"
    return "\n".join(
        [
            f"Simulated market on {base}, {clock} {server.clock.now():%Y-%m-%dT%H:%M:%SZ}; Ctrl-C ends it.",
            addresses(base),
            "Try:",
            f"  curl '{base}/api/v3/coins/markets?vs_currency=usd&per_page=3'",
            f"  curl '{base}/api/v3/coins/bitcoin/market_chart?vs_currency=usd&days=7'",
            f"  curl '{base}/v1/latest?symbols=USD,CHF'",
        ]
    )


def serve(
    port: int = DEFAULT_PORT,
    *,
    seed: int = DEFAULT_SEED,
    coins: int = 1000,
    as_of: datetime = DEFAULT_AS_OF,
    moving: bool = False,
    faults: str = "none",
) -> None:
    """Serve until Ctrl-C; port 0 takes a free one. Raises CoinlakeError when the port is taken."""
    clock = (RunningClock if moving else FixedClock)(as_of)
    try:
        server = ApiServer(Exchange(seed, coins, faults), clock, port)
    except OSError as failure:
        if failure.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise CoinlakeError(
            f"port {port} of {HOST} is not free ({failure.strerror}); end the program that has it, "
            "or choose another: coinlake api --port 0"
        ) from None
    with server:
        print(_welcome(server, moving), flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("ended")
