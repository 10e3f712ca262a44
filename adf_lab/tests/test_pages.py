"""The pages about runs: what failed first, attempts and waits apart, every run, the windows of triggers."""

import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from lxml import html

from adf_lab import Engine, Script, VirtualClock, monitor, pages
from adf_lab.cli import main
from adf_lab.pages import command, overview, spans, words
from adf_support.factories import after, good_factory, write_factory

START = datetime(2026, 8, 12, 14, 22, tzinfo=UTC)
NOW = datetime(2026, 8, 12, 15, 0, tzinfo=UTC)
PIPELINES = {
    "pl_outer": {
        "properties": {
            "variables": {"note": {"type": "String"}},
            "activities": [
                {
                    "name": "note",
                    "type": "SetVariable",
                    "typeProperties": {"variableName": "note", "value": "<b>&"},
                },
                {"name": "pause", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 20}},
                {
                    "name": "call",
                    "type": "ExecutePipeline",
                    "dependsOn": [after("pause")],
                    "typeProperties": {"pipeline": {"referenceName": "pl_inner", "type": "PipelineReference"}},
                },
                {"name": "after", "type": "Copy", "dependsOn": [after("call")], "typeProperties": {}},
            ],
        }
    },
    "pl_inner": {
        "properties": {
            "activities": [
                {
                    "name": "load",
                    "type": "Copy",
                    "policy": {"retry": 1, "retryIntervalInSeconds": 60},
                    "typeProperties": {"path": "<script>alert(1)</script>"},
                }
            ]
        }
    },
}


def failing(*messages):
    error = [{"errorCode": "E", "message": message} for message in messages]
    return {"load": [{"status": "Failed", "error": one, "durationSeconds": 5} for one in error]}


def played(script, start=START, run_id="r-0", system=None):
    """The record of a run of pl_outer."""
    ids = iter([run_id, *(f"{run_id}-{number}" for number in range(100))])
    executors = Script(script).executors(["Copy"])
    engine = Engine(PIPELINES, executors, VirtualClock(start), new_id=lambda: next(ids))
    return engine.run("pl_outer", system=system).as_dict()


@pytest.fixture(scope="module")
def red():
    return played(failing("busy", "no space </pre> left"))


def select(page, path):
    """The elements below a path of steps, each a tag or a `.class`."""
    found = html.fromstring(page) if isinstance(page, str) else page
    steps = [
        f"*[contains(concat(' ', @class, ' '), ' {step[1:]} ')]" if step[0] == "." else step
        for step in path.split()
    ]
    return found.xpath(".//" + "//".join(steps))


def texts(page, path):
    return [" ".join(element.text_content().split()) for element in select(page, path)]


def cells(page, row):
    """The texts of a row's cells, without that of the bars."""
    return [
        [" ".join(cell.text_content().split()) for cell in element if "lane" not in cell.get("class", "")]
        for element in select(page, row)
    ]


def bars(page):
    """Of every activity its bars: kind, status, begin and width in percent of the run."""
    return {
        select(element, "b")[0].text: [
            (*bar.get("class").split(), bar.get("style")) for bar in select(element, ".lane i")
        ]
        for element in select(page, "summary")
    }


def test_the_same_error_of_several_attempts_is_told_once(red):
    red = json.loads(json.dumps(red))
    [load] = [row.record for row in monitor.rows(red) if row.record["activityName"] == "load"]
    for attempt in load["attempts"]:
        attempt["error"]["message"] = "busy"
    page = pages.run_page(red, NOW, "adf-lab")
    assert texts(page, ".failures .attempts li")[::2] == [
        "attempt 1, 14:22:20 UTC ✕Failed after 5.0 s: busy",
        "attempt 2, 14:23:25 UTC ✕Failed after 5.0 s: the same error",
    ]


