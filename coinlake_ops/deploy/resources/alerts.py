"""Alerts on the data itself, whoever ran the pipeline: Databricks SQL asks the tables once a day and writes mail.

An evaluation wakes the SQL warehouse, which costs money until it pauses: hence once a day, all in one minute.
Source: Databricks REST API, Alerts V2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from databricks.sdk.service.sql import AlertV2

from coinlake import observability, schema
from coinlake_ops.deploy import permissions, sql_warehouse
from coinlake_ops.deploy.needed import needed
from coinlake_ops.deploy.pruning import restricted
from coinlake_ops.deploy.resources.notebooks import FOLDER
from coinlake_ops.deploy.resources.part import Change, ItemsPart
from coinlake_ops.desired_state import Item

# Quartz: seconds, minutes, hours, day of the month, month, day of the week.
EVERY_MORNING = "0 0 6 * * ?"


@dataclass(frozen=True)
class Watch:
    """What an alert asks: a query of one number, and above which it fires."""

    name: str
    meaning: str
    query: tuple[str, ...]
    column: str
    above: float


def watches(catalog: str) -> tuple[Watch, ...]:
    """The alerts over the tables of a catalog; the limits are those of the pipeline's own alerts."""

    def name(table: schema.Table) -> str:
        return table.full_name(catalog)

    return (
        Watch(
            "coinlake late tables",
            "Tables whose newest row is older than promised. Look at notebook 08, then at the runs.",
            (
                "SELECT COUNT(*) AS late",
                f"FROM {name(schema.FRESHNESS)}",
                "WHERE TIMESTAMPDIFF(MINUTE, as_of, CURRENT_TIMESTAMP()) > 60 * sla_hours",
            ),
            "late",
            0,
        ),
        Watch(
            "coinlake quarantine",
            "The share of records that silver quarantined in its newest run. Look at cleaned_data.quarantine.",
            (
                "SELECT MAX_BY(rows_rejected / rows_read, started_at) AS share",
                f"FROM {name(schema.RUN_STEPS)}",
                "WHERE step = '03_stream_to_silver' AND rows_read > 0",
            ),
            "share",
            observability.alerts.QUARANTINE_RATE,
        ),
        Watch(
            "coinlake failed runs",
            "Runs since yesterday that failed, were interrupted, or lack a step, in the factory or as a job.",
            (
                "SELECT COUNT(*) AS runs",
                f"FROM {name(schema.PIPELINE_RUNS)}",
                "WHERE status IN ('failed', 'interrupted', 'incomplete')",
                "    AND TIMESTAMPDIFF(HOUR, started_at, CURRENT_TIMESTAMP()) < 24",
            ),
            "runs",
            0,
        ),
    )


class Alerts(ItemsPart):
    """One alert for each watch, which runs with the pipeline's rights and writes to the environment's address."""

    name = "alerts"
    purpose = "Databricks: alerts on late tables, quarantine and failed runs"

    def desired(self) -> list[Item]:
        """See ItemsPart."""
        return [
            Item("alert", watch.name, self._content(watch))
            for watch in watches(str(self._clients.parameters["catalog"]))
        ]

    def live(self) -> list[Item]:
        """See ItemsPart."""
        if self._clients.workspace() is None:
            return []
        wanted, found = {item.name: item for item in self.desired()}, []
        for alert in self._ours():
            name = needed(alert.display_name, "name of an alert")
            shown = alert.as_dict()
            content = restricted(shown, wanted[name].content) if name in wanted else shown
            found.append(Item("alert", name, content))
            found += permissions.live(self._clients, "alert", name, needed(alert.id, f"id of the alert {name}"))
        return found

    def put(self, item: Item, before: Item | None) -> None:
        """See ItemsPart."""
        api = self._clients.needed_workspace().alerts_v2
        warehouse = sql_warehouse.needed_id(self._clients.needed_workspace())
        alert = AlertV2.from_dict(item.content | {"warehouse_id": warehouse})
        if before is None:
            alert.parent_path = f"/Workspace{FOLDER}"
            api.create_alert(alert)
        else:
            api.update_alert(self._id(item.name), alert, ",".join(item.content))

    def remove(self, item: Item) -> None:
        """See ItemsPart."""
        if item.kind == "alert":
            self._clients.needed_workspace().alerts_v2.trash_alert(self._id(item.name))
        else:
            nobody = Item(item.kind, item.name, {})
            permissions.give(self._clients.needed_workspace(), nobody, self._id(item.name))

    def removals(self) -> list[Change]:
        """See Part."""
        return [change for change in super().removals() if change.kind == "alert"]

    def _content(self, watch: Watch) -> dict[str, Any]:
        return {
            "display_name": watch.name,
            "custom_description": watch.meaning,
            "query_text": "\n".join(watch.query),
            "evaluation": {
                "source": {"name": watch.column},
                "comparison_operator": "GREATER_THAN",
                "threshold": {"value": {"double_value": watch.above}},
                "empty_result_state": "OK",
                "notification": {
                    "notify_on_ok": True,
                    "subscriptions": [{"user_email": self._clients.environment.alert_email}],
                },
            },
            "schedule": {
                "quartz_cron_schedule": EVERY_MORNING,
                "timezone_id": "UTC",
                "pause_status": "UNPAUSED",
            },
            "run_as": {"service_principal_name": self._clients.factory_application_id},
        }

    def _ours(self) -> Iterator[AlertV2]:
        """The alerts that are called as a deployment calls them; others are people's own."""
        api = self._clients.needed_workspace().alerts_v2
        names = {watch.name for watch in watches(str(self._clients.parameters["catalog"]))}
        return (api.get_alert(needed(one.id, "id")) for one in api.list_alerts() if one.display_name in names)

    def _id(self, name: str) -> str:
        found = next((alert.id for alert in self._ours() if alert.display_name == name), None)
        return needed(found, f"alert {name}")
