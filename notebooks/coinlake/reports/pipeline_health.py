"""Pipeline health: did the last run succeed, is the data as fresh as promised, what was rejected, what it cost."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from markupsafe import Markup

from coinlake import api, instants, schema
from coinlake.lakehouse import Lakehouse
from coinlake.reports.data import Frames, frames, freshness, universe
from coinlake.reports.page import (
    SLA_HOURS,
    Banner,
    Card,
    Report,
    Section,
    attempt,
    charts,
    formats,
    html_tables,
    missing,
    style,
)

NAME = "pipeline_health"
TITLE = "Pipeline health"
NOTEBOOK = "08_report_pipeline_health"
TABLES = ("run_steps", "pipeline_runs", "freshness", "quarantine_daily", "api_usage")
USUAL_RUNS = 3  # earlier runs that make a usual time
UNUSUAL = 0.05  # longer than usual
MANY_ERRORS = 0.1  # of all requests of a month: more is said at the top
HISTORY = "coins_market_chart"  # asked once for each coin; all else comes with every run
RUNS = 30  # runs that the charts look back on
SOURCE = "The pipeline’s own records. Times are UTC."
LAYERS = {
    "01": "bronze",
    "02": "bronze",
    "03": "silver",
    "04": "gold",
    "05": "warehouse",
}


def read(lake: Lakehouse) -> Frames:
    """The operations tables, by name; steps and runs of the last RUNS pipeline runs."""
    gold = frames.Gold(lake)
    runs = gold.rows(schema.PIPELINE_RUNS).sort_values(["started_at", "run_id"], kind="stable").tail(RUNS)
    return gold.origin() | {
        "pipeline_runs": runs.reset_index(drop=True),
        "run_steps": gold.rows(schema.RUN_STEPS, frames.among(runs["run_id"].tolist(), "run_id")),
        "quarantine_daily": gold.rows(schema.QUARANTINE_DAILY),
    }


def build(
    gold: Frames,
    *,
    built_at: datetime,
    freshness_sla_hours: float = SLA_HOURS,
    run_id: str = "",
    alerts: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """The report from its frames.

    `run_id` is the run to look at, the newest one when it has no steps yet; `freshness_sla_hours` is promised
    for tables that state no age of their own; `alerts` are the open ones, as coinlake.observability notes them.
    """
    usage = gold["api_usage"]
    source = freshness.origin(usage)
    steps = gold["run_steps"].sort_values(["started_at", "step"], kind="stable")
    ages = table_ages(gold["freshness"], source, built_at, freshness_sla_hours)
    last = last_run(steps, run_id)
    lacking = schema.lacking_steps(last.to_dict("records"), (run_id, NOTEBOOK))
    report = Report(
        name=NAME,
        title=universe.page_title(TITLE, source),
        origin=source,
        kicker=_kicker(source, gold["pipeline_runs"]),
        headline=attempt(TITLE, headline, last, ages, lacking),
        lead=attempt("", lead, last, gold["pipeline_runs"], usage),
        banner=_banner(source, last, ages, built_at, lacking),
        cards=attempt([], cards, last, gold["pipeline_runs"], ages, usage, lacking),
        sources=[
            ("Source", SOURCE),
            ("Requests", universe.COINGECKO if source in {"live", "replay"} else universe.SIMULATED),
            *universe.sources(gold, source, TABLES, run_id, NOTEBOOK)[2:],
        ],
        built_at=built_at,
        plain=True,
    )
    report.attempt("alerts", "Alerts", watched, last, alerts)
    report.attempt("timeline", "Timeline", timeline, last, lacking)
    report.attempt("freshness", "Freshness", freshness_table, ages, source)
    report.attempt("flow", "Flow", flow, last)
    report.attempt("quarantine", "Quarantine", quarantine, gold["quarantine_daily"])
    report.attempt("budget", "Budget", budget, usage, steps, source)
    report.attempt("durations", "Durations", durations, steps, last)
    return report


def last_run(steps: pd.DataFrame, run_id: str = "") -> pd.DataFrame:
    """The steps of one run in the order in which they started."""
    if steps.empty:
        return steps
    chosen = run_id if run_id in set(steps["run_id"]) else steps["run_id"].iloc[-1]
    return steps[steps["run_id"] == chosen]


def what_went_wrong(last: pd.DataFrame, lacking: tuple[str, ...] = ()) -> str:
    """What the last run did, as a predicate: `failed in 04_build_gold`; empty when it succeeded."""
    status = schema.run_status(last["status"], lacking)
    if status == schema.SUCCEEDED:
        return ""
    if status == schema.INCOMPLETE:
        others = f" and {formats.counted(len(lacking) - 1, 'more step')}" if len(lacking) > 1 else ""
        return f"left no record of {lacking[0]}{others}"
    step = last.loc[last["status"] == status, "step"].iloc[0]
    return f"{schema.ENDED[status]} in {step}"


def table_ages(table: pd.DataFrame, source: str, built_at: datetime, sla_hours: float = SLA_HOURS) -> pd.DataFrame:
    """Each table's age and state: table_name, as_of, rows, sla_hours, version, hours, state.

    Live data ages by the clock; a simulated or recorded market stands still, so its ages count from the newest
    instant in the lake.
    """
    now = built_at if source == "live" or table["as_of"].isna().all() else table["as_of"].max()
    promised = table["sla_hours"].fillna(sla_hours)
    hours = [freshness.hours_between(as_of, now) for as_of in table["as_of"]]
    states = [freshness.state_of(age, sla) for age, sla in zip(hours, promised, strict=True)]
    return table.assign(sla_hours=promised, hours=hours, state=states)


def headline(last: pd.DataFrame, ages: pd.DataFrame, lacking: tuple[str, ...] = ()) -> str:
    """Whether the last run succeeded and the tables are as fresh as promised."""
    if last.empty:
        return "No pipeline run is recorded yet"
    took = formats.duration(_seconds(last))
    wrong = what_went_wrong(last, lacking)
    if wrong:
        return f"The last run {wrong} after {took}"
    late = int(ages["state"].isin(["late", "stale"]).sum())
    holding = int((ages["state"] != "empty").sum())
    if late:
        are = "is" if late == 1 else "are"
        return f"The last run took {took}; {late} of {holding} tables {are} older than promised"
    if not holding:
        return f"The last run took {took}, and all {formats.counted(len(last), 'step')} succeeded"
    return f"The last run took {took}, and every table is as fresh as promised"


def lead(last: pd.DataFrame, runs: pd.DataFrame, usage: pd.DataFrame) -> str:
    """How the last runs ended, what the last one brought in, and whether many requests of the month failed."""
    if last.empty:
        return "Run the notebooks, then open this page again."
    good = int((runs["status"] == "succeeded").sum())
    sentences = []
    if len(runs) == 1:
        sentences.append(f"The only run so far {schema.ENDED[runs['status'].iloc[0]]}.")
    elif len(runs):
        of = "runs so far" if len(runs) < RUNS else "last runs"
        whole = (
            "Both"
            if good == len(runs) == 2
            else f"All {good}"
            if good == len(runs)
            else f"{good} of the {len(runs)}"
        )
        sentences.append(f"{whole} {of} have succeeded.")
    ingested = last["step"].str.startswith(("01_", "02_"))
    landed = formats.counted(int(last.loc[ingested, "rows_written"].sum()), "response")
    rejected = int(last["rows_rejected"].sum())
    it = "It" if len(runs) == 1 else "The last one"
    told = f"rejected {formats.counted(rejected, 'record')}" if rejected else "rejected none of their records"
    sentences.append(f"{it} landed {landed} and {told}.")
    month = _newest_month(usage)
    errors, attempts = int(month["errors"].sum()), int(month["attempts"].sum())
    if errors > MANY_ERRORS * attempts:
        sentences.append(f"{formats.count(errors)} of {formats.counted(attempts, 'request')} of the month failed.")
    return " ".join(sentences)


def _newest_month(usage: pd.DataFrame) -> pd.DataFrame:
    """What was asked in the month of the newest day."""
    return usage[usage["date"] >= usage["date"].max().replace(day=1)] if len(usage) else usage


def cards(
    last: pd.DataFrame,
    runs: pd.DataFrame,
    ages: pd.DataFrame,
    usage: pd.DataFrame,
    lacking: tuple[str, ...] = (),
) -> list[Card]:
    """The last run, the share of good runs, freshness, rejections, and requests of the newest month."""
    if last.empty:
        return []
    state = schema.run_status(last["status"], lacking)
    started = formats.instant(last["started_at"].iloc[0])
    made = [
        Card(
            "Last run, to this page",
            formats.duration(_seconds(last)),
            _state(state),
            html_tables.sparkline(runs["seconds"], neutral=True),
        )
    ]
    if len(runs):
        good = (runs["status"] == "succeeded").mean()
        made.append(Card("Runs that succeeded", formats.percent(good, 0, sign=False), f"last: {started[:-10]}"))
    known = ages[ages["state"] != "empty"]
    if len(known):
        fresh = int((known["state"] == "fresh").sum())
        oldest = known.sort_values("hours").iloc[-1]
        note = f"oldest: {formats.age(oldest['hours'])}, promised {formats.age(oldest['sla_hours'])}"
        made.append(Card("Fresh tables", f"{fresh} of {len(known)}", note))
    read, rejected = last["rows_read"].sum(), last["rows_rejected"].sum()
    share = rejected / read if read else None
    made.append(
        Card("Rejected rows", formats.count(rejected), f"{formats.percent(share, 2, sign=False)} of what was read")
    )
    if len(usage):
        newest = _newest_month(usage)
        errors = int(newest["errors"].sum())
        made.append(
            Card(
                f"Requests in {usage['date'].max():%B}",
                formats.count(newest["attempts"].sum()),
                f"{formats.counted(errors, 'error')}",
                html_tables.sparkline(usage.groupby("date")["attempts"].sum().tail(30), neutral=True),
            )
        )
    return made


def watched(last: pd.DataFrame, alerts: Sequence[Mapping[str, Any]]) -> Section:
    """Everything that is looked at when a run ends, with the alerts that are open."""
    if last.empty:
        return missing("alerts", "Alerts", "It needs a run with a step.")
    rows = []
    for kind, fires_when in schema.ALERTS.items():
        quiet = {"subject": "", "message": f"Fires when {fires_when}.", "fired_at": ""}
        found = [alert for alert in alerts if alert["kind"] == kind]
        for alert in found or [quiet]:
            rows.append(
                [
                    html_tables.name_cell(kind),
                    html_tables.cell(_state("open" if found else "quiet"), "text"),
                    html_tables.cell(alert["subject"], "text"),
                    html_tables.cell(alert["message"], "wrap"),
                    html_tables.cell(alert["fired_at"][:16].replace("T", " ")),
                ]
            )
    named = ", ".join(dict.fromkeys(alert["kind"] for alert in alerts))
    open_ = formats.counted(len(alerts), "alert")
    finding = formats.fitting(f"{open_} open: {named}", f"{open_} open") if alerts else "No alert is open"
    return Section(
        key="alerts",
        nav="Alerts",
        finding=finding,
        subtitle="What is looked at when a run ends. An alert fires once, stays open, and clears by itself.",
        table=html_tables.table("Alerts", ["Alert", "State", "About", "What is the case", "Since"], rows),
    )


def timeline(last: pd.DataFrame, lacking: tuple[str, ...] = ()) -> Section:
    """One bar per step of the last run, from its start to its end."""
    if last.empty:
        return missing("timeline", "Timeline", "It needs a run with a step.")
    begin = last["started_at"].iloc[0]
    offsets = (last["started_at"] - begin).dt.total_seconds()
    good = last["status"] == schema.SUCCEEDED
    names = last["step"].tolist()
    total = _seconds(last)
    figure = {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "base": charts.numbers(offsets.round(2)),
                "x": charts.numbers(last["seconds"]),
                "y": [charts.words(name) for name in names],
                "text": [formats.duration(seconds) for seconds in last["seconds"]],
                "textposition": "outside",
                "cliponaxis": False,
                "textfont": {"size": 12, "color": style.INK},
                "marker": {"color": [style.BLUE if ok else style.ORANGE for ok in good]},
                "customdata": last["status"].tolist(),
                "hovertemplate": "%{y}: %{text}, %{customdata}<extra></extra>",
                "name": "",
            }
        ],
        "layout": style.layout(
            height=70 + 30 * max(len(last), 3),
            margin={"l": 190, "r": 20, "t": 4, "b": 48},
            hovermode="closest",
            xaxis={
                "title": {"text": "seconds since the run began"},
                "range": [0, charts.rounded(total * 1.12 or 1)],
                "showgrid": True,
                "showline": False,
            },
            yaxis={"type": "category", "range": [len(last) - 0.4, -0.6], "showgrid": False, "showline": False},
            meta={
                "phone_rows": True,
                "small": {
                    "margin": {"l": 34},
                    "xaxis": {"range": [0, charts.rounded(total * 1.3 or 1)]},
                    "yaxis": {"ticktext": [name[:2] for name in names], "tickvals": names, "tickmode": "array"},
                },
            },
        ),
    }
    longest = last.loc[last["seconds"].idxmax()]
    share = longest["seconds"] / last["seconds"].sum() if last["seconds"].sum() else 1.0
    wrong = what_went_wrong(last, lacking)
    finding = (
        f"The run {wrong}; {formats.counted(int(good.sum()), 'step')} succeeded"
        if wrong
        else f"{longest['step']} takes {formats.percent(share, 0, sign=False)} of the run’s time"
    )
    columns = ["Step", "State", "Started", "Took", "Read", "Written", "Rejected", "Message"]
    rows = [
        [
            html_tables.name_cell(row["step"]),
            html_tables.cell(_state(row["status"])),
            html_tables.cell(f"{row['started_at']:%H:%M:%S}"),
            html_tables.cell(formats.duration(row["seconds"])),
            *(
                html_tables.cell(formats.count(row[name]))
                for name in ("rows_read", "rows_written", "rows_rejected")
            ),
            html_tables.cell(row["message"] or "", "wrap"),
        ]
        for _, row in last.iterrows()
    ] + [
        [
            html_tables.name_cell(step),
            html_tables.cell(_state("missing")),
            *(html_tables.cell("") for _ in range(5)),
            html_tables.cell("It left no record.", "wrap"),
        ]
        for step in lacking
    ]
    return Section(
        key="timeline",
        nav="Timeline",
        finding=finding,
        subtitle=f"Run {last['run_id'].iloc[0]}, begun {formats.instant(begin)}: one bar per notebook; "
        "blue succeeded, orange did not. Starting up came before; this page’s notebook ends after it is drawn.",
        alt="Bars in the order of the run: "
        + ", ".join(
            f"{step} {formats.duration(seconds)} {status}"
            for step, seconds, status in zip(last["step"], last["seconds"], last["status"], strict=True)
        )
        + ".",
        figure=figure,
        table=html_tables.table("Steps of the run", columns, rows),
    )


def freshness_table(ages: pd.DataFrame, source: str) -> Section:
    """Each table's newest instant against the age that was promised."""
    if ages.empty:
        return missing("freshness", "Freshness", "It needs the table freshness (notebook 04).")
    order = ages.sort_values(["hours", "table_name"], ascending=[False, True], na_position="last", kind="stable")
    late = order[order["state"].isin(["late", "stale"])]
    empty = int((ages["state"] == "empty").sum())
    holding = len(ages) - empty
    if holding == 0:
        finding = f"All {formats.counted(len(ages), 'table')} are still empty"
    elif late.empty:
        finding = f"All {holding} tables with data are as fresh as promised"
    else:
        oldest = late.iloc[0]
        name = oldest["table_name"].split(".")[-1]
        are = "is" if len(late) == 1 else "are"
        finding = f"{len(late)} of {holding} tables {are} late; {name} most: {formats.age(oldest['hours'])}"
    clock = (
        "the moment this page was built"
        if source == "live"
        else "the newest instant in the lake, since this market stands still"
    )
    rows = [
        [
            html_tables.name_cell(row["table_name"].split(".")[-1]),
            html_tables.cell(_layer(row["table_name"]), "text"),
            html_tables.cell(_state(row["state"]), "text"),
            html_tables.cell(formats.instant(row["as_of"])),
            html_tables.cell(formats.age(row["hours"])),
            html_tables.cell(f"{row['sla_hours']:g} h"),
            html_tables.cell(formats.count(row["rows"])),
            html_tables.cell(formats.count(row["version"])),
        ]
        for _, row in order.iterrows()
    ]
    return Section(
        key="freshness",
        nav="Freshness",
        finding=finding,
        subtitle=f"Age of each table’s newest row, counted from {clock}. "
        "Late: older than promised; stale: more than twice as old."
        + (f" {formats.counted(empty, 'table')} without rows." if empty else ""),
        table=html_tables.table(
            "Oldest first", ["Table", "Layer", "State", "Newest row", "Age", "Promised", "Rows", "Version"], rows
        ),
    )


