"""The page of all coins: what its table, its data and its sentences say, and what the start page tells of it."""

import json
import re

import pandas as pd
import pytest

from coinlake.reports import coins
from coinlake_ops import rendering
from tests.support import executed, gold_frames
from tests.support.built_reports import BUILT_AT, built, lake

NOTEBOOK = "06_report_price_averages"
NOW = pd.DataFrame(
    {
        "coin_id": ["bitcoin", "tether", "pepe"],
        "snapshot_at": pd.to_datetime(["2026-08-12 14:00", "2026-08-12 14:00", "2026-08-12 13:00"]),
        "symbol": ["BTC", "USDT", None],
        "name": ["Bitcoin", "Tether", "Pepe </script>"],
        "price": [64_640.25, 1.0, 0.00000798],
        "market_cap": [1.2e12, 1.8e11, float("nan")],
        "market_cap_rank": [1.0, 3.0, float("nan")],
        "rank_change_24h": [0.0, -1.0, float("nan")],
        "return_1h": [0.001, 0.0, float("nan")],
        "return_24h": [0.0125, 0.0001, -0.2],
        "return_7d": [0.02, 0.0, float("nan")],
        "return_30d": [-0.064, 0.0, float("nan")],
        "volume_24h": [6e10, 9e9, 1.5e8],
        "volume_ratio": [1.25, 1.0, float("nan")],
        "high": [126_080.0, 1.32, float("nan")],
        "high_at": pd.to_datetime(["2025-10-06", "2018-07-24", None]),
        "distance_from_high": [-0.487, -0.24, float("nan")],
        "kind": ["free", "pegged", "free"],
    }
)
EVENTS = pd.DataFrame(
    {
        "coin_id": ["bitcoin", "tether", "gone", "bitcoin"],
        "kind": ["volume_anomaly", "peg_lost", "left", "record_high"],
        "happened_at": pd.to_datetime(
            ["2026-08-12 00:00", "2026-08-11 00:00", "2026-08-10 14:00", "2026-08-01 00:00"]
        ),
        "value": [6e10, 0.95, 250.0, 126_080.0],
        "reference": [1.5e10, 1.0, 250.0, float("nan")],
    }
)
DAYS = pd.DataFrame(
    {
        "coin_id": ["bitcoin", "bitcoin", "pepe"],
        "date": pd.to_datetime(["2026-08-09", "2026-08-11", "2026-08-11"]),
        "close": [64_123.456, 64_000.0, 0.00000791234],
        "total_volume": [5.4321e10, float("nan"), 1.5e8],
    }
)
MARKET = pd.DataFrame(
    {
        "date": pd.to_datetime(["2026-08-09", "2026-08-10", "2026-08-11"]),
        "total_market_cap": [float("nan"), 2.0e12, 2.4e12],
        "bitcoin_dominance": [float("nan"), 0.57, 0.5],
    }
)
TRENDS = pd.DataFrame(
    {
        "coin_id": ["bitcoin", "pepe", "tether"],
        "date": pd.Timestamp("2026-08-11"),
        "volatility_30d": [0.4, 1.2, 0.01],
        "return_90d": [0.1, float("nan"), 0.0],
    }
)
HOURS = pd.DataFrame(
    {
        "coin_id": "bitcoin",
        "hour": pd.to_datetime(["2026-08-11 00:00", "2026-08-11 01:00", "2026-08-11 03:00"]),
        "close": [64_000.0, 64_100.0, 64_300.123],
    }
)
WEEKS = pd.DataFrame(
    {
        "coin_id": ["bitcoin", "bitcoin"],
        "week": pd.to_datetime(["2026-08-03", "2026-08-10"]),
        **{"open": [1.0, 2.0], "high": [3.0, 4.0], "low": [0.5, 1.5], "close": [2.0, 3.0]},
        "is_complete": [True, False],
    }
)


def frames(**changes):
    return {
        "market_now": NOW,
        "market_events": EVENTS,
        "market_daily": MARKET,
        "market_trends_daily": TRENDS,
        "histories": DAYS,
        "hours": HOURS,
        "candle_weekly": WEEKS,
        "api_usage": pd.DataFrame({"source": ["live"]}),
        "freshness": pd.DataFrame({"table_name": [], "version": [], "sla_hours": []}),
    } | changes


@pytest.fixture(scope="module")
def page():
    return coins.build(frames(), built_at=BUILT_AT)


