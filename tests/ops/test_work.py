"""What Spark did is counted from its events, for the notebook and the table that it was done for."""

import re
from pathlib import Path

import pytest

from coinlake_ops.dev import bench, work

SESSION = "e2a574f9-7409-4e66-84f3-c7af4336b865"


def tag(notebook: str, operation: str) -> str:
    return f"SparkConnect_OperationTag_User_{notebook}_Session_{SESSION}_Operation_{operation}"


def execution(number: int, root: int, tags: list[str], plan: str) -> dict:
    return {
        "Event": "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",
        "executionId": number,
        "rootExecutionId": root,
        "description": "Spark Connect - session_id",
        "physicalPlanDescription": plan,
        "jobTags": tags,
    }


def job(number: int, stages: list[int], properties: dict[str, str]) -> dict:
    return {"Event": "SparkListenerJobStart", "Job ID": number, "Stage IDs": stages, "Properties": properties}


GOLD, SETUP = tag("04_build_gold", "268471a6"), tag("00_setup", "1910315f")
MARKET = "Scan parquet delta.`file:/lake/tables/aggregated_data/market_daily`"
# Trimmed from a log of Spark 4: a merge is an execution within an execution, whose jobs name the inner one.
EVENTS = [
    {"Event": "SparkListenerLogStart", "Spark Version": "4.1.4"},
    {
        "Event": "org.apache.spark.sql.connect.service.SparkListenerConnectOperationStarted",
        "jobTag": SETUP,
        "userId": "00_setup",
    },
    execution(0, 0, [SETUP], "== Physical Plan ==\nDescribeNamespace (1)"),
    {
        "Event": "org.apache.spark.sql.connect.service.SparkListenerConnectOperationStarted",
        "jobTag": GOLD,
        "userId": "04_build_gold",
    },
    execution(10, 10, [GOLD], MARKET),
    execution(12, 10, [GOLD], "LocalTableScan"),
    job(0, [0, 1], {"spark.job.tags": f"{GOLD},spark-session", "spark.sql.execution.id": "12"}),
    {"Event": "SparkListenerTaskEnd", "Stage ID": 0},
    {"Event": "SparkListenerTaskEnd", "Stage ID": 1},
    job(1, [2], {"spark.job.tags": f"{SETUP},spark-session"}),
    {"Event": "SparkListenerTaskEnd", "Stage ID": 2},
    job(2, [3], {}),
]


def test_each_event_counts_for_its_notebook_and_its_table():
    works = work.of_events(EVENTS)
    assert works == [
        work.Work("04_build_gold", "aggregated_data.market_daily", executions=2, jobs=1, tasks=2),
        work.Work("00_setup", "-", executions=1, jobs=1, tasks=1, operations=1),
        work.Work("-", "-", jobs=1),
        work.Work("04_build_gold", "-", operations=1),
    ]
    assert work.total(works) == work.Work("all", "-", executions=3, jobs=3, tasks=3, operations=2)
    assert [line.split() for line in work.lines(works[:1])] == [
        ["notebook", "table", "executions", "jobs", "tasks", "operations"],
        ["04_build_gold", "aggregated_data.market_daily", "2", "1", "2", "0"],
    ]


@pytest.mark.whole
@pytest.mark.connect
def test_a_run_asks_of_spark_what_the_readme_says(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| (first|repeated|an hour later) \| ([\d, |]+) \|$", readme, re.MULTILINE)
    expected = {name: [int(count.replace(",", "")) for count in counts.split("|")] for name, counts in said}
    assert expected.keys() == bench.RUNS.keys()
    for name, overrides in bench.RUNS.items():
        done = work.total(bench.count_work(tmp_path / "lake", tmp_path / name.replace(" ", "_"), *overrides))
        found = [done.executions, done.jobs, done.tasks, done.operations]
        # How many wait for one another in a moment makes a few more or less.
        assert found == pytest.approx(expected[name], rel=0.05, abs=3), name