def flow(last: pd.DataFrame) -> Section:
    """Rows read, written and rejected by each step of the last run."""
    counts = last[["rows_read", "rows_written", "rows_rejected"]].fillna(0)
    moving = last[(counts.sum(axis=1) > 0) & last["step"].str[:2].isin(list(LAYERS))]
    if moving.empty:
        return missing("flow", "Flow", "It needs a step that moved rows.")
    names = [f"{step[:2]} {LAYERS[step[:2]]}" for step in moving["step"]]
    kinds = (
        ("rows_read", "read", style.MUTE, "circle-open", 13),
        ("rows_written", "written", style.BLUE, "circle", 9),
        ("rows_rejected", "rejected", style.ORANGE, "diamond", 9),
    )
    traces = []
    for column, word, colour, symbol, size in kinds:
        shown = [(name, value) for name, value in zip(names, moving[column], strict=True) if value and value > 0]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": charts.numbers(value for _, value in shown),
                "y": [name for name, _ in shown],
                "marker": {"symbol": symbol, "size": size, "color": colour, "line": {"width": 2, "color": colour}},
                "name": word,
                "hovertemplate": f"%{{y}}: %{{x:,}} {word}<extra></extra>",
            }
        )
    high = float(counts.to_numpy().max())
    figure = {
        "data": traces,
        "layout": style.layout(
            height=90 + 40 * max(len(moving), 3),
            margin={"l": 100, "r": 24, "t": 4, "b": 48},
            hovermode="closest",
            xaxis={
                "title": {"text": "rows or responses, log scale"},
                "type": "log",
                "range": charts.numbers([-0.2, math.log10(max(high, 10)) + 0.3]),
                "dtick": 1,
                "tickformat": ",",
                "showgrid": True,
                "showline": False,
            },
            yaxis={"type": "category", "range": [len(moving) - 0.4, -0.6], "showline": False},
            meta={"phone_rows": True, "small": {"margin": {"l": 96}, "xaxis": {"tickformat": "~s"}}},
        ),
    }
    silver = moving[moving["step"].str.startswith("03")]
    finding = f"{formats.counted(len(moving), 'step')} moved rows"
    if len(silver) and silver["rows_read"].iloc[0]:
        row = silver.iloc[0]
        share = (row["rows_rejected"] or 0) / row["rows_read"]
        finding = (
            "Silver took in every row that bronze gave it"
            if share == 0
            else f"Silver rejected {formats.percent(share, 2, sign=False)} of the rows that bronze gave it"
        )
    return Section(
        key="flow",
        nav="Flow",
        finding=finding,
        subtitle="Circle: read; blue: written; orange diamond: rejected. One step right is ten times as many.",
        alt="Points on a log axis: "
        + ", ".join(
            f"{name} read {formats.count(read)}, wrote {formats.count(written)}, "
            f"rejected {formats.count(rejected)}"
            for name, read, written, rejected in zip(
                names, moving["rows_read"], moving["rows_written"], moving["rows_rejected"], strict=True
            )
        )
        + ".",
        figure=figure,
        table=html_tables.table(
            "Rows of the last run",
            ["Layer", "Read", "Written", "Rejected"],
            [
                [
                    html_tables.name_cell(name),
                    *(html_tables.cell(formats.count(row[column])) for column, *_ in kinds),
                ]
                for name, (_, row) in zip(names, moving.iterrows(), strict=True)
            ],
        ),
        wide=False,
    )


