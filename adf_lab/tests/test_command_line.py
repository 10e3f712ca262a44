"""`adf-lab`: what it prints and how it ends, alone and bound to a project."""

import json
import re
from contextlib import contextmanager

import pytest

from adf_lab import ActivityFailure, load_factory
from adf_lab.cli import Project, main
from adf_lab.locks import Lock
from adf_support.factories import good_factory, write_factory

NO_EXECUTORS = "adf-lab has no executors, which do the work of activities. Give their results with --script FILE"


@pytest.fixture
def folder(tmp_path):
    return write_factory(tmp_path / "factory", good_factory())


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"get_key": [{"status": "Succeeded", "output": {"value": "k"}}]}))
    return path


def lines(capsys):
    text = capsys.readouterr().out
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text).splitlines()


def test_check_ends_badly_only_for_errors(folder, capsys):
    assert main(["check", str(folder)]) == 0
    assert lines(capsys)[-1] == "11 resources, 0 errors, 0 warnings, 1 note"
    (folder / "dataset/ds_gold.json").unlink()
    assert main(["check", str(folder)]) == 1


def test_a_folder_that_is_no_factory_is_refused(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 2
    assert "is no factory" in capsys.readouterr().err


def test_run_prints_the_tree_and_keeps_the_record(folder, script, tmp_path, capsys):
    record = tmp_path / "record.json"
    options = ["--folder", str(folder), "--script", str(script), "--record", str(record)]
    assert main(["run", "pl_main", *options, "--parameter", "day=2026-02-02", "--fail", "load_table"]) == 1
    assert lines(capsys) == [
        "pl_main  Failed  0.0 s  ID",
        "  get_key (WebActivity)  Succeeded  0.0 s",
        "  ping (WebActivity)  Succeeded  0.0 s",
        "  silver (DatabricksNotebook)  Succeeded  0.0 s",
        "  load_tables (ForEach)  Failed  0.0 s  Activity failed because an inner activity failed; "
        "Inner activity name: load_table, Error: 'load_table' was made to fail.",
        "    [0] load_table (Copy)  Failed  0.0 s  'load_table' was made to fail.",
        "  finish (ExecutePipeline)  Skipped  0.0 s",
        "  alert (WebActivity)  Succeeded  0.0 s",
        "  stop (Fail)  Failed  0.0 s  a step has failed",
    ]
    assert json.loads(record.read_text())["parameters"]["day"] == "2026-02-02"


def test_a_script_answers_a_called_pipeline_at_a_time(folder, tmp_path, capsys):
    script, record = tmp_path / "script.json", tmp_path / "record.json"
    script.write_text(json.dumps({"finish": [{"output": {"n": 1}, "durationSeconds": 5}]}))
    options = ["--folder", str(folder), "--script", str(script), "--record", str(record)]
    assert main(["run", "pl_main", *options, "--at", "2026-08-12T14:22:00Z"]) == 1  # get_key has no value
    script.write_text(json.dumps({"get_key": {"output": {"value": "k"}}, "finish": {"durationSeconds": 5}}))
    assert main(["run", "pl_main", *options, "--at", "2026-08-12T14:22:00Z"]) == 0
    assert "  finish (ExecutePipeline)  Succeeded  5.0 s" in lines(capsys)
    kept = json.loads(record.read_text())
    assert (kept["runStart"], kept["runEnd"]) == ("2026-08-12T14:22:00Z", "2026-08-12T14:22:05Z")
    [finish] = [one for one in kept["activityRuns"] if one["activityName"] == "finish"]
    assert finish["pipelineRun"] is None


def test_a_script_that_names_nothing_is_refused(folder, tmp_path, capsys):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"silber": []}))
    assert main(["run", "pl_main", "--folder", str(folder), "--script", str(script)]) == 2
    message = "The script answers 'silber', which no pipeline has: did you mean 'silver'?\n"
    assert capsys.readouterr().err == message


