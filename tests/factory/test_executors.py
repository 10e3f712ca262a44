"""The executors, one by one: real HTTP to this machine, a DuckDB file, tiny notebooks."""

import json
from datetime import date

import nbformat
import pyarrow as pa
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from adf_lab import ActivityFailure
from adf_support.factories import reference
from coinlake.schema import DIM_CURRENCY, DIM_DATE
from coinlake.warehouse import Change, DuckDBWarehouse, loading
from coinlake_ops import notebooks as course
from coinlake_ops.factory.executors import EXECUTORS, jobs, rest_to_json
from coinlake_ops.factory.executors.notebooks import run_notebook
from coinlake_ops.factory.executors.sql import COPIED, UNNUMBERED
from tests.support.local_world import call, world

AGENT = {"User-Agent": "coinlake test"}
VAULT = {"type": "MSI", "resource": "https://vault.azure.net"}
STORAGE = "https://stcoinlakelocal.blob.core.windows.net"
MARKETS = "coins/markets?vs_currency=usd&per_page=3&page={page}"


@pytest.fixture
def here(tmp_path):
    with world(tmp_path / "lake") as made:
        yield made


def execute(here, kind, properties, **more):
    return EXECUTORS[kind](here, call(kind, properties, **more))


def failure(here, kind, properties, **more):
    with pytest.raises(ActivityFailure) as caught:
        execute(here, kind, properties, **more)
    return caught.value.error_code, caught.value.message


# --- WebActivity -----------------------------------------------------------------------------------------


def get(url, **more):
    return {"method": "GET", "url": url, "headers": AGENT, **more}


def test_web_asks_the_simulated_market_and_shows_its_headers(here):
    output = execute(here, "WebActivity", get("https://api.coingecko.com/api/v3/ping"))
    assert output["gecko_says"]
    assert output["ADFWebActivityResponseHeaders"]["Date"] == "Wed, 12 Aug 2026 14:22:00 GMT"


def test_web_posts_an_alert_to_the_address_that_key_vault_gives(here):
    secret = execute(here, "WebActivity", get("/secrets/alert-webhook-url?api-version=7.4", authentication=VAULT))
    body = {"message": "gold is broken"}
    answer = execute(here, "WebActivity", {"method": "POST", "url": secret["value"], "body": body})
    assert answer["status"] == "noted"
    [line] = (here.lake / "adf_runs" / "alerts.jsonl").read_text().splitlines()
    assert json.loads(line)["message"] == "gold is broken"


def test_web_writes_a_small_file_into_the_lake(here):
    url = f"{STORAGE}/lake/copied/r1/landing_meta/run=r1.jsonl"
    answer = execute(here, "WebActivity", {"method": "PUT", "url": url, "body": "a\nb\n"})
    assert answer == {"Response": ""}
    assert (here.lake / "copied/r1/landing_meta/run=r1.jsonl").read_text() == "a\nb\n"


@pytest.mark.parametrize(
    ("properties", "code", "message"),
    [
        (get("https://example.com/x"), "NoInternetHere", "https://example.com is not asked"),
        (get("https://api.coingecko.com/api/v3/nothing"), "404", "404 Not Found"),
        (get("https://api.coingecko.com/api/v3/coins/list"), "2001", "not a JSON object"),
        (get("http://127.0.0.1:9/closed"), "2108", "127.0.0.1 did not answer"),
        (get("/secrets/nobody-has-it", authentication=VAULT), "SecretNotFound", "COINLAKE_NOBODY_HAS_IT"),
        (get("/keys/x", authentication=VAULT), "BadRequest", "not the address of a secret"),
        (get("x", authentication={"type": "Basic"}), "NotSupportedHere", "authentication Basic"),
        (get("x", datasets=[]), "NotSupportedHere", "the properties datasets"),
        (get(f"{STORAGE}/lake/x"), "NotSupportedHere", "GET to a storage account"),
        ({"method": "PUT", "url": f"{STORAGE}/other/x"}, "NoSuchContainer", "'other' is nothing here"),
    ],
)
def test_web_refuses(here, properties, code, message):
    found = failure(here, "WebActivity", properties)
    assert found[0] == code
    assert message in found[1]


