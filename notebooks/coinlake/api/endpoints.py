"""What a question to an API is made of: an endpoint, and the address of each request.

Which endpoints there are is declared in coinlake.sources. An endpoint's name is a folder name of the landing zone.
Addresses never hold a key: keys travel in headers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

COINGECKO = "https://api.coingecko.com/api/v3"
COINGECKO_PRO = "https://pro-api.coingecko.com/api/v3"

LARGEST_PAGE = 250


@dataclass(frozen=True)
class Endpoint:
    """One kind of question: its address, and the shape of a complete answer.

    `path` and the values of `query` name what a request fills in, such as {coin_id}.
    `shape` is the type of a complete body's top level (list or dict);
    `holds` names the key, and its type, that a complete object has.
    `once_a_day`: the answer of a UTC day does not change, so it is asked once; others are asked in every run.
    `page_size` is the largest page; None where there are no pages.
    """

    name: str
    group: str
    root: str
    path: str
    shape: type
    query: Mapping[str, str] = field(default_factory=dict, hash=False)
    holds: tuple[str, type] | None = None
    once_a_day: bool = False
    page_size: int | None = None


@dataclass(frozen=True)
class Request:
    """One question of a run: its endpoint, its page within the run (from 1) and its address without a key.

    `attempts` limits how often it may be asked; None leaves that to the client.
    """

    endpoint: Endpoint
    page: int
    url: str
    attempts: int | None = None


def request_url(endpoint: Endpoint, *, root: str = "", **values: object) -> str:
    """The address of a request; `root` replaces the endpoint's own. Values are quoted."""
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


def absolute_url(endpoint: Endpoint, address: str) -> str:
    """A full https address for one that was noted without its host, such as /coins/markets?page=1."""
    if "://" in address:
        return address
    parts = urlsplit(endpoint.root)
    path = "/" + address.lstrip("/")
    if parts.path and path.startswith(parts.path + "/"):
        return f"{parts.scheme}://{parts.netloc}{path}"
    return endpoint.root + path


def same_question(address: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """What two spellings of one address share: host, path, and the parameters in any order."""
    parts = urlsplit(without_key(address))
    parameters = tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return parts.netloc.lower(), unquote(parts.path).rstrip("/"), parameters