def test_dry_run_shows_what_is_known(folder, capsys):
    assert main(["run", "pl_finish", "--folder", str(folder), "--parameter", "count=3", "--dry-run"]) == 0
    assert lines(capsys) == [
        "note_count (SetVariable)",
        '    {"variableName": "text", "value": "tables: 3"}',
        "is_long (IfCondition)  after note_count Succeeded",
        '    {"expression": "@greater(length(variables(\'text\')), 100)"}',
        "  pause (Wait)",
        '      {"waitTimeInSeconds": 1}',
    ]


def test_a_dry_run_takes_nothing_for_known_that_is_not(folder, capsys):
    child = {"referenceName": "pl_finish", "type": "PipelineReference"}
    values = {"count": "@pipeline().parameters.n"}
    call = {"name": "c", "type": "ExecutePipeline", "typeProperties": {"pipeline": child, "parameters": values}}
    own = {"parameters": {"n": {"type": "int"}}, "activities": [call]}
    (folder / "pipeline/pl_caller.json").write_text(json.dumps({"name": "pl_caller", "properties": own}))
    text = '"value": "@concat(\'tables: \', string(pipeline().parameters.count))"'
    assert main(["run", "pl_finish", "--folder", str(folder), "--dry-run"]) == 0
    assert text in lines(capsys)[1]
    assert main(["run", "pl_caller", "--folder", str(folder), "--dry-run"]) == 0
    assert text in lines(capsys)[3]
    assert main(["run", "pl_caller", "--folder", str(folder), "--dry-run", "--parameter", "n=4"]) == 0
    assert '"value": "tables: 4"' in lines(capsys)[3]


def test_a_dry_run_shows_no_secure_string(folder, capsys):
    document = json.loads((folder / "pipeline/pl_finish.json").read_text())
    document["properties"]["parameters"]["token"] = {"type": "SecureString"}
    headers = {"x": "@concat('Bearer ', pipeline().parameters.token)"}
    activity = {"name": "w", "type": "WebActivity", "typeProperties": {"url": "u", "headers": headers}}
    document["properties"]["activities"] = [activity]
    (folder / "pipeline/pl_finish.json").write_text(json.dumps(document))
    options = ["--folder", str(folder), "--parameter", "count=3", "--parameter", "token=TOPSECRET"]
    assert main(["run", "pl_finish", *options, "--dry-run"]) == 0
    assert lines(capsys) == ["w (WebActivity)", '    {"url": "u", "headers": {"x": "Bearer *** secured ***"}}']


def test_simulate_fires_a_schedule(folder, capsys):
    span = ["--from", "2026-03-28T00:00:00Z", "--to", "2026-03-30T00:00:00Z"]
    assert main(["simulate", "tr_daily", "--folder", str(folder), *span]) == 0
    assert lines(capsys) == [
        '2026-03-28T02:00:00Z  pl_main  {"day": "2026-03-28"}',
        '2026-03-29T01:00:00Z  pl_main  {"day": "2026-03-29"}',
    ]


def test_simulate_runs_windows(folder, script, capsys):
    span = ["--from", "2026-01-02T00:00:00Z", "--to", "2026-01-03T00:00:00Z"]
    assert main(["simulate", "tr_window", "--folder", str(folder), *span, "--script", str(script)]) == 0
    assert lines(capsys)[:2] == [
        '2026-01-02T00:00:00Z  pl_main  {"day": "2026-01-01"}',
        "  pl_main  Succeeded  0.0 s  ID",
    ]


def test_a_dataset_is_resolved_down_to_its_linked_service(folder):
    reference = {"referenceName": "ds_gold", "type": "DatasetReference", "parameters": {"table": "dim_coin"}}
    assert load_factory(folder).resolve_dataset(reference) == {
        "name": "ds_gold",
        "type": "Parquet",
        "typeProperties": {
            "location": {"type": "AzureBlobFSLocation", "fileSystem": "gold", "folderPath": "dim_coin"}
        },
        "linkedService": {
            "name": "ls_lake",
            "type": "AzureBlobFS",
            "typeProperties": {"url": "https://lake.dfs.core.windows.net/"},
        },
    }


