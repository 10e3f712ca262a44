"""Who answers: the network, a tape, or the simulated market, each mounted under the same client."""

import io
from collections.abc import Mapping

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from coinlake.clocks import VirtualClock


def session(adapter: BaseAdapter | None = None) -> requests.Session:
    """A session in which `adapter` answers everything, whatever the host; without one, the network does."""
    made = requests.Session()
    if adapter is not None:
        made.mount("https://", adapter)
        made.mount("http://", adapter)
    return made


def response(
    request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes
) -> requests.Response:
    """What `requests` would have made of this answer."""
    raw = urllib3.HTTPResponse(io.BytesIO(body), headers, status, preload_content=False)
    return HTTPAdapter().build_response(request, raw)


class TakingTime(BaseAdapter):
    """Lets a virtual clock pass while an answer that says how long it took is awaited."""

    def __init__(self, adapter: BaseAdapter, clock: VirtualClock):
        super().__init__()
        self._adapter, self._clock = adapter, clock

    def send(self, request, *positional, **settings):
        """The adapter's answer, at the moment at which it is there."""
        answer = self._adapter.send(request, *positional, **settings)
        self._clock.sleep(answer.elapsed.total_seconds())
        return answer

    def close(self):
        """Close the adapter."""
        self._adapter.close()