def quarantine(daily: pd.DataFrame) -> Section:
    """Quarantined records by reason: those that passed later, and those still out."""
    if daily.empty:
        return Section(
            key="quarantine",
            nav="Quarantine",
            finding="No record is in quarantine",
            subtitle="Every record that silver read so far was as its expectations say.",
            wide=False,
        )
    by_reason = daily.groupby("reason")[["records", "replayed"]].sum().sort_values("records", ascending=False)
    open_ = by_reason["records"] - by_reason["replayed"]
    total, passed = int(by_reason["records"].sum()), int(by_reason["replayed"].sum())
    labels = [charts.words(reason) for reason in by_reason.index]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "x": charts.numbers(values.astype(int)),
            "y": labels,
            "name": word,
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}: %{{x:,}} {word}<extra></extra>",
        }
        for values, word, colour in (
            (open_, "still out", style.ORANGE),
            (by_reason["replayed"], "passed later", style.BLUE),
        )
    ]
    totals = [
        {
            "name": "total",
            "text": formats.count(row["records"]),
            "x": int(row["records"]),
            "y": label,
            "xanchor": "left",
            "xshift": 4,
            "showarrow": False,
            "font": {"size": 12, "color": style.INK},
        }
        for label, (_, row) in zip(labels, by_reason.iterrows(), strict=True)
    ]
    longest = max(len(label) for label in labels)
    figure = {
        "data": bars,
        "layout": style.layout(
            height=max(90 + 34 * len(labels), 290),
            margin={"l": 24 + 7 * longest, "r": 20, "t": 4, "b": 48},
            barmode="stack",
            bargap=0.4,
            hovermode="closest",
            annotations=totals,
            xaxis={
                "title": {"text": "records"},
                "range": [0, charts.rounded(by_reason["records"].max() * 1.16)],
                "tickformat": ",",
                "nticks": 6,
                "showgrid": True,
                "showline": False,
            },
            yaxis={"type": "category", "range": [max(len(labels), 3) - 0.4, -0.6], "showgrid": False},
            meta={"phone_rows": True, "small": {"margin": {"l": 24 + 6 * longest}}},
        ),
    }
    top = by_reason.index[0]
    share = by_reason["records"].iloc[0] / total
    records = formats.counted(total, "quarantined record")
    finding = formats.fitting(
        f"{top} explains {formats.percent(share, 0, sign=False)} of {records}",
        f"{records} for {formats.counted(len(by_reason), 'reason')}",
    )
    newest = daily.sort_values(["date", "table_name", "reason"], ascending=[False, True, True]).head(60)
    return Section(
        key="quarantine",
        nav="Quarantine",
        finding=finding,
        subtitle=f"Records by reason; orange: still out, blue: passed later "
        f"({formats.percent(passed / total, 0, sign=False)}). A record with two reasons counts for both.",
        alt="Bars: "
        + ", ".join(f"{reason} {formats.count(row['records'])}" for reason, row in by_reason.iterrows())
        + ".",
        figure=figure,
        table=html_tables.table(
            "Newest first",
            ["Day", "Table", "Reason", "Records", "Passed later"],
            [
                [
                    html_tables.name_cell(
                        formats.day(row["date"]) if row["date"].year > 1900 else "day not known"
                    ),
                    html_tables.cell(row["table_name"], "text"),
                    html_tables.cell(row["reason"], "text"),
                    html_tables.cell(formats.count(row["records"])),
                    html_tables.cell(formats.count(row["replayed"])),
                ]
                for _, row in newest.iterrows()
            ],
        ),
        wide=False,
    )