def add_trigger(folder, name, kind, pipeline_key="pipelines", parameters=None, **properties):
    entry = {"pipelineReference": {"referenceName": "pl_finish", "type": "PipelineReference"}}
    entry["parameters"] = {"count": "@length(string(triggerBody()))"} if parameters is None else parameters
    own = {"type": kind, "typeProperties": properties}
    own[pipeline_key] = [entry] if pipeline_key == "pipelines" else entry
    (folder / f"trigger/{name}.json").write_text(json.dumps({"name": name, "properties": own}))


def test_simulate_fires_a_storage_event(folder, script, capsys):
    values = {"count": "@length(concat(triggerBody().folderPath, '/', triggerBody().fileName))"}
    add_trigger(folder, "tr_blob", "BlobEventsTrigger", parameters=values, blobPathEndsWith=".csv", events=["x"])
    options = ["--folder", str(folder), "--from", "2026-08-12"]
    assert main(["simulate", "tr_blob", "--event", "in/a.csv", *options, "--script", str(script)]) == 0
    assert main(["simulate", "tr_blob", "--event", "in/a.json", *options]) == 0
    assert lines(capsys) == [
        '2026-08-12T00:00:00Z  pl_finish  {"count": 8}',
        "  pl_finish  Succeeded  0.0 s  ID",
        "    note_count (SetVariable)  Succeeded  0.0 s",
        "    is_long (IfCondition)  Succeeded  0.0 s",
        "tr_blob does not listen to in/a.json",
    ]


def test_simulate_fires_a_custom_event_from_text_or_file(folder, tmp_path, capsys):
    values = {"count": "@triggerBody().event.data.count"}
    add_trigger(folder, "tr_own", "CustomEventsTrigger", parameters=values, events=["done"])
    event = json.dumps({"eventType": "done", "subject": "s", "data": {"count": 7}})
    (tmp_path / "event.json").write_text(event)
    for given in (event, str(tmp_path / "event.json")):
        options = ["--folder", str(folder), "--from", "2026-08-12"]
        assert main(["simulate", "tr_own", "--event", given, *options]) == 0
        assert lines(capsys) == ['2026-08-12T00:00:00Z  pl_finish  {"count": 7}']


