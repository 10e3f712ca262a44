"""A short watch as it is: two turns over a small simulated market, with Spark, kernels, page and all."""

from datetime import UTC, datetime, timedelta

import pytest

from coinlake import schema
from coinlake.clocks import SystemClock
from coinlake.lakehouse import Lakehouse
from coinlake_ops import parameter_files
from coinlake_ops.watch import Watch, command

pytestmark = [pytest.mark.whole, pytest.mark.connect, pytest.mark.processes]


class NeverWaiting(SystemClock):
    """The machine's time, but for waits, which are over at once."""

    waited = timedelta(0)

    def now(self):
        return datetime.now(UTC) + self.waited

    def sleep(self, seconds):
        self.waited += timedelta(seconds=seconds)


class Page:
    """Remembers what it is given."""

    def __init__(self):
        self.shown = []

    def publish(self, **changes):
        self.shown.append(changes)


def test_two_turns_bring_two_minutes_of_the_market_to_the_page(tmp_path):
    words = [f"LAKE_PATH={tmp_path / 'lake'}", "COINS=5", "HISTORY_COINS=2", "HISTORY_DAYS=40"]
    values, page = parameter_files.load("local", words), Page()
    said = []
    show = command.shower(tmp_path / "lake", "usd")
    watch = Watch(values, timedelta(minutes=1), NeverWaiting(), page, show, said.append)
    watch.run(2)
    assert ["failed" in line for line in said] == [False, False], said
    assert [(shown["turn"], shown["at"], len(shown["coins"])) for shown in page.shown] == [
        (1, "12 Aug 2026 14:22 UTC", 5),
        (2, "12 Aug 2026 14:23 UTC", 5),
    ]
    assert all(coin["line"] for coin in page.shown[1]["coins"])
    lake = Lakehouse(None, "spark_catalog", str(tmp_path / "lake"))
    assert lake.table(schema.FACT_MARKET_SNAPSHOT).rows() == 10
    assert lake.table(schema.MARKET_NOW).rows() == 5
    assert (tmp_path / "lake/reports/market_trends.html").exists()
