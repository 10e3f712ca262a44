"""Exercises of the drill Sick records: what was rejected, and a value that waits where it was rescued."""

from collections import Counter
from typing import Any

from coinlake.course.exercise import DO, WRITE, Case, Exercise, Values, tried_on

FILE = '"_file_path": "p0001.json"'


def judge_reasons(answer: Any, values: Values) -> str | None:
    """Counts the reasons of the frame itself."""
    expected = Counter(reason for reasons in values["given"]["_reasons"] for reason in reasons)
    said = dict(answer)
    if said == dict(expected):
        return None
    if set(said) != set(expected):
        return f"There are {len(expected)} different reasons; you name {len(set(said) & set(expected))} of them."
    return "The reasons are right, their numbers are not: a coin may have several reasons, and counts for each."


EXERCISES = (
    Exercise(
        number="D4.1",
        kind=DO,
        idea="say what was rejected and why",
        judge=judge_reasons,
        draw=lambda chance: {"seed": chance.randint(1, 40)},
        hints=(
            "`_reasons` holds a list for each coin: .explode() makes a row of each reason, and drops nothing.",
            'examined["_reasons"].explode().dropna().value_counts().to_dict()',
        ),
        solution="""
            by_reason = examined["_reasons"].explode().dropna().value_counts().to_dict()
        """,
    ),
    Exercise(
        number="D4.2",
        kind=WRITE,
        idea="bring a value back from where it was rescued",
        judge=tried_on(
            Case((5.0, None), 5.0, "What fits its column needs no rescue:"),
            Case((None, f'{{"total_volume": "123.5", {FILE}}}'), 123.5, "A number in quotes is still a number:"),
            Case((None, f'{{"volume": 7, {FILE}}}'), None, "Another field was rescued, not this one:"),
            Case((None, f'{{"total_volume": "n/a", {FILE}}}'), None, "A text that is no number stays unknown:"),
            Case((None, None), None, "Nothing was rescued, and nothing is known:"),
            Case(
                (0.0, f'{{"total_volume": "9", {FILE}}}'),
                0.0,
                "0 is a value, and what stands in the column counts:",
            ),
        ),
        hints=(
            "What was rescued is JSON: json.loads(rescued), and then .get(…); mind None.",
            "float(…) raises ValueError for a text that is no number and TypeError for None: catch both.",
        ),
        solution="""
            def volume(total_volume, rescued):
                if total_volume is not None or rescued is None:
                    return total_volume
                try:
                    return float(json.loads(rescued).get("total_volume"))
                except (TypeError, ValueError):
                    return None
        """,
    ),
)
