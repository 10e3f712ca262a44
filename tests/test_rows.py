"""What a comparison of rows says when they differ."""

import pytest

from tests.support.rows import assert_rows

COLUMNS = ("coin_id", "price", "rank")
EXPECTED = [("bitcoin", 0.1 + 0.2, 1), ("ether", 1800.0, 2), ("tether", None, 3)]


def said(found, columns=COLUMNS) -> list[str]:
    with pytest.raises(AssertionError) as difference:
        assert_rows(found, EXPECTED, columns)
    return str(difference.value).splitlines()


def test_equal_rows_say_nothing():
    assert_rows([list(row) for row in EXPECTED], EXPECTED)


def test_only_rows_and_columns_that_differ_are_named():
    found = [("bitcoin", 0.3, 1), EXPECTED[1], ("tether", 1.0, 4)]
    assert said(found) == [
        "3 rows, expected 3:",
        "  row 0, price: 0.3, expected 0.30000000000000004",
        "  row 2, price: 1.0, expected None",
        "  row 2, rank: 4, expected 3",
    ]
    assert said([("bitcoin", 0.3, 1), *EXPECTED[1:]], columns=())[1] == (
        "  row 0, column 1: 0.3, expected 0.30000000000000004"
    )


def test_rows_that_are_missing_or_too_many_do_not_shift_the_others():
    assert said(EXPECTED[1:]) == ["2 rows, expected 3:", f"  a row is missing: {EXPECTED[0]!r}"]
    doubled = [EXPECTED[0], EXPECTED[0], *EXPECTED[1:]]
    assert said(doubled) == ["4 rows, expected 3:", f"  row 0 is not expected: {EXPECTED[0]!r}"]


def test_the_order_counts():
    assert said(EXPECTED[::-1])[0] == "3 rows, expected 3:"


def test_a_row_of_another_width_is_shown_whole():
    assert said([("bitcoin",), *EXPECTED[1:]])[1] == (
        f"  row 0 has 1 columns, expected 3: ('bitcoin',), expected {EXPECTED[0]!r}"
    )


def test_a_frame_names_its_columns(spark):
    frame = spark.createDataFrame([("tether", 1.5), ("bitcoin", 0.1)], "coin_id string, price double")
    assert_rows(frame, [("bitcoin", 0.1), ("tether", 1.5)])
    with pytest.raises(AssertionError, match=r"^2 rows, expected 2:\n  row 1, price: 1\.5, expected 1\.25$"):
        assert_rows(frame, [("bitcoin", 0.1), ("tether", 1.25)])
