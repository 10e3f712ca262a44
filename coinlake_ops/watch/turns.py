"""The turns of a watch: each is a batch run of what is due, over one Spark server and kernels that are kept.

Between two turns the lake is free: another run that waits for it gets its turn.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from coinlake import bronze, instants, observability, runtime, schema
from coinlake.clocks import Clock
from coinlake.parameters import Value
from coinlake_ops import batch, spark_server
from coinlake_ops.kernels import Kernels
from coinlake_ops.private_kernels import KeptKernels
from coinlake_ops.watch.records import Records
from coinlake_ops.watch.schedule import Schedule, Turn, in_words

# What runs in every turn, from the answers to gold.
OFTEN = {
    name: tuple(before for before in schema.STEPS[name] if before in schema.REFINING) for name in schema.REFINING
}
INGEST, GOLD = "01_ingest_market_data", "04_build_gold"
# Ctrl-C ends a watch in three seconds: so long a cell may take for it, and Spark, before they are killed. What a
# killed one had not written yet is not there, and comes with the next turn.
SECONDS_TO_END = 0.5
# A Spark session that nobody has used for an hour is gone: after half of it, kernels begin anew.
LONGEST_KEPT = timedelta(minutes=30)


class Page(Protocol):
    """What shows the market: it is given what has changed, as plain data."""

    def publish(self, **changes: Any) -> None:
        """Show this from now on."""


class Watch:
    """Turn after turn over one lake. `show` reads what the page shows; `say` gets a line for a person."""

    def __init__(
        self,
        parameters: dict[str, Value],
        every: timedelta,
        clock: Clock,
        page: Page,
        show: Callable[[], dict[str, Any]],
        say: Callable[[str], None],
    ):
        self.parameters, self.every, self.clock = parameters, every, clock
        self.page, self.show, self.say = page, show, say
        self.lake = Path(runtime.resolve_path(str(parameters["lake_path"])))
        self.records = Records(self.lake)
        self._schedule = Schedule(every, clock)
        self._server: spark_server.Server | None = None
        self._kept = KeptKernels(frozenset(schema.REFINING))
        self._ended_at = clock.now()
        self._moments = iter(tape_moments(parameters))
        # When the answer of a turn came in that no browser has shown yet.
        self._unseen: dict[int, datetime] = {}

    def run(self, most: int | None = None) -> None:
        """Turn after turn until Ctrl-C, after so many, or when a tape has ended."""
        try:
            while most is None or most > 0:
                turn = self._schedule.next()
                as_of = self._as_of(turn)
                if as_of is None:
                    self.say("The tape has ended.")
                    return
                self._take(turn, as_of)
                most = None if most is None else most - 1
        finally:
            self._kept.end()
            if self._server:
                self._server.stop()

    def shown(self, turn: int) -> None:
        """Note that a browser has drawn a turn; the first one counts. Called from the thread of the page."""
        arrived_at = self._unseen.pop(turn, None)
        if arrived_at is not None:
            seconds = round((self.clock.now() - arrived_at).total_seconds(), 2)
            self.records.add({"turn": turn, "seconds_to_screen": seconds})

    def _as_of(self, turn: Turn) -> str | None:
        """What the turn asks for: the tape's next moment, or the time that has gone by on the simulated clock."""
        source = self.parameters["source"]
        if source == "replay":
            return next(self._moments, None)
        if source == "live" or turn.number == 1:
            return str(self.parameters["as_of"])
        return f"+{in_words((1 + turn.missed) * self.every)}"

    def _take(self, turn: Turn, as_of: str) -> None:
        """Take one turn; one that fails is shown and recorded, and the next one tries again."""
        started_at = self.clock.now()
        if turn.missed:
            times = "1 turn was" if turn.missed == 1 else f"{turn.missed:,} turns were"
            self.say(f"{times} missed, as a turn took long or the machine slept: this one makes up for them.")
        facts: dict[str, Any] = {
            "turn": turn.number,
            "run_id": observability.new_run_id(),
            "whole": turn.whole,
            "missed": turn.missed,
            "started_at": instants.to_text(started_at),
            "rows_written": 0,
        }
        run = batch.Run(
            self.parameters | {"as_of": as_of},
            facts["run_id"],
            emit=lambda event, record: self._follow(event, record, facts),
            kernels=Kernels(SECONDS_TO_END),
            steps=schema.STEPS if turn.whole else OFTEN,
            # Each lands something: what is unchanged is not looked for, as that is a look at all that has landed.
            force=not turn.whole,
            kept=self._kept,
        )
        try:
            batch.execute(run, self._alive())
            self._schedule.done(turn)
            error = None
            if not turn.whole:
                # One a minute would fill the disk by and by, and nobody reads those in which all went well.
                shutil.rmtree(run.executed, ignore_errors=True)
        except Exception as problem:
            error = batch.explain(problem)
            self.page.publish(problem=f"Turn {turn.number} failed, and the next one tries again: {error}")
        self._ended_at = self.clock.now()
        self.records.add(facts | {"ended_at": instants.to_text(self._ended_at), "error": error})
        self.say(self._line(facts, (self._ended_at - started_at).total_seconds(), error))

    def _alive(self) -> spark_server.Server:
        """The server of this watch, started anew where it has ended; kernels that know another one are ended."""
        is_alive = self._server is not None and self._server.is_alive()
        if not is_alive or self.clock.now() - self._ended_at > LONGEST_KEPT:
            self._kept.end()
        if self._server is None or not is_alive:
            # In a folder of its own: a run beside this watch has a server, too.
            self._server = spark_server.start(self.lake / "watch", patience=SECONDS_TO_END)
        return self._server

    def _follow(self, event: str, record: Mapping[str, Any], facts: dict[str, Any]) -> None:
        """What the steps of a turn say; when gold is built, the page shows it, whatever is still to be run."""
        if event != "step":
            return
        facts["rows_written"] += record["rows_written"]
        if record["step"] == INGEST:
            facts["arrived_at"] = newest_arrival(self.lake)
        elif record["step"] == GOLD:
            facts["seconds_to_gold"] = self._seconds_since_arrival(facts)
            if facts["seconds_to_gold"] is not None:
                # What nobody has looked at by now is not waited for.
                self._unseen = {facts["turn"]: instants.parse(facts["arrived_at"])}
            try:
                shown = self.show()
                self.page.publish(
                    turn=facts["turn"],
                    arrived_at=facts["arrived_at"],
                    problem="",
                    latency=self.records.latency(),
                    **shown,
                )
            except Exception as problem:
                # A page that cannot be made must not end the turns.
                self.page.publish(problem=f"Gold could not be shown: {batch.explain(problem)}")

    def _seconds_since_arrival(self, facts: Mapping[str, Any]) -> float | None:
        """None where the turn has landed nothing."""
        arrived_at, started_at = facts["arrived_at"], facts["started_at"]
        if arrived_at is None or arrived_at < started_at:
            return None
        return round((self.clock.now() - instants.parse(arrived_at)).total_seconds(), 2)

    def _line(self, facts: dict[str, Any], seconds: float, error: str | None) -> str:
        at = f"{self._ended_at:%H:%M:%S} UTC, turn {facts['turn']}"
        if error is not None:
            return f"{at} failed after {seconds:.0f} s, and is tried again: {error}"
        gold = facts.get("seconds_to_gold")
        late = "" if gold is None else f", gold {gold:.1f} s after the answer"
        whole = ", warehouse and reports too" if facts["whole"] else ""
        return f"{at}: {facts['rows_written']:,} rows in {seconds:.1f} s{late}{whole}"


def tape_moments(parameters: dict[str, Value]) -> Iterable[str]:
    """The instants at which a tape has answers about the market, in order; none for other sources."""
    if parameters["source"] != "replay":
        return ()
    tape = bronze.Recording(runtime.resolve_path(str(parameters["tape_path"])))
    return sorted({str(row["moment"]) for row in tape.overview() if row["endpoint"] == "coins_markets"})


def newest_arrival(lake: Path) -> str | None:
    """When the newest page of the market came in by this machine's clock, whatever time its source keeps.

    A body is written as it comes and never changed: its file knows.
    """
    days = sorted((lake / "landing" / "endpoint=coins_markets").glob("date=*"))
    pages = days[-1].glob("run=*/*.json") if days else ()
    newest = max((page.stat().st_mtime for page in pages), default=None)
    return None if newest is None else instants.to_text(datetime.fromtimestamp(newest, UTC))