def test_a_page_of_a_run_leads_with_the_first_cause_and_its_attempts(red):
    page = pages.run_page(red, NOW, "adf-lab")
    assert texts(page, ".failures p") == ["pl_outer › call › pl_inner › load", "Copy, code E, began 14:22:20 UTC"]
    assert texts(page, ".failures pre") == ["no space </pre> left"]
    assert texts(page, ".failures .attempts li") == [
        "attempt 1, 14:22:20 UTC ✕Failed after 5.0 s: busy",
        "waited 1 min",
        "attempt 2, 14:23:25 UTC ✕Failed after 5.0 s: no space </pre> left",
    ]
    assert page.index("What failed") < page.index("<h2>Activities")
    assert texts(page, "header p") == [
        "Took 1 min 30 s, from 2026-08-12 14:22:00 to 14:23:30 UTC. Started by hand.",
        "Most work: load, 10 s. Waited in all: 1 min 20 s.",
    ]
    assert texts(page, ".command") == [
        "Go on from what failedadf-lab rerun r-0 --from-failedCopy",
        "Run it againadf-lab rerun r-0Copy",
    ]


def test_every_activity_has_a_line_with_work_told_from_waits(red):
    page = pages.run_page(red, NOW)
    assert cells(page, "summary") == [
        ["noteSetVariable", "✓Succeeded", "0.0 s", ""],
        ["pauseWait", "✓Succeeded", "20 s", "20 s"],
        ["callExecutePipeline", "✕Failed", "1 min 10 s", ""],
        ["loadCopy, 2 attempts", "✕Failed", "1 min 10 s", "1 min"],
        ["afterCopy", "–Skipped", "", ""],
    ]
    assert bars(page) == {
        "note": [("work", "is-succeeded", "left:0.000%;width:0.000%")],
        "pause": [("wait", "is-succeeded", "left:0.000%;width:22.222%")],
        "call": [("group", "is-failed", "left:22.222%;width:77.778%")],
        "load": [
            ("work", "is-failed", "left:22.222%;width:5.556%"),
            ("wait", "is-waiting", "left:27.778%;width:66.667%"),
            ("work", "is-failed", "left:94.444%;width:5.556%"),
        ],
        "after": [],
    }
    assert texts(page, ".failures a") == ["pl_outer › call › pl_inner › load"]
    [link] = select(page, ".failures a")
    assert html.fromstring(page).get_element_by_id(link.get("href")[1:]).xpath(".//b")[0].text == "load"


def test_a_page_is_one_file_that_asks_for_nothing_and_runs_no_text(red, tmp_path):
    page = pages.run_page(red, NOW)
    tree = html.fromstring(page)
    assert "default-src 'none'" in page
    assert len(tree.xpath("//script")) == 1
    assert tree.xpath("//@src | //link | //img") == []
    assert {str(link) for link in tree.xpath("//@href")} == {"index.html", "#a3"}
    assert "<b>&amp;</b>" not in page
    assert len(page.encode()) < 40_000


def test_a_good_run_shows_no_failure_and_one_command():
    record = played({})
    page = pages.run_page(record, NOW)
    assert texts(page, ".failures") == []
    assert texts(page, ".command code") == ["adf-lab rerun r-0"]


def test_a_run_that_goes_on_is_drawn_until_now_and_read_again(red):
    record = json.loads(json.dumps(red)) | {"status": "InProgress", "runEnd": None, "message": ""}
    call = record["activityRuns"][2]
    load = call["pipelineRun"]["activityRuns"][0]
    for run in (call, load):
        run |= {"status": "InProgress", "activityRunEnd": None, "error": None}
    load["attempts"] = [load["attempts"][0], {**load["attempts"][1], "status": "InProgress", "end": None}]
    record["activityRuns"] = record["activityRuns"][:3]
    page = pages.run_page(record, NOW)
    assert cells(page, "summary")[2:] == [
        ["callExecutePipeline", "▸In progress", "37 min 40 s", ""],
        ["loadCopy, 2 attempts", "▸In progress", "37 min 40 s", "1 min"],
    ]
    assert '<meta http-equiv="refresh" content="10">' in page
    assert texts(page, ".command") == texts(page, ".failures") == []
    assert spans.run_seconds(record, NOW) == 38 * 60
    # One that died has lasted until the last that is known of it.
    assert spans.run_seconds(record | {"status": "Interrupted"}, NOW) == 20


