"""CoinGecko as the simulator speaks it: endpoints that agree, limits that hold, oddities that occur."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from coinlake.simulator import DEFAULT_AS_OF, DEFAULT_SEED, Exchange

ROOT = "https://api.coingecko.com/api/v3"
PRO = "https://pro-api.coingecko.com/api/v3"
AGENT = {"User-Agent": "coinlake-tests/1.0"}
PRO_KEY = {**AGENT, "x-cg-pro-api-key": "CG-pro-abc"}
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture(scope="module")
def exchange():
    return Exchange(DEFAULT_SEED, coins=400)


@pytest.fixture(scope="module")
def get(exchange):
    def get(path, at=DEFAULT_AS_OF, headers=AGENT, root=ROOT, status=200):
        answer = exchange.answer("GET", root + path, headers, at)
        assert answer.status == status, answer.body[:300]
        return json.loads(answer.body)

    return get


def page(get, at=DEFAULT_AS_OF, extra=""):
    rows = get(f"/coins/markets?vs_currency=usd&per_page=250&sparkline=true{extra}", at)
    return {row["id"]: row for row in rows}


def hour_of(text):
    return int(datetime.fromisoformat(text).timestamp()) // 3600


def test_the_same_question_at_the_same_moment_has_the_same_bytes():
    path = "/coins/markets?vs_currency=usd&per_page=50&sparkline=true"
    answers = [Exchange(DEFAULT_SEED, coins=120).answer("GET", ROOT + path, AGENT, DEFAULT_AS_OF) for _ in "ab"]
    assert answers[0] == answers[1]
    other = Exchange(7, coins=120).answer("GET", ROOT + path, AGENT, DEFAULT_AS_OF)
    assert other.body != answers[0].body


def test_what_was_asked_before_does_not_matter(exchange):
    path = "/coins/markets?vs_currency=eur&per_page=20&page=3"
    fresh = Exchange(DEFAULT_SEED, coins=400)
    fresh.answer("GET", ROOT + path, AGENT, DEFAULT_AS_OF + timedelta(days=90))
    fresh.answer("GET", ROOT + "/coins/solana/market_chart?vs_currency=usd&days=30", AGENT, DEFAULT_AS_OF)
    assert fresh.answer("GET", ROOT + path, AGENT, DEFAULT_AS_OF) == exchange.answer(
        "GET", ROOT + path, AGENT, DEFAULT_AS_OF
    )


def test_ping(get):
    assert get("/ping") == {"gecko_says": "(V3) To the Moon!"}


def test_pages_follow_one_another_and_end_with_an_empty_one(get):
    pages = [get(f"/coins/markets?vs_currency=usd&per_page=150&page={number}") for number in (1, 2, 3, 4)]
    assert [len(rows) for rows in pages[:2]] == [150, 150]
    assert pages[3] == []
    ids = [row["id"] for rows in pages for row in rows]
    assert len(ids) == len(set(ids)) == len(get("/coins/list"))
    caps = [row["market_cap"] for row in pages[0]]
    # Rows that missed a refresh stand a little out of order, as in reality.
    assert all(one * 1.02 > next_one for one, next_one in pairwise(caps))
    assert len(get("/coins/markets?vs_currency=usd")) == 100
    assert len(get("/coins/markets?vs_currency=usd&per_page=9999")) == 250


@pytest.mark.parametrize(
    ("order", "key", "falling"),
    [
        ("id_asc", "id", False),
        ("id_desc", "id", True),
        ("volume_desc", "total_volume", True),
    ],
)
def test_orders(get, order, key, falling):
    values = [row[key] for row in get(f"/coins/markets?vs_currency=usd&per_page=60&order={order}")]
    assert values == sorted(values, reverse=falling)


def test_the_smallest_first_and_the_unknown_last(get):
    rows = get("/coins/markets?vs_currency=usd&per_page=250&page=1&order=market_cap_asc")
    caps = [row["market_cap"] for row in rows]
    assert all(one < next_one * 1.02 for one, next_one in pairwise(caps))
    assert caps[0] > 0


def test_ids_names_and_symbols_choose_in_this_order(get):
    rows = get("/coins/markets?vs_currency=usd&ids=solana,%20bitcoin,nobody&symbols=eth")
    assert [row["id"] for row in rows] == ["bitcoin", "solana"]
    assert [row["id"] for row in get("/coins/markets?vs_currency=usd&names=Litecoin")] == ["litecoin"]
    assert [row["id"] for row in get("/coins/markets?vs_currency=usd&symbols=btc")] == ["bitcoin"]


def test_a_category_that_exists_and_one_that_does_not(get):
    stable = {row["id"] for row in get("/coins/markets?vs_currency=usd&category=stablecoins")}
    assert {"tether", "usd-coin"} <= stable
    assert "bitcoin" not in stable
    assert get("/coins/markets?vs_currency=usd&category=nonsense", status=404) == {"error": "category not found"}


@pytest.mark.parametrize("minutes", [0, 39])
def test_the_sparkline_ends_in_the_hour_of_the_answer_and_is_the_hourly_chart(get, minutes):
    chart = get("/coins/ethereum/market_chart?vs_currency=usd&days=8", DEFAULT_AS_OF + timedelta(hours=1))
    by_hour = {}
    for moment, price in chart["prices"][:-1]:
        by_hour.setdefault(moment // HOUR_MS, price)
    # 14:22 and 15:01, when the coin was last updated before the hour.
    moment = DEFAULT_AS_OF + timedelta(minutes=minutes)
    row = page(get, moment)["ethereum"]
    line, last = row["sparkline_in_7d"]["price"], int(moment.timestamp()) // 3600
    assert hour_of(row["last_updated"]) == last - (minutes > 0)
    assert len(line) == 168
    charted = [by_hour[last - 167 + place] for place in range(168)]
    assert line[:-4] == charted[:-4]
    assert line[-4:] == pytest.approx(charted[-4:], rel=3e-3)
    assert line[-4:] != charted[-4:]


@pytest.mark.parametrize("hours", [1, 19, 24])
def test_overlapping_sparklines_agree_but_for_the_newest_four(get, hours):
    early, late = page(get), page(get, DEFAULT_AS_OF + timedelta(hours=hours))
    compared = 0
    for identity in set(early) & set(late):
        first, second = (rows[identity]["sparkline_in_7d"]["price"] for rows in (early, late))
        shift = hour_of(late[identity]["last_updated"]) - hour_of(early[identity]["last_updated"])
        if len(first) == len(second) == 168 and shift == hours:
            assert first[hours:164] == second[: 164 - hours], identity
            compared += 1
    assert compared > 180


def test_daily_hourly_and_five_minute_charts_are_the_same_observations(get):
    daily = get("/coins/bitcoin/market_chart?vs_currency=usd&days=365")["prices"]
    hourly = get("/coins/bitcoin/market_chart?vs_currency=usd&days=90")["prices"]
    minutes = get("/coins/bitcoin/market_chart?vs_currency=usd&days=1")["prices"]
    hours = {}
    for moment, price in hourly[:-1]:
        hours.setdefault(moment // HOUR_MS, price)
    midnights = [(moment, price) for moment, price in daily[:-1] if moment // HOUR_MS in hours]
    assert len(midnights) == 90
    assert all(hours[moment // HOUR_MS] == price for moment, price in midnights)
    looks = dict(map(tuple, minutes[:-1]))
    last_day = [(moment, price) for moment, price in hourly[:-1] if moment in looks]
    assert len(last_day) >= 23
    assert all(looks[moment] == pytest.approx(price, rel=1e-12) for moment, price in last_day)


def test_the_point_of_now_is_the_current_price(get):
    row = get("/coins/markets?vs_currency=usd&ids=bitcoin&precision=full")[0]
    updated = int(datetime.fromisoformat(row["last_updated"]).timestamp()) * 1000
    for days in (1, 30, 365):
        chart = get(f"/coins/bitcoin/market_chart?vs_currency=usd&days={days}")
        assert chart["prices"][-1] == [updated, row["current_price"]]
        assert round(chart["market_caps"][-1][1]) == row["market_cap"]
        assert round(chart["total_volumes"][-1][1]) == row["total_volume"]
    simple = get("/simple/price?ids=bitcoin&vs_currencies=usd&precision=full&include_last_updated_at=true")
    assert simple == {"bitcoin": {"usd": row["current_price"], "last_updated_at": updated // 1000}}


def test_a_daily_chart_has_midnights_and_now(get):
    chart = get("/coins/ethereum/market_chart?vs_currency=usd&days=365")
    stamps = [moment for moment, _ in chart["prices"]]
    assert all(moment % DAY_MS == 0 for moment in stamps[:-1])
    assert stamps[-1] % DAY_MS != 0
    assert stamps[-1] % 1000 == 0
    assert len(stamps) == 366
    assert [[moment for moment, _ in chart[name]] for name in chart] == [stamps] * 3


def test_an_hourly_chart_is_jittered_and_has_hours_with_two_points(get):
    stamps = [moment for moment, _ in get("/coins/bitcoin/market_chart?vs_currency=usd&days=90")["prices"]]
    past = [moment % HOUR_MS for moment in stamps[:-1]]
    assert min(past) >= 200
    assert sorted(past)[len(past) // 2] < 120_000
    assert max(past[:-1]) > 500_000
    hours = [moment // HOUR_MS for moment in stamps[:-1]]
    assert len(hours) > len(set(hours)) >= 2158
    assert stamps == sorted(stamps)


def test_completed_points_are_never_restated(get):
    later = DEFAULT_AS_OF + timedelta(days=3, hours=5)
    for days in (30, 365):
        path = f"/coins/dogecoin/market_chart?vs_currency=usd&days={days}"
        early, late = get(path), get(path, later)
        for name in early:
            first, second = dict(map(tuple, early[name][:-1])), dict(map(tuple, late[name][:-1]))
            common = first.keys() & second.keys()
            assert len(common) > 0.85 * len(first)
            assert all(first[moment] == second[moment] for moment in common)


def test_ohlc_candles_hold_the_looks_of_their_time(get):
    candles = get("/coins/bitcoin/ohlc?vs_currency=usd&days=1")
    looks = get("/coins/bitcoin/market_chart?vs_currency=usd&days=1")["prices"][:-1]
    assert len(candles) == 48
    end, opened, high, low, closed = candles[-2]
    inside = [price for moment, price in looks if end - 1_800_000 <= moment < end]
    assert [opened, high, low, closed] == [round(p, 2) for p in (inside[0], max(inside), min(inside), inside[-1])]
    assert len(get("/coins/bitcoin/ohlc?vs_currency=usd&days=7")) == 42
    assert len(get("/coins/bitcoin/ohlc?vs_currency=usd&days=30")) == 180
    assert len(get("/coins/bitcoin/ohlc?vs_currency=usd&days=365")) == 92
    assert candles[-1][0] == 1786545000000


def test_a_range_is_a_part_of_the_chart(get):
    chart = get("/coins/solana/market_chart?vs_currency=usd&days=30")["prices"]
    start, end = chart[100][0] // 1000, chart[400][0] // 1000 + 1
    part = get(f"/coins/solana/market_chart/range?vs_currency=usd&from={start}&to={end}")["prices"]
    assert part == chart[100:401]


def test_global_is_the_sum_of_the_coins(get):
    data = get("/global")["data"]
    rows = [row for n in (1, 2) for row in get(f"/coins/markets?vs_currency=usd&per_page=250&page={n}")]
    total = sum(row["market_cap"] for row in rows)
    assert data["active_cryptocurrencies"] == len(rows)
    assert data["total_market_cap"]["usd"] == pytest.approx(total, rel=0.01)
    assert sum(data["market_cap_percentage"].values()) < 100
    assert data["market_cap_percentage"]["btc"] == pytest.approx(rows[0]["market_cap"] / total * 100, rel=0.02)
    assert 60 < DEFAULT_AS_OF.timestamp() - data["updated_at"] < 720


def test_other_currencies_are_the_dollar_at_the_rate(get):
    rates = get("/exchange_rates")["rates"]
    bitcoin = get("/simple/price?ids=bitcoin,ethereum&vs_currencies=usd,eur,jpy,btc,sats,eth&precision=full")
    assert bitcoin["bitcoin"]["btc"] == bitcoin["ethereum"]["eth"] == 1.0
    for code in ("usd", "eur", "jpy"):
        assert bitcoin["bitcoin"][code] == pytest.approx(rates[code]["value"], rel=2e-3)
    euro = get("/coins/markets?vs_currency=eur&ids=solana&precision=full&sparkline=true")[0]
    dollar = get("/coins/markets?vs_currency=usd&ids=solana&precision=full&sparkline=true")[0]
    rate = rates["eur"]["value"] / rates["usd"]["value"]
    assert euro["current_price"] == pytest.approx(dollar["current_price"] * rate, rel=1e-3)
    assert euro["sparkline_in_7d"]["price"][-1] == pytest.approx(
        dollar["sparkline_in_7d"]["price"][-1] * rate, rel=1e-3
    )


def test_coin_details_agree_with_its_row(get):
    coin, row = get("/coins/solana"), get("/coins/markets?vs_currency=usd&ids=solana")[0]
    data = coin["market_data"]
    assert data["current_price"]["usd"] == row["current_price"]
    assert data["market_cap"]["usd"] == row["market_cap"]
    assert data["ath"]["usd"] == row["ath"]
    assert coin["last_updated"] == row["last_updated"]
    assert "market_data" not in get("/coins/solana?market_data=false")


def test_a_listing_a_delisting_and_a_listing_of_tomorrow(get):
    ids = {entry["id"] for entry in get("/coins/list")}
    later = DEFAULT_AS_OF + timedelta(days=2)
    ids_later = {entry["id"] for entry in get("/coins/list", later)}
    assert "cobalt-exchange" in ids - ids_later
    assert "kestrel-chain" in ids_later - ids
    assert "cobalt-exchange" in page(get)
    assert "cobalt-exchange" not in page(get, later)
    assert get("/coins/cobalt-exchange", later, status=404) == {"error": "coin not found"}
    chart = get("/coins/helionet/market_chart?vs_currency=usd&days=365")
    assert chart["prices"][0][0] == 1781827200000
    row = page(get, extra="&price_change_percentage=30d,200d,1y")["helionet"]
    assert row["price_change_percentage_30d_in_currency"] is not None
    assert row["price_change_percentage_1y_in_currency"] is row["price_change_percentage_200d_in_currency"] is None


def test_the_first_minutes_after_a_listing(exchange, get):
    everything = "&sparkline=true&price_change_percentage=1h,24h,7d"
    catalogue = exchange.market.catalogue
    young = [coin for coin in catalogue.coins if 1_700_000_000 < coin.listed_at < 1_780_000_000]
    for coin in young[:40]:
        for seconds in (156, 200, 3700):
            at = datetime.fromtimestamp(coin.listed_at + seconds, UTC)
            [row] = get(f"/coins/markets?vs_currency=usd&ids={coin.id}{everything}", at)
            assert row["current_price"] > 0
            assert row["price_change_24h"] is row["price_change_percentage_7d_in_currency"] is None
            assert hour_of(row["last_updated"]) * 3600 + 3600 > coin.listed_at
            assert get(f"/coins/{coin.id}/market_chart?vs_currency=usd&days=1", at)["prices"]


def test_a_stale_coin(get):
    row = page(get)["northwind-treasury-fund"]
    assert row["last_updated"] == "2026-08-05T11:32:10.000Z"
    assert (
        row["price_change_24h"] is row["market_cap_change_24h"] is row["market_cap_change_percentage_24h"] is None
    )
    assert len(row["sparkline_in_7d"]["price"]) == 2
    assert row["current_price"] > 0


def test_the_oddities_of_a_page_occur(get):
    rows = list(page(get).values())
    ranks = [row["market_cap_rank"] for row in rows if row["market_cap_rank"]]
    assert len(ranks) > len(set(ranks)), "no rank twice"
    assert set(range(1, max(ranks))) - set(ranks), "no rank missing"
    assert any(row["market_cap_rank"] is None for row in rows)
    for name in ("max_supply", "total_supply", "fully_diluted_valuation", "roi"):
        missing = [row for row in rows if row[name] is None]
        assert 0 < len(missing) < len(rows), name
    lengths = [len(row["sparkline_in_7d"]["price"]) for row in rows]
    assert sum(length == 168 for length in lengths) > 0.9 * len(rows)
    assert any(10 < length < 160 for length in lengths), "no thin sparkline"
    ages = [DEFAULT_AS_OF.timestamp() - datetime.fromisoformat(row["last_updated"]).timestamp() for row in rows]
    assert sum(90 <= age <= 220 for age in ages) > 0.97 * len(rows)
    signs = [
        row["price_change_24h"] * row["price_change_percentage_24h"] < 0 for row in rows if row["price_change_24h"]
    ]
    assert 0 < sum(signs) < 0.2 * len(rows)
    tail = get("/coins/markets?vs_currency=usd&per_page=250&page=2")
    assert tail[-1]["market_cap"] == 0


def test_a_market_cap_can_become_unknown_for_a_time(get):
    caps = get("/coins/aurelion/market_chart?vs_currency=usd&days=120")["market_caps"]
    zero = [datetime.fromtimestamp(moment / 1000, UTC).date().isoformat() for moment, cap in caps if cap == 0]
    assert zero[0] == "2026-05-09"
    assert zero[-1] == "2026-05-23"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/coins/markets", 422, {"error": "Missing parameter vs_currency"}),
        ("/coins/markets?vs_currency=usdt", 400, {"error": "invalid vs_currency"}),
        ("/coins/bitcoin/market_chart?days=1", 422, {"error": "Missing parameter vs_currency"}),
        ("/coins/bitcoin/market_chart?vs_currency=usd", 422, {"error": "Missing parameter days"}),
        ("/coins/nobody/market_chart?vs_currency=usd&days=1", 404, {"error": "coin not found"}),
        ("/coins/nobody", 404, {"error": "coin not found"}),
        ("/simple/price?vs_currencies=usd", 422, {"error": "Missing parameter ids"}),
        ("/simple/price?ids=bitcoin", 422, {"error": "Missing parameter vs_currencies"}),
        ("/simple/price?ids=nobody&vs_currencies=usd", 200, {}),
        ("/simple/price?ids=bitcoin&vs_currencies=ethereum", 200, {"bitcoin": {}}),
    ],
)
def test_small_refusals(get, path, status, body):
    assert get(path, status=status) == body


@pytest.mark.parametrize("days", ["max", "366"])
def test_a_year_is_the_limit_without_a_paid_key(get, days):
    path = f"/coins/bitcoin/market_chart?vs_currency=usd&days={days}"
    for headers in (AGENT, {**AGENT, "x-cg-demo-api-key": "CG-demo-abc"}):
        body = get(path, headers=headers, status=401)
        assert body["error"]["status"]["error_code"] == 10012
    old = int((DEFAULT_AS_OF - timedelta(days=400)).timestamp())
    get(f"/coins/bitcoin/market_chart/range?vs_currency=usd&from={old}&to={old + 900}", status=401)


def test_a_paid_key_reaches_thirteen_years(get):
    chart = get("/coins/bitcoin/market_chart?vs_currency=usd&days=max", headers=PRO_KEY, root=PRO)
    assert chart["prices"][0][0] == 1367107200000
    assert len(chart["prices"]) > 13 * 365
    assert chart["prices"][0][1] < 500 < 50_000 < chart["prices"][-1][1]


@pytest.mark.parametrize(
    ("root", "headers", "status", "code"),
    [
        (ROOT, {}, 403, 403),
        (ROOT, {"User-Agent": "python-requests/2.32.5"}, 403, 403),
        (ROOT, {**AGENT, "x-cg-demo-api-key": "nonsense"}, 401, 10002),
        (PRO, AGENT, 401, 10002),
        (ROOT, PRO_KEY, 400, 10010),
        (PRO, {**AGENT, "x-cg-demo-api-key": "CG-abc"}, 400, 10011),
        (PRO, {**AGENT, "x-cg-pro-api-key": "CG-demo-abc"}, 400, 10011),
    ],
)
def test_keys_and_user_agents(get, root, headers, status, code):
    body = get("/ping", headers=headers, root=root, status=status)
    assert (body["error_code"] if status == 400 else body["status"]["error_code"]) == code


def test_a_key_in_the_address_changes_nothing_but_the_plan(exchange):
    bare = exchange.answer("GET", f"{ROOT}/ping", AGENT, DEFAULT_AS_OF)
    keyed = exchange.answer("GET", f"{ROOT}/ping?x_cg_demo_api_key=CG-secret", AGENT, DEFAULT_AS_OF)
    assert keyed.body == bare.body
    assert "CG-secret" not in str(keyed)


def test_headers_of_an_answer(exchange):
    answer = exchange.answer("GET", f"{ROOT}/coins/list", AGENT, DEFAULT_AS_OF)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "max-age=30, public, must-revalidate, s-maxage=1800"
    assert answer.headers["date"] == "Wed, 12 Aug 2026 14:22:00 GMT"
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["cf-cache-status"] in ("MISS", "HIT", "EXPIRED")
    assert len(answer.headers["x-request-id"]) == 36


def test_a_moment_outside_the_market_and_a_naive_one(exchange, get):
    body = get("/ping", datetime(2009, 1, 3, tzinfo=UTC), status=400)
    assert "2013" in body["error"]
    with pytest.raises(ValueError, match="no time zone"):
        exchange.answer("GET", f"{ROOT}/ping", AGENT, datetime(2026, 8, 12))
    with pytest.raises(ValueError, match="no such service"):
        exchange.answer("GET", "https://example.com/ping", AGENT, DEFAULT_AS_OF)


def test_a_year_of_pages_can_be_asked_at_any_moment(get):
    for at in (datetime(2014, 3, 1, 6, tzinfo=UTC), datetime(2019, 12, 31, 23, 59, tzinfo=UTC)):
        rows = get("/coins/markets?vs_currency=usd&per_page=250&sparkline=true&price_change_percentage=1y", at)
        assert rows[0]["id"] == "bitcoin"
        assert all(row["current_price"] > 0 for row in rows)


def test_categories_are_worth_what_their_coins_are(get):
    categories = {category["id"]: category for category in get("/coins/categories")}
    coins = get("/coins/markets?vs_currency=usd&per_page=250&category=tokenized-gold&precision=full")
    gold = categories["tokenized-gold"]
    assert gold["market_cap"] == pytest.approx(sum(coin["market_cap"] for coin in coins), rel=1e-3)
    assert gold["volume_24h"] == pytest.approx(sum(coin["total_volume"] for coin in coins), rel=1e-3)
    assert gold["top_3_coins_id"] == [coin["id"] for coin in coins][:3] == ["tether-gold", "pax-gold"]
    assert [link.split("/small/")[1].split(".")[0] for link in gold["top_3_coins"]] == gold["top_3_coins_id"]
    worth = sum(category["market_cap"] or 0 for category in categories.values())
    assert worth == pytest.approx(get("/global")["data"]["total_market_cap"]["usd"], rel=1e-3)
    assert get("/coins/markets?vs_currency=usd&category=wallets") == []


def test_nearly_every_second_category_is_a_name_only(get):
    categories = get("/coins/categories")
    unknown = [category for category in categories if category["market_cap"] is None]
    assert 0.3 < len(unknown) / len(categories) < 0.5
    assert categories[-len(unknown) :] == unknown
    for category in unknown:
        assert [category[name] for name in ("market_cap_change_24h", "volume_24h", "updated_at")] == [None] * 3
        assert category["top_3_coins_id"] == category["top_3_coins"] == []
    assert sum(category["content"] is None for category in categories) == 2


@pytest.mark.parametrize("subject", ["market_cap", "name", "market_cap_change_24h"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_categories_in_order(get, subject, direction):
    values = [category[subject] for category in get(f"/coins/categories?order={subject}_{direction}")]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=direction == "desc")
    assert values[len(known) :] == [None] * (len(values) - len(known))
