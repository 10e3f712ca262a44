"""The Databricks job of the notebooks, which the factory or a person starts, and the one that repeats it.

They run on serverless machines; in a network of its own on machines of the pool, which stand there; with
`machines: single` on one of them.
"""

from collections.abc import Iterator
from typing import Any

from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.jobs import JobSettings

from coinlake.errors import CoinlakeError
from coinlake_ops import databricks_job
from coinlake_ops.databricks_job import MINUTES, NAME
from coinlake_ops.deploy import permissions
from coinlake_ops.deploy.clients import Clients
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import pruned, restricted
from coinlake_ops.deploy.resources.compute import pool_id
from coinlake_ops.deploy.resources.notebooks import notebook_path
from coinlake_ops.deploy.resources.part import ItemsPart
from coinlake_ops.desired_state import Item
from coinlake_ops.environment import EVERY_MINUTE

NOT_THERE_YET = "(known after the job coinlake)"
# Settings that are not ours and would change what runs, or when: nobody may add them unseen.
STARTED_OTHERWISE = ("continuous", "git_source", "job_clusters", "parameters", "schedule", "trigger")


class Job(ItemsPart):
    """One job with a task for each notebook, and one that repeats it; both run as the factory's identity."""

    name = "job"
    purpose = "Databricks: the serverless job that runs notebooks 00 to 08, and the one that repeats it"

    def desired(self) -> list[Item]:
        """See ItemsPart: the job that is repeated comes first."""
        return [
            item
            for name, settings in self._settings().items()
            for item in (Item("job", name, pruned(settings)), permissions.item(self._clients, "job", name))
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        return [item for name in (NAME, MINUTES) for item in self._live(name)]

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        workspace = self._clients.needed_workspace()
        if item.kind == "job permissions":
            permissions.give(workspace, item, str(self._needed_job_id(item.name)))
            return
        settings = self._settings()[item.name]
        built = JobSettings.from_dict(settings)
        try:
            if before is None:
                workspace.jobs.create(**{name: getattr(built, name) for name in settings})
            else:
                workspace.jobs.reset(self._needed_job_id(item.name), built)
        except PermissionDenied as refusal:
            raise CoinlakeError(
                f"Databricks refuses the job {item.name}: {refusal} It runs as "
                f"{self._clients.environment.factory}, and who deploys needs the role Service Principal User on "
                "that: in the workspace under Settings, "
                "Identity and access, Service principals, Permissions. Then apply again."
            ) from None

    def remove(self, item: Item) -> None:
        """See ItemsPart; permissions go with the job."""
        if item.kind == "job":
            self._clients.needed_workspace().jobs.delete(self._needed_job_id(item.name))

    def _live(self, name: str) -> Iterator[Item]:
        found_id = job_id(self._clients, name)
        if found_id is None:
            return
        job = self._clients.needed_workspace().jobs.get(found_id)
        held = needed(job.settings, f"description of the job {name}")
        # Of whom it runs as, only this says it in all cases: the setting itself is for writing.
        run_as = {"run_as": {"service_principal_name": job.run_as_user_name}}
        shown, wanted = pruned(held.as_dict()) | run_as, pruned(self._settings()[name])
        for cluster in shown.get("job_clusters", []):
            # JSON leaves out a number of 0.
            cluster["new_cluster"] = {"num_workers": 0} | cluster["new_cluster"]
        started_otherwise = {name: shown[name] for name in STARTED_OTHERWISE if name in {*shown} - {*wanted}}
        yield Item("job", name, restricted(shown, wanted) | started_otherwise)
        yield from permissions.live(self._clients, "job", name, str(found_id))

    def _settings(self) -> dict[str, dict[str, Any]]:
        """Name -> settings of each job."""
        environment, values = self._clients.environment, self._clients.parameters
        pool, workers = None, 0 if environment.machines == "single" else 1
        if environment.is_private or workers == 0:
            pool = pool_id(self._clients) or "(known after the part compute)"
        ours = {
            "run_as": {"service_principal_name": self._clients.factory_application_id},
            "email_notifications": {
                "on_failure": [environment.alert_email],
                "on_duration_warning_threshold_exceeded": [environment.alert_email],
            },
        }
        repeated = job_id(self._clients, NAME) or NOT_THERE_YET
        is_running = EVERY_MINUTE in environment.running_triggers
        return {
            NAME: databricks_job.settings(
                values, self._clients.root, notebook_path, pool, workers, hurried=is_running
            )
            | ours,
            MINUTES: databricks_job.minutes(values, repeated, is_running) | ours,
        }

    def _needed_job_id(self, name: str) -> int:
        return needed(job_id(self._clients, name), f"job {name}")


def job_id(clients: Clients, name: str = NAME) -> int | None:
    """The id of a job in the workspace; None while there is none."""
    workspace = clients.workspace()
    if workspace is None:
        return None
    return next((job.job_id for job in workspace.jobs.list(name=name)), None)
