"""The simulated answers against the official API description, and field by field against recorded bodies.

The recordings are other people's: they are read where they are, nothing of them is kept here. What is
compared is form: fields and their order, types, how often a field is null, and how numbers are written.
"""

import contextlib
import json
import math
import re
from collections import defaultdict
from datetime import timedelta

import jsonschema
import pytest

from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, ConnectionDropped, Exchange
from tests.support import recordings

pytestmark = recordings.needed

ROOT = "https://api.coingecko.com/api/v3"
AGENT = {"User-Agent": "coinlake-tests/1.0"}
WINDOWS = "&price_change_percentage=24h,7d,30d&sparkline=true"
PAGE = "/coins/markets?vs_currency=usd&per_page=100&page={}" + WINDOWS
OFFICIAL = {
    "/ping": "/ping",
    PAGE.format(1): "/coins/markets",
    "/coins/markets?vs_currency=eth&per_page=250&page=3&price_change_percentage=1h,24h,7d,14d,30d,200d,1y"
    "&include_rehypothecated=true": "/coins/markets",
    "/coins/bitcoin?sparkline=false": "/coins/{id}",
    "/coins/northwind-treasury-fund": "/coins/{id}",
    "/coins/helionet": "/coins/{id}",
    "/coins/bitcoin/market_chart?vs_currency=usd&days=1": "/coins/{id}/market_chart",
    "/coins/aurelion/market_chart?vs_currency=eur&days=90": "/coins/{id}/market_chart",
    "/coins/pulsegrid/market_chart?vs_currency=usd&days=365": "/coins/{id}/market_chart",
    "/coins/solana/market_chart/range?vs_currency=chf&from=1780000000&to=1780900000": (
        "/coins/{id}/market_chart/range"
    ),
    "/coins/bitcoin/ohlc?vs_currency=usd&days=30": "/coins/{id}/ohlc",
    "/coins/list?include_platform=true": "/coins/list",
    "/global": "/global",
    "/simple/price?ids=bitcoin,tether&vs_currencies=usd,eth&include_market_cap=true&include_24hr_vol=true"
    "&include_24hr_change=true&include_last_updated_at=true": "/simple/price",
    "/simple/supported_vs_currencies": "/simple/supported_vs_currencies",
    "/exchange_rates": "/exchange_rates",
}


@pytest.fixture(scope="module")
def exchange():
    return Exchange(DEFAULT_SEED, coins=700)


@pytest.fixture(scope="module")
def ask(exchange):
    def ask(path, status=200, root=ROOT, at=DEFAULT_AS_OF, headers=AGENT):
        answer = exchange.answer("GET", root + path, headers, at)
        assert answer.status == status, answer.body[:300]
        return answer.body

    return ask


class Number:
    """A number with the text in which it was written."""

    def __init__(self, kind, text):
        self.kind, self.text, self.value = kind, text, float(text)

    @property
    def size(self):
        """Sign and power of ten."""
        return (self.value < 0, math.floor(math.log10(abs(self.value)))) if self.value else (False, None)

    @property
    def decimals(self):
        """Decimals as written out, whether or not by an exponent."""
        digits, _, power = self.text.lower().partition("e")
        fraction = digits.partition(".")[2].rstrip("0")
        return max(len(fraction) - int(power or 0), 0)


def parsed(text):
    return json.loads(text, parse_float=lambda t: Number("float", t), parse_int=lambda t: Number("int", t))


def kind_of(value):
    return value.kind if isinstance(value, Number) else type(value).__name__


def read(path):
    return parsed(path.read_text(encoding="utf-8"))


def recorded_pages():
    """Pages of the form in use today: 100 rows with sparkline and three windows."""
    pages = [read(path) for path in recordings.files("markets")]
    return [page for page in pages if len(page) >= 90 and "sparkline_in_7d" in page[0] and len(page[0]) == 30]


@pytest.fixture(scope="module")
def simulated_rows(ask):
    moments = [DEFAULT_AS_OF + timedelta(hours=hours) for hours in (0, 20, 45)]
    return [row for at in moments for number in (1, 2, 3) for row in parsed(ask(PAGE.format(number), at=at))]


@pytest.fixture(scope="module")
def recorded_rows():
    rows = [row for page in recorded_pages() for row in page]
    if not rows:
        pytest.skip("no recorded page of the form in use today among these recordings")
    return rows


