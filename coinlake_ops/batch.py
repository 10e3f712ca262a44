"""Runs the whole pipeline on this machine: what `coinlake run SOURCE=live COINS=100` does.

One Spark server serves all notebooks; papermill executes them, a few at a time, when their input is done;
nbconvert renders the reports. What each notebook did is read from the record that it leaves.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coinlake import bronze, observability, runtime, schema, sources
from coinlake.errors import CoinlakeError, ConfigurationError, in_words
from coinlake.parameters import Value
from coinlake_ops import alerts, housekeeping, notebooks, spark_server, unchanged
from coinlake_ops.kernels import Kernels, ended_by_ctrl_c
from coinlake_ops.lake_lock import only_worker, shown

if TYPE_CHECKING:
    from coinlake_ops.private_kernels import KeptKernels

AT_ONCE = 3
SECONDS_TO_SAY_SO = 3.0
UNCHANGED = "Unchanged: nothing that it reads or is given differs from the last run."
LEAST_FREE_BYTES = 200 * 1024 * 1024


class NotebookFailed(CoinlakeError):
    """Notebooks stopped: of each which, in which cell, and what it said."""


@dataclass
class Run:
    """One pipeline run over one lake; `emit` gets its events. `force` runs unchanged notebooks, too.

    `steps` are those of schema.STEPS that it consists of; `kept` are kernels that outlive it.
    They are start, step for each notebook that succeeded, alerts if there are any, and end if the run succeeded.
    """

    parameters: dict[str, Value]
    run_id: str
    emit: Callable[[str, dict[str, Any]], None]
    force: bool = False
    started: float = field(default_factory=time.monotonic)
    kernels: Kernels = field(default_factory=Kernels)
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: schema.STEPS)
    kept: "KeptKernels | None" = None

    @property
    def lake(self) -> Path:
        """The folder of everything generated."""
        return Path(runtime.resolve_path(str(self.parameters["lake_path"])))

    @property
    def executed(self) -> Path:
        """Where the executed notebooks of this run are kept."""
        return self.lake / "runs" / self.run_id


def execute(run: Run, server: spark_server.Server | None = None) -> None:
    """Run every step of the run whose input is done and render the reports; raises CoinlakeError when one fails.

    A server that is given serves the run and stays; else the run has one of its own, which ends after the kernels.
    Ctrl-C interrupts the cells that run, waits seconds for them, and is raised as KeyboardInterrupt then.
    """
    _make(run.lake)
    _require_space(run.lake)
    with only_worker(run.lake), ended_by_ctrl_c(run.kernels):
        run.emit("start", {"run_id": run.run_id, "lake": shown(run.lake), "source": run.parameters["source"]})
        pool = ThreadPoolExecutor(AT_ONCE + 1)
        # The first notebooks need no Spark: they run while the server starts.
        serving = pool.submit(lambda: server or spark_server.start(run.lake))
        try:
            _execute_all(run, pool, serving)
            housekeeping.when_due(run.lake, serving.result().environment)
        except NotebookFailed:
            # What failed is said all the same where the disk is full.
            with suppress(OSError):
                _tell_alerts(run)
            raise
        finally:
            pool.shutdown(wait=not run.kernels.stopped.done(), cancel_futures=True)
            if server is None:
                # At once, unless the run was interrupted before the server had started.
                serving.add_done_callback(_stop)
        if run.steps == schema.STEPS:
            unchanged.note(run.lake, run.executed, run.parameters)
        _tell_alerts(run)
        run.emit(
            "end",
            {
                "run_id": run.run_id,
                "seconds": round(time.monotonic() - run.started, 1),
                "reports": [
                    shown(run.lake / "reports" / f"{name}.html")
                    for name in (*notebooks.REPORTS.values(), *notebooks.BESIDE.values())
                ],
            },
        )


def require_possible(parameters: Mapping[str, Value]) -> None:
    """Refuse a call that no run can be made of, before anything is written.

    Raises ConfigurationError for a lake that is a file or holds the other kind of data, a tape that is none, an
    instant at which nobody would answer, and a history or currencies that cannot be asked for.
    """
    lake = Path(runtime.resolve_path(str(parameters["lake_path"])))
    in_the_way = next((path for path in (lake, *lake.parents) if path.exists() and not path.is_dir()), None)
    if in_the_way is not None:
        raise ConfigurationError(
            f"lake_path={parameters['lake_path']}: {in_the_way} is a file, and a lake is a folder. "
            "Name another one."
        )
    settings = bronze.Settings.of(parameters)
    for group in sources.groups():
        bronze.plan_ingestion(group, settings)


def _tell_alerts(run: Run) -> None:
    told = alerts.tell(run.lake, run.run_id, run.steps)
    if any(told.values()):
        run.emit("alerts", told)


def _stop(serving: Future) -> None:
    if not serving.cancelled() and serving.exception() is None:
        serving.result().stop()


def _execute_all(run: Run, pool: ThreadPoolExecutor, server: Future) -> None:
    """Start each notebook when its input is done; what runs beside one that fails is let run to its end."""
    order = TopologicalSorter(run.steps)
    order.prepare()
    ready: list[str] = []
    running: dict[Future, str] = {}
    failures: list[Exception] = []
    while True:
        ready += order.get_ready()
        while ready and len(running) < AT_ONCE:
            name = ready.pop(0)
            running[pool.submit(_execute_one, run, name, server)] = name
        if not running:
            break
        try:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
        except KeyboardInterrupt:
            # Their kernels have ended; what is left to them is to say so.
            wait(running, SECONDS_TO_SAY_SO)
            raise
        for future in finished:
            name = running.pop(future)
            try:
                run.emit("step", future.result())
                order.done(name)
            except Exception as failure:
                failures.append(failure)
    if failures:
        raise NotebookFailed("\n".join(dict.fromkeys(map(explain, failures))))


def _execute_one(run: Run, name: str, server: Future) -> dict[str, Any]:
    """Execute one notebook; returns the record it left."""
    notebook = notebooks.path(name)
    declared = notebooks.declared_parameters(notebook)
    values = {parameter: run.parameters[parameter] for parameter in declared} | {"run_id": run.run_id}
    step = observability.Step(name, run.run_id, str(run.parameters["lake_path"]), values)
    executed = run.executed / notebook.name
    before = None if run.force else unchanged.find(run.lake, name, values)
    if before:
        unchanged.repeat(before, executed)
        return step.skip(UNCHANGED)
    environment: dict[str, str] = {}
    # Only a notebook with tables needs Spark; the others do not wait for it.
    needs_spark = "catalog" in declared
    if needs_spark:
        wait((server, run.kernels.stopped), return_when=FIRST_COMPLETED)
        if not run.kernels.stopped.done():
            if problem := server.exception():
                step.fail(explain(problem))
                raise problem
            environment = server.result().environment_of(name)
    try:
        live = run.parameters["source"] == "live"
        progress = sys.stderr if live else None
        notebooks.execute(
            notebook,
            executed,
            values,
            progress=progress,
            environment=environment,
            kernels=run.kernels,
            kept=run.kept,
        )
    except notebooks.Interrupted:
        step.interrupt(observability.BY_HAND)
        raise
    except Exception as failure:
        message = explain(failure)
        if needs_spark and not server.result().is_alive():
            message = f"The Spark server stopped; its log is {shown(server.result().log)}. Run again."
        step.fail(message)
        cell = f", cell {failure.cell}" if isinstance(failure, notebooks.CellFailed) else ""
        raise NotebookFailed(f"{name}{cell}: {message}\nExecuted notebook: {shown(executed)}") from None
    record = observability.read_record(step.lake_path, run.run_id, name)
    if record is None or record["status"] != schema.SUCCEEDED:
        message = "It did not come to step.end(…), with which a notebook must end."
        step.fail(message)
        raise NotebookFailed(f"{name}: {message}")
    if name in notebooks.REPORTS:
        from coinlake_ops import rendering

        rendering.render(executed, run.lake / "reports" / f"{notebooks.REPORTS[name]}.html")
    return record | {"seconds": round((datetime.now(UTC) - step.started_at).total_seconds(), 1)}


def explain(error: BaseException) -> str:
    """What a person needs of an error: its message without a JVM's stack or Python's chain."""
    return in_words("", str(error)) or type(error).__name__


def _make(lake: Path) -> None:
    try:
        lake.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigurationError(
            f"lake_path={lake}: this folder cannot be made ({problem.strerror}). Name another one."
        ) from None


def _require_space(lake: Path) -> None:
    status = os.statvfs(lake)
    free = status.f_bavail * status.f_frsize
    if free < LEAST_FREE_BYTES:
        raise CoinlakeError(
            f"Only {free / 1e6:,.0f} MB are free on the disk of {shown(lake)}; a run needs "
            f"{LEAST_FREE_BYTES / 1e6:,.0f} MB. Free some space or choose another LAKE_PATH."
        )


def silent(event: str, record: Mapping[str, Any]) -> None:
    """Prints nothing."""


def json_lines(event: str, record: Mapping[str, Any]) -> None:
    """Prints an event as one JSON object on a line."""
    print(json.dumps({"event": event} | dict(record)), flush=True)


def table(event: str, record: Mapping[str, Any]) -> None:
    """Prints a run as a table with a line for each notebook."""
    if event == "start":
        print(f"Run {record['run_id']} of the {record['source']} market into {record['lake']}\n")
        print(f"{'notebook':<28}{'read':>10}{'written':>10}{'rejected':>10}{'seconds':>9}", flush=True)
    elif event == "step":
        if record["message"] == UNCHANGED:
            print(f"{record['step']:<28}{'unchanged':>30}", flush=True)
            return
        print(
            f"{record['step']:<28}{record['rows_read']:>10,}{record['rows_written']:>10,}"
            f"{record['rows_rejected']:>10,}{record['seconds']:>9.1f}",
            flush=True,
        )
    elif event == "alerts":
        print()
        for alert in record["open"]:
            since = "new" if alert in record["fired"] else f"since {alert['fired_at'][:16]}"
            print(f"Alert, {since}: {alert['kind']} of {alert['subject']}: {alert['message']}")
        for alert in record["cleared"]:
            print(f"Cleared: {alert['kind']} of {alert['subject']}", flush=True)
    else:
        print(f"\nDone in {record['seconds']:.0f} s. The reports:")
        print(*(f"  {report}" for report in record["reports"]), sep="\n")
