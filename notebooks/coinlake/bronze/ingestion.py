"""One ingestion: ask what `plan_requests` says, land whatever comes, and say what did not.

One client serves all three sources; only who answers and what time it is differ. Everything that answered is
committed before anything is raised.
"""

import json
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from requests.adapters import BaseAdapter

from coinlake import api, instants, runtime, sources
from coinlake.api import Attempt, Client, Request, Tier
from coinlake.bronze import budget, replay
from coinlake.bronze.budget import SpendingPlan, plan_spending
from coinlake.bronze.landing_zone import LandingRun, LandingZone, Line, Spending
from coinlake.bronze.recordings import Recording, requests_of
from coinlake.bronze.request_plan import (
    RequestPlan,
    Settings,
    plan_requests,
    replay_run_id,
    requests_for_coins,
    run_id,
)
from coinlake.clocks import Clock, SystemClock, VirtualClock
from coinlake.errors import ApiError, ConfigurationError

KEY_NAME = "coingecko-api-key"

# The context APIs state no pace that a handful of calls could exceed; one a second is polite.
CONTEXT = Tier("context", "", None, requests_per_minute=60, credits_per_month=None)

SMALLEST_MARKET = 1000

Say = Callable[[str], None]


@dataclass
class Summary:
    """What an ingestion did: its runs, how much was asked and landed, and what was lost.

    `lost` are the last meta lines of requests that were never answered with data;
    `skipped` are endpoints whose answer of the day was landed before;
    `deferred` requests for history wait until the month turns, at `until`.
    """

    runs: list[str] = field(default_factory=list)
    already_landed: list[str] = field(default_factory=list)
    asked: int = 0
    landed: int = 0
    errors: int = 0
    bytes: int = 0
    lost: list[Line] = field(default_factory=list)
    skipped: tuple[str, ...] = ()
    deferred: int = 0
    until: datetime | None = None

    @property
    def rejected(self) -> int:
        """Requests that no data came to."""
        return len(self.lost)

    @property
    def moment(self) -> datetime | None:
        """The instant of the newest run, made now or before; None when there is none."""
        return max((instants.from_stamp(run) for run in self.runs + self.already_landed), default=None)

    def __str__(self) -> str:
        if not self.runs:
            which = f": run {self.already_landed[-1]} is landed already" if self.already_landed else ""
            return f"nothing to ask{which}"
        counts = f"{self.asked:,} requests: {self.landed:,} landed, {self.rejected:,} lost"
        counts += f"; failed attempts: {self.errors:,}" if self.errors else ""
        return counts + (f"; {self.deferred:,} wait until {self.until:%Y-%m-%d}" if self.until else "")


def ingest(
    group: str,
    settings: Settings,
    *,
    say: Say = print,
    adapter: BaseAdapter | None = None,
    clock: Clock | None = None,
) -> Summary:
    """Ask what one group (market or context) needs and land it; returns what happened.

    `adapter` and `clock` take the place of the network and of the machine's time when source is live.
    Raises ApiError, after landing what did answer, when page 1 of /coins/markets is missing, the month's
    credits do not reach for the present, or CoinGecko asks to stay away. Other lost answers are counted, not
    raised; history that waits for the next month's credits is no error; a replay reports recorded errors and goes
    on.
    """
    landing = LandingZone(runtime.resolve_path(settings.lake_path))
    for note in landing.recover():
        say(f"interrupted {note}")
    if settings.source == "replay":
        return _replay(group, settings, landing, say)
    return _run(group, settings, landing, say, adapter, clock or SystemClock())


def plan_ingestion(group: str, settings: Settings, *, clock: Clock | None = None) -> SpendingPlan:
    """What `ingest` with these settings would ask now, and what it would leave for later; asks and writes nothing.

    Raises ConfigurationError as `ingest` does. A replay asks nobody.
    """
    landing = LandingZone(runtime.resolve_path(settings.lake_path))
    clock = clock or SystemClock()
    if settings.source == "replay":
        _tape(settings)
        _asked_instant(settings)
        return plan_spending(RequestPlan(()), _tier(group, settings), 0, clock.now())
    return _look_ahead(group, settings, landing, clock).spending_plan


