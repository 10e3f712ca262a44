"""A factory under test: what a run shows, the clock, triggers, one activity alone."""

from datetime import UTC, datetime

import pytest

from adf_lab import AdfLabError, ExpressionError
from adf_lab.engine import MASK
from adf_lab.testing import FactoryUnderTest, failed, succeeded
from adf_support.factories import good_factory, write_factory

KEY = {"get_key": succeeded(value="k-e-y-1")}


@pytest.fixture
def adf(tmp_path):
    return FactoryUnderTest(write_factory(tmp_path, good_factory()))


def test_a_run_shows_order_calls_inputs_and_variables(adf):
    run = adf.run("pl_main", {"tables": [{"name": "t1"}, {"name": "t2"}]}, answers=KEY)
    assert (run.status, run.message, run.seconds) == ("Succeeded", "", 0)
    loaded = ["load_tables", "load_table", "load_table", "finish", "note_count", "is_long"]
    assert run.ran == ["get_key", "ping", "silver", *loaded]
    assert run.worked == ["get_key", "ping", "silver", "load_table", "load_table"]
    assert run.parameters["tables"] == [{"name": "t1"}, {"name": "t2"}]
    assert [one.item["name"] for one in run.all("load_table")] == ["t1", "t2"]
    assert [call.inputs[0]["parameters"]["table"] for call in run.called("pl_main/load_table")] == ["t1", "t2"]
    assert run["finish"].pipeline_run.variables == {"text": "tables: 2"}
    assert run["pl_finish/note_count"].input == {"variableName": "text", "value": "tables: 2"}
    assert (run.statuses("alert"), run.statuses("pause"), run.called("alert")) == (["Skipped"], [], [])
    assert run.tree().splitlines()[1] == "  get_key (WebActivity)  Succeeded  00:00:00  0.0 s"


def test_secured_values_are_masked_in_inputs_and_seen_in_calls(adf):
    run = adf.run("pl_main", answers=KEY)
    assert (run["get_key"].output, run["ping"].input) == (MASK, MASK)
    assert run.called("ping")[0].type_properties["headers"] == {"x-cg-demo-api-key": "k-e-y-1"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("load_table", "'load_table' has 2 runs: look at all('load_table')."),
        (
            "alerts",
            "'alerts' has no run here: its branch was not taken, or its name is wrong: did you mean 'alert'?",
        ),
        ("pause", "'pause' has no run here"),
    ],
)
def test_one_run_of_an_activity_is_one(adf, name, message):
    run = adf.run("pl_main", {"tables": [{"name": "t1"}, {"name": "t2"}]}, answers=KEY)
    with pytest.raises(AdfLabError) as error:
        run[name]
    assert str(error.value).startswith(message)


def test_the_clock_and_the_ids_are_fixed(adf):
    first, second = (adf.run("pl_main", answers=KEY) for _ in range(2))
    assert first.record.as_dict() == second.record.as_dict()
    assert first.record.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert first.called("silver")[0].type_properties["baseParameters"]["run_id"] == first.run_id
    adf.now = datetime(2026, 8, 12, tzinfo=UTC)
    assert adf.run("pl_finish", {"count": 1}).record.start == datetime(2026, 8, 12, tzinfo=UTC)
    assert adf.run("pl_finish", {"count": 1}, at="2026-08-13").record.start == datetime(2026, 8, 13, tzinfo=UTC)


def test_global_parameters_are_changed_for_all_runs_or_one(adf):
    def vault(**more):
        return adf.run("pl_main", answers=KEY, **more).called("get_key")[0].type_properties["url"].split("/")[2]

    assert vault() == "kv.vault.azure.net"
    assert vault(global_parameters={"keyVaultUrl": "https://once/"}) == "once"
    adf.global_parameters["keyVaultUrl"] = "https://always/"
    assert vault() == "always"


def test_runs_are_kept_for_who_asks_why(adf):
    with pytest.raises(AssertionError):
        adf.run("pl_main", answers=KEY | {"alert": failed()})
    assert [run.status for run in adf.runs] == ["Succeeded"]


def test_what_is_not_there_is_refused(adf):
    with pytest.raises(AdfLabError, match="There is no pipeline 'pl_man'"):
        adf.run("pl_man")
    with pytest.raises(AdfLabError, match="needs a value for the parameter count"):
        adf.run("pl_finish")
    with pytest.raises(AdfLabError, match="There is no trigger 'tr_dayly': did you mean 'tr_daily'"):
        adf.trigger("tr_dayly")
    with pytest.raises(AdfLabError, match="There is no pipeline 'pl'; there are: pl_finish, pl_main"):
        adf.evaluate("pl", "silver")
    with pytest.raises(AdfLabError, match="There is no activity of pl_main 'silber': did you mean 'silver'"):
        adf.evaluate("pl_main", "silber")


