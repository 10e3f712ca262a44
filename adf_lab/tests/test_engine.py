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
    lookup_output,
    parse_faults,
    walk,
    with_faults,
)
from adf_lab.engine import Secrets, find_cycle
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
                "recoveryStatus": "None",
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


# --- what the service does beside the articles ------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"), [("String", ""), ("Boolean", False), ("Integer", 0), ("Array", []), ("Bool", False)]
)
def test_a_variable_that_nobody_has_set_holds_the_empty_value_of_its_type(kind, value):
    run = play(pipelines(work("load"), variables={"v": {"type": kind}, "w": {"type": kind, "defaultValue": None}}))
    assert run.variables == {"v": value, "w": value}
    assert type(run.variables["v"]) is type(value)


def test_two_variables_do_not_share_their_empty_array():
    append = {"name": "a", "type": "AppendVariable", "typeProperties": {"variableName": "v", "value": "x"}}
    documents = pipelines(append, variables={"v": {"type": "Array"}, "w": {"type": "Array"}})
    assert play(documents).variables == {"v": ["x"], "w": []}
    assert play(documents).variables == {"v": ["x"], "w": []}


def echo(name, text, *dependencies, **more):
    properties = {"text": expression(text)}
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": properties, **more}


def inputs(run):
    return {found.name: found.input for found in walk(run.activities)}


def test_what_stood_in_a_container_can_be_read_when_it_has_ended():
    until = {
        "name": "loop",
        "type": "Until",
        "typeProperties": {
            "expression": "@equals(activity('poll').output.status, 'done')",
            "activities": [work("poll")],
        },
    }
    choice = {
        "name": "choice",
        "type": "IfCondition",
        "dependsOn": [after("loop")],
        "typeProperties": {"expression": "@equals(1, 1)", "ifTrueActivities": [work("inner")]},
    }
    read = echo("read", "@concat(activity('poll').output.status, activity('inner').status)", after("choice"))
    results = [{"status": "Succeeded", "output": {"status": status}} for status in ("waiting", "done")]
    assert inputs(play(pipelines(until, choice, read), {"poll": results}))["read"] == {"text": "doneSucceeded"}


def test_of_a_loop_s_iterations_the_last_to_end_is_seen_and_none_by_another():
    inside = echo("inside", "@string(item())")
    both = [inside, echo("next", "@string(activity('inside').output.n)", after("inside"))]
    script = {
        "inside": {
            "byItem": [
                {"item": n, "results": [{"status": "Succeeded", "output": {"n": n}, "durationSeconds": 10 - n}]}
                for n in range(3)
            ]
        }
    }
    read = echo("read", "@string(activity('inside').output.n)", after("loop"))
    run = play(pipelines(loop(*both, items="@range(0,3)", batchCount=3), read), script)
    assert inputs(run)["read"] == {"text": "0"}
    assert sorted(child.input["text"] for child in run.activities[0].children if child.name == "next") == list(
        "012"
    )


def call(name, *dependencies, **more):
    properties = {"pipeline": {"referenceName": "child", "type": "PipelineReference"}, "waitOnCompletion": True}
    return {
        "name": name,
        "type": "ExecutePipeline",
        "dependsOn": list(dependencies),
        "typeProperties": properties | more,
    }


@pytest.mark.parametrize(
    ("concurrency", "seconds"), [({"concurrency": 1}, 30), ({"concurrency": 2}, 20), ({}, 10)]
)
def test_runs_beyond_the_concurrency_of_a_pipeline_wait_for_earlier_ones(concurrency, seconds):
    documents = pipelines(call("a"), call("b"), call("c"))
    documents["child"] = {"name": "child", "properties": {"activities": [work("load")], **concurrency}}
    run = play(documents, {"load": [{"status": "Succeeded", "durationSeconds": 10}]})
    assert (run.status, run.end - run.start) == ("Succeeded", timedelta(seconds=seconds))


def test_an_activity_tells_when_it_has_run_and_how_long():
    told = "@concat(activity('load').ExecutionStartTime, ' ', activity('load').ExecutionEndTime, ' ', %s)"
    read = echo("read", told % "activity('load').Duration", after("load"))
    load = work("load", policy={"timeout": "2.00:00:00"})
    run = play(pipelines(load, read), {"load": [{"status": "Succeeded", "durationSeconds": 90_061.5}]})
    assert inputs(run)["read"] == {
        "text": "2026-08-12T14:00:00.0000000Z 2026-08-13T15:01:01.5000000Z 1.01:01:01.5000000"
    }