def resolve_as_of(group: str, settings: Settings, landing: LandingZone, now: datetime) -> datetime:
    """The instant of a simulated or live run, in whole seconds.

    Empty: the default of the source. A step such as +1h moves on from the group's newest run in the lake; a group
    that was left behind joins the newest run of the other one. Raises ConfigurationError for a step when live, and
    for an instant at which nobody would answer: outside the simulated market, or in the future when live.
    """
    asked = _asked_instant(settings)
    if isinstance(asked, timedelta):
        newest = _newest_runs(landing)
        try:
            mine = newest.pop(group, instants.DEFAULT_SIMULATED) + asked
        except OverflowError:
            mine = instants.LAST_SIMULATED
        as_of = max([mine, *newest.values()])
    else:
        as_of = asked or (now if settings.source == "live" else instants.DEFAULT_SIMULATED)
    _require_answers(settings, as_of, now)
    return as_of.replace(microsecond=0)


def _require_answers(settings: Settings, as_of: datetime, now: datetime) -> None:
    """Raises ConfigurationError where the run would land nothing, and yet be the newest one from then on."""
    if settings.source == "simulated" and not _is_simulated(as_of):
        raise ConfigurationError(
            f"as_of={settings.as_of} leads to {as_of:%Y-%m-%d %H:%M} UTC, where there is no simulated market: it "
            f"goes from {instants.FIRST_SIMULATED:%Y-%m-%d} until {instants.LAST_SIMULATED:%Y-%m-%d}. Give an "
            "instant within, such as 2026-08-12T14:22:00Z."
        )
    if settings.source == "live" and as_of > now:
        raise ConfigurationError(
            f"as_of={settings.as_of} is in the future, and source=live asks for what is there. Leave as_of empty."
        )


def _is_simulated(instant: datetime) -> bool:
    return instants.FIRST_SIMULATED <= instant < instants.LAST_SIMULATED


def _asked_instant(settings: Settings) -> datetime | timedelta | None:
    """What as_of says. Raises ConfigurationError for a step where there is no simulated clock to move."""
    asked = instants.as_of(settings.as_of)
    if isinstance(asked, timedelta) and settings.source != "simulated":
        raise ConfigurationError(
            f"as_of={settings.as_of} moves the simulated clock, but source={settings.source}. "
            "Leave as_of empty or give an instant such as 2026-08-12T14:22:00Z."
        )
    return asked


def _newest_runs(landing: LandingZone) -> dict[str, datetime]:
    """The instant of the newest run of each group that has one, at which the simulated market answers."""
    newest: dict[str, datetime] = {}
    for run, group in landing.groups():
        if _is_simulated(instants.from_stamp(run)):
            newest.setdefault(group, instants.from_stamp(run))
        if len(newest) == len(sources.groups()):
            break
    return newest


def _run(
    group: str, settings: Settings, landing: LandingZone, say: Say, adapter: BaseAdapter | None, clock: Clock
) -> Summary:
    ahead = _look_ahead(group, settings, landing, clock)
    is_simulated, run, plan = ahead.is_simulated, ahead.run, ahead.spending_plan
    if ahead.is_landed:
        _refuse_incomplete(group, landing.lines(run), run, ahead, landing)
        return Summary(already_landed=[run])
    summary = Summary(skipped=ahead.due.skipped)
    if not ahead.due.calls:
        return summary
    if plan.refused and not plan.calls:
        raise ApiError(_month_is_over(ahead, plan, "", ahead.moment))
    if is_simulated:
        clock = VirtualClock(ahead.moment)
        adapter = _simulator(settings, clock)
    client = _client(group, settings, ahead, clock, adapter)
    say(plan.in_words(simulated=is_simulated))
    with landing.begin(run, simulated=is_simulated) as gathering:
        # What the network answered has cost time and credits: whatever ends the run, the next one goes on from it.
        notes = None if is_simulated else gathering.note
        talk = _Conversation(group, client, gathering, summary, None if is_simulated else say, notes)
        _ask_all(talk, ahead, landing)
        gathering.commit()
    summary.runs.append(run)
    _report_lost(summary.lost, say)
    if summary.deferred:
        summary.until = plan.until
    _refuse_incomplete(group, gathering.lines, run, ahead, landing)
    return summary


