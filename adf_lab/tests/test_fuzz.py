"""No factory, however broken, gives a traceback or takes long: factories are broken at random and checked."""

import copy
import json
import random
import time

import pytest

from adf_lab import check_factory, load_factory
from adf_lab.cli import main
from adf_support.factories import good_factory, write_factory

SEEDS = range(6)
FACTORIES = 10
ODD = [
    *(
        None,
        True,
        False,
        0,
        -1,
        10**30,
        1.5,
        "",
        "@",
        "@@",
        "@{",
        "@concat(",
        "@item()",
        "x",
        "Succeeded",
        "\ud800",
    ),
    *([], {}, [[]], [None], {"type": "Expression"}, {"type": "Expression", "value": None}, {"name": 1}, {"": ""}),
    *("@activity('get_key').output", "@variables('text')", "0.00:00:00", "ForEach", "Until", "Wait", "Switch"),
    {"referenceName": "pl_main", "type": "PipelineReference"},
]


def places(value):
    """Every place inside a document, as (holder, key)."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in list(members):
        yield value, key
        yield from places(member)


def broken_factory(chance):
    """Documents of the good factory with a few changes, of which most break it."""
    documents = good_factory()
    for _ in range(chance.choice([1, 2, 5, 20])):
        everywhere = [place for document in documents.values() for place in places(document)]
        holder, key = chance.choice(everywhere)
        other, name = chance.choice(everywhere)
        kind = chance.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1:
            holder[key] = copy.deepcopy(chance.choice(ODD))
        elif kind == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        elif kind == 3 and isinstance(holder, dict):
            holder[f"{key}s"] = holder.pop(key)
        elif kind == 4:
            holder[key] = copy.deepcopy(other[name])
        else:
            holder[key] = [holder[key]]
    return documents


@pytest.mark.parametrize("seed", SEEDS)
def test_a_broken_factory_is_checked_without_a_traceback(seed, tmp_path):
    chance = random.Random(seed)
    for number in range(FACTORIES):
        folder = write_factory(tmp_path / str(number), broken_factory(chance))
        for finding in check_factory(load_factory(folder), house_style=True):
            assert str(finding).encode("utf-8")


def test_a_file_cut_anywhere_is_told_as_such(tmp_path):
    text = json.dumps(good_factory()["pipeline/pl_main.json"], indent=1)
    folder = write_factory(tmp_path, good_factory())
    for end in range(0, len(text) - 1, 97):
        (folder / "pipeline/pl_main.json").write_text(text[:end])
        assert "unreadable-file" in {finding.rule for finding in check_factory(load_factory(folder))}


def diamonds(count):
    """Activities that fork and join again and again: 2 ** count ways through them."""
    activities = [{"name": "j0", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 1}}]
    for number in range(count):
        for name, parents in ((f"l{number}", [f"j{number}"]), (f"r{number}", [f"j{number}"])):
            activities.append(dependent(name, parents))
        activities.append(dependent(f"j{number + 1}", [f"l{number}", f"r{number}"]))
    return {"pipeline/pl.json": {"name": "pl", "properties": {"activities": activities}}}


def dependent(name, parents):
    return {
        "name": name,
        "type": "Wait",
        "typeProperties": {"waitTimeInSeconds": 1},
        "dependsOn": [{"activity": parent, "dependencyConditions": ["Failed"]} for parent in parents],
    }


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["run", "pl", "--dry-run", "--folder"],
        ["run", "pl", "--script", "script.json", "--folder"],
        ["diagram", "--folder"],
    ],
    ids=" ".join,
)
def test_many_ways_through_a_pipeline_take_no_time(command, tmp_path, monkeypatch, capsys):
    folder = write_factory(tmp_path, diamonds(60))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.json").write_text("{}")
    begun = time.process_time()
    assert main([*command, str(folder)]) in (0, 1)
    assert time.process_time() - begun < 5
    assert capsys.readouterr().out


def test_pipelines_that_call_one_another_twice_are_told_once(tmp_path, capsys):
    def call(name, number):
        reference = {"referenceName": f"p{number + 1}", "type": "PipelineReference"}
        return {"name": name, "type": "ExecutePipeline", "typeProperties": {"pipeline": reference}}

    documents = {
        f"pipeline/p{number}.json": {
            "name": f"p{number}",
            "properties": {"activities": [call("a", number), call("b", number)] if number < 40 else []},
        }
        for number in range(41)
    }
    assert main(["run", "p0", "--dry-run", "--folder", str(write_factory(tmp_path, documents))]) == 0
    assert capsys.readouterr().out.count("(told above)") == 40


COMMANDS = [
    ["run", "pl_main", "--dry-run"],
    ["run", "pl_main", "--script"],
    ["diagram"],
    ["diagram", "--overview"],
    ["simulate", "tr_daily", "--from", "2026-03-01", "--to", "2026-03-03"],
    ["simulate", "tr_window", "--from", "2026-03-01", "--to", "2026-03-03"],
]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_broken_is_run_or_refused_without_a_traceback(seed, tmp_path, capsys):
    chance = random.Random(seed)
    script = tmp_path / "script.json"
    script.write_text("{}")
    for number in range(FACTORIES):
        folder = write_factory(tmp_path / str(number), broken_factory(chance))
        for command in COMMANDS:
            arguments = [*command, str(script)] if command[-1] == "--script" else command
            assert main([*arguments, "--folder", str(folder)]) in (0, 1, 2)
    capsys.readouterr()
