"""Whatever silver accepts can be drawn: one coin, one day or one section ends no report."""

import numpy as np
import pandas as pd
import pytest

from coinlake.reports import market_trends
from coinlake.reports.page import Section, charts
from tests.support.built_reports import BUILT_AT, MODULES, lake

pytestmark = pytest.mark.slow

UNABLE = "It could not be drawn"
DAILY = ("market_trends_daily", "price_averages_daily", "fact_price_daily")
# What a price or a market cap may be: silver takes every finite number from 0 on.
ODD = (0.0, 5e-324, 1e-12, 1e12, 1e30, 1.7e308)


def with_close(tables, coin_id, days, value):
    """The tables with another close (open, high, low) of a coin on the days of these places from its newest."""
    changed = dict(tables)
    for name in DAILY:
        frame = tables[name].copy()
        own = frame.index[frame["coin_id"] == coin_id]
        places = [own[-1 - day] for day in days if day < len(own)]
        for column in {"open", "high", "low", "close"} & set(frame.columns):
            frame.loc[places, column] = value
        changed[name] = frame
    return changed


def without_caps(tables, coin_id):
    trends = tables["market_trends_daily"].copy()
    trends.loc[trends["coin_id"] == coin_id, "market_cap"] = np.nan
    return tables | {"market_trends_daily": trends}


def without_history(tables, coin_id):
    return tables | {name: tables[name][tables[name]["coin_id"] != coin_id] for name in DAILY}


def drawn(tables):
    """Both market reports over these tables, as pages; why each section is missing, by its key."""
    opened, reasons = lake(tables), {}
    for name in ("market_trends", "price_averages"):
        report = MODULES[name].build(MODULES[name].read(opened), built_at=BUILT_AT)
        assert report.headline not in {"Market trends", "Price averages"}
        assert "</html>" in report.html()
        reasons |= {key: section.missing for key, section in report.sections.items() if section.missing}
    return reasons


CASES = {
    "a close of 0": lambda tables: with_close(tables, "litecoin", [100], 0.0),
    "a first close of 0": lambda tables: with_close(tables, "litecoin", [399, 364, 365, 366], 0.0),
    "a newest close of 0": lambda tables: with_close(tables, "bitcoin", [0], 0.0),
    "a coin that is worth nothing": lambda tables: with_close(tables, "dogecoin", range(400), 0.0),
    "a leader that is worth nothing": lambda tables: with_close(tables, "bitcoin", range(400), 0.0),
    "a coin beyond all others": lambda tables: with_close(tables, "tether", [50], 1.7e308),
    "a leader beyond all others": lambda tables: with_close(tables, "ethereum", range(200), 1e30),
    "a refused chart": lambda tables: without_history(tables, "ethereum"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_odd_price_is_drawn(tables, case):
    assert drawn(CASES[case](tables)) == {}


@pytest.mark.parametrize("coin_id", ["bitcoin", "ethereum"])
def test_what_a_section_lacks_is_said(tables, coin_id):
    assert drawn(without_caps(tables, coin_id)) == {
        "dominance": "It needs two days with market caps of Bitcoin and Ethereum."
    }


@pytest.mark.parametrize("seed", range(3))
def test_odd_prices_of_some_coins_on_some_days_are_drawn(tables, seed):
    random = np.random.default_rng(seed)
    for coin_id in random.choice(tables["dim_coin"]["coin_id"].unique(), 3, replace=False):
        days = random.integers(0, 400, size=random.integers(1, 60))
        tables = with_close(tables, coin_id, days, ODD[random.integers(len(ODD))])
        if random.random() < 0.3:
            tables = without_caps(tables, coin_id)
    assert set(drawn(tables)) <= {"dominance"}


def test_a_gap_stands_for_0_on_a_log_axis():
    days = pd.date_range("2026-08-01", periods=4)
    line = charts.line(pd.Series([100.0, 0.0, 50.0, 0.0], days), "#000", "a")
    figure = charts.over_time([line], [(0, "A")], y_title="", log=True)
    assert figure["data"][0]["y"] == [100, None, 50, None]
    [label] = figure["layout"]["annotations"]
    assert (label["x"], label["y"]) == ("2026-08-03", pytest.approx(np.log10(50), abs=1e-5))


@pytest.mark.parametrize(
    "figure",
    [{"data": [], "layout": {}}, {"data": [{"y": [float("nan")]}], "layout": {}}],
    ids=["raises", "no JSON"],
)
def test_a_section_that_fails_ends_no_report(gold, monkeypatch, figure):
    def breaks(*_):
        if figure["data"]:
            return Section("breadth", "Breadth", "It rose", "", "", figure=figure)
        raise IndexError("no such coin")

    monkeypatch.setattr(market_trends, "breadth", breaks)
    why = r"breaks failed: IndexError: no such coin" if not figure["data"] else "_chart failed: ValueError"
    with pytest.warns(UserWarning, match=why):
        report = market_trends.build(gold["market_trends"], built_at=BUILT_AT)
    missing = {key: section.missing for key, section in report.sections.items() if section.missing}
    assert list(missing) == ["breadth"] and missing["breadth"].startswith(UNABLE)
    assert "</html>" in report.html()
