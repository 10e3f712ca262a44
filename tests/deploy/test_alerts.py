"""Alerts that fire: each is asked with rows that are right and rows that are not."""

import operator
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
import sqlglot

from coinlake import schema
from coinlake_ops.azure import template as arm
from coinlake_ops.deploy.resources.alerts import watches
from coinlake_ops.deploy.resources.azure_resources import AzureResources, Watching
from tests.support import environment

OPERATORS = {
    "GREATER_THAN": operator.gt,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
}
NOW = datetime(2026, 12, 15, 12, tzinfo=UTC)


@pytest.fixture
def resources(net, root):
    """The template's resources with the values of dev."""
    parameters = AzureResources(environment.clients(root)).parameters()
    return arm.resources(arm.read(), parameters, environment.DEV.group_id)


def criterion(resources, kind):
    [alert] = [one.content["properties"] for one in resources if one.type == kind]
    [found] = alert["criteria"]["allOf"]
    assert alert["enabled"] is True
    return found


def fires(criterion: dict, value: float) -> bool:
    """Whether one evaluation of an alert's criterion fires at a measured value. Source: Azure Monitor."""
    periods = criterion.get("failingPeriods", {"minFailingPeriodsToAlert": 1})
    return OPERATORS[criterion["operator"]](value, criterion["threshold"]) and (
        periods["minFailingPeriodsToAlert"] == 1
    )


# Azure Monitor


def test_the_alert_of_failed_runs_fires_at_the_first_one(resources):
    found = criterion(resources, "Microsoft.Insights/metricAlerts")
    assert (found["metricName"], found["timeAggregation"]) == ("PipelineFailedRuns", "Total")
    assert [fires(found, failed) for failed in (0, 1, 2)] == [False, True, True]


def rows_of(query: str, tables: dict[str, list[dict]]) -> list[dict]:
    """The rows that a query of Kusto lets pass: a table, and filters of equalities and one age."""
    name, *filters = [part.strip() for part in query.split(" | ")]
    rows = tables[name]
    for text in filters:
        for condition in text.removeprefix("where ").split(" and "):
            equal = re.fullmatch(r"(\w+) == '(\w+)'", condition)
            newer = re.fullmatch(r"TimeGenerated > ago\((\d+)h\)", condition)
            if equal:
                rows = [row for row in rows if row[equal[1]] == equal[2]]
            else:
                rows = [row for row in rows if row["TimeGenerated"] > NOW - timedelta(hours=int(newer[1]))]
    return rows


def run(hours_ago, status="Succeeded", pipeline="pl_main"):
    return {"PipelineName": pipeline, "Status": status, "TimeGenerated": NOW - timedelta(hours=hours_ago)}


@pytest.mark.parametrize(
    ("runs", "late"),
    [
        ([run(1)], False),
        ([run(25)], False),
        ([run(27)], True),
        ([], True),
        ([run(1, status="Failed")], True),
        ([run(1, pipeline="pl_ingest")], True),
        ([run(1, status="Failed"), run(2)], False),
    ],
)
def test_the_alert_of_stale_data_fires_when_the_main_pipeline_has_not_succeeded_in_time(resources, runs, late):
    found = criterion(resources, "Microsoft.Insights/scheduledQueryRules")
    assert found["timeAggregation"] == "Count"
    assert fires(found, len(rows_of(found["query"], {"ADFPipelineRun": runs}))) is late


@pytest.mark.parametrize("running", [(), ("minutes",)])
def test_where_no_trigger_runs_nobody_is_told_that_nothing_runs(net, root, running):
    described = replace(environment.DEV, running_triggers=running)
    parameters = Watching(environment.clients(root, described)).parameters()
    [alert] = [
        one.content["properties"]
        for one in arm.resources(arm.read(), parameters, environment.DEV.group_id)
        if one.type == "Microsoft.Insights/scheduledQueryRules"
    ]
    assert alert["enabled"] is False


@pytest.mark.parametrize("kind", ["Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules"])
def test_an_alert_writes_to_the_address_of_the_environment(resources, kind):
    made = {one.type: one for one in resources}
    group = made["Microsoft.Insights/actionGroups"]
    assert group.id in str(made[kind].content["properties"]["actions"])
    assert group.content["properties"]["emailReceivers"] == [
        {"name": "platform", "emailAddress": "data@example.org", "useCommonAlertSchema": True}
    ]


# Columns of the tables in which the logs arrive. Source: Azure Monitor reference, table by table.
LOGS = {
    "ADFPipelineRun": {"PipelineName", "Status", "FailureType", "TimeGenerated"},
    "ADFActivityRun": {"PipelineName", "ActivityName", "Status", "Start", "End", "TimeGenerated"},
    "DatabricksJobs": {"ActionName", "RequestParams", "Response", "TimeGenerated"},
    "StorageBlobLogs": {"OperationName", "RequesterObjectId", "TimeGenerated"},
    "AzureDiagnostics": {
        *("ResourceProvider", "OperationName", "Category", "identity_claim_appid_g", "CallerIPAddress"),
        *("error_number_d", "Message", "TimeGenerated"),
    },
}


