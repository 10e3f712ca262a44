"""Things that go wrong on the way: refusals, torn answers, silence.

A fault is a pure function of (seed, request, attempt): the same run meets the same trouble again. A request
is its method, its address without the key and the UTC hour in which it is made, so that not every run is
hit in the same place. Under `typical` the third attempt always gets through; `dirty` is as typical, and some of
the coins that arrive cannot be believed (dirt).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coinlake.simulator import chance, dirt
from coinlake.simulator.coingecko import PRICING, stamp

PROFILES = ("none", "typical", "dirty", "hostile")


@dataclass(frozen=True)
class Profile:
    """share: of requests that are hit; most: attempts in a row; kinds: with their weights; dirty: spoils coins."""

    share: float
    most: int
    kinds: dict[str, int]
    dirty: bool = False


_TYPICAL = {"rate limit": 30, "rate limit with wait": 30, "server error": 20, "truncated": 10, "dropped": 10}
_PROFILES = {
    "none": Profile(0.0, 0, {}),
    "typical": Profile(0.10, 2, _TYPICAL),
    "dirty": Profile(0.10, 2, _TYPICAL, dirty=True),
    "hostile": Profile(
        0.55, 4,
        {
            "rate limit": 14, "rate limit with wait": 14, "rate limit with reset": 8, "server error": 16,
            "gateway error": 8, "refused by proxy": 2, "error with 200": 10, "truncated": 10, "empty": 8,
            "dropped": 8, "month used up": 2,
        },
    ),
}  # fmt: skip


class ConnectionDropped(Exception):
    """The connection ended before an answer came."""


@dataclass(frozen=True)
class Fault:
    """What comes instead of the answer. status None: the answer itself, cut to `share` of its bytes."""

    kind: str
    status: int | None
    headers: dict[str, str]
    body: bytes = b""
    share: float = 1.0


class Faults:
    """The faults of one profile, one of PROFILES."""

    def __init__(self, seed: int, profile: str):
        if profile not in _PROFILES:
            raise ValueError(f"faults: {profile!r} is not one of {', '.join(PROFILES)}")
        self.seed, self.profile = seed, _PROFILES[profile]

    def strike(self, method: str, url: str, at: datetime, attempt: int) -> Fault | None:
        """The fault that this attempt meets, or None; raises ConnectionDropped."""
        if not self.profile.share:
            return None
        hour = _hour(at)
        request = int(chance.stream(self.seed, "fault", method, url, hour))
        hit, length = request % 10_000, 1 + request // 10_000 % self.profile.most
        if hit >= self.profile.share * 10_000 or attempt > length:
            return None
        digits = int(chance.stream(self.seed, "fault", method, url, hour, attempt))
        place = digits % sum(self.profile.kinds.values())
        for kind, weight in self.profile.kinds.items():
            if place < weight:
                return _fault(kind, digits // 1_000, at)
            place -= weight
        return None

    def in_body(self, route: str, url: str, at: datetime, body: Any) -> Any:
        """What is answered in place of a body, as it would be without faults: see dirt."""
        if self.profile.dirty and route == "/coins/markets":
            return dirt.spoil(self.seed, url, _hour(at), body)
        return body


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H")


_RATE_LIMIT = (
    b'{"status":{"error_code":429,"error_message":"You\'ve exceeded the Rate Limit. Please visit '
    + PRICING.encode()
    + b' to subscribe to our API plans for higher rate limits."}}'
)
_JSON = {"content-type": "application/json; charset=utf-8"}
_HTML = {"content-type": "text/html; charset=utf-8"}


def _fault(kind: str, digits: int, at: datetime) -> Fault:
    if kind == "dropped":
        raise ConnectionDropped("the simulated connection was dropped before an answer came")
    if kind == "rate limit":
        return Fault(kind, 429, _JSON, _RATE_LIMIT)
    if kind == "rate limit with wait":
        return Fault(kind, 429, {**_JSON, "retry-after": str((0, 7, 30, 60, 119)[digits % 5])}, _RATE_LIMIT)
    if kind == "rate limit with reset":
        reset = datetime.fromtimestamp((int(at.timestamp()) // 60 + 1) * 60, UTC)
        return Fault(
            kind, 429, {**_JSON, "x-ratelimit-reset": reset.strftime("%Y-%m-%d %H:%M:%S +0000")}, _RATE_LIMIT
        )
    if kind == "server error":
        if digits % 3 == 0:
            return Fault(kind, 500, _JSON, b'{"status":500,"error":"Internal Server Error"}')
        return Fault(kind, 500, _HTML, _page("Uh Oh!", "We're sorry, but something went wrong. (500)"))
    if kind == "gateway error":
        status, name = ((502, "502 Bad Gateway"), (503, "503 Service Temporarily Unavailable"))[digits % 2]
        return Fault(kind, status, _HTML, _page(name, name))
    if kind == "refused by proxy":
        return Fault(kind, 429, {"content-type": "text/plain; charset=UTF-8"}, b"error code: 1015")
    if kind == "error with 200":
        return Fault(kind, 200, _JSON, _RATE_LIMIT)
    if kind == "month used up":
        message = (
            "You've reached 10,000 calls limit. You may visit developer dashboard for details, or subscribe "
            f"to paid subscription for higher rate limit: {PRICING}"
        )
        text = f'{{"status":{{"timestamp":"{stamp(at)}","error_code":10006,"error_message":"{message}"}}}}'
        return Fault(kind, 429, {**_JSON, "retry-after": "3599"}, text.encode())
    if kind == "truncated":
        return Fault(kind, None, {}, share=(digits % 80 + 10) / 100)
    return Fault("empty", 200, _JSON)


def _page(title: str, text: str) -> bytes:
    lines = ["<html>", f"<head><title>{title}</title></head>", "<body>", f"<center><h1>{text}</h1></center>"]
    return "\n".join([*lines, "</body>", "</html>", ""]).encode()
