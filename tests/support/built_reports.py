"""Reports over the gold of the random walk."""

from datetime import UTC, datetime

from coinlake import Lakehouse
from coinlake.reports import coins, market_trends, pipeline_health, price_averages
from tests.support import gold_frames

BUILT_AT = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
MODULES = {module.NAME: module for module in (market_trends, price_averages, pipeline_health)}
ALL = MODULES | {coins.NAME: coins}


def lake(frames):
    """A lakehouse of these gold tables, in DuckDB; their names are the catalog's, as on a volume."""
    return Lakehouse(gold_frames.Catalog(frames), "spark_catalog", "/Volumes/spark_catalog/raw_data/lake")


def built(name, frames, **changes):
    """The report of this name over gold tables, read through DuckDB."""
    module = ALL[name]
    gold = module.read(lake(frames))
    return module.build(gold, built_at=BUILT_AT, run_id="20260812T142200Z-0000000b", **changes)
