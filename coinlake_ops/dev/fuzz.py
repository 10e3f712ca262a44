"""Odd answers without end, taken in by silver: no run stops, no good record is lost, every file is accounted for.

Each answer is a valid body of its endpoint with three records, of which the middle one is made odd: a value is
replaced, taken away or doubled, or some bytes of the whole body are changed. What happens is drawn from a seed:
the same seed gives the same answers.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from coinlake import api, schema, silver, sources
from coinlake.lakehouse import Lakehouse

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AT_ONCE = 150  # answers of an endpoint that one lake takes in before the next ones are made
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -0.0, -1, 1.5, 1e-320, 1e20, -1e20, 1e300, 2**31, 2**63, -(2**63), 10**40),
    *(math.nan, math.inf, -math.inf, 9e18, 1786406400000, 253402300800, "", " ", "0", "1e3", "NaN", "-Infinity"),
    *(
        "9999-12-31",
        "0001-01-01",
        "2026-02-30",
        "+58581-01-01T00:00:00Z",
        "2026-08-12T12:00:00.000Z",
        "1786406400",
    ),
    *("x" * 500, "😀" * 210, "a'b\\c\"d`e", "'; DROP TABLE t --", "\x00", "\u202e", "\ud800", "../../etc", "%zz"),
    *([], {}, [None], [[]], {"a": {"b": [1]}}, [1, "x"], {"": 0}, {"status": {"error_code": 1}}),
)


@dataclass(frozen=True)
class Answer:
    """An odd answer: its file below landing/, how many of its records are good, what was done to it.

    is_empty: it holds no record of which anything could become.
    """

    file: str
    good: int
    what: str
    is_empty: bool


# --- bodies of an endpoint, by number: no two answers have a key in common


def _coins(number: int, id: str) -> dict[str, Any]:
    return {
        "id": f"{id}-{number}",
        "symbol": id,
        "name": id.title(),
        "current_price": 2.5,
        "market_cap": 1e9,
        "market_cap_rank": 7,
        "total_volume": 5e6,
        "price_change_24h": 0.1,
        "price_change_percentage_24h": 4.0,
        "ath": 3,
        "ath_date": "2025-01-01T00:00:00.000Z",
        "last_updated": "2026-08-12T11:59:00.000Z",
        "roi": {"times": 1.0, "currency": "usd", "percentage": 2.0},
        "sparkline_in_7d": {"price": [1.0, 2.0]},
    }


def _markets(number: int) -> list[Any]:
    return [_coins(number, id) for id in ("first", "odd", "last")]


def _listed(number: int) -> list[Any]:
    return [{"id": f"{id}-{number}", "symbol": id, "name": id.title()} for id in ("first", "odd", "last")]


def _categories(number: int) -> list[Any]:
    one = {"market_cap": 2e12, "volume_24h": 1e9, "updated_at": "2026-08-12T11:59:00.000Z"}
    return [{"id": f"{id}-{number}", "name": id.title(), **one} for id in ("first", "odd", "last")]


def _chart(number: int) -> dict[str, Any]:
    times = [_ms(NOON - timedelta(hours=hours)) for hours in (3, 2, 1)]
    return {name: [[time, 2.5] for time in times] for name in ("prices", "market_caps", "total_volumes")}


def _global(number: int) -> dict[str, Any]:
    return {
        "data": {
            "active_cryptocurrencies": 17000,
            "markets": 1400,
            "updated_at": _ms(NOON) // 1000,
            "total_market_cap": {"usd": 3.5e12},
            "total_volume": {"usd": 1e11},
            "market_cap_percentage": {"btc": 58.5},
            "market_cap_change_percentage_24h_usd": -0.5,
        }
    }


def _moods(number: int) -> dict[str, Any]:
    days = [datetime(1971, 1, 1, tzinfo=UTC) + (3 * number + place) * DAY for place in range(3)]
    one = {"value": "40", "value_classification": "Fear"}
    return {"name": "Fear and Greed Index", "data": [one | {"timestamp": str(_ms(day) // 1000)} for day in days]}


def _rates(number: int) -> dict[str, Any]:
    base = "".join(chr(ord("A") + number // 26**place % 26) for place in range(3))
    days = [(NOON - place * DAY).date().isoformat() for place in (3, 2, 1)]
    return {"amount": 1.0, "base": base, "rates": {day: {"ZZZ": 0.5, "YYY": 2.0} for day in days}}


def _weather(number: int) -> dict[str, Any]:
    values = {"temperature_2m_max": [1.0, 2.0, 3.0], "weather_code": [1, 2, 3]}
    days = [(NOON - place * DAY).date().isoformat() for place in (3, 2, 1)]
    place = {"latitude": number % 9000 / 100, "longitude": number // 9000 / 100, "timezone": "GMT"}
    return place | {"daily": {"time": days} | values}


@dataclass(frozen=True)
class Kind:
    """An endpoint as it is fuzzed. good: the rows that the first and the last record give.

    body: the valid body, by number. odd: the container of what is made odd, and the key or place of it.
    """

    body: Callable[[int], Any]
    odd: Callable[[Any, random.Random], tuple[Any, Any]]
    good: int
    url: str


def _middle(*path: str) -> Callable[[Any, random.Random], tuple[Any, Any]]:
    """Something in the middle record of the list at this path."""

    def choose(body: Any, chance: random.Random) -> tuple[Any, Any]:
        for name in path:
            body = body[name]
        return _inside(body[1], chance)

    return choose


def _inside(value: Any, chance: random.Random) -> tuple[Any, Any]:
    """A container in the value, or the value itself, and one of its keys or places."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = chance.choice(keys)
    if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.5:
        return _inside(value[key], chance)
    return value, key