# --- triggers --------------------------------------------------------------------------------------------


def test_a_schedule_fires_and_its_pipeline_runs(adf):
    fired = adf.trigger("tr_daily").fires("2026-08-12", "2026-08-14")
    assert [(one.at.isoformat(), one.pipeline, one.parameters) for one in fired] == [
        ("2026-08-12T01:00:00+00:00", "pl_main", {"day": "2026-08-12"}),
        ("2026-08-13T01:00:00+00:00", "pl_main", {"day": "2026-08-13"}),
    ]
    assert adf.trigger("tr_daily").fires("2026-08-12") == fired[:1]
    run = adf.run(fired[0], answers=KEY)
    assert run.parameters["day"] == "2026-08-12"
    assert run.record.start == fired[0].at
    told = {name: run.record.system[name] for name in ("TriggerType", "TriggerName", "TriggerTime")}
    assert told == {
        "TriggerType": "ScheduleTrigger",
        "TriggerName": "tr_daily",
        "TriggerTime": "2026-08-12T01:00:00Z",
    }
    assert adf.run(fired[0], {"day": "other"}, answers=KEY).parameters["day"] == "other"


def test_windows_fire(adf):
    fired = adf.trigger("tr_window").fires("2026-01-02", "2026-01-04")
    assert [(one.at.isoformat(), one.parameters) for one in fired] == [
        ("2026-01-02T00:00:00+00:00", {"day": "2026-01-01"}),
        ("2026-01-03T00:00:00+00:00", {"day": "2026-01-02"}),
    ]
    assert adf.trigger("tr_window").fires("2026-01-03", "2026-01-04") == fired[1:]


def test_events_fire(tmp_path):
    documents = good_factory()
    entry = {"pipelineReference": {"referenceName": "pl_main", "type": "PipelineReference"}}
    entry["parameters"] = {"day": "@triggerBody().fileName"}
    properties = {"blobPathEndsWith": ".csv", "scope": "/s", "events": ["Microsoft.Storage.BlobCreated"]}
    trigger = {"type": "BlobEventsTrigger", "typeProperties": properties, "pipelines": [entry]}
    documents["trigger/tr_blob.json"] = {"name": "tr_blob", "properties": trigger}
    adf = FactoryUnderTest(write_factory(tmp_path, documents))
    [fired] = adf.trigger("tr_blob").fires_on("in/a.csv", at="2026-08-12T10:00:00Z")
    assert (fired.at.isoformat(), fired.parameters) == ("2026-08-12T10:00:00+00:00", {"day": "a.csv"})
    assert adf.trigger("tr_blob").fires_on("in/a.txt") == []
    with pytest.raises(
        AdfLabError, match=r"'tr_blob' is a BlobEventsTrigger: it fires on events, see fires_on\(\)"
    ):
        adf.trigger("tr_blob").fires("2026-08-12")
    with pytest.raises(
        AdfLabError, match=r"'tr_daily' is a ScheduleTrigger: it fires by the clock, see fires\(\)"
    ):
        adf.trigger("tr_daily").fires_on("in/a.csv")


# --- one activity alone ----------------------------------------------------------------------------------


def test_an_activity_is_evaluated_wherever_it_stands(adf):
    assert adf.evaluate("pl_main", "ping", outputs={"get_key": {"value": "k"}})["headers"] == {
        "x-cg-demo-api-key": "k"
    }
    table = adf.evaluate("pl_main", "load_table", item={"name": "t"})
    assert table["inputs"][0]["parameters"] == {"table": "t"}
    assert table["source"] == {"type": "ParquetSource"}
    assert adf.evaluate("pl_main", "load_tables")["items"] == [{"name": "dim_coin"}]
    assert adf.evaluate("pl_finish", "is_long", variables={"text": "x" * 101}) == {"expression": True}
    assert adf.evaluate("pl_finish", "is_long") == {"expression": False}
    assert adf.evaluate("pl_finish", "note_count", parameters={"count": 3})["value"] == "tables: 3"
    silver = adf.evaluate("pl_main", "silver", global_parameters={"environment": "prod"})
    assert silver["notebookPath"] == "/Shared/prod/03_silver"
    assert silver["linkedServiceName"] == {"referenceName": "ls_databricks", "type": "LinkedServiceReference"}


def test_what_an_activity_lacks_is_said(adf):
    with pytest.raises(ExpressionError, match="get_key"):
        adf.evaluate("pl_main", "ping")
