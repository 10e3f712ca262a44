"""One worker on a lake at a time, whoever it is."""

import queue
import re
import subprocess
import sys
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from coinlake.errors import CoinlakeError
from coinlake_ops import batch, parameter_files, project
from coinlake_ops.lake_lock import only_worker
from tests.support.local_world import world as local_world

HOLD = """
import sys
from pathlib import Path
from coinlake_ops.lake_lock import only_worker
with only_worker(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path):
    """Another process that works on the lake, until its standard input is closed."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lake"), "COINS=30"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=project.ROOT
    ) as process:
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def come_second(enter, said):
    """Enters in a thread; returns the thread once it has said for whom it waits, and what it said."""
    thread = threading.Thread(target=enter, daemon=True)
    thread.start()
    return thread, said.get(timeout=30)


@pytest.mark.parametrize("ending", ["close", "kill"])
def test_who_comes_second_is_told_who_works_and_waits(held, tmp_path, ending):
    said, entered = queue.Queue(), threading.Event()

    def enter():
        with only_worker(tmp_path / "lake", said.put):
            entered.set()

    thread, text = come_second(enter, said)
    pattern = (
        rf"Another run is working on {tmp_path}/lake "
        rf"\(process {held.pid}: coinlake {tmp_path}/lake COINS=30, since [-\d]+ [:\d]+ UTC\)\. "
        r"Waiting for it to end; Ctrl-C gives up\."
    )
    assert re.fullmatch(pattern, text)
    assert not entered.is_set()
    held.stdin.close() if ending == "close" else held.kill()
    thread.join(30)
    assert entered.is_set()


def test_two_runs_of_one_process_wait_for_each_other_without_a_word(tmp_path):
    said, entered = queue.Queue(), threading.Event()

    def enter():
        with only_worker(tmp_path, said.put):
            entered.set()

    thread = threading.Thread(target=enter, daemon=True)
    with only_worker(tmp_path, said.put):
        thread.start()
        assert not entered.wait(0.5)
    thread.join(30)
    assert entered.is_set()
    assert said.empty()


def test_who_waits_in_a_thread_gives_up_when_the_runs_are_stopped(held, tmp_path):
    said, errors, stopped = queue.Queue(), queue.Queue(), Future()

    def enter():
        try:
            with only_worker(tmp_path / "lake", said.put, stopped):
                errors.put("entered")
        except CoinlakeError as error:
            errors.put(str(error))

    thread, _ = come_second(enter, said)
    stopped.set_result(None)
    assert errors.get(timeout=30) == f"The run was stopped while it waited for {tmp_path}/lake."
    thread.join(30)


@pytest.mark.parametrize("kind", ["run", "factory"])
def test_a_run_and_the_data_factory_wait_for_each_other(held, tmp_path, monkeypatch, kind):
    said, entered = queue.Queue(), threading.Event()
    monkeypatch.setattr("coinlake_ops.lake_lock.print", lambda text, **_: said.put(text), raising=False)
    monkeypatch.setattr(batch, "_execute_all", lambda *_: entered.set())
    monkeypatch.setattr(
        batch.spark_server, "start", lambda lake: SimpleNamespace(environment={}, stop=lambda: None)
    )

    def enter():
        if kind == "run":
            values = parameter_files.load("local", [f"lake_path={tmp_path / 'lake'}"])
            batch.execute(batch.Run(values, "r1", batch.silent))
        else:
            with local_world(tmp_path / "lake"):
                entered.set()

    thread, text = come_second(enter, said)
    assert text.startswith(f"Another run is working on {tmp_path}/lake (process {held.pid}: ")
    assert not entered.is_set()
    held.stdin.close()
    thread.join(30)
    assert entered.is_set()