def test_a_lookup_returns_5000_rows_and_4_megabytes_at_most():
    assert lookup_output([{"n": n} for n in range(6_000)], False)["count"] == 5_000
    assert lookup_output([{"n": n} for n in range(6_000)], False)["value"][-1] == {"n": 4_999}
    with pytest.raises(ActivityFailure, match="a Lookup returns 4 MB at most"):
        lookup_output([{"n": "x" * 2**20}] * 4, False)


def test_conditions_of_dependencies_are_understood_in_any_letter_case():
    run = play(pipelines(work("a"), work("b", after("a", "succeeded")), work("c", after("a", "FAILED"))))
    assert [found.status for found in run.activities] == ["Succeeded", "Succeeded", "Skipped"]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"timeout": "@pipeline().parameters.t"}, None),
        ({"timeout": "soon"}, "The policy cannot be used: 'soon' is not a time span: write it as d.hh:mm:ss"),
        ({"retry": "x"}, "The policy cannot be used: invalid literal for int()"),
    ],
)
def test_a_policy_that_is_empty_counts_as_unset_and_one_that_is_none_fails_the_activity(policy, message):
    documents = pipelines(work("load", policy=policy), parameters={"t": {"type": "string", "defaultValue": ""}})
    run = play(documents)
    assert run.status == ("Failed" if message else "Succeeded")
    assert not message or message in run.message


def test_pipelines_that_call_one_another_are_refused_before_anything_runs():
    documents = pipelines(call("x"))
    documents["child"] = {
        "name": "child",
        "properties": {
            "activities": [
                {
                    "name": "y",
                    "type": "ExecutePipeline",
                    "typeProperties": {"pipeline": {"referenceName": "pl", "type": "PipelineReference"}},
                }
            ]
        },
    }
    with pytest.raises(AdfLabError, match="call one another in a circle: pl -> child -> pl"):
        play(documents)


# --- secrets ----------------------------------------------------------------------------------------------

SECRET = "TOPSECRET-123"
KEY = {"key": [{"status": "Succeeded", "output": {"value": SECRET}}]}
READ_KEY = "@activity('key').output.value"


def set_variable(name, text, *dependencies, kind="SetVariable", **more):
    properties = {"variableName": "v", "value": expression(text)}
    return {"name": name, "type": kind, "dependsOn": list(dependencies), "typeProperties": properties, **more}


def key(**more):
    return work("key", policy={"secureOutput": True}, **more)


