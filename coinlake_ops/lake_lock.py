"""Who works on a lake: one run at a time, whether `coinlake run` or the Data Factory on this machine starts it."""

import fcntl
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from coinlake.errors import CoinlakeError
from coinlake_ops import swap

NAME = ".lock"
SECONDS_BETWEEN_TRIES = 0.2


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def only_worker(
    lake: Path,
    say: Callable[[str], None] = _to_stderr,
    stopped: Future[None] | None = None,
    waits: bool = True,
) -> Iterator[None]:
    """Hold the lake's lock while inside; who comes second is told who works there, and waits.

    Of two runs of one process the second waits too; nobody is told, for it is known there. The wait ends with a
    CoinlakeError when `stopped` is done: in a thread, which is not told of Ctrl-C. With `waits` False, whoever
    comes second gets a CoinlakeError instead.
    The operating system gives the lock up when the process ends, however it ends. A change of tables that a
    `coinlake rebuild` decided on and did not come to the end of is carried out first.
    """
    stopped = stopped or Future()
    lake.mkdir(parents=True, exist_ok=True)
    with (lake / NAME).open("a+") as lock:
        if not _take(lock):
            lock.seek(0)
            worker = lock.read().strip()
            who = f"Another run is working on {shown(lake)} ({worker})."
            if not waits:
                raise CoinlakeError(f"{who} Let it end, and try again.")
            if not worker.startswith(f"process {os.getpid()}:"):
                say(f"{who} Waiting for it to end; Ctrl-C gives up.")
            while not _take(lock):
                wait([stopped], SECONDS_BETWEEN_TRIES)
                if stopped.done():
                    raise CoinlakeError(f"The run was stopped while it waited for {shown(lake)}.")
        lock.seek(0)
        lock.truncate()
        lock.write(this_process())
        lock.flush()
        swap.finish(lake)
        yield


def _take(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def this_process() -> str:
    """This process as a person would look for it: its number, what was typed, and when it says so."""
    command = shlex.join(["coinlake", *sys.argv[1:]])
    command = command if len(command) <= 100 else command[:99] + "…"
    return f"process {os.getpid()}: {command}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def shown(path: Path) -> str:
    """A path as a person would type it: relative to where they stand, if it is below."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
