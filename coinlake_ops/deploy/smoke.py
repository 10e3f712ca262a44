"""One run of the main pipeline where it was deployed: what no comparison of settings can tell."""

from collections.abc import Callable, Iterator

from azure.core.exceptions import AzureError
from databricks.sdk.service.jobs import RunResultState

from coinlake.errors import CoinlakeError
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.resources.azure_resources import MAIN_PIPELINE
from coinlake_ops.deploy.resources.job import job_id

SECONDS_BETWEEN_POLLS = 30
POLLS = 110
UNDER_WAY = ("Queued", "InProgress", "Canceling")


def run(clients: Clients, emit: Callable[[str], None]) -> None:
    """Start the main pipeline with its own defaults and wait, for 55 minutes at most.

    Raises CoinlakeError with the factory's words unless it succeeds, and the notebooks that failed with theirs; a
    run that takes longer is left alone.
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
        failed = "".join(f"\n  {reason}" for reason in _failed_notebooks(clients))
        raise CoinlakeError(
            f"The smoke run {run_id} of {MAIN_PIPELINE} is {found.status}: {found.message or 'no reason given'}. "
            f"Open it in the factory's monitor.{failed}"
        )
    emit(f"{MAIN_PIPELINE} succeeded after {(found.duration_in_ms or 0) / 60_000:.0f} minutes.")


def _failed_notebooks(clients: Clients) -> Iterator[str]:
    """The notebooks that failed in the newest run of the job, each with its reason."""
    workspace, started = clients.workspace(), job_id(clients)
    if workspace is None or started is None:
        return
    newest = next(workspace.jobs.list_runs(job_id=started, expand_tasks=True, limit=1), None)
    for task in (newest and newest.tasks) or []:
        state = task.state
        if task.notebook_task and state and state.result_state is RunResultState.FAILED:
            yield f"{task.task_key}: {state.state_message or 'no reason given'}"
