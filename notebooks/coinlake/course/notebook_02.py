"""Exercises of notebook 02: days that are absent, days that begin late, and what a lost answer costs."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from coinlake.course.exercise import PREDICT, WRITE, Case, Exercise, Values, tried_on

RATES = {"2026-08-06": 0.86, "2026-08-07": 0.85, "2026-08-10": 0.87}


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def judge_requests(answer: Any, values: Values) -> str | None:
    """Compares with three services once a day, and the lost one once more for each hour that it was down."""
    days, hours = values["days"], values["hours"]
    if answer == 3 * days + hours:
        return None
    if answer == 3 * days:
        return "The service that was down is asked again an hour later, and again, until it answers."
    if answer == 3 * days * 24:
        return "These answers change once a day: an hour later the other 23 runs of a day find nothing to ask."
    if answer == 3 * (days + hours):
        return "Only the service that was down is asked again: the other two have answered on that day."
    return "How many questions does the first run of a day have, and what does a run ask after one got no answer?"


def a_week_or_so(chance: Random) -> dict[str, Any]:
    """How many days the notebook runs, and in how many hours of the first day one service is down."""
    return {"days": chance.randint(5, 14), "hours": chance.randint(2, 9)}


EXERCISES = (
    Exercise(
        number="02.1",
        kind=WRITE,
        idea="carry a rate over the days that have none",
        judge=tried_on(
            Case((RATES, ["2026-08-07"]), {"2026-08-07": 0.85}, "A business day has its own rate."),
            Case(
                (RATES, ["2026-08-08", "2026-08-09", "2026-08-10"]),
                {"2026-08-08": 0.85, "2026-08-09": 0.85, "2026-08-10": 0.87},
                "Saturday and Sunday have Friday's rate, and Monday its own.",
            ),
            Case(
                (RATES, ["2026-08-05", "2026-08-06"]),
                {"2026-08-05": None, "2026-08-06": 0.86},
                "Before the first rate nothing is known: a rate of later must not be carried back.",
            ),
            Case(
                (RATES, ["2026-08-09"]),
                {"2026-08-09": 0.85},
                "The newest earlier day counts, whether it was asked for or not.",
            ),
            Case(
                (dict(reversed(RATES.items())), ["2026-08-08"]),
                {"2026-08-08": 0.85},
                "A dictionary may hold its days in any order.",
            ),
        ),
        hints=(
            "For each day, of the days that have a rate and are not later, the newest one counts.",
            "Such dates sort as texts: max((known for known in rates if known <= day), default=None).",
        ),
        solution="""
            def carry_over(rates, days):
                newest = {day: max((known for known in rates if known <= day), default=None) for day in days}
                return {day: rates.get(known) for day, known in newest.items()}
        """,
    ),
    Exercise(
        number="02.2",
        kind=WRITE,
        idea="ask only for what can have changed",
        judge=tried_on(
            Case((None, at("2026-08-12 14:22")), True, "What was never answered is due."),
            Case((at("2026-08-12 09:00"), at("2026-08-12 23:00")), False, "One answer a day is enough."),
            Case((at("2026-08-12 23:00"), at("2026-08-13 09:00")), True, "The next day has another answer."),
            Case(
                (at("2026-08-12 14:22"), at("2026-08-13 00:22")),
                False,
                "At 00:22 nobody has closed the day before: a day begins at 00:45.",
            ),
            Case(
                (at("2026-08-13 00:22"), at("2026-08-13 00:50")),
                True,
                "An answer of 00:22 belongs to the day before, so that at 00:50 the new day is due.",
            ),
            Case((at("2026-08-12 00:45"), at("2026-08-13 00:44")), False, "From 00:45 to 00:44 it is one day."),
        ),
        hints=(
            "Two instants belong to the same day when they have the same date, once the clock is put back.",
            "Subtract timedelta(minutes=45) from both before you compare their .date().",
        ),
        solution="""
            def is_due(answered_at, now):
                if answered_at is None:
                    return True
                day_begins = timedelta(minutes=45)
                return (answered_at - day_begins).date() < (now - day_begins).date()
        """,
    ),
    Exercise(
        number="02.3",
        kind=PREDICT,
        idea="a lost answer costs its own question and no other",
        judge=judge_requests,
        draw=a_week_or_so,
        question="This notebook runs every hour for {days} days. In the first {hours} runs of the first day one "
        "of the three services gives no answer; otherwise all is well. How many requests are planned in all?",
        hints=(
            "Without the trouble: three requests in the first run of each day, none in the others.",
            "Each run that got no answer leaves its question to the next run: one more request each time.",
        ),
        solution="answer = 3 * <days> + <hours>",
    ),
)
