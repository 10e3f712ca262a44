"""The simulated services behind one door: a request goes in, an answer comes out."""

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from coinlake.simulator import chance, notation
from coinlake.simulator.coingecko import CoinGecko, Refused, plan_of
from coinlake.simulator.context import FearAndGreed, Frankfurter, OpenMeteo
from coinlake.simulator.faults import Faults
from coinlake.simulator.market import Market
from coinlake.simulator.rates import Rates

DEFAULT_SEED = 20260801
DEFAULT_AS_OF = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
COINGECKO_HOSTS = ("api.coingecko.com", "pro-api.coingecko.com")
HOSTS = (
    *COINGECKO_HOSTS, "api.alternative.me", "api.frankfurter.dev", "api.open-meteo.com",
    "archive-api.open-meteo.com",
)  # fmt: skip
_KEYS = ("x_cg_demo_api_key", "x_cg_pro_api_key")
# How long the edge keeps an answer, by path; `age` is never more.
_EDGE_SECONDS = {"/coins/list": 1800, "/global": 60, "/exchange_rates": 60, "/coins/categories": 300}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. Header names are lower case; content-length is left to who sends it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Exchange:
    """The market simulator: CoinGecko's API and three context APIs, a pure function of its arguments.

    seed: which market. coins: how many it has, 1 to 20,000. faults: none, typical, dirty or hostile.
    """

    def __init__(self, seed: int = DEFAULT_SEED, coins: int = 1000, faults: str = "none"):
        self.seed = seed
        self.faults = Faults(seed, faults)
        self.market = Market(seed, coins)
        rates = Rates(self.market)
        self._coingecko = CoinGecko(self.market, rates)
        self._mood, self._money = FearAndGreed(self.market), Frankfurter(rates)
        self._weather = OpenMeteo(seed)

    def answer(self, method: str, url: str, headers: Mapping[str, str], at: datetime, attempt: int = 1) -> Answer:
        """What the service at `url` answers at the moment `at` (aware) to this attempt, the first being 1.

        Raises ConnectionDropped when the fault profile lets the connection end, ValueError for a naive `at`
        or a host that is not simulated.
        """
        if at.tzinfo is None:
            raise ValueError(f"at: {at} has no time zone; pass an aware datetime")
        parts = urlsplit(url)
        if parts.hostname not in HOSTS:
            raise ValueError(f"{parts.hostname}: no such service in the simulation; it has {', '.join(HOSTS)}")
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        bare = parts._replace(query=urlencode([pair for pair in pairs if pair[0] not in _KEYS])).geturl()
        fault = self.faults.strike(method, bare, at, attempt)
        if fault is not None and fault.status is not None:
            return self._send(fault.status, fault.body, bare, at, attempt, fault.headers)
        lower = {name.lower(): value for name, value in headers.items()}
        answer = self._real_answer(method, parts.hostname, parts.path, dict(pairs), lower, bare, at, attempt)
        if fault is not None:
            return Answer(answer.status, answer.headers, answer.body[: int(len(answer.body) * fault.share)])
        return answer

    def _real_answer(self, method, host, path, query, headers, bare, at, attempt) -> Answer:
        try:
            if method not in ("GET", "HEAD"):
                raise Refused(405, {"error": "Method Not Allowed"})
            if host in COINGECKO_HOSTS:
                plan = plan_of(host, headers, query, at)
                if not path.startswith("/api/v3/"):
                    raise Refused(404, {"error": "Incorrect path. Please check https://www.coingecko.com/api/"})
                route = path.removeprefix("/api/v3").rstrip("/")
                body, max_age = self._coingecko.answer(route, query, plan, at)
                body = self.faults.in_body(route, bare, at, body)
                edge = _EDGE_SECONDS.get(route, max_age * 2)
                extra = {"cache-control": f"max-age={max_age}, public, must-revalidate, s-maxage={edge}"}
                return self._send(200, notation.body(body), bare, at, attempt, extra, edge)
            if host == "api.alternative.me":
                return self._send(200, self._mood.answer(path, query, at), bare, at, attempt, {})
            if host == "api.frankfurter.dev":
                extra = {"cache-control": "public, max-age=86400"}
                return self._send(200, self._money.answer(path, query, at), bare, at, attempt, extra)
            if (host == "archive-api.open-meteo.com") != (path == "/v1/archive"):
                raise Refused(404, {"error": True, "reason": "Not Found"})
            return self._send(200, self._weather.answer(path, query, at), bare, at, attempt, {})
        except Refused as refused:
            extra = {"cache-control": "no-cache"}
            return self._send(refused.status, notation.body(refused.body), bare, at, attempt, extra)

    def _send(self, status, body, bare, at, attempt, extra, edge=0) -> Answer:
        digits = int(chance.stream(self.seed, "answer", bare, at.isoformat(), attempt))
        headers = {
            "date": format_datetime(at.astimezone(UTC), usegmt=True),
            "content-type": "application/json; charset=utf-8",
            "connection": "keep-alive", "vary": "Accept-Encoding, Origin", "server": "cloudflare",
            "access-control-allow-origin": "*",
            "x-request-id": str(uuid.UUID(int=digits << 64 | digits, version=4)),
            "x-runtime": f"{digits % 90_000 / 1e6 + 0.002:.6f}", "cf-ray": f"{digits:016x}-ZRH",
        }  # fmt: skip
        if status == 200:
            headers["etag"] = f'W/"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        if edge:
            age = digits // 7 % (edge + 1)
            headers["cf-cache-status"] = ("MISS", "EXPIRED", "HIT")[digits % 3]
            headers["x-data-source"] = "2.0" if digits // 11 % 3 else "1.0"
            if headers["cf-cache-status"] == "HIT":
                headers["age"] = str(age)
        return Answer(status, headers | extra, body)

    def elapsed_seconds(self, url: str, at: datetime, attempt: int = 1) -> float:
        """How long that attempt takes, by the simulation's reckoning: 0.12 to 0.52 s."""
        return 0.12 + int(chance.stream(self.seed, "elapsed", url, at.isoformat(), attempt)) % 400 / 1000
