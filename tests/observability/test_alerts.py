"""Alerts: each fires once, for what it is about, and clears."""

import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from coinlake import observability, schema
from coinlake.observability import alerts
from coinlake.observability.alerts import Alert

NOON = datetime(2026, 8, 12, 12, tzinfo=UTC)
STEPS = list(schema.STEPS)


def step(name, status="succeeded", *, run_id="r1", message=None, counts=(10, 10, 0), parameters="{}"):
    read, written, rejected = counts
    started = datetime(2026, 8, 12, 10, STEPS.index(name))
    return {
        "run_id": run_id,
        "step": name,
        "status": status,
        "started_at": started,
        "message": message,
        "parameters": parameters,
        "rows_read": read,
        "rows_written": written,
        "rows_rejected": rejected,
    }


def table(name, hour, rows=100, sla=2.0):
    as_of = None if hour is None else datetime(2026, 8, 12, hour)
    return {"table_name": f"cleaned_data.{name}", "as_of": as_of, "rows": rows, "sla_hours": sla, "version": 1}


def messages(found):
    return {(alert.kind, alert.subject): alert.message for alert in found}


@pytest.mark.parametrize(
    ("run", "missing", "said"),
    [
        ([step(STEPS[0])], (), None),
        ([step(STEPS[1]), step(STEPS[0], "failed", message="No disk.")], (), "failed in 00_setup: No disk."),
        ([step(STEPS[0], "interrupted")], ("01_a",), "was interrupted in 00_setup."),
        ([step(STEPS[0], "running")], (), "has not ended in 00_setup."),
        ([step(STEPS[0])], ("01_a", "02_b"), "is incomplete: 01_a, 02_b left no record."),
        ([], ("01_a",), "is incomplete: 01_a left no record."),
    ],
)
def test_a_run_that_did_not_succeed(run, missing, said):
    wanted = [] if said is None else [Alert("failed_run", "pipeline", f"The run {said}")]
    assert alerts.failed_run(run, missing) == wanted


@pytest.mark.parametrize(
    ("landed", "written", "fires"),
    [(3, 0, True), (0, 0, False), (3, 1, False), (float("nan"), 0, False), (3, None, False)],
)
def test_answers_that_landed_and_made_no_row(landed, written, fires):
    run = [step(STEPS[1], counts=(3, landed, 0)), step(STEPS[3], counts=(3, written, 0))]
    wanted = [Alert("no_new_rows", "silver", "3 answers landed, and silver took in no row.")]
    assert alerts.no_new_rows(run) == (wanted if fires else [])


@pytest.mark.parametrize(
    ("read", "rejected", "fires"), [(100, 5, False), (100, 6, True), (0, 0, False), (None, None, False)]
)
def test_a_quarantine_that_fills(read, rejected, fires):
    wanted = [Alert("quarantine_rate", "silver", "6 of 100 records were quarantined; 5% are usual at most.")]
    assert alerts.quarantine_rate([step(STEPS[3], counts=(read, 1, rejected))]) == (wanted if fires else [])


def test_a_table_is_stale_by_the_clock_or_by_the_newest_one():
    tables = [table("a", 11), table("b", 10), table("c", 9), table("d", None)]
    late = "It is {} hours old; 2 are promised."
    assert messages(alerts.stale_tables(tables, NOON)) == {("stale_table", "cleaned_data.c"): late.format("3.0")}
    assert alerts.stale_tables(tables, None) == []
    assert messages(alerts.stale_tables([*tables, table("e", 8)], None)) == {
        ("stale_table", "cleaned_data.e"): late.format("3.0")
    }
    assert alerts.stale_tables([table("d", None)], None) == []


def test_a_table_that_lost_rows():
    tables = [table("a", 11, rows=89), table("b", 11, rows=90), table("new", 11, rows=0)]
    most = {"cleaned_data.a": 100, "cleaned_data.b": 100}
    assert alerts.fewer_rows(tables, most) == [
        Alert("fewer_rows", "cleaned_data.a", "It has 89 rows; it had 100.")
    ]


@pytest.mark.parametrize(("credits", "fires"), [(1944, False), (1945, True)])
def test_a_month_that_does_not_last(credits, fires):
    usage = [
        {"date": date(2026, 8, 1), "source": "live", "credits": 2_778},
        {"date": date(2026, 8, 8), "source": "live", "credits": credits - 900},
        {"date": pd.Timestamp(2026, 8, 8), "source": "live", "credits": 900},
        {"date": date(2026, 7, 31), "source": "live", "credits": 99_999},
        {"date": date(2026, 8, 2), "source": "simulated", "credits": 99_999},
    ]
    # 1,945 in the last seven days, and 19 days to come.
    said = "4,723 credits are used; at this pace 10,002 by the month's end, of 10,000."
    wanted = [Alert("budget", "plan demo", said)]
    assert alerts.budget(usage, {"plan": "demo"}, NOON) == (wanted if fires else [])
    assert alerts.budget(usage, {"plan": "keyless"}, NOON) == []
    assert alerts.budget(usage, {}, NOON) == []