def _of_chart(body: Any, chance: random.Random) -> tuple[Any, Any]:
    series = body["prices"] if chance.random() < 0.6 else body[chance.choice(["market_caps", "total_volumes"])]
    return (series, 1) if chance.random() < 0.3 else (series[1], chance.randrange(2))


def _of_rates(body: Any, chance: random.Random) -> tuple[Any, Any]:
    day = sorted(body["rates"])[1]
    return (body["rates"], day) if chance.random() < 0.3 else (body["rates"][day], "ZZZ")


def _of_weather(body: Any, chance: random.Random) -> tuple[Any, Any]:
    return body["daily"][chance.choice(sorted(body["daily"]))], 1


KINDS = {
    "coins_markets": Kind(_markets, _middle(), 2, "/coins/markets?vs_currency=usd"),
    "coins_list": Kind(_listed, _middle(), 2, "/coins/list"),
    "coin_categories": Kind(_categories, _middle(), 2, "/coins/categories"),
    "coins_market_chart": Kind(_chart, _of_chart, 2, "/coins/odd-{number}/market_chart?vs_currency=usd&days=1"),
    "global": Kind(_global, lambda body, chance: _inside(body["data"], chance), 0, "/global"),
    "fear_greed": Kind(_moods, _middle("data"), 2, "/fng/?limit=0"),
    "fx_rates": Kind(_rates, _of_rates, 4, "/2026-08-01..2026-08-12?base=USD"),
    "weather_daily": Kind(_weather, _of_weather, 2, "/archive?latitude=1&longitude=1"),
}


def run(spark: SparkSession, folder: Path, count: int, seed: int) -> list[str]:
    """Takes in so many odd answers, in new lakes below the folder; says what went wrong, one line each."""
    problems: list[str] = []
    for start in range(0, count, AT_ONCE * len(KINDS)):
        lake = Lakehouse.create("spark_catalog", str(folder / f"lake-{start}"), spark)
        numbers = range(start, min(count, start + AT_ONCE * len(KINDS)))
        problems += _run(lake, random.Random(f"{seed} {start}"), numbers)
    return problems


def _run(lake: Lakehouse, chance: random.Random, numbers: range) -> list[str]:
    names = sorted(KINDS)
    answers: dict[str, list[Answer]] = {name: [] for name in names}
    for number in numbers:
        name = names[number % len(names)]
        answers[name].append(_land(Path(lake.path), name, number, chance))
    silver.load_responses(lake)
    problems: list[str] = []
    for endpoint, its in answers.items():
        problems += _take_in(lake, endpoint, its)
    return problems


