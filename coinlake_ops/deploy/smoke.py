"""One run of the main pipeline where it was deployed: what no comparison of settings can tell."""

from collections.abc import Callable

from azure.core.exceptions import AzureError

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.resources.azure_resources import MAIN_PIPELINE

SECONDS_BETWEEN_POLLS = 30
POLLS = 110
UNDER_WAY = ("Queued", "InProgress", "Canceling")


def run(clients: Clients, emit: Callable[[str], None]) -> None:
    """Start the main pipeline with its own defaults and wait, for 55 minutes at most.

    Raises CoinlakeError with the factory's words unless it succeeds, and leaves a run that takes longer alone.
    """
    place = clients.environment.resource_group, clients.environment.factory
    try:
        run_id = clients.factory.pipelines.create_run(*place, MAIN_PIPELINE).run_id
        emit(f"{MAIN_PIPELINE} has begun in {clients.environment.factory}: run {run_id}")
        for _ in range(POLLS):
            found = needed(clients.factory.pipeline_runs.get(*place, run_id), f"run {run_id}")
            if found.status not in UNDER_WAY:
                break
            clients.sleep(SECONDS_BETWEEN_POLLS)
    except AzureError as error:
        raise CoinlakeError(f"The smoke run of {MAIN_PIPELINE}: {str(error).partition(chr(10))[0]}") from None
    if found.status != "Succeeded":
        raise CoinlakeError(
            f"The smoke run {run_id} of {MAIN_PIPELINE} is {found.status}: {found.message or 'no reason given'}. "
            "Open it in the factory's monitor."
        )
    emit(f"{MAIN_PIPELINE} succeeded after {(found.duration_in_ms or 0) / 60_000:.0f} minutes.")
