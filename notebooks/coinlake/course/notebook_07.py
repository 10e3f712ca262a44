"""Exercises of notebook 07: the deepest fall and its day, and a volatility that is there when its days are."""

import math

import pandas as pd

from coinlake.course.exercise import WRITE, Case, Exercise, tried_on


def closes(*values: float) -> "pd.Series[float]":
    """Closes by day, from 1 August 2026."""
    days = [f"{day:%Y-%m-%d}" for day in pd.date_range("2026-08-01", periods=len(values))]
    return pd.Series(values, index=days, dtype=float)


# Returns of ln 2 and of -ln 2 in turn; the mean of 30 of them is 0.
SWINGS = [1.0 if day % 2 else 2.0 for day in range(31)]
SWINGING = math.log(2) * math.sqrt(30 / 29) * math.sqrt(365)

EXERCISES = (
    Exercise(
        number="07.1",
        kind=WRITE,
        idea="drawdown, and the day on which it was deepest",
        judge=tried_on(
            Case((closes(100, 80, 90),), (-0.2, "2026-08-02"), "A fall of a fifth from the start:"),
            Case(
                (closes(50, 100, 60, 70),),
                (-0.4, "2026-08-03"),
                "The way down begins at the highest close so far, not at the first one:",
            ),
            Case(
                (closes(100, 50, 200, 150),),
                (-0.5, "2026-08-02"),
                "A fall counts from the highest close *before* it; the later peak was not there yet:",
            ),
            Case(
                (closes(1, 2, 3),),
                (0.0, "2026-08-01"),
                "Who only rises has a drawdown of 0 from the first day on:",
            ),
            Case((closes(100, math.nan, 80),), (-0.2, "2026-08-03"), "A day without a close is no fall:"),
        ),
        hints=(
            "The highest close so far is close.cummax().",
            "drawdown = close / close.cummax() - 1; its smallest value is .min(), the day of it .idxmin().",
        ),
        solution="""
            def deepest(close):
                drawdown = close / close.cummax() - 1
                return drawdown.min(), drawdown.idxmin()
        """,
    ),
    Exercise(
        number="07.2",
        kind=WRITE,
        idea="volatility, and when it has no value",
        judge=tried_on(
            Case((closes(*SWINGS),), SWINGING, "The sample standard deviation of 30 log returns, times √365:"),
            Case((closes(*[5.0] * 31),), 0.0, "A price that stands still has a volatility of 0:"),
            Case((closes(*[900.0, 1.0] * 5, *SWINGS),), SWINGING, "Only the last 30 returns count:"),
            Case(
                (closes(*SWINGS[1:]),), None, "30 closes make 29 returns: a window that is not full has no value:"
            ),
        ),
        hints=(
            "np.log(close).diff() gives log returns, of which the first is NaN; .dropna().tail(30) the last 30.",
            "Where there are fewer than 30 return None; else .std() * np.sqrt(365).",
        ),
        solution="""
            import numpy as np


            def volatility(close):
                returns = np.log(close).diff().dropna().tail(30)
                return returns.std() * np.sqrt(365) if len(returns) == 30 else None
        """,
    ),
)
