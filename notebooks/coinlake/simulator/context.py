"""The three context APIs over the same simulated world: mood, money and weather.

alternative.me's Fear & Greed Index follows the simulated bitcoin; Frankfurter publishes the fixings of the
same currencies in which the exchange quotes; Open-Meteo's weather has seasons and moods of its own.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from coinlake.simulator import chance
from coinlake.simulator.coingecko import Refused
from coinlake.simulator.market import Market
from coinlake.simulator.rates import Rates
from coinlake.simulator.walks import DAY, HOUR, ZERO_SECONDS, date_of, day_number

MOODS = ((25, "Extreme Fear"), (46, "Fear"), (54, "Neutral"), (75, "Greed"), (100, "Extreme Greed"))
FIRST_MOOD = date(2018, 2, 1)
# Days on which the real index was not published; the simulation adds a few of its own.
NO_MOOD = {date(2018, 4, 14), date(2018, 4, 15), date(2018, 4, 16), date(2024, 10, 26)}
DATE_FORMATS = {"us": "%m-%d-%Y", "cn": "%Y-%m-%d", "kr": "%Y-%m-%d", "world": "%d-%m-%Y"}

FIRST_FIXING = date(2005, 1, 3)
DAYS_OF_PATH = re.compile(r"/(?:(latest|\d{4}-\d\d-\d\d)|(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)?)")
FIXED_AT, PUBLISHED_AT = 14 * HOUR, 15 * HOUR
ECB = {
    "AUD": "Australian Dollar", "BRL": "Brazilian Real", "CAD": "Canadian Dollar", "CHF": "Swiss Franc",
    "CNY": "Chinese Renminbi Yuan", "CZK": "Czech Koruna", "DKK": "Danish Krone", "EUR": "Euro",
    "GBP": "British Pound", "HKD": "Hong Kong Dollar", "HUF": "Hungarian Forint", "IDR": "Indonesian Rupiah",
    "ILS": "Israeli New Shekel", "INR": "Indian Rupee", "ISK": "Icelandic Króna", "JPY": "Japanese Yen",
    "KRW": "South Korean Won", "MXN": "Mexican Peso", "MYR": "Malaysian Ringgit", "NOK": "Norwegian Krone",
    "NZD": "New Zealand Dollar", "PHP": "Philippine Peso", "PLN": "Polish Złoty", "RON": "Romanian Leu",
    "SEK": "Swedish Krona", "SGD": "Singapore Dollar", "THB": "Thai Baht", "TRY": "Turkish Lira",
    "USD": "United States Dollar", "ZAR": "South African Rand",
}  # fmt: skip

DAILY_UNITS = {
    "temperature_2m_max": "°C", "temperature_2m_min": "°C", "precipitation_sum": "mm",
    "wind_speed_10m_max": "km/h", "weather_code": "wmo code",
}  # fmt: skip
# The names that these variables once had are still understood.
OLD_NAMES = {"weathercode": "weather_code", "windspeed_10m_max": "wind_speed_10m_max"}
FORECAST_PAST, FORECAST_AHEAD = 92, 16
ARCHIVE_DELAY = 5
FIRST_WEATHER = date(1940, 1, 1)


def _tabbed(answer: object) -> bytes:
    return json.dumps(answer, indent="\t", ensure_ascii=False).encode()


def _compact(answer: object) -> bytes:
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


class FearAndGreed:
    """https://api.alternative.me/fng/"""

    def __init__(self, market: Market):
        self.market = market
        self._values = lru_cache(4)(self._values_until)

    def answer(self, path: str, query: Mapping[str, str], at: datetime) -> bytes:
        """The newest `limit` values (1 by default, 0: all), all as text, newest first."""
        if path.rstrip("/") != "/fng":
            raise Refused(404, {"error": "not found"})
        limit = query.get("limit", "1")
        if not limit.isdecimal():
            return _tabbed(self._frame([], "limit must be a number"))
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        today = midnight.date()
        # A new value appears a few minutes after midnight.
        lot = float(
            chance.uniforms(chance.stream(self.market.seed, "mood ready"), np.array([day_number(today)]))[0]
        )
        newest = today if (at - midnight).total_seconds() >= 240 + 2_000 * lot else today - timedelta(days=1)
        days = self._values(newest)
        rows = days[: int(limit) or None]
        entries = []
        for day, value in rows:
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
            pattern = DATE_FORMATS.get(query.get("date_format", ""))
            entries.append({
                "value": str(value),
                "value_classification": next(name for most, name in MOODS if value <= most),
                "timestamp": moment.strftime(pattern) if pattern else str(int(moment.timestamp())),
            })  # fmt: skip
        if entries and days[0][0] == newest:
            left = midnight + timedelta(days=1) - at
            entries[0]["time_until_update"] = str(int(left.total_seconds()))
        return _tabbed(self._frame(entries, None))

    def _frame(self, entries, error):
        return {"name": "Fear and Greed Index", "data": entries, "metadata": {"error": error}}

    def _values_until(self, newest: date) -> list[tuple[date, int]]:
        """(day, value) from the newest to the first: rising prices are greed, rough days are fear."""
        first, count = day_number(FIRST_MOOD), (newest - FIRST_MOOD).days + 1
        if count < 1:
            return []
        hours = ZERO_SECONDS + ((first - 90) * 24 + np.arange((count + 90) * 24)) * HOUR
        price = self.market.smooth_prices(0, hours)[::24]
        now, month, quarter = price[90:], price[60:-30], price[:-90]
        days = first + np.arange(count)
        rough = self.market.clock.variance[days] - 1
        own = 7 * chance.waves(chance.stream(self.market.seed, "mood"), days, 5)
        value = 47 + 95 * (now / month - 1) + 28 * (now / quarter - 1) - 3 * rough + own
        value = np.rint(np.clip(value, 5, 95)).astype(int)
        gap = chance.uniforms(chance.stream(self.market.seed, "mood gap"), days) < 1 / 180
        listed = [
            (date_of(day), int(mood))
            for day, mood, missing in zip(days, value, gap, strict=True)
            if not missing and date_of(day) not in NO_MOOD
        ]
        return listed[::-1]


