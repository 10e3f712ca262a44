"""Each rule of the checker, proved by a good factory with one fault."""

import json

import pytest

from adf_lab import check_factory, load_factory
from adf_support.factories import after, expression, good_factory, write_factory

MAIN, FINISH = "pipeline/pl_main.json", "pipeline/pl_finish.json"
DAILY, WINDOW = "trigger/tr_daily.json", "trigger/tr_window.json"
GLOBALS = "factory/adf_test.json"
ACTIVITIES = "properties.activities"
IN_MAIN, IN_FINISH = f"{MAIN}: {ACTIVITIES}", f"{FINISH}: {ACTIVITIES}"


def shown(finding):
    """File, whole path and message; how the command prints a finding is shown by the tests of the command."""
    return ": ".join(part for part in (finding.file, finding.path, finding.message) if part)


def notebook(folder, *names):
    source = "\n".join(f'{name}: str = ""' for name in names)
    cells = [{"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": source}]
    folder.mkdir(exist_ok=True)
    (folder / "03_silver.ipynb").write_text(json.dumps({"cells": cells}))
    return folder


@pytest.fixture
def findings(tmp_path):
    """Check a factory made of documents; the findings as texts."""

    def check(documents, **options):
        notebooks = notebook(tmp_path / "notebooks", "run_id", "day")
        factory = load_factory(write_factory(tmp_path / "factory", documents))
        return list(map(shown, check_factory(factory, notebooks, **options)))

    return check


def activity(documents, name, file=MAIN):
    def search(activities):
        for found in activities:
            if found["name"] == name:
                yield found
            for inner in ("activities", "ifTrueActivities"):
                yield from search(found.get("typeProperties", {}).get(inner, []))

    return next(search(documents[file]["properties"]["activities"]))


def properties(documents, name, file=MAIN):
    return activity(documents, name, file)["typeProperties"]


def test_a_good_factory_has_no_findings(findings):
    assert findings(good_factory(), house_style=True) == []


def no_json(documents):
    documents["dataset/ds_broken.json"] = "{"


def another_name(documents):
    documents[FINISH]["name"] = "pl_end"


def repeated_activity(documents):
    properties(documents, "load_tables")["activities"][0]["name"] = "ping"


def missing_dataset(documents):
    activity(documents, "load_table")["inputs"][0]["referenceName"] = "ds_silver"
    del documents["dataset/ds_gold.json"]
    del documents["linkedService/ls_lake.json"]


def parameter_that_the_target_lacks(documents):
    activity(documents, "load_table")["inputs"][0]["parameters"]["day"] = "x"


def parameter_that_is_not_passed(documents):
    del properties(documents, "finish")["parameters"]


def unused_dataset(documents):
    documents["dataset/ds_old.json"] = documents["dataset/ds_sql.json"] | {"name": "ds_old"}


def unused_parameter(documents):
    documents[MAIN]["properties"]["parameters"]["old"] = {"type": "string", "defaultValue": ""}


def unused_variable(documents):
    documents[FINISH]["properties"]["variables"]["old"] = {"type": "String"}


def unused_global_parameter(documents):
    documents[GLOBALS]["properties"]["globalParameters"]["old"] = {"type": "string", "value": ""}


def misspelled_type(documents):
    activity(documents, "silver")["type"] = "DatabriksNotebook"


def foreign_type(documents):
    activity(documents, "silver")["type"] = "SomethingQuiteNew"


def misspelled_property(documents):
    properties(documents, "load_table")["sourcee"] = properties(documents, "load_table")["source"]


def missing_property(documents):
    del properties(documents, "ping")["url"]


def wrong_enumeration(documents):
    properties(documents, "ping")["method"] = "GOT"


def wrong_simple_type(documents):
    properties(documents, "load_tables")["batchCount"] = "4"


def unparsable(documents):
    properties(documents, "ping")["url"] = "@concat('a'"


def unknown_function(documents):
    properties(documents, "ping")["url"] = "@upper('a')"


def wrong_argument_kind(documents):
    properties(documents, "note_count", FINISH)["value"] = "@concat(toUpper(pipeline().parameters.count))"


def wrong_argument_count(documents):
    properties(documents, "ping")["url"] = "@replace('a', 'b')"


def condition_that_is_no_boolean(documents):
    properties(documents, "is_long", FINISH)["expression"] = expression("@length(variables('text'))")


def undeclared_parameter(documents):
    properties(documents, "ping")["url"] = "@pipeline().parameters.host"


def undeclared_variable(documents):
    properties(documents, "ping")["url"] = "@variables('host')"