def test_a_row_says_all_that_is_now_and_its_name_leads_to_the_coin(page):
    table = page.sections["all_coins"].table
    rows = [re.sub(r"<[^>]*>", "|", row) for row in re.findall(r"<tr>.*?</tr>", table, re.S)]
    told = [[cell.strip() for cell in row.split("|") if cell.strip()] for row in rows]
    bitcoin = "Bitcoin BTC $64,640 ▲ +0.1% ▲ +1.2% ▲ +2.0% ▼ −6.4% $60.0\u00a0B 1.2 $1.20\u00a0T 1 −49% free"
    tether = "Tether USDT $1.00 0.0% 0.0% 0.0% 0.0% $9.00\u00a0B 1.0 $180\u00a0B 3 −24% pegged"
    pepe = "Pepe &lt;/script&gt; pepe $0.00000798 n/a ▼ −20.0% n/a n/a $150\u00a0M n/a n/a n/a n/a free"
    head = "Coin Price 1 h 24 h 7 d 30 d Volume × usual Market cap Rank From high Kind"
    assert [" ".join(cells) for cells in told] == [head, bitcoin, tether, pepe]
    assert re.findall(r'href="#([^"]*)"', table) == ["bitcoin", "tether", "pepe"]


def test_the_page_holds_what_its_script_draws_each_number_once(page):
    html = page.html()
    (held,) = re.findall(r'<script type="application/json" id="data-all_coins">(.*?)</script>', html, re.S)
    data = json.loads(held)
    assert (data["unit"], data["first"], data["id"]) == ("usd", "2026-08-09", ["bitcoin", "tether", "pepe"])
    assert data["days"] == {
        "bitcoin": {"at": 0, "close": [64123, None, 64000], "volume": [54300000000, None, None]},
        "pepe": {"at": 2, "close": [7.9123e-06], "volume": [150000000]},
    }
    # The hour from 00:00 ends at 01:00, 49 hours after the first day began.
    assert data["hours"] == {"bitcoin": {"at": 49, "close": [64000, 64100, None, 64300]}}
    assert data["weeks"] == {"bitcoin": {"at": [-6], "open": [1], "high": [3], "low": [0.5], "close": [2]}}
    assert data["events"]["bitcoin"] == [
        ["2026-08-12T00:00Z", "Bitcoin was traded for $60.0\u00a0B in a day, 4.0 times the usual"],
        ["2026-08-01T00:00Z", "Bitcoin has a new record high: $126,080"],
    ]
    assert (data["price"], data["market_cap_rank"], data["symbol"][2]) == (
        [64640.2, 1, 7.98e-06],
        [1, 3, None],
        "pepe",
    )
    assert "</script>" not in held


def test_sentences_follow_the_free_coins_and_the_week(page):
    assert page.headline == "1 of 2 coins is higher than 24 hours ago; Bitcoin gained most (+1.2%)"
    assert page.lead == "In the last seven days: 1 peg lost, 1 unusual volume and 1 exit from the largest."
    assert page.banner.word == "Fresh: the newest snapshot was taken 0 h ago, promised are 26 h."
    assert [(card.value, card.note) for card in page.cards] == [("+1.2%", "Bitcoin"), ("−20.0%", "Pepe </script>")]
    fallen = NOW.assign(return_24h=-NOW["return_24h"])
    assert coins.headline(fallen) == "1 of 2 coins is higher than 24 hours ago; most Pepe </script> (+20.0%)"
    both = NOW.assign(return_24h=[-0.01, 0.0, -0.2])
    assert coins.headline(both) == "Both coins are lower than 24 hours ago; Pepe </script> lost most (−20.0%)"
    alike = coins.build(frames(market_now=NOW.assign(return_24h=0.0125)), built_at=BUILT_AT)
    assert (alike.headline, alike.cards) == ("Both coins are higher than 24 hours ago", [])


def test_the_whole_market_and_the_part_of_pegged_coins(page):
    section = page.sections["market"]
    assert section.finding == "The whole market is worth $2.40\u00a0T; Bitcoin has 50% of it"
    told = re.findall(r'row">(.*?)</th><td>(.*?)</td>', section.table)
    assert told == [
        ("Market value", "$2.40\u00a0T"),
        ("Since the day before", "+20.0%"),
        ("Bitcoin’s part", "50.0%"),
        ("Part of the pegged coins listed", "7.5%"),
        ("Traded in 24 hours, coins listed", "$69.2\u00a0B"),
    ]
    (line,) = section.figure["data"]
    assert (line["x"], line["y"]) == (["2026-08-10", "2026-08-11"], [2.0e12, 2.4e12])
    one_day = coins.build(frames(market_daily=MARKET.tail(1)), built_at=BUILT_AT).sections["market"]
    assert one_day.figure is None and "<td>n/a</td>" in one_day.table


def test_risk_compares_the_calmer_half_with_the_wilder_one(page):
    assert page.sections["risk"].missing == "It needs 4 free coins with 90 days of closes."
    ids = ["a", "b", "c", "d", "e"]
    now = pd.concat([NOW.head(1)] * 5, ignore_index=True).assign(coin_id=ids, name=ids, symbol=ids)
    trends = (
        TRENDS.head(1)
        .merge(pd.Series(ids, name="other"), how="cross")
        .assign(coin_id=ids, volatility_30d=[0.9, 0.2, 0.5, 1.4, 0.3], return_90d=[-0.3, 0.1, 0.0, -0.5, 0.2])
    )
    section = coins.build(frames(market_now=now, market_trends_daily=trends), built_at=BUILT_AT).sections["risk"]
    assert section.finding == "In 90 days the calmer half of 5 coins moved +15%, the wilder −40%"
    (points,) = section.figure["data"]
    assert points["text"] == ["b", "e", "c", "a", "d"]
    assert list(zip(points["x"], points["y"], strict=True)) == [
        (0.2, 0.1),
        (0.3, 0.2),
        (0.5, 0),
        (0.9, -0.3),
        (1.4, -0.5),
    ]


