"""A small client of Azure Resource Manager: read, write, delete, wait.

The management packages hide the same four calls behind one class per service and per version; a deployment and
its reads need no more than these, and errors come through as Azure words them.
Source: Azure REST API reference, "Track asynchronous Azure operations".
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.needed import NotAllowed

HOST = "https://management.azure.com"
SECONDS_BETWEEN_POLLS = 5
POLLS = 720
ATTEMPTS = 4

_FORBIDDEN = re.compile(r"perform action '([^']+)' over scope '([^']+)'")


class ArmClient:
    """Signed-in requests; `sleep` waits between polls, in seconds."""

    def __init__(self, credential: TokenCredential, sleep: Callable[[float], None] = time.sleep):
        self._credential = credential
        self._sleep = sleep
        self._session = requests.Session()

    def get(self, path: str, version: str = "", **query: str) -> dict[str, Any] | None:
        """The document at a path, None when there is none; raises CoinlakeError that names a missing right."""
        response = self._send("GET", self._url(path, version, query))
        return None if response.status_code == 404 else response.json()

    def values(self, path: str, version: str, **query: str) -> list[dict[str, Any]]:
        """All entries of a list, page by page; empty when its owner does not exist."""
        found: list[dict[str, Any]] = []
        url: str | None = self._url(path, version, query)
        while url:
            response = self._send("GET", url)
            page = {} if response.status_code == 404 else response.json()
            found += page.get("value", [])
            url = page.get("nextLink")
        return found

    def put(self, path: str, version: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Write a document, wait until Azure has done it, and return it; raises CoinlakeError when it fails."""
        answer = self._send("PUT", self._url(path, version), document).json()
        for _ in range(POLLS):
            state = answer.get("properties", {}).get("provisioningState", "Succeeded")
            if state == "Succeeded":
                return answer
            if state in ("Failed", "Canceled"):
                raise CoinlakeError(f"{path}: {state}. {_reasons(answer['properties'].get('error', {}))}")
            self._sleep(SECONDS_BETWEEN_POLLS)
            answer = self.get(path, version) or {}
        raise CoinlakeError(f"{path} is not done after an hour. Look at it in the portal, then apply again.")

    def post(self, path: str, version: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Ask something that needs a body, such as a validation; waits when Azure takes its time."""
        return self._finished(self._send("POST", self._url(path, version), document)).json()

    def delete(self, path: str, version: str) -> None:
        """Remove a resource and wait until it is gone; none is fine."""
        self._finished(self._send("DELETE", self._url(path, version)))

    def _finished(self, response: requests.Response) -> requests.Response:
        for _ in range(POLLS):
            if response.status_code != 202:
                return response
            self._sleep(SECONDS_BETWEEN_POLLS)
            response = self._send("GET", response.headers["Location"])
        raise CoinlakeError(
            f"{response.url} is not done after an hour. Look at it in the portal, then apply again."
        )

    def _url(self, path: str, version: str, query: Mapping[str, str] | None = None) -> str:
        asked = {"api-version": version} | dict(query or {}) if version else dict(query or {})
        return requests.Request("GET", HOST + path, params=asked).prepare().url or ""

    def _send(self, method: str, url: str, document: Mapping[str, Any] | None = None) -> requests.Response:
        for attempt in range(1, ATTEMPTS + 1):
            headers = {"Authorization": f"Bearer {self._token()}"}
            response = self._session.request(method, url, json=document, headers=headers, timeout=120)
            if response.status_code != 429 and response.status_code < 500:
                break
            if attempt < ATTEMPTS:
                self._sleep(float(response.headers.get("Retry-After", 2**attempt)))
        if response.ok or response.status_code == 404:
            return response
        raise _refusal(method, url, response)

    def _token(self) -> str:
        try:
            return self._credential.get_token(f"{HOST}/.default").token
        except ClientAuthenticationError as problem:
            reason = str(problem).partition("\n")[0]
        raise CoinlakeError(f"Nobody is signed in to Azure ({reason}). Run: az login")


def _refusal(method: str, url: str, response: requests.Response) -> CoinlakeError:
    place = f"{method} {url.partition('?')[0]}"
    try:
        error = response.json().get("error", {})
    except ValueError:
        return CoinlakeError(f"{place}: Azure answered {response.status_code} without a reason. Apply again.")
    forbidden = _FORBIDDEN.search(error.get("message", ""))
    if forbidden:
        return NotAllowed(
            f"A right is missing: {forbidden[1]} on {forbidden[2]}. Ask an owner of the subscription for it; "
            "coinlake_ops/azure/README.md lists the roles."
        )
    return CoinlakeError(f"{place}: {response.status_code} {_reasons(error)}")


def _reasons(error: Mapping[str, Any]) -> str:
    """Azure's error with the ones inside it, which say what is really wrong."""
    inner = " ".join(_reasons(part) for part in error.get("details") or ())
    return " ".join(part for part in (f"{error.get('code', '')}: {error.get('message', '')}", inner) if part)
