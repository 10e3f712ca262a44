"""One run as a page that opens offline, in the reports' own style: timeline, activities, inputs and outputs."""

import json
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from adf_lab import monitor
from coinlake.reports.page import Banner, Card, Report, Section, formats, html_tables, style

COLOURS = {
    "Succeeded": style.BLUE,
    "Failed": style.ORANGE,
    "Skipped": style.MUTE,
    "Inactive": style.MUTE,
    "Cancelled": style.GOLD,
}
# They take no time, so the timeline leaves them out.
INSTANT = {"SetVariable", "AppendVariable"}
ROW_HEIGHT = 24
STEP, LETTER, WIDEST_LABEL = 12, 7, 230  # pixels: an indentation, a letter, the longest label
INDENT = "\N{NO-BREAK SPACE}" * 3  # a table's cell would drop plain ones
LONGEST_VALUE = 4000


def write(record: dict, folder: Path) -> Path:
    """Write the page of a run's record into a folder and return its path."""
    path = folder / f"{record['runId']}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(record).html(), encoding="utf-8")
    return path


def report(record: dict) -> Report:
    """The report about one run."""
    rows = list(monitor.rows(record))
    ran = [row for row in rows if row.record["status"] != "Skipped"]
    drawn = [row for row in ran if row.record["activityType"] not in INSTANT]
    failed = [row for row in rows if row.record["status"] == "Failed"]
    skipped = len(rows) - len(ran)
    retries = sum(max(len(row.record["attempts"]) - 1, 0) for row in rows)
    begin = datetime.fromisoformat(record["runStart"])
    duration = formats.duration(monitor.seconds(record))
    good = record["status"] == "Succeeded"
    page = Report(
        name=record["runId"],
        title=f"Run of {record['pipelineName']} ({begin:%Y-%m-%d %H:%M} UTC)",
        origin="unknown",
        kicker=["Data Factory on this machine", f"started {begin:%Y-%m-%d %H:%M:%S} UTC", record["runId"]],
        headline=f"{record['pipelineName']} {record['status'].lower()} after {duration}",
        lead=record["message"] or _started(record["invokedBy"]),
        banner=Banner("fresh" if good else "failed", f"{record['status']}.", _sentence(ran, failed)),
        cards=[
            Card("Duration", duration),
            Card("Activities run", formats.count(len(ran))),
            Card("Failed", formats.count(len(failed))),
            Card("Skipped", formats.count(skipped)),
            Card("Retries", formats.count(retries)),
        ],
        sources=[
            ("Parameters", _shown(record["parameters"])),
            ("Variables", _shown(record["variables"])),
            ("Fired by", _shown(record["invokedBy"])),
        ],
        built_at=datetime.now(UTC),
    )
    page.add(
        Section(
            key="timeline",
            nav="Timeline",
            finding=_finding(ran),
            subtitle="Each bar is one activity; bars inside a container or a called pipeline are indented.",
            source="Seconds since the run began. Blue: succeeded, orange: failed.",
            alt=", ".join(f"{row.name}: {row.seconds:.1f} seconds, {row.record['status']}" for row in drawn),
            figure=_gantt(drawn, begin),
            table=_timing(ran, begin),
        )
    )
    page.add(
        Section(
            key="activities",
            nav="Activities",
            finding="What went in and what came out",
            subtitle="Secured values are masked when they are recorded; they are nowhere in this file.",
            source="Long values are cut; the record beside this page has them whole.",
            table=_details(rows),
        )
    )
    return page


def _started(invoked_by):
    by_hand = invoked_by["TriggerType"] == "Manual"
    return "Started by hand." if by_hand else f"Started by {invoked_by['TriggerName']}."


def _sentence(ran, failed):
    if failed:
        deepest = max(failed, key=lambda row: row.depth)
        return f"{' › '.join(deepest.path)}: {deepest.record['error']['message']}"
    return f"{formats.counted(len(ran), 'activity', 'activities')} ran, none failed."