def credit_line(steps: pd.DataFrame) -> tuple[str, int | None]:
    """Plan and monthly credits that the newest ingestion ran with; (``, None) when no step says so."""
    ingested = steps[steps["step"].str.startswith("01_")]
    if ingested.empty or not ingested["parameters"].iloc[-1]:
        return "", None
    given = json.loads(ingested["parameters"].iloc[-1])
    if "plan" not in given:
        return "", None
    plan = api.choose_tier(given["plan"], credits_per_month=int(given.get("credits_per_month") or 0))
    return given["plan"], plan.credits_per_month


def _reach(used: int, projected: float, line: int | None, newest: pd.Timestamp, end: pd.Timestamp) -> str:
    """What the plan's line means for the month: until when the credits last, and what is kept of them."""
    if not line:
        return ""
    kept = api.kept_for_present(line)
    if used >= line:
        return f"They are used up until {formats.day(end + pd.Timedelta(days=1))}. "
    if used >= line - kept:
        return (
            f"The last {formats.count(kept)} credits are kept for the present; history waits for the next month. "
        )
    if projected <= line:
        return ""
    left = (line - used) / (projected - used) * (end - newest).days
    return f"At this pace they last until {formats.day(newest + pd.Timedelta(days=int(left)))}. "


def _hourly(month: pd.DataFrame, end: pd.Timestamp) -> str:
    """What runs of every hour until the month's end would cost, by what a page of prices brings with it."""
    again = month[month["endpoint"] != HISTORY]
    pages = int(month.loc[month["endpoint"] == "coins_markets", "landed"].sum())
    days = (end - month["date"].max()).days
    if not pages or not days:
        return ""
    a_run = again["credits"].sum() / pages
    hourly = formats.count(round(a_run * 24 * days))
    return f"A run costs about {a_run:.0f}; one every hour, {hourly} until {formats.day(end)}. "