def undeclared_global_parameter(documents):
    properties(documents, "ping")["url"] = "@pipeline().globalParameters.host"


def output_of_a_later_activity(documents):
    properties(documents, "ping")["url"] = "@activity('silver').output.runOutput"


def item_outside_a_loop(documents):
    properties(documents, "ping")["url"] = "@item()"


def trigger_in_a_pipeline(documents):
    properties(documents, "ping")["url"] = "@trigger().scheduledTime"


def unknown_dependency(documents):
    activity(documents, "ping")["dependsOn"].append(after("pong"))


def circle_of_activities(documents):
    activity(documents, "get_key")["dependsOn"] = [after("ping")]


def circle_of_pipelines(documents):
    documents[FINISH]["properties"]["activities"].append(
        {
            "name": "again",
            "type": "ExecutePipeline",
            "typeProperties": {"pipeline": {"referenceName": "pl_main", "type": "PipelineReference"}},
        }
    )


def loop_in_a_loop(documents):
    inner = properties(documents, "load_tables")["activities"]
    inner[:] = [
        {
            "name": "inner_loop",
            "type": "ForEach",
            "typeProperties": {"items": expression("@pipeline().parameters.tables"), "activities": list(inner)},
        }
    ]


def green_failure(documents):
    documents[MAIN]["properties"]["activities"].pop()


def undeclared_set_variable(documents):
    properties(documents, "note_count", FINISH)["variableName"] = "txt"


def variable_that_sets_itself(documents):
    properties(documents, "note_count", FINISH)["value"] = "@concat(variables('text'), '!')"


def racing_variable(documents):
    documents[MAIN]["properties"]["variables"] = {"last": {"type": "String"}}
    properties(documents, "ping")["headers"]["last"] = "@variables('last')"
    properties(documents, "load_tables")["activities"].append(
        {
            "name": "keep",
            "type": "SetVariable",
            "typeProperties": {"variableName": "last", "value": expression("@item().name")},
        }
    )


def inactive_activity(documents):
    activity(documents, "pause", FINISH)["state"] = "Inactive"


def too_large_batch(documents):
    properties(documents, "load_tables")["batchCount"] = 51


def too_short_timeout(documents):
    activity(documents, "get_key")["policy"]["timeout"] = "0.00:01:00"


def too_short_retry_interval(documents):
    activity(documents, "get_key")["policy"]["retryIntervalInSeconds"] = 5


def too_many_activities(documents):
    documents[FINISH]["properties"]["activities"] += [
        {"name": f"pause_{number}", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 1}}
        for number in range(80)
    ]


def too_many_parameters(documents):
    names = [f"p{number}" for number in range(50)]
    documents[FINISH]["properties"]["parameters"] |= {name: {"type": "int", "defaultValue": 0} for name in names}
    used = ", ".join(f"pipeline().parameters.{name}" for name in names)
    properties(documents, "note_count", FINISH)["value"] = f"@concat(string(pipeline().parameters.count), {used})"


def too_long_expression(documents):
    properties(documents, "ping")["url"] = f"@concat('{'x' * 8192}')"


def too_short_window(documents):
    documents[WINDOW]["properties"]["typeProperties"] |= {"frequency": "Minute", "interval": 4}


def window_that_waits_for_its_future(documents):
    documents[WINDOW]["properties"]["typeProperties"]["dependsOn"][0]["offset"] = "1.00:00:00"


def local_time_with_z(documents):
    documents[DAILY]["properties"]["typeProperties"]["recurrence"]["startTime"] = "2026-01-01T03:00:00Z"


def secure_string_in_git(documents):
    documents["linkedService/ls_databricks.json"]["properties"]["typeProperties"]["accessToken"] = {
        "type": "SecureString",
        "value": "abc",
    }


def password_in_a_connection_string(documents):
    documents["linkedService/ls_sql.json"]["properties"]["typeProperties"]["connectionString"] = (
        "Server=s;Database=d;Password=hunter2;"
    )
    del documents["linkedService/ls_vault.json"]


def key_in_a_header(documents):
    properties(documents, "ping")["headers"]["x-cg-demo-api-key"] = "CG-abc"


def shown_key(documents):
    del activity(documents, "get_key")["policy"]["secureOutput"]


def shown_use_of_the_key(documents):
    del activity(documents, "ping")["policy"]


def missing_notebook(documents):
    properties(documents, "silver")["notebookPath"] = "/Shared/dev/04_gold"
    del documents[GLOBALS]["properties"]["globalParameters"]["environment"]


def other_notebook_parameters(documents):
    parameters = properties(documents, "silver")["baseParameters"]
    parameters["date"] = parameters.pop("day")


