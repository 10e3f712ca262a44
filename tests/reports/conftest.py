"""Reports over the gold of the random walk, made once."""

from datetime import UTC, datetime

import pytest

from coinlake.lakehouse import Lakehouse
from coinlake.reports import market_trends, pipeline_health, price_averages
from tests.support import gold_frames

BUILT_AT = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
MODULES = {module.NAME: module for module in (market_trends, price_averages, pipeline_health)}


def lake(frames):
    """A lakehouse of these gold tables, in DuckDB."""
    return Lakehouse(gold_frames.Catalog(frames), "spark_catalog", "/Volumes/spark_catalog/raw_data/lake")


def built(name, frames, **changes):
    """The report of this name over gold tables, read through DuckDB."""
    module = MODULES[name]
    gold = module.read(lake(frames))
    return module.build(gold, built_at=BUILT_AT, run_id="20260812T142200Z-00000000", **changes)


@pytest.fixture(scope="session")
def tables():
    """Gold tables: ten coins, 400 days, one coin with three days of history."""
    return gold_frames.gold(young={"pepe": 3})


@pytest.fixture(scope="session")
def gold(tables):
    """The frames of the two market reports."""
    opened = lake(tables)
    return {name: MODULES[name].read(opened) for name in MODULES}


@pytest.fixture(scope="session")
def reports(tables):
    """All three reports by name."""
    return {name: built(name, tables) for name in MODULES}
