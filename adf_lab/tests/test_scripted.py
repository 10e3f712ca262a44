"""Scripts: whose answers they are, which answer comes next, what is refused and what was not used."""

import json

import pytest

from adf_lab import ActivityFailure, AdfLabError
from adf_lab.testing import FactoryUnderTest, UnusedAnswers, failed, from_file, rows, succeeded
from adf_support.factories import after, expression, reference, write_factory


def copy(name, *dependencies, **more):
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": {}, **more}


def loop(*activities, items="@pipeline().parameters.items", **more):
    properties = {"items": expression(items), "isSequential": True, "activities": list(activities), **more}
    return {"name": "loop", "type": "ForEach", "typeProperties": properties}


def pipeline(*activities, **properties):
    return {"properties": {"activities": list(activities), **properties}}


@pytest.fixture
def play(tmp_path):
    """Runs the pipeline `pl`, or a factory of several."""

    def play(*activities, pipelines=None, answers=None, parameters=None, script=None):
        declared = {"items": {"type": "array", "defaultValue": ["a", "b"]}}
        documents = pipelines or {"pl": pipeline(*activities, parameters=declared)}
        root = write_factory(tmp_path, {f"pipeline/{name}.json": one for name, one in documents.items()})
        adf = FactoryUnderTest(root)
        adf.script = script or {}
        return adf.run("pl", parameters, answers=answers)

    return play


def outputs(run, name):
    return [one.output for one in run.all(name)]


# --- whose answers ---------------------------------------------------------------------------------------


def test_an_answer_is_that_of_the_pipeline_then_of_the_name_then_of_the_type(play):
    call = {
        "name": "call",
        "type": "ExecutePipeline",
        "typeProperties": {"pipeline": reference("child", "Pipeline"), "waitOnCompletion": True},
    }
    run = play(
        pipelines={"pl": pipeline(call, copy("x"), copy("y")), "child": pipeline(copy("x"))},
        answers={
            "child/x": succeeded(by="pipeline"),
            "x": succeeded(by="name"),
            "type:Copy": succeeded(by="type"),
        },
    )
    found = {(one.pipeline, one.name): one.output for one in run.activities if one.type == "Copy"}
    assert found == {("child", "x"): {"by": "pipeline"}, ("pl", "x"): {"by": "name"}, ("pl", "y"): {"by": "type"}}


def test_answers_of_a_type_are_a_list_for_each_activity(play):
    answers = {"type:Copy": [succeeded(n=1), succeeded(n=2)]}
    run = play(loop(copy("x"), copy("y")), answers=answers)
    assert outputs(run, "x") == outputs(run, "y") == [{"n": 1}, {"n": 2}]


def test_answers_of_a_run_come_before_those_of_every_run(play):
    run = play(
        copy("x"),
        copy("y"),
        answers={"type:Copy": succeeded(n=1)},
        script={"x": succeeded(n=2), "y": succeeded(n=3)},
    )
    assert (run["x"].output, run["y"].output) == ({"n": 1}, {"n": 1})


def test_a_pipeline_that_is_answered_is_not_run(play):
    call = {
        "name": "call",
        "type": "ExecutePipeline",
        "typeProperties": {
            "pipeline": reference("child", "Pipeline"),
            "parameters": {"n": expression("@add(1, 1)")},
            "waitOnCompletion": True,
        },
    }
    following = copy("x", after("call"), typeProperties={"n": "@activity('call').output.pipelineReturnValue.n"})
    parent = {"pl": pipeline(call, following)}
    # It need not be there.
    run = play(pipelines=parent, answers={"call": succeeded(pipelineReturnValue={"n": 7})})
    assert (run.ran, run["call"].input["parameters"], run["x"].input) == (["call", "x"], {"n": 2}, {"n": 7})
    red = play(pipelines=parent, answers={"call": failed("not now")})
    assert (red.status, red.message) == ("Failed", "Operation on target call failed: not now")
    child = {"child": pipeline(copy("inner"), parameters={"n": {"type": "int"}})}
    assert play(pipelines=parent | child).worked == ["inner"]


# --- which answer ----------------------------------------------------------------------------------------


def test_each_attempt_has_the_next_answer_and_the_last_repeats(play):
    answers = {"x": [failed("one", "E1"), failed("two", "E2"), succeeded(n=3)]}
    run = play(loop(copy("x", policy={"retry": 2}), items="@range(0, 2)"), answers=answers)
    assert [attempt.error and attempt.error["errorCode"] for attempt in run.all("x")[0].attempts] == [
        "E1",
        "E2",
        None,
    ]
    assert outputs(run, "x") == [{"n": 3}, {"n": 3}]
    assert [call.attempt for call in run.called("x")] == [1, 2, 3, 1]


