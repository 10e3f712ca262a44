"""Kills runs at their commit points and at random instants; one ordinary run must make up for it every time.

A first run is let go to its end and tells its commit points (coinlake.commit_points). Then, for each of them,
before and after: a run over a fresh lake is killed there, with every process that it has started, as if the
machine had lost its power; an ordinary run follows; and the lake must hold what the undisturbed one holds. Needs
Linux, where /proc tells which processes belong to a run.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.sql import SparkSession

from coinlake import bronze, instants, observability, process_environment, runtime, sources
from coinlake.commit_points import LISTENER
from coinlake.errors import ApiError, CoinlakeError
from coinlake_ops import batch, parameter_files, spark_server
from coinlake_ops.dev import lake_contents
from coinlake_ops.project import ROOT

# A lake with everything in it that is made in seconds.
TINY = ("coins=6", "history_coins=2", "history_days=40")
SECONDS_TO_END = 600
DAY, EVERY = timedelta(days=1), timedelta(hours=6)
BRONZE = ("landing", "landing_meta")
# What differs from run to run in the name of a commit point: folders of a day, of an attempt, a writer's number.
_CHANGING = ((r"date=\d{4}-\d\d-\d\d", "date=*"), (r"(run=[^/.]+)\.[0-9a-f]{8}\b", r"\1.*"), (r"\.\d+$", ".*"))


class Point(NamedTuple):
    """A moment of a run: before or after a change, and how often this change was made before it in the run."""

    moment: str
    change: str
    times_before: int

    @property
    def kind(self) -> str:
        """What it shares with others: the moment, what is done, and to which table or folder of the lake."""
        done, _, subject = self.change.partition(" ")
        of = "" if done == "create" else subject.partition("/")[0]
        return f"{self.moment} {done} {of}".strip()

    def __str__(self) -> str:
        again = f", time {self.times_before + 1}" if self.times_before else ""
        return f"{self.moment} {self.change}{again}"


Instant = float  # seconds after a run has begun


@dataclass
class Cuts:
    """What came of killing runs. problems: one line each; not_reached: runs that had ended before the moment."""

    made: int = 0
    not_reached: int = 0
    problems: list[str] = field(default_factory=list)


def run(sample: int, at_random: int, days: int, seed: int, say: Callable[[str], None]) -> Cuts:
    """Kills a run at each of `sample` commit points (0: all) and at instants drawn at random; then, over so many
    days of a hostile API, every second run of a lake. Every lake is compared with one that nothing disturbed.

    Lakes that differ are kept and named. Raises CoinlakeError when an undisturbed run fails.
    """
    chance, cuts = random.Random(seed), Cuts()
    folder = Path(tempfile.mkdtemp(prefix="coinlake-crash-"))
    with spark_server.start(folder / "server") as server, _as_client(server) as spark:
        undisturbed = folder / "undisturbed"
        begun = time.monotonic()
        points = survey(undisturbed, run_of(undisturbed, TINY))
        seconds = time.monotonic() - begun
        expected = look(spark, undisturbed)
        kinds = Counter(point.kind for point in points)
        say(f"An undisturbed run of {seconds:.0f} s has {len(points)} moments of {len(kinds)} kinds.")
        chosen: list[Point | Instant] = [*choose(points, sample or len(points), chance)]
        chosen += [chance.uniform(0, seconds) for _ in range(at_random)]
        for number, moment in enumerate(chosen, 1):
            begun = time.monotonic()
            lake = folder / f"lake-{number}"
            said = cut_and_compare(lake, TINY, moment, expected, spark, server, cuts)
            say(f"[{number}/{len(chosen)}] {shown(moment)}, {time.monotonic() - begun:.0f} s: {said}")
        if days:
            say(live_through(folder, days, seconds, chance, spark, server, cuts))
    if not cuts.problems:
        shutil.rmtree(folder)
    return cuts


def cut_and_compare(
    lake: Path,
    parameters: Sequence[str],
    moment: Point | Instant,
    expected: dict[str, Any],
    spark: SparkSession,
    server: spark_server.Server,
    cuts: Cuts,
) -> str:
    """Kills a run at the moment, lets an ordinary one follow, compares; says what came of it and counts it."""
    was_cut = cut_off(lake, run_of(lake, parameters), moment)
    cuts.made += was_cut
    cuts.not_reached += not was_cut
    try:
        complete(lake, parameters, server)
        found = list(differences(expected, look(spark, lake)))
    except (CoinlakeError, OSError) as failure:
        found = [f"the run after it fails: {failure}"]
    if found:
        cuts.problems += [f"{shown(moment)}: {difference} ({lake})" for difference in found]
        return "; ".join(found)
    shutil.rmtree(lake)
    return "equal" if was_cut else "equal, but the run had ended before"


def live_through(
    folder: Path,
    days: int,
    seconds: float,
    chance: random.Random,
    spark: SparkSession,
    server: spark_server.Server,
    cuts: Cuts,
) -> str:
    """Plays days of a hostile API, a tape every six hours, into two lakes; says what came of it and counts it.

    One lake gets them in their order. The other gets them shuffled, and every second run is killed within so many
    seconds and then run again. Both hear the same answers and the same refusals, so nothing may differ.
    """
    begun = time.monotonic()
    start = instants.DEFAULT_SIMULATED
    tapes = [record(folder / f"tape-{number}", start + number * EVERY) for number in range(days * DAY // EVERY)]
    quiet, rough = folder / "quiet", folder / "rough"
    for tape in tapes:
        complete(quiet, played(tape), server)
    for number, tape in enumerate(chance.sample(tapes, len(tapes))):
        if number % 2:
            was_cut = cut_off(rough, run_of(rough, played(tape)), chance.uniform(0, seconds))
            cuts.made += was_cut
            cuts.not_reached += not was_cut
        complete(rough, played(tape), server)
    found = list(differences(look(spark, quiet), look(spark, rough)))
    cuts.problems += [f"{days} hostile days: {difference} ({rough})" for difference in found]
    said = "; ".join(found) or "equal"
    return f"{days} hostile days in {len(tapes)} runs, {time.monotonic() - begun:.0f} s: {said}"


def record(tape: Path, moment: datetime) -> Path:
    """A tape of what a hostile API answers at a moment, refusals and torn answers too."""
    given = [f"lake_path={tape}", f"as_of={instants.to_text(moment)}", "faults=hostile", *TINY]
    settings = bronze.Settings.of(parameter_files.load("local", given))
    for group in sources.groups():
        # What did answer is landed before the error is raised.
        with suppress(ApiError):
            bronze.ingest(group, settings, say=lambda _: None)
    return tape


def played(tape: Path) -> tuple[str, ...]:
    """The parameters of a run that plays a tape."""
    return ("source=replay", f"tape_path={tape}")


def shown(moment: Point | Instant) -> str:
    """A moment in words."""
    return str(moment) if isinstance(moment, Point) else f"after {moment:.1f} s"


def choose(points: Iterable[Point], count: int, chance: random.Random) -> list[Point]:
    """So many of the points at most, drawn from all kinds alike, in the order in which they were drawn."""
    by_kind = defaultdict(list)
    for point in points:
        by_kind[point.kind].append(point)
    for its in by_kind.values():
        chance.shuffle(its)
    drawn: list[Point] = []
    while by_kind and len(drawn) < count:
        for kind in chance.sample(sorted(by_kind), min(len(by_kind), count - len(drawn))):
            drawn.append(by_kind[kind].pop())
            if not by_kind[kind]:
                del by_kind[kind]
    return drawn


def run_of(lake: Path, parameters: Sequence[str]) -> list[str]:
    """The command that runs the whole pipeline over a lake."""
    given = [f"lake_path={lake}", "run_id=first", *parameters]
    return [sys.executable, "-m", "coinlake_ops", "run", "--quiet", *given]


def survey(lake: Path, command: Sequence[str]) -> list[Point]:
    """Lets a command work on a lake undisturbed; the moments that it came through, in their order.

    Raises CoinlakeError when it fails.
    """
    with _Listener(lake) as listener:
        run = listener.start(command)
        said, _ = run.communicate(timeout=SECONDS_TO_END)
    if run.returncode:
        raise CoinlakeError(f"The undisturbed run failed:\n{said}")
    return listener.points


def cut_off(lake: Path, command: Sequence[str], moment: Point | Instant) -> bool:
    """Kills a command at the moment, with all that it has started; whether it had not ended before.

    Raises CoinlakeError when it fails before that.
    """
    with _Listener(lake, moment if isinstance(moment, Point) else None) as listener:
        run = listener.start(command)
        patience = SECONDS_TO_END if isinstance(moment, Point) else moment
        with suppress(subprocess.TimeoutExpired):
            run.wait(timeout=patience)
        listener.kill()
        said, _ = run.communicate()
    if run.returncode > 0:
        raise CoinlakeError(f"The run failed before it was killed ({shown(moment)}):\n{said}")
    return run.returncode < 0


def complete(lake: Path, parameters: Sequence[str], server: spark_server.Server) -> None:
    """An ordinary run over the lake, on a server that stands. Raises CoinlakeError when it fails."""
    values = parameter_files.load("local", [f"lake_path={lake}", *parameters])
    batch.execute(batch.Run(values, observability.new_run_id(), batch.silent), server)


def look(spark: SparkSession, lake: Path) -> dict[str, Any]:
    """What must not depend on how often a run was killed: answers, tables, warehouse and reports, by name."""
    answers = lake_contents.files(lake, *BRONZE)
    staged = lake_contents.files(lake, "landing_staging")
    return (
        {
            "landed answers": sorted(answers.items()),
            "staged files": [name for name in staged if ".lock" not in name],
        }
        | {f"table {name}": rows for name, rows in lake_contents.contents(spark, lake).items()}
        | {f"warehouse table {name}": rows for name, rows in lake_contents.warehouse(lake).items()}
        | {f"report {name}": parts for name, parts in lake_contents.reports(lake).items()}
    )


def differences(expected: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """Where what was found in a lake is not what was expected, one line each."""
    for name in sorted(expected.keys() | found.keys()):
        wanted, there = (side.get(name, []) for side in (expected, found))
        if wanted != there:
            lacking = sum(1 for each in wanted if each not in there)
            strange = sum(1 for each in there if each not in wanted)
            yield f"{name} has {len(there)} of {len(wanted)}, {lacking} lacking, {strange} strange"


class _Listener:
    """Hears the commit points of one run, and kills it with all that it has started at the moment `until`."""

    def __init__(self, lake: Path, until: Point | None = None) -> None:
        self.points: list[Point] = []
        self._lake, self._until = lake, until
        self._times: Counter[str] = Counter()
        self._folder = tempfile.mkdtemp(prefix="coinlake-crash-")
        self._address = f"{self._folder}/listener"
        self._socket = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "_Listener":
        self._socket.bind(self._address)
        self._socket.listen(64)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        shutil.rmtree(self._folder)

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Starts the run."""
        environment = {name: os.environ[name] for name in os.environ.keys() - process_environment.OURS}
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment | {LISTENER: self._address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kill(self) -> None:
        """Kills every process of the run: all are halted first, so that none sees another one end."""
        halted: set[int] = set()
        while new := self._processes() - halted:
            _send(new, signal.SIGSTOP)
            halted |= new
        _send(halted, signal.SIGKILL)
        while self._processes():
            time.sleep(0.01)

    def _processes(self) -> set[int]:
        """Those that have been told of this listener: whoever starts a process hands its environment on."""
        mark, found = f"{LISTENER}={self._address}".encode(), set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (process / "environ").read_bytes().split(b"\0"):
                    found.add(int(process.name))
        return found

    def _listen(self) -> None:
        while True:
            try:
                told, _ = self._socket.accept()
            except OSError:
                return
            with told, suppress(OSError):
                moment, _, change = told.makefile(encoding="utf-8").readline().rstrip("\n").partition(" ")
                point = self._point(moment, change)
                self.points.append(point)
                if point == self._until:
                    self.kill()
                told.sendall(b".")

    def _point(self, moment: str, change: str) -> Point:
        change = change.replace(f"{self._lake}/", "")
        for pattern, star in _CHANGING:
            change = re.sub(pattern, star, change)
        times = self._times[f"{moment} {change}"]
        self._times[f"{moment} {change}"] += 1
        return Point(moment, change, times)


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


@contextmanager
def _as_client(server: spark_server.Server) -> Iterator[SparkSession]:
    """A session of the server, for this process."""
    os.environ |= server.environment
    spark = runtime.spark()
    try:
        yield spark
    finally:
        spark.stop()
