"""Two clocks for the engine: the machine's own, and a virtual one that skips every wait.

Both run one event loop. On the virtual clock time moves only when everything waits, straight to the next
moment that something waits for; so a run of hours takes milliseconds and comes out the same every time.
"""

import asyncio
import selectors
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from adf_lab.errors import AdfLabError

MOST_THREADS = 64


class RealClock:
    """The machine's clock; blocking work runs in threads, so parallel branches really are parallel."""

    def run(self, coroutine):
        """Run a coroutine to its end and return its result.

        Ctrl-C cancels it where it waits, and is raised as KeyboardInterrupt when it has ended.
        """
        return asyncio.run(self._with_threads(coroutine))

    async def _with_threads(self, coroutine):
        with _cancelled_by_ctrl_c(), ThreadPoolExecutor(MOST_THREADS) as threads:
            asyncio.get_running_loop().set_default_executor(threads)
            return await coroutine

    def now(self):
        """The current time, aware, in UTC."""
        return datetime.now(UTC)

    async def call(self, function, *arguments):
        """Call a blocking function in a thread of its own."""
        return await asyncio.to_thread(function, *arguments)


@contextmanager
def _cancelled_by_ctrl_c():
    """While inside, a handler of Ctrl-C or SIGTERM that raises KeyboardInterrupt cancels this task instead.

    asyncio does so by itself where nobody has set a handler. Raised amid a step of whatever task runs just then,
    it would leave things half done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    before = {number: handler for number, handler in found.items() if callable(handler)}
    interrupted = False

    def handle(number, frame):
        nonlocal interrupted
        try:
            before[number](number, frame)
        except KeyboardInterrupt:
            if task.cancelling():
                # Somebody does not want to wait for what runs in threads.
                raise
            interrupted = True
            loop.call_soon_threadsafe(task.cancel)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class VirtualClock:
    """A clock that starts where it is told and moves only by waiting; blocking work takes no time on it."""

    def __init__(self, start=datetime(2026, 1, 1, tzinfo=UTC)):
        self.start = start
        self._loop = None

    def run(self, coroutine):
        """Run a coroutine to its end and return its result; the clock goes on from where it stands."""
        loop = self._loop = _VirtualLoop()
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                return runner.run(coroutine)
        finally:
            self.start += timedelta(seconds=loop.time())
            self._loop = None

    def now(self):
        """The current virtual time, aware, in UTC."""
        # Sums of fractions of seconds are not exact.
        return self.start + timedelta(milliseconds=round(self._loop.time() * 1000) if self._loop else 0)

    async def call(self, function, *arguments):
        """Call a blocking function at once."""
        return function(*arguments)


class _VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a number that its selector moves."""

    def __init__(self):
        self.elapsed = 0.0
        super().__init__(_Skipper(self))
        # After some months a float has no nanoseconds: what is due exactly now would never be.
        self._clock_resolution = 1e-6

    def time(self):
        return self.elapsed


class _Skipper(selectors.DefaultSelector):
    """A selector that moves the loop's time instead of waiting."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise AdfLabError("The virtual clock has nothing left to wait for, yet the run has not ended.")
        if not ready:
            self.loop.elapsed += timeout
        return ready