def test_an_answer_can_be_for_one_item(play):
    answers = {"x": [succeeded(n=0), failed("b is broken").when(item="b"), succeeded(n=1).when(item="b")]}
    run = play(loop(copy("x", policy={"retry": 1})), answers=answers, parameters={"items": ["b", "a", "b"]})
    assert outputs(run, "x") == [{"n": 1}, {"n": 0}, {"n": 1}]
    assert [len(one.attempts) for one in run.all("x")] == [2, 1, 1]


def test_an_answer_can_be_for_one_input(play):
    source = {"type": "S", "path": "@item()", "deep": [{"more": 1, "kept": "@item()"}]}
    work = copy(
        "x",
        inputs=[reference("ds", "Dataset", folder=expression("@item()"))],
        typeProperties={"source": source},
    )
    for condition in (
        {"source": {"path": "b"}},
        {"source": {"deep": [{"kept": "b"}]}},
        {"inputs": [{"parameters": {"folder": "b"}}]},
    ):
        run = play(loop(work), answers={"x": [succeeded(n=1).when(input=condition), succeeded(n=2)]})
        assert outputs(run, "x") == [{"n": 2}, {"n": 1}], condition
    for condition in (
        {"source": {"deep": []}},
        {"sink": {}},
        {"source": {"path": ["b"]}},
        {"source": {"type": 1}},
    ):
        with pytest.raises(UnusedAnswers, match="was not called"):
            play(loop(work), answers={"x": succeeded(n=1).when(input=condition)})


def test_an_answer_can_be_computed(play):
    def answer(call):
        if call.context.item == "b":
            raise ActivityFailure("E", "no b")
        return {"item": call.context.item}

    run = play(loop(copy("x")), answers={"x": answer})
    assert outputs(run, "x") == [{"item": "a"}, {}]
    assert run.all("x")[1].error["errorCode"] == "E"
    assert play(copy("x"), answers={"x": lambda call: None})["x"].output == {}


def test_an_assertion_in_a_function_fails_the_test(play):
    def answer(call):
        assert call.name == "y", "not y"

    with pytest.raises(AssertionError, match="not y"):
        play(copy("x"), answers={"x": answer})


def test_a_lookup_answers_with_rows(play):
    found = [{"id": 1}, {"id": 2}]
    lookup = {"name": "x", "type": "Lookup", "typeProperties": {"firstRowOnly": False}}
    assert play(lookup, answers={"x": rows(found)})["x"].output == {"count": 2, "value": found}
    lookup["typeProperties"] = {}
    assert play(lookup, answers={"x": rows(found)})["x"].output == {"firstRow": {"id": 1}}


def test_answers_stand_in_files(play, tmp_path):
    (tmp_path / "out.json").write_text('{"n": 1}')
    (tmp_path / "rows.json").write_text('[{"outputFile": "stays.json"}]')
    lookup = {"name": "y", "type": "Lookup", "typeProperties": {}}
    run = play(copy("x"), lookup, answers={"x": from_file("out.json"), "y": rows("rows.json")})
    assert (run["x"].output, run["y"].output) == ({"n": 1}, {"firstRow": {"outputFile": "stays.json"}})
    inline = play(lookup, answers={"y": rows([{"rowsFile": "stays.json"}])})
    assert inline["y"].output == {"firstRow": {"rowsFile": "stays.json"}}
    (tmp_path / "script.json").write_text('{"x": [{"outputFile": "out.json"}]}')
    assert play(copy("x"), answers="script.json")["x"].output == {"n": 1}
    with pytest.raises(AdfLabError, match=r"The outputFile of a script .*no\.json cannot be read as JSON"):
        play(copy("x"), answers={"x": from_file("no.json")})


def test_time_passes_and_a_failure_keeps_its_output(play):
    run = play(copy("x"), answers={"x": failed("late", "E", n=1).after(90)})
    assert (run.seconds, run["x"].output, run["x"].error["message"]) == (90, {"n": 1}, "late")
    numbers = play(copy("x"), answers={"x": {"error": {"errorCode": 2200, "message": {"why": "no space"}}}})
    assert (numbers["x"].error["errorCode"], numbers["x"].error["message"]) == ("2200", "{'why': 'no space'}")
    timed = play(copy("x", policy={"timeout": "0.00:01:00"}), answers={"x": succeeded().after(90)})
    assert (timed.seconds, timed["x"].error["errorCode"]) == (60, "Timeout")


