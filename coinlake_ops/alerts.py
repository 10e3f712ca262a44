"""What a run says of alerts when it has ended: in its last lines, and as JSON to a webhook."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests

from coinlake import observability, runtime

SECRET = "alert-webhook-url"
SECONDS_TO_ANSWER = 10


def tell(lake: Path, run_id: str, expected: Iterable[str]) -> dict[str, Any]:
    """Look at how the run ended, post what is new to the webhook if there is one, and return what there is.

    The answer has the alerts that this run has `fired` and `cleared`, and all that are `open`.
    `expected` are the steps that the run should have. The address of the webhook is the secret alert-webhook-url,
    which is the environment variable COINLAKE_ALERT_WEBHOOK_URL.
    """
    still_open = observability.alerts.look_at_end(str(lake), run_id, expected)
    fired, cleared = observability.alerts.news(str(lake), run_id)
    address = runtime.get_secret(SECRET)
    if address is not None and (fired or cleared):
        _post(address, {"run_id": run_id, "lake": str(lake), "fired": fired, "cleared": cleared})
    return {"fired": fired, "cleared": cleared, "open": still_open}


def _post(address: runtime.Secret, content: dict[str, Any]) -> None:
    """One POST; that nobody takes it is said, and no reason for a run to fail."""
    try:
        requests.post(address.reveal(), json=content, timeout=SECONDS_TO_ANSWER).raise_for_status()
    except requests.RequestException as problem:
        # Its text would show the address, which is a secret.
        answer = problem.response.status_code if problem.response is not None else type(problem).__name__
        print(f"The webhook of the secret {SECRET} did not take the alerts: {answer}", file=sys.stderr)