def strict(schema):
    """OpenAPI 3.0's nullable as JSON Schema has it; nothing of the schema is left out."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {key: strict(value) for key, value in schema.items() if key not in ("nullable", "example")}
    if schema.get("nullable") and "type" in schema:
        converted["type"] = [schema["type"], "null"]
    return converted


@pytest.mark.parametrize(("path", "route"), OFFICIAL.items())
def test_an_answer_is_valid_by_the_official_description(ask, path, route):
    assert problems_of(json.loads(ask(path)), route) == []


def problems_of(answer, route):
    """Where an answer is not as the official description has it."""
    description = json.loads((recordings.RECORDINGS / "oas" / "demo-api.json").read_text(encoding="utf-8"))
    content = description["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**strict(content["schema"]), "components": strict(description["components"])}
    validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(answer)]


def test_every_documented_field_of_a_page_is_there_when_asked_for(ask):
    description = json.loads((recordings.RECORDINGS / "oas" / "demo-api.json").read_text(encoding="utf-8"))
    documented = description["components"]["schemas"]["CoinsMarkets"]["items"]["properties"]
    everything = "&include_rehypothecated=true&sparkline=true&price_change_percentage=1h,24h,7d,14d,30d,200d,1y"
    [row] = json.loads(ask("/coins/markets?vs_currency=usd&ids=bitcoin" + everything))
    assert set(row) == set(documented)


def test_the_fields_of_a_page_stand_in_the_recorded_order(simulated_rows, recorded_rows):
    assert {tuple(row) for row in simulated_rows} == {tuple(row) for row in recorded_rows}


def test_the_fields_of_a_page_have_recorded_types(simulated_rows):
    recorded = defaultdict(set)
    for path in recordings.files("markets"):
        for row in read(path):
            for name, value in row.items():
                recorded[name].add(kind_of(value))
    simulated = defaultdict(set)
    for row in simulated_rows:
        for name, value in row.items():
            simulated[name].add(kind_of(value))
    # Documented as nullable, and seen for coins that no recorded page holds.
    allowed = {"price_change_percentage_24h", "high_24h", "low_24h"} | {
        n for n in recorded if n.endswith("_in_currency")
    }
    wrong = {
        name: kinds - recorded[name] - ({"NoneType"} if name in allowed else set())
        for name, kinds in simulated.items()
    }
    assert {name: kinds for name, kinds in wrong.items() if kinds} == {}


def test_fields_are_null_about_as_often_as_recorded(simulated_rows):
    shares = defaultdict(list)
    for path in recordings.files("markets"):
        rows = read(path)
        if len(rows) < 50:
            continue
        for name in set().union(*rows):
            shares[name].append(sum(row.get(name) is None for row in rows) / len(rows))
    for name, recorded in shares.items():
        if name not in simulated_rows[0]:
            continue
        share = sum(row[name] is None for row in simulated_rows) / len(simulated_rows)
        assert min(recorded) - 0.12 <= share <= max(recorded) + 0.12, name


@pytest.mark.parametrize(
    "name",
    [
        "current_price", "market_cap", "fully_diluted_valuation", "total_volume", "high_24h", "low_24h",
        "price_change_24h", "price_change_percentage_24h", "market_cap_change_24h",
        "market_cap_change_percentage_24h", "max_supply", "ath", "ath_change_percentage", "atl",
        "atl_change_percentage", "price_change_percentage_24h_in_currency",
        "price_change_percentage_7d_in_currency", "price_change_percentage_30d_in_currency", "market_cap_rank",
    ],
)  # fmt: skip
def test_numbers_of_a_page_are_written_as_recorded(simulated_rows, recorded_rows, name):
    """For each sign and power of ten that both have: the same types, and as many decimals.

    One more or less where there are few values: a last digit may be zero in all of them.
    """
    recorded, simulated = (by_size([row[name] for row in rows]) for rows in (recorded_rows, simulated_rows))
    common = recorded.keys() & simulated.keys()
    assert sum(len(simulated[size]) for size in common) > 100
    for size in common:
        theirs, ours = recorded[size], simulated[size]
        assert {value.kind for value in ours} <= {value.kind for value in theirs}, size
        their_most, our_most = max(value.decimals for value in theirs), max(value.decimals for value in ours)
        assert our_most <= their_most + 1, size
        # What a coin's most is, its makers decide and not the exchange; changes that fall are not rounded.
        if name != "max_supply" and len(theirs) > 25 and len(ours) > 25 and their_most < 12:
            assert our_most >= their_most - 1, size


def by_size(values):
    sizes = defaultdict(list)
    for value in values:
        if isinstance(value, Number):
            sizes[value.size].append(value)
    return sizes


def test_sparklines_are_full_but_for_a_few(simulated_rows, recorded_rows):
    def full(rows):
        return sum(len(row["sparkline_in_7d"]["price"]) == 168 for row in rows) / len(rows)

    assert abs(full(simulated_rows) - full(recorded_rows)) < 0.06
    digits = [
        len(n.text.replace(".", "").lstrip("0")) for row in simulated_rows for n in row["sparkline_in_7d"]["price"]
    ]
    assert max(digits) > 16


def test_supplies_are_written_with_a_decimal_point(simulated_rows):
    for row in simulated_rows:
        for name in ("circulating_supply", "total_supply", "max_supply"):
            assert row[name] is None or row[name].kind == "float"


def test_whole_numbers_from_a_thousand_million_million_are_written_with_an_exponent(ask):
    body = ask("/coins/markets?vs_currency=usd&ids=grain-of-sand,pulsegrid")
    assert re.search(rb'"(total|circulating)_supply":\d\.\d+e\+1[78]', body)
    assert not re.search(rb"[:,]\d{16,}\.0[,}]", body)


def test_charts_have_the_recorded_form(ask):
    for days, spacing in ((1, 300), (30, 3600), (365, 86400)):
        chart = parsed(ask(f"/coins/ethereum/market_chart?vs_currency=usd&days={days}"))
        assert list(chart) == ["prices", "market_caps", "total_volumes"]
        recorded = [
            body
            for body in map(read, recordings.files("market_chart"))
            if isinstance(body, dict)
            and abs(_spacing(body) / spacing - 1) < 0.2
            and (days > 1 or len(body["prices"]) < 400)
        ]
        if not recorded:
            continue
        assert all(list(body) == list(chart) for body in recorded)
        assert {kind_of(point[0]) for point in chart["prices"]} == {"int"}
        kinds = {kind_of(point[1]) for body in recorded for name in body for point in body[name]}
        assert {kind_of(point[1]) for name in chart for point in chart[name]} <= kinds
        assert {len(point) for name in chart for point in chart[name]} == {2}
        assert float(_spacing(chart)) == pytest.approx(spacing, rel=0.05)
        # "Now" is a whole second.
        assert chart["prices"][-1][0].value % 1000 == 0


def _spacing(chart):
    stamps = [point[0].value for point in chart["prices"]]
    return (stamps[-2] - stamps[0]) / (len(stamps) - 2) / 1000


def test_candles_have_the_recorded_form(ask):
    candles = parsed(ask("/coins/bitcoin/ohlc?vs_currency=usd&days=7"))
    for path in recordings.files("ohlc", "*days_7*"):
        recorded = read(path)
        assert {len(row) for row in candles} == {len(row) for row in recorded}
        assert len(candles) == len(recorded)
        assert candles[1][0].value - candles[0][0].value == recorded[1][0].value - recorded[0][0].value
        assert {kind_of(v) for row in candles for v in row[1:]} <= {
            kind_of(v) for row in recorded for v in row[1:]
        }
        assert max(v.decimals for row in candles for v in row) <= 2


def test_global_has_the_recorded_fields_and_currencies(ask):
    simulated = parsed(ask("/global"))
    newest = (
        recordings.files("global")[-2] if len(recordings.files("global")) > 1 else recordings.files("global")[-1]
    )
    recorded = read(newest)
    assert list(simulated) == list(recorded)
    assert list(simulated["data"]) == list(recorded["data"])
    for name, value in recorded["data"].items():
        if not isinstance(value, dict):
            assert kind_of(simulated["data"][name]) == kind_of(value), name
        elif name != "market_cap_percentage":
            assert list(simulated["data"][name]) == list(value), name
            assert {kind_of(v) for v in simulated["data"][name].values()} == {"float"}
    assert len(simulated["data"]["market_cap_percentage"]) == len(recorded["data"]["market_cap_percentage"])


def test_simple_prices_and_the_list_have_the_recorded_form(ask):
    simulated = parsed(ask("/simple/price?ids=bitcoin,ethereum,shiba-inu&vs_currencies=usd,eth"))
    kinds = {
        kind_of(v) for path in recordings.files("simple_price") for c in read(path).values() for v in c.values()
    }
    assert {kind_of(value) for coin in simulated.values() for value in coin.values()} <= kinds
    entries = json.loads(ask("/coins/list"))
    for path in recordings.files("coins_list"):
        recorded = json.loads(path.read_text(encoding="utf-8"))
        assert list(entries[0]) == list(recorded[0])
        assert len({entry["symbol"] for entry in entries}) < len(entries)


def test_categories_have_the_documented_and_the_recorded_fields(ask):
    description = json.loads((recordings.RECORDINGS / "oas" / "demo-api.json").read_text(encoding="utf-8"))
    answer = description["paths"]["/coins/categories"]["get"]["responses"]["200"]["content"]["application/json"]
    simulated = parsed(ask("/coins/categories"))
    assert {tuple(category) for category in simulated} == {tuple(category) for category in answer["example"]}
    # The description knows no null; every second category that was recorded has some.
    whole = [category for category in json.loads(ask("/coins/categories")) if None not in category.values()]
    assert len(whole) >= 5
    assert problems_of(whole, "/coins/categories") == []
    for path in recordings.files("categories", "*.json"):
        assert {name for category in read(path) for name in category} <= set(simulated[0]), path


def test_exchange_rates_have_the_recorded_form(ask):
    simulated = parsed(ask("/exchange_rates"))["rates"]
    for path in recordings.files("exchange_rates"):
        for code, recorded in read(path)["rates"].items():
            rate = simulated[code]
            assert list(rate) == list(recorded)
            assert rate["type"] == recorded["type"]
            assert kind_of(rate["value"]) == kind_of(recorded["value"]), code
            assert rate["value"].decimals <= 3


def test_the_mood_has_the_recorded_bytes_but_for_its_values(ask):
    simulated = ask("/fng/", root="https://api.alternative.me").decode()
    for path in recordings.files("fng", "*fng_2026*"):
        recorded = path.read_text(encoding="utf-8")
        assert _without_values(simulated) == _without_values(recorded)


def _without_values(text):
    return re.sub(r'"(\d+|(Extreme )?(Fear|Greed)|Neutral)"', '"..."', text.strip())


def test_money_has_the_recorded_currencies_and_decimals(ask):
    simulated = parsed(ask("/v1/latest", root="https://api.frankfurter.dev"))
    for path in recordings.files("frankfurter"):
        recorded = read(path)
        assert list(simulated) == list(recorded)
        assert list(simulated["rates"]) == list(recorded["rates"])
        for code, rate in simulated["rates"].items():
            same_size = recorded["rates"][code].size == rate.size
            assert not same_size or rate.decimals <= max(recorded["rates"][code].decimals, 5)


def test_weather_has_the_recorded_form(ask):
    path = "/v1/forecast?latitude=48.9&longitude=2.3&daily=temperature_2m_max"
    simulated = parsed(ask(path, root="https://api.open-meteo.com"))
    for file in recordings.files("open_meteo", "*forecast*"):
        recorded = read(file)
        if not isinstance(recorded, dict) or set(recorded.get("daily", ())) != {"time", "temperature_2m_max"}:
            continue
        assert list(simulated) == list(recorded)
        assert simulated["daily_units"] == recorded["daily_units"]
        assert {name: kind_of(v) for name, v in simulated.items()} == {
            name: kind_of(v) for name, v in recorded.items()
        }
        assert {kind_of(v) for v in simulated["daily"]["temperature_2m_max"]} == {"float"}


def shape(value):
    """The keys of an error body, all the way down, and the types of what is in it."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return type(value).__name__


