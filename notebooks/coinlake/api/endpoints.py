"""What can be asked: one table of the endpoints, and the address of each request.

An endpoint's name is a folder name of the landing zone. Addresses never hold a key: keys travel in headers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

from coinlake.errors import CoinlakeError

COINGECKO = "https://api.coingecko.com/api/v3"
COINGECKO_PRO = "https://pro-api.coingecko.com/api/v3"

LARGEST_PAGE = 250


@dataclass(frozen=True)
class Endpoint:
    """One kind of question.

    `shape` is the type of a complete body's top level (list or dict);
    `holds` names the key, and its type, that a complete object has.
    `once_a_day`: the answer of a UTC day does not change, so it is asked once; others are asked in every run.
    `page_size` is the largest page; None where there are no pages.
    """

    name: str
    group: str
    root: str
    path: str
    query: Mapping[str, str]
    shape: type
    holds: tuple[str, type] | None = None
    once_a_day: bool = False
    page_size: int | None = None


ENDPOINTS: dict[str, Endpoint] = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint(
            name="coins_markets",
            group="market",
            root=COINGECKO,
            path="/coins/markets",
            query={
                "vs_currency": "{vs_currency}",
                "order": "market_cap_desc",
                "per_page": "{per_page}",
                "page": "{page}",
                "sparkline": "true",
                "price_change_percentage": "1h,24h,7d,30d",
            },
            shape=list,
            page_size=LARGEST_PAGE,
        ),
        Endpoint(
            name="global",
            group="market",
            root=COINGECKO,
            path="/global",
            query={},
            shape=dict,
            holds=("data", dict),
        ),
        Endpoint(
            name="coins_list",
            group="market",
            root=COINGECKO,
            path="/coins/list",
            query={},
            shape=list,
            once_a_day=True,
        ),
        Endpoint(
            # Without `interval` the API chooses the granularity itself, which every plan may use.
            name="coins_market_chart",
            group="market",
            root=COINGECKO,
            path="/coins/{coin_id}/market_chart",
            query={"vs_currency": "{vs_currency}", "days": "{days}"},
            shape=dict,
            holds=("prices", list),
            once_a_day=True,
        ),
        Endpoint(
            name="fear_greed",
            group="context",
            root="https://api.alternative.me",
            path="/fng/",
            query={"limit": "{limit}"},
            shape=dict,
            holds=("data", list),
            once_a_day=True,
        ),
        Endpoint(
            name="fx_rates",
            group="context",
            root="https://api.frankfurter.dev/v1",
            path="/{start}..{end}",
            query={"base": "USD", "symbols": "{symbols}"},
            shape=dict,
            holds=("rates", dict),
            once_a_day=True,
        ),
        Endpoint(
            name="weather_daily",
            group="context",
            root="https://archive-api.open-meteo.com/v1",
            path="/archive",
            query={
                "latitude": "{latitude}",
                "longitude": "{longitude}",
                "start_date": "{start}",
                "end_date": "{end}",
                "daily": "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,wind_speed_10m_max",
                "timezone": "GMT",
            },
            shape=dict,
            holds=("daily", dict),
            once_a_day=True,
        ),
    )
}


@dataclass(frozen=True)
class Request:
    """One question of a run: its endpoint, its page within the run (from 1) and its address without a key.

    `attempts` limits how often it may be asked; None leaves that to the client.
    """

    endpoint: str
    page: int
    url: str
    attempts: int | None = None


def endpoint_of(name: str) -> Endpoint:
    """The endpoint of this name; raises CoinlakeError that lists them when there is none."""
    if name not in ENDPOINTS:
        raise CoinlakeError(f"There is no endpoint {name!r}. The endpoints are {', '.join(ENDPOINTS)}.")
    return ENDPOINTS[name]


def request_url(name: str, *, root: str = "", **values: object) -> str:
    """The address of a request; `root` replaces the endpoint's own. Values are quoted."""
    endpoint = ENDPOINTS[name]
    path = endpoint.path.format(**{key: quote(str(value), safe="") for key, value in values.items()})
    query = {key: text.format(**values) for key, text in endpoint.query.items()}
    address = (root or endpoint.root) + path
    return f"{address}?{urlencode(query, safe=',')}" if query else address


_KEY_NAME = re.compile(r"x[_-]cg[_-].*|.*api[_-]?key|.*token|key|secret|password", re.IGNORECASE)


def without_key(address: str) -> str:
    """The address without what may be secret: key parameters, user and password, fragment."""
    parts = urlsplit(address)
    pieces = [
        piece for piece in parts.query.split("&") if not _KEY_NAME.fullmatch(unquote_plus(piece.split("=")[0]))
    ]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "&".join(pieces), ""))


def absolute_url(name: str, address: str) -> str:
    """A full https address for one that was noted without its host, such as /coins/markets?page=1."""
    if "://" in address:
        return address
    root = endpoint_of(name).root
    parts = urlsplit(root)
    path = "/" + address.lstrip("/")
    if parts.path and path.startswith(parts.path + "/"):
        return f"{parts.scheme}://{parts.netloc}{path}"
    return root + path


def same_question(address: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """What two spellings of one address share: host, path, and the parameters in any order."""
    parts = urlsplit(without_key(address))
    parameters = tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return parts.netloc.lower(), unquote(parts.path).rstrip("/"), parameters