def test_the_sql_of_risk_and_market_gives_the_rows_of_their_figures():
    opened = lake(gold_frames.gold(days=120, copies={"dogecoin": "bitcoin"}))
    page = coins.build(coins.read(opened), built_at=BUILT_AT)
    opened.spark.sql("USE spark_catalog")
    found = opened.spark.sql(page.sections["risk"].query).toPandas()
    (points,) = page.sections["risk"].figure["data"]
    assert found["coin"].tolist() == points["text"]
    assert found["volatility_30d"].tolist() == pytest.approx(points["x"], rel=1e-5)
    assert found["return_90d"].tolist() == pytest.approx(points["y"], rel=1e-5)
    market = opened.spark.sql(page.sections["market"].query).toPandas()
    assert market["total_market_cap"].tolist() == [2.4e12]


def test_without_snapshots_or_events_the_page_says_so():
    page = built("coins", gold_frames.empty())
    assert (page.headline, page.banner.word) == ("No coin has been seen yet", "No data yet.")
    assert all(section.missing for section in page.sections.values())
    quiet = coins.build(frames(market_events=EVENTS.iloc[:0]), built_at=BUILT_AT)
    assert quiet.lead == (
        "In the last seven days nothing happened that is told here: no record, no cross, no lost peg."
    )
    assert quiet.sections["happened"].missing == "Nothing in the last seven days."


def test_a_page_of_250_coins_stays_below_its_size():
    ids = [f"a-coin-of-some-length-{number}" for number in range(250)]
    now = pd.concat([NOW.head(1)] * 250, ignore_index=True).assign(coin_id=ids, name=ids)
    dates = pd.date_range(end="2026-08-11", periods=365)
    days = pd.concat(
        pd.DataFrame({"coin_id": coin_id, "date": dates[-length:], "close": 12.345678, "total_volume": 1.2345e9})
        for coin_id, length in zip(ids, [365] * 50 + [14] * 200, strict=True)
    )
    weeks = pd.concat(
        pd.DataFrame({"coin_id": coin_id, "week": dates[::7], "is_complete": True}).assign(
            open=12.345678, high=13.456789, low=11.234567, close=12.345678
        )
        for coin_id in ids[:50]
    )
    page = coins.build(frames(market_now=now, histories=days, candle_weekly=weeks), built_at=BUILT_AT)
    assert 400_000 < len(page.html().encode()) < 1_000_000


def start(folder):
    text = (folder / "out" / "index.html").read_text(encoding="utf-8")
    changed = text[text.index("What changed") :]
    return [re.sub(r"<[^>]*>", "", line).strip() for line in re.findall(r"<(?:h3|li|p)[ >].*", changed)]


def test_the_start_page_tells_what_happened_since_the_page_before(tmp_path):
    report = built("price_averages", gold_frames.gold(coins=2, days=10))

    def rendered(page):
        written = executed.written(report, tmp_path / f"{NOTEBOOK}.ipynb", {"coins": page})
        rendering.render(written, tmp_path / "out" / "price_averages.html")
        assert (tmp_path / "out" / "coins.html").read_text(encoding="utf-8") == page.html()
        readme = rendering.publish({"price_averages": written}, tmp_path / "out", pictures=False)
        assert f"| [Coins](coins.html) | {page.headline} | 0.1 MB |" in readme.read_text(encoding="utf-8")
        return start(tmp_path)

    earlier = NOW.assign(snapshot_at=pd.Timestamp("2026-08-11 06:00"))
    before = coins.build(frames(market_now=earlier, market_events=EVENTS.iloc[1:]), built_at=BUILT_AT)
    after = coins.build(frames(), built_at=BUILT_AT)
    peg = "11 Aug 2026 00:00 UTC: Tether left its peg: it closed at $0.950, usual is $1.00"
    left = "10 Aug 2026 14:00 UTC: gone is no longer among the largest coins; it was last at rank 250"
    volume = "12 Aug 2026 00:00 UTC: Bitcoin was traded for $60.0\u00a0B in a day, 4.0 times the usual"
    assert rendered(before) == ["In the last seven days", peg, left]
    expected = ["Since the page before, of 11 Aug 2026 06:00 UTC", volume, "In the seven days before", peg, left]
    assert rendered(after) == expected
    # The same page once more: nothing is newer, and the page before stays the one that it was.
    assert rendered(after) == expected