@pytest.mark.parametrize(
    ("pattern", "path", "status", "headers", "root"),
    [
        ("*10012*", "/coins/bitcoin/market_chart?vs_currency=usd&days=max", 401, AGENT, ROOT),
        ("*10005*", "/coins/list?status=inactive", 401, AGENT, ROOT),
        ("*10011*", "/ping", 400, {**AGENT, "x-cg-demo-api-key": "CG-x"}, "https://pro-api.coingecko.com/api/v3"),
        ("*invalid_vs_currency*", "/coins/markets?vs_currency=usdt", 400, AGENT, ROOT),
        ("*404_coin_not_found*", "/coins/nobody", 404, AGENT, ROOT),
        ("*403_missing_user_agent*", "/ping", 403, {}, ROOT),
    ],
)
def test_refusals_have_the_quoted_form(ask, pattern, path, status, headers, root):
    body = json.loads(ask(path, status=status, headers=headers, root=root))
    for file in recordings.files("errors_quoted", pattern):
        quoted = json.loads(file.read_text(encoding="utf-8"))
        assert shape(body) == shape(quoted)


@pytest.mark.parametrize("kind", ["rate limit", "month used up"])
def test_faults_have_the_recorded_form(kind):
    exchange = Exchange(DEFAULT_SEED, coins=60, faults="hostile")
    code = {"rate limit": 429, "month used up": 10006}[kind]
    for number in range(2000):
        fault = None
        with contextlib.suppress(ConnectionDropped):
            fault = exchange.faults.strike("GET", f"{ROOT}/ping?{number}", DEFAULT_AS_OF, 1)
        if fault is not None and fault.kind == kind:
            break
    body = json.loads(fault.body)
    assert body["status"]["error_code"] == code
    for file in recordings.files("errors", f"*_{code}_*"):
        assert shape(json.loads(file.read_text(encoding="utf-8"))) == shape(body)
