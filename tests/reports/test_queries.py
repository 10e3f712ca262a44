"""The SQL beside a figure gives the rows that its file holds, over the whole period and in each range."""

import html
import math

import pandas as pd
import pytest

from tests.support import gold_frames
from tests.support.built_reports import BUILT_AT, MODULES, lake

PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module")
def market():
    """Gold of ten coins, one pegged, one a copy, one young; and the two market reports over it."""
    opened = lake(gold_frames.gold(days=420, young={"pepe": 3}, copies={"dogecoin": "bitcoin"}))
    return opened, [
        MODULES[name].build(MODULES[name].read(opened), built_at=BUILT_AT)
        for name in ("market_trends", "price_averages")
    ]


def rows(figure):
    """What the page's script saves of a figure: (series, date or coin, numbers)."""
    found = []
    for trace in figure["data"]:
        if not trace["name"]:
            continue
        across = trace.get("orientation") == "h"
        at = trace["y"] if across else trace["x"]
        values = [trace.get("customdata") or trace["x"]] if across else [trace["y"]] if "y" in trace else None
        columns = values or [trace[price] for price in PRICES]
        name = f"{trace['meta']}, {trace['name']}" if "meta" in trace else trace["name"]
        found += [
            (html.unescape(name), html.unescape(one), numbers)
            for one, numbers in zip(at, zip(*columns, strict=True), strict=True)
            if numbers[0] is not None
        ]
    return sorted(found)


def answered(opened, query):
    frame = opened.spark.sql(query.replace("{", "{{").replace("}", "}}")).toPandas()
    return sorted(
        (series, one if isinstance(one, str) else f"{pd.Timestamp(one):%Y-%m-%d}", tuple(numbers))
        for series, one, *numbers in frame.itertuples(index=False)
    )


def test_every_figure_has_the_sql_of_its_rows(market):
    opened, reports = market
    opened.spark.sql("USE spark_catalog")
    looked_at = set()
    for report in reports:
        for days, one in [("", report), *report.ranges.items()]:
            for section in one.sections.values():
                if section.figure is None:
                    continue
                looked_at.add(f"{section.key} {days}".strip())
                drawn, found = rows(section.figure), answered(opened, section.query)
                assert [row[:2] for row in drawn] == [row[:2] for row in found], section.key
                for (series, at, expected), (*_, numbers) in zip(drawn, found, strict=True):
                    near = [
                        math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5)
                        for a, b in zip(expected, numbers, strict=True)
                    ]
                    assert all(near), (section.key, days, series, at, expected, numbers)
    assert looked_at == {
        "distance",
        *(
            f"{key}{days}"
            for key in (
                *("performance", "ranking", "drawdown", "breadth", "volatility", "sentiment", "dominance"),
                *("bitcoin", "coins", "weeks"),
            )
            for days in ("", " 30", " 90")
        ),
    }


def test_the_tables_of_a_query_are_told_with_their_versions(market):
    _, (trends, _) = market
    shown = trends.show("drawdown").payload["html"]
    assert "aggregated_data.market_trends_daily, version 3, aggregated_data.dim_coin" in shown
