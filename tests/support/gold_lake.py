"""The tables of gold that are a function of silver, and what a lake holds in them."""

from coinlake import schema
from tests.support.silver_frames import values

ABOUT_RUNS = {"run_steps", "pipeline_runs", "api_usage", "freshness", "quarantine_daily", "gold_progress"}
STAR_AND_AGGREGATES = [
    table for table in schema.TABLES if table.schema == schema.AGGREGATED and table.name not in ABOUT_RUNS
]


def contents(lake) -> dict[str, list[tuple]]:
    """Table name -> all rows, sorted."""
    return {table.name: values(lake.table(table).read()) for table in STAR_AND_AGGREGATES}
