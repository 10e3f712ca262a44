"""Every point of a figure is a value of gold, or what plain arithmetic makes of it."""

import copy
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from coinlake.reports import market_trends, price_averages
from coinlake.reports.data import Universe
from coinlake.reports.page import charts, style


def points(trace):
    """A trace as a series of known values by day."""
    return pd.Series(trace["y"], index=pd.to_datetime(trace["x"]), dtype=float).dropna()


def named(figure, name):
    return next(trace for trace in figure["data"] if trace.get("name") == name)


def of_gold(frame, coin_id, column, days=365):
    rows = frame[frame["coin_id"] == coin_id].set_index(
        pd.to_datetime(frame.loc[frame["coin_id"] == coin_id, "date"])
    )
    return rows[column].astype(float).tail(days).dropna()


def assert_same(trace, expected):
    found = points(trace)
    assert list(found.index) == list(expected.index)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_performance_starts_at_100_and_follows_the_closes(reports, tables):
    figure = reports["market_trends"].sections["performance"].figure
    for coin_id, name in (("bitcoin", "Bitcoin"), ("ethereum", "Ethereum")):
        closes = of_gold(tables["market_trends_daily"], coin_id, "close")
        assert_same(named(figure, name), closes / closes.iloc[0] * 100)
    old = [coin_id for coin_id in tables["dim_coin"]["coin_id"] if coin_id not in {"pepe", "tether"}]
    index = pd.DataFrame({c: of_gold(tables["market_trends_daily"], c, "close") for c in old})
    assert_same(named(figure, "Median coin"), (index / index.iloc[0] * 100).median(axis=1))
    assert figure["layout"]["yaxis"]["type"] == "log"


def test_volatility_is_golds(reports, tables):
    figure = reports["market_trends"].sections["volatility"].figure
    for coin_id, name in (("bitcoin", "Bitcoin"), ("ethereum", "Ethereum")):
        assert_same(named(figure, name), of_gold(tables["market_trends_daily"], coin_id, "volatility_30d"))


def test_drawdown_is_below_the_highest_close_of_the_period(reports, tables):
    figure = reports["market_trends"].sections["drawdown"].figure
    for coin_id, name in (("bitcoin", "Bitcoin"), ("ethereum", "Ethereum")):
        closes = of_gold(tables["market_trends_daily"], coin_id, "close")
        assert_same(named(figure, name), closes / closes.cummax() - 1)


def test_ranking_is_the_change_of_each_coin(reports, tables):
    (bars,) = reports["market_trends"].sections["ranking"].figure["data"]
    symbols = tables["dim_coin"].set_index("coin_id")["symbol"]
    expected = {}
    for coin_id in symbols.index.drop(["pepe", "tether"]):
        closes = of_gold(tables["market_trends_daily"], coin_id, "close")
        expected[symbols[coin_id]] = closes.iloc[-1] / closes.iloc[0] - 1
    assert dict(zip(bars["y"], bars["x"], strict=True)) == pytest.approx(expected, rel=1e-5)
    assert bars["x"] == sorted(bars["x"], reverse=True)


def test_breadth_and_mood_are_golds(reports, tables):
    market = tables["market_daily"].set_index(pd.to_datetime(tables["market_daily"]["date"])).tail(365)
    sections = reports["market_trends"].sections
    trends = tables["market_trends_daily"]
    free = trends[(trends["coin_id"] != "tether") & trends["above_average_50d"].notna()]
    share = free.astype({"above_average_50d": float}).groupby("date")["above_average_50d"].mean().tail(365)
    share.index = pd.to_datetime(share.index)
    assert_same(sections["breadth"].figure["data"][0], share)
    bars, price = sections["sentiment"].figure["data"]
    assert_same(bars, market["fear_greed_value"].astype(float))
    assert bars["customdata"] == market["fear_greed_classification"].tolist()
    assert_same(price, of_gold(tables["market_trends_daily"], "bitcoin", "close"))


def test_dominance_divides_the_market_value(reports, tables):
    figure = reports["market_trends"].sections["dominance"].figure
    trends = tables["market_trends_daily"].assign(date=pd.to_datetime(tables["market_trends_daily"]["date"]))
    caps = trends.pivot(index="date", columns="coin_id", values="market_cap").tail(365)
    caps = caps.drop(columns="tether")
    assert_same(named(figure, "Bitcoin"), caps["bitcoin"] / caps.sum(axis=1))
    total = sum(np.array(trace["y"]) for trace in figure["data"])
    np.testing.assert_allclose(total, 1, rtol=1e-5)


