"""What triggers fire in a span of time: the scheduler of `watch` on a virtual clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from adf_lab.engine import VirtualClock
from adf_lab.journal import Journal
from adf_lab.watch import Firing, Watch

A_DAY = timedelta(days=1)
# Every time of a schedule begins when it comes.
ALL_AT_ONCE = 10**9


def simulate(
    triggers: dict[str, dict],
    run: Callable[[Firing, Callable], Awaitable[str]],
    find: Callable[[str], dict],
    clock: VirtualClock,
    say: Callable[[str], None],
    end: datetime,
) -> Watch:
    """Fire triggers from where the clock stands until `end`, and wait for what runs; the watch that did it.

    `run`, `find` and `say` are those of a Watch; nothing was fired before, and windows from before have succeeded.
    """
    watch = Watch(
        triggers,
        run,
        cache(lambda name: Journal()),
        find,
        clock,
        say,
        span=(clock.now(), end),
        most_at_once=ALL_AT_ONCE,
        longest_sleep=A_DAY,
    )
    clock.run(watch.to_the_end())
    return watch


@dataclass
class Entry:
    """A line about a firing, with what is told of it at its end."""

    text: str
    has_ended: bool = False


@dataclass
class Account:
    """Writes what is fired in the order of the firings, each when it has ended."""

    write: Callable[[str], None]
    _entries: list[Entry] = field(default_factory=list)

    def begin(self, line: str) -> Callable[[list[str]], None]:
        """A firing: its line; what is returned takes the lines of its end."""
        entry = Entry(line)
        self._entries.append(entry)

        def end(lines: list[str]) -> None:
            entry.text = "\n".join([line, *lines])
            entry.has_ended = True
            while self._entries and self._entries[0].has_ended:
                self.write(self._entries.pop(0).text)

        return end

    def say(self, line: str) -> None:
        """A line that stands alone."""
        self.begin(line)([])