# --- what is refused, and what was not used --------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"goldd": {}}, "The script answers 'goldd', which no pipeline has: did you mean 'gold'?"),
        ({"type:Copyy": {}}, "The script answers 'type:Copyy', which no pipeline has: did you mean 'type:Copy'?"),
        ({"nothing": {}}, "The script answers 'nothing', which no pipeline has; there are: gold, pl/gold."),
        ({"loop": {}}, "The script answers 'loop': a ForEach runs by itself; leave its answer out."),
        ({"gold": 1}, "The script, 'gold': an answer is an object"),
        ({"gold": ["Succeeded"]}, "The script, 'gold': an answer is an object"),
        ({"gold": {"ouput": {}}}, "The script, 'gold': there is no 'ouput': did you mean 'output'?."),
        ({"gold": {"status": "Skipped"}}, "The script, 'gold': `status` is one of Succeeded, Failed."),
        ({"gold": {"output": [1]}}, "The script, 'gold': `output` is an object."),
        ({"gold": {"error": "broken"}}, "The script, 'gold': `error` is an object."),
        ({"gold": {"rows": {}}}, "The script, 'gold': `rows` is a list."),
        (
            {"gold": {"durationSeconds": "5"}},
            "The script, 'gold': `durationSeconds` is a number from 0 to 31622400.",
        ),
        ({"gold": {"durationSeconds": -5}}, "The script, 'gold': `durationSeconds` is a number from 0"),
        ({"gold": {"durationSeconds": float("inf")}}, "The script, 'gold': `durationSeconds` is a number from 0"),
        ({"gold": {"durationSeconds": True}}, "The script, 'gold': `durationSeconds` is a number from 0"),
        ({"gold": {"when": {"items": 1}}}, "The script, 'gold': there is no 'items': did you mean 'item'?."),
        ({"gold": {"byItem": {}}}, "The script, 'gold': `byItem` is a list of items with their `results`."),
        (
            {"gold": {"byItem": [{"item": 1}]}},
            "The script, 'gold': an entry of `byItem` has `item` and `results`.",
        ),
    ],
)
def test_a_wrong_script_is_refused_before_anything_runs(play, answers, message):
    with pytest.raises(AdfLabError) as error:
        play(loop(copy("gold")), answers=answers)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("text", ["[]", "1", "{", '{"x": {"rowsFile": "none.json"}}'])
def test_a_file_that_is_no_script_is_refused(play, tmp_path, text):
    (tmp_path / "script.json").write_text(text)
    with pytest.raises(AdfLabError, match=r"script\.json is no script|cannot be read as JSON"):
        play(copy("x"), answers="script.json")


@pytest.mark.parametrize(
    ("answers", "unused"),
    [
        ({"y": {}}, "'y' was not called"),
        ({"x": [{}, {}, {}]}, "'x' was called 2 times and has 3 answers"),
        ({"x": [succeeded().when(item="c"), succeeded()]}, """'x' when {"item": "c"} was not called"""),
        ({"x": {"byItem": [{"item": "c", "results": [{}]}], "default": []}}, '\'x\' when {"item": "c"} was not'),
        ({"y": lambda call: {}}, "'y' was not called"),
    ],
)
def test_what_a_run_has_not_used_is_named(play, answers, unused):
    never = {
        "name": "if",
        "type": "IfCondition",
        "typeProperties": {"expression": expression("@false"), "ifTrueActivities": [copy("y")]},
    }
    with pytest.raises(UnusedAnswers) as error:
        play(loop(copy("x")), never, answers=answers)
    assert unused in str(error.value)
    assert "  loop (ForEach)  Succeeded" in str(error.value)


def test_answers_of_every_run_need_not_be_used(play):
    assert play(copy("x"), copy("y"), script={"x": [{}, {}], "type:Copy": {}}).status == "Succeeded"


def test_a_list_for_each_item_begins_anew(play):
    script = {"x": {"byItem": [{"item": "a", "results": [succeeded(n=1)]}], "default": [failed(), succeeded(n=2)]}}
    json.dumps(script)  # it can be written as it is
    run = play(loop(copy("x", policy={"retry": 1})), answers=script, parameters={"items": ["a", "b", "c"]})
    assert outputs(run, "x") == [{"n": 1}, {"n": 2}, {"n": 2}]
    assert [len(one.attempts) for one in run.all("x")] == [1, 2, 2]