def test_a_secret_of_the_environment_is_found(tmp_path):
    with world(tmp_path, api="http://127.0.0.1:1") as made:
        made._environ = {"COINLAKE_COINGECKO_API_KEY": "CG-1"}
        assert made.secret("coingecko-api-key") == "CG-1"


# --- Copy, REST to JSON ----------------------------------------------------------------------------------


def rest_copy(relative_url, pattern, base="https://api.coingecko.com/api/v3/", **source):
    lake_file = {"storage_account": "a", "folder": "copied/r1", "file": "p0001.json"}
    return {
        "properties": {
            "source": {"type": "RestSource", "additionalHeaders": AGENT, **source},
            "sink": {"type": "JsonSink", "formatSettings": {"type": "JsonWriteSettings", "filePattern": pattern}},
        },
        "inputs": [reference("ds_rest_answer", "Dataset", base_url=base, relative_url=relative_url)],
        "outputs": [reference("ds_lake_json", "Dataset", **lake_file)],
    }


def copied(here):
    return json.loads((here.lake / "copied/r1/p0001.json").read_text())


def test_copy_asks_page_by_page_in_the_pace_it_is_told(here, monkeypatch):
    pauses = []
    monkeypatch.setattr(rest_to_json.time, "sleep", pauses.append)
    pages = {"QueryParameters.{page}": "RANGE:1:3:1"}
    output = execute(
        here,
        "Copy",
        **rest_copy(MARKETS, "arrayOfObjects", paginationRules=pages, requestInterval="00.00:00:12.000"),
    )
    assert (output["rowsCopied"], output["filesWritten"], pauses) == (9, 1, [12.0, 12.0])
    by_pages = [coin["id"] for coin in copied(here)]
    execute(here, "Copy", **rest_copy("coins/markets?vs_currency=usd&per_page=9", "arrayOfObjects"))
    assert by_pages == [coin["id"] for coin in copied(here)]


def test_copy_ends_at_the_first_empty_page(here, monkeypatch):
    monkeypatch.setattr(rest_to_json.time, "sleep", lambda seconds: None)
    rules = {"QueryParameters.{page}": "RANGE:1::1"}
    url = "coins/markets?vs_currency=usd&per_page=250&page={page}"
    output = execute(here, "Copy", **rest_copy(url, "arrayOfObjects", paginationRules=rules))
    ids = {coin["id"] for coin in copied(here)}
    assert output["rowsCopied"] == len(copied(here)) == len(ids) > 3 * 250


def test_an_object_stays_an_object(here):
    execute(here, "Copy", **rest_copy("global", "setOfObjects"))
    assert list(copied(here)) == ["data"]


@pytest.mark.parametrize(
    ("copy", "code"),
    [
        (rest_copy("nothing", "setOfObjects"), "RestCallFailedWithClientError"),
        (rest_copy("global", "lines"), "BadRequest"),
        (rest_copy("global", "setOfObjects", additionalColumns=[]), "NotSupportedHere"),
        (rest_copy("global", "setOfObjects", requestMethod="POST"), "NotSupportedHere"),
        (rest_copy("global", "setOfObjects", paginationRules={"AbsoluteUrl": "$.next"}), "NotSupportedHere"),
        (
            rest_copy("global", "setOfObjects", paginationRules={"QueryParameters.{page}": "RANGE:1:2:1"}),
            "BadRequest",
        ),
        (rest_copy("x", "setOfObjects", base="http://127.0.0.1:9/"), "RestCallFailed"),
        (rest_copy("x", "setOfObjects", base="https://example.com/"), "NoInternetHere"),
    ],
)
def test_copy_refuses_what_it_cannot_do(here, copy, code):
    assert failure(here, "Copy", **copy)[0] == code
    assert not (here.lake / "copied").exists()


def test_no_copy_calls_the_simulated_market_live(tmp_path):
    with world(tmp_path / "lake", "source=live") as live:
        code, message = failure(live, "Copy", **rest_copy("global", "setOfObjects"))
    assert (code, "with source=live" in message) == ("NotSupportedHere", True)


def test_copy_gives_up_when_its_time_is_up(here):
    assert failure(here, "Copy", **rest_copy("global", "setOfObjects"), timeout_seconds=0.0)[0] == "Timeout"


