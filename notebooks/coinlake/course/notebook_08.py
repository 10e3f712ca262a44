"""Exercises of notebook 08: the step that is usually the longest, and a share of all requests."""

import pandas as pd

from coinlake.course.exercise import WRITE, Case, Exercise, tried_on


def steps(**seconds: list[float]) -> pd.DataFrame:
    """Records of steps: for each step how long it took in run after run; a step that never ended has NaN."""
    rows = [(name, each, number) for name, times in seconds.items() for number, each in enumerate(times)]
    return pd.DataFrame(rows, columns=["step", "seconds", "run_id"])


def usage(*days: tuple[int, int]) -> pd.DataFrame:
    """Requests by day: attempts, landed."""
    return pd.DataFrame(days, columns=["attempts", "landed"])


NONE = float("nan")

EXERCISES = (
    Exercise(
        number="08.1",
        kind=WRITE,
        idea="tell chance from change, by the median",
        judge=tried_on(
            Case((steps(silver=[4, 5, 6], gold=[7, 8, 9]),), "gold", "The step that always takes longest:"),
            Case(
                (steps(silver=[4, 5, 900], gold=[7, 8, 9]),), "gold", "One slow run is chance, and moves the mean:"
            ),
            Case(
                (steps(silver=[4, 5, 6], load=[9, NONE, NONE]),), "load", "A run that never ended has no seconds:"
            ),
            Case(
                (steps(silver=[5] * 9, gold=[8]),),
                "gold",
                "How often a step ran says nothing about how long it is:",
            ),
            Case((steps(),), None, "Before the first run no step is the longest:"),
        ),
        hints=(
            "Group by step, take seconds, then .median().",
            ".idxmax() is the name of the highest; ask before whether there is any.",
        ),
        solution="""
            def slowest(run_steps):
                medians = run_steps.groupby("step")["seconds"].median()
                return medians.idxmax() if len(medians) else None
        """,
    ),
    Exercise(
        number="08.2",
        kind=WRITE,
        idea="a share of all, not a mean of shares",
        judge=tried_on(
            Case((usage((10, 8)),), 0.8, "One day:"),
            Case(
                (usage((10, 10), (90, 45)),),
                0.55,
                "A day of ten requests must not weigh as much as one of ninety:",
            ),
            Case((usage((0, 0), (4, 2)),), 0.5, "A day without a request has no share of its own:"),
            Case((usage(),), None, "Of no requests there is no share:"),
            Case((usage((0, 0)),), None, "Of no requests there is no share, though there was a day:"),
        ),
        hints=(
            "Divide the sum of landed by the sum of attempts.",
            "Where the sum of attempts is 0, return None.",
        ),
        solution="""
            def share_landed(api_usage):
                attempts = api_usage["attempts"].sum()
                return api_usage["landed"].sum() / attempts if attempts else None
        """,
    ),
)
