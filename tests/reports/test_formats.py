"""Numbers as readers see them: a table of examples, with null, zero, negative zero, tiny and huge."""

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from coinlake.reports.page import formats

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (109_163.4, "$109,163"),
        (1_000, "$1,000"),
        (999.996, "$1,000"),
        (999.994, "$999.99"),
        (544.264, "$544.26"),
        (4.3, "$4.30"),
        (1, "$1.00"),
        (0.9996, "$1.00"),
        (0.9994, "$0.999"),
        (0.05271, "$0.0527"),
        (0.0000579, "$0.0000579"),
        (1e-5, "$0.0000100"),
        (1e-12, "$0.00000000000100"),
        (0, "$0.00"),
        (-0.0, "$0.00"),
        (-3.2, "−$3.20"),
        (1e12, "$1,000,000,000,000"),
        (None, "n/a"),
        (NAN, "n/a"),
        (float("inf"), "n/a"),
    ],
)
def test_money(value, text):
    assert formats.money(value) == text


@pytest.mark.parametrize(
    ("currency", "text"),
    [("eur", "€12.50"), ("chf", "CHF\u00a012.50"), ("BTC", "BTC\u00a012.50"), ("pln", "PLN\u00a012.50")],
)
def test_money_of_other_currencies(currency, text):
    assert formats.money(12.5, currency) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5712e12, "$1.57\u00a0T"),
        (34.5e9, "$34.5\u00a0B"),
        (999_999_999, "$1.00\u00a0B"),
        (120e6, "$120\u00a0M"),
        (-5_300, "−$5.30\u00a0K"),
        (999, "$999.00"),
        (None, "n/a"),
    ],
)
def test_big_money(value, text):
    assert formats.big_money(value) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.03, 1, "+3.0%"),
        (-0.03, 1, "−3.0%"),
        (0, 1, "0.0%"),
        (-0.0, 1, "0.0%"),
        (0.0004, 1, "0.0%"),
        (-0.0004, 1, "0.0%"),
        (12.345, 0, "+1,234%"),
        (-0.999, 0, "−100%"),
        (None, 1, "n/a"),
        (NAN, 0, "n/a"),
    ],
)
def test_percent(value, decimals, text):
    assert formats.percent(value, decimals) == text


def test_other_numbers():
    assert [formats.ratio(value) for value in (0.789, -0.117, -0.001, None)] == ["0.79", "−0.12", "0.00", "n/a"]
    assert [formats.count(value) for value in (6125, 0, -0.2, 1e12, None)] == [
        "6,125",
        "0",
        "0",
        "1,000,000,000,000",
        "n/a",
    ]
    assert [formats.counted(number, "coin") for number in (0, 1, 2)] == ["0 coins", "1 coin", "2 coins"]
    assert [formats.size(number) for number in (0, 812, 1_240_000, 2.5e9, None)] == [
        "0 B",
        "812 B",
        "1.2 MB",
        "2.5 GB",
        "n/a",
    ]


def test_time():
    assert formats.day(date(2025, 9, 2)) == "2 Sep 2025"
    assert formats.day(pd.NaT) == formats.day(None) == "n/a"
    assert formats.month(date(2025, 9, 2)) == "Sep 2025"
    assert formats.instant(datetime(2026, 11, 24, 8, 52, tzinfo=UTC)) == "24 Nov 2026 08:52 UTC"
    seconds = (0.04, 9.94, 9.96, 42.4, 125, 3_780, None)
    assert [formats.duration(value).replace("\u00a0", " ") for value in seconds] == [
        "0.0 s",
        "9.9 s",
        "10 s",
        "42 s",
        "2 min 5 s",
        "1 h 3 min",
        "n/a",
    ]
    assert [formats.age(hours) for hours in (-1, 0.2, 14.4, 47.9, 48, 100, None)] == [
        "0 h",
        "0 h",
        "14 h",
        "48 h",
        "2 days",
        "4 days",
        "n/a",
    ]


def test_words_follow_what_is_shown():
    assert [formats.arrow(value) for value in (0.01, -0.01, 0.0001, None)] == ["▲", "▼", "", ""]
    assert [formats.direction(value, "up", "down", "flat") for value in (0.2, -0.2, -0.0001)] == [
        "up",
        "down",
        "flat",
    ]
    assert formats.listed([]) == ""
    assert formats.listed(["A"]) == "A"
    assert formats.listed(["A", "B", "C"]) == "A, B and C"
    assert formats.listed(list("ABCDEFG"), 2) == "A, B and 5 more"
    assert formats.fitting("x" * 76, "short") == "short"
