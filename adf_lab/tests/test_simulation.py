"""What `simulate` fires is what `watch` fires, for the same triggers and span."""

import asyncio
import json
import random
from contextlib import suppress
from datetime import timedelta
from functools import cache

import pytest

from adf_lab import AdfLabError, VirtualClock
from adf_lab.cli import main
from adf_lab.journal import Journal
from adf_lab.simulation import Account, simulate
from adf_lab.triggers import delay_of, iso, parse_time
from adf_lab.watch import Watch
from adf_support.factories import good_factory, reference, write_factory

BEGIN, END = parse_time("2026-03-01T00:00:00Z"), parse_time("2026-03-02T00:00:00Z")
NOON, SECOND = parse_time("2026-03-01T12:00:00Z"), timedelta(seconds=1)
SELF = {"type": "SelfDependencyTumblingWindowTriggerReference"}


def schedule(frequency, interval, **recurrence):
    recurrence = {"frequency": frequency, "interval": interval, "startTime": iso(BEGIN), **recurrence}
    entry = {"pipelineReference": reference("pl_finish", "Pipeline"), "parameters": {"count": 1}}
    own = {"type": "ScheduleTrigger", "pipelines": [entry], "typeProperties": {"recurrence": recurrence}}
    return {"properties": own}


def windows(frequency, interval, **properties):
    entry = {
        "pipelineReference": reference("pl_finish", "Pipeline"),
        "parameters": {"count": "@trigger().outputs.windowStartTime"},
    }
    given = {"frequency": frequency, "interval": interval, "startTime": iso(BEGIN), "maxConcurrency": 50}
    own = {"type": "TumblingWindowTrigger", "pipeline": entry, "typeProperties": given | properties}
    return {"properties": own}


def needs(name, **interval):
    return {
        "type": "TumblingWindowTriggerDependencyReference",
        "referenceTrigger": reference(name, "Trigger"),
        **interval,
    }


def some_triggers(draw):
    """A few triggers that begin at BEGIN; windows may wait for themselves and for those made before."""
    triggers = {}
    for number in range(draw.randint(1, 4)):
        if draw.random() < 0.3:
            triggers[f"s{number}"] = schedule(*draw.choice([("Hour", 2), ("Minute", 45), ("Hour", 5)]))
            continue
        dependencies = [needs(other) for other in triggers if other[0] == "w" and draw.random() < 0.6]
        if draw.random() < 0.4:
            hours = draw.choice([1, 2, 3])
            dependencies.append(SELF | {"offset": f"-0{hours}:00:00", "size": f"0{draw.randint(1, hours)}:00:00"})
        triggers[f"w{number}"] = windows(
            *draw.choice([("Hour", 1), ("Minute", 30), ("Hour", 4)]),
            maxConcurrency=draw.choice([1, 2, 50]),
            retryPolicy={"count": draw.randint(0, 2), "intervalInSeconds": draw.choice([30, 1800])},
            delay=draw.choice(["00:00:00", "00:20:00"]),
            dependsOn=dependencies,
        )
    return triggers


class Runs:
    """Runs that take a while and sometimes fail, the same in every watch; `fired` is when and what."""

    def __init__(self, seed, clock):
        self.seed, self.clock, self.fired = seed, clock, []

    async def run(self, firing, note):
        self.fired.append((iso(self.clock.now()), firing.trigger, iso(firing.time), firing.parameters))
        attempt = sum(entry[1:3] == (firing.trigger, iso(firing.time)) for entry in self.fired)
        draw = random.Random(f"{self.seed} {firing.trigger} {firing.time} {attempt}")
        note("InProgress", None)
        await asyncio.sleep(draw.choice([0, 60, 5400]))
        return draw.choice(["Succeeded"] * 6 + ["Failed"])


