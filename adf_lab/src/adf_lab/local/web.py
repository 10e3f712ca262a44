"""WebActivity: to hosts that the mapping lists, after redirects too. azure-docs, control-flow-web-activity."""

import json
import time
import urllib.error
import urllib.request
from urllib.parse import urljoin, urlsplit

from adf_lab.engine import ActivityFailure
from adf_lab.expressions import to_json
from adf_lab.local.refusal import not_supported, refuse_unknown
from adf_lab.timespans import parse_timespan

KNOWN = ("method", "url", "headers", "body", "authentication", "httpRequestTimeout", "connectVia", "turnOffAsync",
         "disableCertValidation", "datasets", "linkedServices")  # fmt: skip
DEFAULT_TIMEOUT = "00:01:00"
LARGEST_ANSWER = 4 * 2**20
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def call_web(world, call):
    """Send one request; the output is the answer's object and its headers."""
    properties = call.type_properties
    refuse_unknown(f"WebActivity '{call.name}'", properties, KNOWN)
    for name in ("datasets", "linkedServices", "disableCertValidation"):
        if properties.get(name):
            raise not_supported(f"WebActivity '{call.name}' with {name}")
    authentication = (properties.get("authentication") or {}).get("type")
    if authentication:
        raise not_supported(f"WebActivity '{call.name}' with the authentication {authentication}")
    url = str(properties["url"])
    world.mapping.refuse_host(url)
    limit = parse_timespan(properties.get("httpRequestTimeout") or DEFAULT_TIMEOUT).total_seconds()
    began = time.monotonic()
    status, headers, content = send(world.mapping, properties, url, min(limit, call.timeout_seconds))
    if not 200 <= status < 300:
        raise ActivityFailure(str(status), f"{urlsplit(url).hostname} answered {status}: {_text(content)[:500]}")
    return _object(content) | {
        "ADFWebActivityResponseHeaders": headers,
        "effectiveIntegrationRuntime": "adf-lab (this machine)",
        "executionDuration": round(time.monotonic() - began),
    }


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to listed hosts only."""

    def __init__(self, mapping):
        self.mapping = mapping

    def redirect_request(self, request, file, code, message, headers, new_url):
        target = urljoin(request.full_url, new_url)
        self.mapping.refuse_host(target)
        following = super().redirect_request(request, file, code, message, headers, target)
        if following and urlsplit(target).netloc != urlsplit(request.full_url).netloc:
            # What one host is told is not told to another.
            following.headers.clear()
        return following


def send(mapping, properties, url, timeout, largest=LARGEST_ANSWER):
    """Send a request (method, body, headers); status, headers and content of the answer.

    ActivityFailure if nobody answers, a redirect leads to a host that is not listed, or the answer is too large.
    """
    body = properties.get("body")
    data = None if body is None else (body if isinstance(body, str) else to_json(body)).encode()
    headers = {str(name): str(value) for name, value in (properties.get("headers") or {}).items()}
    if data is not None:
        headers = {"Content-Type": "application/json"} | headers
    request = urllib.request.Request(url, data, headers, method=properties["method"])
    proxies = [urllib.request.ProxyHandler({})] if urlsplit(url).hostname in LOOPBACK else []
    opener = urllib.request.build_opener(_Redirects(mapping), *proxies)
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, _headers(answer), _limited(answer, largest)
    except urllib.error.HTTPError as error:
        return error.code, _headers(error), _limited(error, largest)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ActivityFailure(
            "2108", f"{urlsplit(url).hostname} did not answer: {type(error).__name__}."
        ) from None


def _headers(answer):
    return {name.title(): value for name, value in answer.headers.items()}


def _limited(answer, largest):
    content = answer.read() if largest is None else answer.read(largest + 1)
    if largest is not None and len(content) > largest:
        raise ActivityFailure("2108", "The answer has more than 4 MB, which is the limit.")
    return content


def _text(content):
    return content.decode("utf-8", errors="replace")


def _object(content):
    """The answer as an object; a text that is no JSON stands under `Response`, an array is refused."""
    try:
        value = json.loads(content or b'""')
    except ValueError:
        value = _text(content)
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        raise ActivityFailure("2001", "The answer is not a JSON object: a Web activity takes nothing else.")
    return {"Response": value if isinstance(value, str) else to_json(value)}
