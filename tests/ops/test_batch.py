"""The order of a batch run, its output, and what it says when something fails; notebooks and Spark are faked."""

import errno
import json
import os
import re
import shutil
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from coinlake import observability, schema
from coinlake.errors import CoinlakeError
from coinlake.files import LocalFolder
from coinlake.observability import steps
from coinlake_ops import batch, cli, notebooks, parameter_files, project, spark_server, unchanged
from coinlake_ops.factory.executors.alerts import AlertServer


class FakeServer:
    """Stands for a Spark server: says whether it lives, and remembers that it was stopped."""

    def __init__(self, log, alive=True):
        self.log = log
        self.alive = alive
        self.stopped = False

    @property
    def environment(self):
        return {"SPARK_REMOTE": "sc://localhost:1"}

    def environment_of(self, user):
        return self.environment | {"USER_OF_SPARK": user}

    def is_alive(self):
        return self.alive

    def stop(self):
        self.stopped = True


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A small pipeline whose notebooks only leave their record; `failing` maps a notebook to its error."""
    world = SimpleNamespace(
        executed=[],
        environments={},
        failing={},
        server=FakeServer(tmp_path / "server.log"),
        lake=tmp_path / "lake",
    )

    def execute(notebook, executed, values, progress=None, environment=None, kernels=None, kept=None):
        name = notebook.stem
        world.executed.append(name)
        world.environments[name] = environment
        if name in world.failing:
            raise world.failing[name]
        executed.parent.mkdir(parents=True, exist_ok=True)
        executed.write_text(f"{name} of {values['run_id']}")
        notebook_globals = {"__annotations__": {"lake_path": str, "run_id": str}} | values
        observability.begin(name, notebook_globals).end(rows_read=2, rows_written=1, rows_rejected=1)

    monkeypatch.setattr(schema, "STEPS", {"a": (), "b": (), "c": ("a", "b"), "d": ("c",)})
    monkeypatch.setattr(notebooks, "REPORTS", {})
    for name in "abcd":
        (tmp_path / f"{name}.ipynb").write_text(name)
    monkeypatch.setattr(notebooks, "path", lambda name: tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(unchanged, "ALWAYS", {"a"})
    monkeypatch.setattr(
        notebooks,
        "declared_parameters",
        lambda notebook: {"lake_path": "", "run_id": ""} | ({} if notebook.stem == "a" else {"catalog": ""}),
    )
    monkeypatch.setattr(notebooks, "execute", execute)
    monkeypatch.setattr(spark_server, "start", lambda lake: world.server)
    monkeypatch.setattr(steps, "print", lambda *_: None, raising=False)
    return world


def run(world, *arguments):
    return cli.main(["run", f"LAKE_PATH={world.lake}", "RUN_ID=r1", *arguments])


def test_housekeeping_is_done_after_a_run_that_succeeded_and_with_its_server(world, monkeypatch):
    asked = []
    monkeypatch.setattr(
        batch.housekeeping, "when_due", lambda *given: asked.append((*given, world.server.stopped))
    )
    assert run(world) == 0
    assert asked == [(world.lake, world.server.environment, False)]
    world.failing["c"] = CoinlakeError("no")
    assert run(world, "--force") == 1
    assert len(asked) == 1


def test_a_notebook_starts_when_its_input_is_done(world):
    assert run(world) == 0
    assert sorted(world.executed[:2]) == ["a", "b"]
    assert world.executed[2:] == ["c", "d"]
    assert world.server.stopped


def test_only_notebooks_with_tables_are_told_of_the_server(world):
    before = dict(os.environ)
    run(world)
    assert world.environments == {"a": {}} | {name: world.server.environment_of(name) for name in "bcd"}
    assert dict(os.environ) == before


def test_a_server_that_stood_before_the_run_stands_after_it(world, monkeypatch):
    monkeypatch.setattr(spark_server, "start", lambda lake: pytest.fail("another server was started"))
    values = parameter_files.load("local", [f"lake_path={world.lake}"])
    batch.execute(batch.Run(values, "r1", batch.silent), world.server)
    assert world.environments["d"] == world.server.environment_of("d")
    assert not world.server.stopped


def test_a_run_may_consist_of_some_steps_and_notes_nothing_for_the_next_whole_one(world):
    values = parameter_files.load("local", [f"lake_path={world.lake}"])
    batch.execute(batch.Run(values, "r1", batch.silent, steps={"b": (), "c": ("b",)}), world.server)
    assert world.executed == ["b", "c"]
    assert not (world.lake / unchanged.NAME).exists()


def test_one_line_a_step_and_the_total(world, capsys):
    run(world)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Run r1 of the simulated market into {world.lake}"
    assert sorted(line.split()[:4] for line in lines[3:5]) == [["a", "2", "1", "1"], ["b", "2", "1", "1"]]
    assert re.fullmatch(r"Done in \d+ s\. The reports:", lines[8])


def test_what_was_given_the_same_does_not_run_again(world, capsys):
    assert run(world) == 0
    capsys.readouterr()
    world.executed.clear()
    assert run(world, "RUN_ID=r2") == 0
    assert world.executed == ["a"]
    assert sorted(line.split()[:2] for line in capsys.readouterr().out.splitlines()[3:7]) == [
        ["a", "2"],
        *([name, "unchanged"] for name in "bcd"),
    ]
    # The run is whole all the same: its records, and its executed notebooks.
    records = {path.stem: json.loads(path.read_text()) for path in world.lake.glob("steps/date=*/r2/*.json")}
    assert {name: (each["status"], each["rows_read"]) for name, each in records.items()} == {
        "a": ("succeeded", 2),
        **dict.fromkeys("bcd", ("succeeded", 0)),
    }
    assert {path.read_text() for path in world.lake.glob("runs/r2/*.ipynb")} == {
        "a of r2",
        *(f"{name} of r1" for name in "bcd"),
    }


def nothing(world, monkeypatch):
    """Nothing happens to the lake."""


def something_landed(world, monkeypatch):
    page = world.lake / "landing/endpoint=global/date=2026-08-12/run=20260812T142200Z-0123abcd/p0001.json"
    page.parent.mkdir(parents=True)
    page.write_text("{}")


def a_table_was_written(world, monkeypatch):
    log = world.lake / "tables/cleaned_data/fear_greed/_delta_log"
    log.mkdir(parents=True, exist_ok=True)
    (log / f"{1:020}.json").write_text("{}")


def the_warehouse_is_gone(world, monkeypatch):
    (world.lake / "warehouse.duckdb").unlink()


def a_page_is_gone(world, monkeypatch):
    (world.lake / "reports/market_trends.html").unlink()


def other_code(world, monkeypatch):
    monkeypatch.setattr(unchanged, "_code", lambda: "other")


def a_cut_note(world, monkeypatch):
    (world.lake / unchanged.NAME).write_text('{"given"')


def executed_notebooks_are_gone(world, monkeypatch):
    shutil.rmtree(world.lake / "runs")


CHANGES = [
    something_landed,
    a_table_was_written,
    the_warehouse_is_gone,
    a_page_is_gone,
    other_code,
    a_cut_note,
    executed_notebooks_are_gone,
]


@pytest.mark.parametrize("change", [nothing, *CHANGES], ids=lambda change: change.__name__)
def test_all_run_again_when_the_lake_is_another(world, monkeypatch, change):
    monkeypatch.setattr(notebooks, "REPORTS", {"e": "market_trends"})
    for made in ("warehouse.duckdb", "reports/market_trends.html"):
        (world.lake / made).parent.mkdir(parents=True, exist_ok=True)
        (world.lake / made).write_text("made")
    assert run(world) == 0
    world.executed.clear()
    change(world, monkeypatch)
    assert run(world) == 0
    assert sorted(world.executed) == (["a"] if change is nothing else ["a", "b", "c", "d"])


def test_tables_are_set_up_again_when_they_are_not_as_they_were_and_not_because_something_landed(
    world, monkeypatch
):
    monkeypatch.setattr(unchanged, "SETUP", "b")
    monkeypatch.setattr(schema, "TABLES", (schema.FEAR_GREED, schema.RUN_STEPS))
    for table in schema.TABLES:
        log = world.lake / "tables" / table.schema / table.name / "_delta_log"
        log.mkdir(parents=True)
        (log / f"{0:020}.json").write_text("{}")

    def executed():
        world.executed.clear()
        assert run(world) == 0
        return sorted(world.executed)

    assert executed() == ["a", "b", "c", "d"]
    something_landed(world, monkeypatch)
    assert executed() == ["a", "c", "d"]
    a_table_was_written(world, monkeypatch)
    assert executed() == ["a", "b", "c", "d"]
    shutil.rmtree(log)
    assert executed() == ["a", "b"]


def test_only_those_run_again_that_are_given_something_else(world, monkeypatch):
    assert run(world) == 0
    world.executed.clear()
    notebooks.path("c").write_text("another c")
    assert run(world) == 0
    assert sorted(world.executed) == ["a", "c"]


def test_all_run_again_on_request_and_after_a_run_that_failed(world):
    world.failing["d"] = notebooks.CellFailed(1, "No.")
    assert run(world) == 1
    del world.failing["d"]
    for arguments in ((), ("--force",)):
        world.executed.clear()
        assert run(world, *arguments) == 0
        assert sorted(world.executed) == ["a", "b", "c", "d"]


def test_json_lines_for_machines_and_silence_on_request(world, capsys):
    assert run(world, "--json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in events] == ["start", "step", "step", "step", "step", "end"]
    assert (events[1]["rows_read"], events[1]["status"]) == (2, "succeeded")
    assert run(world, "--quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_a_failure_names_notebook_cell_and_message_and_stops_what_depends_on_it(world, capsys):
    world.failing["c"] = notebooks.CellFailed(7, "Column x is missing.\n\nJVM stacktrace:\n  at org.apache")
    assert run(world) == 1
    said = capsys.readouterr().err
    assert said == f"\nc, cell 7: Column x is missing.\nExecuted notebook: {world.lake}/runs/r1/c.ipynb\n"
    assert "d" not in world.executed
    assert world.server.stopped
    [record] = world.lake.glob("steps/date=*/r1/c.json")
    assert json.loads(record.read_text())["message"] == "Column x is missing."


def test_what_runs_beside_a_failure_ends_in_peace_and_is_not_blamed(world, capsys):
    world.failing["b"] = notebooks.CellFailed(3, "Login failed.")
    assert run(world) == 1
    assert sorted(world.executed) == ["a", "b"]
    [record] = world.lake.glob("steps/date=*/r1/a.json")
    assert json.loads(record.read_text())["status"] == "succeeded"
    assert capsys.readouterr().err.startswith("\nb, cell 3: Login failed.\n")


def test_a_kernel_that_dies_is_a_failure_of_its_step(world, capsys):
    world.failing["c"] = notebooks.KernelDied("Its kernel died.")
    assert run(world) == 1
    assert capsys.readouterr().err.startswith("\nc: Its kernel died.\n")
    assert "d" not in world.executed
    record = observability.read_record(str(world.lake), "r1", "c")
    assert (record["status"], record["message"]) == ("failed", "Its kernel died.")


def test_a_notebook_that_does_not_come_to_its_end_fails(world, monkeypatch, capsys):
    monkeypatch.setattr(observability.Step, "end", lambda *_, **__: None)
    assert run(world) == 1
    assert "a: It did not come to step.end(…)" in capsys.readouterr().err
    assert observability.read_record(str(world.lake), "r1", "a")["status"] == "failed"


def test_an_error_that_nobody_foresaw_is_a_failure_of_its_notebook_alone(world, capsys):
    world.failing["b"] = RuntimeError("Kernel did not answer.")
    assert run(world) == 1
    assert sorted(world.executed) == ["a", "b"]
    assert observability.read_record(str(world.lake), "r1", "a")["status"] == "succeeded"
    assert observability.read_record(str(world.lake), "r1", "b")["status"] == "failed"
    assert capsys.readouterr().err.startswith("\nb: Kernel did not answer.\n")
    assert world.server.stopped


def test_every_failure_is_told(world, capsys):
    world.failing |= {"a": notebooks.CellFailed(1, "No network."), "b": notebooks.CellFailed(3, "Login failed.")}
    assert run(world) == 1
    said = capsys.readouterr().err
    assert "a, cell 1: No network." in said and "b, cell 3: Login failed." in said


def test_a_step_that_begins_after_midnight_is_found(world, monkeypatch):
    """The run notes a start before midnight, the notebook one after it."""
    days = iter(datetime(2026, 8, day, 0, 0, 1, tzinfo=UTC) for day in range(1, 100))
    written = observability.Step._write

    def write(step, status, ended_at, **facts):
        step.started_at = next(days)
        return written(step, status, ended_at, **facts)

    monkeypatch.setattr(observability.Step, "_write", write)
    assert run(world) == 0


def test_a_server_that_died_is_named_as_the_cause(world, capsys):
    world.failing["c"] = notebooks.CellFailed(7, "UNAVAILABLE")
    world.server.alive = False
    assert run(world) == 1
    assert "c, cell 7: The Spark server stopped; its log is" in capsys.readouterr().err


def test_a_server_that_does_not_start_stops_the_run(world, monkeypatch, capsys):
    def start(lake):
        raise CoinlakeError("No Java.")

    monkeypatch.setattr(spark_server, "start", start)
    assert run(world) == 1
    assert capsys.readouterr().err == "\nNo Java.\n"
    assert observability.read_record(str(world.lake), "r1", "b")["message"] == "No Java."


def test_a_failed_run_is_an_alert_that_is_told_once_and_clears(world, capsys, monkeypatch):
    with AlertServer(world.lake / "posted.jsonl") as webhook:
        threading.Thread(target=webhook.serve_forever, daemon=True).start()
        monkeypatch.setenv("COINLAKE_ALERT_WEBHOOK_URL", webhook.address)
        world.failing["c"] = notebooks.CellFailed(7, "Column x is missing.")
        said = "failed_run of pipeline: The run failed in c: Column x is missing."
        assert run(world, "RUN_ID=r1") == 1
        assert f"\nAlert, new: {said}\n" in capsys.readouterr().out
        assert run(world, "RUN_ID=r2") == 1
        assert re.search(rf"\nAlert, since \S{{16}}: {said}\n", capsys.readouterr().out)
        world.failing.clear()
        assert run(world, "RUN_ID=r3") == 0
        assert "\nCleared: failed_run of pipeline\n" in capsys.readouterr().out
        assert run(world, "RUN_ID=r4") == 0
        out = capsys.readouterr().out
        assert "Alert" not in out and "Cleared" not in out
        webhook.shutdown()
    posted = [json.loads(line) for line in (world.lake / "posted.jsonl").read_text().splitlines()]
    assert [(post["run_id"], len(post["fired"]), len(post["cleared"])) for post in posted] == [
        ("r1", 1, 0),
        ("r3", 0, 1),
    ]
    assert posted[0]["lake"] == str(world.lake)
    assert posted[0]["fired"][0]["message"] == "The run failed in c: Column x is missing."


def test_a_webhook_that_does_not_answer_is_named_and_not_shown(world, capsys, monkeypatch):
    monkeypatch.setenv("COINLAKE_ALERT_WEBHOOK_URL", "http://127.0.0.1:9/secret")
    world.failing["a"] = notebooks.CellFailed(1, "No.")
    assert run(world) == 1
    said = capsys.readouterr().err
    assert "The webhook of the secret alert-webhook-url did not take the alerts: ConnectionError" in said
    assert "127.0.0.1:9" not in said


def test_a_mistyped_parameter_stops_before_anything_is_written(world, capsys):
    assert run(world, "SORCE=live") == 2
    assert "sorce: did you mean source?" in capsys.readouterr().err
    assert not world.lake.exists()


def test_a_full_disk_is_said_before_the_run(world, monkeypatch, capsys):
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_bavail=10, f_frsize=1_000_000))
    assert run(world) == 1
    assert "Only 10 MB are free" in capsys.readouterr().err
    assert world.executed == []


def test_a_disk_that_fills_up_in_a_run_hides_no_failure(world, monkeypatch, capsys):
    def refuse(storage, path, content):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    def fail(*_, **__):
        monkeypatch.setattr(LocalFolder, "write_new", refuse)
        raise notebooks.CellFailed(7, "Why.")

    monkeypatch.setattr(notebooks, "execute", fail)
    monkeypatch.setattr(schema, "STEPS", {"a": ()})
    assert run(world) == 1
    assert "a, cell 7: Why." in capsys.readouterr().err


def test_the_pipeline_holds_every_notebook_and_no_other():
    assert sorted(schema.STEPS) == [path.stem for path in notebooks.all_paths()]
    assert set(notebooks.REPORTS) <= set(schema.STEPS)
    assert project.ROOT / "notebooks" == notebooks.FOLDER
