"""Copy of a REST API's answers into one JSON file. Sources: azure-docs, connector-rest, format-json."""

import json
import os
import re
import time
from itertools import count, islice

import requests

from adf_lab import ActivityFailure, parse_timespan
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown

KNOWN_SOURCE = (
    "type",
    "requestMethod",
    "httpRequestTimeout",
    "requestInterval",
    "additionalHeaders",
    "paginationRules",
)
KNOWN_SINK = ("type", "storeSettings", "formatSettings")
DEFAULT_TIMEOUT, DEFAULT_INTERVAL = "00:01:40", "00.00:00:00.010"
QUERY_PARAMETER = re.compile(r"QueryParameters\.\{(?P<name>\w+)\}")
RANGE = re.compile(r"RANGE:(?P<first>\d+):(?P<last>\d*):(?P<step>\d+)")
INTERVAL = re.compile(r"(?P<days>\d+)\.(?P<rest>.+)")


def copy(world, activity, source, sink):
    """Ask page by page and write all rows; returns counts as Data Factory names them.

    A page that is an array gives its items as rows, any other page is one row. `arrayOfObjects` writes one
    array, `setOfObjects` one row a line: an answer that is an object becomes a file that is that object.
    """
    reading, writing = activity.type_properties["source"], activity.type_properties["sink"]
    if world.parameters.get("source") != "simulated":
        # The run would call the simulated market's answers by another name.
        raise not_supported(f"RestSource: with source={world.parameters.get('source')}, copies")
    refuse_unknown("RestSource", reading, KNOWN_SOURCE)
    refuse_unknown("JsonSink", writing, KNOWN_SINK)
    if reading.get("requestMethod", "GET") != "GET":
        raise not_supported(f"RestSource: the method {reading['requestMethod']}")
    pattern = (writing.get("formatSettings") or {}).get("filePattern", "setOfObjects")
    if pattern not in ("setOfObjects", "arrayOfObjects"):
        raise ActivityFailure("BadRequest", f"filePattern is '{pattern}': it is setOfObjects or arrayOfObjects.")
    base = source["linkedService"]["typeProperties"]["url"].rstrip("/")
    url = f"{base}/{source['typeProperties'].get('relativeUrl', '').lstrip('/')}"
    rows, bytes_read = [], 0
    deadline = time.monotonic() + activity.timeout_seconds
    for body in _answers(world, url, reading, deadline):
        page = json.loads(body)
        bytes_read += len(body)
        rows += page if isinstance(page, list) else [page]
    text = (
        json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        if pattern == "arrayOfObjects"
        else "\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    )
    written = _write(world.location(sink), text.encode())
    return {"dataRead": bytes_read, "dataWritten": written, "filesWritten": 1, "rowsCopied": len(rows)}


def _answers(world, url, reading, deadline):
    """The bodies of all pages, `requestInterval` apart, up to the first that holds nothing."""
    patience = parse_timespan(reading.get("httpRequestTimeout", DEFAULT_TIMEOUT)).total_seconds()
    pause = _interval(reading.get("requestInterval", DEFAULT_INTERVAL))
    with requests.Session() as session:
        # Proxies of this machine's environment lead to the internet.
        session.trust_env = False
        for number, address in enumerate(_addresses(url, reading.get("paginationRules") or {})):
            if number:
                time.sleep(min(pause, max(deadline - time.monotonic(), 0)))
            if time.monotonic() >= deadline:
                raise ActivityFailure("Timeout", f"The copy was not done in time, {number} pages were.")
            body = _ask(world, session, address, reading.get("additionalHeaders") or {}, patience)
            if body is None or (number and body.strip() == b"[]"):
                return
            yield body


def _ask(world, session, address, headers, patience):
    """One body; None for 204. ActivityFailure for any answer that is not JSON or an error."""
    try:
        answer = session.get(world.http_address(address), headers=headers, timeout=patience)
    except requests.RequestException as problem:
        raise ActivityFailure("RestCallFailed", f"{address} did not answer: {type(problem).__name__}.") from None
    if answer.status_code == 204:
        return None
    if not answer.ok:
        raise ActivityFailure(
            "RestCallFailedWithClientError" if answer.status_code < 500 else "RestCallFailedWithServerError",
            f"{address} answered {answer.status_code}: {answer.text[:300]}",
        )
    try:
        json.loads(answer.content)
    except ValueError:
        raise ActivityFailure(
            "RestSourceCallFailed", f"{address} answered with something else than JSON."
        ) from None
    return answer.content


def _addresses(url, rules):
    """The address of each page: a RANGE puts its numbers in the place of a word in braces."""
    rules = dict(rules)
    most = rules.pop("MaxRequestNumber", None)
    if len(rules) > 1:
        raise not_supported(f"paginationRules: {len(rules)} rules at once")
    pages = iter([url])
    for key, value in rules.items():
        name, numbers = QUERY_PARAMETER.fullmatch(key), RANGE.fullmatch(str(value))
        if not name or not numbers:
            raise not_supported(f"paginationRules: {key} with {value}")
        placeholder = f"{{{name['name']}}}"
        if placeholder not in url:
            raise ActivityFailure("BadRequest", f"paginationRules: there is no {placeholder} in {url}.")
        first, step = int(numbers["first"]), int(numbers["step"])
        chosen = range(first, int(numbers["last"]) + 1, step) if numbers["last"] else count(first, step)
        pages = (url.replace(placeholder, str(number)) for number in chosen)
    return islice(pages, int(most)) if most else pages


def _interval(text):
    """Seconds of a requestInterval, whose days may have two digits: 00.00:00:00.010."""
    match = INTERVAL.fullmatch(text)
    return parse_timespan(f"{int(match['days'])}.{match['rest']}" if match else text).total_seconds()


def _write(path, content):
    """Write a file whole and return its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return len(content)