FAULTS = [
    (no_json, ["dataset/ds_broken.json: the file is not a JSON object"]),
    (another_name, [f"{FINISH}: name: 'pl_end' is not the name of the file: rename one of the two."]),
    (
        repeated_activity,
        [f"{IN_MAIN}[3].typeProperties.activities[0].name: 'ping' is also the name of {ACTIVITIES}[1]."],
    ),
    (
        missing_dataset,
        [
            f"{IN_MAIN}[3].typeProperties.activities[0].inputs[0]: there is no dataset/ds_silver.json: "
            "create it or correct the name."
        ],
    ),
    (
        parameter_that_the_target_lacks,
        [
            f"{IN_MAIN}[3].typeProperties.activities[0].inputs[0].parameters.day: dataset/ds_gold.json "
            "declares no such parameter: remove it."
        ],
    ),
    (
        parameter_that_is_not_passed,
        [
            f"{IN_MAIN}[4].typeProperties: pipeline/pl_finish.json needs a value for 'count': pass it, "
            "or give it a default."
        ],
    ),
    (unused_dataset, ["dataset/ds_old.json: nothing uses this dataset: remove it."]),
    (unused_parameter, [f"{MAIN}: properties.parameters.old: nothing uses this parameter: remove it."]),
    (unused_variable, [f"{FINISH}: properties.variables.old: nothing reads this variable: remove it."]),
    (
        unused_global_parameter,
        [f"{GLOBALS}: properties.globalParameters.old: no pipeline uses this global parameter: remove it."],
    ),
    (
        misspelled_type,
        [
            f"{IN_MAIN}[2]: the type 'DatabriksNotebook' is unknown: did you mean 'DatabricksNotebook'?",
        ],
    ),
    (
        foreign_type,
        [f"{IN_MAIN}[2]: not checked: azure-mgmt-datafactory has no type 'SomethingQuiteNew'."],
    ),
    (
        misspelled_property,
        [
            f"{IN_MAIN}[3].typeProperties.activities[0].typeProperties.sourcee: there is no such "
            "property: did you mean 'source'?"
        ],
    ),
    (missing_property, [f"{IN_MAIN}[1].typeProperties: the property 'url' is missing: add it."]),
    (
        wrong_enumeration,
        [f"{IN_MAIN}[1].typeProperties.method: 'GOT' is not allowed: did you mean 'GET'?"],
    ),
    (wrong_simple_type, [f"{IN_MAIN}[3].typeProperties.batchCount: '4' must be a whole number."]),
    (
        unparsable,
        [
            f"{IN_MAIN}[1].typeProperties.url: The expression 'concat('a'' has end of the expression at "
            "position 10 where ')' is expected."
        ],
    ),
    (
        unknown_function,
        [f"{IN_MAIN}[1].typeProperties.url: 'upper' is not a function of Data Factory: did you mean 'toUpper'?"],
    ),
    (
        wrong_argument_kind,
        [
            f"{IN_FINISH}[0].typeProperties.value: toUpper is given integer as argument 1: "
            "toUpper(text: string) -> string."
        ],
    ),
    (
        wrong_argument_count,
        [
            f"{IN_MAIN}[1].typeProperties.url: replace was given 2 arguments: it is "
            "replace(text: string, old: string, new: string) -> string."
        ],
    ),
    (
        condition_that_is_no_boolean,
        [
            f"{IN_FINISH}[1].typeProperties.expression: the expression gives integer: it must give boolean or "
            "string."
        ],
    ),
    (
        undeclared_parameter,
        [f"{IN_MAIN}[1].typeProperties.url: there is no parameter 'host' (there are: day, tables): declare it."],
    ),
    (
        undeclared_variable,
        [f"{IN_MAIN}[1].typeProperties.url: there is no variable 'host' (there are: none): declare it."],
    ),
    (
        undeclared_global_parameter,
        [
            f"{IN_MAIN}[1].typeProperties.url: there is no global parameter 'host' (there are: "
            "environment, keyVaultUrl): declare it."
        ],
    ),
    (
        output_of_a_later_activity,
        [
            f"{IN_MAIN}[1].typeProperties.url: activity('silver') has not ended here: depend on it, "
            "directly or through others."
        ],
    ),
    (
        item_outside_a_loop,
        [
            f"{IN_MAIN}[1].typeProperties.url: item() has a value only inside a ForEach or the condition "
            "of a Filter."
        ],
    ),
    (
        trigger_in_a_pipeline,
        [f"{IN_MAIN}[1].typeProperties.url: trigger() has no value in a pipeline: pass it in as a parameter."],
    ),
    (
        unknown_dependency,
        [
            f"{IN_MAIN}[1].dependsOn[1]: 'pong' is not an activity beside this one: correct the name.",
        ],
    ),
    (
        circle_of_activities,
        [f"{IN_MAIN}: activities wait for one another: get_key -> ping -> get_key."],
    ),
    (circle_of_pipelines, [f"{FINISH}: pipelines call one another: pl_finish -> pl_main -> pl_finish."]),
    (
        loop_in_a_loop,
        [
            f"{IN_MAIN}[3].typeProperties.activities[0]: ForEach may not stand inside ForEach: call a "
            "pipeline of its own there."
        ],
    ),
    (
        undeclared_set_variable,
        [f"{IN_FINISH}[0].typeProperties.variableName: there is no variable 'txt': did you mean 'text'?"],
    ),
    (
        variable_that_sets_itself,
        [
            f"{IN_FINISH}[0].typeProperties.variableName: 'text' cannot refer to itself: use a second variable.",
            f"{FINISH}: properties.parameters.count: nothing uses this parameter: remove it.",
        ],
    ),
    (
        racing_variable,
        [
            f"{IN_MAIN}[3].typeProperties.activities[1].typeProperties.variableName: parallel iterations "
            "overwrite 'last': make the ForEach sequential, or call a pipeline."
        ],
    ),
    (
        inactive_activity,
        [f"{IN_FINISH}[1].typeProperties.ifTrueActivities[0]: 'pause' is inactive: remove it or activate it."],
    ),
    (too_large_batch, [f"{IN_MAIN}[3].typeProperties.batchCount: 51 must be between 1 and 50."]),
    (
        too_short_timeout,
        [f"{IN_MAIN}[0].policy.timeout: 0.00:01:00 must be between 0:10:00 and 7 days, 0:00:00."],
    ),
    (
        too_short_retry_interval,
        [f"{IN_MAIN}[0].policy.retryIntervalInSeconds: 5 must be between 30 and 86400."],
    ),
    (too_many_activities, [f"{IN_FINISH}: 83 activities: the limit is 80. Split the pipeline."]),
    (too_many_parameters, [f"{FINISH}: properties.parameters: 51 parameters: the limit is 50. Pass an object."]),
    (
        too_long_expression,
        [f"{IN_MAIN}[1].typeProperties.url: the expression has 8203 characters: the limit is 8192."],
    ),
    (too_short_window, [f"{WINDOW}: properties.typeProperties.interval: a window has at least 5 minutes."]),
    (
        window_that_waits_for_its_future,
        [
            f"{WINDOW}: properties.typeProperties.dependsOn[0].offset: a trigger can only wait for its own past: "
            "make it negative."
        ],
    ),
    (
        local_time_with_z,
        [
            f"{DAILY}: properties.typeProperties.recurrence.startTime: a time in 'W. Europe Standard Time' "
            "carries no Z: leave it out."
        ],
    ),
    (
        secure_string_in_git,
        ["linkedService/ls_databricks.json: properties.typeProperties.accessToken.value: this looks like"],
    ),
    (
        password_in_a_connection_string,
        ["linkedService/ls_sql.json: properties.typeProperties.connectionString: this looks like a secret"],
    ),
    (
        key_in_a_header,
        [f"{IN_MAIN}[1].typeProperties.headers.x-cg-demo-api-key: this looks like a secret"],
    ),
    (
        shown_key,
        [f"{IN_MAIN}[0].policy: the answer of Key Vault would be shown in the monitor: set secureOutput."],
    ),
    (
        shown_use_of_the_key,
        [f"{IN_MAIN}[1].policy: the secured output of 'get_key' would be shown in the monitor: set secureInput."],
    ),
    (
        missing_notebook,
        [f"{IN_MAIN}[2].typeProperties.notebookPath: there is no"],
    ),
    (
        other_notebook_parameters,
        [
            f"{IN_MAIN}[2].typeProperties.baseParameters: 03_silver.ipynb has the parameter 'day': pass it.",
            f"{IN_MAIN}[2].typeProperties.baseParameters.date: 03_silver.ipynb has no such parameter: remove it.",
        ],
    ),
]


