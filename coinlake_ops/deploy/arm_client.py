"""A small client of Azure Resource Manager: read, write, delete, wait.

The management packages hide the same four calls behind one class per service and per version. What they share,
azure-core and azure-mgmt-core, does the rest here too: signing in, asking a busy service again, and waiting for
what takes long, in every form in which Azure says so.
Source: Azure REST API reference, "Track asynchronous Azure operations".
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline.policies import RequestIdPolicy, RetryPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.core.polling.arm_polling import ARMPolling

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.needed import NotAllowed

HOST = "https://management.azure.com"
SECONDS_BETWEEN_POLLS = 5
POLLS = 720
RETRIES = 3
# Another operation on the same resource is under way, or has just ended; azure-core knows 429 and 5xx itself.
IN_THE_WAY = (409, 412)

_FORBIDDEN = re.compile(r"perform action '([^']+)' over scope '([^']+)'")


class _Transport(RequestsTransport):
    """Waits by `sleep`, in seconds, and no longer than an hour for one operation."""

    def __init__(self, sleep: Callable[[float], None]):
        super().__init__()
        self._wait = sleep
        self.seconds_left = 0.0

    def sleep(self, duration: float) -> None:
        """See RequestsTransport."""
        self.seconds_left -= duration
        if self.seconds_left < 0:
            raise CoinlakeError("It is not done after an hour. Look at it in the portal, then apply again.")
        self._wait(duration)


class ArmClient:
    """Signed-in requests; `sleep` waits between polls, in seconds."""

    def __init__(self, credential: TokenCredential, sleep: Callable[[float], None] = time.sleep):
        self._transport = _Transport(sleep)
        retries = dict.fromkeys(("retry_total", "retry_connect", "retry_read", "retry_status"), RETRIES)
        self._client: ARMPipelineClient[HttpRequest, HttpResponse] = ARMPipelineClient(
            HOST,
            transport=self._transport,
            policies=[
                RequestIdPolicy(),
                RetryPolicy(retry_on_status_codes=IN_THE_WAY, retry_backoff_factor=2, **retries),
                ARMChallengeAuthenticationPolicy(credential, f"{HOST}/.default"),
            ],
        )

    def get(self, path: str, version: str = "", **query: str) -> dict[str, Any] | None:
        """The document at a path, None when there is none; raises CoinlakeError that names a missing right."""
        response = self._sent("GET", path, version, query=query)
        return None if response.status_code == 404 else response.json()

    def values(self, path: str, version: str, **query: str) -> list[dict[str, Any]]:
        """All entries of a list, page by page; empty when its owner does not exist."""
        found: list[dict[str, Any]] = []
        response = self._sent("GET", path, version, query=query)
        while response.status_code != 404:
            page = response.json()
            found += page.get("value", [])
            if not page.get("nextLink"):
                break
            response = self._sent("GET", page["nextLink"], "")
        return found

    def put(self, path: str, version: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Write a document, wait until Azure has done it, and return it; raises CoinlakeError when it fails."""
        return self._finished("PUT", path, version, document)

    def post(self, path: str, version: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Ask something that needs a body, such as a validation; waits when Azure takes its time."""
        return self._finished("POST", path, version, document)

    def delete(self, path: str, version: str) -> None:
        """Remove a resource and wait until it is gone; none is fine."""
        self._finished("DELETE", path, version)

    def _sent(self, method: str, path: str, version: str, query: Mapping[str, str] | None = None) -> HttpResponse:
        """The answer to one request, 404 included."""
        response = self._answer(HttpRequest(method, _url(path), params=_asked(version, query))).http_response
        if response.status_code >= 400 and response.status_code != 404:
            raise _refusal(method, path, response)
        return response

    def _finished(
        self, method: str, path: str, version: str, document: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer to a request that may take long, when it is done."""
        first = self._answer(HttpRequest(method, _url(path), params=_asked(version), json=document))
        if first.http_response.status_code == 404 and method == "DELETE":
            return {}
        if first.http_response.status_code >= 400:
            raise _refusal(method, path, first.http_response)
        polling: ARMPolling = ARMPolling(timeout=SECONDS_BETWEEN_POLLS)
        try:
            polling.initialize(self._client, first, _document)
            polling.run()
        except HttpResponseError as problem:
            failed = _document_of(problem.response)
            error = failed.get("error") or failed.get("properties", {}).get("error") or {}
            state = failed.get("status") or failed.get("properties", {}).get("provisioningState") or "Failed"
            raise CoinlakeError(f"{path}: {state}. {reasons(error)}") from None
        return polling.resource() or {}

    def _answer(self, request: HttpRequest) -> Any:
        self._transport.seconds_left = SECONDS_BETWEEN_POLLS * POLLS
        try:
            return self._client.send_request(request, _return_pipeline_response=True)
        except ClientAuthenticationError as problem:
            reason = str(problem).partition("\n")[0]
            raise CoinlakeError(f"Nobody is signed in to Azure ({reason}). Run: az login") from None
        except AzureError as problem:
            reason = str(problem).partition("\n")[0]
            place = f"{request.method} {request.url.partition('?')[0]}"
            raise CoinlakeError(f"{place}: {reason}. What is done stays; apply again.") from None


def _url(path: str) -> str:
    return path if path.startswith("https://") else HOST + path


def _asked(version: str, query: Mapping[str, str] | None = None) -> dict[str, str]:
    return ({"api-version": version} if version else {}) | dict(query or {})


def _document(response: Any) -> dict[str, Any]:
    return _document_of(response.http_response)


def _document_of(response: Any) -> dict[str, Any]:
    try:
        return response.json()
    except (AttributeError, ValueError):
        return {}


def _refusal(method: str, path: str, response: HttpResponse) -> CoinlakeError:
    place = f"{method} {_url(path).partition('?')[0]}"
    error = _document_of(response).get("error")
    if not error:
        return CoinlakeError(f"{place}: Azure answered {response.status_code} without a reason. Apply again.")
    forbidden = _FORBIDDEN.search(error.get("message", ""))
    if forbidden:
        return NotAllowed(
            f"A right is missing: {forbidden[1]} on {forbidden[2]}. Ask an owner of the subscription for it; "
            "coinlake_ops/azure/README.md lists the roles."
        )
    return CoinlakeError(f"{place}: {response.status_code} {reasons(error)}")


def reasons(error: Mapping[str, Any]) -> str:
    """Azure's error with the ones inside it, which say what is really wrong."""
    inner = " ".join(reasons(part) for part in error.get("details") or ())
    return " ".join(part for part in (f"{error.get('code', '')}: {error.get('message', '')}", inner) if part)