def test_the_page_of_all_runs_leads_with_what_failed_last(red):
    records = [red, played({}, START - timedelta(hours=1), "r-1")]
    page = pages.overview_page(records, NOW, program="own factory")
    assert texts(page, "header p") == [
        "2 runs: 1 failed, 1 succeeded. Written 2026-08-12 15:00:00 UTC; all times are UTC."
    ]
    assert texts(page, ".failures .path") == ["pl_outer › call › pl_inner › load ✕Failed"]
    assert texts(page, ".command code") == ["own factory rerun r-0 --from-failed", "own factory rerun r-0"]
    assert cells(page, ".runs .run") == [
        ["Status", "Pipeline", "Began (UTC)", "Took", "Trigger", "Run"],
        ["✕Failed", "pl_outer", "2026-08-12 14:22:00", "1 min 30 s", "Manual", "r-0"],
        ["✓Succeeded", "pl_outer", "2026-08-12 13:22:00", "20 s", "Manual", "r-1"],
    ]
    columns = [
        (one.get("href"), one.text_content(), select(one, "i")[0].get("style")) for one in select(page, ".trend a")
    ]
    assert columns == [("r-1.html", "", "height:22.2%"), ("r-0.html", "✕", "height:100.0%")]
    lanes = {lane[0].text: len(select(lane, "a")) for lane in select(page, ".pipeline-lane")}
    assert lanes == {"pl_outer": 2, "pl_inner": 2}
    # A later run that succeeds takes the failure off the top.
    later = played({}, START + timedelta(hours=1), "r-2")
    assert texts(pages.overview_page([later, *records], NOW), ".failures") == []


def test_no_run_is_a_page_too():
    assert texts(pages.overview_page([], NOW), "header p") == ["There are no runs yet."]


SCHEDULE = {
    "properties": {
        "type": "ScheduleTrigger",
        "typeProperties": {
            "recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2026-08-01T00:00:00Z"}
        },
    }
}
WINDOWS = {
    "properties": {
        "type": "TumblingWindowTrigger",
        "runtimeState": "Started",
        "typeProperties": {
            "frequency": "Hour",
            "interval": 1,
            "startTime": "2026-08-12T12:00:00Z",
            "maxConcurrency": 1,
        },
    }
}


def fired(name, time, status="Succeeded"):
    system = {"TriggerName": name, "TriggerTime": time, "TriggerType": "any"}
    return played({}, run_id=f"{name}-{time[11:13]}", system=system) | {"status": status}


def test_the_times_of_a_trigger_that_nobody_has_run_are_shown():
    records = [
        fired("tr", "2026-08-12T14:00:00Z", "Failed"),
        fired("tr", "2026-08-12T12:00:00Z"),
        fired("tr", "2026-08-12T12:00:00Z", "Failed"),
    ]
    # The newest run of a time tells how it ended.
    times = [
        ("2026-08-12T12:00:00Z", "Succeeded", "tr-12"),
        ("2026-08-12T13:00:00Z", "Missed", None),
        ("2026-08-12T14:00:00Z", "Failed", "tr-14"),
    ]
    assert overview.firings(SCHEDULE, "tr", records, NOW) == times
    assert overview.firings(None, "tr", records, NOW) == [time for time in times if time[2]]
    assert overview.firings(SCHEDULE, "other", records, NOW) == []
    windows = [
        ("2026-08-12T13:00:00Z", "Succeeded", "tw-13"),
        ("2026-08-12T14:00:00Z", "Waiting", None),
        ("2026-08-12T15:00:00Z", "Waiting", None),
    ]
    assert overview.firings(WINDOWS, "tw", [fired("tw", "2026-08-12T13:00:00Z")], NOW) == windows
    page = pages.overview_page(records, NOW, {"tr": SCHEDULE})
    assert texts(page, ".trigger p") == ["tr ScheduleTrigger: 1 failed, 1 missed, 1 succeeded"]
    assert texts(page, ".box") == ["✓", "?", "✕"]


def test_every_status_has_a_mark_of_its_own_and_a_pattern_or_a_word():
    assert len(set(words.MARKS.values())) == len(words.MARKS)
    assert texts(f"<p>{words.status_label('Interrupted')}</p>", ".status") == ["!Interrupted"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min"), (121, "2 min 1 s"), (3_700, "1 h 1 min"),
     (86_400, "1 d"), (100_000, "1 d 3 h")],
)  # fmt: skip
def test_a_duration_is_told_in_its_two_largest_units(seconds, text):
    assert words.duration(seconds) == text