def test_copy_between_an_unknown_pair_is_refused(here):
    properties = {"source": {"type": "ParquetSource"}, "sink": {"type": "JsonSink"}}
    assert failure(here, "Copy", properties) == (
        "NotSupportedHere",
        "Copy 'it' from ParquetSource to JsonSink: not supported on this machine. Run it in Azure.",
    )


# --- Delete ----------------------------------------------------------------------------------------------


def delete(folder, **settings):
    return {
        "dataset": reference("ds_lake_folder", "Dataset", storage_account="a", folder=folder),
        "storeSettings": {"type": "AzureBlobFSReadSettings", "recursive": True, **settings},
    }


def test_delete_removes_a_folder_of_the_lake_and_nothing_else(here):
    for name in ("copied/r1/a.json", "copied/r1/b/c.json", "landing/x.json"):
        path = here.lake / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    assert execute(here, "Delete", delete("copied/r1"))["filesDeleted"] == 2
    assert [path.name for path in here.lake.rglob("*.json")] == ["x.json"]
    assert failure(here, "Delete", delete("copied/r1"))[0] == "UserErrorFileNotFound"
    assert failure(here, "Delete", delete("../elsewhere"))[0] == "OutsideTheLake"
    assert failure(here, "Delete", delete(""))[0] == "BadRequest"
    assert failure(here, "Delete", delete("landing", recursive=False))[0] == "NotSupportedHere"


# --- the warehouse ---------------------------------------------------------------------------------------

SQL = {"server": "", "database": ""}
DATES = [
    (20260812, date(2026, 8, 12), 2026, 3, 8, "August", 33, 3, "Wednesday", False),
    (20260813, date(2026, 8, 13), 2026, 3, 8, "August", 33, 4, "Thursday", False),
]


def dates(*rows):
    columns = dict(zip(DIM_DATE.column_names, zip(*rows, strict=True), strict=True))
    return pa.table({**columns, "is_deleted": [False] * len(rows)})


def table_copy(table="dim_date", schema="staging", **changes):
    cluster = {"workspace_url": "", "workspace_id": "", "cluster_id": ""}
    script = f"DELETE FROM staging.{table} WHERE load_id = 0"
    return {
        "properties": {
            "source": {"type": "AzureDatabricksDeltaLakeSource", "query": "SELECT dates"},
            "sink": {"type": "AzureSqlSink", "preCopyScript": script},
            "enableStaging": True,
            **changes,
        },
        "inputs": [reference("ds_delta_table", "Dataset", **cluster, schema="aggregated_data", table=table)],
        "outputs": [reference("ds_sql_table", "Dataset", **SQL, schema=schema, table=table)],
    }


class Spark:
    """A session that answers every query with the same rows."""

    def __init__(self, rows):
        self.rows = rows

    def sql(self, query):
        return self

    def toArrow(self):
        return self.rows


@pytest.fixture
def delta(here, monkeypatch):
    def holds(rows):
        monkeypatch.setattr(type(here), "spark", lambda self: Spark(rows))

    return holds


def procedure(name, tables=("dim_date",)):
    listed = json.dumps([{"sink": {"schema": "staging", "table": table}} for table in tables])
    values = {"run_id": {"value": "r1", "type": "String"}, "tables": {"value": listed, "type": "String"}}
    return {
        "properties": {"storedProcedureName": name, "storedProcedureParameters": values},
        "linked_service": reference("ls_sql", "LinkedService", **SQL),
    }


def lookup(query, first_row_only=True):
    dataset = reference("ds_sql_table", "Dataset", **SQL, schema="control", table="load_log")
    return {
        "source": {"type": "AzureSqlSource", "sqlReaderQuery": query},
        "dataset": dataset,
        "firstRowOnly": first_row_only,
    }


def test_copied_tables_are_merged_as_a_whole_and_logged(here, delta):
    for rows in (dates(*DATES), dates(*DATES), dates(DATES[1])):
        delta(rows)
        assert execute(here, "Copy", **table_copy())["rowsCopied"] == rows.num_rows
        assert execute(here, "SqlServerStoredProcedure", **procedure("[control].[merge_staged]")) == {}
    # Called again, as after an answer that got lost, it finds nothing to do.
    execute(here, "SqlServerStoredProcedure", **procedure("[control].[merge_staged]"))
    query = "SELECT date_key FROM aggregated_data.dim_date ORDER BY date_key"
    assert execute(here, "Lookup", lookup(query, False)) == {"count": 1, "value": [{"date_key": 20260813}]}
    logged = "SELECT SUM(rows_merged) AS merged, SUM(rows_deleted) AS deleted FROM control.load_log"
    assert execute(here, "Lookup", lookup(logged)) == {"firstRow": {"merged": 2, "deleted": 1}}


