"""Alerts as data: what is wrong with the pipeline, looked at when a run ends. Each fires once, and clears.

<lake>/alerts.json keeps the alerts, the open ones and the newest that cleared, and what the next run is compared
with. Whoever has the tables looks at everything (notebook 08); whoever runs the notebooks looks at how the run
ended, which a notebook that was never reached cannot say.
"""

import contextlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from coinlake import api, files, instants, runtime, schema
from coinlake.observability.steps import Step, read_records

NAME = "alerts.json"
KEPT = 200  # alerts that have cleared
QUARANTINE_RATE = 0.05  # of the records that silver read in a run
ROWS_LEFT = 0.9  # of the most rows that a table ever had
APART = 0.1  # two prices of one moment, as a share of the higher one

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Alert:
    """Something that a person should look at: a kind of schema.ALERTS, what it is about, and what is the case."""

    kind: str
    subject: str
    message: str


def look(step: Step, steps: Rows, freshness: Rows, usage: Rows, closes: Rows = ()) -> list[dict[str, Any]]:
    """Look at everything at the end of notebook 08, note it, and return the alerts that are open.

    `steps` are rows of run_steps, `freshness` and `usage` all rows of freshness and api_usage, `closes` what
    closes_of_two_sources gives; `step` is that of the notebook. It looks at the run of `step`; at the newest one
    when that has no other steps.
    """
    run = _run_of(step.run_id, list(steps))
    state = _read(step.lake_path)
    most = dict(state["most_rows"])
    tables = [row | {"table_name": row["table_name"].split(".")[-1]} for row in map(dict, freshness)]
    is_live = _given(run).get("source") == "live"
    found = [
        *failed_run(run, schema.lacking_steps(run, (step.run_id, step.name))),
        *no_new_rows(run),
        *quarantine_rate(run),
        *stale_tables(tables, step.started_at if is_live else None),
        *fewer_rows(tables, most),
        *price_jump(closes),
        *(budget(usage, _given(run), step.started_at) if is_live else []),
    ]
    most |= {row["table_name"]: max(int(row["rows"]), most.get(row["table_name"], 0)) for row in tables}
    return _note(step.lake_path, step.run_id, schema.ALERTS, found, state | {"most_rows": most})


def look_at_end(lake_path: str, run_id: str, expected: Iterable[str]) -> list[dict[str, Any]]:
    """Look at how a run ended, from the records of its steps, and return the alerts that are open.

    `expected` are the steps that it should have. For whoever runs the notebooks; needs no table.
    """
    day_before = datetime.now(UTC).date() - timedelta(days=2)
    run = [record for record in read_records(lake_path, day_before) if record["run_id"] == run_id]
    there = {record["step"] for record in run}
    found = failed_run(run, [name for name in expected if name not in there])
    return _note(lake_path, run_id, ("failed_run",), found, _read(lake_path))