LEAKS = {
    "a variable": [set_variable("s", READ_KEY, after("key"))],
    "a variable of a variable": [
        set_variable("s", READ_KEY, after("key")),
        echo("r", "@concat('Bearer ', variables('v'))", after("s")),
    ],
    "an appended variable": [
        {
            "name": "a",
            "type": "AppendVariable",
            "dependsOn": [after("key")],
            "typeProperties": {"variableName": "list", "value": expression(READ_KEY)},
        },
        echo("r", "@string(variables('list'))", after("a")),
    ],
    "an input": [echo("r", READ_KEY, after("key"))],
    "the text of an error": [echo("r", "@string(json(activity('key').output.value))", after("key"))],
    "a failure's message": [
        {
            "name": "f",
            "type": "Fail",
            "dependsOn": [after("key")],
            "typeProperties": {
                "message": expression("@concat('no: ', activity('key').output.value)"),
                "errorCode": "E",
            },
        }
    ],
    "an error that is handed on": [
        echo("r", "@string(int(activity('key').output.value))", after("key"), policy={"secureInput": True}),
        echo("alert", "@activity('r').error.message", after("r", "Failed")),
    ],
    "the items of a loop": [
        {
            **loop(echo("r", "@item()"), items="@createArray(activity('key').output.value)"),
            "dependsOn": [after("key")],
        }
    ],
    "a user property": [work("r", after("key"), userProperties=[{"name": "p", "value": expression(READ_KEY)}])],
    "a filter": [
        {
            "name": "f",
            "type": "Filter",
            "dependsOn": [after("key")],
            "typeProperties": {
                "items": expression("@createArray(activity('key').output.value)"),
                "condition": expression("@equals(1, 1)"),
            },
        },
        echo("r", "@string(activity('f').output.Value)", after("f")),
    ],
    "a called pipeline": [
        {**call("c", after("key"), parameters={"plain": expression(READ_KEY)})},
        echo("r", "@string(activity('c').output)", after("c")),
    ],
    "parameters in one expression": [
        call(
            "c",
            after("key"),
            parameters=expression("@json(concat('{\"plain\":\"', activity('key').output.value, '\"}'))"),
        )
    ],
    "what an activity gives back of its input": [echo("give_back", READ_KEY, after("key"))],
    "what a failing activity gives back": [echo("fail", READ_KEY, after("key"))],
    "the output of a failing activity": [work("fail", policy={"secureOutput": True})],
    "an error's code": [
        {
            "name": "f",
            "type": "Fail",
            "dependsOn": [after("key")],
            "typeProperties": {"message": "no", "errorCode": expression(READ_KEY)},
        },
        echo("alert", "@activity('f').error.errorCode", after("f", "Failed")),
    ],
    "a name that is put together": [echo("r", "@activity(concat('k', 'ey')).output.value", after("key"))],
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_secret_is_nowhere_in_the_record(leak):
    documents = pipelines(key(), *LEAKS[leak], variables={"v": {"type": "String"}, "list": {"type": "Array"}})
    give_back = {
        "name": "back",
        "type": "SetVariable",
        "typeProperties": {
            "variableName": "pipelineReturnValue",
            "setSystemVariable": True,
            "value": [{"key": "k", "value": {"type": "Expression", "content": "@pipeline().parameters.plain"}}],
        },
    }
    documents["child"] = {
        "name": "child",
        "properties": {"parameters": {"plain": {"type": "string"}}, "activities": [give_back]},
    }
    seen = []

    def execute(call):
        seen.append(call.type_properties)
        if call.name == "fail":
            raise ActivityFailure("E", f"no: {SECRET}", {"echo": SECRET})
        return {"value": SECRET} if call.name == "key" else {"echo": call.type_properties.get("text")}

    run = Engine(documents, {"Copy": execute}, VirtualClock(START)).run("pl")
    assert SECRET not in str(run.as_dict())
    assert "TOPSECR" not in str(run.as_dict())


def test_a_secure_string_is_masked_where_it_is_passed_and_works_where_it_is_used():
    documents = pipelines(
        call("c", parameters={"token": expression("@pipeline().parameters.token"), "plain": "x"}),
        parameters={"token": {"type": "securestring"}},
    )
    documents["child"] = {
        "name": "child",
        "properties": {
            "parameters": {"token": {"type": "SecureString"}, "plain": {"type": "string"}},
            "activities": [echo("use", "@concat('Bearer ', pipeline().parameters.token)")],
        },
    }
    seen = []

    def execute(call):
        seen.append(call.type_properties["text"])
        return {}

    run = Engine(documents, {"Copy": execute}, VirtualClock(START)).run("pl", {"token": SECRET})
    assert seen == [f"Bearer {SECRET}"]
    assert SECRET not in str(run.as_dict())
    assert run.activities[0].pipeline_run.as_dict()["parameters"] == {"token": "*** secured ***", "plain": "x"}


def test_parameters_that_are_passed_secured_are_masked_in_what_is_called():
    documents = pipelines({**call("c", parameters={"plain": SECRET}), "policy": {"secureInput": True}})
    documents["child"] = {
        "name": "child",
        "properties": {
            "parameters": {"plain": {"type": "string"}},
            "variables": {"v": {"type": "String"}},
            "activities": [
                set_variable("s", "@concat('x', pipeline().parameters.plain)"),
                echo("r", "@string(pipeline().parameters)"),
            ],
        },
    }
    run = play(documents)
    assert (run.status, SECRET in str(run.as_dict())) == ("Succeeded", False)


def test_a_secret_that_is_cut_is_masked_too_and_other_texts_are_left():
    long = "abcdefgh-ijklmnop-qrstuvwx"
    secrets = Secrets(texts={long, "1234"})
    assert secrets.masked(f"at {long[:14]}… and {long}, 1234 and 12345, abcdef") == (
        "at *** secured ***… and *** secured ***, *** secured *** and *** secured ***5, abcdef"
    )
