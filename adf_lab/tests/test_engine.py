"""What the engine does beside the vectors: records, secrets, clocks, refusals."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from adf_lab import (
    ActivityFailure,
    AdfLabError,
    Engine,
    RealClock,
    Script,
    VirtualClock,
    parse_faults,
    walk,
    with_faults,
)
from adf_lab.engine import find_cycle
from adf_support.factories import after, expression

START = datetime(2026, 8, 12, 14, 0, tzinfo=UTC)


def pipelines(*activities, **properties):
    return {"pl": {"name": "pl", "properties": {"activities": list(activities), **properties}}}


def work(name, *dependencies, **more):
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": {}, **more}


def loop(*activities, items="@range(0,4)", **properties):
    return {
        "name": "loop",
        "type": "ForEach",
        "typeProperties": {"items": expression(items), "activities": list(activities), **properties},
    }


def play(documents, script=None, parameters=None, **options):
    ids = iter(range(10**6))
    options = {"clock": VirtualClock(START), "new_id": lambda: f"id-{next(ids)}"} | options
    return Engine(documents, Script(script or {}).executors(["Copy"]), **options).run("pl", parameters)


def failure(code="E", message="no"):
    return {"status": "Failed", "error": {"errorCode": code, "message": message}}


def test_the_record_of_a_run_is_plain_data():
    script = {"load": [{**failure(), "durationSeconds": 2}, {"status": "Succeeded", "output": {"rows": 1}}]}
    activity = work(
        "load",
        policy={"retry": 1, "retryIntervalInSeconds": 30},
        userProperties=[{"name": "day", "value": "@{1}"}],
    )
    assert play(pipelines(activity), script).as_dict() == {
        "runId": "id-0",
        "pipelineName": "pl",
        "status": "Succeeded",
        "runStart": "2026-08-12T14:00:00Z",
        "runEnd": "2026-08-12T14:00:32Z",
        "parameters": {},
        "invokedBy": {
            "DataFactory": "local",
            "Pipeline": "pl",
            "RunId": "id-0",
            "TriggerType": "Manual",
            "TriggerId": "id-0",
            "TriggerName": "Manual",
            "TriggerTime": "2026-08-12T14:00:00.0000000Z",
            "GroupId": "id-0",
        },
        "variables": {},
        "message": "",
        "activityRuns": [
            {
                "activityRunId": "id-1",
                "activityName": "load",
                "activityType": "Copy",
                "pipelineName": "pl",
                "status": "Succeeded",
                "activityRunStart": "2026-08-12T14:00:00Z",
                "activityRunEnd": "2026-08-12T14:00:32Z",
                "attempts": [
                    {
                        "start": "2026-08-12T14:00:00Z",
                        "end": "2026-08-12T14:00:02Z",
                        "status": "Failed",
                        "error": {
                            "errorCode": "E",
                            "message": "no",
                            "failureType": "UserError",
                            "target": "load",
                            "details": "",
                        },
                    },
                    {
                        "start": "2026-08-12T14:00:32Z",
                        "end": "2026-08-12T14:00:32Z",
                        "status": "Succeeded",
                        "error": None,
                    },
                ],
                "input": {},
                "output": {"rows": 1},
                "error": None,
                "item": None,
                "iteration": None,
                "userProperties": {"day": "1"},
                "children": [],
                "pipelineRun": None,
            }
        ],
    }


def test_secured_values_work_but_are_not_recorded():
    documents = pipelines(
        work("key", policy={"secureOutput": True}),
        {
            "name": "keep",
            "type": "SetVariable",
            "dependsOn": [after("key")],
            "policy": {"secureInput": True, "secureOutput": True},
            "typeProperties": {"variableName": "v", "value": expression("@activity('key').output.value")},
        },
        variables={"v": {"type": "String"}},
    )
    run = play(documents, {"key": [{"status": "Succeeded", "output": {"value": "s3cret"}}]})
    assert run.variables == {"v": "s3cret"}
    assert run.as_dict()["variables"] == {"v": "*** secured ***"}
    assert "s3cret" not in str(run.as_dict())


def test_two_runs_on_the_virtual_clock_are_the_same():
    documents = pipelines(loop(work("load"), batchCount=2))
    script = {"load": {"byItem": [{"item": 1, "results": [{"status": "Succeeded", "durationSeconds": 5}]}]}}
    assert play(documents, script).as_dict() == play(documents, script).as_dict()


def test_iterations_run_at_once_up_to_batch_count_on_the_real_clock():
    together = threading.Barrier(4, timeout=10)

    def execute(call):
        together.wait()
        return {"item": call.context.item}

    engine = Engine(pipelines(loop(work("load"), batchCount=4)), {"Copy": execute}, RealClock())
    run = engine.run("pl")
    assert run.status == "Succeeded"
    assert sorted(found.output["item"] for found in run.activities[0].children) == [0, 1, 2, 3]


def test_ten_thousand_iterations():
    run = play(pipelines(loop(work("load"), items="@range(0,10000)", batchCount=50)))
    assert run.status == "Succeeded"
    assert [found.item for found in run.activities[0].children] == list(range(10_000))


def test_a_timed_out_attempt_is_tried_again():
    activity = work("load", policy={"timeout": "0.00:10:00", "retry": 1, "retryIntervalInSeconds": 60})
    slow = {"status": "Succeeded", "durationSeconds": 3600}
    run = play(pipelines(activity), {"load": [slow, {"status": "Succeeded"}]})
    assert run.status == "Succeeded"
    assert run.end - run.start == timedelta(minutes=11)
    assert run.activities[0].attempts[0].error["errorCode"] == "Timeout"


def test_until_gives_up_when_its_time_is_up_and_cancels_what_runs():
    until = {
        "name": "loop",
        "type": "Until",
        "typeProperties": {"expression": "@equals(1, 2)", "timeout": "00:10:00", "activities": [work("load")]},
    }
    run = play(pipelines(until), {"load": [{"status": "Succeeded", "durationSeconds": 240}]})
    assert run.message == "Operation on target loop failed: The condition was not met within 0:10:00."
    assert [found.status for found in run.activities[0].children] == ["Succeeded", "Succeeded", "Cancelled"]
    assert run.end - run.start == timedelta(minutes=10)


def test_an_idle_until_takes_time():
    until = {"name": "loop", "type": "Until", "typeProperties": {"expression": "@equals(1, 2)", "activities": []}}
    run = play(pipelines(until))
    assert (run.status, run.end - run.start) == ("Failed", timedelta(days=7))


def test_any_error_of_an_executor_fails_the_activity():
    def execute(call):
        raise KeyError("rows")

    run = Engine(pipelines(work("load")), {"Copy": execute}, VirtualClock(START)).run("pl")
    assert (run.status, run.activities[0].error["errorCode"]) == ("Failed", "KeyError")


def test_failure_of_a_container_names_the_inner_activity():
    run = play(pipelines(loop(work("load"), items="@createArray(1)")), {"load": [failure(message="disk full")]})
    assert run.message == (
        "Operation on target loop failed: Activity failed because an inner activity failed; "
        "Inner activity name: load, Error: disk full"
    )


@pytest.mark.parametrize(
    ("documents", "parameters", "message"),
    [
        (pipelines(work("a", after("b"))), {}, "'a' depends on 'b', which does not exist beside it"),
        (pipelines(work("a", after("b")), work("b", after("a"))), {}, "in a circle: a -> b -> a"),
        (
            pipelines({"name": "a", "type": "HDInsightPig"}),
            {},
            "activities of type HDInsightPig cannot be run here",
        ),
        (pipelines(), {"x": 1}, "Pipeline 'pl' has no parameter x, only: none."),
        (pipelines(parameters={"x": {"type": "string"}}), {}, "Pipeline 'pl' needs a value for the parameter x."),
        ({}, {}, "There is no pipeline 'pl'; there are: none."),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(documents, parameters, message):
    with pytest.raises(AdfLabError, match=message.replace("(", r"\(")):
        play(documents, parameters=parameters)


@pytest.mark.parametrize(
    ("graph", "circle"),
    [
        ({"a": ["b", "c"], "b": ["c"], "c": []}, []),
        ({"a": ["a"]}, ["a", "a"]),
        ({"x": ["c"], "a": ["c"], "c": ["b"], "b": ["a", "elsewhere"]}, ["a", "c", "b", "a"]),
    ],
)
def test_a_circle_is_told_from_its_first_node_on(graph, circle):
    assert find_cycle(graph) == circle


def test_a_variable_keeps_its_type():
    set_number = {
        "name": "set",
        "type": "SetVariable",
        "typeProperties": {"variableName": "v", "value": expression("@add(1, 2)")},
    }
    run = play(pipelines(set_number, variables={"v": {"type": "String"}}))
    assert (
        run.activities[0].error["message"]
        == "The variable 'v' of type String cannot hold a value of kind integer."
    )


def test_a_variable_cannot_be_set_from_itself():
    count = {
        "name": "count",
        "type": "SetVariable",
        "typeProperties": {"variableName": "v", "value": expression("@concat(variables('v'), 'x')")},
    }
    run = play(pipelines(count, variables={"v": {"type": "String", "defaultValue": "a"}}))
    assert (run.status, run.variables) == ("Failed", {"v": "a"})
    assert run.activities[0].error["message"] == "'v' is set from itself: use a second variable."


@pytest.mark.parametrize(
    ("properties", "message", "code"),
    [
        ({}, "Fail message wasn't provided", "ErrorCodeNotString"),
        ({"message": "m", "errorCode": " "}, "m", "ErrorCodeNotString"),
        (
            {"message": expression("@add(1,2)"), "errorCode": "E"},
            "stop fail message parameter couldn't be interpreted as a string",
            "E",
        ),
        (
            {"message": expression("@activity('x')"), "errorCode": expression("@activity('x')")},
            "Failed to interpret stop fail message or error code",
            "ErrorCodeNotString",
        ),
    ],
)
def test_fail_has_fixed_texts_for_what_is_missing(properties, message, code):
    run = play(pipelines({"name": "stop", "type": "Fail", "typeProperties": properties}))
    assert (run.activities[0].error["message"], run.activities[0].error["errorCode"]) == (message, code)


def test_a_pipeline_that_nobody_waits_for_still_ends():
    documents = pipelines(
        {
            "name": "call",
            "type": "ExecutePipeline",
            "typeProperties": {
                "pipeline": {"referenceName": "child", "type": "PipelineReference"},
                "waitOnCompletion": False,
            },
        }
    )
    documents["child"] = {"name": "child", "properties": {"activities": [work("load")]}}
    run = play(documents, {"load": [{**failure(), "durationSeconds": 60}]})
    child = run.activities[0].pipeline_run
    assert (run.status, child.status, child.end - run.end) == ("Succeeded", "Failed", timedelta(seconds=60))


def test_failures_on_demand():
    documents = pipelines(work("a", policy={"retry": 1}), work("b"))
    executors = with_faults(Script({}).executors(["Copy"]), parse_faults(["a:1", "b"]), documents)
    run = Engine(documents, executors, VirtualClock(START)).run("pl")
    assert {found.name: (found.status, len(found.attempts)) for found in walk(run.activities)} == {
        "a": ("Succeeded", 2),
        "b": ("Failed", 1),
    }
    with pytest.raises(AdfLabError, match="There is no activity 'c' that can be made to fail; there are: a, b"):
        with_faults(executors, parse_faults(["c"]), documents)


def test_a_coroutine_can_be_an_executor():
    async def execute(call):
        raise ActivityFailure("E7", "on purpose", {"partial": 1})

    run = Engine(pipelines(work("load")), {"Copy": execute}, VirtualClock(START)).run("pl")
    assert (run.activities[0].error["errorCode"], run.activities[0].output) == ("E7", {"partial": 1})