@dataclass(frozen=True)
class _Prospect:
    """What a run would be: its id, what is due, what of it may be asked, and what it goes on from.

    `moment` is the UTC instant at which it begins, by its own clock; `asked` are the questions answered today.
    """

    settings: Settings
    run: str
    is_landed: bool
    moment: datetime
    asked: Collection[tuple]
    due: RequestPlan
    spent: Spending
    spending_plan: SpendingPlan

    @property
    def is_simulated(self) -> bool:
        return self.settings.source == "simulated"


def _look_ahead(group: str, settings: Settings, landing: LandingZone, clock: Clock) -> _Prospect:
    as_of = resolve_as_of(group, settings, landing, clock.now())
    is_simulated = settings.source == "simulated"
    landing.refuse_mixing(is_simulated)
    moment = as_of if is_simulated else clock.now()
    run = _open_run(group, settings, as_of, landing)
    is_landed = landing.has(run)
    asked = landing.asked(instants.data_day(as_of))
    due = RequestPlan(()) if is_landed else plan_requests(group, settings, as_of, asked)
    tier = _tier(group, settings)
    spent = landing.spending(moment, tier.root)
    plan = plan_spending(due, tier, spent.credits, moment)
    return _Prospect(settings, run, is_landed, moment, asked, due, spent, plan)


@dataclass
class _Conversation:
    """Requests asked one after another, each attempt staged as it comes.

    It ends when CoinGecko will answer nothing more, or without the first page of the market.
    `note` is given each attempt before it is sent.
    """

    group: str
    client: Client
    gathering: LandingRun
    summary: Summary
    progress: Say | None
    note: Callable[[Attempt, str], None] | None = None
    is_stopped: bool = False

    def ask(self, request: Request, answered_by: Sequence[str], keep: int = 0) -> Attempt | None:
        """The last attempt at the request; None once the conversation has ended.

        `answered_by` says who answers each attempt; the last one stands for the rest. A request that leaves
        `keep` credits to others is not asked, and no attempt at it staged, where there are no more.
        """
        if self.is_stopped:
            return None
        note = self.note
        before = None if note is None else lambda attempt: note(attempt, answered_by[-1])
        for attempt in self.client.attempts(request, before=before, keep=keep):
            if keep and attempt.classification.error == api.OUT_OF_CREDITS:
                return attempt
            line = self.gathering.add(attempt, answered_by[min(attempt.number, len(answered_by)) - 1])
            self.summary.errors += line["outcome"] == "error"
            self.summary.bytes += line["bytes"] or 0
            if self.progress is not None:
                self.progress(_progress(line))
        self.summary.asked += 1
        if line["outcome"] == "landed":
            self.summary.landed += 1
        else:
            self.summary.lost.append(line)
        # The context APIs are three houses: one that is closed says nothing of the others.
        self.is_stopped = self.group == "market" and (
            attempt.classification.stop or (_is_needed(line) and bool(line["error"]))
        )
        return attempt


