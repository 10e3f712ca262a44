"""Running what triggers fire, on this machine: runs are queued, recorded, and have executors of their own.

A run waits for earlier ones of its pipeline as `concurrency` says, then for what its executors need; meanwhile its
record says Queued.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from adf_lab.engine import Engine, PipelineRun
from adf_lab.factory import Factory
from adf_lab.recording import Recorder
from adf_lab.watch import Firing


@dataclass
class Execution:
    """Runs firings in one event loop.

    `executors`   parameters of a run -> a context manager that gives its executors; entered in a thread
    `observe`     called as an Engine calls it
    `begun`       called with firing and run when it is queued, `ended` with the run at its end
    `is_answered` as an Engine asks it
    """

    factory: Factory
    clock: Any
    global_parameters: dict
    executors: Callable[[dict], AbstractContextManager[dict]]
    recorder: Recorder
    observe: Callable[[str, Any], None]
    begun: Callable[[Firing, PipelineRun], None]
    ended: Callable[[PipelineRun], None]
    is_answered: Callable[[str, dict], bool] = lambda pipeline, activity: False
    _turns: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _places: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _entrance: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self, firing: Firing, system: dict, note: Callable[[str, str], None]) -> str:
        """Run a firing to its end and return its status; AdfLabError if its parameters do not fit."""
        run = self._engine({}).start_pipeline(firing.pipeline, firing.parameters, system)
        run.status = "Queued"
        self.recorder.changed(run)
        note(run.status, run.run_id)
        self.begun(firing, run)
        try:
            async with self._turn(run.pipeline), self._entered(firing.parameters) as executors:
                note("InProgress", run.run_id)
                engine = self._engine(executors)
                engine.check(run.pipeline)
                await engine.finish(run)
        except asyncio.CancelledError:
            if run.end is None:
                run.status, run.end = "Cancelled", self.clock.now()
            raise
        except Exception as error:
            run.status, run.end, run.message = "Failed", self.clock.now(), str(error) or type(error).__name__
        finally:
            self.recorder.end(run)
        self.ended(run)
        return run.status

    def _engine(self, executors):
        return Engine(
            self.factory.pipelines,
            executors,
            self.clock,
            self.global_parameters,
            self.factory.name,
            observe=self.observe,
            is_answered=self.is_answered,
            changed=self.recorder.changed,
            places=self._places,
        )

    def _turn(self, pipeline):
        """The right to run among the runs that were fired of a pipeline, in their order."""
        most = self.factory.pipelines[pipeline]["properties"].get("concurrency")
        if not isinstance(most, int) or most < 1:
            return asyncio.Semaphore(1)
        return self._turns.setdefault(pipeline, asyncio.Semaphore(most))

    @asynccontextmanager
    async def _entered(self, parameters):
        """The executors of a run; runs get them one after the other, in the order in which they asked."""
        manager = self.executors(parameters)
        async with self._entrance:
            executors = await self.clock.call(manager.__enter__)
        try:
            yield executors
        finally:
            await self.clock.call(manager.__exit__, None, None, None)
