"""A Databricks dashboard (AI/BI) of the pipeline itself: its runs, how fresh tables are, what it costs.

Runs and freshness come from the pipeline's own tables, jobs and money from Databricks' system tables, on which an
administrator of the account gives readers SELECT.
Source: Databricks documentation, "Jobs system table reference", "Billable usage system table reference".
"""

import json
from typing import Any

from coinlake.schema import FRESHNESS, PIPELINE_RUNS, QUARANTINE_DAILY, RUN_STEPS, Table
from coinlake_ops.bi import widgets

DAYS = 30
MEANINGS = {
    "day": "UTC day",
    "date": "UTC day",
    "minutes": "minutes of a run, from the first start to the last end",
    "step": "notebook",
    "seconds": "seconds, mean of the last 30 days",
    "hours": "hours since the newest instant in the table",
    "table_name": "schema and table",
    "records": "records that silver quarantined",
    "runs": "runs of jobs in this workspace that did not succeed",
    "dollars": "US dollars at list price, of this project's tag",
}


def document(catalog: str = "") -> dict[str, Any]:
    """The content of the dashboard file; with a catalog its tables are named in full."""

    def name(table: Table) -> str:
        return table.full_name(catalog) if catalog else table.qualified_name

    since = f"CURRENT_DATE() - INTERVAL {DAYS} DAYS"
    datasets = {
        "runs": (
            "Runs of the pipeline",
            "SELECT started_at AS day, run_id, status, seconds / 60 AS minutes, rows_written, rows_rejected",
            f"FROM {name(PIPELINE_RUNS)}",
            f"WHERE started_at >= {since}",
            "ORDER BY started_at DESC",
        ),
        "steps": (
            "Notebooks",
            "SELECT step, AVG(seconds) AS seconds",
            f"FROM {name(RUN_STEPS)}",
            f"WHERE started_at >= {since} AND status = 'succeeded'",
            "GROUP BY step",
        ),
        "freshness": (
            "Freshness",
            "SELECT table_name, rows, sla_hours, as_of,",
            "    TIMESTAMPDIFF(MINUTE, as_of, CURRENT_TIMESTAMP()) / 60 AS hours",
            f"FROM {name(FRESHNESS)}",
        ),
        "quarantine": (
            "Quarantine",
            "SELECT date, SUM(records) AS records",
            f"FROM {name(QUARANTINE_DAILY)}",
            f"WHERE date >= {since}",
            "GROUP BY date",
        ),
        "jobs": (
            "Jobs that did not succeed",
            "SELECT CAST(period_end_time AS DATE) AS day, COUNT(DISTINCT run_id) AS runs",
            "FROM system.lakeflow.job_run_timeline",
            f"WHERE period_end_time >= {since} AND result_state IS NOT NULL AND result_state <> 'SUCCEEDED'",
            "GROUP BY CAST(period_end_time AS DATE)",
        ),
        "cost": (
            "Cost",
            "SELECT used.usage_date AS day, SUM(used.usage_quantity * price.pricing.default) AS dollars",
            "FROM system.billing.usage AS used",
            "INNER JOIN system.billing.list_prices AS price",
            "    ON price.sku_name = used.sku_name AND price.cloud = used.cloud",
            "    AND used.usage_start_time >= price.price_start_time",
            "    AND (price.price_end_time IS NULL OR used.usage_start_time < price.price_end_time)",
            f"WHERE used.usage_date >= {since} AND used.custom_tags['project'] = 'coinlake'",
            "GROUP BY used.usage_date",
        ),
    }
    columns = ("day", "status", "minutes", "rows_written", "rows_rejected", "run_id")
    late = ("table_name", "hours", "sla_hours", "rows", "as_of")
    return {
        "datasets": [widgets.dataset(key, title, query) for key, (title, *query) in datasets.items()],
        "pages": [
            widgets.page(
                "runs",
                "Runs",
                [
                    widgets.chart("line", "runs", "day", "minutes", "How long runs take", MEANINGS, (0, 0, 3, 6)),
                    widgets.chart(
                        "bar", "steps", "step", "seconds", "Where the time goes", MEANINGS, (3, 0, 3, 6)
                    ),
                    widgets.chart("line", "jobs", "day", "runs", "Failed jobs", MEANINGS, (0, 6, 3, 6)),
                    widgets.chart("line", "cost", "day", "dollars", "Databricks by day", MEANINGS, (3, 6, 3, 6)),
                    widgets.listing("latest", "runs", columns, "The newest runs", "newest first", (0, 12, 6, 8)),
                ],
            ),
            widgets.page(
                "data",
                "Data",
                [
                    widgets.listing("tables", "freshness", late, "How fresh", MEANINGS["hours"], (0, 0, 6, 8)),
                    widgets.chart(
                        "line", "quarantine", "date", "records", "Quarantine by day", MEANINGS, (0, 8, 6, 6)
                    ),
                ],
            ),
        ],
    }


def text() -> str:
    """The dashboard file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