def budget(usage: pd.DataFrame, steps: pd.DataFrame, source: str) -> Section:
    """Credits of the newest month, summed day by day, the month's projection, and the plan's line."""
    if usage.empty:
        return missing("budget", "Budget", "It needs requests (notebook 01).")
    newest = usage["date"].max()
    first, end = newest.replace(day=1), pd.Timestamp(instants.last_day(newest.date()))
    month = usage[usage["date"] >= first]
    daily = month.groupby("date")["credits"].sum().reindex(pd.date_range(first, newest), fill_value=0)
    spent = daily.cumsum()
    used = int(spent.iloc[-1])
    once = int(month.loc[month["endpoint"] == HISTORY, "credits"].sum())
    totals = usage[usage["endpoint"] != HISTORY].groupby("date")["credits"].sum()
    by_day = dict(zip(pd.DatetimeIndex(totals.index).date, totals.astype(int), strict=True))
    projected = once + api.projected_credits(by_day, newest.date())
    hourly = _hourly(month, end)
    plan, line = credit_line(steps)
    used_trace = charts.line(
        spent, style.BLUE, "used", fill="tozeroy", fillcolor="rgba(0,114,178,0.15)", mode="lines+markers"
    )
    # One day alone is a point; the line to the month's end starts from it.
    ahead = charts.line(
        pd.Series([used, projected], index=[newest, end]),
        style.INK,
        "projected",
        line={"dash": "dot", "width": 1.6},
    )
    near = [line] if line is not None and line <= 4 * max(projected, 1) else []
    top = max(projected, used, *near, 1) * 1.18
    shapes = [charts.level(credits, style.ORANGE, "dash") for credits in near]
    notes = []
    if line:
        notes.append(
            {
                "name": "budget",
                "text": f"<b>{formats.count(line)} a month</b>" + ("" if near else " is far above ↑"),
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": charts.rounded(line if near else top),
                "yanchor": "bottom" if near else "top",
                "showarrow": False,
                "font": {"size": 12, "color": style.RUST},
            }
        )
    figure = charts.over_time(
        [used_trace, ahead],
        [(1, formats.count(projected))],
        y_title="credits, summed",
        y_range=(0.0, top),
        height=330,
        shapes=shapes,
        notes=notes,
        yaxis={"tickformat": ","},
        xaxis={"range": charts.days([first, end]), "nticks": 6},
    )
    if line:
        share = projected / line
        verb = "stays within" if share <= 1 else "breaks"
        used_up = formats.percent(share, 0, sign=False)
        finding = f"{newest:%B} {verb} the plan: {used_up} of {formats.count(line)} credits"
    else:
        finding = f"{formats.counted(used, 'credit')} in {newest:%B}, about {formats.count(projected)} by its end"
    told = (
        "Simulated requests cost nothing; these are the credits that real ones would. "
        if source == "simulated"
        else ""
    )
    stated = f"The {plan} plan states no monthly budget. " if plan and not line else ""
    stated += f"{formats.counted(once, 'credit')} went to histories, which are asked once. " if once else ""
    stated += hourly
    stated += _reach(used, projected, line, newest, end)
    by_endpoint = month.groupby("endpoint")[
        ["attempts", "landed", "errors", "rate_limited", "credits", "bytes"]
    ].sum()
    return Section(
        key="budget",
        nav="Budget",
        finding=finding,
        subtitle=f"{told}{stated}Answered requests to CoinGecko since {formats.day(first)}; "
        "dotted: what is asked again and again, at the pace of the last seven days.",
        alt=f"Line of summed credits: {formats.count(used)} on {formats.day(newest)}, "
        f"{formats.count(projected)} projected for {formats.day(end)}"
        + (f", against {formats.count(line)} a month." if line else "."),
        figure=figure,
        table=html_tables.table(
            f"Requests in {newest:%B %Y}",
            ["Endpoint", "Sent", "Landed", "Errors", "Rate limited", "Credits", "Size"],
            [
                [
                    html_tables.name_cell(endpoint),
                    *(
                        html_tables.cell(formats.count(row[name]))
                        for name in ("attempts", "landed", "errors", "rate_limited", "credits")
                    ),
                    html_tables.cell(formats.size(row["bytes"])),
                ]
                for endpoint, row in by_endpoint.iterrows()
            ],
        ),
        wide=False,
    )


