"""Silver on small answers made by hand: what passes, what is quarantined and why, and what becomes of numbers.

One lake for all: the answers are landed in two rounds, every stream runs once after each.
"""

import json
import shutil
from datetime import UTC, date, datetime, timedelta

import pytest

from coinlake import autoloader, lakehouse, schema, silver
from tests.support.rows import assert_rows
from tests.support.silver_lake import SilverLake

NOON = "2026-08-12T12:22:00Z"
WEEK = [float(number) for number in range(168)]


def coin(id, **fields):
    """A coin of /coins/markets that keeps every rule."""
    return {
        "id": id,
        "symbol": id[:3],
        "name": id.title(),
        "current_price": 2.5,
        "market_cap": 1000,
        "market_cap_rank": sum(map(ord, id)),
        "price_change_24h": 0.1,
        "price_change_percentage_24h": 4.0,
        "circulating_supply": 400.0,
        "ath": 3,
        "atl": 1,
        "last_updated": "2026-08-12T12:20:30.000Z",
    } | fields


def line(prices):
    return {"sparkline_in_7d": {"price": prices}}


def ms(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def chart(*points, caps=None, volumes=None):
    """A chart of (instant, price); market caps and volumes are ten and a hundred times the price."""
    times = [(ms(instant), price) for instant, price in points]
    return {
        "prices": [list(point) for point in times],
        "market_caps": [[time, price and price * 10] for time, price in times] if caps is None else caps,
        "total_volumes": [[time, price and price * 100] for time, price in times] if volumes is None else volumes,
    }


def with_timeless_point(body):
    return body | {"prices": [*body["prices"], [None, 7]]}


def five_minutes_apart():
    start = datetime(2026, 8, 12, 10, 3)
    return chart(*(((start + timedelta(minutes=5 * place)).isoformat(), place + 1) for place in range(24)))


def chart_of(coin_id, days):
    return f"/coins/{coin_id}/market_chart?vs_currency=usd&days={days}"


def listed(id, name):
    return {"id": id, "symbol": "", "name": name}


def category(id, **fields):
    """A category of /coins/categories that keeps every rule."""
    return {
        "id": id,
        "name": id.title(),
        "market_cap": 2.5e12,
        "market_cap_change_24h": -0.5,
        "content": "Coins.",
        "top_3_coins_id": ["bitcoin", "ethereum"],
        "top_3_coins": ["https://localhost/1.png", "https://localhost/279.png"],
        "volume_24h": 45616943988.5,
        "updated_at": "2026-08-12T12:20:24.777Z",
    } | fields


UNKNOWN = dict.fromkeys(("market_cap", "market_cap_change_24h", "content", "volume_24h", "updated_at"))


def of_2021(id):
    """A category as it was sent before it named coins."""
    names = ("id", "name", "market_cap", "market_cap_change_24h", "volume_24h", "updated_at")
    return {name: value for name, value in category(id).items() if name in names}


def mood(value, stamp, label="Fear"):
    return {"value": value, "value_classification": label, "timestamp": stamp}


def weather(units, **daily):
    return {"latitude": 47.375, "longitude": 8.5, "timezone": "GMT", "daily_units": units, "daily": daily}


METRIC = {"temperature_2m_max": "°C", "windspeed_10m_max": "km/h"}
TOTALS = {
    "active_cryptocurrencies": 17000,
    "markets": 1400,
    "updated_at": ms("2026-08-12T12:20") // 1000,
    "total_market_cap": {"usd": 3.5e12, "btc": 29000000},
    "total_volume": {"usd": 1e11},
    "market_cap_percentage": {"btc": 58.5},
    "market_cap_change_percentage_24h_usd": -0.5,
    "novelty": 1,
}
CONTESTED = [
    coin(name, last_updated="2026-08-12T14:20:00Z", **line(WEEK)) for name in ("page-first", "chart-first")
]
CONTESTING = chart(("2026-08-12T10:00:28", 1000.0), ("2026-08-12T11:00:28", 1001.0))

# name: endpoint, body, instant, and where they matter the address and the headers
FIRST = {
    "page": (
        "coins_markets",
        [
            coin("ace"),
            coin("bee", current_price=None),
            coin("cat", current_price=-1),
            coin("", current_price=1),
            coin("dog", circulating_supply="17466462.5", total_supply="unlimited"),
            coin("elk", current_price="3.25", colour="red"),
            coin("fox", market_cap=0, market_cap_rank=None),
            coin("gnu", market_cap_rank=9, price_change_24h=-0.1),
            coin("hen", market_cap_rank=9, last_updated="2026-08-11T12:00:00Z"),
            coin("ibis", ath=2.4, atl=2.6),
            coin("jay", current_price=1.0, last_updated="2026-08-12T12:19:00Z"),
            coin("jay", current_price=1.5),
            coin("jay", current_price=1.0, last_updated="2026-08-12T12:19:00Z"),
        ],
        NOON,
    ),
    "foreign": ("coins_markets", [coin("kea")], NOON, "/coins/markets?vs_currency=doge"),
    "silent": ("coins_markets", [coin("kea")], NOON, "/coins/markets?per_page=1"),
    "lines": (
        "coins_markets",
        [
            coin("past-the-hour", last_updated="2026-08-12T08:59:20Z", **line(WEEK)),
            coin("holed", last_updated="2026-08-12T09:01:00Z", **line([*WEEK[:100], None, -1.0, *WEEK[102:]])),
            coin("thin", last_updated="2026-08-12T09:01:00Z", **line(WEEK[1:])),
            coin("asleep", last_updated="2026-08-12T07:59:00Z", **line(WEEK)),
            coin("without", last_updated="2026-08-12T09:01:00Z"),
        ],
        "2026-08-12T09:03:00Z",
    ),
    "cached": (
        "coins_markets",
        [coin("cached", last_updated="2026-08-12T08:58:00Z", **line(WEEK))],
        "2026-08-12T09:00:30Z",
        "",
        {"Age": "40", "Set-Cookie": "no"},
    ),
    "contested page": ("coins_markets", CONTESTED[:1], "2026-08-12T14:22:00Z"),
    "chart of page-first": ("coins_market_chart", CONTESTING, "2026-08-12T12:00:00Z", chart_of("page-first", 7)),
    "chart of chart-first": ("coins_market_chart", CONTESTING, "2026-08-12T12:00:00Z", chart_of("chart-first", 7)),
    "daily": (
        "coins_market_chart",
        chart(
            ("2025-12-31T00:00", 1),
            ("2026-01-01T00:00", 2.5),
            ("2026-01-02T00:00", 3),
            ("2026-01-02T14:22:33", 4),
            caps=[[ms("2026-01-01T00:00"), 0], [ms("2026-01-02T00:00"), None]],
            volumes=[[ms("2026-01-02T00:00"), 0.0], [ms("2025-12-31T00:00"), 7]],
        ),
        "2026-01-02T14:22:40Z",
        "/coins/day%2Dcoin/market_chart?days=365&vs_currency=%20EUR",
    ),
    "hourly": (
        "coins_market_chart",
        chart(
            ("2026-08-12T10:00:28", 1),
            ("2026-08-12T11:29:00", 2),
            ("2026-08-12T12:01:00", 3),
            ("2026-08-12T12:59:00", 4),
            ("2026-08-12T14:39:54.955", 6),
            ("2026-08-12T14:39:54", 5),
        ),
        "2026-08-12T14:40:00Z",
        chart_of("hour-coin", 2),
    ),
    "fine": ("coins_market_chart", five_minutes_apart(), "2026-08-12T12:00:00Z", chart_of("fine-coin", 1)),
    "bad points": (
        "coins_market_chart",
        with_timeless_point(
            chart(
                ("2026-08-12T10:00:28", 1),
                ("2026-08-12T11:00:01", None),
                ("2026-08-12T12:00:00.5", -2),
                ("2031-08-12T12:00", 5),
            )
        ),
        "2026-08-12T14:40:00Z",
        chart_of("bad-points", 2),
    ),
    "nowhere": (
        "coins_market_chart",
        chart(("2026-08-12T10:00:28", 1)),
        "2026-08-12T14:40:01Z",
        "/coins/bitcoin/market_chart",
    ),
    "empty": ("coins_market_chart", chart(), "2026-08-12T14:40:02Z"),
    "global": ("global", {"data": TOTALS}, NOON),
    "torn global": ("global", {"data": {"markets": 1}}, "2026-08-12T12:22:01Z"),
    "late list": (
        "coins_list",
        [listed("both", "After"), listed("new", "New"), listed("", "Nobody")],
        "2026-08-12T01:00:00Z",
    ),
    "categories": (
        "coin_categories",
        [
            category("layer-1"),
            category("name-only", **UNKNOWN, top_3_coins_id=[], top_3_coins=[]),
            category("worthless", market_cap=0, market_cap_change_24h=0, volume_24h=0),
            of_2021("old"),
            category("twice", market_cap=1, updated_at="2026-08-12T12:20:25Z"),
            category("twice", market_cap=2, updated_at="2026-08-12T12:20:24Z"),
            category("novel", market_cap="17.5", mood="good"),
            category("below", volume_24h=-1),
            category(""),
        ],
        NOON,
    ),
    "moods": (
        "fear_greed",
        {
            "name": "Fear and Greed Index",
            "data": [
                mood("27", str(ms("2026-08-12T00:00") // 1000)),
                mood("101", "1786406400"),
                mood("30", "12-08-2026"),
            ],
            "metadata": {"error": None},
        },
        NOON,
    ),
    "many rates": (
        "fx_rates",
        {
            "amount": 1.0,
            "base": "USD",
            "start_date": "2026-08-10",
            "end_date": "2026-08-11",
            "rates": {"2026-08-10": {"EUR": 0.8655, "IDR": 16000}, "2026-08-11": {"EUR": 0}},
        },
        NOON,
    ),
    "one day's rates": (
        "fx_rates",
        {"amount": 10.0, "base": "EUR", "date": "2026-08-12", "rates": {"CHF": 9.5}},
        "2026-08-12T16:00:00Z",
    ),
    "weather": (
        "weather_daily",
        weather(
            METRIC,
            time=["2026-08-08", "2026-08-09"],
            temperature_2m_max=[31.3, None],
            windspeed_10m_max=[10.2, None],
            weathercode=[3, None],
        ),
        NOON,
    ),
    "american": (
        "weather_daily",
        weather({"temperature_2m_max": "°F"}, time=["2026-08-01"], temperature_2m_max=[99.0]),
        NOON,
    ),
    "no weather": (
        "weather_daily",
        weather(METRIC, time=["2026-08-01"], temperature_2m_max=[None]),
        "2026-08-12T12:22:05Z",
    ),
}
SECOND = {
    "contested page again": ("coins_markets", CONTESTED[1:], "2026-08-12T14:22:00Z"),
    "early list": ("coins_list", [listed("old", "Old"), listed("both", "Before")], "2026-08-11T01:00:00Z"),
}
TORN = b'[{"id": "bitcoin", "current_pr'
SLOW = {"status": {"error_code": 429, "error_message": "slow"}}
# Bodies that an older landing let pass: name -> endpoint, run, body.
PUT = {
    "torn": ("coins_markets", "20260812T000001Z-00000001", TORN),
    "error": ("coins_markets", "20260812T000002Z-00000002", json.dumps(SLOW).encode()),
    "chartless": ("coins_market_chart", "20260812T144003Z-00000005", b'{"market_caps": [[1, 2]]}'),
}
LATE = "20260812T000004Z-00000004"
LONG_SOURCE = {
    **{"run": "20260812T122200Z-0000000b", "endpoint": "global", "page": 1, "attempt": 1, "method": "GET"},
    **{"url": "https://api.coingecko.com/api/v3/global", "status": 0, "fetched_at": NOON, "elapsed_ms": 1},
    **{"outcome": "error", "error": "0 no answer", "source": "x" * 17},
}
BROKEN_LOG = '{"run": "20260812T122200Z-0000000b"}\n{"run": \n' + json.dumps(LONG_SOURCE) + "\n"


@pytest.fixture(scope="module")
def lake(spark, tmp_path_factory):
    """The lake after both rounds: files by name, counts of each round, what a replay did."""
    patch = pytest.MonkeyPatch()
    silver_tables = tuple(table for table in schema.TABLES if table.schema != schema.AGGREGATED)
    patch.setattr(lakehouse, "TABLES", silver_tables)
    lake = SilverLake(spark, tmp_path_factory.mktemp("silver") / "lake")
    lake.files = {name: lake.land(*answer) for name, answer in FIRST.items()}
    for name, (endpoint, run, body) in PUT.items():
        lake.files[name] = lake.put(endpoint, run, body)
        lake.log(endpoint, lake.files[name], NOON)
    late = [coin("late"), coin("later", current_price=None)]
    lake.files["late"] = lake.put("coins_markets", LATE, json.dumps(late).encode())
    broken = lake.path / "landing_meta/date=2026-08-12/run=20260812T122200Z-0000000b.jsonl"
    broken.write_text(BROKEN_LOG)
    lake.first = lake.stream_all()
    lake.waiting = lake.quarantined(lake.files["late"])

    lake.files |= {name: lake.land(*answer) for name, answer in SECOND.items()}
    lake.log("coins_markets", lake.files["late"], "2026-08-12T00:00:09Z")
    lake.second = lake.stream_all()
    lake.replayed = silver.replay_uncommitted(lake.lakehouse)
    yield lake
    patch.undo()


def test_the_streams_say_what_they_read_wrote_and_rejected(lake):
    def counts(of):
        return {endpoint: (its.read, its.written, its.rejected) for endpoint, its in of.items()}

    prices_of_lines = 168 + 166 + 168 + 168
    assert counts(lake.first) == {
        "landing_meta": (len(FIRST) + len(PUT) + 3, len(FIRST) + len(PUT), 3),
        "coins_markets": (13 + 2 + 5 + 1 + 1 + 2 + 2, 8 + 5 + 1 + 1 + prices_of_lines, 5 + 2 + 2 + 2),
        "coins_market_chart": (2 + 2 + 3 + 6 + 24 + 5 + 1 + 1, 2 + 2 + 3 + 4 + 2 + 1, 6),
        "coins_list": (3, 2, 1),
        "coin_categories": (9, 6, 2),
        "global": (2, 1, 1),
        "fear_greed": (3, 1, 2),
        "fx_rates": (4, 3, 1),
        "weather_daily": (3, 1, 2),
    }
    assert counts(lake.second) == dict.fromkeys(lake.first, (0, 0, 0)) | {
        "landing_meta": (3, 3, 0),
        "coins_markets": (1, 1 + 166, 0),
        "coins_list": (2, 2, 0),
    }
    assert lake.second["global"] == silver.Counts()


def test_a_page_becomes_typed_rows_and_one_bad_coin_costs_nobody_else(lake):
    file = lake.files["page"]
    columns = ("coin_id", "price", "market_cap", "market_cap_rank", "circulating_supply", "warnings", "rescued")
    assert_rows(
        lake.rows(schema.COIN_SNAPSHOTS, *columns, where=f"file = '{file}'"),
        [
            ("ace", 2.5, 1000.0, 297, 400.0, [], None),
            (
                "dog",
                2.5,
                1000.0,
                314,
                17466462.5,
                ["fields_rescued"],
                '{"circulating_supply":"17466462.5","total_supply":"unlimited"}',
            ),
            (
                "elk",
                3.25,
                1000.0,
                316,
                400.0,
                ["ath_below_price", "fields_rescued"],
                '{"colour":"red","current_price":"3.25"}',
            ),
            ("fox", 2.5, None, None, 400.0, ["rank_missing"], None),
            ("gnu", 2.5, 1000.0, 9, 400.0, ["rank_repeated", "signs_disagree"], None),
            ("hen", 2.5, 1000.0, 9, 400.0, ["rank_repeated", "stale"], None),
            ("ibis", 2.5, 1000.0, 423, 400.0, ["ath_below_price", "atl_above_price"], None),
            ("jay", 1.5, 1000.0, 324, 400.0, [], None),
        ],
    )
    assert [(reasons, copies, record["id"]) for reasons, copies, record in lake.quarantined(file)] == [
        (["id_missing"], 1, ""),
        (["price_impossible"], 1, "cat"),
        (["price_missing"], 1, "bee"),
        (["repeated_in_page"], 2, "jay"),
    ]
    row = lake.rows(schema.COIN_SNAPSHOTS, where=f"file = '{file}' AND coin_id = 'ace'")[0]
    assert dict(zip(schema.COIN_SNAPSHOTS.column_names, row, strict=True)) == dict.fromkeys(
        schema.COIN_SNAPSHOTS.column_names
    ) | {
        "coin_id": "ace",
        "vs_currency": "usd",
        "snapshot_at": datetime(2026, 8, 12, 12, 22),
        "period": "2026-08",
        "symbol": "ace",
        "name": "Ace",
        "price": 2.5,
        "market_cap": 1000.0,
        "market_cap_rank": 297,
        "price_change_24h": 0.1,
        "price_change_percentage_24h": 4.0,
        "circulating_supply": 400.0,
        "ath": 3.0,
        "atl": 1.0,
        "last_updated": datetime(2026, 8, 12, 12, 20, 30),
        "warnings": [],
        "file": file,
    }


def test_a_body_that_cannot_be_believed_is_quarantined_whole_with_the_one_reason(lake):
    assert lake.quarantined(lake.files["torn"]) == [(["not_json"], 1, TORN.decode())]
    assert lake.quarantined(lake.files["error"]) == [(["error_object"], 1, SLOW)]
    assert lake.quarantined(lake.files["foreign"]) == [(["currency_unknown"], 1, coin("kea"))]
    assert lake.quarantined(lake.files["silent"]) == [(["currency_unknown"], 1, coin("kea"))]


def test_what_was_quarantined_for_want_of_a_log_line_is_replayed_when_the_line_is_there(lake):
    file = lake.files["late"]
    assert [(reasons, record["id"]) for reasons, _, record in lake.waiting] == [
        (["uncommitted"], "late"),
        (["uncommitted"], "later"),
    ]
    assert (lake.replayed.read, lake.replayed.written, lake.replayed.rejected) == (2, 1, 1)
    assert lake.rows(schema.COIN_SNAPSHOTS, "coin_id", where=f"file = '{file}'") == [("late",)]
    columns = ("table_name", "endpoint", "landing_run", "reasons", "replayed_at")
    assert_rows(
        lake.rows(schema.QUARANTINE, *columns, where=f"file = '{file}'"),
        [
            ("coin_snapshots", "coins_markets", LATE, ["price_missing"], None),
            ("coin_snapshots", "coins_markets", LATE, ["uncommitted"], datetime(2026, 8, 12, 0, 0, 9)),
        ],
    )
    assert silver.replay_uncommitted(lake.lakehouse) == silver.Counts()


def test_the_hours_of_a_sparkline_are_counted_back_from_the_response(lake):
    file, cached = lake.files["lines"], lake.files["cached"]
    assert lake.rows(schema.COIN_SNAPSHOTS, "coin_id", "warnings", where=f"file IN ('{file}', '{cached}')") == [
        ("asleep", ["sparkline_hours_unknown"]),
        ("cached", []),
        ("holed", ["sparkline_thin"]),
        ("past-the-hour", []),
        ("thin", ["sparkline_hours_unknown", "sparkline_thin"]),
        ("without", []),
    ]
    prices = lake.rows(
        schema.COIN_PRICES, "coin_id", "observed_at", "price", where=f"file IN ('{file}', '{cached}')"
    )
    newest = {"past-the-hour": 9, "holed": 9, "cached": 8}
    assert prices == sorted(
        (
            (name, datetime(2026, 8, 12, hour) - timedelta(hours=167 - place), WEEK[place])
            for name, hour in newest.items()
            for place in range(168)
            if not (name == "holed" and place in (100, 101))
        ),
        key=repr,
    )
    assert_rows(
        lake.rows(schema.COIN_PRICES, where=f"file = '{cached}' AND price = 167"),
        [
            (
                "cached",
                "usd",
                datetime(2026, 8, 12, 8),
                "hourly",
                "2026-08",
                167.0,
                None,
                None,
                "sparkline",
                datetime(2026, 8, 12, 9, 0, 30),
                cached,
            )
        ],
        schema.COIN_PRICES.column_names,
    )


def points_of(lake, name):
    columns = ("observed_at", "granularity", "period", "price", "market_cap", "total_volume")
    return lake.rows(schema.COIN_PRICES, *columns, where=f"file = '{lake.files[name]}'")


def test_a_daily_chart_ends_its_days_at_midnight_and_leaves_now_out(lake):
    assert_rows(
        points_of(lake, "daily"),
        [
            (datetime(2025, 12, 31), "daily", "2025", 1.0, None, 7.0),
            (datetime(2026, 1, 1), "daily", "2026", 2.5, None, None),
            (datetime(2026, 1, 2), "daily", "2026", 3.0, None, 0.0),
        ],
    )
    columns = ("coin_id", "vs_currency", "source")
    assert set(lake.rows(schema.COIN_PRICES, *columns, where=f"file = '{lake.files['daily']}'")) == {
        ("day-coin", "eur", "market_chart")
    }


def test_points_of_an_hourly_chart_belong_to_their_hour_and_the_latest_counts(lake):
    assert_rows(
        points_of(lake, "hourly"),
        [
            (datetime(2026, 8, 12, 10), "hourly", "2026-08", 1.0, 10.0, 100.0),
            (datetime(2026, 8, 12, 11), "hourly", "2026-08", 2.0, 20.0, 200.0),
            (datetime(2026, 8, 12, 12), "hourly", "2026-08", 4.0, 40.0, 400.0),
            (datetime(2026, 8, 12, 14), "hourly", "2026-08", 6.0, 60.0, 600.0),
        ],
    )


def test_of_a_five_minute_chart_the_first_point_of_the_hour_counts(lake):
    assert [(row[0].hour, row[3]) for row in points_of(lake, "fine")] == [(10, 1.0), (11, 13.0)]


def test_a_chart_gives_up_its_bad_points_only(lake):
    assert [row[3] for row in points_of(lake, "bad points")] == [1.0]
    assert lake.quarantined(lake.files["bad points"]) == [
        (["price_impossible"], 1, {"time": ms("2026-08-12T12:00:00.5"), "price": -2.0, "total_volume": -200.0}),
        (["price_missing"], 1, {"time": ms("2026-08-12T11:00:01")}),
        (["time_impossible"], 1, {"price": 7.0}),
        (
            ["time_impossible"],
            1,
            {"time": ms("2031-08-12T12:00"), "price": 5.0, "market_cap": 50.0, "total_volume": 500.0},
        ),
    ]
    assert [reasons for reasons, _, _ in lake.quarantined(lake.files["nowhere"])] == [["currency_unknown"]]
    assert lake.quarantined(lake.files["chartless"]) == [(["chart_missing"], 1, {"market_caps": [[1, 2]]})]


@pytest.mark.parametrize("coin_id", ["page-first", "chart-first"])
def test_a_chart_outranks_a_sparkline_whatever_comes_first(lake, coin_id):
    where = f"coin_id = '{coin_id}' AND observed_at >= '2026-08-12 10:00'"
    assert lake.rows(schema.COIN_PRICES, "observed_at", "price", "source", where=where) == [
        (datetime(2026, 8, 12, 10), 1000.0, "market_chart"),
        (datetime(2026, 8, 12, 11), 1001.0, "market_chart"),
        (datetime(2026, 8, 12, 12), 165.0, "sparkline"),
        (datetime(2026, 8, 12, 13), 166.0, "sparkline"),
        (datetime(2026, 8, 12, 14), 167.0, "sparkline"),
    ]


def test_global_keeps_every_currency_and_what_it_does_not_know(lake):
    assert_rows(
        lake.rows(schema.MARKET_TOTALS),
        [
            (
                datetime(2026, 8, 12, 12, 22),
                datetime(2026, 8, 12, 12, 20),
                17000,
                1400,
                {"usd": 3.5e12, "btc": 29000000.0},
                {"usd": 1e11},
                {"btc": 58.5},
                -0.5,
                '{"data":{"novelty":1}}',
                lake.files["global"],
            )
        ],
        schema.MARKET_TOTALS.column_names,
    )
    assert lake.quarantined(lake.files["torn global"]) == [(["totals_missing"], 1, {"data": {"markets": 1}})]


def test_coins_ever_listed_remember_their_first_and_their_newest_list(lake):
    first, second = datetime(2026, 8, 11, 1), datetime(2026, 8, 12, 1)
    assert_rows(
        lake.rows(schema.COIN_LIST),
        [
            ("both", "", "After", first, second, lake.files["late list"]),
            ("new", "", "New", second, second, lake.files["late list"]),
            ("old", "", "Old", first, first, lake.files["early list"]),
        ],
        schema.COIN_LIST.column_names,
    )
    assert lake.quarantined(lake.files["late list"]) == [(["id_missing"], 1, listed("", "Nobody"))]


def test_a_category_is_worth_something_or_is_a_name_only(lake):
    file, noon = lake.files["categories"], datetime(2026, 8, 12, 12, 22)
    rescued = '{"market_cap":"17.5","mood":"good"}'
    top = ["bitcoin", "ethereum"]
    values = ("name", "market_cap", "market_cap_change_24h", "volume_24h", "top_3_coins", "updated_at", "rescued")
    updated = datetime(2026, 8, 12, 12, 20, 24, 777000)
    assert lake.rows(schema.COIN_CATEGORIES, "category_id", "snapshot_at", *values, "file") == [
        ("layer-1", noon, "Layer-1", 2.5e12, -0.5, 45616943988.5, top, updated, None, file),
        ("name-only", noon, "Name-Only", None, None, None, [], None, None, file),
        ("novel", noon, "Novel", 17.5, -0.5, 45616943988.5, top, updated, rescued, file),
        ("old", noon, "Old", 2.5e12, -0.5, 45616943988.5, None, updated, None, file),
        ("twice", noon, "Twice", 1.0, -0.5, 45616943988.5, top, datetime(2026, 8, 12, 12, 20, 25), None, file),
        ("worthless", noon, "Worthless", None, 0.0, 0.0, top, updated, None, file),
    ]
    assert [(reasons, record["id"]) for reasons, _, record in lake.quarantined(file)] == [
        (["id_missing"], ""),
        (["volume_impossible"], "below"),
    ]


def test_fear_and_greed_is_all_text_and_becomes_numbers(lake):
    file = lake.files["moods"]
    assert_rows(
        lake.rows(schema.FEAR_GREED),
        [(date(2026, 8, 12), 27, "Fear", datetime(2026, 8, 12, 12, 22), file)],
        schema.FEAR_GREED.column_names,
    )
    assert lake.quarantined(file) == [
        (["date_missing"], 1, mood("30", "12-08-2026")),
        (["value_impossible"], 1, mood("101", "1786406400")),
    ]


def test_rates_come_for_a_day_or_for_many_and_for_one_unit_of_the_base(lake):
    assert lake.rows(schema.FX_RATES, "date", "base_currency", "currency", "rate") == [
        (date(2026, 8, 10), "usd", "eur", 0.8655),
        (date(2026, 8, 10), "usd", "idr", 16000.0),
        (date(2026, 8, 12), "eur", "chf", 0.95),
    ]
    assert lake.quarantined(lake.files["many rates"]) == [
        (["rate_impossible"], 1, {"date": "2026-08-11", "currency": "EUR", "rate": 0.0})
    ]


def test_weather_goes_by_old_names_too_and_must_be_in_our_units(lake):
    noon, file = datetime(2026, 8, 12, 12, 22), lake.files["weather"]
    assert_rows(
        lake.rows(schema.WEATHER_DAILY),
        [(47.375, 8.5, date(2026, 8, 8), "GMT", 31.3, None, None, 10.2, 3, noon, file)],
        schema.WEATHER_DAILY.column_names,
    )
    assert [reasons for reasons, _, _ in lake.quarantined(lake.files["american"])] == [["units_unknown"]]
    assert [reasons for reasons, _, _ in lake.quarantined(lake.files["no weather"])] == [["values_missing"]]


def test_every_attempt_is_in_the_response_log(lake):
    run = lake.files["cached"].split("run=")[1].split("/")[0]
    (log,) = (lake.path / "landing_meta").rglob(f"run={run}.jsonl")
    noted = json.loads(log.read_text())
    assert_rows(
        lake.rows(schema.RESPONSES, where=f"landing_run = '{run}'"),
        [
            (
                run,
                "coins_markets",
                1,
                1,
                "GET",
                "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&sparkline=true",
                200,
                datetime(2026, 8, 12, 9, 0, 30),
                0,
                '{"age":"40"}',
                lake.files["cached"],
                noted["bytes"],
                noted["sha256"],
                "landed",
                None,
                "replay",
            )
        ],
        schema.RESPONSES.column_names,
    )
    assert lake.rows(schema.QUARANTINE, "reasons", where="table_name = 'responses'") == [
        (["line_incomplete"],),
        (["not_json"],),
        (["text_too_long"],),
    ]


def test_a_batch_that_is_repeated_changes_nothing(lake):
    touched = (schema.COIN_SNAPSHOTS, schema.COIN_PRICES, schema.QUARANTINE)

    def state():
        return [(lake.rows(table), lake.version(table)) for table in touched]

    before = state()
    # A crash after the MERGEs and before batch and files were noted as done:
    for note in (lake.path / "checkpoints/coins_markets/commits").glob("*1*"):
        note.unlink()
    (lake.path / "checkpoints/taken_in/coins_markets.json").unlink()
    repeated = lake.stream("coins_markets")
    assert (repeated.read, repeated.written, repeated.rejected) == (1, 0, 0)
    assert state() == before


def test_a_stream_that_has_taken_in_every_file_is_not_started(lake, monkeypatch):
    lake.stream("coins_markets")
    with monkeypatch.context() as patch:
        patch.setattr(autoloader, "run_available_now", lambda *_, **__: pytest.fail("it was started"))
        assert lake.stream("coins_markets") == silver.Counts()
    # Whoever deletes a checkpoint wants all files to be read again.
    shutil.rmtree(lake.path / "checkpoints/coins_markets")
    again = lake.stream("coins_markets")
    assert again.read > 0 and again.written == 0