def with_an_end(trigger):
    """A trigger that fires nothing that is not due before NOON."""
    own = trigger["properties"]["typeProperties"]
    if trigger["properties"]["type"] == "ScheduleTrigger":
        changed = {"recurrence": own["recurrence"] | {"endTime": iso(NOON - SECOND)}}
    else:
        changed = {"endTime": iso(NOON - delay_of(trigger) - SECOND)}
    return {"properties": trigger["properties"] | {"typeProperties": own | changed}}


def watched(triggers, seed):
    clock = VirtualClock(BEGIN)
    runs = Runs(seed, clock)
    journals = cache(lambda name: Journal())
    for name in triggers:
        # Otherwise the first second of a watch is not among the times of its schedules.
        journals(name).watch(BEGIN - SECOND)
    ending = {name: with_an_end(trigger) for name, trigger in triggers.items()}
    sleep = timedelta(hours=1)
    watch = Watch(ending, runs.run, journals, ending.__getitem__, clock, lambda line: None, longest_sleep=sleep)

    async def shorter_than_a_window_waits():
        with suppress(TimeoutError):
            async with asyncio.timeout(timedelta(days=6).total_seconds()):
                await watch.to_the_end()

    clock.run(shorter_than_a_window_waits())
    return runs.fired


@pytest.mark.parametrize("seed", range(40))
def test_a_simulation_fires_what_a_watch_fires(seed):
    triggers = some_triggers(random.Random(seed))
    clock = VirtualClock(BEGIN)
    runs = Runs(seed, clock)
    simulate(triggers, runs.run, triggers.__getitem__, clock, lambda line: None, NOON)
    assert runs.fired
    assert sorted(map(str, runs.fired)) == sorted(map(str, watched(triggers, seed)))


def told(capsys):
    return capsys.readouterr().out.splitlines()


def put_pipeline(folder, activity, **properties):
    document = {"parameters": {"count": {"type": "string"}}, "activities": [activity], **properties}
    path = folder / "factory/pipeline/pl_finish.json"
    path.write_text(json.dumps({"name": "pl_finish", "properties": document}))


def factory_of(folder, triggers):
    files = good_factory() | {
        f"trigger/{name}.json": {"name": name} | trigger for name, trigger in triggers.items()
    }
    return str(write_factory(folder / "factory", files))


DAY = ["--from", iso(BEGIN), "--to", iso(END)]


def test_windows_of_several_triggers_wait_for_one_another(tmp_path, capsys):
    (tmp_path / "script.json").write_text(json.dumps({"w": [{"durationSeconds": 5400}]}))
    folder = factory_of(tmp_path, {"w1": windows("Hour", 12), "w2": windows("Hour", 12, dependsOn=[needs("w1")])})
    put_pipeline(tmp_path, {"name": "w", "type": "Copy", "typeProperties": {}})
    options = ["--folder", folder, *DAY, "--script", str(tmp_path / "script.json")]
    assert main(["simulate", "w1", "w2", *options]) == 0
    assert [line for line in told(capsys) if line.startswith("2026")] == [
        "2026-03-01T12:00:00Z  w2: the window of 2026-03-01T00:00:00Z waits for w1",
        '2026-03-01T12:00:00Z  pl_finish  {"count": "2026-03-01T00:00:00Z"}',
        '2026-03-01T13:30:00Z  pl_finish  {"count": "2026-03-01T00:00:00Z"}',
    ]
    assert main(["simulate", "w2", *options]) == 0
    assert told(capsys)[0] == '2026-03-01T12:00:00Z  pl_finish  {"count": "2026-03-01T00:00:00Z"}'