@pytest.mark.parametrize("days", price_averages.WINDOWS)
def test_averages_are_recomputed_from_closes_and_null_before_their_window_is_full(days):
    from tests.support import gold_frames
    from tests.support.built_reports import built

    young = gold_frames.gold(coins=3, days=230)
    figure = built("price_averages", young).sections["bitcoin"].figure
    closes = of_gold(young["price_averages_daily"], "bitcoin", "close")
    trace = named(figure, f"{days} days")
    assert trace["y"][: days - 1] == [None] * (days - 1)
    assert_same(trace, closes.rolling(days).mean().dropna())


def test_distance_compares_the_last_close_with_its_averages(reports, tables):
    bars, diamonds = reports["price_averages"].sections["distance"].figure["data"]
    symbols = tables["dim_coin"].set_index("coin_id")["symbol"]
    for trace, column in ((bars, "average_200d"), (diamonds, "average_30d")):
        expected = {}
        for coin_id in symbols.index.drop(["pepe", "tether"]):
            close = of_gold(tables["price_averages_daily"], coin_id, "close").iloc[-1]
            average = of_gold(tables["price_averages_daily"], coin_id, column).iloc[-1]
            expected[symbols[coin_id]] = close / average - 1
        assert dict(zip(trace["y"], trace["x"], strict=True)) == pytest.approx(expected, rel=1e-4, abs=1e-7)


def test_candles_are_golds(reports, tables):
    weeks, pale = reports["price_averages"].sections["weeks"].figure["data"]
    of_bitcoin = tables["candle_weekly"][tables["candle_weekly"]["coin_id"] == "bitcoin"]
    own = of_bitcoin[of_bitcoin["is_complete"]].tail(len(weeks["x"]))
    assert (pale["x"], pale["name"], pale["opacity"]) == (["2026-08-10"], "Bitcoin, not complete", 0.45)
    for column in ("open", "high", "low", "close"):
        np.testing.assert_allclose(weeks[column], own[column], rtol=1e-5)
    assert weeks["x"] == [f"{week}" for week in own["week"]]


def test_operations_are_golds(reports, tables):
    sections = reports["pipeline_health"].sections
    last = tables["run_steps"].tail(8)
    (bars,) = sections["timeline"].figure["data"]
    assert bars["y"] == last["step"].tolist()
    np.testing.assert_allclose(bars["x"], last["seconds"], rtol=1e-5)
    used = sections["budget"].figure["data"][0]
    month = tables["api_usage"][tables["api_usage"]["date"].astype(str) >= "2026-08-01"]
    np.testing.assert_allclose(used["y"], month.groupby("date")["credits"].sum().cumsum())
    still_out, passed = sections["quarantine"].figure["data"]
    by_reason = dict(zip(still_out["y"], zip(still_out["x"], passed["x"], strict=True), strict=True))
    assert by_reason == {"timestamp_out_of_range": (0, 30), "price_missing": (17, 4), "not_json": (2, 0)}


def test_plotly_knows_every_property_of_every_figure(reports):
    for report in reports.values():
        for section in report.sections.values():
            if section.figure:
                go.Figure(copy.deepcopy(section.figure))


def test_labels_at_the_ends_of_lines_do_not_cover_each_other(reports):
    for report in reports.values():
        for section in report.sections.values():
            layout = (section.figure or {"layout": {}})["layout"]
            labels = [note for note in layout.get("annotations", []) if note["name"].startswith("end ")]
            if not labels:
                continue
            low, high = layout["yaxis"]["range"]
            height = layout["height"] - layout["margin"]["t"] - layout["margin"]["b"]
            middles = sorted((label["y"] - low) / (high - low) * height + label["yshift"] for label in labels)
            assert all(b - a >= charts.LABEL_GAP - 0.2 for a, b in pairwise(middles)), section.key


@pytest.mark.parametrize(
    ("positions", "places"),
    [
        ([], []),
        ([5], [5]),
        ([0, 100], [0, 100]),
        ([10, 10], [5, 15]),
        ([4, 0, 100], [7, -3, 100]),
        ([0, 8, 9, 30], [-4.333, 5.667, 15.667, 30]),
    ],
)
def test_spread_keeps_the_order_and_the_middle_of_what_it_moves(positions, places):
    moved = charts.spread(positions, 10)
    assert [p + shift for p, shift in zip(positions, moved, strict=True)] == pytest.approx(places, abs=1e-3)


