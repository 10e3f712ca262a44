"""How times, durations and statuses are written: a status is a mark and a word, its colour comes besides."""

import re

from adf_lab.pages.html import element, joined

MARKS = {
    "Succeeded": "✓",
    "Failed": "✕",
    "InProgress": "▸",
    "Queued": "…",
    "Cancelled": "■",
    "Interrupted": "!",
    "Skipped": "–",
    "Inactive": "○",
    "Waiting": "·",
    "Missed": "?",
}
WORDS = {"InProgress": "In progress"}
OPEN = ("InProgress", "Queued")
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def status_word(status):
    """A status as it is read."""
    return WORDS.get(status, status)


def status_class(status):
    """The class that gives a status its colour and pattern."""
    return f"is-{status.lower()}" if status in MARKS else "is-other"


def status_label(status):
    """A status as an element: its mark and its word."""
    mark = element("span", MARKS.get(status, "•"), class_="mark", aria_hidden="true")
    return element("span", joined(mark, status_word(status)), class_=f"status {status_class(status)}")


def duration(seconds):
    """A duration for a reader: `0.4 s`, `12 s`, `2 min 1 s`, `3 h 5 min`, `2 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, word, smaller, small_word in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {word}" + (f" {rest} {small_word}" if rest else "")
    return f"{whole} s"


def instant(moment):
    """An aware datetime to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def counted(number, one, many):
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many}"


def page_of(run_id):
    """The name of the page of a run."""
    return re.sub(r"[^\w.-]", "_", run_id).lstrip(".") + ".html"
