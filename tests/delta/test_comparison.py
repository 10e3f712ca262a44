"""Two states of a table, compared key by key."""

import pytest

from coinlake import schema
from coinlake.delta import Comparison, compare
from tests.support.silver_frames import at, frame

TABLE = schema.MARKET_TOTALS


def totals(spark, *rows):
    """Rows of market_totals from (hour, total market cap by currency, file)."""
    return frame(
        spark,
        TABLE,
        [
            {
                "snapshot_at": at(f"2026-08-12 {hour:02}:00"),
                "total_market_cap": caps,
                "total_volume": {},
                "market_cap_percentage": {"btc": float("nan")},
                "file": file,
            }
            for hour, caps, file in rows
        ],
    )


def key(hour):
    return f'{{"snapshot_at":"2026-08-12T{hour:02}:00:00.000Z"}}'


@pytest.mark.both_sessions
def test_each_kind_of_difference_is_counted_and_shown(spark):
    expected = totals(
        spark, (1, {"usd": 1.0, "eur": 2.0}, "a"), (2, {"usd": 1.0}, "a"), (3, {}, "a"), (4, {}, "a")
    )
    stored = totals(
        spark, (1, {"eur": 2.0, "usd": 1.0}, "a"), (2, {"usd": 1.5}, "a"), (4, {}, "a"), (4, {}, "a"), (5, {}, "a")
    )
    found = compare(TABLE, expected, stored)
    examples = {"differing": [key(2)], "missing": [key(3)], "repeated": [key(4)], "extra": [key(5)]}
    assert found == Comparison(4, missing=1, extra=1, differing=1, repeated=1, examples=examples)
    assert found.problems() == (
        f"1 rows are missing: {key(3)}",
        f"1 rows should not be there: {key(5)}",
        f"1 rows have other values: {key(2)}",
        f"1 keys are there more than once: {key(4)}",
    )


def test_of_several_expected_rows_of_a_key_the_one_of_the_greatest_rank_counts(spark):
    expected = totals(spark, (1, {"usd": 1.0}, "a"), (1, {"usd": 2.0}, "b"))
    assert compare(TABLE, expected, totals(spark, (1, {"usd": 2.0}, "b"))) == Comparison(1)
    assert compare(TABLE, expected, totals(spark, (1, {"usd": 1.0}, "a"))).differing == 1


def test_null_and_no_rows_at_all(spark):
    table = schema.COIN_LIST
    row = {"coin_id": "x", "first_listed_at": at("2026-08-12 01:00"), "last_listed_at": at("2026-08-12 01:00")}
    named = frame(spark, table, [row | {"name": "X", "file": "f"}])
    unnamed = frame(spark, table, [row | {"file": "f"}])
    assert compare(table, unnamed, unnamed) == Comparison(1)
    assert compare(table, named, unnamed).differing == 1
    assert compare(table, unnamed.where("false"), unnamed.where("false")) == Comparison(0)
