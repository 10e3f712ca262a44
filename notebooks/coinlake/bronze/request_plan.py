"""What a run asks: from the settings, the instant and what is landed already to the requests. All pure."""

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from coinlake import api, instants, sources
from coinlake.api import Request
from coinlake.errors import ConfigurationError
from coinlake.sources import Source

ANSWERED_BY = ("simulated", "replay", "live")


@dataclass(frozen=True)
class Settings:
    """What an ingestion is told: the parameters of the notebooks 01 and 02, under their own names."""

    lake_path: str
    source: str = "simulated"
    as_of: str = ""
    seed: int = 20260801
    coins: int = 250
    history_coins: int = 50
    history_days: int = 365
    vs_currency: str = "usd"
    plan: str = "keyless"
    requests_per_minute: int = 0
    credits_per_month: int = 0
    tape_path: str = ""
    faults: str = "none"
    secret_scope: str = ""
    key_vault_url: str = ""
    fx_currencies: str = "eur,chf"
    latitude: float = 47.37
    longitude: float = 8.54

    def __post_init__(self):
        if self.source not in ANSWERED_BY:
            raise ConfigurationError(f"source={self.source!r} is not one of {', '.join(ANSWERED_BY)}.")

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Settings":
        """The settings among a notebook's parameters; those of other concern are left aside."""
        names = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in parameters.items() if name in names})

    @property
    def api_plan(self) -> api.Tier:
        """The CoinGecko plan, with the pace and budget that the settings name."""
        return api.choose_tier(self.plan, self.requests_per_minute, self.credits_per_month)

    @property
    def page_length(self) -> int:
        """Coins a page of /coins/markets: as few pages as can be, all equally long."""
        return math.ceil(self.coins / math.ceil(self.coins / api.LARGEST_PAGE))


@dataclass(frozen=True)
class RequestPlan:
    """What a run asks: the requests known beforehand, and for how many coins a chart as well.

    Which coins these are, /coins/markets tells. `skipped` names endpoints whose answer of the day is landed.
    """

    requests: tuple[Request, ...]
    charts: int = 0
    skipped: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        """How many calls this takes at most, when none has to be repeated."""
        return len(self.requests) + self.charts


def plan_requests(group: str, settings: Settings, as_of: datetime, asked: Collection[tuple] = ()) -> RequestPlan:
    """The requests of one run of a group (market or context) at the instant `as_of`.

    `asked` are the questions answered on this data day, as `Landing.asked` gives them.
    Raises ConfigurationError for settings that no request can be made of.
    """
    its_sources = sources.of_group(group)
    wanted = [request for source in its_sources for request in source.requests(settings, as_of)]
    is_done = {
        request: request.endpoint.once_a_day and api.same_question(request.url) in asked for request in wanted
    }
    return RequestPlan(
        requests=tuple(request for request, done in is_done.items() if not done),
        charts=sum(_open_for_coins(source, settings, asked) for source in its_sources),
        skipped=tuple(request.endpoint.name for request, done in is_done.items() if done),
    )


def requests_for_coins(
    source: Source,
    coin_ids: Iterable[str],
    settings: Settings,
    asked: Collection[tuple] = (),
    answers: Mapping[tuple, str] = MappingProxyType({}),
) -> list[Request]:
    """What a source asks of these coins, largest first, and is not landed yet on this data day.

    `answers` has the instant of the newest answer of those answered before: they stand back for the others, so
    that a history for which one month is too short goes on where it stopped.
    """
    wanted = source.for_coins(settings, coin_ids) if source.for_coins else []
    missing = [request for request in wanted if api.same_question(request.url) not in asked]
    missing.sort(key=lambda request: answers.get(api.same_question(request.url), "")[:10])
    return [replace(request, page=page) for page, request in enumerate(missing, start=1)]


def run_id(group: str, settings: Settings, as_of: datetime, repeat: int = 0) -> str:
    """The id of a run: its instant, and a digest of everything that changes what is asked or answered.

    The same settings at the same instant are the same run. `repeat` tells apart live runs that had to be
    made again because the first one lacked what is required.
    """
    names = {"source", *(name for source in sources.of_group(group) for name in source.settings)}
    if settings.source == "simulated":
        names |= {"seed", "faults"}
    facts = {item.name: getattr(settings, item.name) for item in fields(Settings) if item.name in names}
    facts |= {"group": group, "as_of": instants.to_text(as_of)}
    if repeat:
        facts["repeat"] = repeat
    return f"{instants.to_stamp(as_of)}-{digest(facts)}"


def replay_run_id(group: str, tape_run: str) -> str:
    """The id of the run that a tape's run becomes: the same moment, a digest of group and tape run."""
    return f"{tape_run.split('-')[0]}-{digest({'group': group, 'tape_run': tape_run})}"


def digest(facts: dict[str, object]) -> str:
    """First 8 hex digits of the SHA-256 of the facts as canonical JSON."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]


def _open_for_coins(source: Source, settings: Settings, asked: Collection[tuple]) -> int:
    """How many of a source's requests for coins are still to be asked at most; the coins are not known yet."""
    if source.for_coins is None:
        return 0
    wanted = source.for_coins(settings, [f"coin-{number}" for number in range(settings.coins)])
    if not wanted:
        return 0
    host, _, parameters = api.same_question(wanted[0].url)
    ending = source.endpoint.path.partition("{coin_id}")[2]
    done = sum((its_host, its) == (host, parameters) and path.endswith(ending) for its_host, path, its in asked)
    return max(0, len(wanted) - done)
