"""The turns of a watch on a virtual clock: what is due, missed and failed, how it ends; no notebook, no Spark."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from coinlake import bronze, schema
from coinlake.clocks import VirtualClock
from coinlake.errors import CoinlakeError, ConfigurationError
from coinlake_ops import batch, cli, parameter_files, spark_server
from coinlake_ops import watch as watching
from coinlake_ops.private_kernels import KeptKernels
from coinlake_ops.watch import Schedule, Turn, Watch, interval, interval_among, pace, records

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOLD = "04_build_gold"


def at(minutes):
    return START + minutes * MINUTE


@pytest.fixture
def clock():
    return VirtualClock(START)


# --- when a turn is due ---


def test_turns_come_every_minute_and_the_first_of_an_hour_is_whole(clock):
    schedule = Schedule(MINUTE, clock)
    turns = []
    for _ in range(40):
        turns.append(schedule.next())
        schedule.done(turns[-1])
        clock.sleep(20)
    assert [turn.due for turn in turns] == [at(minute) for minute in range(40)]
    assert [turn.number for turn in turns if turn.whole] == [1, 39]
    assert {turn.missed for turn in turns} == {0}


def test_a_whole_turn_that_failed_is_whole_again(clock):
    schedule = Schedule(MINUTE, clock)
    assert [schedule.next().whole, schedule.next().whole] == [True, True]
    schedule.done(schedule.next())
    assert not schedule.next().whole


def test_a_slow_turn_is_followed_at_once_by_one_for_all_that_it_missed(clock):
    schedule = Schedule(MINUTE, clock)
    schedule.next()
    clock.sleep(90)
    assert schedule.next() == Turn(2, at(1), 0, True)
    assert clock.now() == START + timedelta(seconds=90)
    clock.sleep(200)
    assert schedule.next() == Turn(3, at(4), 2, True)
    assert schedule.next() == Turn(4, at(5), 0, True)
    assert clock.now() == at(5)


class Sleeper(VirtualClock):
    """A machine that falls asleep, or is set to another time, while a turn is waited for: once, `by` so much."""

    def __init__(self, by):
        super().__init__(START)
        self.by = by

    def sleep(self, seconds):
        super().sleep(seconds)
        if self.by and self.now() > START + timedelta(seconds=30):
            self.set(self.now() + self.by)
            self.by = None


def test_a_machine_that_slept_makes_up_once_as_soon_as_it_wakes():
    clock = Sleeper(by=timedelta(hours=3))
    schedule = Schedule(MINUTE, clock)
    schedule.next()
    turn = schedule.next()
    assert (turn.due, turn.missed) == (at(180), 179)
    assert clock.now() < at(181)
    assert schedule.next().due == at(181)


def test_a_clock_that_is_set_back_holds_up_nothing():
    clock = Sleeper(by=-timedelta(hours=3))
    schedule = Schedule(MINUTE, clock)
    schedule.next()
    turn = schedule.next()
    assert (turn.due, turn.missed) == (clock.now(), 0)
    assert clock.now() < START - timedelta(hours=2)
    assert schedule.next().due == turn.due + MINUTE


# --- how often ---


@pytest.mark.parametrize(("text", "step"), [("1m", MINUTE), (" 90m", 90 * MINUTE), ("1h", 60 * MINUTE)])
def test_an_interval_is_read(text, step):
    assert interval(text) == step


@pytest.mark.parametrize("text", ["", "0m", "1", "10s", "-1m", "2026-08-12"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(ConfigurationError, match="is no time between turns"):
        interval(text)


def test_the_interval_stands_among_the_parameters():
    assert interval_among(["COINS=5", "EVERY=5m"]) == (5 * MINUTE, ["COINS=5"])
    assert interval_among(["every=5m", "EVERY=2m"]) == (2 * MINUTE, [])
    assert interval_among(["COINS=5"]) == (MINUTE, ["COINS=5"])


@pytest.mark.parametrize(
    ("settings", "every", "says"),
    [
        ({"source": "simulated"}, MINUTE, "A turn every 1m; the simulated source has no limits."),
        (
            {"source": "live"},
            MINUTE,
            "Plan keyless allows 5 calls a minute; a turn makes 2 calls, so one every 1m at most. "
            "A turn every 1m.",
        ),
        (
            {"source": "live", "coins": 5000},
            5 * MINUTE,
            "Plan keyless allows 5 calls a minute; a turn makes 21 calls, so one every 5m at most. "
            "A turn every 5m.",
        ),
        (
            {"source": "live", "plan": "demo"},
            9 * MINUTE,
            "Plan demo allows 30 calls a minute and 10,000 a month; a turn makes 2 calls, so one every "
            "9m at most. A turn every 9m.",
        ),
    ],
)
def test_a_plan_says_how_fresh_the_numbers_can_be(settings, every, says):
    assert pace(bronze.Settings("lake", **settings), MINUTE) == (every, says)


# --- the turns themselves ---


@pytest.fixture
def world(monkeypatch, tmp_path, clock):
    """A watch whose batch runs only say what they are; `failing` maps turns to errors, `lasting` to seconds."""
    world = SimpleNamespace(
        runs=[], failing={}, lasting={}, published=[], said=[], servers=[], clock=clock, lake=tmp_path / "lake"
    )

    def execute(run, server):
        number = len(world.runs) + 1
        world.runs.append((run.parameters["as_of"], run.steps is schema.STEPS, server))
        assert run.force != (run.steps is schema.STEPS)
        run.executed.mkdir(parents=True)
        page = world.lake / f"landing/endpoint=coins_markets/date=2026-08-12/run=r{number:02}/p0001.json"
        page.parent.mkdir(parents=True)
        page.touch()
        clock.sleep(2)
        os.utime(page, (clock.now().timestamp(),) * 2)
        run.emit("step", {"step": "01_ingest_market_data", "rows_written": 3})
        if number in world.failing:
            raise world.failing[number]
        clock.sleep(world.lasting.get(number, 4))
        run.emit("step", {"step": GOLD, "rows_written": 7})

    def start(folder, patience):
        alive = [True]
        server = SimpleNamespace(folder=folder, is_alive=lambda: alive[0], stop=lambda: alive.clear(), kill=alive)
        world.servers.append(server)
        return server

    monkeypatch.setattr(batch, "execute", execute)
    monkeypatch.setattr(spark_server, "start", start)

    def watch(*parameters, turns=None, show=lambda: {"headline": "up"}, every=MINUTE):
        values = parameter_files.load("local", [f"LAKE_PATH={world.lake}", *parameters])
        page = SimpleNamespace(publish=lambda **changes: world.published.append(changes))
        world.watch = Watch(values, every, clock, page, show, world.said.append)
        world.watch.run(turns)

    world.start = watch
    world.records = lambda: [
        json.loads(line) for line in (world.lake / "watch/turns.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return world


def test_the_first_turn_runs_everything_and_the_others_go_as_far_as_gold(world):
    world.start(turns=3)
    [server] = world.servers
    assert world.runs == [("", True, server), ("+1m", False, server), ("+1m", False, server)]
    assert server.folder == world.lake / "watch"
    assert world.clock.now() == at(2) + timedelta(seconds=6)
    assert world.said[1:] == [
        f"14:{23 + later}:06 UTC, turn {2 + later}: 10 rows in 6.0 s, gold 4.0 s after the answer"
        for later in (0, 1)
    ]


def test_every_turn_leaves_a_record_and_is_published(world):
    world.start(turns=2)
    [first, second] = world.records()
    assert first.pop("run_id") != second.pop("run_id")
    assert second == {
        "turn": 2,
        "whole": False,
        "missed": 0,
        "started_at": "2026-08-12T14:23:00.000Z",
        "arrived_at": "2026-08-12T14:23:02.000Z",
        "seconds_to_gold": 4.0,
        "rows_written": 10,
        "ended_at": "2026-08-12T14:23:06.000Z",
        "error": None,
    }
    assert world.published[1] == {
        "turn": 2,
        "arrived_at": "2026-08-12T14:23:02.000Z",
        "problem": "",
        "headline": "up",
        "latency": {"seconds_to_gold": [4.0, 4.0], "seconds_to_screen": []},
    }


def test_a_turn_that_fails_is_shown_and_recorded_and_the_next_one_goes_on(world):
    world.failing[2] = CoinlakeError("no network")
    world.failing[3] = ValueError("nobody thought of it")
    world.start(turns=4)
    assert [record["error"] for record in world.records()] == [None, "no network", "nobody thought of it", None]
    assert world.published[1] == {"problem": "Turn 2 failed, and the next one tries again: no network"}
    assert world.published[3]["problem"] == ""
    assert world.said[1] == "14:23:02 UTC, turn 2 failed after 2 s, and is tried again: no network"
    assert world.watch.records.summary() == (
        f"4 turns, 2 failed; the record of each is in {world.lake}/watch/turns.jsonl\n"
        "from the answer to gold: median 4.0 s, 95th percentile 4.0 s"
    )


def test_executed_notebooks_stay_of_whole_turns_and_of_those_that_failed(world):
    world.failing[3] = CoinlakeError("no network")
    world.start(turns=4)
    kept = [record["run_id"] for record in world.records() if record["whole"] or record["error"]]
    assert sorted(path.name for path in (world.lake / "runs").iterdir()) == sorted(kept)
    assert len(kept) == 2


def test_missed_turns_are_said_and_the_simulated_market_moves_on_by_all_of_them(world):
    world.lasting[2] = 200
    world.start(turns=3)
    assert [as_of for as_of, *_ in world.runs] == ["", "+1m", "+3m"]
    assert world.said[2] == (
        "2 turns were missed, as a turn took long or the machine slept: this one makes up for them."
    )
    assert [record["missed"] for record in world.records()] == [0, 0, 2]


def test_a_live_watch_asks_for_what_is_there(world):
    world.start("SOURCE=live", turns=2)
    assert [as_of for as_of, *_ in world.runs] == ["", ""]


def test_a_tape_is_played_moment_by_moment_to_its_end(world, monkeypatch):
    rows = [("coins_markets", "2026-08-02"), ("global", "2026-08-03"), ("coins_markets", "2026-08-01")]
    overview = [{"endpoint": endpoint, "moment": f"{day}T00:00:00.000Z"} for endpoint, day in rows]
    monkeypatch.setattr(bronze, "Recording", lambda folder: SimpleNamespace(overview=lambda: overview))
    world.start("SOURCE=replay", "TAPE_PATH=lake/tape")
    assert [as_of for as_of, *_ in world.runs] == ["2026-08-01T00:00:00.000Z", "2026-08-02T00:00:00.000Z"]
    assert world.said[-1] == "The tape has ended."


def test_a_server_that_has_died_is_started_anew(world):
    world.lasting = {}
    starts = iter(["first", "second"])

    def dies():
        next(starts)
        world.servers[0].kill[:] = [False]
        return {}

    world.start(turns=2, show=dies)
    assert [server for *_, server in world.runs] == world.servers
    assert len(world.servers) == 2


@pytest.mark.parametrize(("every", "ends"), [(20 * MINUTE, 2), (60 * MINUTE, 4)])
def test_kernels_begin_anew_after_a_pause_in_which_their_sessions_may_have_ended(world, monkeypatch, every, ends):
    ended = []
    monkeypatch.setattr(KeptKernels, "end", lambda kept: ended.append(world.clock.now()))
    world.start(turns=3, every=every)
    # Before the server's start and in the end; and before each turn that follows a long pause.
    assert len(ended) == ends


def test_what_cannot_be_shown_ends_no_turn(world):
    def show():
        raise ValueError("odd")

    world.start(turns=2, show=show)
    assert world.published[-1] == {"problem": "Gold could not be shown: odd"}
    assert [record["error"] for record in world.records()] == [None, None]


def test_a_turn_that_lands_nothing_measures_nothing(world):
    world.start(turns=1)
    facts = {"arrived_at": "2026-08-12T14:21:59.999Z", "started_at": "2026-08-12T14:22:00.000Z"}
    assert world.watch._seconds_since_arrival(facts) is None
    assert world.watch._seconds_since_arrival(facts | {"arrived_at": None}) is None


def test_the_first_browser_that_shows_a_turn_is_noted(world):
    world.start(turns=1)
    world.clock.sleep(1.5)
    world.watch.shown(1)
    world.watch.shown(1)
    world.watch.shown(7)
    assert world.records()[1:] == [{"turn": 1, "seconds_to_screen": 5.5}]
    assert world.watch.records.latency() == {"seconds_to_gold": [4.0, 4.0], "seconds_to_screen": [5.5, 5.5]}


def test_ctrl_c_ends_the_server_and_is_handed_on(world):
    world.failing[2] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.start()
    assert len(world.runs) == 2
    assert world.servers[0].kill == []


def test_the_95th_percentile_is_one_of_the_values():
    assert [records.percentile(list(range(1, count + 1)), 0.95) for count in (1, 2, 20, 21, 100)] == [
        1,
        2,
        19,
        20,
        95,
    ]


# --- the command ---


def test_a_watch_says_how_often_where_its_page_is_and_in_the_end_what_it_did(world):
    values = parameter_files.load("local", [f"LAKE_PATH={world.lake}"])
    watching.run(values, MINUTE, 0, 1, world.said.append)
    limits, page, _, summary = world.said
    assert limits == "A turn every 1m; the simulated source has no limits."
    assert re.fullmatch(r"The page: http://127\.0\.0\.1:\d+/\?token=\S{32}\nCtrl-C ends the watch\.", page)
    assert summary.startswith("1 turn, 0 failed; the record of each is in ")


def test_the_command_ends_with_the_codes_of_all(monkeypatch, capsys, tmp_path):
    outcomes = []

    def run(*given):
        if outcomes[0] is not None:
            raise outcomes[0]
        outcomes.append(given)

    monkeypatch.setattr(watching, "run", run)
    ended = []
    monkeypatch.setattr(os, "_exit", ended.append)
    call = ["watch", f"LAKE_PATH={tmp_path / 'lake'}", "COINS=5", "EVERY=5m", "--turns", "3"]
    outcomes[:] = [None]
    assert cli.main(call) == cli.DONE
    values, every, port, turns, _ = outcomes[1]
    assert (values["coins"], every, port, turns) == (5, 5 * MINUTE, 0, 3)
    outcomes[:] = [CoinlakeError("port 1 is not free")]
    assert cli.main(call) == cli.FAILED
    outcomes[:] = [KeyboardInterrupt()]
    cli.main(call)
    assert ended == [cli.INTERRUPTED]
    assert cli.main(["watch", "EVERY=soon"]) == cli.WRONG_CALL
    assert cli.main(["watch", "SOURCE=replay", f"LAKE_PATH={tmp_path / 'lake'}"]) == cli.WRONG_CALL
    said = capsys.readouterr().err
    assert "EVERY=soon is no time between turns" in said and "source=replay needs a tape" in said
