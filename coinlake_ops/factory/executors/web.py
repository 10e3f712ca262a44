"""WebActivity. Source: azure-docs, control-flow-web-activity."""

import json
import time
from urllib.parse import urlsplit

import requests

from adf_lab import ActivityFailure, parse_timespan, to_json
from coinlake_ops.factory.executors.refusal import not_supported, refuse_unknown

KNOWN = ("method", "url", "headers", "body", "authentication", "httpRequestTimeout")
KEY_VAULT = "https://vault.azure.net"
DEFAULT_TIMEOUT = "00:01:00"
LARGEST_ANSWER = 4 * 2**20


def call(world, activity):
    """Send one request; the output is the answer's object and its headers.

    Key Vault is answered from this machine's secrets, a PUT to the storage account writes into the lake.
    """
    properties = activity.type_properties
    refuse_unknown(f"WebActivity '{activity.name}'", properties, KNOWN)
    authentication = properties.get("authentication") or {}
    if authentication and authentication.get("type") != "MSI":
        raise not_supported(f"WebActivity '{activity.name}': authentication {authentication.get('type')}")
    url, body = properties["url"], _body(properties.get("body"))
    if authentication.get("resource") == KEY_VAULT:
        return {"value": world.secret(_secret_name(url)), "id": url}
    file = world.lake_file(url)
    if file is not None:
        return _put(properties["method"], file, body)
    return _send(world, properties, body, activity.timeout_seconds)


def _body(body):
    """What is sent: a text as it is, anything else as JSON."""
    text = body if isinstance(body, str) or body is None else to_json(body)
    return None if text is None else text.encode()


def _secret_name(url):
    """The name of a secret from https://<vault>/secrets/<name>?api-version=…"""
    path = urlsplit(url).path.strip("/").split("/")
    if len(path) < 2 or path[0] != "secrets":
        raise ActivityFailure("BadRequest", f"{url} is not the address of a secret: …/secrets/<name>.")
    return path[1]


def _put(method, file, body):
    if method != "PUT":
        raise not_supported(f"{method} to a storage account")
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}")
    unfinished.write_bytes(body or b"")
    unfinished.replace(file)
    return {"Response": ""}


def _send(world, properties, body, timeout_seconds):
    patience = parse_timespan(properties.get("httpRequestTimeout", DEFAULT_TIMEOUT)).total_seconds()
    began = time.monotonic()
    with requests.Session() as session:
        # Proxies of this machine's environment lead to the internet.
        session.trust_env = False
        try:
            answer = session.request(
                properties["method"],
                world.http_address(properties["url"]),
                data=body,
                headers=properties.get("headers") or {},
                timeout=min(patience, timeout_seconds),
            )
        except requests.RequestException as problem:
            host = urlsplit(properties["url"]).hostname
            raise ActivityFailure("2108", f"{host} did not answer: {type(problem).__name__}.") from None
    if not answer.ok:
        raise ActivityFailure(
            str(answer.status_code), f"{answer.status_code} {answer.reason}: {answer.text[:500]}"
        )
    if len(answer.content) > LARGEST_ANSWER:
        raise ActivityFailure("2108", f"The answer has {len(answer.content):,} bytes: the limit is 4 MB.")
    return _object(answer) | {
        "ADFWebActivityResponseHeaders": {name.title(): value for name, value in answer.headers.items()},
        "executionDuration": round(time.monotonic() - began),
    }


def _object(answer):
    """The answer as an object; a text that is not JSON stands under `Response`, an array is refused."""
    try:
        value = json.loads(answer.content or b'""')
    except ValueError:
        value = answer.text
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"Response": value}
    raise ActivityFailure("2001", "The answer is not a JSON object: a Web activity takes nothing else.")