@pytest.mark.parametrize(("break_it", "expected"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_one_fault_gives_exactly_its_findings(findings, break_it, expected):
    documents = good_factory()
    break_it(documents)
    found = findings(documents)
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)


def test_names_of_the_house_are_asked_for_only_where_they_are_wanted(findings):
    documents = good_factory()
    documents["dataset/Old.json"] = documents.pop("dataset/ds_gold.json") | {"name": "Old"}
    activity(documents, "load_table")["inputs"][0]["referenceName"] = "Old"
    assert findings(documents) == []
    assert findings(documents, house_style=True) == [
        "dataset/Old.json: name: the name must look like ds_snake_case."
    ]


def test_a_failure_branch_may_end_green_where_the_house_does_not_mind(findings):
    documents = good_factory()
    green_failure(documents)
    assert findings(documents) == []
    assert findings(documents, house_style=True) == [
        f"{IN_MAIN}[5]: the failure branch of 'alert' ends with 'alert', so the run would succeed: "
        "let it end in a Fail activity."
    ]


def test_a_factory_of_unexpected_shapes_is_reported_not_refused(findings):
    documents = good_factory()
    documents[MAIN]["properties"]["activities"] += ["not an activity", {"type": "Wait"}, {"name": ["x"]}]
    documents[FINISH]["properties"]["parameters"] = []
    texts = findings(documents)
    assert f"{IN_MAIN}[7]: 'not an activity' must be an object." in texts
    assert f"{IN_MAIN}[8]: the property 'name' is missing: add it." in texts
    assert f"{IN_MAIN}[9]: the type is missing: say which one it is." in texts
    assert f"{FINISH}: properties.parameters: [] must be an object." in texts


def test_a_foreign_factory_without_notebooks_gets_a_note(tmp_path):
    folder = write_factory(tmp_path, good_factory())
    assert list(map(shown, check_factory(load_factory(folder)))) == [
        f"{IN_MAIN}[2].typeProperties.notebookPath: not checked: no folder of notebooks was given (1 in all)."
    ]


def test_what_others_write_in_another_way_is_no_problem(findings):
    documents = good_factory()
    documents["integrationRuntime/ir_here.json"] = {"name": "ir_here", "properties": {"type": "SelfHosted"}}
    flow = {"dataflow": {"referenceName": "df", "type": "DataFlowReference"}}
    documents[FINISH]["properties"]["activities"].append(
        {"name": "flow", "type": "ExecuteDataFlow", "typeProperties": flow}
    )
    assert findings(documents) == [
        f"{IN_FINISH}[2].typeProperties.dataflow: not checked: 'df': the factory has no folder dataflow."
    ]


def test_an_inactive_activity_may_lack_everything(findings):
    documents = good_factory()
    documents[FINISH]["properties"]["activities"].append(
        {"name": "later", "type": "Copy", "state": "Inactive", "typeProperties": {}}
    )
    assert findings(documents) == [f"{IN_FINISH}[2]: 'later' is inactive: remove it or activate it."]


def test_files_with_a_byte_order_mark_are_read(tmp_path):
    write_factory(tmp_path, good_factory())
    text = "\ufeff" + json.dumps(good_factory()[DAILY])
    (tmp_path / DAILY).write_text(text, encoding="utf-8")
    assert load_factory(tmp_path).unreadable == {}


def test_a_resource_whose_file_is_named_otherwise_is_one_mistake(findings):
    documents = good_factory()
    documents["linkedService/ls_other.json"] = documents.pop("linkedService/ls_sql.json")
    assert findings(documents) == [
        "linkedService/ls_other.json: name: 'ls_sql' is not the name of the file: rename one of the two."
    ]
    del documents["linkedService/ls_other.json"]["name"]
    missing = "the name is missing: it must be 'ls_other', as that of the file."
    assert f"linkedService/ls_other.json: name: {missing}" in findings(documents)


def test_a_document_that_is_no_resource_is_one_mistake(findings):
    documents = good_factory() | {"pipeline/manifest.json": {"author": "x"}}
    [error, note] = findings(documents)
    assert error == "pipeline/manifest.json: the property 'properties' is missing: add it."
    assert note.startswith("pipeline/manifest.json: author: not checked")


def test_types_are_taken_in_another_case_and_as_they_were_written_in_2019(findings):
    documents = good_factory()
    [copy] = [
        inner
        for activity in documents["pipeline/pl_main.json"]["properties"]["activities"]
        for inner in activity["typeProperties"].get("activities", [])
    ]
    settings = copy["typeProperties"]["source"]["storeSettings"] = {"type": "LakehouseReadSettings"}
    assert findings(documents) == []
    settings["type"] = "AzureBlobFSReadSetting"
    [note] = findings(documents)
    wanted = "'AzureBlobFSReadSetting' is how the documentation wrote it in 2019: write 'AzureBlobFSReadSettings'."
    assert note.endswith(f"not checked: {wanted}")
    settings["type"] = "AzureBlobFSReadsettingx"
    [error] = findings(documents)
    assert error.endswith("'AzureBlobFSReadsettingx' is unknown: did you mean 'AzureBlobFSReadSettings'?")
