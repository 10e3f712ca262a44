"""Runs that the service has recorded become scripts, and the scripts do the same again."""

import json

import pytest

from adf_lab import AdfLabError
from adf_lab.cli import main
from adf_lab.testing import FactoryUnderTest, script_of
from adf_support.factories import expression, reference, write_factory


def recorded(name, number, second, status="Succeeded", kind="Copy", **more):
    """An activity run with the members that the service gives it."""
    return {
        "activityName": name,
        "activityType": kind,
        "activityRunId": f"a{number}",
        "pipelineName": "pl",
        "pipelineRunId": "r1",
        "linkedServiceName": "",
        "status": status,
        "activityRunStart": f"2026-08-12T02:00:{second:02}.1234567Z",
        "activityRunEnd": None,
        "durationInMs": 1500,
        "input": {},
        "output": {},
        "error": {"errorCode": "", "message": "", "failureType": "", "target": name, "details": ""},
        "retryAttempt": None,
        "iterationHash": "",
        "userProperties": {},
        "recoveryStatus": "None",
        "integrationRuntimeNames": None,
        "executionDetails": None,
        **more,
    }


def error(message, code="E"):
    return {"errorCode": code, "message": message, "failureType": "UserError", "target": "x", "details": []}


def answer(number, **more):
    return {"status": "Succeeded", "output": {"n": number}, "durationSeconds": 1.5, **more}


def test_attempts_are_answers_in_the_order_of_their_begin():
    runs = [
        recorded("x", 3, 40, output={"n": 3}),
        recorded("x", 1, 0, "Failed", error=error("one", "E1"), output={"n": 1}),
        recorded("x", 2, 20, "Failed", error=error("two", "E2"), durationInMs=None),
    ]
    failure = {"status": "Failed", "error": {"errorCode": "E2", "message": "two"}}
    assert script_of({"value": runs}) == (
        {"x": [answer(1, status="Failed", error={"errorCode": "E1", "message": "one"}), failure, answer(3)]},
        [],
    )


def test_passes_of_a_loop_are_told_apart_by_what_differs_in_their_inputs():
    def run(number, second, path, **more):
        sink = {"type": "S", "path": "same"}
        source = {"type": "B", "settings": {"path": path, "recursive": True}}
        return recorded("x", number, second, input={"source": source, "sink": sink}, output={"n": number}, **more)

    script, _ = script_of({"value": [run(1, 9, "a"), run(2, 5, "b"), run(3, 30, "b")]})
    when = {name: {"input": {"source": {"settings": {"path": name}}}} for name in "ab"}
    assert script == {"x": [answer(2, when=when["b"]), answer(1, when=when["a"]), answer(3, when=when["b"])]}


def test_an_input_without_what_others_have_is_for_all_calls():
    runs = [recorded("x", 1, 1, input={"a": 1}), recorded("x", 2, 2, input={"a": 1, "b": 2}), recorded("x", 3, 3)]
    script, _ = script_of({"value": runs})
    whens = [one.get("when") for one in script["x"]]
    assert whens == [{"input": {"a": 1, "b": 2}}, {"input": {"a": 1}}, None]


def test_what_runs_itself_is_left_out_and_names_of_two_pipelines_are_told_apart():
    runs = [
        recorded("loop", 1, 0, kind="ForEach"),
        recorded("x", 2, 1, output={"n": 1}),
        recorded("x", 3, 2, output={"n": 2}, pipelineName="other", pipelineRunId="r2"),
        recorded("never", 4, 3, "Skipped"),
        recorded("off", 5, 3, "Inactive"),
        recorded("y", 6, 4, pipelineName="other", pipelineRunId="r2", durationInMs=0),
    ]
    # Pages overlap.
    script, notes = script_of({"value": runs[:3]}, {"value": runs[2:], "continuationToken": None})
    assert script == {"pl/x": [answer(1)], "other/x": [answer(2)], "y": [{"status": "Succeeded"}]}
    assert notes == []


def test_what_a_script_cannot_hold_is_noted():
    runs = [
        recorded("call", 1, 0, kind="ExecutePipeline", output={"pipelineName": "child", "pipelineRunId": "r9"}),
        recorded("x", 2, 1, "InProgress"),
        recorded("y", 3, 1, "Cancelled", durationInMs=0),
    ]
    script, notes = script_of({"value": runs})
    assert script == {"y": [{"status": "Failed", "error": {"errorCode": "Cancelled", "message": "Cancelled"}}]}
    assert notes == [
        "pl: 'call' called the run r9, which is not recorded: its work succeeds with empty outputs.",
        "pl: 'x' was InProgress when it was recorded: it has no answer.",
        "pl: 'y' was cancelled: it is played as a failure.",
    ]
    child = recorded("z", 4, 2, pipelineName="child", pipelineRunId="r9")
    assert "r9" not in str(script_of({"value": runs}, {"value": [child]})[1])