def test_one_giant_does_not_press_the_other_bars_flat():
    (bars,) = charts.diverging_bars(
        ["A", "B", "C"], [20.0, 0.5, -0.4], name="", x_title="", texts=["+2,000%", "+50%", "−40%"]
    )["data"]
    assert bars["x"] == [0.75, 0.5, -0.4]
    assert bars["text"] == ["+2,000% →", "+50%", "−40%"]
    assert bars["customdata"] == [20, 0.5, -0.4]
    (bars,) = charts.diverging_bars(["A", "B"], [0.02, -0.13], name="", x_title="")["data"]
    assert (bars["x"], bars["text"]) == ([0.02, -0.03], ["", "← −13%"])


def test_one_collapse_does_not_press_the_other_lines_flat():
    dates = pd.date_range("2026-01-01", periods=3)
    traces = [
        charts.line(pd.Series(values, index=dates), "#0072b2", name)
        for name, values in (("Kept", [100.0, 90.0, 110.0]), ("Lost", [100.0, 1.0, 0.001]))
    ]
    layout = charts.over_time(traces, [(0, "K"), (1, "L")], y_title="", log=True, limits=(2.0, 5000.0))["layout"]
    low, high = layout["yaxis"]["range"]
    assert (10**low, traces[1]["y"]) == (pytest.approx(2.0, rel=1e-5), [100, 1, 0.001])
    assert layout["annotations"][1]["y"] == low
    assert 10**high < 200


def test_numbers_are_short_and_never_nan():
    assert charts.numbers([1 / 3, 123456.789, 1e-9 / 3, 2.0, np.int64(5), float("nan"), None, math.inf]) == [
        0.333333,
        123457,
        3.33333e-10,
        2,
        5,
        None,
        None,
        None,
    ]


def test_a_missing_day_is_a_gap_and_not_a_line():
    coins = pd.DataFrame(
        {"coin_id": ["a"], "symbol": "A", "name": "A", "kind": "free", "original_id": None, "market_cap": 1.0}
    )
    dates = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-04"])
    daily = pd.DataFrame({"coin_id": "a", "date": dates, "close": [1.0, 2.0, 3.0]})
    section = market_trends.performance(Universe(coins, daily))
    assert named(section.figure, "A")["y"] == [100, 200, None, 300]


@pytest.mark.parametrize(
    ("currency", "low", "high", "texts"),
    [
        ("usd", 41_300.0, 71_000.0, ["$45,000", "$50,000", "$55,000", "$60,000", "$65,000", "$70,000"]),
        ("usd", 0.287, 0.312, ["$0.290", "$0.295", "$0.300", "$0.305", "$0.310"]),
        ("usd", 0.9, 2.1, ["$1.00", "$1.20", "$1.40", "$1.60", "$1.80", "$2.00"]),
        ("btc", 0.000014, 0.0000162, ["BTC\u00a00.0000140", "BTC\u00a00.0000145", "BTC\u00a00.0000150"]),
        ("usd", 1.0, 1.0, ["$1.00"]),
    ],
)
def test_the_marks_of_a_price_axis_are_written_as_prices_are(currency, low, high, texts):
    axis = charts.money_axis(currency, low, high)
    assert axis["ticktext"][: len(texts)] == texts
    assert all(low <= tick <= high for tick in axis["tickvals"])


def test_a_page_says_a_figure_in_fewer_words(reports):
    for report in reports.values():
        for section in report.sections.values():
            if section.figure:
                short = charts.short(section.figure)
                whole = style.merged(style.layout(), short["layout"])
                assert whole == section.figure["layout"]
    days = pd.date_range("2026-02-27", periods=3)
    line = charts.line(pd.Series([1.0, 2.0, 3.0], days), "#000", "a")
    weekly = charts.line(pd.Series([1.0, 2.0, 3.0], days[::1] + pd.to_timedelta([0, 6, 13], "D")), "#000", "b")
    short = charts.short({"data": [line, weekly], "layout": style.layout(height=300)})
    assert short["data"][0]["x"] == {"from": "2026-02-27", "step": 1, "count": 3}
    assert short["data"][1]["x"] == ["2026-02-27", "2026-03-06", "2026-03-14"]
    assert short["layout"] == {"height": 300}