def test_saved_queries_ask_for_columns_that_the_logs_have(resources):
    saved = [one.content["properties"] for one in resources if one.type.endswith("/savedSearches")]
    assert len(saved) == len({one["displayName"] for one in saved}) == 6
    for one in saved:
        table, *steps = one["query"].split(" | ")
        known = set(LOGS[table])
        for step in steps:
            words = re.sub(r"'[^']*'", "", step)
            made = set(re.findall(r"(\w+) = ", words))
            used = {word for word in re.findall(r"\b[A-Za-z]\w+", words) if word[0].isupper() or "_" in word}
            assert used - made - {"datetime_diff"} <= known, step
            known |= made


# Databricks


def answer(watch, **tables) -> float | None:
    """What the query of an alert gives on literal rows."""
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA aggregated_data")
    for name, rows in tables.items():
        connection.register("arriving", pa.Table.from_pylist(rows))
        connection.execute(f"CREATE TABLE aggregated_data.{name} AS SELECT * FROM arriving")
    query = "\n".join(watch.query).replace("c.aggregated_data", "aggregated_data")
    (row,) = connection.execute(sqlglot.transpile(query, read="databricks", write="duckdb")[0]).fetchall()
    return row[0]


def ago(hours):
    return datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=hours)


LATE, QUARANTINE, FAILED = watches("c")
STEP = {"step": "03_stream_to_silver", "rows_read": 1000}
RIGHT_AND_WRONG = {
    "late tables": (
        LATE,
        {"freshness": [{"as_of": ago(1), "sla_hours": 26.0}, {"as_of": None, "sla_hours": 26.0}]},
        {"freshness": [{"as_of": ago(1), "sla_hours": 26.0}, {"as_of": ago(27), "sla_hours": 26.0}]},
    ),
    "quarantine": (
        QUARANTINE,
        {
            "run_steps": [
                STEP | {"started_at": ago(9), "rows_rejected": 900},
                STEP | {"started_at": ago(1), "rows_rejected": 50},
            ]
        },
        {"run_steps": [STEP | {"started_at": ago(1), "rows_rejected": 51}]},
    ),
    "failed runs": (
        FAILED,
        {
            "pipeline_runs": [
                {"status": "succeeded", "started_at": ago(1)},
                {"status": "running", "started_at": ago(1)},
                {"status": "failed", "started_at": ago(49)},
            ]
        },
        {"pipeline_runs": [{"status": "incomplete", "started_at": ago(2)}]},
    ),
}


@pytest.mark.parametrize("case", RIGHT_AND_WRONG)
def test_an_alert_on_the_data_fires_when_it_should(case):
    watch, right, wrong = RIGHT_AND_WRONG[case]
    assert [answer(watch, **rows) > watch.above for rows in (right, wrong)] == [False, True]


def test_a_pipeline_that_never_ran_is_no_alert():
    empty = [STEP | {"started_at": ago(1), "rows_rejected": 0, "rows_read": 0}]
    assert answer(QUARANTINE, run_steps=empty) is None


def test_alerts_ask_with_the_pipelines_rights_every_morning_and_write_to_the_environments_address(deployed, root):
    pipeline = environment.clients(root).factory_application_id
    made = {one["display_name"]: one for one in deployed.fakes["workspace"].state["alerts"].values()}
    assert [*made] == ["coinlake late tables", "coinlake quarantine", "coinlake failed runs"]
    for alert in made.values():
        assert alert["run_as"] == {"service_principal_name": pipeline}
        assert alert["evaluation"]["comparison_operator"] == "GREATER_THAN"
        assert alert["evaluation"]["notification"]["subscriptions"] == [{"user_email": "data@example.org"}]
        assert alert["schedule"] == {
            "quartz_cron_schedule": "0 0 6 * * ?",
            "timezone_id": "UTC",
            "pause_status": "UNPAUSED",
        }
    assert made["coinlake quarantine"]["evaluation"]["threshold"] == {"value": {"double_value": 0.05}}
    assert {table.qualified_name for table in schema.TABLES} >= {
        name.removeprefix("coinlake_dev.")
        for one in made.values()
        for name in re.findall(r"FROM (\S+)", one["query_text"])
    }


def test_a_job_that_fails_or_takes_long_writes_to_the_same_address(deployed):
    for job in deployed.fakes["workspace"].state["jobs"].values():
        assert job["settings"]["email_notifications"] == {
            "on_failure": ["data@example.org"],
            "on_duration_warning_threshold_exceeded": ["data@example.org"],
        }
        assert job["settings"]["health"] == {
            "rules": [{"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 7200}]
        }