HOURLY = {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z", "maxConcurrency": 1}
SPAN = ["--from", "2026-01-01", "--to", "2026-01-01T03:00:00Z"]


def test_simulated_windows_are_tried_again_after_their_interval_and_hold_up_the_next(folder, tmp_path, capsys):
    script = tmp_path / "fails.json"
    script.write_text(
        json.dumps({"get_key": [{"status": "Failed", "error": {"errorCode": "E", "message": "no"}}]})
    )
    document = json.loads((folder / "trigger/tr_window.json").read_text())
    document["properties"]["typeProperties"] |= HOURLY | {
        "retryPolicy": {"count": 1, "intervalInSeconds": 600},
        "dependsOn": [{"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00"}],
    }
    (folder / "trigger/tr_window.json").write_text(json.dumps(document))
    assert main(["simulate", "tr_window", "--folder", str(folder), *SPAN, "--script", str(script)]) == 1
    assert [line for line in lines(capsys) if line.startswith("2026")] == [
        '2026-01-01T01:00:00Z  pl_main  {"day": "2026-01-01"}',
        # An activity is tried three times in a minute before the run has failed.
        '2026-01-01T01:11:00Z  pl_main  {"day": "2026-01-01"}',
        "2026-01-01T02:00:00Z  tr_window: the window of 2026-01-01T01:00:00Z waits for that of "
        "2026-01-01T00:00:00Z, which has failed",
        "2026-01-01T03:00:00Z  tr_window: 1 of its windows could not run.",
    ]


def test_a_simulated_window_waits_for_windows_of_another_trigger_that_never_come(folder, capsys):
    needs = {
        "type": "TumblingWindowTriggerDependencyReference",
        "referenceTrigger": {"referenceName": "tr_other", "type": "TriggerReference"},
    }
    add_trigger(folder, "tr_hours", "TumblingWindowTrigger", "pipeline", {"count": 1}, **HOURLY, dependsOn=[needs])
    later = HOURLY | {"startTime": "2026-01-01T01:00:00Z"}
    add_trigger(folder, "tr_other", "TumblingWindowTrigger", "pipeline", {"count": 1}, **later)
    assert main(["simulate", "tr_hours", "--folder", str(folder), *SPAN]) == 1
    assert lines(capsys) == [
        "2026-01-01T01:00:00Z  tr_hours: the window of 2026-01-01T00:00:00Z waits for tr_other, which has no "
        "window from 2026-01-01T00:00:00Z to 2026-01-01T01:00:00Z",
        '2026-01-01T02:00:00Z  pl_finish  {"count": 1}',
        "2026-01-01T03:00:00Z  tr_hours: 1 of its windows could not run.",
    ]


def test_watch_goes_on_where_its_records_end(folder, script, tmp_path, capsys):
    windows = HOURLY | {"endTime": "2026-01-01T05:00:00Z"}
    add_trigger(
        folder,
        "tr_hours",
        "TumblingWindowTrigger",
        "pipeline",
        {"count": "@length(trigger().outputs.windowStartTime)"},
        **windows,
    )
    options = [
        "--folder",
        str(folder),
        "--script",
        str(script),
        "--records",
        str(tmp_path / "kept"),
        "--runs",
        "2",
    ]
    for expected in (["01", "02"], ["03", "04"], ["05"]):
        assert main(["watch", "tr_hours", *options]) == 0
        fired = [line[11:13] for line in lines(capsys) if "  pl_finish  {" in line]
        assert fired == expected


def test_simulate_says_so_when_nothing_fires(folder, capsys):
    span = ["--from", "2026-03-28T03:00:00Z", "--to", "2026-03-28T04:00:00Z"]
    assert main(["simulate", "tr_daily", "--folder", str(folder), *span]) == 0
    assert lines(capsys) == ["tr_daily fires nothing from 2026-03-28T03:00:00Z to 2026-03-28T04:00:00Z"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simulate", "tr_daily", "--from", "yesterday", "--to", "2026-01-01"], "'yesterday' is not a time"),
        (["simulate", "tr_daily", "--from", "2026-01-02", "--to", "2026-01-01"], "lies before --from"),
        (["simulate", "tr_x", "--from", "2026-01-01", "--to", "2026-01-02"], "There is no trigger 'tr_x'"),
        (["simulate", "tr_daily"], "tr_daily fires by the clock: say --from TIME and --to TIME."),
        (["simulate", "tr_event"], "tr_event fires by events: say --event CONTAINER/FOLDER/FILE"),
        (["simulate", "tr_event", "--event", "{"], "--event { cannot be read as JSON"),
        (["run", "pl_x", "--dry-run"], "There is no pipeline 'pl_x'"),
        (["run", "pl_main", "--parameter", "x=1", "--dry-run"], "has no parameter x"),
        (["run", "pl_main", "--parameter", "x"], "'x' is no parameter: write it as NAME=VALUE"),
        (["run", "pl_main", "--at", "2026-08-12"], "Only the clock of a run with --script can be set"),
        (["run", "pl_main", "--script", "no.json"], "--script no.json cannot be read"),
        (
            ["run", "pl_main"],
            NO_EXECUTORS,
        ),
        (
            ["watch", "tr_daily"],
            NO_EXECUTORS,
        ),
        (["monitor", "last", "--records", "nowhere"], "No run in nowhere for 'last'."),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(arguments, message, folder, capsys):
    where = [] if arguments[0] == "monitor" else ["--folder", str(folder)]
    add_trigger(folder, "tr_event", "CustomEventsTrigger", events=["x"])
    assert main([*arguments, *where]) == 2
    assert message in capsys.readouterr().err


def test_a_fault_needs_an_activity_that_can_be_made_to_fail(folder, script, capsys):
    options = ["--folder", str(folder), "--script", str(script)]
    assert main(["run", "pl_main", *options, "--fail", "x"]) == 2
    assert "There is no activity 'x' that can be made to fail" in capsys.readouterr().err


def test_what_the_command_line_does_not_know_is_a_wrong_call(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", "pl_main", "--environment", "prod"])
    assert ended.value.code == 2


def test_records_are_listed_and_shown(folder, script, tmp_path, capsys):
    kept = ["--records", str(tmp_path / "kept")]
    assert main(["monitor", *kept]) == 0
    assert lines(capsys) == [f"{tmp_path / 'kept'} has no runs yet: adf-lab run PIPELINE"]
    (tmp_path / "kept").mkdir()
    options = ["--folder", str(folder), "--script", str(script), "--record", str(tmp_path / "kept/one.json")]
    assert main(["run", "pl_finish", *options, "--parameter", "count=3"]) == 0
    capsys.readouterr()
    assert main(["monitor", *kept]) == 0
    assert main(["monitor", "last", *kept]) == 0
    printed = lines(capsys)
    assert printed[1].startswith("2026-01-01 00:00:00  Succeeded       0.0  pl_finish     Manual       ID")
    assert printed[3].startswith("  note_count (SetVariable)  Succeeded  00:00:00  0.0 s")


def test_a_picture_is_put_between_its_marks(folder, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- diagram: any command -->\nold\n<!-- end of diagram -->\nafter\n")
    options = ["--folder", str(folder), "--overview"]
    assert main(["diagram", *options]) == 0
    drawn = capsys.readouterr().out
    assert main(["diagram", *options, "--into", str(page)]) == 0
    assert drawn.startswith("flowchart LR\n")
    assert page.read_text() == (
        f"before\n<!-- diagram: any command -->\n```mermaid\n{drawn}```\n<!-- end of diagram -->\nafter\n"
    )


# --- bound to a project ----------------------------------------------------------------------------------


class Refused(Exception):
    pass


class Host:
    """A project that binds everything, and notes for what its executors were asked."""

    def __init__(self, folder, kept):
        self.asked, self.kept = [], kept
        self.project = Project(
            program="host lab",
            factory=folder,
            global_parameters=self.global_parameters,
            executors=self.executors,
            records=lambda options, parameters: self.kept,
            add_options=lambda command, parser: parser.add_argument("--speed") if command == "run" else None,
            add_commands=self.add_commands,
            errors=(Refused,),
            interrupted="Stopped by hand.",
        )

    def __call__(self, *arguments):
        return main(list(arguments), self.project)

    def global_parameters(self, environment, overrides):
        if environment == "mars":
            raise Refused("mars is no environment")
        return {
            "keyVaultUrl": f"https://{environment}.invalid/",
            "environment": "".join([environment, *overrides]),
        }

    @contextmanager
    def executors(self, factory, global_parameters, parameters, options):
        self.asked.append((factory.name, global_parameters["environment"], parameters, options.speed))
        yield dict.fromkeys(("WebActivity", "DatabricksNotebook", "Copy"), self.execute)

    def execute(self, call):
        if call.name == "get_key":
            return {"value": "k"}
        if call.name == "load_table":
            raise ActivityFailure("E", "no space left")
        return {}

    def add_commands(self, commands):
        commands.add_parser("own").set_defaults(function=lambda options: 7)


@pytest.fixture
def host(folder, tmp_path):
    return Host(folder, tmp_path / "kept")


def test_a_project_s_executors_do_the_work_and_its_records_are_kept(host, capsys):
    ran = host("run", "pl_main", "--parameter", "day=1", "--set", "!", "--speed", "9")
    printed = lines(capsys)
    assert ran == 1
    assert printed[0].startswith("pl_main  Failed  ")
    [kept] = host.kept.glob("*.json")
    assert printed[-1] == f"record: {host.kept / 'ID'}.json"
    assert host.asked == [("adf_test", "local!", {"day": 1}, "9")]
    assert host("monitor", kept.stem, "--page") == 0
    assert lines(capsys)[-1] == f"{host.kept / 'ID'}.html"


def test_only_this_machine_s_environment_is_run(host, capsys):
    assert host("run", "pl_main", "--environment", "prod") == 2
    assert host("watch", "tr_daily", "--environment", "prod") == 2
    assert capsys.readouterr().err.count("See what prod would run with --dry-run") == 2
    assert host("run", "pl_main", "--environment", "prod", "--dry-run") == 0
    assert "/Shared/prod/03_silver" in capsys.readouterr().out


def test_another_factory_has_its_own_global_parameters(host, folder, tmp_path, capsys):
    other = write_factory(tmp_path / "other", good_factory())
    assert host("run", "pl_main", "--folder", str(other), "--environment", "mars", "--dry-run") == 0
    assert "/Shared/dev/03_silver" in capsys.readouterr().out


def test_a_project_s_own_commands_and_refusals(host, capsys):
    assert host("own") == 7
    assert host("run", "pl_main", "--environment", "mars", "--dry-run") == 2
    assert capsys.readouterr().err == "mars is no environment\n"


def test_an_interruption_has_its_exit_code(host, monkeypatch, capsys):
    def interrupted(call):
        raise KeyboardInterrupt

    monkeypatch.setattr(host, "execute", interrupted)
    assert host("run", "pl_main") == 130
    assert capsys.readouterr().err.endswith("\nStopped by hand.\n")
    [record] = host.kept.glob("*.json")
    assert json.loads(record.read_text())["status"] in ("Cancelled", "Interrupted")
    assert "InProgress" not in record.read_text()


def test_a_project_s_notebooks_and_style_count_for_its_own_factory(folder, tmp_path, capsys):
    (tmp_path / "notebooks").mkdir()
    (folder / "dataset/ds_gold.json").rename(folder / "dataset/gold.json")
    project = Project(factory=folder, notebooks=tmp_path / "notebooks", house_style=True)
    assert main(["check"], project) == 1
    printed = "\n".join(lines(capsys))
    assert f"there is no {tmp_path / 'notebooks' / '03_silver.ipynb'}: correct the path." in printed
    assert "dataset/gold.json:1: warning: name: the name must look like ds_snake_case. [house-name]" in printed
    assert main(["check", str(folder)]) == 1
    printed = "\n".join(lines(capsys))
    assert "no folder of notebooks was given" in printed
    assert "snake_case" not in printed


# --- watching, and running again --------------------------------------------------------------------------


def json_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_watch_fires_all_started_triggers(folder, script, tmp_path, capsys):
    add_trigger(folder, "tr_blob", "BlobEventsTrigger", blobPathEndsWith=".csv", events=["x"])
    add_trigger(folder, "tr_event", "CustomEventsTrigger", events=["x"])
    path = folder / "trigger/tr_blob.json"
    path.write_text(path.read_text().replace('"type": "Blob', '"runtimeState": "Started", "type": "Blob'))
    for name, hours in (("tr_a", 2), ("tr_b", 1), ("tr_stopped", 1)):
        windows = HOURLY | {"endTime": f"2026-01-01T0{hours}:00:00Z"}
        add_trigger(folder, name, "TumblingWindowTrigger", "pipeline", {"count": 1}, **windows)
        path = folder / f"trigger/{name}.json"
        document = json.loads(path.read_text())
        document["properties"]["runtimeState"] = "Stopped" if name == "tr_stopped" else "Started"
        path.write_text(json.dumps(document))
    kept = tmp_path / "kept"
    options = ["--folder", str(folder), "--script", str(script), "--records", str(kept)]
    assert main(["watch", *options]) == 0
    printed = lines(capsys)
    assert sorted(line[:27] for line in printed if "  pl_finish  {" in line) == [
        "2026-01-01T01:00:00Z  pl_fi",
        "2026-01-01T01:00:00Z  pl_fi",
        "2026-01-01T02:00:00Z  pl_fi",
    ]
    assert {"tr_a: no window is left.", "tr_b: no window is left."} <= set(printed)
    assert printed[0] == (
        "tr_blob fires by events, which are not watched: `simulate tr_blob --event …` plays one."
    )
    assert sorted(path.name for path in (kept / "triggers").glob("*.jsonl")) == ["tr_a.jsonl", "tr_b.jsonl"]
    [queued, begun, ended] = json_lines(kept / "triggers/tr_b.jsonl")
    assert [line["status"] for line in (queued, begun, ended)] == ["Queued", "InProgress", "Succeeded"]
    assert queued["firing"] == "2026-01-01T00:00:00Z"
    record = json.loads((kept / f"{queued['run']}.json").read_text())
    assert (record["invokedBy"]["TriggerName"], record["status"]) == ("tr_b", "Succeeded")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "No trigger that fires by the clock is started (runtimeState). Name those that are meant: tr_daily, ",
        ),
        (["tr_event"], "tr_event is of type CustomEventsTrigger, which cannot be watched"),
        (["tr_x"], "There is no trigger 'tr_x'"),
        (
            ["tr_daily", "tr_window", "--parameter", "x=1"],
            "Pipeline 'pl_main' has no parameter x, only: day, tables.",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused(arguments, message, folder, script, capsys):
    add_trigger(folder, "tr_event", "CustomEventsTrigger", events=["x"])
    assert main(["watch", *arguments, "--folder", str(folder), "--script", str(script)]) == 2
    assert message in capsys.readouterr().err


def test_a_time_of_a_schedule_is_told_to_be_late(folder, script, tmp_path, capsys):
    options = [
        "--folder",
        str(folder),
        "--script",
        str(script),
        "--records",
        str(tmp_path / "kept"),
        "--runs",
        "1",
    ]
    journal = tmp_path / "kept/triggers/tr_daily.jsonl"
    journal.parent.mkdir(parents=True)
    journal.write_text('{"at": "2026-01-01T00:00:00Z", "status": "Watched"}\n')
    assert main(["watch", "tr_daily", *options, "--missed", "latest"]) == 0
    [line] = [line for line in lines(capsys) if "  pl_main  {" in line]
    assert re.search(r"T0[12]:00:00Z  pl_main  \{.*\}  \(\d+ s late\)$", line)
    statuses = [line["status"] for line in json_lines(journal)]
    assert statuses[1:-3] == ["Missed"] * (len(statuses) - 4)
    assert statuses[-3:] == ["Queued", "InProgress", "Succeeded"]


def test_a_run_that_could_not_begin_says_why(folder, script, tmp_path, capsys):
    add_trigger(folder, "tr_hours", "TumblingWindowTrigger", "pipeline", {"count": 1}, **HOURLY)
    options = ["--folder", str(folder), "--script", str(script), "--fail", "nothing", "--runs", "1"]
    assert main(["watch", "tr_hours", *options]) == 1
    assert re.search(
        r"pl_finish  Failed  \d+\.\d s  ID  There is no activity 'nothing' that can be made to fail",
        lines(capsys)[1],
    )
    assert main(["watch", "tr_hours", *options[:2], "--script", "no.json"]) == 2
    assert "--script no.json cannot be read" in capsys.readouterr().err


def test_a_trigger_is_watched_once(folder, script, tmp_path, capsys):
    lock = Lock(tmp_path / "kept/triggers/tr_window.lock")
    options = ["--folder", str(folder), "--script", str(script), "--records", str(tmp_path / "kept")]
    assert main(["watch", "tr_window", *options]) == 2
    assert "Another watch fires tr_window already" in capsys.readouterr().err
    lock.release()
    assert main(["watch", "tr_window", *options, "--runs", "1"]) == 0


def test_a_secure_string_is_not_printed_when_it_is_fired(folder, script, capsys):
    document = json.loads((folder / "pipeline/pl_finish.json").read_text())
    document["properties"]["parameters"]["token"] = {"type": "SecureString"}
    (folder / "pipeline/pl_finish.json").write_text(json.dumps(document))
    values = {"count": 1, "token": "TOPSECRET"}
    add_trigger(folder, "tr_hours", "TumblingWindowTrigger", "pipeline", values, **HOURLY)
    options = ["--folder", str(folder), "--script", str(script)]
    assert main(["watch", "tr_hours", *options, "--runs", "1"]) == 0
    assert main(["simulate", "tr_hours", *options, *SPAN]) == 0
    assert main(["simulate", "tr_hours", "--folder", str(folder), *SPAN]) == 0
    printed = capsys.readouterr().out
    assert "TOPSECRET" not in printed
    assert printed.count('pl_finish  {"count": 1, "token": "*** secured ***"}') == 5


@pytest.fixture
def failed(folder, script, tmp_path, capsys):
    """The options with which pl_main has failed in its last activity but two, and can be run again."""
    options = ["--folder", str(folder), "--script", str(script), "--records", str(tmp_path / "kept")]
    assert main(["run", "pl_main", *options, "--parameter", "day=2026-02-02", "--fail", "load_table"]) == 1
    capsys.readouterr()
    return options


def test_rerun_repeats_a_run_from_the_beginning_or_from_the_failed_activity(failed, tmp_path, capsys):
    assert main(["rerun", "last", *failed, "--from-failed"]) == 0
    printed = lines(capsys)
    assert printed[:6] == [
        "pl_main  Succeeded  0.0 s  ID",
        "  get_key (WebActivity)  Succeeded  0.0 s",
        "  ping (WebActivity)  Succeeded before",
        "  silver (DatabricksNotebook)  Succeeded before",
        "  load_tables (ForEach)  Succeeded  0.0 s",
        "    [0] load_table (Copy)  Succeeded  0.0 s",
    ]
    first, second = sorted((tmp_path / "kept").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    before, after = (json.loads(path.read_text()) for path in (first, second))
    assert (before["parameters"], before["status"]) == (after["parameters"], "Failed")
    assert after["invokedBy"]["GroupId"] == before["runId"] != after["runId"]
    assert main(["rerun", first.stem, *failed]) == 0
    assert "Succeeded before" not in capsys.readouterr().out
    assert main(["rerun", second.stem, *failed, "--from-failed"]) == 2
    assert "has succeeded: there is no failed activity" in capsys.readouterr().err
    assert main(["rerun", "nothing", *failed]) == 2


def test_a_window_that_is_run_again_frees_those_that_wait_for_it(folder, script, tmp_path, capsys):
    needs_itself = {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-01:00:00"}
    windows = HOURLY | {"dependsOn": [needs_itself], "endTime": "2026-01-01T02:00:00Z"}
    values = {"count": "@length(trigger().outputs.windowStartTime)"}
    add_trigger(folder, "tr_hours", "TumblingWindowTrigger", "pipeline", values, **windows)
    path = folder / "pipeline/pl_finish.json"
    good = path.read_text()
    document = json.loads(good)
    document["properties"]["activities"] = [{"name": "work", "type": "Copy", "typeProperties": {}}]
    path.write_text(json.dumps(document))
    options = ["--folder", str(folder), "--script", str(script), "--records", str(tmp_path / "kept")]
    assert main(["watch", "tr_hours", *options, "--runs", "1", "--fail", "work"]) == 1
    assert main(["rerun", "last", *options, "--from-failed"]) == 0
    assert main(["watch", "tr_hours", *options]) == 0
    ran = [line for line in json_lines(tmp_path / "kept/triggers/tr_hours.jsonl") if line["status"] == "Succeeded"]
    assert [line["firing"] for line in ran] == ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"]
    assert len(list((tmp_path / "kept").glob("*.json"))) == 3


def test_an_error_of_several_lines_tears_no_tree(folder, script, tmp_path, capsys):
    stop = {"name": "stop", "type": "Fail", "typeProperties": {"message": "a\n  b", "errorCode": "1"}}
    long = {"variableName": "text", "value": f"@concat('x\n', nowhere('{'y' * 300}'))"}
    wrong = {"name": "wrong", "type": "SetVariable", "typeProperties": long}
    own = {"activities": [stop, wrong], "variables": {"text": {"type": "String"}}}
    (folder / "pipeline/pl_red.json").write_text(json.dumps({"name": "pl_red", "properties": own}))
    kept = tmp_path / "kept"
    options = ["--folder", str(folder), "--script", str(script), "--records", str(kept)]
    assert main(["run", "pl_red", *options]) == 1
    printed = lines(capsys)
    assert printed[1] == "  stop (Fail)  Failed  0.0 s  a b"
    assert printed[2].startswith("  wrong (SetVariable)  Failed  0.0 s  ")
    assert re.search(r"\(in: @concat\('x ', nowhere\('y+…\)$", printed[2])
    assert main(["monitor", "last", "--records", str(kept)]) == 0
    assert lines(capsys)[1].endswith("a b")
