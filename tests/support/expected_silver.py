"""What silver must hold, computed from recorded answers in plain Python: the rules of the data, written afresh.

Every function takes answers and gives rows as dicts; `rejected` gathers what must be quarantined.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAY_MS = 86_400_000


class Answer(NamedTuple):
    """A landed body: its path below landing/, its run, when it came, what was asked, what it says."""

    endpoint: str
    file: str
    run: str
    moment: datetime
    url: str
    content: Any


class Reject(NamedTuple):
    """A record that must be quarantined."""

    table: str
    answer: Answer
    reasons: tuple[str, ...]
    record: Any


NUMBERS = {
    "fully_diluted_valuation",
    "total_volume",
    "high_24h",
    "low_24h",
    "price_change_24h",
    "market_cap_change_24h",
    "market_cap_change_percentage_24h",
    "circulating_supply",
    "total_supply",
    "max_supply",
    "ath",
    "ath_change_percentage",
    "atl",
    "atl_change_percentage",
}
CHANGES = {span: f"price_change_percentage_{span}_in_currency" for span in ("1h", "24h", "7d", "30d")}
INSTANTS = {"ath_date", "atl_date", "last_updated"}
KNOWN_TEXTS = {"id", "symbol", "name", "image"} | INSTANTS
KNOWN_WHOLE = {"market_cap_rank", "market_cap_rank_with_rehypothecated"}
KNOWN_NUMBERS = {
    *NUMBERS,
    *CHANGES.values(),
    *("current_price", "market_cap", "price_change_percentage_24h"),
    *(f"price_change_percentage_{span}_in_currency" for span in ("14d", "200d", "1y")),
}
KNOWN_PARTS = {"roi": {"times", "currency", "percentage"}, "sparkline_in_7d": {"price"}}


def is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def number(value) -> float | None:
    """A number of a record; one that was sent as text counts where it is plainly a number."""
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value):
        value = float(value)
    return float(value) if is_number(value) else None


def cap(value) -> float | None:
    """A market cap; 0 is how CoinGecko says that it does not know."""
    value = number(value)
    return value if value is not None and value > 0 else None


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def from_ms(stamp: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(stamp))


def hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def currency(answer: Answer, codes: Iterable[str]) -> str | None:
    (code,) = parse_qs(urlsplit(answer.url).query).get("vs_currency", [""])
    return code.strip().lower() if code.strip().lower() in codes else None


def only(answers: Iterable[Answer], endpoint: str) -> list[Answer]:
    return [answer for answer in answers if answer.endpoint == endpoint]


def settled(row: dict, at: datetime, days: int) -> tuple:
    """How much a row counts that one answer after the other repeats: the first settled one, else the latest."""
    arrived = row["fetched_at"].timestamp()
    return (True, -arrived) if at < row["fetched_at"] - days * DAY else (False, arrived)


def best(rows: Iterable[tuple[tuple, tuple, dict]]) -> list[dict]:
    """Of the rows (key, order, row) with the same key the one of the greatest order."""
    kept: dict[tuple, tuple[tuple, dict]] = {}
    for key, order, row in rows:
        if key not in kept or kept[key][0] < order:
            kept[key] = order, row
    return [row for _, row in kept.values()]


# /coins/markets


def not_fitting(coin: dict) -> dict:
    """The fields of a coin that are unknown, or of another type than theirs."""
    lost = {}
    for name, value in coin.items():
        if name in KNOWN_PARTS:
            part = {key: each for key, each in (value or {}).items() if key not in KNOWN_PARTS[name]}
            if part:
                lost[name] = part
        elif name in KNOWN_WHOLE:
            if value is not None and not (is_number(value) and isinstance(value, int)):
                lost[name] = value
        elif name in KNOWN_NUMBERS:
            if value is not None and not is_number(value):
                lost[name] = value
        elif name not in KNOWN_TEXTS:
            lost[name] = value
    return lost


def sparkline(coin: dict) -> list | None:
    return (coin.get("sparkline_in_7d") or {}).get("price")


def last_hour(coin: dict, moment: datetime) -> datetime | None:
    """The hour of the last price of a sparkline, where that can be told."""
    updated = instant(coin.get("last_updated"))
    is_whole = len(sparkline(coin) or ()) == 168
    return hour(moment) if is_whole and updated and updated > moment - HOUR else None


def judged_coins(answers, codes) -> Iterator[tuple[Answer, str | None, dict, list[dict], tuple[str, ...]]]:
    """(answer, currency, coin, the page's coins that count, broken rules) of every record of every page."""
    for answer in only(answers, "coins_markets"):
        newest: dict[str, dict] = {}
        for coin in answer.content:
            known = newest.get(coin.get("id"))
            if known is None or (coin.get("last_updated") or "") > (known.get("last_updated") or ""):
                newest[coin.get("id")] = coin
        page = [coin for coin in answer.content if coin.get("id") is None or newest[coin["id"]] is coin]
        vs_currency = currency(answer, codes)
        for coin in answer.content:
            price = number(coin.get("current_price"))
            broken = {
                "currency_unknown": vs_currency is None,
                "id_missing": not coin.get("id"),
                "price_impossible": price is not None and price < 0,
                "price_missing": price is None,
                "repeated_in_page": not any(coin is each for each in page),
            }
            yield answer, vs_currency, coin, page, tuple(name for name, is_broken in broken.items() if is_broken)


def warnings(coin: dict, row: dict, page: list[dict]) -> list[str]:
    prices, price, updated = sparkline(coin), row["price"], row["last_updated"]
    change, percentage = row["price_change_24h"] or 0, row["price_change_percentage_24h"] or 0
    rank = row["market_cap_rank"]
    with_rank = sum(number(each.get("market_cap_rank")) == rank for each in page)
    broken = {
        "ath_below_price": row["ath"] is not None and price > row["ath"],
        "atl_above_price": row["atl"] is not None and price < row["atl"],
        "fields_rescued": bool(row["rescued"]),
        "rank_missing": rank is None,
        "rank_repeated": rank is not None and with_rank > 1,
        "signs_disagree": (change > 0 > percentage) or (change < 0 < percentage),
        "sparkline_hours_unknown": prices is not None and last_hour(coin, row["snapshot_at"]) is None,
        "sparkline_thin": prices is not None
        and not (len(prices) == 168 and all(each is not None and each >= 0 for each in prices)),
        "stale": updated is None or updated <= row["snapshot_at"] - DAY,
    }
    return [name for name, is_broken in broken.items() if is_broken]


def coin_snapshots(answers, codes) -> list[dict]:
    rows = []
    for answer, vs_currency, coin, page, broken in judged_coins(answers, codes):
        if broken:
            continue
        rank = number(coin.get("market_cap_rank"))
        row = {
            "coin_id": coin["id"],
            "vs_currency": vs_currency,
            "snapshot_at": answer.moment,
            "period": f"{answer.moment:%Y-%m}",
            "symbol": coin.get("symbol"),
            "name": coin.get("name"),
            "price": number(coin["current_price"]),
            "market_cap": cap(coin.get("market_cap")),
            "market_cap_rank": None if rank is None else int(rank),
            **{name: number(coin.get(name)) for name in NUMBERS},
            **{f"price_change_percentage_{span}": number(coin.get(name)) for span, name in CHANGES.items()},
            **{name: instant(coin.get(name)) for name in INSTANTS},
            "rescued": not_fitting(coin) or None,
            "file": answer.file,
        }
        change = number(coin.get("price_change_percentage_24h"))
        if change is not None:
            row["price_change_percentage_24h"] = change
        rows.append(row | {"warnings": warnings(coin, row, page)})
    return rows


def sparkline_prices(answers, codes) -> Iterator[dict]:
    for answer, vs_currency, coin, _, broken in judged_coins(answers, codes):
        last = last_hour(coin, answer.moment)
        if broken or last is None:
            continue
        for back, price in enumerate(reversed(sparkline(coin))):
            if price is not None and price >= 0:
                yield {
                    "coin_id": coin["id"],
                    "vs_currency": vs_currency,
                    "observed_at": last - back * HOUR,
                    "granularity": "hourly",
                    "price": float(price),
                    "market_cap": None,
                    "total_volume": None,
                    "source": "sparkline",
                    "fetched_at": answer.moment,
                    "file": answer.file,
                }


# /coins/{id}/market_chart


def judged_points(answers, codes) -> Iterator[tuple[Answer, dict, float, bool, tuple[str, ...]]]:
    """(answer, row, stamp, whether points are minutes apart, broken rules) of every instant of every chart."""
    for answer in only(answers, "coins_market_chart"):
        series = []
        for name in ("prices", "market_caps", "total_volumes"):
            values: dict[float, float] = {}
            for stamp, value in answer.content.get(name) or []:
                if stamp not in values or (value is not None and (values[stamp] is None or value > values[stamp])):
                    values[stamp] = value
            series.append(values)
        stamps = [stamp for stamp, _ in answer.content["prices"]]
        if not stamps:
            continue
        is_daily = all(stamp % DAY_MS == 0 for stamp in stamps[: max(len(stamps) - 1, 1)])
        is_fine = max(stamps) - min(stamps) < (len(stamps) - 1) * 1_800_000
        coin_id = unquote(re.search(r"/coins/([^/?]+)/market_chart", answer.url)[1])
        for stamp in set().union(*series):
            if is_daily and stamp % DAY_MS:
                continue
            at = from_ms(stamp)
            price, market_cap, volume = (values.get(stamp) for values in series)
            row = {
                "coin_id": coin_id,
                "vs_currency": currency(answer, codes),
                "observed_at": at if is_daily else hour(at),
                "granularity": "daily" if is_daily else "hourly",
                "price": number(price),
                "market_cap": cap(market_cap),
                "total_volume": number(volume),
                "source": "market_chart",
                "fetched_at": answer.moment,
                "file": answer.file,
            }
            broken = {
                "currency_unknown": row["vs_currency"] is None,
                "price_impossible": row["price"] is not None and row["price"] < 0,
                "price_missing": row["price"] is None,
                "time_impossible": row["observed_at"].year < 2009 or row["observed_at"] >= answer.moment + DAY,
            }
            yield answer, row, stamp, is_fine, tuple(name for name, is_broken in broken.items() if is_broken)


def chart_prices(answers, codes) -> list[dict]:
    """One row for each hour or day of a chart: of an hour the last point, of points minutes apart the first."""
    points = (
        ((row["file"], row["observed_at"]), (-stamp if is_fine else stamp,), row)
        for _, row, stamp, is_fine, broken in judged_points(answers, codes)
        if not broken
    )
    return best(points)


def coin_prices(answers, codes) -> list[dict]:
    """A chart outranks a sparkline; a price that is a day old has settled."""
    rows = [*sparkline_prices(answers, codes), *chart_prices(answers, codes)]
    for row in rows:
        row["period"] = (
            f"{row['observed_at']:%Y}" if row["granularity"] == "daily" else f"{row['observed_at']:%Y-%m}"
        )
    return best(
        (
            (row["coin_id"], row["vs_currency"], row["observed_at"], row["granularity"]),
            (row["source"] == "market_chart", *settled(row, row["observed_at"], days=1)),
            row,
        )
        for row in rows
    )


# The other endpoints

GLOBAL_FIELDS = {
    *("active_cryptocurrencies", "upcoming_icos", "ongoing_icos", "ended_icos", "markets", "updated_at"),
    *("total_market_cap", "total_volume", "market_cap_percentage"),
    *("market_cap_change_percentage_24h_usd", "volume_change_percentage_24h_usd"),
}


def market_totals(answers) -> list[dict]:
    rows, change = [], "market_cap_change_percentage_24h_usd"
    for answer in only(answers, "global"):
        data = answer.content["data"]
        unknown = {name: value for name, value in data.items() if name not in GLOBAL_FIELDS}
        maps = ("total_market_cap", "total_volume", "market_cap_percentage")
        if all(name in data for name in maps):
            rows.append(
                {
                    "snapshot_at": answer.moment,
                    "updated_at": from_ms(data["updated_at"] * 1000),
                    "active_cryptocurrencies": data.get("active_cryptocurrencies"),
                    "markets": data.get("markets"),
                    **{name: {key: float(value) for key, value in data[name].items()} for name in maps},
                    change: number(data.get(change)),
                    "rescued": {"data": unknown} if unknown else None,
                    "file": answer.file,
                }
            )
    return rows


def coin_list(answers) -> list[dict]:
    coins: dict[str, dict] = {}
    for answer in sorted(only(answers, "coins_list"), key=lambda answer: answer.moment):
        for entry in answer.content:
            first = coins.get(entry["id"], {}).get("first_listed_at", answer.moment)
            coins[entry["id"]] = {
                "coin_id": entry["id"],
                "symbol": entry.get("symbol"),
                "name": entry.get("name"),
                "first_listed_at": first,
                "last_listed_at": answer.moment,
                "file": answer.file,
            }
    return list(coins.values())


def coin_categories(answers) -> list[dict]:
    rows = [
        {
            "category_id": entry["id"],
            "snapshot_at": answer.moment,
            "name": entry.get("name"),
            "market_cap": cap(entry.get("market_cap")),
            "market_cap_change_24h": number(entry.get("market_cap_change_24h")),
            "volume_24h": number(entry.get("volume_24h")),
            "top_3_coins": entry.get("top_3_coins_id"),
            "updated_at": instant(entry.get("updated_at")),
            "file": answer.file,
        }
        for answer in only(answers, "coin_categories")
        for entry in answer.content
    ]
    return best(((row["category_id"], row["snapshot_at"]), (row["updated_at"] is not None,), row) for row in rows)


def fear_greed(answers) -> list[dict]:
    rows = [
        {
            "date": from_ms(int(entry["timestamp"]) * 1000).date(),
            "value": int(entry["value"]),
            "classification": entry["value_classification"],
            "fetched_at": answer.moment,
            "file": answer.file,
        }
        for answer in only(answers, "fear_greed")
        for entry in answer.content["data"]
    ]
    return best(((row["date"],), settled(row, midnight(row["date"]), days=2), row) for row in rows)


def fx_rates(answers) -> list[dict]:
    rows = []
    for answer in only(answers, "fx_rates"):
        body = answer.content
        days = {body["date"]: body["rates"]} if "date" in body else body["rates"]
        rows += [
            {
                "date": date.fromisoformat(day),
                "base_currency": body["base"].lower(),
                "currency": code.lower(),
                "rate": rate / (body.get("amount") or 1.0),
                "fetched_at": answer.moment,
                "file": answer.file,
            }
            for day, rates in days.items()
            for code, rate in rates.items()
        ]
    return best(
        ((row["date"], row["base_currency"], row["currency"]), settled(row, midnight(row["date"]), days=2), row)
        for row in rows
    )


# Wind and weather code were renamed in 2023.
WEATHER = {
    "temperature_2m_max": ("°C", "temperature_2m_max"),
    "temperature_2m_min": ("°C", "temperature_2m_min"),
    "precipitation_sum": ("mm", "precipitation_sum"),
    "wind_speed_10m_max": ("km/h", "wind_speed_10m_max", "windspeed_10m_max"),
    "weather_code": ("wmo code", "weather_code", "weathercode"),
}


def weather_days(body: dict) -> tuple[list[dict], tuple[str, ...]]:
    """The days of a body that have a value, and the rules that it breaks."""
    days = []
    for place, text in enumerate(body["daily"].get("time", [])):
        day: dict[str, Any] = {"time": text}
        for name, (_, *spellings) in WEATHER.items():
            values = (body["daily"][spelling][place] for spelling in spellings if spelling in body["daily"])
            day[name] = next((float(value) for value in values if value is not None), None)
        if any(value is not None for name, value in day.items() if name != "time"):
            days.append(day)
    units = body.get("daily_units") or {}
    is_foreign = any(
        units.get(spelling, unit) != unit
        for name, (unit, *spellings) in WEATHER.items()
        if name != "weather_code"
        for spelling in spellings
    )
    broken = {"units_unknown": is_foreign, "values_missing": not days}
    return days, tuple(name for name, is_broken in broken.items() if is_broken)


def weather_daily(answers) -> list[dict]:
    rows = []
    for answer in only(answers, "weather_daily"):
        days, broken = weather_days(answer.content)
        for day in () if broken else days:
            code = day["weather_code"]
            rows.append(
                {
                    "latitude": float(answer.content["latitude"]),
                    "longitude": float(answer.content["longitude"]),
                    "date": date.fromisoformat(day["time"]),
                    "timezone": answer.content.get("timezone"),
                    **{name: day[name] for name in WEATHER},
                    "weather_code": None if code is None else int(code),
                    "fetched_at": answer.moment,
                    "file": answer.file,
                }
            )
    return best(
        (
            (row["latitude"], row["longitude"], row["date"]),
            settled(row, midnight(row["date"]), days=10),
            row,
        )
        for row in rows
    )


def rejected(answers, codes) -> list[Reject]:
    """All records that must be quarantined; the text of a body that is no JSON is its record."""
    whole = [answer for answer in answers if isinstance(answer.content, str)]
    table_of = {"coins_markets": "coin_snapshots", "global": "market_totals", "fear_greed": "fear_greed"}
    rejects = [Reject(table_of[answer.endpoint], answer, ("not_json",), answer.content) for answer in whole]
    data = [answer for answer in answers if not isinstance(answer.content, str)]
    for answer, _, coin, _, broken in judged_coins(data, codes):
        if broken:
            rejects.append(Reject("coin_snapshots", answer, broken, coin))
    for answer, row, stamp, _, broken in judged_points(data, codes):
        if broken:
            measures = {name: row[name] for name in ("price", "market_cap", "total_volume")}
            record = {"time": int(stamp)} | {name: value for name, value in measures.items() if value is not None}
            rejects.append(Reject("coin_prices", answer, broken, record))
    for answer in only(data, "weather_daily"):
        days, broken = weather_days(answer.content)
        if broken:
            records = [{name: value for name, value in day.items() if value is not None} for day in days]
            rejects += [Reject("weather_daily", answer, broken, record) for record in records or [answer.content]]
    return rejects


def repeated(rejects: Iterable[Reject], text) -> Counter:
    """How often each rejected record stands in its file; `text` makes a record comparable."""
    return Counter(
        (table, answer.endpoint, answer.file, answer.run, answer.moment, reasons, text(record))
        for table, answer, reasons, record in rejects
    )