def _ask_all(talk: _Conversation, ahead: _Prospect, landing: LandingZone) -> None:
    """Ask one source after the other; what is asked of coins goes by the ids that came before.

    That is history, which leaves the credits that are kept, and those of the requests of the present behind it.
    """
    settings, answered_by = ahead.settings, [ahead.settings.source]
    coin_ids: list[str] = []
    keep = ahead.spending_plan.tier.kept_for_present + len(ahead.due.requests)
    since = _month_before(ahead.moment)
    for source in sources.of_group(talk.group):
        for request in (each for each in ahead.due.requests if each.endpoint == source.endpoint):
            keep -= 1
            attempt = talk.ask(request, answered_by)
            if (
                source.lists_coins
                and attempt is not None
                and attempt.body is not None
                and attempt.classification.error is None
            ):
                rows = json.loads(attempt.body.decode("utf-8-sig"))
                coin_ids += _coin_ids(rows)
                if source.endpoint.page_size and len(rows) < settings.page_length:
                    break
        answers = landing.newest_answers(source.name, since) if ahead.spending_plan.deferred else {}
        history = requests_for_coins(source, coin_ids, settings, ahead.asked, answers)
        for number, request in enumerate(history):
            attempt = talk.ask(request, answered_by, keep)
            if attempt is not None and attempt.classification.error == api.OUT_OF_CREDITS:
                talk.summary.deferred += len(history) - number
                break


def _coin_ids(rows: list[object]) -> list[str]:
    """The ids that can stand in an address; what else the network calls an id is not asked for."""
    ids = [row.get("id") for row in rows if isinstance(row, dict)]
    return [name for name in ids if isinstance(name, str) and name.strip(". ") and len(name) <= 200]


def _replay(group: str, settings: Settings, landing: LandingZone, say: Say) -> Summary:
    """Ask exactly what the tape recorded, run by run, through the same client, in the recorded time."""
    tape = _tape(settings)
    until = _asked_instant(settings)
    assert not isinstance(until, timedelta)  # a step moves the simulated clock only
    summary = Summary()
    for tape_run, lines in tape.runs(group, until):
        run = replay_run_id(group, tape_run)
        if landing.has(run):
            summary.already_landed.append(run)
            continue
        client = _replaying_client(tape, tape_run, settings.seed)
        is_simulated = any(line["source"] == "simulated" for line in lines)
        with landing.begin(run, simulated=is_simulated) as gathering:
            for request, recorded in requests_of(lines):
                # A conversation each: an error that ended the recorded run must not end the replay.
                talk = _Conversation(group, client, gathering, summary, None)
                talk.ask(request, [line["source"] for line in recorded])
            gathering.commit()
        summary.runs.append(run)
    _report_lost(summary.lost, say)
    return summary


def _tape(settings: Settings) -> Recording:
    if not settings.tape_path:
        raise ConfigurationError("source=replay needs a tape: set tape_path to a lake or to a tape's folder.")
    return Recording(runtime.resolve_path(settings.tape_path))


def _replaying_client(tape: Recording, tape_run: str, seed: int) -> Client:
    """A client whom one run of the tape answers; there is no pace to keep, and every wait was over long ago."""
    clock = VirtualClock(instants.from_stamp(tape_run))
    adapter = replay.ReplayAdapter(tape, clock)
    adapter.play(tape_run)
    session = api.session(adapter)
    return Client(session, clock, requests_per_minute=math.inf, seed=seed, longest_ordered_wait=math.inf)


def _open_run(group: str, settings: Settings, as_of: datetime, landing: LandingZone) -> str:
    """The run to make: a live run that lacks what is required is made again, under a further id."""
    repeat = 0
    run = run_id(group, settings, as_of)
    while settings.source == "live" and landing.has(run) and _lack(group, landing.lines(run)):
        repeat += 1
        run = run_id(group, settings, as_of, repeat)
    return run


def _tier(group: str, settings: Settings) -> Tier:
    return settings.api_plan if group == "market" else CONTEXT


def _client(group: str, settings: Settings, ahead: _Prospect, clock: Clock, adapter: BaseAdapter | None) -> Client:
    tier = ahead.spending_plan.tier
    return Client(
        api.session(adapter),
        clock,
        requests_per_minute=tier.requests_per_minute,
        # A simulated run is the same wherever it is made; the pace is kept for those who really answer.
        last_call=None if ahead.is_simulated or group == "context" else ahead.spent.last_call,
        credits=ahead.spending_plan.credits_left,
        key_header=tier.key_header,
        key=_key(settings) if tier.key_header else None,
        seed=settings.seed,
    )


