"""What `coinlake watch` does: the turns in this thread, which alone hears Ctrl-C, and the page in another one."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from coinlake import bronze, runtime
from coinlake.clocks import SystemClock
from coinlake.lakehouse import Lakehouse
from coinlake.parameters import Value
from coinlake.reports import live_market
from coinlake.reports.data import freshness
from coinlake.reports.page import live_page
from coinlake_ops.verification import CATALOG
from coinlake_ops.watch.live_page import LivePage
from coinlake_ops.watch.schedule import interval, pace
from coinlake_ops.watch.turns import Watch

DEFAULT_EVERY = "1m"
TITLE = "The market now"


def interval_among(words: Iterable[str]) -> tuple[timedelta, list[str]]:
    """The time between turns that a word EVERY=1m names, a minute without one, and the other words.

    Raises ConfigurationError for a word EVERY that names none.
    """
    words = list(words)
    named = [word for word in words if word.partition("=")[0].strip().lower() == "every"]
    text = named[-1].partition("=")[2] if named else DEFAULT_EVERY
    return interval(text), [word for word in words if word not in named]


def shower(lake_path: str | Path, vs_currency: str) -> Callable[[], dict[str, Any]]:
    """What reads the data of the page from the gold of a lake in a folder, at the moment when it is called."""
    # Nothing here asks Spark: what such a lake holds, its files say.
    lake = Lakehouse(cast(Any, None), CATALOG, str(lake_path))
    return lambda: live_market.build(live_market.read(lake, vs_currency), vs_currency)


def run(
    parameters: dict[str, Value],
    every: timedelta,
    port: int,
    turns: int | None,
    say: Callable[[str], None],
) -> None:
    """Watch until Ctrl-C, or for so many turns; `say` gets what a person reads, a line at a time.

    Raises CoinlakeError when the page's port is taken.
    """
    every, limits = pace(bronze.Settings.of(parameters), every)
    say(limits)
    html = live_page(TITLE, freshness.ORIGINS[str(parameters["source"])][0], every=every.total_seconds())
    show = shower(runtime.resolve_path(str(parameters["lake_path"])), str(parameters["vs_currency"]))

    with LivePage(html, lambda turn: watch.shown(turn), port) as page:
        watch = Watch(parameters, every, SystemClock(), page, show, say)
        say(f"The page: {page.address}\nCtrl-C ends the watch.")
        try:
            watch.run(turns)
        finally:
            say(watch.records.summary())
