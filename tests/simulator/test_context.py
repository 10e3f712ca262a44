"""Mood, money and weather: three services over the same simulated world."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, Exchange

AGENT = {"User-Agent": "coinlake-tests/1.0"}
MOOD = "https://api.alternative.me/fng/"
MONEY = "https://api.frankfurter.dev/v1"
FORECAST = "https://api.open-meteo.com/v1/forecast"
ARCHIVE = "https://archive-api.open-meteo.com/v1/archive"
ZURICH = "?latitude=47.37&longitude=8.54"


@pytest.fixture(scope="module")
def exchange():
    return Exchange(DEFAULT_SEED, coins=60)


@pytest.fixture(scope="module")
def get(exchange):
    def get(url, at=DEFAULT_AS_OF, status=200):
        answer = exchange.answer("GET", url, AGENT, at)
        assert answer.status == status, answer.body
        return json.loads(answer.body)

    return get


def test_mood_of_today_is_text_indented_with_tabs(exchange):
    body = exchange.answer("GET", MOOD, AGENT, DEFAULT_AS_OF).body.decode()
    assert body.startswith('{\n\t"name": "Fear and Greed Index",\n\t"data": [\n\t\t{\n\t\t\t"value": "')
    [entry] = json.loads(body)["data"]
    assert entry["timestamp"] == "1786492800"
    assert entry["time_until_update"] == str((24 - 14) * 3600 - 22 * 60)


def test_mood_of_all_days_has_gaps_bands_and_no_day_twice(get):
    data = get(MOOD + "?limit=0")["data"]
    stamps = [int(entry["timestamp"]) for entry in data]
    assert stamps == sorted(set(stamps), reverse=True)
    assert stamps[-1] == 1517443200
    days = {datetime.fromtimestamp(stamp, UTC).date() for stamp in stamps}
    assert date(2024, 10, 26) not in days
    missing = (DEFAULT_AS_OF.date() - date(2018, 2, 1)).days + 1 - len(days)
    assert 5 < missing < 60
    assert "time_until_update" not in data[1]
    values = {entry["value_classification"]: [] for entry in data}
    for entry in data:
        values[entry["value_classification"]].append(int(entry["value"]))
    assert sorted(values, key=lambda name: min(values[name])) == [
        "Extreme Fear",
        "Fear",
        "Neutral",
        "Greed",
        "Extreme Greed",
    ]
    assert max(values["Extreme Fear"]) <= 25 < min(values["Fear"])


def test_mood_is_not_restated_and_changes_after_midnight(get):
    early = get(MOOD + "?limit=30")["data"]
    late = get(MOOD + "?limit=40", DEFAULT_AS_OF + timedelta(days=5))["data"]
    known = {entry["timestamp"]: entry["value"] for entry in late}
    assert all(known[entry["timestamp"]] == entry["value"] for entry in early if entry["timestamp"] in known)
    midnight = datetime(2026, 8, 13, tzinfo=UTC)
    assert get(MOOD, midnight + timedelta(minutes=2))["data"][0]["timestamp"] == "1786492800"
    assert get(MOOD, midnight + timedelta(minutes=45))["data"][0]["timestamp"] == "1786579200"


def test_money_of_a_sunday_is_that_of_friday(get):
    sunday = get(MONEY + "/2026-08-09?symbols=USD")
    assert sunday == {"amount": 1.0, "base": "EUR", "date": "2026-08-07", "rates": sunday["rates"]}
    assert sunday["rates"] == get(MONEY + "/2026-08-07?symbols=USD")["rates"]
    assert get(MONEY + "/2030-01-01")["date"] == get(MONEY + "/latest")["date"] == "2026-08-11"


def test_money_of_today_is_out_in_the_afternoon(get):
    assert get(MONEY + "/latest", DEFAULT_AS_OF + timedelta(hours=1))["date"] == "2026-08-12"


def test_money_of_a_range_leaves_out_weekends_and_holidays(get):
    answer = get(MONEY + "/2026-04-02..2026-04-08?base=USD&symbols=CHF,EUR")
    assert list(answer["rates"]) == ["2026-04-02", "2026-04-07", "2026-04-08"]
    assert answer["start_date"] == "2026-04-02"
    assert list(answer["rates"]["2026-04-02"]) == ["CHF", "EUR"]
    assert get(MONEY + "/2026-08-08..")["start_date"] == "2026-08-10"


def test_money_agrees_with_the_exchange(get):
    prices = get("https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd,chf&precision=full")
    rate = get(MONEY + "/latest?base=USD&symbols=CHF")["rates"]["CHF"]
    assert prices["bitcoin"]["chf"] / prices["bitcoin"]["usd"] == pytest.approx(rate, rel=0.02)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/latest?base=USD&symbols=USD", 422, "bad currency pair"),
        ("/latest?amount=none", 422, "invalid amount"),
        ("/latest?symbols=ZZZ", 404, "not found"),
        ("/2026-13-40", 422, "invalid date"),
        ("/1990-01-01", 404, "not found"),
        ("/nothing", 404, "not found"),
    ],
)
def test_money_refuses(get, path, status, message):
    assert get(MONEY + path, status=status) == {"message": message}


def test_money_names_its_currencies(get):
    currencies = get(MONEY + "/currencies")
    assert len(currencies) == 30
    assert set(get(MONEY + "/latest")["rates"]) == set(currencies) - {"EUR"}


def test_weather_is_warm_in_summer_and_turned_round_in_the_south(get):
    daily = "&daily=temperature_2m_max,temperature_2m_min&start_date={}&end_date={}"

    def mean(place, start, end):
        answer = get(ARCHIVE + place + daily.format(start, end))
        values = answer["daily"]["temperature_2m_max"]
        assert all(low < high for low, high in zip(answer["daily"]["temperature_2m_min"], values, strict=True))
        return sum(values) / len(values)

    july, january = ("2025-07-01", "2025-07-31"), ("2026-01-01", "2026-01-31")
    assert mean(ZURICH, *july) > 18 > 9 > mean(ZURICH, *january)
    assert mean("?latitude=-33.9&longitude=151.2", *january) > mean("?latitude=-33.9&longitude=151.2", *july)


def test_weather_has_parallel_columns_with_nulls_out_of_range(get):
    names = "temperature_2m_max,precipitation_sum,wind_speed_10m_max,weather_code"
    answer = get(f"{ARCHIVE}{ZURICH}&daily={names}&start_date=2026-08-01&end_date=2026-08-11")
    assert list(answer["daily"]) == ["time", *names.split(",")]
    assert answer["daily_units"]["precipitation_sum"] == "mm"
    assert answer["daily"]["temperature_2m_max"][7:] == [None] * 4
    assert None not in answer["daily"]["weather_code"][:7]
    forecast = get(f"{FORECAST}{ZURICH}&daily={names}&start_date=2026-08-01&end_date=2026-08-11")
    assert forecast["daily"]["temperature_2m_max"][:7] == answer["daily"]["temperature_2m_max"][:7]
    old = get(f"{FORECAST}{ZURICH}&daily=weathercode&start_date=2022-12-29&end_date=2022-12-30")
    assert old["daily"] == {"time": ["2022-12-29", "2022-12-30"], "weathercode": [None, None]}


def test_weather_of_two_places_and_in_local_time(get):
    both = get(FORECAST + "?latitude=47.37,46.2&longitude=8.54,6.15&daily=weather_code&timezone=Europe/Zurich")
    assert [place["utc_offset_seconds"] for place in both] == [7200, 7200]
    assert both[0]["latitude"] == 47.375
    assert len(both[0]["daily"]["time"]) == 7


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?latitude=99&longitude=8", "Latitude must be in range"),
        ("?longitude=8", "latitude"),
        (ZURICH + "&daily=sunshine", "Cannot initialize WeatherVariable from invalid String value sunshine"),
        (ZURICH + "&daily=weather_code&start_date=2027-01-01&end_date=2027-01-02", "out of allowed range"),
        (ZURICH + "&daily=weather_code&timezone=Mars/Base", "Invalid timezone"),
    ],
)
def test_weather_refuses(get, query, reason):
    answer = get(FORECAST + query, status=400)
    assert answer["error"] is True
    assert reason in answer["reason"]
