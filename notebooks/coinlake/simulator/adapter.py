"""The simulated exchange as a transport of requests: mount it, and a session speaks to the simulation."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Protocol

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict, HTTPResponse

from coinlake.simulator.exchange import HOSTS, Exchange
from coinlake.simulator.faults import ConnectionDropped


class TellsTime(Protocol):
    """A clock."""

    def now(self) -> datetime:
        """The moment it is, with its time zone."""


class Attempts:
    """Counts how often each request was made within the running hour of the clock."""

    def __init__(self):
        self._hour: str | None = None
        self._counts: dict[tuple[str, str], int] = {}

    def count(self, method: str, url: str, at: datetime) -> int:
        """1 for the first attempt of that hour, 2 for the next, and so on."""
        hour = at.astimezone(UTC).strftime("%Y-%m-%dT%H")
        if hour != self._hour:
            self._hour, self._counts = hour, {}
        self._counts[method, url] = self._counts.get((method, url), 0) + 1
        return self._counts[method, url]


class SimulatedResponse(requests.Response):
    """A response whose `elapsed` is the simulation's, not that of the machine it runs on."""

    def __init__(self, elapsed: timedelta):
        self._simulated = elapsed
        super().__init__()

    @property
    def elapsed(self) -> timedelta:
        """The time that the simulated service took."""
        return self._simulated

    @elapsed.setter
    def elapsed(self, measured: timedelta) -> None:
        """requests measures the real time here; it says nothing about the simulated service."""


class SimulatorAdapter(BaseAdapter):
    """A requests transport that asks an Exchange at the moment its clock shows."""

    def __init__(self, exchange: Exchange, clock: TellsTime):
        super().__init__()
        self.exchange, self.clock = exchange, clock
        self._attempts = Attempts()

    @classmethod
    def mount(cls, session: requests.Session, exchange: Exchange, clock: TellsTime) -> "SimulatorAdapter":
        """Let all simulated hosts of a session be answered by the exchange."""
        adapter = cls(exchange, clock)
        for host in HOSTS:
            session.mount(f"https://{host}", adapter)
        return adapter

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        """The answer to a prepared request; raises requests.exceptions.ConnectionError."""
        at = self.clock.now()
        attempt = self._attempts.count(request.method, request.url, at)
        headers = {name: value for name, value in request.headers.items() if value is not None}
        try:
            answer = self.exchange.answer(request.method, request.url, headers, at, attempt)
        except ConnectionDropped as dropped:
            raise requests.exceptions.ConnectionError(str(dropped), request=request) from dropped
        seconds = self.exchange.elapsed_seconds(request.url, at, attempt)
        response = SimulatedResponse(timedelta(seconds=seconds))
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.raw = HTTPResponse(
            body=BytesIO(answer.body), headers=HTTPHeaderDict(answer.headers), status=answer.status,
            preload_content=False, request_method=request.method,
        )  # fmt: skip
        response.url, response.request = request.url, request
        response.connection = self  # type: ignore[assignment]  # requests sets any adapter; its types say HTTPAdapter
        return response

    def close(self):
        """Nothing to close."""
