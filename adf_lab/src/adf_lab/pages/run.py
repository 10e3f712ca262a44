"""The page of one run: how to run it again, what failed and why, every activity on a time scale."""

import json

from adf_lab import monitor
from adf_lab.pages.html import document, element, joined
from adf_lab.pages.spans import moment, pieces, run_span
from adf_lab.pages.words import MARKS, OPEN, counted, duration, instant, status_class, status_label, status_word

LONGEST_VALUE = 4_000
# They take no time and are many; a box on the page shows them.
INSTANT = {"SetVariable", "AppendVariable"}
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400)
MOST_STEPS = 6
REFRESH = 10


def run_page(record, now, program="adf-lab", where="", index="index.html"):
    """The page of a record (monitor.runs) as a text.

    Its commands begin with `program` and end with `where`, the option that says where the records are, if needed.
    """
    rows = list(monitor.rows(record))
    start, end = run_span(record, now)
    is_open = record["status"] in OPEN
    title = f"{record['pipelineName']} {status_word(record['status']).lower()}, {instant(start)} UTC"
    return document(
        title,
        element(
            "header",
            element("a", "← All runs", href=index),
            element("h1", record["pipelineName"], status_label(record["status"])),
            element("p", _when(start, end, is_open), _fired_by(record["invokedBy"])),
            element("p", _slowest(rows, end), class_="soft"),
            None if is_open else commands(record, program, where),
        ),
        element("main", _failures(record, rows, end), _activities(rows, start, end), _given(record)),
        refresh=REFRESH if is_open else None,
    )


def _when(start, end, is_open):
    took = duration((end - start).total_seconds())
    if is_open:
        return f"Began {instant(start)} UTC, {took} before this page was written. "
    return f"Took {took}, from {instant(start)} to {end:%H:%M:%S} UTC. "


def commands(record, program, where):
    """The commands that run it again, each with a button that copies it."""
    again = f"{program} rerun {record['runId']}"
    if record["status"] == "Succeeded":
        return element("div", _command(again + where, "Run it again"), class_="commands")
    lines = (
        _command(f"{again} --from-failed{where}", "Go on from what failed"),
        _command(again + where, "Run it again"),
    )
    return element("div", *lines, class_="commands")


def _command(text, label):
    button = element("button", "Copy", type="button", data_copy=text, aria_label=f"Copy: {text}")
    return element("div", element("span", label), element("code", text), button, class_="command")


def _fired_by(invoked_by):
    if invoked_by.get("TriggerType", "Manual") == "Manual":
        return "Started by hand."
    return f"Fired by {invoked_by['TriggerName']} for {invoked_by.get('TriggerTime', '')}."


def _slowest(rows, until):
    """A sentence about the activity with the most work, and about the time that was only waited."""
    worked, waited = [], 0.0
    for row in rows:
        found = pieces(row, until)
        worked.append((sum(piece.seconds for piece in found if piece.kind == "work"), row.name))
        waited += sum(piece.seconds for piece in found if piece.kind == "wait")
    longest, name = max(worked, default=(0, ""))
    sentence = f"Most work: {name}, {duration(longest)}." if longest else ""
    return f"{sentence} Waited in all: {duration(waited)}." if waited else sentence


# --- what failed -----------------------------------------------------------------------------------------


def first_causes(rows):
    """The failed rows that no failed row inside them explains, in the order in which they ended."""
    causes = []
    for number, row in enumerate(rows):
        if row.record["status"] != "Failed":
            continue
        inside = []
        for other in rows[number + 1 :]:
            if other.depth <= row.depth:
                break
            inside.append(other.record["status"])
        if "Failed" not in inside:
            causes.append((row.record["activityRunEnd"] or "", number, row))
    return [(number, row) for _, number, row in sorted(causes, key=lambda cause: cause[:2])]


def _failures(record, rows, until):
    causes = first_causes(rows)
    if not causes:
        message = record.get("message")
        return (
            element("section", element("h2", "Why"), element("p", message, class_="message")) if message else None
        )
    heading = "What failed, and the run went on" if record["status"] == "Succeeded" else "What failed"
    return element(
        "section",
        element("h2", heading),
        element("ol", *(_failure(number, row, until) for number, row in causes), class_="failures"),
    )


def _failure(number, row, until):
    error = row.record["error"] or {}
    told = f"{row.record['activityType']}, code {error.get('errorCode') or 'none'}, began {row.start:%H:%M:%S} UTC"
    return element(
        "li",
        element("p", element("a", " › ".join(row.path), href=f"#a{number}"), class_="path"),
        element("pre", error.get("message") or "No message.", class_="message"),
        element("p", told, class_="soft"),
        _attempts(row, until) if len(row.record["attempts"]) > 1 else None,
    )