def durations(steps: pd.DataFrame, last: pd.DataFrame) -> Section:
    """How long each step took in the last runs: a point per run, the median as a mark."""
    good = steps[steps["status"] == "succeeded"]
    names = sorted(good["step"].unique())
    if not names:
        return missing("durations", "Durations", "It needs a step that succeeded.")
    earlier = good[good["run_id"] != last["run_id"].iloc[0]]
    newest = last[last["status"] == "succeeded"]
    median = good.groupby("step")["seconds"].median()
    usual = earlier.groupby("step")["seconds"].median()
    traces = [
        _points(earlier, style.MUTE, "earlier run", {"symbol": "circle", "size": 7, "opacity": 0.45}),
        _points(newest, style.BLUE, "last run", {"symbol": "circle", "size": 10}),
        {
            "type": "scatter",
            "mode": "markers",
            "x": charts.numbers(median[names]),
            "y": names,
            "marker": {
                "symbol": "line-ns",
                "size": 16,
                "color": style.INK,
                "line": {"width": 2, "color": style.INK},
            },
            "name": "median",
            "hovertemplate": "%{y}: median %{x:.1f} s<extra></extra>",
        },
    ]
    figure = {
        "data": traces,
        "layout": style.layout(
            height=330,
            margin={"l": 180, "r": 16, "t": 4, "b": 48},
            hovermode="closest",
            xaxis={
                "title": {"text": "seconds"},
                "range": [0, charts.rounded(good["seconds"].max() * 1.08)],
                "showgrid": True,
                "showline": False,
            },
            yaxis={
                "type": "category",
                "categoryorder": "array",
                "categoryarray": names,
                "range": [max(len(names), 3) - 0.4, -0.6],
            },
            meta={
                "phone_rows": True,
                "small": {
                    "margin": {"l": 34},
                    "yaxis": {"ticktext": [name[:2] for name in names], "tickvals": names, "tickmode": "array"},
                },
            },
        ),
    }
    runs = good["run_id"].nunique()
    change = newest.set_index("step")["seconds"] / usual - 1
    slowest = change.dropna().idxmax() if change.notna().any() else ""
    if earlier["run_id"].nunique() < USUAL_RUNS or not slowest:
        finding = f"{median.idxmax()} is the longest step: {formats.duration(median.max())}"
    elif change[slowest] < UNUSUAL:
        finding = "No step of the last run took longer than usual"
    else:
        finding = f"{slowest} took {formats.percent(change[slowest], 0, sign=False)} longer than usual"
    return Section(
        key="durations",
        nav="Durations",
        finding=finding,
        subtitle=f"Seconds per step over {formats.counted(runs, 'run')}: grey earlier runs, blue the last one, "
        "mark the median.",
        alt="Points per step; medians: "
        + ", ".join(f"{name} {formats.duration(median[name])}" for name in names)
        + ".",
        figure=figure,
        table=html_tables.table(
            "Seconds per step",
            ["Step", "Last", "Median", "Fastest", "Slowest", "Runs"],
            [_duration_row(name, good[good["step"] == name]["seconds"], newest) for name in names],
        ),
        wide=False,
    )