def test_windows_from_before_the_span_have_succeeded(tmp_path, capsys):
    monthly = windows("Month", 1, startTime="2025-01-31T00:00:00Z", dependsOn=[SELF | {"offset": "-31.00:00:00"}])
    folder = factory_of(tmp_path, {"months": monthly})
    span = ["--from", "2026-02-28T00:00:00Z", "--to", "2026-03-31T00:00:01Z"]
    assert main(["simulate", "months", "--folder", folder, *span]) == 0
    assert [line.partition("  ")[0] for line in told(capsys)] == ["2026-02-28T00:00:00Z", "2026-03-31T00:00:00Z"]
    earlier = {"startTime": "2026-02-01T00:00:00Z"}
    other = windows("Hour", 12, **earlier, dependsOn=[needs("w1", offset="-12:00:00")])
    folder = factory_of(tmp_path / "two", {"w1": windows("Hour", 12, **earlier), "w2": other})
    assert main(["simulate", "w1", "w2", "--folder", folder, *DAY]) == 0
    assert [line[:20] for line in told(capsys)] == ["2026-03-01T00:00:00Z"] * 2 + ["2026-03-01T12:00:00Z"] * 2


def test_a_span_of_many_windows_costs_little(tmp_path, capsys):
    five_minutes = windows("Minute", 5, startTime="2020-01-01T00:00:00Z")
    folder = factory_of(tmp_path, {"minutes": five_minutes})
    assert main(["simulate", "minutes", "--folder", folder, *DAY]) == 0
    lines = told(capsys)
    assert (len(lines), lines[0][:20], lines[-1][:20]) == (288, "2026-03-01T00:00:00Z", "2026-03-01T23:55:00Z")


def test_runs_queue_as_concurrency_says_and_are_told_in_the_order_of_their_firing(tmp_path, capsys):
    folder = factory_of(tmp_path, {"s": schedule("Hour", 8)})
    wait = {"name": "w", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 3600 * 10}}
    put_pipeline(tmp_path, wait, concurrency=1)
    (tmp_path / "script.json").write_text("{}")
    assert main(["simulate", "s", "--folder", folder, *DAY, "--script", str(tmp_path / "script.json")]) == 0
    lines = [" ".join(part for part in line.split() if len(part) != 36) for line in told(capsys)]
    # A run that waits begins when its turn comes.
    run = ["pl_finish Succeeded 36000.0 s", "w (Wait) Succeeded 36000.0 s"]
    assert lines == [
        line
        for hour in ("00", "08", "16")
        for line in [f'2026-03-01T{hour}:00:00Z pl_finish {{"count": 1}}', *run]
    ]


def test_what_is_told_later_waits_for_what_began_earlier():
    written = []
    account = Account(written.append)
    first, second = account.begin("first"), account.begin("second")
    account.say("note")
    second(["  its end"])
    assert written == []
    first([])
    assert written == ["first", "second\n  its end", "note"]


def test_the_virtual_clock_goes_on_for_years(tmp_path, capsys):
    folder = factory_of(tmp_path, {"s": schedule("Month", 1, startTime="2016-01-31T00:00:00Z")})
    assert main(["simulate", "s", "--folder", folder, "--from", "2016-01-01", "--to", "2026-01-01"]) == 0
    lines = told(capsys)
    assert (len(lines), lines[1][:20]) == (120, "2016-02-29T00:00:00Z")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maxConcurrency": None}, "Trigger 'w', 'maxConcurrency': 'None' has the wrong type"),
        ({"frequency": "Week"}, "Trigger 'w', 'frequency': 'Week' must be one of Minute, Hour, Month"),
        ({"dependsOn": [needs("other")]}, "There is no trigger 'other'"),
    ],
)
def test_a_trigger_that_cannot_fire_is_refused(changes, message, tmp_path, capsys):
    trigger = windows("Hour", 1)
    trigger["properties"]["typeProperties"] |= changes
    folder = factory_of(tmp_path, {"w": trigger})
    assert main(["simulate", "w", "--folder", folder, *DAY]) == 2
    assert message in capsys.readouterr().err


def test_what_is_wrong_with_one_trigger_is_told_without_a_group():
    triggers = {"s": schedule("Hour", 1), "w": windows("Hour", 1, dependsOn=[needs("x")])}
    clock = VirtualClock(BEGIN)

    def find(name):
        raise AdfLabError(f"no {name}")

    with pytest.raises(AdfLabError, match="no x"):
        simulate(triggers, Runs(0, clock).run, find, clock, print, NOON)