def news(lake_path: str, run_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The alerts that fired in a run, and those that cleared in it."""
    alerts = _read(lake_path)["alerts"]
    fired = [alert for alert in alerts if alert["fired_by"] == run_id and not alert["cleared_at"]]
    return fired, [alert for alert in alerts if alert["cleared_by"] == run_id]


def failed_run(run: Rows, missing: Collection[str]) -> list[Alert]:
    """An alert when a run did not succeed, from its steps and the steps that it lacks."""
    run = sorted(run, key=lambda step: step["started_at"])
    status = schema.run_status((step["status"] for step in run), missing)
    if status == schema.SUCCEEDED:
        return []
    where = next((step for step in run if step["status"] == status), None)
    if where is None:
        said = f"The run is incomplete: {', '.join(missing)} left no record."
    else:
        why = f": {where['message']}" if where["message"] else "."
        said = f"The run {schema.ENDED[status]} in {where['step']}{why}"
    return [Alert("failed_run", "pipeline", said)]


def no_new_rows(run: Rows) -> list[Alert]:
    """An alert when answers of the market landed and silver took in no row of them."""
    counts = {step["step"]: step["rows_written"] for step in run if step["status"] == schema.SUCCEEDED}
    landed, written = counts.get("01_ingest_market_data"), counts.get("03_stream_to_silver")
    if not _is_known(landed) or not _is_known(written) or not landed or written:
        return []
    return [Alert("no_new_rows", "silver", f"{landed:,.0f} answers landed, and silver took in no row.")]


def quarantine_rate(run: Rows) -> list[Alert]:
    """An alert when more than QUARANTINE_RATE of the records that silver read were quarantined."""
    step = next((step for step in run if step["step"] == "03_stream_to_silver"), {})
    read, rejected = step.get("rows_read"), step.get("rows_rejected")
    if not _is_known(read) or not _is_known(rejected) or not read or rejected <= QUARANTINE_RATE * read:
        return []
    said = f"{rejected:,.0f} of {read:,.0f} records were quarantined; {QUARANTINE_RATE:.0%} are usual at most."
    return [Alert("quarantine_rate", "silver", said)]


def stale_tables(tables: Rows, now: datetime | None) -> list[Alert]:
    """An alert for each table that is older than promised, from rows of freshness.

    Age counts from `now`, or from the newest instant of all tables where the market stands still.
    """
    known = [(row, _utc(row["as_of"])) for row in tables if _is_known(row["as_of"])]
    now = now or max((as_of for _, as_of in known), default=None)
    alerts = []
    for row, as_of in known:
        assert now is not None  # there is a newest one
        hours = (now - as_of).total_seconds() / 3600
        if hours > row["sla_hours"]:
            said = f"It is {hours:,.1f} hours old; {row['sla_hours']:g} are promised."
            alerts.append(Alert("stale_table", row["table_name"], said))
    return alerts


def fewer_rows(tables: Rows, most: Mapping[str, int]) -> list[Alert]:
    """An alert for each table that has lost rows: fewer than ROWS_LEFT of the `most` that it ever had."""
    return [
        Alert(
            "fewer_rows",
            row["table_name"],
            f"It has {row['rows']:,.0f} rows; it had {most[row['table_name']]:,.0f}.",
        )
        for row in tables
        if row["rows"] < ROWS_LEFT * most.get(row["table_name"], 0)
    ]


def price_jump(closes: Rows) -> list[Alert]:
    """An alert when two sources tell closes of a day that are further apart than APART."""
    closes = list(closes)
    apart = [row for row in closes if abs(row["day"] - row["hour"]) > APART * max(row["day"], row["hour"])]
    if not apart:
        return []
    first = min(apart, key=lambda row: (row["coin_id"], row["vs_currency"]))
    said = (
        f"{len(apart):,} of {len(closes):,} closes of {first['date']} differ by more than {APART:.0%} between "
        f"daily and hourly prices, such as {first['coin_id']}: {first['day']:,.6g} and {first['hour']:,.6g} "
        f"{first['vs_currency']}."
    )
    return [Alert("price_jump", "fact_price_daily", said)]


def budget(usage: Rows, given: Mapping[str, Any], now: datetime) -> list[Alert]:
    """An alert when the month's credits do not last at the present pace, from rows of api_usage.

    `given` are the parameters of the ingestion, which name the plan.
    """
    if "plan" not in given:
        return []
    tier = api.choose_tier(given["plan"], credits_per_month=int(given.get("credits_per_month") or 0))
    daily: Counter[date] = Counter()
    for row in usage:
        if row["source"] == "live":
            # A frame's rows have instants for dates, which compare with no date.
            daily[date(row["date"].year, row["date"].month, row["date"].day)] += row["credits"]
    used = sum(credits for day, credits in daily.items() if _month(day) == _month(now))
    projected = api.projected_credits(daily, now.date())
    if tier.credits_per_month is None or projected <= tier.credits_per_month:
        return []
    said = (
        f"{used:,.0f} credits are used; at this pace {projected:,.0f} by the month's end, of "
        f"{tier.credits_per_month:,}."
    )
    return [Alert("budget", f"plan {tier.name}", said)]


def _note(
    lake_path: str, run_id: str, kinds: Collection[str], found: Iterable[Alert], state: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Note what was found of these kinds: what is new fires, what is no longer so clears. Returns what is open."""
    now = instants.to_text(datetime.now(UTC))
    firing = {(alert.kind, alert.subject): alert for alert in found}
    alerts = []
    for alert in state["alerts"]:
        if not alert["cleared_at"] and alert["kind"] in kinds:
            still = firing.pop((alert["kind"], alert["subject"]), None)
            alert |= {"message": still.message} if still else {"cleared_at": now, "cleared_by": run_id}
        alerts.append(alert)
    alerts += [
        {
            "kind": alert.kind,
            "subject": alert.subject,
            "message": alert.message,
            "fired_at": now,
            "fired_by": run_id,
            "cleared_at": None,
            "cleared_by": None,
        }
        for alert in firing.values()
    ]
    still_open = [alert for alert in alerts if not alert["cleared_at"]]
    cleared = [alert for alert in alerts if alert["cleared_at"]]
    path = _path(lake_path)
    try:
        files.write_json(path, {**state, "alerts": cleared[-KEPT:] + still_open})
    except PermissionError:
        print(f"{NAME} is as it was, because you may read this lake and not write to it")
    return still_open


def _read(lake_path: str) -> dict[str, Any]:
    """What is noted; nothing where nothing is, or where a volume has the beginning of it only."""
    state: dict[str, Any] = {"alerts": [], "most_rows": {}}
    with contextlib.suppress(FileNotFoundError, ValueError):
        state |= json.loads(_path(lake_path).read_text(encoding="utf-8"))
    return state


def _path(lake_path: str) -> Path:
    return Path(runtime.resolve_path(lake_path)) / NAME


def _run_of(run_id: str, steps: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The steps of a run; of the newest one when it has none."""
    run = [step for step in steps if step["run_id"] == run_id]
    if run or not steps:
        return run
    newest = max(steps, key=lambda step: step["started_at"])["run_id"]
    return [step for step in steps if step["run_id"] == newest]


def _given(run: Rows) -> dict[str, Any]:
    """The parameters of a run's ingestion of the market."""
    texts = [step["parameters"] for step in run if step["step"] == "01_ingest_market_data"]
    return dict(json.loads(texts[-1])) if texts else {}


def _is_known(value: Any) -> bool:
    """Whether it is neither None nor what pandas puts in its place, which is not equal to itself."""
    return value is not None and bool(value == value)


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month
