"""Records from the beginning of a run: what is written when, and what is made of what a process has left."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from adf_lab import ActivityFailure, AdfLabError, Engine, VirtualClock, monitor
from adf_lab.locks import Lock
from adf_lab.recording import Recorder, settle
from adf_lab.rerun import activities_of, parameters_of, refuse_unfinished, system_of
from adf_support.factories import after, expression

START = datetime(2026, 8, 12, 14, 0, tzinfo=UTC)
MASK = "*** secured ***"


def work(name, *dependencies, **more):
    return {"name": name, "type": "Copy", "dependsOn": list(dependencies), "typeProperties": {}, **more}


def documents(*activities, **properties):
    return {"pl": {"name": "pl", "properties": {"activities": list(activities), **properties}}}


CALL = {
    "name": "call",
    "type": "ExecutePipeline",
    "typeProperties": {"pipeline": {"referenceName": "child", "type": "PipelineReference"}},
}
NESTED = documents(work("a"), {**CALL, "dependsOn": [after("a")]}) | {
    "child": {"name": "child", "properties": {"activities": [work("b", policy={"retry": 1})]}}
}


class Seen:
    """Runs a pipeline and keeps what its record said whenever an activity was at work."""

    def __init__(self, folder, pipelines, clock=None, **options):
        self.folder, self.records = folder, []
        self.recorder = Recorder(folder, **options)
        clock = clock or VirtualClock(START)
        ids = iter(range(100))
        self.engine = Engine(
            pipelines,
            {"Copy": self.execute},
            clock,
            changed=self.recorder.changed,
            new_id=lambda: f"id-{next(ids)}",
        )

    async def execute(self, call):
        # Longer than any record rests.
        await asyncio.sleep(3600)
        self.records.append(self.record())
        if call.attempt == 1 and call.name == "b":
            raise ActivityFailure("E", "busy")
        return {}

    def record(self):
        return json.loads((self.folder / "id-0.json").read_text())

    def run(self):
        run = self.engine.run("pl")
        self.recorder.close()
        return run


def statuses(record):
    return {row.record["activityName"]: row.record["status"] for row in monitor.rows(record)}


def test_a_record_is_there_while_the_run_is(tmp_path):
    seen = Seen(tmp_path, NESTED)
    run = seen.run()
    first, second, third = seen.records
    assert [record["status"] for record in seen.records] == ["InProgress"] * 3
    assert (first["runEnd"], statuses(first)) == (None, {"a": "InProgress"})
    assert statuses(second) == {"a": "Succeeded", "call": "InProgress", "b": "InProgress"}
    [call] = [row.record for row in monitor.rows(third) if row.name == "call"]
    assert call["pipelineRun"]["activityRuns"][0]["attempts"][0]["status"] == "Failed"
    assert seen.record() == run.as_dict()
    assert list((tmp_path / ".running").iterdir()) == []


def test_a_record_that_changes_often_is_written_seldom(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("adf_lab.recording.monitor.keep", lambda run, folder: written.append(len(run.activities)))
    monkeypatch.setattr(Seen, "execute", lambda self, call: {})
    Seen(tmp_path, documents(*[work(f"a{n}") for n in range(50)])).run()
    assert written == [0, 50]


def test_what_changed_while_a_record_rested_is_written_soon(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr("adf_lab.recording.monitor.keep", lambda run, folder: written.append(run.status))
    recorder = Recorder(tmp_path)
    engine = Engine(documents(), {}, VirtualClock(START))

    async def play():
        run = engine.start_pipeline("pl", {}, {})
        recorder.changed(run)
        run.status = "Halfway"
        recorder.changed(run)
        await asyncio.sleep(10)
        return list(written)

    assert engine.clock.run(play()) == ["InProgress", "Halfway"]


def test_on_a_virtual_clock_beginning_and_end_are_written(tmp_path):
    seen = Seen(tmp_path, NESTED, live=False)
    seen.run()
    assert [statuses(record) for record in seen.records] == [{}] * 3
    assert seen.record()["status"] == "Succeeded"


def test_nothing_is_kept_without_a_folder(tmp_path):
    recorder = Recorder(None)
    Engine(documents(work("a")), {"Copy": lambda call: {}}, VirtualClock(START), changed=recorder.changed).run(
        "pl"
    )
    recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_not_shown_while_an_activity_runs(tmp_path):
    policy = {"secureOutput": True}
    use = {**work("use", after("key")), "typeProperties": {"x": expression("@activity('key').output.value")}}
    own = {**work("own", after("use"), policy={"secureInput": True}), "typeProperties": {"x": "TOPSECRET-9"}}
    seen = Seen(tmp_path, documents(work("key", policy=policy), use, own))

    async def execute(call):
        await seen.execute(call)
        return {"value": "TOPSECRET-1"}

    seen.engine.executors["Copy"] = execute
    seen.run()
    assert "TOPSECRET" not in json.dumps([seen.records, seen.record()])
    assert [row.record["input"] for row in monitor.rows(seen.records[2])] == [{}, MASK, MASK]


def interrupted(tmp_path, **options):
    """The record of a run that is cancelled while `b` is at work, as Ctrl-C does it."""
    seen = Seen(tmp_path, NESTED, **options)

    async def execute(call):
        if call.name == "b":
            await asyncio.sleep(7200)
        return {}

    seen.engine.executors["Copy"] = execute

    async def play():
        run = seen.engine.start_pipeline("pl", {}, {})
        async with asyncio.timeout(3600):
            await seen.engine.finish(run)

    with pytest.raises(TimeoutError):
        seen.engine.clock.run(play())
    return seen


def test_ctrl_c_leaves_a_true_record(tmp_path):
    seen = interrupted(tmp_path)
    seen.recorder.close()
    record = seen.record()
    assert (record["status"], record["runEnd"]) == ("Cancelled", "2026-08-12T15:00:00Z")
    assert statuses(record) == {"a": "Succeeded", "call": "Cancelled", "b": "Cancelled"}
    [call] = [row.record for row in monitor.rows(record) if row.name == "call"]
    child = call["pipelineRun"]
    assert (child["status"], child["activityRuns"][0]["attempts"][0]["status"]) == ("Cancelled", "Cancelled")
    assert settle(tmp_path) == []


def killed(tmp_path, monkeypatch):
    """A folder as a process leaves it that is killed while `b` is at work."""
    written, keep = [], monitor.keep

    def keep_what_runs(run, folder):
        if run.status == "InProgress" and "Cancelled" not in str(run):
            written.append(keep(run, folder))

    monkeypatch.setattr("adf_lab.recording.monitor.keep", keep_what_runs)
    seen = interrupted(tmp_path)
    assert written
    for _, lock in seen.recorder._runs.values():
        lock.release()
    monkeypatch.undo()
    return seen


def test_what_a_killed_process_leaves_is_marked(tmp_path, monkeypatch):
    seen = killed(tmp_path, monkeypatch)
    assert statuses(seen.record()) == {"a": "Succeeded", "call": "InProgress", "b": "InProgress"}
    [record] = settle(tmp_path)
    assert record == seen.record()
    assert (record["status"], record["runEnd"]) == ("Interrupted", "2026-08-12T14:00:00Z")
    assert record["message"].startswith("The process that ran it ended before the run did")
    assert statuses(record) == {"a": "Succeeded", "call": "Interrupted", "b": "Interrupted"}
    assert "InProgress" not in json.dumps(record)
    assert settle(tmp_path) == []


def test_what_still_runs_is_left_alone(tmp_path, monkeypatch):
    seen = killed(tmp_path, monkeypatch)
    alive = Lock(tmp_path / ".running" / "id-0")
    assert settle(tmp_path) == []
    assert seen.record()["status"] == "InProgress"
    alive.release()
    assert [record["status"] for record in settle(tmp_path)] == ["Interrupted"]


def test_a_run_that_is_broken_off_by_an_error_is_marked_at_once(tmp_path):
    seen = Seen(tmp_path, NESTED)
    run = seen.engine.start_pipeline("pl", {}, {})

    async def play():
        seen.recorder.changed(run)

    seen.engine.clock.run(play())
    seen.recorder.end(run)
    assert (seen.record()["status"], seen.record()["runEnd"]) == ("Interrupted", "2026-08-12T14:00:00Z")
    assert list((tmp_path / ".running").iterdir()) == []


def test_a_lock_is_held_once(tmp_path):
    first = Lock(tmp_path / "a" / "lock")
    assert first.is_held
    assert not Lock(tmp_path / "a" / "lock").is_held
    first.release()
    second = Lock(tmp_path / "a" / "lock")
    assert second.is_held
    second.release(remove=True)
    assert list((tmp_path / "a").iterdir()) == []


# --- reruns -----------------------------------------------------------------------------------------------


def record(**changes):
    return {
        "runId": "id",
        "status": "Failed",
        "parameters": {"day": "1", "token": MASK},
        "invokedBy": {
            "DataFactory": "f",
            "Pipeline": "pl",
            "RunId": "id",
            "TriggerName": "t",
            "GroupId": "first",
        },
        "activityRuns": [{"activityName": "a"}],
        **changes,
    }


def test_a_rerun_has_the_parameters_of_its_record():
    assert parameters_of(record(), {"token": "t"}) == {"day": "1", "token": "t"}
    assert parameters_of(record(parameters=MASK), {"x": 1}) == {"x": 1}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"day": "1", "token": MASK, "key": {"k": [f"Bearer {MASK}"]}}, "--parameter token=… --parameter key=…"),
        (MASK, "All parameters of id are secured: give them with --parameter NAME=VALUE"),
    ],
)
def test_what_is_secured_is_asked_for(parameters, message):
    with pytest.raises(AdfLabError, match=message):
        parameters_of(record(parameters=parameters), {})


def test_a_rerun_belongs_to_the_group_of_the_first_run_unless_its_parameters_are_new():
    assert system_of(record(), {}) == {"TriggerName": "t", "GroupId": "first"}
    assert system_of(record(), {"day": "2"}) == {"TriggerName": "t"}


def test_a_run_that_has_not_failed_or_not_ended_is_not_gone_on_with():
    assert activities_of(record()) == [{"activityName": "a"}]
    with pytest.raises(AdfLabError, match="id has succeeded: there is no failed activity"):
        activities_of(record(status="Succeeded"))
    refuse_unfinished(record(status="Interrupted"))
    with pytest.raises(AdfLabError, match="id has not ended: it is InProgress"):
        refuse_unfinished(record(status="InProgress"))
