"""Exercises of notebook 06: a frame with holes, and a sentence that cannot lie."""

import pandas as pd

from coinlake.course.exercise import WRITE, Case, Exercise, tried_on

NONE = float("nan")


def averages(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    """Rows of price averages: coin_id, date, close, average_7d, average_30d."""
    return pd.DataFrame(rows, columns=["coin_id", "date", "close", "average_7d", "average_30d"])


USUAL = averages(
    ("a", "2026-08-01", 9.0, 5.0, 5.0),
    ("a", "2026-08-02", 4.0, 5.0, 5.0),
    ("b", "2026-08-02", 6.0, 5.0, 5.0),
    ("b", "2026-08-01", 1.0, 5.0, 5.0),
)

EXERCISES = (
    Exercise(
        number="06.1",
        kind=WRITE,
        idea="count what is known, on each coin's newest day",
        judge=tried_on(
            Case((USUAL, 30), 1, "Each coin counts once, on its newest day, whatever the order of the rows."),
            Case(
                (averages(("a", "2026-08-01", 9.0, 5.0, NONE)), 30),
                0,
                "An average that is not there is not below.",
            ),
            Case(
                (averages(("a", "2026-08-01", 9.0, 5.0, NONE)), 7), 1, "The length of the average is an argument."
            ),
            Case((averages(("a", "2026-08-01", 5.0, 5.0, 5.0)), 7), 0, "As high as the average is not above it."),
            Case((averages(), 7), 0, "A frame without rows has no coin above anything."),
        ),
        hints=(
            "Sort by date, then .groupby('coin_id').tail(1) is the newest row of each coin.",
            "Compare with newest[f'average_{days}d']; a comparison with NaN is False; .sum() counts what is True.",
        ),
        solution="""
            def above(averages, days):
                newest = averages.sort_values("date").groupby("coin_id").tail(1)
                return int((newest["close"] > newest[f"average_{days}d"]).sum())
        """,
    ),
    Exercise(
        number="06.2",
        kind=WRITE,
        idea="a headline that is computed, so that it never lies about its chart",
        judge=tried_on(
            Case(("Bitcoin", 0.083), "Bitcoin rose 8.3 %", "A rise:"),
            Case(
                ("Ether", -0.125), "Ether fell 12.5 %", "The verb says the direction, so the number has no sign:"
            ),
            Case(("Tether", 0.0), "Tether stood still", "What did not change neither rose nor fell:"),
            Case(
                ("Tether", -0.0004),
                "Tether stood still",
                "What the reader would see as 0.0 % neither rose nor fell:",
            ),
            Case(
                ("New coin", float("nan")),
                "New coin has no history yet",
                "A change that is not known has no verb:",
            ),
        ),
        hints=(
            "Decide by what is shown: round(abs(change) * 100, 1).",
            "The order matters: not known (change != change), then 0.0, then the verb by the sign.",
        ),
        solution="""
            def headline(name, change):
                if change != change:
                    return f"{name} has no history yet"
                percent = round(abs(change) * 100, 1)
                if percent == 0:
                    return f"{name} stood still"
                return f"{name} {'rose' if change > 0 else 'fell'} {percent} %"
        """,
    ),
)