class Frankfurter:
    """https://api.frankfurter.dev/v1"""

    def __init__(self, rates: Rates):
        self.rates = rates
        self._fixing = lru_cache(8192)(self._fixing_of)

    def answer(self, path: str, query: Mapping[str, str], at: datetime) -> bytes:
        """/v1/latest, /v1/DATE, /v1/A..B, /v1/A.. and /v1/currencies."""
        path = path.rstrip("/").removeprefix("/v1")
        if path == "/currencies":
            return _compact(dict(sorted(ECB.items())))
        newest = self._newest(at)
        days_of_path = DAYS_OF_PATH.fullmatch(path)
        if days_of_path is None:
            raise Refused(404, {"message": "not found"})
        base, symbols, amount = self._asked(query)
        frame: dict = {"amount": amount, "base": base}
        single, first, last = days_of_path.groups()
        if single:
            day = min(_date(single) if single != "latest" else newest, newest)
            if day < FIRST_FIXING:
                raise Refused(404, {"message": "not found"})
            while not _is_fixing_day(day):
                day -= timedelta(days=1)
            return _compact({**frame, "date": day.isoformat(), "rates": self._rates(day, base, symbols, amount)})
        start, end = max(_date(first), FIRST_FIXING), min(_date(last) if last else newest, newest)
        days = [start + timedelta(days=number) for number in range(max((end - start).days + 1, 0))]
        days = [day for day in days if _is_fixing_day(day)]
        if not days:
            raise Refused(404, {"message": "not found"})
        frame |= {"start_date": days[0].isoformat(), "end_date": days[-1].isoformat()}
        rates = {day.isoformat(): self._rates(day, base, symbols, amount) for day in days}
        return _compact({**frame, "rates": rates})

    def _asked(self, query) -> tuple[str, list[str], float]:
        base = (query.get("base") or query.get("from") or "EUR").upper()
        text = query.get("symbols") or query.get("to") or ""
        symbols = sorted({code.strip().upper() for code in text.split(",") if code.strip()} or set(ECB) - {base})
        try:
            amount = float(query.get("amount", "1"))
        except ValueError:
            amount = 0.0
        if not amount > 0:
            raise Refused(422, {"message": "invalid amount"})
        if base not in ECB or not set(symbols) & set(ECB):
            raise Refused(404, {"message": "not found"})
        if symbols == [base]:
            raise Refused(422, {"message": "bad currency pair"})
        return base, [code for code in symbols if code in ECB and code != base], amount

    def _newest(self, at: datetime) -> date:
        """The last day whose rates are out: they are published about 16:00 in Frankfurt."""
        day = at.astimezone(UTC).date()
        if at.astimezone(UTC).hour * HOUR < PUBLISHED_AT:
            day -= timedelta(days=1)
        while not _is_fixing_day(day):
            day -= timedelta(days=1)
        return day

    def _fixing_of(self, day: date, code: str) -> float:
        """Units for one euro, as the European Central Bank rounds them."""
        moment = np.array([ZERO_SECONDS + day_number(day) * DAY + FIXED_AT])
        value = float(self.rates.per_usd(code.lower(), moment)[0] / self.rates.per_usd("eur", moment)[0])
        return round(value, 2 if value >= 100 else 3 if value >= 20 else 4 if value >= 1 else 5)

    def _rates(self, day: date, base: str, symbols: list[str], amount: float) -> dict[str, int | float]:
        if base == "EUR" and amount == 1:
            return {code: self._fixing(day, code) for code in symbols}
        per_base = 1.0 if base == "EUR" else self._fixing(day, base)
        return {
            code: _rounded((1.0 if code == "EUR" else self._fixing(day, code)) / per_base * amount)
            for code in symbols
        }


