"""The kernels that are at work, so that Ctrl-C ends them in order: interrupted first, killed only if they stay."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

# What an interrupted cell may need: ingestion commits the answers that it has, a query is called back.
SECONDS_TO_END = 10.0
SECONDS_TO_DIE = 5.0
ENDING = b"\nInterrupted: the notebooks that run put away what they have, which takes seconds.\n"


class Kernels:
    """The kernels of one run; threads add theirs, and whoever started the run ends them all.

    `stopped` is done as soon as they are to end: no notebook and no cell begins any more. After `patience`
    seconds, SECONDS_TO_END if nothing is said, those are killed that are still at work.
    """

    def __init__(self, patience: float | None = None) -> None:
        self._patience = patience
        self.stopped: Future[None] = Future()
        self._at_work: list[list[Any]] = []
        self._changed = threading.Condition()

    @property
    def are_at_work(self) -> bool:
        """Whether a kernel has been started, or is about to be."""
        return bool(self._at_work)

    @contextmanager
    def at_work(self, managers: list[Any]) -> Iterator[None]:
        """While inside, the kernels that these managers have started or will start are at work."""
        with self._changed:
            self._at_work.append(managers)
        try:
            yield
        finally:
            with self._changed:
                self._at_work = [others for others in self._at_work if others is not managers]
                self._changed.notify_all()

    def end(self, seconds: float | None = None) -> None:
        """Interrupt every cell that runs, and kill the kernels that are still at work after so many seconds.

        Without a number they get the patience of these kernels.

        Returns when their notebooks have ended, or after SECONDS_TO_DIE more.
        """
        self.stopped.set_result(None)
        if seconds is None:
            seconds = SECONDS_TO_END if self._patience is None else self._patience
        self._send(signal.SIGINT)
        with self._changed:
            if self._changed.wait_for(lambda: not self._at_work, seconds):
                return
        self._send(signal.SIGKILL)
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, SECONDS_TO_DIE)

    def _send(self, number: int) -> None:
        for managers in list(self._at_work):
            send(managers, number)


def send(managers: list[Any], number: int) -> None:
    """Send a signal to the kernels of these managers and to what they have started: each leads a group."""
    for manager in managers:
        process = getattr(manager.provisioner, "process", None)
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)


@contextmanager
def ended_by_ctrl_c(kernels: Kernels) -> Iterator[None]:
    """While inside, Ctrl-C (and SIGTERM) ends the kernels and then raises KeyboardInterrupt.

    One that follows changes nothing: the end has begun and takes seconds. Of the main thread only, which alone
    is told of signals; in another one nothing happens.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        if not kernels.stopped.done():
            if kernels.are_at_work:
                # Not printed: the signal may have come amid a print.
                os.write(2, ENDING)
            kernels.end()
            raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
