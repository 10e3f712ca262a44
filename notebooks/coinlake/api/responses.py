"""What an answer means: data or error, worth asking again or not, and what a person can do about it.

One function, `classify`, decides for the client, for recordings and for replays alike. Neither status nor content
type is believed: an error object that comes with HTTP 200 is an error, and a body that is not one whole JSON
document of the endpoint's shape never becomes data.
"""

import html
import json
import re
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from coinlake.api.endpoints import Endpoint

QUOTA_EXHAUSTED = 10006

REMEDIES = {
    0: "Check the network (a proxy is taken from HTTPS_PROXY) and run again, or use source=simulated.",
    10002: "The API key is missing or wrong: check COINLAKE_COINGECKO_API_KEY (or the secret "
    "coingecko-api-key), and that the parameter plan is the key's plan.",
    10005: "This question is for paying plans: use plan=pro with a pro key.",
    10010: "The key belongs to another plan: a pro key needs plan=pro, a demo key plan=demo.",
    10011: "The key belongs to another plan: a pro key needs plan=pro, a demo key plan=demo.",
    10012: "History beyond 365 days is for paying plans: set history_days to at most 365, or use plan=pro.",
    1015: "The address is blocked for a while for asking too fast: wait some minutes, or use a demo key.",
    1020: "The network address is blocked: run from another network, or use a demo key.",
    401: "The API does not accept this request: check the key, and that the parameter plan is the key's plan.",
    403: "The request was refused: run from another network, or use a demo key.",
    429: "Too many requests from this network address: wait some minutes, lower requests_per_minute, "
    "or use a free demo key.",
}
_ELSE = "Run again later; the body that came stands in landing_errors."

# What the client itself says when it ends a run.
OUT_OF_CREDITS = "0 out of credits: this month's budget is used up"

# The service may have answered what never arrived here, and counted it.
CUT_OFF = "0 cut off while the answer was awaited"
COUNTED_WITHOUT_ANSWER = (CUT_OFF, "0 answer timed out", "0 connection lost")
_STAY_AWAY = "(asks to wait "

_RETRIED = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_LONGEST_TEXT = 160
# How CoinGecko says with HTTP 429 that the month, not the minute, is used up; its code is not documented.
_MONTHLY = re.compile(r"reached [\d,]+ calls limit|\bmonthly\b", re.IGNORECASE)


@dataclass(frozen=True)
class Classification:
    """What an attempt came to.

    `error` is None for data; else a short text that begins with the code.
    `retry`: asking again may help. `stop`: asking anything more in this run will not.
    """

    error: str | None = None
    code: int = 0
    retry: bool = False
    stop: bool = False

    @property
    def outcome(self) -> str:
        """landed or error, as in the meta line."""
        return "landed" if self.error is None else "error"


def classify(endpoint: Endpoint, status: int, body: bytes) -> Classification:
    """What this status and body of this endpoint mean."""
    document, flaw = _document(body)
    code, message = _reported_error(document) if flaw is None else (0, "")
    if not 200 <= status < 300:
        return _failure(status, code, message or _as_text(body) or _phrase(status))
    if flaw is not None:
        return _broken(status, body, flaw)
    if code or message:
        return _failure(status, code, message)
    flaw = _wrong_shape(endpoint, document)
    return Classification() if flaw is None else Classification(error=f"{status} {flaw}", code=status)


def no_answer(reason: str) -> Classification:
    """The classification of a request that no answer came to."""
    return Classification(error=f"0 {reason}", retry=True)


def is_json(body: bytes) -> bool:
    """Whether a body is one whole JSON document in UTF-8."""
    return _document(body)[1] is None


def out_of_credits() -> Classification:
    """The classification of a request that was not sent because the month's own budget is used up."""
    return Classification(error=OUT_OF_CREDITS, stop=True)


def costs_credit(status: int, error: str | None) -> bool:
    """Whether CoinGecko counts an attempt: every 2xx answer, and what it may have answered without us hearing it.

    Source: CoinGecko API documentation, "Authentication", usage credits: each successful request (HTTP 200)
    deducts one credit.
    """
    return 200 <= status < 300 or error in COUNTED_WITHOUT_ANSWER


def ends_month(error: str | None) -> bool:
    """Whether an error text says that the month's calls are used up, by CoinGecko's count or by our own."""
    return error is not None and (error == OUT_OF_CREDITS or error.startswith(f"{QUOTA_EXHAUSTED} "))


def cut_off() -> Classification:
    """The classification of a request of which nothing more was heard, because the asking ended."""
    return Classification(error=CUT_OFF, retry=True)