def _rounded(value: float) -> int | float:
    """Frankfurter's rounding of a computed rate."""
    if value > 5000:
        return round(value)
    return round(value, 2 if value > 80 else 3 if value > 20 else 4 if value > 1 else 5)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(422, {"message": "invalid date"}) from None


@lru_cache(256)
def _holidays(year: int) -> frozenset[date]:
    """The holidays of the TARGET system. Easter by the anonymous Gregorian computus (Nature, 1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    (d, e), g = divmod(b, 4), (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    easter = date(year, month, day + 1)
    moving = (easter - timedelta(days=2), easter + timedelta(days=1))
    return frozenset({date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26), *moving})


def _is_fixing_day(day: date) -> bool:
    return day.weekday() < 5 and day not in _holidays(day.year)


class OpenMeteo:
    """https://api.open-meteo.com/v1/forecast and https://archive-api.open-meteo.com/v1/archive"""

    def __init__(self, seed: int):
        self.seed = seed

    def answer(self, path: str, query: Mapping[str, str], at: datetime) -> bytes:
        """Daily values for one place, or a list of answers for several."""
        if path not in ("/v1/forecast", "/v1/archive"):
            raise Refused(404, {"error": True, "reason": "Not Found"})
        latitudes, longitudes = (_coordinates(query, name) for name in ("latitude", "longitude"))
        if len(latitudes) != len(longitudes):
            raise _bad("Parameter 'latitude' and 'longitude' must have the same number of elements")
        archive = path == "/v1/archive"
        places = [self._place(a, b, query, at, archive) for a, b in zip(latitudes, longitudes, strict=True)]
        return _compact(places[0] if len(places) == 1 else places)

    def _place(self, latitude, longitude, query, at, archive) -> dict:
        if not -90 <= latitude <= 90:
            raise _bad(f"Latitude must be in range of -90 to 90°. Given: {latitude}.")
        if not -180 <= longitude <= 180:
            raise _bad(f"Longitude must be in range of -180 to 180°. Given: {longitude}.")
        name = query.get("timezone") or "GMT"
        try:
            zone = ZoneInfo("UTC" if name in ("GMT", "auto") else name)
        except (ZoneInfoNotFoundError, ValueError):
            raise _bad("Invalid timezone") from None
        local = at.astimezone(zone)
        variables = _variables(query)
        days = self._days(query, local.date(), archive)
        # Answers are for the middle of a grid cell.
        latitude, longitude = round(latitude / 0.125) * 0.125, round(longitude / 0.125) * 0.125
        spot = chance.stream(self.seed, "place", latitude, longitude)
        lot = float(chance.uniforms(spot, np.array([int(at.timestamp()) // HOUR]))[0])
        answer = {
            "latitude": latitude, "longitude": longitude, "generationtime_ms": 0.02 + lot / 2,
            "utc_offset_seconds": int(local.utcoffset().total_seconds()),
            "timezone": name if name != "auto" else "GMT",
            "timezone_abbreviation": "GMT" if name in ("GMT", "auto", "UTC") else local.tzname(),
            "elevation": float(int(spot) % 700),
        }  # fmt: skip
        if variables:
            answer["daily_units"] = {"time": "iso8601"} | {v: DAILY_UNITS[OLD_NAMES.get(v, v)] for v in variables}
            answer["daily"] = {"time": [day.isoformat() for day in days]}
            answer["daily"] |= self._weather(spot, latitude, days, variables, local.date(), archive)
        return answer

    def _days(self, query, today: date, archive: bool) -> list[date]:
        first = FIRST_WEATHER if archive else today - timedelta(days=FORECAST_PAST)
        last = today if archive else today + timedelta(days=FORECAST_AHEAD - 1)
        if bool(query.get("start_date")) != bool(query.get("end_date")):
            raise _bad("Parameter 'start_date' and 'end_date' must both be set")
        if query.get("start_date"):
            start, end = (_weather_date(query[name], name) for name in ("start_date", "end_date"))
        elif archive:
            raise _bad("Parameter 'start_date' and 'end_date' must be set")
        else:
            past, ahead = (
                int(query.get(name, default)) for name, default in (("past_days", 0), ("forecast_days", 7))
            )
            start, end = today - timedelta(days=past), today + timedelta(days=ahead - 1)
        if end < start:
            raise _bad("End-date must be larger or equals than start-date")
        for name, day, outside in (("start_date", start, start > last), ("end_date", end, end > last)):
            if outside or day < FIRST_WEATHER:
                raise _bad(f"Parameter '{name}' is out of allowed range from {first} to {last}")
        return [start + timedelta(days=number) for number in range((end - start).days + 1)]

    def _weather(self, spot, latitude, days, variables, today: date, archive: bool) -> dict[str, list]:
        """Values, null where this service has none: old days in the forecast, the newest in the archive."""
        number = np.array([day_number(day) for day in days])
        known = [
            day <= today - timedelta(days=ARCHIVE_DELAY)
            if archive
            else day >= today - timedelta(days=FORECAST_PAST)
            for day in days
        ]
        season = _season(number) * (1 if latitude >= 0 else -1)
        extremeness = min(abs(latitude), 75.0) / 90

        def noise(what, spacing):
            return chance.waves(chance.bits(spot, np.array([what])), number, spacing)

        front = noise(1, 4.0)
        mean = 29 - 36 * extremeness * extremeness * 1.6 - 19 * extremeness * season + 3.2 * front
        swing = 5.2 + 1.6 * noise(2, 3.0) - 2.2 * season
        wet = -0.9 * front + 0.9 * noise(3, 1.6)
        rain = np.maximum(wet - 0.35, 0) * 7.5
        wind = np.maximum(9.5 + 5.5 * np.abs(noise(4, 2.0)) + 3 * np.maximum(wet, 0), 2)
        code = np.select(
            [(rain > 12), (rain > 0.1) & (mean < 0.5), rain > 5, rain > 0.1, wet > 0, wet > -0.6],
            [95, 73, 63, 61, 3, 2], 0,
        )  # fmt: skip
        columns = {
            "temperature_2m_max": np.round(mean + np.maximum(swing, 1), 1),
            "temperature_2m_min": np.round(mean - np.maximum(swing, 1), 1),
            "precipitation_sum": np.round(np.where(rain > 0.1, rain, 0.0), 2),
            "wind_speed_10m_max": np.round(wind, 1), "weather_code": code,
        }  # fmt: skip
        return {
            variable: [
                value if there else None
                for value, there in zip(
                    (columns[OLD_NAMES.get(variable, variable)] + 0).tolist(), known, strict=True
                )
            ]
            for variable in variables
        }


def _season(number: np.ndarray) -> np.ndarray:
    """1 in the middle of January, -1 in the middle of July: a triangle with its corners smoothed."""
    phase = ((number - 15) % 365.25) / 365.25 * 4
    straight = 1 - np.abs((phase + 2) % 4 - 2)
    smooth = straight * (1.5 - 0.5 * straight * straight)
    return smooth


def _bad(reason: str) -> Refused:
    return Refused(400, {"error": True, "reason": reason})


def _coordinates(query: Mapping[str, str], name: str) -> list[float]:
    try:
        return [float(part) for part in query[name].split(",")]
    except KeyError:
        raise _bad(f"Parameter '{name}' and must have the same number of elements") from None
    except ValueError:
        raise _bad(f"Invalid value for parameter '{name}'") from None


def _variables(query: Mapping[str, str]) -> list[str]:
    variables = [name for name in (query.get("daily") or "").split(",") if name]
    for name in variables:
        if OLD_NAMES.get(name, name) not in DAILY_UNITS:
            raise _bad(
                "Data corrupted at path ''. Cannot initialize WeatherVariable from invalid String value "
                f"{name} for key daily"
            )
    return variables


def _weather_date(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad(f"Invalid date format for parameter '{name}'. Make sure to use 'YYYY-MM-DD'") from None
