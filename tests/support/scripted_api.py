"""A strict fake of the network: it answers each address with what the test wrote, in order, and nothing else."""

from dataclasses import dataclass, field

import requests
from requests.adapters import BaseAdapter

from coinlake import api
from coinlake.api import adapters


@dataclass
class Reply:
    """One answer; `takes` are the seconds until it is there, on the test's clock."""

    status: int = 200
    body: bytes = b"[]"
    headers: dict[str, str] = field(default_factory=dict)
    takes: float = 0.0


class ScriptedApi(BaseAdapter):
    """Answers each address with its replies in order; one too many, or an unknown address, fails the test.

    A reply may be an exception, which is raised. `sent` holds the requests as they went out.
    """

    def __init__(self, script, clock=None):
        super().__init__()
        self._script = {api.same_question(url): list(replies) for url, replies in script.items()}
        self._clock = clock
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request, **settings):
        self.sent.append(request)
        replies = self._script.get(api.same_question(request.url))
        assert replies, f"not in the script: {request.method} {request.url}"
        reply = replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        if self._clock is not None:
            self._clock.sleep(reply.takes)
        return adapters.response(request, reply.status, reply.headers, reply.body)

    def left_over(self):
        """Addresses that were not asked as often as the script has it."""
        return [question for question, replies in self._script.items() if replies]

    def close(self):
        pass
