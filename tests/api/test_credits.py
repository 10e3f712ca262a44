"""The credits of a month: what is kept of them, and where they lead."""

from datetime import date

import pytest

from coinlake import api


def test_a_tenth_of_a_month_is_kept_and_never_less():
    budgets = (0, 1, 10, 11, 10_000)
    assert [api.kept_for_present(budget) for budget in budgets] == [0, 1, 1, 2, 1000]
    assert api.choose_tier("demo").kept_for_present == 1000
    assert api.choose_tier("keyless").kept_for_present == 0


@pytest.mark.parametrize(
    ("daily", "today", "projected"),
    [
        ({}, date(2026, 8, 12), 0),
        # A day of 50 and every day from then on.
        ({date(2026, 8, 12): 50}, date(2026, 8, 12), 50 + 19 * 50),
        # A history of 700 weighs on the pace for a week, then 24 a day are left.
        (
            {date(2026, 8, day): 700 if day == 1 else 24 for day in range(1, 7)},
            date(2026, 8, 6),
            820 + 25 * 820 / 6,
        ),
        ({date(2026, 8, day): 700 if day == 1 else 24 for day in range(1, 9)}, date(2026, 8, 8), 868 + 23 * 24),
        # A day without a call counts for the pace; a month ago counts for nothing.
        ({date(2026, 8, 5): 10, date(2026, 8, 9): 60}, date(2026, 8, 10), 70 + 21 * 70 / 6),
        ({date(2026, 7, 1): 9_999}, date(2026, 8, 10), 0),
        # The pace comes over the turn of the month, the sum does not.
        ({date(2026, 7, 31): 14, date(2026, 8, 1): 7}, date(2026, 8, 1), 7 + 30 * 21 / 2),
        ({date(2026, 2, 28): 5}, date(2026, 2, 28), 5),
    ],
)
def test_the_month_at_the_pace_of_its_last_seven_days(daily, today, projected):
    assert api.projected_credits(daily, today) == pytest.approx(projected)
