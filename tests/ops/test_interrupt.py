"""Ctrl-C in a run, with real kernels: what runs puts away what it has, and all is over in seconds."""

import os
import signal
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import nbformat
import pytest

from coinlake import observability, schema
from coinlake.clocks import SystemClock
from coinlake.errors import CoinlakeError
from coinlake_ops import batch, kernels, notebooks, parameter_files, spark_server
from coinlake_ops.watch import Watch
from coinlake_ops.watch.turns import SECONDS_TO_END

pytestmark = pytest.mark.processes

BEGIN = "from coinlake import observability\nstep = observability.begin({name!r}, globals())"
# As ingestion does: what was paid for is kept, and the interrupt goes on its way.
CAREFUL = """
import pathlib, time
folder = pathlib.Path(lake_path)
try:
    (folder / "{name}.begun").touch()
    time.sleep(600)
except KeyboardInterrupt:
    (folder / "{name}.committed").touch()
    raise
"""
STUBBORN = """
import os, pathlib, time
(pathlib.Path(lake_path) / "{name}.pid").write_text(str(os.getpid()))
(pathlib.Path(lake_path) / "{name}.begun").touch()
while True:
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        pass
"""
END = "step.end(rows_read=0, rows_written=0)"


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A pipeline of small notebooks, `a` and `b` beside each other and `c` after them."""
    world = SimpleNamespace(lake=tmp_path / "lake", stopped=[])
    world.lake.mkdir()
    server = SimpleNamespace(environment={}, is_alive=lambda: True, log=tmp_path / "server.log")
    # What is still at work when the server is stopped would lose its tables.
    server.stop = lambda: world.stopped.append(list(world.run.kernels._at_work))

    def notebook(name, body):
        parameters = nbformat.v4.new_code_cell("lake_path: str = ''\nrun_id: str = ''")
        parameters.metadata["tags"] = ["parameters"]
        cells = [BEGIN.format(name=name), body.format(name=name), END]
        written = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
        written.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(written, tmp_path / f"{name}.ipynb")

    def consist_of(after, bodies):
        for name, body in bodies.items():
            notebook(name, body)
        monkeypatch.setattr(schema, "STEPS", after)
        return parameter_files.load("local", [f"lake_path={world.lake}"])

    def execute(after, bodies):
        world.run = batch.Run(consist_of(after, bodies), "r1", batch.silent)
        batch.execute(world.run)

    monkeypatch.setattr(notebooks, "path", lambda name: tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(notebooks, "REPORTS", {})
    monkeypatch.setattr(spark_server, "start", lambda lake, patience=None: server)
    world.execute, world.consist_of, world.server = execute, consist_of, server
    return world


def ctrl_c_when(*files, times=1):
    """Sends this process the signal of Ctrl-C as soon as all these files are there, and again at once."""

    def send():
        pause = threading.Event()
        while not all(file.exists() for file in files):
            pause.wait(0.02)
        thread.sent_at = time.monotonic()
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            pause.wait(0.1)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def status(world, name):
    record = observability.read_record(str(world.lake), "r1", name)
    return record and (record["status"], record["message"])


@pytest.mark.parametrize("times", [1, 3])
def test_ctrl_c_lets_every_cell_put_away_what_it_has(world, times):
    sender = ctrl_c_when(world.lake / "a.begun", world.lake / "b.begun", times=times)
    with pytest.raises(KeyboardInterrupt):
        world.execute({"a": (), "b": (), "c": ("a", "b")}, {"a": CAREFUL, "b": CAREFUL, "c": CAREFUL})
    sender.join()
    assert sorted(path.name for path in world.lake.glob("*.committed")) == ["a.committed", "b.committed"]
    assert status(world, "a") == status(world, "b") == ("interrupted", observability.BY_HAND)
    assert status(world, "c") is None
    assert world.stopped == [[]]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_cell_that_does_not_listen_is_killed(world, monkeypatch):
    monkeypatch.setattr(kernels, "SECONDS_TO_END", 0.5)
    ctrl_c_when(world.lake / "a.begun", world.lake / "b.begun")
    with pytest.raises(KeyboardInterrupt):
        world.execute({"a": (), "b": ()}, {"a": STUBBORN, "b": CAREFUL})
    with pytest.raises(ProcessLookupError):
        os.kill(int((world.lake / "a.pid").read_text()), 0)
    assert (world.lake / "b.committed").exists()
    assert status(world, "a") == status(world, "b") == ("interrupted", observability.BY_HAND)
    assert world.stopped == [[]]


@pytest.mark.parametrize("body", [CAREFUL, STUBBORN], ids=["careful", "stubborn"])
def test_ctrl_c_ends_a_watch_in_three_seconds(world, body):
    values = world.consist_of({"a": ()}, {"a": body})
    ended = []
    world.server.stop = lambda: ended.append(time.monotonic())
    watch = Watch(values, timedelta(minutes=1), SystemClock(), SimpleNamespace(), dict, print)
    sender = ctrl_c_when(world.lake / "a.begun")
    with pytest.raises(KeyboardInterrupt):
        watch.run()
    sender.join()
    assert ended[0] + SECONDS_TO_END - sender.sent_at < 3
    if body == CAREFUL:
        assert (world.lake / "a.committed").exists()
    else:
        with pytest.raises(ProcessLookupError):
            os.kill(int((world.lake / "a.pid").read_text()), 0)


def test_no_cell_begins_once_the_end_has_begun(world):
    """Between two cells a kernel hears no signal: the next one must not begin."""
    world.execute({"a": ()}, {"a": "1"})
    world.run.kernels.end()
    with pytest.raises(notebooks.Interrupted):
        notebooks.execute(notebooks.path("a"), world.lake / "a.ipynb", {}, kernels=world.run.kernels)
    assert not (world.lake / "a.ipynb").exists()


def test_a_kernel_that_dies_says_so(world):
    body = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(CoinlakeError, match="a: Its kernel died, most often because memory ran out"):
        world.execute({"a": ()}, {"a": body})
    state, message = status(world, "a")
    assert state == "failed" and message.startswith("Its kernel died")
