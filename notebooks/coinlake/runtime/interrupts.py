"""An interrupted cell ends what it has asked Spark for: jobs, operations of other threads, streams."""

import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any

from pyspark.sql import SparkSession

from coinlake.runtime.databricks import shell

SECONDS_BETWEEN = 0.5
# The sessions whose work ends with a cell of this notebook.
_heard: list[SparkSession] = []


def end_work_with_cell(session: SparkSession, cancel: Callable[[], object]) -> None:
    """From now on an interrupted cell ends the session's work: `cancel` ends its jobs, then its streams stop.

    PySpark ends what the interrupted thread waits for; a cell may have several that work for it. A kernel hears
    SIGINT by a handler of its own in each cell, so that it is replaced in each cell. Nothing happens where there
    are no cells.
    """
    ipython = shell()
    if ipython is None or session in _heard:
        return
    _heard.append(session)
    has_ended = threading.Event()

    def cancel_until_the_end() -> None:
        # What another thread had just begun to ask was not there yet when all was cancelled.
        _quietly(cancel)
        while not has_ended.wait(SECONDS_BETWEEN):
            _quietly(cancel)

    def hear(*_: Any) -> None:
        # In a thread of its own: the one that was interrupted ends at once, whether Spark answers or not.
        threading.Thread(target=cancel_until_the_end, daemon=True).start()
        raise KeyboardInterrupt

    def listen(*_: Any) -> None:
        has_ended.clear()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, hear)

    def end(result: Any) -> None:
        has_ended.set()
        # Streams not before the cell has ended: who waits for one that is stopped takes it for one that is done.
        if isinstance(result.error_in_exec, KeyboardInterrupt):
            for query in _quietly(lambda: session.streams.active) or ():
                _quietly(query.stop)

    ipython.events.register("pre_run_cell", listen)
    ipython.events.register("post_run_cell", end)
    listen()


def _quietly(call: Callable[[], Any]) -> Any:
    with contextlib.suppress(Exception):
        return call()
