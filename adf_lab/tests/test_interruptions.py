"""A real process that is ended while it runs something: by Ctrl-C, by SIGTERM, and by kill -9."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adf_lab import Engine, RealClock, monitor
from adf_lab.cli import main
from adf_support.factories import good_factory, write_factory

pytestmark = pytest.mark.processes

TRIGGER = {
    "type": "TumblingWindowTrigger",
    "pipeline": {"pipelineReference": {"referenceName": "pl", "type": "PipelineReference"}},
    "typeProperties": {
        "frequency": "Hour",
        "interval": 1,
        "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2026-01-01T02:00:00Z",
        "maxConcurrency": 1,
    },
}
WORK = [
    {"name": "first", "type": "Copy", "typeProperties": {}},
    {
        "name": "long",
        "type": "Copy",
        "typeProperties": {},
        "dependsOn": [{"activity": "first", "dependencyConditions": ["Succeeded"]}],
    },
]


class Watched:
    """A watch of a trigger whose windows take a day, in a process of its own."""

    def __init__(self, folder: Path):
        pipeline = {"name": "pl", "properties": {"activities": WORK, "concurrency": 1}}
        documents = {"pipeline/pl.json": pipeline, "trigger/tr.json": {"name": "tr", "properties": TRIGGER}}
        root = write_factory(folder / "factory", documents)
        (folder / "slow.json").write_text(
            json.dumps({"long": [{"status": "Succeeded", "durationSeconds": 86_400}]})
        )
        (folder / "quick.json").write_text("{}")
        self.folder, self.kept = folder, folder / "kept"
        self.options = ["--folder", str(root), "--records", str(self.kept)]

    def end_by(self, number: signal.Signals) -> int:
        """Start it, end it by a signal while the activity `long` is at work, and return its exit code."""
        code = "from adf_lab.cli import main; raise SystemExit(main())"
        command = [sys.executable, "-c", code, "watch", "tr", "--script", str(self.folder / "slow.json")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(
            [*command, *self.options],
            env=environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        ) as process:
            timer = threading.Timer(60, process.kill)
            timer.start()
            assert any("pl › long  …" in line for line in process.stderr)
            if number == signal.SIGKILL:
                self.wait_for_record("long")
            process.send_signal(number)
            process.stderr.read()
            timer.cancel()
            return process.wait(60)

    def wait_for_record(self, activity: str) -> None:
        """Return when the record on the disk knows an activity: it rests a second between two changes."""
        pause = threading.Event()
        while not any(row.name == activity for record in self.records() for row in monitor.rows(record)):
            pause.wait(0.05)

    def records(self) -> list[dict]:
        return monitor.runs(self.kept)

    def statuses(self) -> list[str]:
        lines = (self.kept / "triggers/tr.jsonl").read_text().splitlines()
        return [json.loads(line)["status"] for line in lines]

    def go_on(self) -> int:
        return main(["watch", "tr", "--script", str(self.folder / "quick.json"), *self.options])


def raise_it(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize("handler", [signal.default_int_handler, raise_it])
def test_ctrl_c_cancels_a_run_where_it_waits_whoever_handles_it(handler):
    seen = []

    async def execute(call):
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000):
            seen.append("still whole")
        await asyncio.sleep(60)

    documents = {"pl": {"name": "pl", "properties": {"activities": WORK}}}
    engine = Engine(documents, {"Copy": execute}, RealClock(), changed=lambda run: seen.append(run))
    before = signal.signal(signal.SIGINT, handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.run("pl")
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen.count("still whole") == 1000
    assert (seen[-1].status, seen[-1].activities[0].status) == ("Cancelled", "Cancelled")


def activities(record):
    return {row.name: row.record["status"] for row in monitor.rows(record)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_that_is_ended_leaves_a_true_record(tmp_path, number):
    watched = Watched(tmp_path)
    assert watched.end_by(number) == 130
    [record] = watched.records()
    assert (record["status"], activities(record)) == ("Cancelled", {"first": "Succeeded", "long": "Cancelled"})
    assert watched.statuses() == ["Queued", "InProgress", "Cancelled"]


def test_after_kill_9_the_next_start_marks_the_run_and_goes_on(tmp_path, capsys):
    watched = Watched(tmp_path)
    assert watched.end_by(signal.SIGKILL) == -signal.SIGKILL
    [record] = watched.records()
    assert (record["status"], record["runEnd"]) == ("InProgress", None)
    assert watched.statuses() == ["Queued", "InProgress"]
    assert watched.go_on() == 0
    assert f"pl {record['runId']} was interrupted: its process has ended." in capsys.readouterr().err
    again = {found["runId"]: found for found in watched.records()}
    marked = again.pop(record["runId"])
    assert (marked["status"], activities(marked)) == ("Interrupted", {"first": "Succeeded", "long": "Interrupted"})
    assert [found["status"] for found in again.values()] == ["Succeeded", "Succeeded"]
    assert watched.statuses()[2:] == ["Queued", "InProgress", "Succeeded"] * 2


MARCH = ["--from", "2026-03-01", "--to", "2026-04-01"]


@pytest.mark.parametrize("command", [["rules", "--markdown"], ["simulate", "tr_daily", *MARCH]])
def test_a_reader_that_goes_away_is_no_error(command, tmp_path):
    folder = write_factory(tmp_path, good_factory())
    where = ["--folder", str(folder)] if command[0] == "simulate" else []
    with subprocess.Popen(
        [sys.executable, "-m", "adf_lab", *command, *where], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        process.stdout = None
        assert process.wait() == 1
