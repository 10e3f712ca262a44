"""Exercises of the drill Late, twice, out of order: a key and a rank instead of hope."""

from itertools import permutations
from random import Random
from typing import Any

from coinlake.course.answers import shown
from coinlake.course.exercise import PREDICT, WRITE, Exercise, Values

# Pages as lists of (hour, price, fetched at); they overlap, and a later page may correct an hour.
PAGES = (
    [("09:00", 1.0, "10:00"), ("10:00", 2.0, "10:00")],
    [("10:00", 2.5, "11:00"), ("11:00", 3.0, "11:00")],
    [("11:00", 3.5, "12:00"), ("12:00", 4.0, "12:00"), ("12:00", 4.0, "12:00")],
)
PRICES = {"09:00": 1.0, "10:00": 2.5, "11:00": 3.5, "12:00": 4.0}


def judge_fold(fold: Any, values: Values) -> str | None:
    """Folds the pages in all six orders, the first one of each twice."""
    for order in permutations(PAGES):
        table: dict[str, tuple[float, str]] = {}
        for page in (*order, order[0]):
            table = fold(table, list(page))
        prices = {hour: price for hour, (price, _) in table.items()}
        if prices != PRICES:
            names = " → ".join(page[-1][2] for page in (*order, order[0]))
            return f"Pages fetched at {names}, in this order, give {shown(prices)}: each hour's last word counts."
    return None


def arrivals(chance: Random) -> dict[str, Any]:
    """Prices as they arrive: the hour and minute that each belongs to."""
    minutes = [600]
    for _ in range(7):
        minutes.append(minutes[-1] + chance.choice((20, 30, 40, -30, -70, -100)))
    return {"arrivals": [f"{minute // 60:02}:{minute % 60:02}" for minute in minutes]}


def dropped(texts: list[str]) -> list[str]:
    """What is older, when it arrives, than the newest of all before it less an hour."""
    newest, late = "00:00", []
    for text in texts:
        hours, minutes = map(int, newest.split(":"))
        if text < f"{max(0, hours - 1):02}:{minutes:02}":
            late.append(text)
        newest = max(newest, text)
    return late


def judge_dropped(answer: Any, values: Values) -> str | None:
    """Compares with the watermark as Spark moves it: by the newest event, never back."""
    expected = dropped(values["arrivals"])
    said = sorted(map(str, answer))
    if said == sorted(expected):
        return None
    if set(said) < set(expected):
        return "There are more of them: the watermark follows the newest price so far, and never goes back."
    if set(expected) < set(said):
        return "Not so many: who is late by an hour at most is still taken."
    return "Go through the list, and note beside each the newest price so far, less an hour."


EXERCISES = (
    Exercise(
        number="D3.1",
        kind=WRITE,
        idea="one table, whatever order pages come in",
        judge=judge_fold,
        hints=(
            "The table is a dictionary: hour -> (price, fetched at). What decides whether a row replaces it?",
            "A row comes in where its hour is new, or where it was fetched later than what stands there.",
        ),
        solution="""
            def fold(table, page):
                table = dict(table)
                for hour, price, fetched_at in page:
                    if hour not in table or fetched_at > table[hour][1]:
                        table[hour] = (price, fetched_at)
                return table
        """,
    ),
    Exercise(
        number="D3.2",
        kind=PREDICT,
        idea="say what a watermark forgets",
        judge=judge_dropped,
        draw=arrivals,
        question="Prices arrive in this order: {arrivals}. A stream keeps a watermark of one hour: what is "
        "older than the newest price so far, less an hour, is dropped. Which ones are lost?",
        hints=(
            "Write the highest time so far beside each arrival.",
            "Lost is what lies more than an hour before that.",
        ),
        solution="""
            lost = []
            newest = 0
            for text in course.mine("D3.2")["arrivals"]:
                minute = int(text[:2]) * 60 + int(text[3:])
                lost += [text] if minute < newest - 60 else []
                newest = max(newest, minute)
        """,
    ),
)
