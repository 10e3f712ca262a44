"""A tape of every recording that fits an endpoint, the errors and the broken bodies among them."""

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from coinlake import bronze
from tests.support import recordings

API = "https://api.coingecko.com/api/v3"
FOLDERS = {
    "markets": "coins_markets",
    "market_chart": "coins_market_chart",
    "coins_list": "coins_list",
    "categories": "coin_categories",
    "global": "global",
    "fng": "fear_greed",
    "frankfurter": "fx_rates",
    "open_meteo": "weather_daily",
}
BROKEN_FOLDERS = ("errors", "errors_quoted", "malformed")
SOME_DAY = datetime(2023, 6, 13, tzinfo=UTC)


class Recording(NamedTuple):
    """One body on the tape: where it came from, what was asked and when, and what it says if it is data.

    `content` is None for a body that no table may come of.
    """

    path: Path
    endpoint: str
    url: str
    moment: datetime
    status: int
    body: bytes
    content: Any

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def everything() -> list[Recording]:
    """Every recording, each at a moment of its own."""
    found = [*_data(), *_documented(), *_errors()]
    # Answers never arrive at the same instant; recordings of one day otherwise would.
    return [
        each._replace(moment=each.moment + timedelta(milliseconds=number)) for number, each in enumerate(found)
    ]


def record(recorded: list[Recording], to: Path) -> None:
    """Puts the recordings on a tape."""
    for each in recorded:
        added = bronze.add_recording(
            to,
            endpoint=each.endpoint,
            url=each.url,
            fetched_at=each.moment.isoformat(),
            status=each.status,
            bodies=[each.body],
        )
        assert added, each.path


def _data() -> Iterator[Recording]:
    for folder, endpoint in FOLDERS.items():
        for path in recordings.files(folder, "*.json"):
            body = path.read_bytes()
            content = json.loads(body)
            if endpoint == "fear_greed" and isinstance(content, list):
                # Whoever kept the history kept only this part of the answer.
                content = {"data": content}
                body = json.dumps(content).encode()
            is_data = isinstance(
                content, list if endpoint in ("coins_markets", "coins_list", "coin_categories") else dict
            )
            if endpoint == "weather_daily":
                is_data = is_data and isinstance(content.get("daily"), dict)
            url = _noted_question(path) or _question(endpoint, path)
            yield Recording(path, endpoint, url, _moment(path), 200, body, content if is_data else None)


def _documented() -> Iterator[Recording]:
    """The answer that CoinGecko's own description shows for its categories, of 2026."""
    for path in recordings.files("oas", "demo-api.json"):
        answer = json.loads(path.read_bytes())["paths"]["/coins/categories"]["get"]["responses"]["200"]
        content = answer["content"]["application/json"]["example"]
        url = _question("coin_categories", path)
        moment = datetime(2026, 5, 26, 10, 3, tzinfo=UTC)
        yield Recording(path, "coin_categories", url, moment, 200, json.dumps(content).encode(), content)


def _errors() -> Iterator[Recording]:
    """Errors with their status and, as some clients saw them, with 200; broken bodies with 200."""
    for folder in BROKEN_FOLDERS:
        for path in recordings.files(folder):
            endpoint = next(
                (
                    name
                    for word, name in (
                        ("market_chart", "coins_market_chart"),
                        ("__global_", "global"),
                        ("__fng_", "fear_greed"),
                    )
                    if word in path.name
                ),
                "coins_markets",
            )
            status = re.search(r"(?<!\d)[45]\d\d(?!\d)", path.name)
            for code in {200, int(status[0]) if status else 429} if folder != "malformed" else {200}:
                url = _question(endpoint, path)
                yield Recording(path, endpoint, url, _moment(path), code, path.read_bytes(), None)


def _noted_question(path: Path) -> str | None:
    noted = recordings.RECORDINGS / "http_meta" / path.name
    return json.loads(noted.read_text())["url"] if noted.exists() else None


def _question(endpoint: str, path: Path) -> str:
    """The address that a recording most likely answers, where nobody noted it."""
    coin = re.search(r"__([a-z-]+?)(?:-unnamed)?_[\dm]", path.name)
    return {
        "coins_markets": f"{API}/coins/markets?vs_currency=usd&sparkline=true",
        "coins_market_chart": f"{API}/coins/{coin[1] if coin else 'bitcoin'}/market_chart?vs_currency=usd",
        "coins_list": f"{API}/coins/list",
        "coin_categories": f"{API}/coins/categories",
        "global": f"{API}/global",
        "fear_greed": "https://api.alternative.me/fng/",
        "fx_rates": "https://api.frankfurter.dev/v1/latest?base=EUR",
        "weather_daily": "https://archive-api.open-meteo.com/v1/archive",
    }[endpoint]


def _moment(path: Path) -> datetime:
    """When a recording was made: from its name, else from the newest instant in it, else some day."""
    stamp = re.search(r"(20\d{6})T?(\d{4})?(\d\d)?(?=Z?[._])", path.name)
    if stamp:
        day, minutes, seconds = stamp.groups()
        moment = datetime.strptime(day + (minutes or "2359") + (seconds or "00"), "%Y%m%d%H%M%S")
        return moment.replace(tzinfo=UTC)
    dashed = re.search(r"(20\d\d-\d\d-\d\d)(?:T(\d{4}))?", path.name)
    if dashed:
        return datetime.strptime(dashed[1] + (dashed[2] or "2359"), "%Y-%m-%d%H%M").replace(tzinfo=UTC)
    text = path.read_text(encoding="utf-8")
    moments = [
        datetime.fromisoformat(each).astimezone(UTC) for each in re.findall(r'"last_updated": ?"([^"]+)"', text)
    ]
    # The points of a chart: [milliseconds, value].
    moments += [datetime.fromtimestamp(int(each) / 1000, UTC) for each in re.findall(r"\[\s*(\d{13})\s*,", text)]
    return max(moments, default=SOME_DAY).replace(microsecond=0)
