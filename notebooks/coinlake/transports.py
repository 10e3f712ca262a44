"""Who answers: the network, a tape, or the simulated market, each mounted under the same client."""

import io
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from coinlake import endpoints, instants
from coinlake.errors import CoinlakeError
from coinlake.instants import VirtualClock
from coinlake.landing import Line
from coinlake.tape import Tape


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

    def send(self, request, **settings):
        """The adapter's answer, at the moment at which it is there."""
        answer = self._adapter.send(request, **settings)
        self._clock.sleep(answer.elapsed.total_seconds())
        return answer

    def close(self):
        """Close the adapter."""
        self._adapter.close()


class ReplayAdapter(BaseAdapter):
    """Answers from a tape, and sets the clock to the moment at which the recorded answer was complete.

    Attempts at one address come in recorded order, the last one repeats.
    A question that the run on play has no answer to raises CoinlakeError that names it.
    """

    def __init__(self, tape: Tape, clock: VirtualClock):
        super().__init__()
        self._tape, self._clock = tape, clock
        self._run = ""
        self._answers: dict[tuple, list[Line]] = {}

    def play(self, run: str) -> None:
        """Answer from this run of the tape from now on, from its beginning."""
        self._run = run
        self._answers = defaultdict(list)
        for line in self._tape.lines(run):
            self._answers[endpoints.same_question(line["url"])].append(line)

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        """The recorded answer to the request."""
        recorded = self._answers.get(endpoints.same_question(request.url))
        if not recorded:
            raise CoinlakeError(
                f"The tape {self._tape.path} has no answer to GET {endpoints.without_key(request.url)} "
                f"in run {self._run or '(none is on play)'}. Record it, or ask what was recorded."
            )
        line = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        self._move_clock(line)
        if line["status"] == 0:
            raise requests.ConnectionError(line["error"])
        # Bodies are recorded after decoding, so the header must not ask for it again.
        headers = {name: value for name, value in line["headers"].items() if name != "content-encoding"}
        return response(request, line["status"], headers, self._tape.body(line))

    def close(self):
        """Nothing is open."""

    def _move_clock(self, line: Line) -> None:
        elapsed = line["elapsed_ms"] / 1000
        self._clock.set(instants.parse(line["fetched_at"]) - timedelta(seconds=elapsed))
        self._clock.sleep(elapsed)