def _finding(ran):
    """Which activity without others in it took longest."""
    leaves = [row for row in ran if not row.record["children"] and not row.record["pipelineRun"]]
    if not leaves:
        return "Nothing ran"
    slowest = max(leaves, key=lambda row: row.seconds)
    return f"{slowest.name} took longest: {formats.duration(slowest.seconds)}"


def _gantt(ran, begin):
    widths = [STEP * row.depth + LETTER * len(row.name) for row in ran]
    left = min(max(widths, default=0) + STEP, WIDEST_LABEL)
    starts = [(row.start - begin).total_seconds() for row in ran]
    bars = {
        "type": "bar",
        "orientation": "h",
        # Labels repeat in loops, so rows are told apart by their numbers.
        "y": list(range(len(ran))),
        "base": [round(start, 3) for start in starts],
        # A hair's breadth, so that an instant is seen too.
        "x": [round(max(row.seconds, 0.002 * _span(ran, begin)), 3) for row in ran],
        "marker": {"color": [COLOURS.get(row.record["status"], style.MUTE) for row in ran]},
        "customdata": [
            [row.name, row.record["activityType"], row.record["status"], round(row.seconds, 2), round(start, 2)]
            for row, start in zip(ran, starts, strict=True)
        ],
        "hovertemplate": "<b>%{customdata[0]}</b> (%{customdata[1]})<br>%{customdata[2]}, "
        "%{customdata[3]} s from second %{customdata[4]}<extra></extra>",
    }
    layout = style.layout(
        height=ROW_HEIGHT * len(ran) + 70,
        hovermode="closest",
        margin={"l": left, "r": 16, "t": 44, "b": 12},
        xaxis={
            "title": {"text": "seconds since the run began"},
            "side": "top",
            "showgrid": True,
            "rangemode": "tozero",
        },
        yaxis={"range": [len(ran) - 0.4, -0.6], "showgrid": False, "showticklabels": False},
        # Marks of an axis end at it; these begin at the left, so that what stands inside what is seen.
        annotations=[
            {
                "text": row.name,
                "xref": "paper",
                "x": 0,
                "xanchor": "left",
                "xshift": STEP * row.depth - left,
                "y": number,
                "showarrow": False,
                "font": {"size": 12, "color": style.SOFT},
            }
            for number, row in enumerate(ran)
        ],
        meta={"phone_rows": True},
    )
    return {"data": [bars], "layout": layout}


def _span(ran, begin):
    ends = [(row.start - begin).total_seconds() + row.seconds for row in ran]
    return max(ends, default=0) or 1


def _timing(ran, begin):
    lines = [
        [
            html_tables.name_cell(INDENT * row.depth + row.name),
            html_tables.cell(row.record["activityType"]),
            html_tables.cell(row.record["status"]),
            html_tables.cell(f"{(row.start - begin).total_seconds():.1f}"),
            html_tables.cell(f"{row.seconds:.1f}"),
            html_tables.cell(str(len(row.record["attempts"]))),
        ]
        for row in ran
    ]
    headers = ["activity", "type", "status", "start, s", "duration, s", "attempts"]
    return html_tables.table("Activities in the order of the tree", headers, lines)


def _details(rows):
    lines = [
        [
            html_tables.name_cell(INDENT * row.depth + row.name),
            html_tables.cell(row.record["status"]),
            html_tables.cell(_folded("input", row.record["input"])),
            html_tables.cell(_folded("output", row.record["output"])),
            html_tables.cell(_folded("error", row.record["error"])),
        ]
        for row in rows
    ]
    return html_tables.table(
        "Inputs, outputs and errors", ["activity", "status", "input", "output", "error"], lines
    )


def _folded(label, value):
    if value in (None, {}):
        return ""
    return Markup("<details><summary>{}</summary><pre>{}</pre></details>").format(label, _shown(value))


def _shown(value):
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