def stay_away(classification: Classification, seconds: float) -> Classification:
    """The same failure, of a server that asks to be left alone for longer than a run waits."""
    return replace(
        classification, error=f"{classification.error} {_STAY_AWAY}{seconds:,.0f} s)", retry=False, stop=True
    )


def ends_run(error: str) -> bool:
    """Whether an error text is one after which asking more in the same run is no use."""
    return ends_month(error) or _STAY_AWAY in error


def remedy(error: str) -> str:
    """What a person can do about an error text, which begins with its code."""
    code = error.split(" ", 1)[0]
    return REMEDIES.get(int(code), _ELSE) if code.isdigit() else _ELSE


def _document(body: bytes) -> tuple[Any, str | None]:
    if not body.strip():
        return None, "empty body"
    try:
        return json.loads(body.decode("utf-8-sig")), None
    except UnicodeDecodeError:
        return None, "body is not UTF-8"
    except (ValueError, RecursionError):
        return None, "body is not one whole JSON document"


def _reported_error(document: Any) -> tuple[int, str]:
    """Code and message of an error object in any of the APIs' shapes; (0, "") when it is not one.

    The shapes, in this order: `status.error_code`, `error.status.error_code`, `error_code` at the top with
    `status.error_message`, `error` as text (CoinGecko); `error: true` with `reason` (Open-Meteo); a lone
    `message` (Frankfurter); `metadata.error` (alternative.me).
    """
    if not isinstance(document, dict):
        return 0, ""
    error = document.get("error")
    nested = error.get("status") if isinstance(error, dict) else None
    for status in (document.get("status"), nested):
        if isinstance(status, dict) and ("error_code" in status or "error_message" in status):
            code = status.get("error_code", document.get("error_code"))
            return _number(code), str(status.get("error_message") or "error")
    if "error_code" in document:
        return _number(document["error_code"]), str(document.get("error_message") or "error")
    if error:
        message = error if isinstance(error, str) else document.get("reason") or json.dumps(error)
        return _number(document.get("status")), str(message)
    if set(document) == {"message"}:
        return 0, str(document["message"])
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and metadata.get("error"):
        return 0, str(metadata["error"])
    return 0, ""


def _failure(status: int, code: int, message: str) -> Classification:
    code = code or _cloudflare_code(message) or status
    if status == HTTPStatus.TOO_MANY_REQUESTS and _MONTHLY.search(message):
        code = QUOTA_EXHAUSTED
    means = code if 400 <= code < 600 else status
    stop = code == QUOTA_EXHAUSTED
    # The status says whether asking again may help; an error sent as 2xx says so by its own code.
    telling = means if 200 <= status < 300 else status
    retry = not stop and (telling in _RETRIED or telling >= 500)
    text = _short(message)
    # Error pages often begin with the code themselves.
    error = text if text.startswith(f"{code} ") else f"{code} {text}"
    return Classification(error=error, code=code, retry=retry, stop=stop)


def _broken(status: int, body: bytes, flaw: str) -> Classification:
    """A 2xx that is not JSON: mostly cut off on its way, so asking again may help."""
    code = _cloudflare_code(_as_text(body)) or status
    shown = _short(_as_text(body)) if body.lstrip()[:1] == b"<" else ""
    return Classification(error=f"{code} {flaw}{': ' + shown if shown else ''}", code=code, retry=True)


def _wrong_shape(endpoint: Endpoint, document: Any) -> str | None:
    names: dict[type, str] = {list: "an array", dict: "an object"}
    if not isinstance(document, endpoint.shape):
        came = names.get(type(document), "a single value")
        return f"{came} came where {endpoint.name} has {names[endpoint.shape]}"
    if endpoint.holds is not None:
        key, kind = endpoint.holds
        if not isinstance(document, dict) or not isinstance(document.get(key), kind):
            return f"the object has no {key!r}, which {endpoint.name} has"
    return None


def _cloudflare_code(text: str) -> int:
    """1015 (too fast) or 1020 (blocked) of Cloudflare's pages, else 0."""
    match = re.search(r"error(?: code)?:? *(1015|1020)\b", text, re.IGNORECASE)
    if match:
        return int(match[1])
    if "used Cloudflare to restrict access" in text:
        return 1020
    return 1015 if text.startswith("Throttled") else 0


def _as_text(body: bytes) -> str:
    """What a person would read in a body that is not JSON: the text without tags."""
    text = body[:20_000].decode("utf-8", errors="replace")
    text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>", " ", text)
    return " ".join(html.unescape(text).split())


def _short(message: str) -> str:
    text = " ".join("".join(character if character.isprintable() else " " for character in message).split())
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no message"


def _number(code: Any) -> int:
    if isinstance(code, int):
        return int(code)
    return int(code) if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10 else 0