def _key(settings: Settings) -> runtime.Secret:
    if settings.source == "simulated":
        return runtime.Secret("CG-simulated")
    place = settings.secret_scope, settings.key_vault_url
    key = runtime.get_secret(KEY_NAME, *place, dbutils=runtime.dbutils())
    if key is None:
        raise ConfigurationError(
            f"plan={settings.plan} needs an API key. Put it into the environment variable "
            f"{runtime.secret_variable(KEY_NAME)}, or into the secret scope or Key Vault as {KEY_NAME}; "
            "without a key, use plan=keyless."
        )
    return key


def _simulator(settings: Settings, clock: VirtualClock) -> BaseAdapter:
    from coinlake.simulator import Exchange, SimulatorAdapter

    exchange = Exchange(settings.seed, max(SMALLEST_MARKET, settings.coins), settings.faults)
    return api.TakingTime(SimulatorAdapter(exchange, clock), clock)


def _progress(line: Line) -> str:
    size = "" if line["bytes"] is None else f"{line['bytes']:,} bytes"
    result = line["error"] or str(line["status"])
    return f"  {line['endpoint']:<18} {line['page']:>4}  {line['elapsed_ms']:>6,} ms  {size:>16}  {result}"


def _report_lost(lost: Sequence[Line], say: Say) -> None:
    for line in lost[:10]:
        say(f"lost: {line['endpoint']} page {line['page']}, {line['url']}: {line['error']}")
    if len(lost) > 10:
        say(f"lost: {len(lost) - 10:,} more; each has its line in landing_meta")


def _lack(group: str, lines: Sequence[Line]) -> str | None:
    """The error for which the next steps cannot stand on these lines; None when they can."""
    if group != "market":
        return None
    errors = [line["error"] for line in lines if line["error"]]
    first_page = [line for line in lines if _is_needed(line)]
    if first_page and first_page[-1]["error"]:
        return first_page[-1]["error"]
    return next((error for error in errors if api.ends_run(error)), None)


def _is_needed(line: Line) -> bool:
    """Whether a run stands on this answer: the first page of the coins."""
    return line["page"] == 1 and sources.SOURCES[line["endpoint"]].lists_coins


def _refuse_incomplete(
    group: str, lines: Sequence[Line], run: str, ahead: _Prospect, landing: LandingZone
) -> None:
    error = _lack(group, lines)
    if error is None:
        return
    landed = sum(line["outcome"] == "landed" for line in lines)
    kept = f"What did answer is landed: {landed} answers, run {run}."
    # The simulated exchange has no month of its own: that its is used up is one of its moods.
    if error == api.OUT_OF_CREDITS or (api.ends_month(error) and not ahead.is_simulated):
        at = instants.parse(lines[-1]["fetched_at"])
        used = landing.spending(at, ahead.spending_plan.tier.root).credits
        plan = replace(ahead.spending_plan, used=used, until=instants.next_month(at))
        said = "" if error == api.OUT_OF_CREDITS else error
        raise ApiError(f"{_month_is_over(ahead, plan, said, at)}\n{kept}")
    # The simulated exchange fails at the same moment in the same way for ever.
    remedy = "In the simulated market, go on with as_of=+1h." if ahead.is_simulated else api.remedy(error)
    raise ApiError(f"The market could not be read whole: {error}\n{kept}\n{remedy}")


def _month_is_over(ahead: _Prospect, plan: SpendingPlan, error: str, at: datetime) -> str:
    lake_path = ahead.settings.lake_path
    return budget.exhausted(plan, error, at, simulated=ahead.is_simulated, lake_path=lake_path)


def _month_before(instant: datetime) -> date:
    """The first day of the month before: as far back as an answer may lie that another coin waited for."""
    return (instant.date().replace(day=1) - timedelta(days=1)).replace(day=1)
