"""A rerun from the failed activity: what has succeeded keeps its output, all else runs again."""

from datetime import UTC, datetime

from adf_lab import ActivityFailure, Engine, VirtualClock, walk
from adf_support.factories import after, expression

START = datetime(2026, 8, 12, 14, 0, tzinfo=UTC)


def work(name, *dependencies, text="", **more):
    properties = {"text": expression(text)} if text else {}
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": properties, **more}


def pipelines(*activities, **properties):
    return {"pl": {"name": "pl", "properties": {"activities": list(activities), **properties}}}


def play(documents, failing=(), earlier=None, parameters=None):
    """Run `pl`; the run, and name and text of each activity that did work. Outputs tell which call it was."""
    did = []

    def execute(call):
        did.append((call.name, call.type_properties.get("text")))
        if call.name in failing or (call.name, call.context.item) in failing:
            raise ActivityFailure("E", "no")
        return {"call": f"{call.name} {len(did)}" if earlier is None else "again"}

    engine = Engine(documents, {"Copy": execute}, VirtualClock(START))
    records = earlier.as_dict()["activityRuns"] if earlier else ()
    return engine.run("pl", parameters, earlier=records), did


def again(documents, failing):
    """The rerun of a run in which some activities have failed, which they no longer do."""
    before, _ = play(documents, failing)
    assert before.status == "Failed"
    return play(documents, earlier=before)


def recovered(run):
    return [found.name for found in walk(run.activities) if found.recovered]


def test_what_has_succeeded_keeps_its_output_and_what_has_failed_runs_again():
    documents = pipelines(
        work("a"), work("b", after("a")), work("c", after("b"), text="@activity('a').output.call"), work("d")
    )
    run, did = again(documents, ["b"])
    assert did == [("b", None), ("c", "a 1")]
    assert (run.status, recovered(run)) == ("Succeeded", ["a", "d"])
    assert {found.name: found.as_dict()["recoveryStatus"] for found in run.activities} == {
        "a": "Recovered",
        "b": "None",
        "c": "None",
        "d": "Recovered",
    }


def test_what_followed_the_failure_is_decided_anew():
    documents = pipelines(work("a"), work("alert", after("a", "Failed")), work("after", after("alert", "Skipped")))
    before, did = play(documents, ["a"])
    assert did == [("a", None), ("alert", None)]
    _, did = play(documents, earlier=before)
    assert did == [("a", None), ("after", None)]


def test_an_activity_that_a_rerun_one_precedes_runs_again_however_far():
    documents = pipelines(
        work("a"),
        work("b", after("a", "Completed")),
        work("c", after("b")),
        work("d", after("c")),
        work("e", after("d", "Failed")),
    )
    before, _ = play(documents, ["a"])
    _, did = play(documents, earlier=before)
    assert did == [("a", None), ("b", None), ("c", None), ("d", None)]


def test_variables_are_set_again():
    set_variable = {
        "name": "s",
        "type": "SetVariable",
        "dependsOn": [after("a")],
        "typeProperties": {"variableName": "v", "value": expression("@activity('a').output.call")},
    }
    documents = pipelines(
        work("a"), set_variable, work("b", after("s"), text="@variables('v')"), variables={"v": {"type": "String"}}
    )
    _, did = again(documents, ["b"])
    assert did == [("b", "a 1")]


def test_a_loop_runs_again_for_the_items_that_failed():
    loop = {
        "name": "loop",
        "type": "ForEach",
        "typeProperties": {
            "items": expression("@createArray('x','y','z')"),
            "activities": [work("load", text="@item()"), work("note", after("load"), text="@item()")],
            "isSequential": True,
        },
    }
    run, did = again(pipelines(loop), [("load", "y")])
    assert did == [("load", "y"), ("note", "y")]
    assert (run.status, recovered(run)) == ("Succeeded", ["load", "note"] * 2)


def test_other_items_keep_nothing():
    loop = {
        "name": "loop",
        "type": "ForEach",
        "typeProperties": {"items": expression("@pipeline().parameters.items"), "activities": [work("load")]},
    }
    documents = pipelines(loop, work("end", after("loop")), parameters={"items": {"type": "array"}})
    before, _ = play(documents, ["end"], parameters={"items": [1, {"n": 2}]})
    _, did = play(documents, earlier=before, parameters={"items": [1, {"n": 3}]})
    assert did == [("load", None), ("end", None)]


def test_a_called_pipeline_goes_on_inside():
    call = {
        "name": "call",
        "type": "ExecutePipeline",
        "typeProperties": {"pipeline": {"referenceName": "child", "type": "PipelineReference"}},
    }
    choice = {
        "name": "choice",
        "type": "IfCondition",
        "dependsOn": [after("a")],
        "typeProperties": {
            "expression": expression("@equals(1, 1)"),
            "ifTrueActivities": [work("b"), work("c", after("b"))],
        },
    }
    documents = pipelines(call, work("end", after("call")))
    documents["child"] = {"name": "child", "properties": {"activities": [work("a"), choice]}}
    run, did = again(documents, ["c"])
    assert did == [("c", None), ("end", None)]
    assert (run.status, recovered(run)) == ("Succeeded", ["a", "b"])


def test_a_secured_output_is_fetched_again_and_what_follows_is_kept():
    documents = pipelines(
        work("key", policy={"secureOutput": True}),
        work("use", after("key"), text="@activity('key').output.call"),
        work("end", after("use"), text="@activity('use').output.call"),
    )
    _, did = again(documents, ["end"])
    assert did == [("key", None), ("end", "use 2")]


def test_of_a_long_loop_each_iteration_finds_its_own():
    loop = {
        "name": "loop",
        "type": "ForEach",
        "typeProperties": {"items": expression("@range(0,300)"), "activities": [work("load")]},
    }
    _, did = again(pipelines(loop), [("load", 299)])
    assert did == [("load", None)]
