"""The page of all runs: what has failed last, the trend, when which pipeline ran, triggers, a list to filter."""

from datetime import datetime, timedelta
from statistics import median

from adf_lab import monitor
from adf_lab.pages.html import document, element
from adf_lab.pages.run import REFRESH, commands, first_causes
from adf_lab.pages.spans import run_seconds, run_span
from adf_lab.pages.words import (
    MARKS,
    OPEN,
    counted,
    duration,
    instant,
    page_of,
    status_class,
    status_label,
    status_word,
)
from adf_lab.triggers import iso, ready_windows, schedule_times

MOST_RUNS = 500  # a page of more is no page that a person reads
TREND = 30
MOST_FIRINGS = 60
LONGEST_LOOK_BACK = timedelta(days=31)


def overview_page(records, now, triggers=None, program="adf-lab", where=""):
    """The page of all runs as a text.

    `records` are those of monitor.runs, newest first; `triggers` the documents of a factory's triggers by name,
    which tell what has not run; `program` and `where` are those of run_page.
    """
    shown = records[:MOST_RUNS]
    is_open = any(record["status"] in OPEN for record in shown)
    cut = f", the newest {MOST_RUNS} of {len(records):,}" if len(records) > MOST_RUNS else ""
    if not shown:
        return document("Runs", element("header", element("h1", "Runs"), element("p", "There are no runs yet.")))
    return document(
        "Runs",
        element(
            "header",
            element("h1", "Runs"),
            element("p", _counts(shown), f"{cut}. Written {instant(now)} UTC; all times are UTC."),
        ),
        element(
            "main",
            _failed_last(shown, now, program, where),
            _filters(shown),
            _trend(shown, now),
            _timeline(shown, now),
            _triggers(records, triggers or {}, now),
            _list(shown, now),
        ),
        refresh=REFRESH if is_open else None,
    )


def _counts(records):
    numbers: dict[str, int] = {}
    for record in records:
        numbers[record["status"]] = numbers.get(record["status"], 0) + 1
    parts = [f"{number:,} {status_word(status).lower()}" for status, number in sorted(numbers.items())]
    return f"{counted(len(records), 'run', 'runs')}: {', '.join(parts)}"


def _trigger(record):
    return record["invokedBy"].get("TriggerName", "Manual")


def _tags(record):
    """What the filters ask for."""
    return {
        "data_status": record["status"],
        "data_pipeline": record["pipelineName"],
        "data_trigger": _trigger(record),
        "data_run": record["runId"],
    }


# --- failures first --------------------------------------------------------------------------------------


def _failed_last(records, now, program, where):
    """The pipelines whose newest run that has ended has not succeeded, each with its first cause."""
    newest: dict[str, dict] = {}
    for record in records:
        if record["status"] not in OPEN:
            newest.setdefault(record["pipelineName"], record)
    bad = [record for record in newest.values() if record["status"] != "Succeeded"]
    if not bad:
        return None
    return element(
        "section",
        element("h2", "Failed last"),
        element("ol", *(_failed(record, now, program, where) for record in bad), class_="failures"),
    )


def _failed(record, now, program, where):
    causes = first_causes(list(monitor.rows(record)))
    path, message = record["pipelineName"], record.get("message")
    if causes:
        _, row = causes[0]
        path, message = " › ".join(row.path), (row.record["error"] or {}).get("message")
    return element(
        "li",
        element(
            "p",
            element("a", path, href=page_of(record["runId"])),
            " ",
            status_label(record["status"]),
            class_="path",
        ),
        element("pre", message, class_="message") if message else None,
        element("p", f"{instant(run_span(record, now)[0])} UTC, {_trigger(record)}", class_="soft"),
        commands(record, program, where),
    )


# --- the trend -------------------------------------------------------------------------------------------


def _filters(records):
    def choice(label, name, values):
        options = [element("option", "all", value="")]
        options += [element("option", status_word(value), value=value) for value in sorted(values)]
        return element("label", f"{label} ", element("select", *options, data_filter=name))

    return element(
        "form",
        choice("Status", "status", {record["status"] for record in records}),
        choice("Pipeline", "pipeline", {record["pipelineName"] for record in records}),
        choice("Trigger", "trigger", {_trigger(record) for record in records}),
        element("output", counted(len(records), "run", "runs"), id="count"),
        class_="filters",
    )


def _trend(records, now):
    newest = records[:TREND]
    longest = max(run_seconds(record, now) for record in newest) or 1
    good = [run_seconds(record, now) for record in newest if record["status"] == "Succeeded"]
    usual = f" Half of those that succeeded took less than {duration(median(good))}." if good else ""
    return element(
        "section",
        element("h2", "How long they took"),
        element(
            "p",
            f"The newest {TREND}, oldest on the left; the highest took ",
            element("b", duration(longest), id="longest"),
            ".",
            usual,
            class_="soft",
        ),
        element(
            "div",
            *(_column(record, now, longest) for record in reversed(records)),
            class_="trend",
            data_most=TREND,
        ),
    )


def _column(record, now, longest):
    seconds = run_seconds(record, now)
    told = _told(record["pipelineName"], run_span(record, now)[0], record["status"], seconds)
    bar = element(
        "i", class_=f"work {status_class(record['status'])}", style=f"height:{min(seconds / longest, 1):.1%}"
    )
    mark = None if record["status"] == "Succeeded" else MARKS.get(record["status"], "•")
    return element(
        "a",
        element("span", mark, aria_hidden="true"),
        bar,
        href=page_of(record["runId"]),
        title=told,
        aria_label=told,
        data_seconds=f"{seconds:.3f}",
        **_tags(record),
    )


