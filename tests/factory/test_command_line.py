"""`coinlake factory`: what it prints and how it ends."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading

import pytest

from adf_support.factories import good_factory, write_factory
from coinlake_ops import project
from coinlake_ops.factory import main
from coinlake_ops.lake_lock import only_worker


@pytest.fixture
def folder(tmp_path):
    return write_factory(tmp_path / "factory", good_factory())


def lines(capsys):
    text = capsys.readouterr().out
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text).splitlines()


def test_a_run_of_what_this_machine_cannot_do_is_refused_before_anything_runs(folder, capsys):
    documents = json.loads((folder / "pipeline/pl_finish.json").read_text())
    documents["properties"]["activities"][0]["type"] = "HDInsightPig"
    (folder / "pipeline/pl_finish.json").write_text(json.dumps(documents))
    assert main(["run", "pl_finish", "--folder", str(folder), "--parameter", "count=3"]) == 2
    assert "activities of type HDInsightPig cannot be run here" in capsys.readouterr().err


def test_a_run_on_this_machine_is_kept_listed_and_shown(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    assert main(["run", "pl_finish", "--folder", str(folder), "--parameter", "count=3"]) == 0
    assert main(["monitor"]) == 0
    assert main(["monitor", "last", "--page"]) == 0
    printed = lines(capsys)
    assert "note_count (SetVariable)  Succeeded  0.0 s" in printed[1]
    assert any(line.endswith("pl_finish     Manual       ID") for line in printed)
    [page, index] = sorted((tmp_path / "lake/simulated/adf_runs").glob("*.html"))
    assert index.name == "index.html"
    assert str(page) == re.sub("ID", page.stem, printed[-1])
    assert main(["monitor", "no-such-run"]) == 2
    assert "No run in" in capsys.readouterr().err


def test_parameters_and_diagram_of_this_project(capsys):
    assert main(["parameters", "--check"]) == 0
    assert lines(capsys) == ["local, dev, prod: 0 disagreements"]
    assert main(["parameters", "--environment", "prod"]) == 0
    assert json.loads(capsys.readouterr().out)["coins"] == {"type": "int", "value": 1000}
    assert main(["diagram"]) == 0
    assert lines(capsys)[0] == "flowchart LR"


def test_watch_ends_after_as_many_runs_as_it_is_told(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    trigger = json.loads((folder / "trigger/tr_window.json").read_text())
    pipeline = {"referenceName": "pl_finish", "type": "PipelineReference"}
    trigger["properties"]["pipeline"] = {"pipelineReference": pipeline, "parameters": {"count": 1}}
    (folder / "trigger/tr_window.json").write_text(json.dumps(trigger))
    assert main(["watch", "tr_window", "--folder", str(folder), "--runs", "2", "--parameter", "count=2"]) == 0
    printed = lines(capsys)
    assert [line for line in printed if "Z  pl_finish" in line] == [
        '2026-01-02T00:00:00Z  pl_finish  {"count": 2}',
        '2026-01-03T00:00:00Z  pl_finish  {"count": 2}',
    ]
    assert len(list((tmp_path / "lake/simulated/adf_runs").glob("*.json"))) == 2


HOLD = """
import sys
from pathlib import Path
from coinlake_ops.lake_lock import only_worker
with only_worker(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


def one_window(folder):
    """Let tr_window have one window, which fires a pipeline that takes no time."""
    trigger = json.loads((folder / "trigger/tr_window.json").read_text())
    trigger["properties"]["typeProperties"]["endTime"] = "2026-01-02T00:00:00Z"
    pipeline = {"referenceName": "pl_finish", "type": "PipelineReference"}
    trigger["properties"]["pipeline"] = {"pipelineReference": pipeline, "parameters": {"count": 1}}
    (folder / "trigger/tr_window.json").write_text(json.dumps(trigger))


def test_what_a_watch_fires_waits_for_another_run_on_the_lake_and_says_queued(
    folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    lake = tmp_path / "lake/simulated"
    one_window(folder)
    seen, told = queue.Queue(), threading.Event()
    command = [sys.executable, "-c", HOLD, str(lake)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project.ROOT
    ) as other:
        assert other.stdout.readline() == "mine\n"
        monkeypatch.setattr("coinlake_ops.lake_lock.print", lambda text, **_: told.set(), raising=False)

        def end_the_other():
            told.wait(60)
            seen.put([json.loads(path.read_text())["status"] for path in (lake / "adf_runs").glob("*.json")])
            other.stdin.close()

        thread = threading.Thread(target=end_the_other)
        thread.start()
        assert main(["watch", "tr_window", "--folder", str(folder)]) == 0
        thread.join(60)
    assert seen.get(timeout=1) == ["Queued"]
    [record] = (lake / "adf_runs").glob("*.json")
    assert json.loads(record.read_text())["status"] == "Succeeded"


def test_ctrl_c_ends_a_watch_whose_run_waits_for_the_lake(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    lake = tmp_path / "lake/simulated"
    one_window(folder)
    monkeypatch.setattr("coinlake_ops.lake_lock.os.getpid", lambda: 0)
    with only_worker(lake, lambda text: None):
        monkeypatch.undo()
        monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
        monkeypatch.setattr(
            "coinlake_ops.lake_lock.print", lambda text, **_: os.kill(os.getpid(), signal.SIGINT), raising=False
        )
        assert main(["watch", "tr_window", "--folder", str(folder)]) == 130
    [record] = (lake / "adf_runs").glob("*.json")
    assert json.loads(record.read_text())["status"] == "Cancelled"
    journal = (lake / "adf_runs/triggers/tr_window.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in journal] == ["Queued"]


def test_a_failed_run_is_gone_on_with(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    path = folder / "pipeline/pl_finish.json"
    document = json.loads(path.read_text())
    good = document["properties"]["activities"]
    document["properties"]["activities"] = [
        {"name": "stop", "type": "Fail", "typeProperties": {"message": "no", "errorCode": "E"}}
    ]
    path.write_text(json.dumps(document))
    assert main(["run", "pl_finish", "--folder", str(folder), "--parameter", "count=3"]) == 1
    document["properties"]["activities"] = good
    path.write_text(json.dumps(document))
    assert main(["rerun", "last", "--from-failed", "--folder", str(folder)]) == 0
    assert "note_count (SetVariable)  Succeeded" in capsys.readouterr().out


def test_a_dry_run_follows_the_branch_that_is_known(capsys):
    told = []
    for given in (["--parameter", "load_with=notebook"], ["--parameter", "load_with=copy"], []):
        assert main(["run", "pl_main", "--dry-run", *given]) == 0
        text = capsys.readouterr().out
        told.append(("run_notebooks (" in text, "merge_staged (" in text))
    # Without a value its default is known.
    assert told == [(True, False), (True, True), (True, False)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simulate", "tr_hourly", "--from", "yesterday", "--to", "2026-01-01"], "'yesterday' is not a time"),
        (["simulate", "tr_hourly", "--from", "2026-01-02", "--to", "2026-01-01"], "lies before --from"),
        (["simulate", "tr_x", "--from", "2026-01-01", "--to", "2026-01-02"], "There is no trigger 'tr_x'"),
        (["run", "pl_x"], "There is no pipeline 'pl_x'"),
        (["run", "pl_main", "--parameter", "x=1"], "has no parameter x"),
        (["run", "pl_main", "--parameter", "x=1", "--dry-run"], "has no parameter x"),
        (["watch", "tr_hourly", "--parameter", "x=1"], "has no parameter x"),
        (["run", "pl_main", "--parameter", "x"], "'x' is no parameter: write it as NAME=VALUE"),
        (["run", "pl_main", "--set", "coins=many"], "'many' is not a whole number"),
        (["run", "pl_main", "--fail", "x"], "There is no activity 'x' that can be made to fail"),
        (["run", "pl_main", "--environment", "prod"], "See what prod would run with --dry-run"),
        (["run", "pl_main", "--environment", "x", "--dry-run"], "has no environment 'x', only: local, dev, prod"),
        (["run", "pl_main", "--script", "no.json"], "--script no.json cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COINLAKE_HOME", str(tmp_path))
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_an_address_is_checked_before_anything_runs(capsys):
    with pytest.raises(SystemExit):
        main(["run", "pl_main", "--api", "nonsense"])
    assert "'nonsense' is no address: write it like http://127.0.0.1:8420" in capsys.readouterr().err


def test_a_dry_run_shows_another_environment(capsys):
    assert main(["run", "pl_main", "--dry-run", "--environment", "prod"]) == 0
    assert '"catalog": "coinlake_prod"' in capsys.readouterr().out
