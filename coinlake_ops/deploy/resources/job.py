"""The Databricks job that runs the notebooks without a factory, in the order of the batch run.

It runs on serverless machines; in a network of its own on machines of the pool, which stand there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from databricks.sdk.errors import PermissionDenied
from databricks.sdk.service.compute import DataSecurityMode
from databricks.sdk.service.jobs import JobSettings

from coinlake import schema
from coinlake.errors import CoinlakeError
from coinlake.parameters import Value
from coinlake_ops import databricks_runtime, notebooks
from coinlake_ops.deploy import permissions
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import pruned, restricted
from coinlake_ops.deploy.resources.compute import pool_id
from coinlake_ops.deploy.resources.notebooks import notebook_path
from coinlake_ops.deploy.resources.part import ItemsPart
from coinlake_ops.desired_state import Item

NAME = "coinlake"
# A run that takes longer is worth a look; one that fails is anyway.
UNUSUAL_SECONDS = 2 * 3600
# Settings that are not ours and would change what runs, or when: nobody may add them unseen.
STARTED_OTHERWISE = ("continuous", "git_source", "job_clusters", "parameters", "schedule", "trigger")


class Job(ItemsPart):
    """One job with a task for each notebook, which runs as the factory's identity, and who may start it."""

    name = "job"
    purpose = "Databricks: the serverless job that runs notebooks 00 to 08"

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        return [
            Item("job", NAME, pruned(self._settings())),
            permissions.item(self._clients, "job", NAME),
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        job_id = self._job_id()
        if job_id is None:
            return []
        workspace = self._clients.needed_workspace()
        job = workspace.jobs.get(job_id)
        held = needed(job.settings, f"description of the job {NAME}")
        # Of whom it runs as, only this says it in all cases: the setting itself is for writing.
        run_as = {"run_as": {"service_principal_name": job.run_as_user_name}}
        shown = pruned(held.as_dict()) | run_as
        wanted = pruned(self._settings())
        started_otherwise = {name: shown[name] for name in STARTED_OTHERWISE if name in {*shown} - {*wanted}}
        found = [Item("job", NAME, restricted(shown, wanted) | started_otherwise)]
        return found + permissions.live(self._clients, "job", NAME, str(job_id))

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        workspace = self._clients.needed_workspace()
        if item.kind == "job permissions":
            permissions.give(workspace, item, str(self._needed_job_id()))
            return
        built = JobSettings.from_dict(self._settings())
        try:
            if before is None:
                workspace.jobs.create(**{name: getattr(built, name) for name in self._settings()})
            else:
                workspace.jobs.reset(self._needed_job_id(), built)
        except PermissionDenied as refusal:
            raise CoinlakeError(
                f"Databricks refuses the job {NAME}: {refusal} It runs as {self._clients.environment.factory}, "
                "and who deploys needs the role Service Principal User on that: in the workspace under Settings, "
                "Identity and access, Service principals, Permissions. Then apply again."
            ) from None

    def remove(self, item: Item) -> None:
        """See ItemsPart; permissions go with the job."""
        if item.kind == "job":
            self._clients.needed_workspace().jobs.delete(self._needed_job_id())

    def _settings(self) -> dict[str, Any]:
        pool = None
        if self._clients.environment.is_private:
            pool = pool_id(self._clients) or "(known after the part compute)"
        described = settings(self._clients.parameters, self._clients.root, notebook_path, pool)
        addresses = [self._clients.environment.alert_email]
        return described | {
            "run_as": {"service_principal_name": self._clients.factory_application_id},
            "email_notifications": {
                "on_failure": addresses,
                "on_duration_warning_threshold_exceeded": addresses,
            },
        }

    def _job_id(self) -> int | None:
        workspace = self._clients.workspace()
        if workspace is None:
            return None
        return next((job.job_id for job in workspace.jobs.list(name=NAME)), None)

    def _needed_job_id(self) -> int:
        return needed(self._job_id(), f"job {NAME}")


def settings(
    parameters: dict[str, Value], root: Path, place: Callable[[str], str], pool: str | None = None
) -> dict[str, Any]:
    """The settings of the job as the Jobs API 2.2 takes them.

    `parameters` are those of an environment; each task gets the ones that its notebook declares, as text.
    `root` is the repository; `place` gives the path that a task has for a notebook, by its name.
    With the id of a `pool` all tasks share one cluster of its machines; without, they run on serverless ones.
    """
    packages = databricks_runtime.dependencies()
    if pool is None:
        spec = {"environment_version": databricks_runtime.SERVERLESS_VERSION, "dependencies": packages}
        machines: dict[str, Any] = {"environments": [{"environment_key": "default", "spec": spec}]}
        where: dict[str, Any] = {"environment_key": "default"}
    else:
        cluster = {
            "spark_version": databricks_runtime.SPARK_VERSION,
            "instance_pool_id": pool,
            "num_workers": 1,
            "data_security_mode": DataSecurityMode.SINGLE_USER.value,
        }
        machines = {"job_clusters": [{"job_cluster_key": "shared", "new_cluster": cluster}]}
        where = {
            "job_cluster_key": "shared",
            "libraries": [{"pypi": {"package": package}} for package in packages],
        }
    tasks = []
    for name in schema.STEPS:
        declared = notebooks.declared_parameters(root / "notebooks" / f"{name}.ipynb")
        values = {parameter: str(parameters[parameter]) for parameter in declared}
        if "run_id" in values:
            # Every task of one run leaves its record under the same id.
            values["run_id"] = "job-{{job.run_id}}"
        tasks.append(
            {
                "task_key": name,
                "depends_on": [{"task_key": earlier} for earlier in schema.STEPS[name]],
                "run_if": "ALL_SUCCESS",
                "notebook_task": {
                    "notebook_path": place(name),
                    "source": "WORKSPACE",
                    "base_parameters": values,
                },
                **where,
                "max_retries": 1 if name.startswith("03") else 0,
                "min_retry_interval_millis": 60_000,
                "timeout_seconds": 3600,
            }
        )
    return {
        "name": NAME,
        "description": "Notebooks 00 to 08 of coinlake. Generated from parameters and notebooks.",
        "format": "MULTI_TASK",
        "max_concurrent_runs": 1,
        "queue": {"enabled": True},
        "health": {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": UNUSUAL_SECONDS}],
        },
        "tags": {"project": "coinlake", "environment": str(parameters["environment"])},
        **machines,
        "tasks": tasks,
    }