def _attempts(row, until):
    """The attempts of an activity and the waits between them, as lines."""
    lines, number, before = [], 0, None
    for piece in pieces(row, until):
        if piece.kind == "wait":
            lines.append(element("li", f"waited {duration(piece.seconds)}", class_="soft"))
            continue
        number += 1
        message = (piece.error or {}).get("message")
        what = "the same error" if message and message == before else message
        before = message
        told = f" after {duration(piece.seconds)}" + (f": {what}" if what else "")
        lines.append(
            element("li", f"attempt {number}, {piece.start:%H:%M:%S} UTC ", status_label(piece.status), told)
        )
    return element("ul", *lines, class_="attempts")


# --- every activity --------------------------------------------------------------------------------------


def _activities(rows, start, end):
    span = (end - start).total_seconds() or 1
    step = next((step for step in STEPS if span / step <= MOST_STEPS), STEPS[-1])
    ticks = [number * step for number in range(int(span / step) + 1)]
    marks = [
        element("span", duration(tick) if tick else "0", style=f"left:{tick / span:.2%}")
        for tick in ticks
        if tick / span <= 0.92
    ]
    head = element(
        "div",
        element("span", "Activity"),
        element("span", "Status"),
        element("span", "Took", class_="number"),
        element("span", "Waited", class_="number"),
        element("span", *marks, class_="lane axis"),
        class_="row head",
    )
    hidden = sum(row.record["activityType"] in INSTANT for row in rows)
    box = element(
        "label",
        element("input", type="checkbox", id="instant"),
        f" show {counted(hidden, 'step', 'steps')} that only set variables",
    )
    return element(
        "section",
        element("h2", "Activities"),
        box if hidden else None,
        element("p", "A line opens: input, output, error, attempts. ", _key(), class_="soft"),
        element(
            "div",
            head,
            *(_activity(number, row, start, end, span) for number, row in enumerate(rows)),
            class_="activities",
            style=f"--step:{step / span:.3%}",
        ),
    )


def _key():
    return joined(
        element("i", class_="key work is-succeeded"),
        " work  ",
        element("i", class_="key work is-failed"),
        " failed work  ",
        element("i", class_="key wait"),
        " waiting  ",
        element("i", class_="key group"),
        " has others in it",
    )


def _activity(number, row, start, end, span):
    record, found = row.record, pieces(row, end)
    took = sum(piece.seconds for piece in found)
    waited = sum(piece.seconds for piece in found if piece.kind == "wait")
    attempts = len(record["attempts"])
    notes = [record["activityType"], f"{attempts} attempts" if attempts > 1 else ""]
    if record.get("recoveryStatus") == "Recovered":
        notes.append("of the earlier run")
    line = element(
        "summary",
        element(
            "span",
            element("b", row.name),
            element("small", ", ".join(filter(None, notes))),
            class_="name",
            style=f"--depth:{min(row.depth, 8)}",
        ),
        status_label(record["status"]),
        element("span", duration(took) if found else "", class_="number"),
        element("span", duration(waited) if waited else "", class_="number"),
        element("span", *(_bar(piece, start, span) for piece in found), class_="lane"),
        class_="row",
    )
    kind = " instant" if record["activityType"] in INSTANT else ""
    return element("details", line, _details(row, end), id=f"a{number}", class_=f"activity{kind}")


def _bar(piece, start, span):
    left = (piece.start - start).total_seconds() / span
    title = f"{piece.kind}: {duration(piece.seconds)}, {status_word(piece.status).lower()}"
    failed = MARKS["Failed"] if piece.kind == "work" and piece.status == "Failed" else None
    return element(
        "i",
        failed,
        class_=f"{piece.kind} {status_class(piece.status)}",
        style=f"left:{left:.3%};width:{piece.seconds / span:.3%}",
        title=title,
    )


def _details(row, until):
    record = row.record
    facts = {
        "Path": " › ".join(row.path),
        "Began": f"{instant(row.start)} UTC",
        "Attempts": _attempts(row, until) if len(record["attempts"]) > 1 else None,
        "Error": _value(record["error"]),
        "Item": _value(record["item"]),
        "Input": _value(record["input"]),
        "Output": _value(record["output"]),
        "User properties": _value(record["userProperties"]),
    }
    return element("div", _facts(facts), class_="details")


def _given(record):
    began = moment(record["runStart"])
    facts = {
        "Run": record["runId"],
        "Began": f"{instant(began)} UTC",
        "Parameters": _value(record.get("parameters")),
        "Variables": _value(record.get("variables")),
        "Fired by": _value(record["invokedBy"]),
        "Message": record.get("message"),
    }
    return element("section", element("h2", "The run"), _facts(facts))


def _facts(facts):
    shown = [
        joined(element("dt", name), element("dd", value))
        for name, value in facts.items()
        if value is not None and value != ""
    ]
    return element("dl", *shown)


def _value(value):
    """A JSON value as text, cut if it is long; None if there is nothing to show."""
    if value in (None, {}, [], ""):
        return None
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    if len(text) > LONGEST_VALUE:
        text = f"{text[:LONGEST_VALUE]}… ({len(text):,} characters; the record has them all)"
    return element("pre", text)