def kept(record, folder):
    folder.mkdir(exist_ok=True)
    path = folder / f"{record['runId']}.json"
    path.write_text(json.dumps(record))
    return path


def test_pages_are_written_once_and_anew_when_the_record_is(red, tmp_path):
    source = kept(red, tmp_path)
    index = pages.write_pages(tmp_path, now=NOW)
    page = tmp_path / "r-0.html"
    assert index == tmp_path / "index.html"
    assert {path.name for path in tmp_path.iterdir()} == {"r-0.json", "r-0.html", "index.html"}
    page.write_text("kept")
    pages.write_pages(tmp_path, now=NOW)
    assert page.read_text() == "kept"
    later = page.stat().st_mtime + 10
    os.utime(source, (later, later))
    pages.write_pages(tmp_path, now=NOW)
    assert page.read_text() == pages.run_page(red, NOW)


def test_the_name_of_a_page_stays_in_its_folder():
    assert pages.page_of("../../etc/x y") == "_.._etc_x_y.html"


def test_the_command_lists_what_is_asked_for_and_writes_the_pages(red, tmp_path, capsys):
    folder = tmp_path / "runs"
    kept(red, folder)
    kept(played({}, START - timedelta(hours=1), "r-1"), folder)
    arguments = ["monitor", "--records", str(folder), "--folder", str(tmp_path)]
    assert main([*arguments, "--status", "failed"]) == 0
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()] == ["run", "r-0"]
    assert main([*arguments, "--last", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "2026-08-12 14:22:00  Failed         90.0  pl_outer      Manual       r-0",
        "1 of 2 runs: see more with --last N",
    ]
    assert main([*arguments, "r-1", "--page"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder / "r-1.html")
    assert main([*arguments, "--pipeline", "pl_other", "--page"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [str(folder / "index.html")]


def test_a_command_says_where_the_records_are_if_it_is_not_the_usual_place(red, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    records = " --records 'my runs'"
    for folder, where, more in (
        ("adf_runs", "", []),
        ("my runs", records, []),
        ("my runs", f"{records} --folder adf", ["--folder", "adf"]),
    ):
        if not (tmp_path / folder).exists():
            kept(red, tmp_path / folder)
        assert main(["monitor", "--records", folder, "--page", *more]) == 0
        for page in ("index.html", "r-0.html"):
            commands = texts((tmp_path / folder / page).read_text(), ".command code")
            assert commands == [f"adf-lab rerun r-0 --from-failed{where}", f"adf-lab rerun r-0{where}"]


def test_what_a_rerun_has_taken_over_is_told(red):
    record = json.loads(json.dumps(red))
    record["activityRuns"][1]["recoveryStatus"] = "Recovered"
    assert cells(pages.run_page(record, NOW), "summary")[1][0] == "pauseWait, of the earlier run"


def test_follow_writes_the_pages_until_ctrl_c(red, tmp_path, monkeypatch):
    kept(red, tmp_path)
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        (tmp_path / "index.html").unlink()
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(command, "time", SimpleNamespace(sleep=sleep))
    assert main(["monitor", "--records", str(tmp_path), "--follow"]) == 130
    assert pauses == [command.PAUSE] * 3


def test_only_triggers_without_mistakes_are_asked_what_they_should_have_fired(tmp_path):
    documents = good_factory()
    documents["trigger/tr_daily.json"]["properties"]["typeProperties"]["recurrence"]["interval"] = 0
    documents["trigger/tr_broken.json"] = {"properties": []}
    assert list(command.triggers_of(write_factory(tmp_path, documents))) == ["tr_window"]
    assert command.triggers_of(tmp_path / "nothing") == {}


def test_records_of_the_monitor_hold_what_the_pages_need(red, tmp_path):
    kept(red, tmp_path)
    assert pages.run_page(monitor.find(tmp_path, "last"), NOW) == pages.run_page(red, NOW)