@pytest.mark.parametrize("document", [{}, [1], {"value": {}}, {"value": [{"activityName": "x"}]}, "text"])
def test_what_is_no_record_is_refused(document):
    with pytest.raises(AdfLabError, match="This is no answer of queryActivityruns"):
        script_of(document)


def test_a_time_that_is_none_is_refused():
    with pytest.raises(AdfLabError, match="'yesterday' is no time at which an activity run began"):
        script_of([recorded("x", 1, 1, activityRunStart="yesterday")])


# --- the same again --------------------------------------------------------------------------------------


def copy(name, **more):
    return {"name": name, "type": "Copy", "typeProperties": {}, **more}


POLL = {
    "name": "until",
    "type": "Until",
    "typeProperties": {
        "expression": expression("@equals(activity('poll').output.state, 'done')"),
        "activities": [
            {"name": "poll", "type": "WebActivity", "typeProperties": {"url": "https://example.invalid/job"}},
            {
                "name": "pause",
                "type": "Wait",
                "dependsOn": [{"activity": "poll", "dependencyConditions": ["Succeeded"]}],
                "typeProperties": {"waitTimeInSeconds": 30},
            },
        ],
    },
}
CALL = {
    "name": "call",
    "type": "ExecutePipeline",
    "dependsOn": [{"activity": "until", "dependencyConditions": ["Succeeded"]}],
    "typeProperties": {"pipeline": reference("child", "Pipeline"), "waitOnCompletion": True},
}
LOOP = {
    "name": "loop",
    "type": "ForEach",
    "typeProperties": {
        "items": expression("@createArray('a', 'b', 'c')"),
        "activities": [
            copy(
                "x",
                typeProperties={"source": {"path": "@item()"}},
                policy={"retry": 1, "retryIntervalInSeconds": 9},
            )
        ],
    },
}
FACTORY = {
    "pipeline/pl.json": {"properties": {"activities": [POLL, CALL]}},
    "pipeline/child.json": {"properties": {"activities": [LOOP]}},
}
# The service has begun `b` first; `c` was tried twice, in vain.
NIGHT = [
    [
        recorded("until", 1, 0, kind="Until", durationInMs=60_000),
        recorded("poll", 2, 0, kind="WebActivity", output={"state": "running"}, durationInMs=0),
        recorded("poll", 3, 30, kind="WebActivity", output={"state": "done"}, durationInMs=0),
        recorded(
            "call", 4, 40, "Failed", kind="ExecutePipeline", output={"pipelineRunId": "r2"}, error=error("?")
        ),
    ],
    [
        recorded(
            "x",
            10 + number,
            41 + number,
            status,
            pipelineName="child",
            pipelineRunId="r2",
            input={"source": {"type": "B", "path": path}, "attempts": "same"},
            error=error("no space left", "2200") if status == "Failed" else error("", ""),
        )
        for number, (path, status) in enumerate(
            [("b", "Succeeded"), ("a", "Succeeded"), ("c", "Failed"), ("c", "Failed")]
        )
    ],
]


def test_a_failure_of_production_fails_here_in_the_same_way(tmp_path):
    adf = FactoryUnderTest(write_factory(tmp_path, FACTORY))
    for number, page in enumerate(NIGHT):
        # Studio shows inputs with types that the pipeline leaves out, so only what differs may count.
        (tmp_path / f"{number}.json").write_text(json.dumps({"value": page}))
    run = adf.run("pl", answers=adf.recorded("0.json", "1.json"))
    assert (run.status, run.statuses("poll")) == ("Failed", ["Succeeded", "Succeeded"])
    by_item = {one.item: (one.status, len(one.attempts)) for one in run.all("x")}
    assert by_item == {"a": ("Succeeded", 1), "b": ("Succeeded", 1), "c": ("Failed", 2)}
    assert run.message.endswith("Inner activity name: x, Error: no space left")
    assert run.seconds == 60 + 1.5 + 9 + 1.5


def test_the_command_writes_the_script_and_notes_what_it_lacks(tmp_path, capsys):
    (tmp_path / "run.json").write_text(json.dumps({"value": NIGHT[0]}), encoding="utf-8-sig")
    assert main(["script", str(tmp_path / "run.json"), "--into", str(tmp_path / "script.json")]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "note: pl: 'call' called the run r2, which is not recorded: its work succeeds with empty outputs.\n"
    )
    polls = [{"status": "Succeeded", "output": {"state": state}} for state in ("running", "done")]
    assert json.loads((tmp_path / "script.json").read_text()) == {"poll": polls}
    assert main(["script", str(tmp_path / "run.json")]) == 0
    assert capsys.readouterr().out == (tmp_path / "script.json").read_text()
    assert main(["script", str(tmp_path / "none.json")]) == 2
    assert "The recorded run" in capsys.readouterr().err
