"""The Databricks job of the nine notebooks: its tasks, their order, and what decides which of them run.

Described once: deployed by coinlake_ops.deploy, written to databricks.yml, started by the Data Factory, and
followed on a laptop by coinlake_ops.factory. Everything here is as the Jobs API 2.2 takes it.

A job hands its parameters to all of its notebooks, which take those that they declare. Four tasks only decide, and
need no machine: one that is not wanted leaves out what depends on it alone. What is left out counts as done, and
only what nothing depends on says how a run ended; so everything leads to `finished`, which any failure fails.
Source: Azure Databricks documentation, "Configure job parameters", "Configure task dependencies", "If/else task".
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from coinlake.parameters import OF_A_JOB, PARAMETERS, Value
from coinlake.schema import STEPS
from coinlake_ops import databricks_runtime, notebooks

NAME = "coinlake"
MINUTES = "coinlake minutes"
# A run that takes longer is worth a look; one that fails is anyway.
UNUSUAL_SECONDS = 2 * 3600
# Without this a cluster without workers waits for them for ever.
SINGLE_NODE = {
    "spark_conf": {"spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]"},
    "custom_tags": {"ResourceClass": "SingleNode"},
}
SETUP, LOAD, REPORTS, FINISHED = "setup_is_wanted", "load_is_wanted", "reports_are_wanted", "finished"
# What decides -> the parameter that it asks, and what it waits for.
DECISIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    SETUP: ("with_setup", ()),
    LOAD: ("with_load", ("04_build_gold",)),
    # After the load, if there is one: the last report reports on it.
    REPORTS: ("with_reports", ("04_build_gold", "05_load_sql")),
}
# A notebook -> the only thing that it waits for: whether it is wanted.
DECIDED = {
    "00_setup": SETUP,
    "05_load_sql": LOAD,
    "06_report_price_averages": REPORTS,
    "07_report_market_trends": REPORTS,
}
# A notebook that waits for decided ones, and for nothing else, is left out with them.
LAST = {"08_report_pipeline_health": ("06_report_price_averages", "07_report_market_trends")}
# A first load of years, and many histories at the pace of a small plan, take longest.
LONG = {"01_ingest_market_data": 2, "03_stream_to_silver": 2, "04_build_gold": 2}


def parameters(values: Mapping[str, Value], root: Path) -> dict[str, str]:
    """Name -> default of the job's parameters: all that its notebooks declare, then what it decides by.

    `values` are those of an environment; `root` is the repository.
    """
    declared = {
        name for step in STEPS for name in notebooks.declared_parameters(root / "notebooks" / f"{step}.ipynb")
    }
    defaults = {name: str(values[name]) for name in PARAMETERS if name in declared}
    if "run_id" in defaults:
        # Every task of one run leaves its record under the same id.
        defaults["run_id"] = "job-{{job.run_id}}"
    return defaults | dict.fromkeys(OF_A_JOB, "true")


def settings(
    values: Mapping[str, Value],
    root: Path,
    place: Callable[[str], str],
    pool: str | None = None,
    workers: int = 1,
    hurried: bool = False,
) -> dict[str, Any]:
    """The settings of the job.

    `values` are the parameters of an environment, `root` is the repository; `place` gives the path that a task has
    for a notebook, by its name. With the id of a `pool` all tasks share one cluster of its machines, one more than
    `workers`; without, they run on serverless ones, which start within a minute if the job is `hurried`, and else
    use fewer units.
    Source: Azure Databricks documentation, "Choose a performance mode for serverless jobs and pipelines".
    """
    packages = databricks_runtime.dependencies()
    if pool is None:
        spec = {"environment_version": databricks_runtime.SERVERLESS_VERSION, "dependencies": packages}
        machines: dict[str, Any] = {
            "performance_target": "PERFORMANCE_OPTIMIZED" if hurried else "STANDARD",
            "environments": [{"environment_key": "default", "spec": spec}],
        }
        where: dict[str, Any] = {"environment_key": "default"}
    else:
        cluster = {
            "spark_version": databricks_runtime.SPARK_VERSION,
            "instance_pool_id": pool,
            "num_workers": workers,
            "data_security_mode": "SINGLE_USER",
            **(SINGLE_NODE if workers == 0 else {}),
        }
        machines = {"job_clusters": [{"job_cluster_key": "shared", "new_cluster": cluster}]}
        where = {
            "job_cluster_key": "shared",
            "libraries": [{"pypi": {"package": package}} for package in packages],
        }
    return {
        "name": NAME,
        "description": "Notebooks 00 to 08 of coinlake. Generated from parameters and notebooks.",
        **_common(values),
        "queue": {"enabled": True},
        "parameters": [{"name": name, "default": default} for name, default in parameters(values, root).items()],
        **machines,
        "tasks": list(_tasks(place, where)),
    }


def minutes(values: Mapping[str, Value], job_id: Any, running: bool) -> dict[str, Any]:
    """The settings of the job that runs the other one, whose id is `job_id`, again and again, without reports.

    A continuous job begins anew within a minute of its end, may have no dependencies between tasks, and on
    serverless machines no stream that waits; so its one task starts the job above, whose streams take what is
    there. Source: Azure Databricks documentation, "Run jobs continuously".
    """
    wanted = {"with_setup": "false", "with_reports": "false"}
    return {
        "name": MINUTES,
        "description": f"Runs the job {NAME} again and again, without reports. Generated.",
        **_common(values),
        "continuous": {"pause_status": "UNPAUSED" if running else "PAUSED", "task_retry_mode": "NEVER"},
        "tasks": [{"task_key": "again", "run_job_task": {"job_id": job_id, "job_parameters": wanted}}],
    }


def _common(values: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "format": "MULTI_TASK",
        "max_concurrent_runs": 1,
        "health": {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": UNUSUAL_SECONDS}],
        },
        "tags": {"project": "coinlake", "environment": str(values["environment"])},
    }


def _tasks(place: Callable[[str], str], where: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tasks, each after those that it waits for."""
    waiting = dict(DECISIONS)
    for name, earlier in STEPS.items():
        if name in DECIDED and DECIDED[name] in waiting:
            asked, after = waiting.pop(DECIDED[name])
            yield _decision(DECIDED[name], f"{{{{job.parameters.{asked}}}}}", after)
        if name in DECIDED:
            depends_on = [{"task_key": DECIDED[name], "outcome": "true"}]
        else:
            depends_on = [{"task_key": one} for one in LAST.get(name, earlier)]
        yield {
            "task_key": name,
            "depends_on": depends_on,
            "run_if": "ALL_SUCCESS",
            "notebook_task": {"notebook_path": place(name), "source": "WORKSPACE"},
            **where,
            # A machine may be lost; every notebook may run again without harm.
            "max_retries": 1,
            "min_retry_interval_millis": 60_000,
            "timeout_seconds": 3600 * LONG.get(name, 1),
        }
    yield _decision(FINISHED, "true", STEPS)


def _decision(name: str, asked: str, after: Any) -> dict[str, Any]:
    """A task that is true where `asked` is."""
    return {
        "task_key": name,
        "depends_on": [{"task_key": one} for one in after],
        "run_if": "ALL_SUCCESS",
        "condition_task": {"op": "EQUAL_TO", "left": asked, "right": "true"},
    }
