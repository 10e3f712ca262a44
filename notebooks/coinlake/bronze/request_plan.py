"""What a run asks: from the settings, the instant and what is landed already to the requests. All pure."""

import hashlib
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from coinlake import api, instants
from coinlake.api import Request
from coinlake.errors import CoinlakeError

SOURCES = ("simulated", "replay", "live")
GROUPS = ("market", "context")


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
        if self.source not in SOURCES:
            raise CoinlakeError(f"source={self.source!r} is not one of {', '.join(SOURCES)}.")

    @classmethod
    def of(cls, parameters: Mapping[str, object]) -> "Settings":
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
    Raises CoinlakeError for settings that no request can be made of.
    """
    wanted = _market_requests(settings) if group == "market" else _context_requests(settings, as_of)
    is_done = {
        request: api.endpoint_of(request.endpoint).once_a_day and api.same_question(request.url) in asked
        for request in wanted
    }
    return RequestPlan(
        requests=tuple(request for request, done in is_done.items() if not done),
        charts=_open_charts(settings, asked) if group == "market" else 0,
        skipped=tuple(request.endpoint for request, done in is_done.items() if done),
    )


def chart_requests(coin_ids: Iterable[str], settings: Settings, asked: Collection[tuple] = ()) -> list[Request]:
    """The chart of each of the first `history_coins` coins that is not landed yet on this data day."""
    largest = list(dict.fromkeys(coin_ids))[: settings.history_coins]
    addresses = [_chart_address(settings, coin_id) for coin_id in largest]
    missing = [address for address in addresses if api.same_question(address) not in asked]
    return [Request("coins_market_chart", page, address) for page, address in enumerate(missing, start=1)]


def run_id(group: str, settings: Settings, as_of: datetime, repeat: int = 0) -> str:
    """The id of a run: its instant, and a digest of everything that changes what is asked or answered.

    The same settings at the same instant are the same run. `repeat` tells apart live runs that had to be
    made again because the first one lacked what is required.
    """
    names = {"source", "history_days"}
    if settings.source == "simulated":
        names |= {"seed", "faults"}
    if group == "market":
        names |= {"coins", "history_coins", "vs_currency", "plan", "requests_per_minute", "credits_per_month"}
    else:
        names |= {"fx_currencies", "latitude", "longitude"}
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


def _market_requests(settings: Settings) -> list[Request]:
    limit = settings.api_plan.history_days
    if limit is not None and settings.history_coins and settings.history_days > limit:
        raise CoinlakeError(
            f"history_days={settings.history_days}: the plan {settings.plan} sees {limit} days back. "
            f"Set history_days to at most {limit}, or use plan=pro."
        )
    root = settings.api_plan.root
    values = {"root": root, "vs_currency": settings.vs_currency, "per_page": settings.page_length}
    pages = range(1, math.ceil(settings.coins / settings.page_length) + 1)
    return [
        *(Request("coins_markets", page, api.request_url("coins_markets", page=page, **values)) for page in pages),
        Request("global", 1, api.request_url("global", root=root)),
        Request("coins_list", 1, api.request_url("coins_list", root=root)),
    ]


def _chart_address(settings: Settings, coin_id: str) -> str:
    return api.request_url(
        "coins_market_chart",
        root=settings.api_plan.root,
        coin_id=coin_id,
        vs_currency=settings.vs_currency,
        days=settings.history_days,
    )


def _open_charts(settings: Settings, asked: Collection[tuple]) -> int:
    """How many charts are still to be asked at most; their coins are not known yet."""
    _, _, parameters = api.same_question(_chart_address(settings, "any"))
    done = sum(path.endswith("/market_chart") and its == parameters for _, path, its in asked)
    return max(0, min(settings.history_coins, settings.coins) - done)


def _context_requests(settings: Settings, as_of: datetime) -> list[Request]:
    today = instants.data_day(as_of)
    first = today - timedelta(days=settings.history_days)
    yesterday = today - timedelta(days=1)
    place = {"latitude": settings.latitude, "longitude": settings.longitude}
    addresses = {"fear_greed": api.request_url("fear_greed", limit=settings.history_days + 1)}
    currencies = _currencies(settings.fx_currencies)
    if currencies:
        symbols = ",".join(currencies).upper()
        addresses["fx_rates"] = api.request_url("fx_rates", start=first, end=today, symbols=symbols)
    addresses["weather_daily"] = api.request_url("weather_daily", start=first, end=yesterday, **place)
    return [Request(name, 1, address) for name, address in addresses.items()]


def _currencies(text: str) -> list[str]:
    """The currencies of a comma-separated list, without the dollar, which rates are quoted against."""
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    for name in names:
        if not (len(name) == 3 and name.isascii() and name.isalpha()):
            raise CoinlakeError(f"fx_currencies: {name!r} is not a currency code. Write codes such as eur,chf.")
    return [name for name in names if name != "usd"]