def test_closes_that_two_sources_tell_far_apart():
    def close(coin_id, day, hour):
        return {"coin_id": coin_id, "vs_currency": "usd", "date": date(2026, 8, 11), "day": day, "hour": hour}

    fine = [close("a", 100.0, 90.0), close("b", 0.0, 0.0)]
    assert alerts.price_jump(fine) == []
    said = (
        "2 of 4 closes of 2026-08-11 differ by more than 10% between daily and hourly prices, such as c: 58,000.5 "
        "and 5,800 usd."
    )
    apart = [close("d", 0.0, 1e-9), close("c", 58_000.5, 5_800.0)]
    assert alerts.price_jump([*fine, *apart]) == [Alert("price_jump", "fact_price_daily", said)]


def look(tmp_path, run_id, steps, *, tables=(), usage=(), closes=()):
    reporting = observability.Step("08_report_pipeline_health", run_id, str(tmp_path), {}, NOON)
    return [(alert["kind"], alert["subject"]) for alert in alerts.look(reporting, steps, tables, usage, closes)]


def told(tmp_path, run_id):
    fired, cleared = alerts.news(str(tmp_path), run_id)
    return [alert["kind"] for alert in fired], [alert["kind"] for alert in cleared]


def test_every_alert_fires_once_stays_and_clears(tmp_path):
    def run(run_id, *, bad):
        live = json.dumps({"run_id": run_id, "source": "live", "plan": "demo"})
        steps = [step(name, run_id=run_id, parameters=live) for name in STEPS[:-1]]
        if bad:
            steps[3] |= {"rows_written": 0, "rows_rejected": 9}
            steps[6] |= {"status": "failed", "message": "No."}
        tables = [table("a", 9 if bad else 11, rows=10 if bad else 100)]
        usage = [{"date": date(2026, 8, 8), "source": "live", "credits": 9_000 if bad else 1}]
        closes = (
            [{"coin_id": "a", "vs_currency": "usd", "date": NOON.date(), "day": 1.0, "hour": 9.0}] if bad else []
        )
        return look(tmp_path, run_id, steps, tables=tables, usage=usage, closes=closes)

    kinds = [*schema.ALERTS]
    assert run("r1", bad=False) == []
    assert told(tmp_path, "r1") == ([], [])
    assert sorted(kind for kind, _ in run("r2", bad=True)) == sorted(kinds)
    assert sorted(told(tmp_path, "r2")[0]) == sorted(kinds)
    assert sorted(kind for kind, _ in run("r3", bad=True)) == sorted(kinds)
    assert told(tmp_path, "r3") == ([], [])
    assert run("r4", bad=False) == []
    assert told(tmp_path, "r4")[0] == []
    assert sorted(told(tmp_path, "r4")[1]) == sorted(kinds)
    assert run("r5", bad=False) == []
    assert told(tmp_path, "r5") == ([], [])
    noted = json.loads((tmp_path / "alerts.json").read_text())
    assert {(a["fired_by"], a["cleared_by"]) for a in noted["alerts"]} == {("r2", "r4")}
    assert noted["most_rows"] == {"a": 100}


def test_a_run_that_never_came_to_its_report_is_looked_at_from_its_records(tmp_path):
    lake = str(tmp_path)
    observability.Step("00_setup", "r1", lake, {}).fail("No disk.")
    [alert] = alerts.look_at_end(lake, "r1", ["00_setup", "01_a"])
    assert alert["message"] == "The run failed in 00_setup: No disk."
    # What needs tables is not looked at, and so it does not clear.
    alerts._note(lake, "r1", ["stale_table"], [Alert("stale_table", "a", "old")], alerts._read(lake))
    observability.Step("00_setup", "r2", lake, {})._begin()
    still_open = alerts.look_at_end(lake, "r2", ["00_setup"])
    assert [(alert["kind"], alert["message"]) for alert in still_open] == [
        ("failed_run", "The run has not ended in 00_setup."),
        ("stale_table", "old"),
    ]
    assert told(tmp_path, "r2") == ([], [])


def test_a_notebook_by_hand_lacks_nothing_and_looks_at_the_newest_run(tmp_path):
    alone = step(STEPS[3], parameters='{"run_id": ""}')
    assert look(tmp_path, "r9", [alone]) == []
    assert look(tmp_path, "r9", []) == []
    assert look(tmp_path, "r9", [step(STEPS[3])]) == [("failed_run", "pipeline")]


def test_a_file_that_was_cut_off_is_begun_again(tmp_path):
    (tmp_path / "alerts.json").write_text('{"alerts": [')
    assert look(tmp_path, "r1", [step(STEPS[3], "failed", parameters='{"run_id": ""}')]) == [
        ("failed_run", "pipeline")
    ]
