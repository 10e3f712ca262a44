"""What `coinlake watch` does: the turns in this thread, which alone hears Ctrl-C, and the page in another one."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, cast

from coinlake import bronze
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
    currency = str(parameters["vs_currency"])
    html = live_page(TITLE, freshness.ORIGINS[str(parameters["source"])][0], every=every.total_seconds())

    def seen(turn: int) -> None:
        watch.shown(turn)

    def show() -> dict[str, Any]:
        # Nothing here asks Spark: what a lake in a folder holds, its files say.
        lake = Lakehouse(cast(Any, None), CATALOG, str(watch.lake))
        return live_market.build(live_market.read(lake, currency), currency)

    with LivePage(html, seen, port) as page:
        watch = Watch(parameters, every, SystemClock(), page, show, say)
        say(f"The page: {page.address}\nCtrl-C ends the watch.")
        try:
            watch.run(turns)
        finally:
            say(watch.records.summary())