def _points(steps: pd.DataFrame, colour: str, word: str, marker: dict[str, Any]) -> charts.Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": charts.numbers(steps["seconds"]),
        "y": steps["step"].tolist(),
        "marker": {"color": colour, **marker},
        "name": word,
        "customdata": steps["run_id"].tolist(),
        "hovertemplate": "%{y}: %{x:.1f} s<br>%{customdata}<extra></extra>",
    }


def _duration_row(name: str, seconds: pd.Series, newest: pd.DataFrame) -> list[Markup]:
    now = newest.loc[newest["step"] == name, "seconds"]
    values = (now.iloc[0] if len(now) else None, seconds.median(), seconds.min(), seconds.max())
    return [
        html_tables.name_cell(name),
        *(html_tables.cell(formats.duration(value)) for value in values),
        html_tables.cell(formats.count(len(seconds))),
    ]


def _kicker(source: str, runs: pd.DataFrame) -> list[str]:
    words = [TITLE, freshness.ORIGINS[source][1]]
    if len(runs):
        first, newest = runs["started_at"].min(), runs["ended_at"].max()
        days = [formats.day(first), formats.day(newest)]
        words += [" to ".join(dict.fromkeys(days)), formats.counted(len(runs), "run")]
    return [word for word in words if word]


def _banner(
    source: str, last: pd.DataFrame, ages: pd.DataFrame, built_at: datetime, lacking: tuple[str, ...]
) -> Banner:
    built = f"built {formats.instant(built_at)}"
    if last.empty:
        return Banner("empty", "No run yet.", built)
    facts = f"Last run {last['run_id'].iloc[0]} · {built}"
    status = schema.run_status(last["status"], lacking)
    if status != schema.SUCCEEDED:
        return Banner("failed", f"The last run {schema.ENDED[status]}.", facts)
    if source != "live":
        return Banner("sample", freshness.ORIGINS[source][0], facts)
    worst = next((state for state in ("stale", "late") if state in set(ages["state"])), "fresh")
    words = {
        "fresh": "All data is as fresh as promised.",
        "late": "Some data is late.",
        "stale": "Some data is stale.",
    }
    ended = pd.Timestamp(last["ended_at"].max()).to_pydatetime().replace(tzinfo=UTC)
    return Banner(worst, words[worst], facts, ended, float(ages["sla_hours"].min()), "the last run ended")


def _layer(table_name: str) -> str:
    schemas = {schema.RAW: "bronze", schema.CLEANED: "silver", schema.AGGREGATED: "gold"}
    return schemas.get(table_name.split(".")[0], "")


def _state(word: str) -> Markup:
    return Markup('<span class="state {0}">{0}</span>').format(word)


def _seconds(last: pd.DataFrame) -> float:
    return (last["ended_at"].max() - last["started_at"].min()).total_seconds()
