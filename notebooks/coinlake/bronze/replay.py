"""Answers from a recording, in the place of the network."""

from collections import defaultdict
from datetime import timedelta

import requests
from requests.adapters import BaseAdapter

from coinlake import api, instants
from coinlake.bronze.landing_zone import Line
from coinlake.bronze.recordings import Recording
from coinlake.clocks import VirtualClock
from coinlake.errors import ApiError


class ReplayAdapter(BaseAdapter):
    """Answers from a recording, and sets the clock to the moment at which the recorded answer was complete.

    Attempts at one address come in recorded order, the last one repeats.
    A question that the run on play has no answer to raises ApiError that names it.
    """

    def __init__(self, recording: Recording, clock: VirtualClock):
        super().__init__()
        self._recording, self._clock = recording, clock
        self._run = ""
        self._answers: dict[tuple, list[Line]] = {}

    def play(self, run: str) -> None:
        """Answer from this run of the recording from now on, from its beginning."""
        self._run = run
        self._answers = defaultdict(list)
        for line in self._recording.lines(run):
            self._answers[api.same_question(line["url"])].append(line)

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        """The recorded answer to the request."""
        recorded = self._answers.get(api.same_question(request.url))
        if not recorded:
            raise ApiError(
                f"The recording {self._recording.path} has no answer to GET {api.without_key(request.url)} "
                f"in run {self._run or '(none is on play)'}. Record it, or ask what was recorded."
            )
        line = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        self._move_clock(line)
        if line["status"] == 0:
            raise requests.ConnectionError(line["error"])
        # Bodies are recorded after decoding, so the header must not ask for it again.
        headers = {name: value for name, value in line["headers"].items() if name != "content-encoding"}
        return api.response(request, line["status"], headers, self._recording.body(line))

    def close(self):
        """Nothing is open."""

    def _move_clock(self, line: Line) -> None:
        elapsed = line["elapsed_ms"] / 1000
        self._clock.set(instants.parse(line["fetched_at"]) - timedelta(seconds=elapsed))
        self._clock.sleep(elapsed)