def _take_in(lake: Lakehouse, endpoint: str, answers: list[Answer]) -> Iterator[str]:
    """What is wrong after the stream of an endpoint has seen the answers."""
    try:
        counts = silver.stream_endpoint(lake, endpoint)
    except Exception as stopped:
        yield f"{endpoint}: the stream stops: {str(stopped)[:300]}"
        return
    for file, error in counts.faults.items():
        yield f"{file}: unprocessable: {error}"
    table = lake.table(sources.SOURCES[endpoint].table).read()
    stored = {row["file"]: row["count"] for row in table.groupBy("file").count().collect()}
    rejected = {
        row["file"]: (row["copies"], row["reasons"])
        for row in lake.table(schema.QUARANTINE)
        .read()
        .where(F.col("endpoint") == endpoint)
        .groupBy("file")
        .agg(
            F.sum("copies").alias("copies"), F.array_distinct(F.flatten(F.collect_set("reasons"))).alias("reasons")
        )
        .collect()
    }
    for answer in answers:
        rows = stored.get(answer.file, 0)
        copies, reasons = rejected.get(answer.file, (0, []))
        if rows < answer.good:
            yield f"{answer.file}: {rows} rows of {answer.good} good ones, {reasons}, after {answer.what}"
        elif not rows and not copies and not answer.is_empty:
            yield f"{answer.file}: lost in silence, after {answer.what}"


def _land(lake: Path, endpoint: str, number: int, chance: random.Random) -> Answer:
    """Writes one odd answer and its line of the response log."""
    kind = KINDS[endpoint]
    body = kind.body(number)
    good = kind.good
    if chance.random() < 0.2:
        content, what = _with_odd_bytes(json.dumps(body).encode(), chance)
        good = 0
    else:
        what = _make_odd(*kind.odd(body, chance), chance)
        content = json.dumps(body).encode()
    moment = NOON + timedelta(milliseconds=number)
    file = put(lake, endpoint, f"{NOON:%Y%m%dT%H%M%SZ}-{number:08x}", content)
    log(lake, endpoint, file, moment.isoformat(timespec="milliseconds"), kind.url.format(number=number))
    return Answer(file, good, what, is_empty(content))


def put(lake: Path, endpoint: str, run: str, body: bytes) -> str:
    """Writes a body that no landing has judged, whatever it is; returns its path below landing/."""
    day = f"{run[:4]}-{run[4:6]}-{run[6:8]}"
    file = f"endpoint={endpoint}/date={day}/run={run}/p0001.json"
    target = lake / "landing" / file
    target.parent.mkdir(parents=True)
    target.write_bytes(body)
    return file


def log(lake: Path, endpoint: str, file: str, fetched_at: str, url: str) -> None:
    """Writes the line of the response log for a body that `put` wrote: it says that the body is data."""
    body = (lake / "landing" / file).read_bytes()
    day, run = (part.partition("=")[2] for part in file.split("/")[1:3])
    line = {
        **{"run": run, "endpoint": endpoint, "page": 1, "attempt": 1, "method": "GET", "status": 200},
        **{"url": api.absolute_url(sources.endpoint_of(endpoint), url), "fetched_at": fetched_at, "elapsed_ms": 1},
        **{"headers": {}, "file": file, "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()},
        **{"content_encoding": "identity", "outcome": "landed", "error": None, "source": "replay"},
    }
    target = lake / "landing_meta" / f"date={day}" / f"run={run}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(line) + "\n", encoding="utf-8")


def is_empty(body: bytes) -> bool:
    """Whether a body is blank, an empty list, or an object whose one list is empty."""
    if not body.strip():
        return True
    try:
        content = json.loads(body)
    except ValueError:
        return False
    lists = [content] if isinstance(content, list) else list(content.values()) if isinstance(content, dict) else []
    return [] in lists


def _make_odd(container: Any, key: Any, chance: random.Random) -> str:
    """Changes one value in place; says how."""
    how = chance.random()
    if how < 0.1 and isinstance(container, dict):
        del container[key]
        return f"taking {key} away"
    if how < 0.2 and isinstance(container, dict):
        container[chance.choice(("novelty", "ID", "", "a.b", "x" * 300))] = chance.choice(ODD)
        return "adding a field"
    container[key] = chance.choice(ODD)
    return f"{key} = {container[key]!r:.60}"


def _with_odd_bytes(content: bytes, chance: random.Random) -> tuple[bytes, str]:
    """The body with some bytes changed, put in or cut off."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(changed))
        how = chance.random()
        if how < 0.4:
            changed[place] = chance.randrange(256)
        elif how < 0.7:
            changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
        else:
            del changed[place : place + chance.randint(1, 40)]
        changed = changed or bytearray(b" ")
    return bytes(changed), "odd bytes"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