def _told(pipeline, start, status, seconds):
    """A bar in words."""
    return f"{pipeline}, {instant(start)} UTC: {status_word(status).lower()}, {duration(seconds)}"


# --- when which pipeline ran -----------------------------------------------------------------------------


def _timeline(records, now):
    """A lane for each pipeline, called ones too, over the time of the newest runs."""
    newest = records[:TREND]
    spans = [run_span(record, now) for record in newest]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    span = (end - start).total_seconds() or 1
    lanes: dict[str, list] = {}
    for record in reversed(newest):
        for name, run in _runs_within(record):
            lanes.setdefault(name, []).append(_run_bar(record, name, run, now, start, span))
    rows = [
        element("div", element("span", name), element("span", *bars, class_="lane"), class_="pipeline-lane")
        for name, bars in lanes.items()
    ]
    return element(
        "section",
        element("h2", "When which pipeline ran"),
        element("div", *rows, class_="lanes"),
        element("p", element("span", instant(start)), element("span", instant(end)), class_="ends soft"),
    )


def _runs_within(record):
    """A run and those that it has called, as pairs (pipeline, record)."""
    yield record["pipelineName"], record
    for row in monitor.rows(record):
        if row.record["pipelineRun"]:
            yield row.record["pipelineRun"]["pipelineName"], row.record["pipelineRun"]


def _run_bar(record, name, run, now, start, span):
    begin, end = run_span(run, now)
    left, width = (begin - start).total_seconds() / span, (end - begin).total_seconds() / span
    told = _told(name, begin, run["status"], (end - begin).total_seconds())
    mark = MARKS["Failed"] if run["status"] == "Failed" else None
    return element(
        "a",
        mark,
        class_=f"work {status_class(run['status'])}",
        # The mark of one that has just failed stays within the lane.
        style=f"left:min({left:.3%}, 100% - {'1rem' if mark else '4px'});width:{width:.3%}",
        href=page_of(record["runId"]),
        title=told,
        aria_label=told,
        **_tags(record),
    )


# --- triggers --------------------------------------------------------------------------------------------


def firings(trigger, name, records, now):
    """What a trigger should have fired, and has: pairs (time, status, run id or None), oldest first.

    Of a tumbling window trigger the windows that could run by now; of a schedule the times since its first run
    that is known. What nothing is known of is Waiting, a time of a schedule that has passed Missed. Of a trigger
    that is not started and has fired nothing, nothing is expected.
    """
    by_time: dict[str, dict] = {}
    for record in records:
        if _trigger(record) == name and record["invokedBy"].get("TriggerTime"):
            by_time.setdefault(record["invokedBy"]["TriggerTime"], record)
    known = {time: (record["status"], record["runId"]) for time, record in by_time.items()}
    is_used = known or (trigger and trigger["properties"].get("runtimeState") == "Started")
    kind = trigger["properties"]["type"] if trigger and is_used else None
    if kind == "TumblingWindowTrigger":
        expected, missing = [iso(window.not_before) for window in ready_windows(trigger, now)], "Waiting"
    elif kind == "ScheduleTrigger" and known:
        first = max(datetime.fromisoformat(min(known)), now - LONGEST_LOOK_BACK)
        expected, missing = [iso(time) for time in schedule_times(trigger, first, now)], "Missed"
    else:
        expected, missing = [], "Waiting"
    times = sorted({*known, *expected})
    return [(time, *known.get(time, (missing, None))) for time in times]


def _triggers(records, triggers, now):
    names = sorted({*triggers, *(_trigger(record) for record in records)} - {"Manual"})
    found = {name: firings(triggers.get(name), name, records, now) for name in names}
    rows = [_trigger_row(name, fired, triggers) for name, fired in found.items() if fired]
    if not rows:
        return None
    return element(
        "section",
        element("h2", "Triggers"),
        element("p", f"One box for each window or time, oldest first, the newest {MOST_FIRINGS}.", class_="soft"),
        *rows,
    )


def _trigger_row(name, fired, triggers):
    numbers: dict[str, int] = {}
    for _, status, _ in fired:
        numbers[status] = numbers.get(status, 0) + 1
    told = ", ".join(f"{number:,} {status_word(status).lower()}" for status, number in sorted(numbers.items()))
    kind = triggers[name]["properties"]["type"] if name in triggers else "not in the factory"
    return element(
        "div",
        element("p", element("b", name), element("small", f" {kind}: {told}")),
        element("div", *(_firing(*one) for one in fired[-MOST_FIRINGS:]), class_="firings"),
        class_="trigger",
    )


def _firing(time, status, run_id):
    told = f"{time}: {status_word(status).lower()}"
    return element(
        "a" if run_id else "span",
        MARKS.get(status, "•"),
        class_=f"box {status_class(status)}",
        href=page_of(run_id) if run_id else None,
        title=told,
        aria_label=told,
    )


# --- the list --------------------------------------------------------------------------------------------


def _list(records, now):
    head = element(
        "div",
        *(element("span", word) for word in ("Status", "Pipeline", "Began (UTC)")),
        element("span", "Took", class_="number"),
        element("span", "Trigger"),
        element("span", "Run"),
        class_="run head",
    )
    return element(
        "section",
        element("h2", "All runs"),
        element("div", head, *(_run(record, now) for record in records), class_="runs"),
    )


def _run(record, now):
    start, _ = run_span(record, now)
    return element(
        "a",
        status_label(record["status"]),
        element("b", record["pipelineName"]),
        element("span", instant(start)),
        element("span", duration(run_seconds(record, now)), class_="number"),
        element("span", _trigger(record)),
        element("code", record["runId"][:8]),
        class_="run",
        href=page_of(record["runId"]),
        **_tags(record),
    )
