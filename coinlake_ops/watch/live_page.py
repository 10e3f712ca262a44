"""Serves the page of the market now on 127.0.0.1, to whoever has the token, and tells it what has changed."""

import asyncio
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import tornado.httpserver
import tornado.iostream
import tornado.web

from coinlake.errors import CoinlakeError

HOST = "127.0.0.1"
HOST_NAMES = (HOST, "localhost")
# So often a silent stream says that it lives; a browser that has gone is noticed then.
SECONDS_BETWEEN_SIGNS = 15.0


class LivePage:
    """One page and its stream of changes; port 0 takes a free one. Ends with the `with` block.

    `seen` is called with the number of a turn when a browser has drawn it, in the thread of the server.
    """

    def __init__(self, html: str, seen: Callable[[int], None], port: int = 0):
        self.token = secrets.token_urlsafe(24)
        self.html, self.seen = html, seen
        # Each browser waits on a future of its own for the next change.
        self.streams: set[asyncio.Event] = set()
        self.text = "{}"
        self._shown: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        try:
            self._socket = socket.create_server((HOST, port), backlog=128)
        except OSError as failure:
            self._loop.close()
            raise CoinlakeError(
                f"port {port} of {HOST} is not free ({failure.strerror}); end the program that has it, or choose "
                "another with --port"
            ) from None
        self._socket.setblocking(False)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        """Where the page is, with the token that opens it."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}/?token={self.token}"

    def publish(self, **changes: Any) -> None:
        """Show this from now on, plain data by name, in all browsers and in those that come later."""
        self._shown |= changes
        text = json.dumps(self._shown, ensure_ascii=False, allow_nan=False)
        self._loop.call_soon_threadsafe(self._tell, text)

    def _tell(self, text: str) -> None:
        self.text = text
        for changed in self.streams:
            changed.set()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        routes = [(r"/", _Html), (r"/events", _Events), (r"/seen", _Seen)]
        application = tornado.web.Application(
            [(path, handler, {"page": self}) for path, handler in routes], log_function=lambda _: None
        )
        server = tornado.httpserver.HTTPServer(application)
        server.add_socket(self._socket)
        self._loop.run_forever()
        server.stop()
        self._loop.run_until_complete(server.close_all_connections())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def __enter__(self) -> "LivePage":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class _Guarded(tornado.web.RequestHandler):
    """Answers those who show the token, and who ask for this very machine: no name of another leads here."""

    def initialize(self, page: LivePage) -> None:
        self.page = page

    def prepare(self) -> None:
        asked = urlsplit(f"//{self.request.host}").hostname
        given = self.get_query_argument("token", "")
        if asked not in HOST_NAMES or not hmac.compare_digest(given.encode(), self.page.token.encode()):
            self.send_error(403)

    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")

    def write_error(self, status_code: int, **_: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        remedy = "open the address that coinlake watch has printed, with its token"
        self.finish(f"{status_code}: {remedy if status_code == 403 else 'there is nothing here'}\n")


class _Html(_Guarded):
    def get(self) -> None:
        self.write(self.page.html)


class _Events(_Guarded):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        changed = asyncio.Event()
        self.page.streams.add(changed)
        try:
            self.write(f"data: {self.page.text}\n\n")
            await self.flush()
            while True:
                try:
                    await asyncio.wait_for(changed.wait(), SECONDS_BETWEEN_SIGNS)
                    changed.clear()
                    # A browser that is slow gets the newest, and not what it has missed.
                    self.write(f"data: {self.page.text}\n\n")
                except TimeoutError:
                    self.write(": here\n\n")
                await self.flush()
        except tornado.iostream.StreamClosedError:
            pass
        finally:
            self.page.streams.discard(changed)


class _Seen(_Guarded):
    def check_xsrf_cookie(self) -> None:
        """The token is asked for; there are no cookies."""

    def post(self) -> None:
        turn = self.get_query_argument("turn", "")
        if not turn.isdecimal():
            raise tornado.web.HTTPError(400)
        self.page.seen(int(turn))
        self.set_status(204)