def test_a_copy_replaces_what_an_earlier_one_left_in_staging(here, delta):
    target = DuckDBWarehouse(here.lake / "warehouse.duckdb")
    loading.load_changes(target, [], "r0")
    with target.writing() as session:
        session.stage(Change(DIM_DATE, COPIED, True, dates(*DATES)), UNNUMBERED)
    delta(dates(DATES[0]))
    execute(here, "Copy", **table_copy())
    assert target.query("SELECT COUNT(*) AS n FROM staging.dim_date")["n"].tolist() == [1]


def test_a_table_that_was_not_copied_is_not_emptied(here, delta):
    merge = procedure("[control].[merge_staged]", ("dim_date", "dim_currency"))
    delta(dates(*DATES))
    execute(here, "Copy", **table_copy())
    execute(here, "SqlServerStoredProcedure", **merge)
    usd = {"currency_key": [1], "code": ["usd"], "name": ["US dollar"], "kind": ["fiat"], "is_deleted": [False]}
    columns = [*DIM_CURRENCY.column_names, "is_deleted"]
    delta(pa.table({name: usd.get(name, [None]) for name in columns}))
    execute(here, "Copy", **table_copy("dim_currency"))
    found = failure(here, "SqlServerStoredProcedure", **merge)
    assert found == ("SqlOperationFailed", "staging has no copied rows of dim_date: copy the tables first.")


@pytest.mark.parametrize(
    ("copy", "code"),
    [
        (table_copy(enableStaging=False), "UserErrorStagingRequired"),
        (table_copy(schema="aggregated_data"), "NotSupportedHere"),
        (table_copy("no_such_table"), "NotSupportedHere"),
        (table_copy("dim_currency"), "UserErrorColumnMissing"),
    ],
)
def test_a_copy_into_sql_refuses(here, delta, copy, code):
    delta(dates(*DATES))
    assert failure(here, "Copy", **copy)[0] == code


def test_sql_refuses_what_it_does_not_know(here):
    assert failure(here, "SqlServerStoredProcedure", **procedure("[dbo].[other]"))[0] == "NotSupportedHere"
    assert failure(here, "SqlServerStoredProcedure", **procedure("[control].[merge_staged]")) == (
        "SqlOperationFailed",
        "There is no warehouse yet: copy a table first.",
    )
    assert failure(here, "Lookup", lookup("SELECT 1 AS x"))[0] == "SqlOperationFailed"
    loading.load_changes(DuckDBWarehouse(here.lake / "warehouse.duckdb"), [], "r0")
    assert failure(here, "Lookup", lookup("SELECT x FROM control.nothing"))[0] == "SqlOperationFailed"
    assert failure(here, "Lookup", {"source": {"type": "JsonSource"}, "dataset": {}})[0] == "NotSupportedHere"


# --- DatabricksJob ---------------------------------------------------------------------------------------

PARAMETERS = 'lake_path: str = ""  # the lake\nrun_id: str = ""  # the run\ncoins: int = 1  # how many'
BEGIN = """from coinlake import parameters, observability
parameters.override(globals())
step = observability.begin("99_tiny", globals())"""


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Puts a notebook of a few cells in the place of the course."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(course, "FOLDER", folder)

    def write(*cells):
        made = new_notebook(cells=[new_code_cell(source) for source in (PARAMETERS, BEGIN, *cells)])
        made.cells[0].metadata["tags"] = ["parameters"]
        made.metadata["language_info"] = {"name": "python"}
        nbformat.write(made, folder / "99_tiny.ipynb")

    return write


def run_tiny(here, seconds=60.0):
    texts = {"lake_path": str(here.lake), "run_id": "r1", "coins": "7", "top_coins": "of another notebook"}
    run_notebook(here, "99_tiny", texts, seconds)


def failure_of_tiny(here, **more):
    with pytest.raises(ActivityFailure) as caught:
        run_tiny(here, **more)
    return caught.value.error_code, caught.value.message


