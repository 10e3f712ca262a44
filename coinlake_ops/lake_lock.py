"""Who works on a lake: one run at a time, whether `coinlake run` or the Data Factory on this machine starts it."""

import fcntl
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from coinlake.errors import CoinlakeError
from coinlake_ops import swap

NAME = ".lock"


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def only_worker(lake: Path, say: Callable[[str], None] = _to_stderr, waits: bool = True) -> Iterator[None]:
    """Hold the lake's lock while inside; who comes second is told who works there, and waits.

    With `waits` False, whoever comes second gets a CoinlakeError instead. The operating system gives the lock up
    when the process ends, however it ends. A change of tables that a `coinlake rebuild` decided on and did not
    come to the end of is carried out first.
    """
    lake.mkdir(parents=True, exist_ok=True)
    with (lake / NAME).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            who = f"Another run is working on {shown(lake)} ({lock.read().strip()})."
            if not waits:
                raise CoinlakeError(f"{who} Let it end, and try again.") from None
            say(f"{who} Waiting for it to end; Ctrl-C gives up.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(this_process())
        lock.flush()
        swap.finish(lake)
        yield


def this_process() -> str:
    """This process as a person would look for it: its number, what was typed, and when it says so."""
    command = shlex.join(["coinlake", *sys.argv[1:]])
    command = command if len(command) <= 100 else command[:99] + "…"
    return f"process {os.getpid()}: {command}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def shown(path: Path) -> str:
    """A path as a person would type it: relative to where they stand, if it is below."""
    path = Path(path)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