@pytest.mark.processes
def test_a_notebook_gets_what_it_declares_of_texts_by_type(here, tiny):
    tiny("assert coins == 7", "step.end(rows_read=coins, rows_written=2)")
    run_tiny(here)
    [record] = here.lake.glob("steps/date=*/r1/99_tiny.json")
    assert json.loads(record.read_text())["rows_read"] == 7
    assert (here.lake / "runs/r1/99_tiny.ipynb").exists()


@pytest.mark.processes
def test_a_notebook_that_fails_says_where_and_leaves_a_record(here, tiny):
    tiny("raise ValueError('no rows')")
    assert failure_of_tiny(here) == ("3204", "99_tiny, cell 4: ValueError: no rows")
    [record] = here.lake.glob("steps/date=*/r1/99_tiny.json")
    assert json.loads(record.read_text())["status"] == "failed"


@pytest.mark.processes
def test_a_notebook_is_killed_when_its_time_is_up(here, tiny):
    tiny("import threading\nthreading.Event().wait()")
    assert failure_of_tiny(here, seconds=4.0) == ("Timeout", "99_tiny was not done after 4 s.")


def test_a_run_that_is_interrupted_cancels_its_notebooks(here, tiny):
    tiny("1 + 1")
    here.kernels.end()
    assert failure_of_tiny(here) == ("Cancelled", "99_tiny was interrupted.")


@pytest.mark.processes
def test_a_notebook_without_a_record_is_refused(here, tiny):
    tiny("1 + 1")
    assert "did not come to step.end(…)" in failure_of_tiny(here)[1]


@pytest.fixture
def followed(monkeypatch):
    """(notebook, run id, coins, seconds left for it) of each notebook that a job runs; none is executed."""
    ran = []
    monkeypatch.setattr(
        jobs,
        "run_notebook",
        lambda _, name, texts, seconds: ran.append((name[:2], texts["run_id"], texts["coins"], round(seconds))),
    )
    return ran


def job(**parameters):
    return {"jobId": "1", "jobParameters": parameters}


def test_a_job_runs_its_notebooks_in_order_with_the_parameters_given_and_its_own(here, followed):
    output = execute(here, "DatabricksJob", job(run_id="r1", coins="7"), timeout_seconds=5_000.0)
    assert [name for name, *_ in followed] == [f"{number:02}" for number in range(9)]
    assert {(run_id, coins) for _, run_id, coins, _ in followed} == {("r1", "7")}
    # Two hours for ingestion are more than the activity has; an hour for a report is not.
    assert [(name, seconds) for name, _, _, seconds in followed if name in ("01", "08")] == [
        ("01", 5_000),
        ("08", 3_600),
    ]
    assert output["runPageUrl"] == (here.lake / "runs/r1").as_uri()
    assert "runOutput" not in output


def test_a_job_without_an_id_of_a_run_has_that_of_its_own(here, followed):
    execute(here, "DatabricksJob", job())
    assert {run_id for _, run_id, _, _ in followed} == {"job-r"}


@pytest.mark.parametrize(
    ("wanted", "left_out"),
    [
        ({"with_setup": "false", "with_reports": "false"}, {"00", "06", "07", "08"}),
        ({"with_setup": "false", "with_load": "false"}, {"00", "05"}),
        (dict.fromkeys(("with_setup", "with_load", "with_reports"), "false"), {"00", "05", "06", "07", "08"}),
    ],
)
def test_a_job_leaves_out_what_is_not_wanted(here, followed, wanted, left_out):
    execute(here, "DatabricksJob", job(**wanted))
    assert [name for name, *_ in followed] == sorted({f"{number:02}" for number in range(9)} - left_out)


def test_a_job_ends_with_the_notebook_that_fails_and_refuses_what_it_does_not_know(here, monkeypatch):
    def fail_in_gold(_, name, texts, seconds):
        if name == "04_build_gold":
            raise ActivityFailure("3204", f"{name}, cell 13: no space left")

    monkeypatch.setattr(jobs, "run_notebook", fail_in_gold)
    assert failure(here, "DatabricksJob", job()) == ("3204", "04_build_gold, cell 13: no space left")
    assert failure(here, "DatabricksJob", job(coin="7")) == ("3200", "The job coinlake has no parameter coin.")
    assert failure(here, "DatabricksJob", job() | {"jobPath": "/x"})[0] == "NotSupportedHere"
