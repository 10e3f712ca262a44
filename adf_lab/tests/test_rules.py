"""Every rule of the checker with an example that fails by it alone, and one beside it that passes."""

import json
import re
from pathlib import Path

import pytest

from adf_lab import check_factory, load_factory
from adf_lab.check import RULES, SEVERITIES, rules_page
from adf_support.factories import after, expression, good_factory, reference, write_factory

MAIN, FINISH = "pipeline/pl_main.json", "pipeline/pl_finish.json"
DAILY, WINDOW = "trigger/tr_daily.json", "trigger/tr_window.json"
GLOBALS = "factory/adf_test.json"
SQL = "linkedService/ls_sql.json"
PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
REMOVED = object()


def put(file, path, value):
    """A change of a factory: the value at a path; a text as a whole file."""

    def change(documents):
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        holder = documents[file]
        for step in steps:
            holder = holder[step]
        if value is REMOVED:
            del holder[last]
        elif isinstance(holder, list) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value

    return change


def file(name, content):
    def change(documents):
        documents[name] = content

    return change


def both(*changes):
    def change(documents):
        for one in changes:
            one(documents)

    return change


def add(*activities, **properties):
    """More activities at the end of pl_finish, and other properties of it, such as variables."""

    def change(documents):
        own = documents[FINISH]["properties"]
        own["activities"] += activities
        for name, value in properties.items():
            own[name] = own[name] | value if isinstance(value, dict) and name in own else value

    return change


def nothing(documents):
    pass


def wait(name, *dependencies, seconds=1, **more):
    properties = {"waitTimeInSeconds": seconds}
    return {"name": name, "type": "Wait", "dependsOn": list(dependencies), "typeProperties": properties, **more}


def web(name, *dependencies, method="GET", url="https://example.invalid", **more):
    policy = more.pop("policy", {})
    properties = {"method": method, "url": url, **more}
    return {
        "name": name,
        "type": "WebActivity",
        "dependsOn": list(dependencies),
        "policy": policy,
        "typeProperties": properties,
    }


def choice(name, *activities):
    properties = {"expression": expression("@equals(1, pipeline().parameters.count)")}
    return {
        "name": name,
        "type": "IfCondition",
        "typeProperties": properties | {"ifTrueActivities": [*activities]},
    }


def loop(name, *activities, **more):
    properties = {"items": expression("@createArray(1)"), "activities": [*activities], **more}
    return {"name": name, "type": "ForEach", "typeProperties": properties}


def until(name, condition, *activities):
    properties = {"expression": expression(condition), "activities": [*activities]}
    return {"name": name, "type": "Until", "typeProperties": properties}


def switch(name, *values):
    cases = [{"value": value, "activities": []} for value in values]
    properties = {"on": expression("@string(pipeline().parameters.count)"), "cases": cases}
    return {"name": name, "type": "Switch", "typeProperties": properties}


def set_variable(name, variable, value, **more):
    properties = {"variableName": variable, "value": value}
    return {"name": name, "type": "SetVariable", "typeProperties": properties, **more}


def append(name, variable, value):
    properties = {"variableName": variable, "value": value}
    return {"name": name, "type": "AppendVariable", "typeProperties": properties}


def lookup(name, kind="ParquetSource", dataset="ds_gold", **more):
    properties = {"source": {"type": kind}, "dataset": reference(dataset, "Dataset", table="t"), **more}
    return {"name": name, "type": "Lookup", "typeProperties": properties}


def metadata(name, *fields):
    properties = {"dataset": reference("ds_gold", "Dataset", table="t"), "fieldList": [*fields]}
    return {"name": name, "type": "GetMetadata", "typeProperties": properties}


def nested(depth):
    return f"@{'concat(' * depth}'a'{')' * depth}"


def read(text, *dependencies):
    """An activity that reads an expression, after others."""
    return web("read", *dependencies, headers={"x": expression(text)})


def schedule(**parts):
    return put(DAILY, "properties/typeProperties/recurrence/schedule", parts)


def recurrence(**parts):
    def change(documents):
        documents[DAILY]["properties"]["typeProperties"]["recurrence"] |= parts

    return change


def window(**parts):
    def change(documents):
        documents[WINDOW]["properties"]["typeProperties"] |= parts

    return change


def event(kind="BlobEventsTrigger", value="@triggerBody().fileName", **properties):
    pipeline = {"pipelineReference": reference("pl_main", "Pipeline"), "parameters": {"day": value}}
    whole = {"scope": "/subscriptions/1", "events": ["Microsoft.Storage.BlobCreated"], **properties}
    document = {"name": "tr_event", "properties": {"type": kind, "pipelines": [pipeline], "typeProperties": whole}}
    return file("trigger/tr_event.json", document)


def fields(name, path="properties/typeProperties/recurrence/"):
    return path + name


URL = "properties/activities/1/typeProperties/url"
BRICKS = "linkedService/ls_databricks.json"
NOTEBOOK = "properties/activities/2/typeProperties/notebookPath"
ENVIRONMENT = "pipeline().globalParameters.environment"
COPY = "properties/activities/3/typeProperties/activities/0"
DONE = {"done": {"type": "Boolean"}}

# rule: pairs of a change that breaks it, and no other, and one like it that does not.
EXAMPLES = {
    "unreadable-file": [
        (file("dataset/ds_x.json", "["), nothing),
        (file("dataset/ds_x.json", '{"a":' * 99_999), nothing),
        (file("dataset/ds_x.json", '{"name": "ds_x", "properties": ' + "[" * 100 + "]" * 100 + "}"), nothing),
    ],
    "repeated-key": [
        (
            file(
                FINISH,
                json.dumps(good_factory()[FINISH]).replace('"type": "Wait"', '"type": "Wait", "type": "Wait"'),
            ),
            nothing,
        )
    ],
    "file-name": [(put(FINISH, "name", "pl_end"), put(FINISH, "name", "pl_finish"))],
    "resource-name": [
        (both(file("pipeline/pl%x.json", {"name": "pl%x", "properties": {"activities": []}})), nothing),
        (
            file("pipeline/~x.json", {"name": "~x", "properties": {"activities": []}}),
            file("pipeline/01 x.json", {"name": "01 x", "properties": {"activities": []}}),
        ),
        (file("pipeline/PL_main.json", {"name": "PL_main", "properties": {"activities": []}}), nothing),
    ],
    "dash-in-name": [
        (
            both(
                file("linkedService/ls-x.json", good_factory()[SQL] | {"name": "ls-x"}),
                put("dataset/ds_sql.json", "properties/linkedServiceName/referenceName", "ls-x"),
                file(
                    SQL,
                    good_factory()[SQL]
                    | {"properties": good_factory()["linkedService/ls_vault.json"]["properties"]},
                ),
                put(
                    "linkedService/ls-x.json",
                    "properties/typeProperties/connectionString/store/referenceName",
                    "ls_sql",
                ),
                lambda documents: documents.pop("linkedService/ls_vault.json"),
            ),
            file("pipeline/pl-x.json", {"name": "pl-x", "properties": {"activities": []}}),
        )
    ],
    "activity-name": [
        (add(wait("w" * 56)), add(wait("w" * 55))),
        (add(wait("a/1.2")), add(wait("a-1_2 (3)"))),
        (add(wait(" a")), add(wait("_a"), wait("1"))),
        # What refers to the name has to be changed with it.
        (
            both(
                put(MAIN, "properties/activities/0/name", "get.key"),
                put(MAIN, "properties/activities/1/dependsOn", []),
            ),
            nothing,
        ),
    ],
    "repeated-activity": [(add(choice("c", wait("pause"))), add(choice("c", wait("pause_2"))))],
    "activity-case": [(add(wait("Pause")), add(wait("Pause2")))],
    "missing-property": [
        (put(MAIN, URL, REMOVED), nothing),
        (add({"name": "x", "typeProperties": {}}), nothing),
    ],
    "unknown-property": [
        (
            put(MAIN, f"{COPY}/typeProperties/enableStagin", True),
            put(MAIN, f"{COPY}/typeProperties/enableStaging", True),
        ),
        (
            put(FINISH, "properties/activites", []),
            put(FINISH, "properties/lastPublishTime", "2026-01-01T00:00:00Z"),
        ),
    ],
    "unknown-type": [(put(MAIN, "properties/activities/2/type", "DatabriksNotebook"), nothing)],
    "wrong-value": [
        (
            put(MAIN, "properties/activities/3/typeProperties/batchCount", "four"),
            put(MAIN, "properties/activities/3/typeProperties/batchCount", 4),
        ),
        (add(web("w", method="FETCH")), add(web("w", method="PATCH", body="{}"))),
        (recurrence(frequency="Fortnight"), recurrence(frequency="week")),
    ],
    "letter-case": [
        (add(wait("w", after("is_long", "succeeded"))), add(wait("w", after("is_long", "Succeeded"))))
    ],
    "not-checked": [
        (put(FINISH, "properties/quiteNew", 1), nothing),
        (put(MAIN, "properties/activities/2/type", "SomethingQuiteNew"), nothing),
    ],
    "unknown-reference": [(put(MAIN, f"{COPY}/inputs/0/referenceName", "ds_golden"), nothing)],
    "parameter-not-declared": [(put(MAIN, f"{COPY}/inputs/0/parameters/day", "x"), nothing)],
    "parameter-missing": [
        (put(MAIN, "properties/activities/4/typeProperties/parameters", REMOVED), nothing),
        (
            put(MAIN, "properties/activities/4/typeProperties/parameters/count", REMOVED),
            both(
                put(FINISH, "properties/parameters/count/defaultValue", 1),
                put(MAIN, "properties/activities/4/typeProperties/parameters/count", REMOVED),
            ),
        ),
    ],
    "parameter-kind": [
        (
            put(MAIN, "properties/activities/4/typeProperties/parameters/count", expression("@createArray(1)")),
            put(MAIN, "properties/activities/4/typeProperties/parameters/count", expression("@add(1, 2)")),
        ),
        (
            put(MAIN, "properties/activities/4/typeProperties/parameters/count", "many"),
            put(MAIN, "properties/activities/4/typeProperties/parameters/count", "7"),
        ),
        (
            put(MAIN, "properties/parameters/day/defaultValue", ["2026-01-01"]),
            put(MAIN, "properties/parameters/day/defaultValue", "2026-01-02"),
        ),
        (
            put(GLOBALS, "properties/globalParameters/environment", {"type": "int", "value": "many"}),
            put(GLOBALS, "properties/globalParameters/environment", {"type": "string", "value": "many"}),
        ),
    ],
    "unused-resource": [
        (file("dataset/ds_old.json", good_factory()["dataset/ds_sql.json"] | {"name": "ds_old"}), nothing)
    ],
    "unused-declaration": [
        (put(MAIN, "properties/parameters/old", {"type": "string", "defaultValue": ""}), nothing),
        (add(variables={"old": {"type": "String"}}), nothing),
    ],
    "expression-syntax": [
        (put(MAIN, URL, "@concat('a'"), put(MAIN, URL, "@concat('a')")),
        (put(MAIN, URL, nested(100)), put(MAIN, URL, nested(99))),
    ],
    "expression-length": [
        (put(MAIN, URL, f"@concat('{'x' * 8182}')"), put(MAIN, URL, f"@concat('{'x' * 8181}')")),
    ],
    "unknown-function": [
        (put(MAIN, URL, "@concta('a')"), put(MAIN, URL, "@CONCAT('a')")),
        (
            add(wait("w", userProperties=[{"name": "x", "value": "@nobody('x')"}])),
            add(wait("w", description="@nobody('x')")),
        ),
    ],
    "function-arguments": [(put(MAIN, URL, "@replace('a', 'b')"), put(MAIN, URL, "@replace('a', 'b', 'c')"))],
    "expression-kind": [
        (
            put(
                FINISH,
                "properties/activities/1/typeProperties/expression",
                expression("@length(variables('text'))"),
            ),
            put(
                FINISH,
                "properties/activities/1/typeProperties/expression",
                expression("@empty(variables('text'))"),
            ),
        ),
        (
            put(MAIN, URL, "@concat('a')[0]"),
            put(MAIN, URL, "@pipeline().parameters.tables[0].name"),
        ),
    ],
    "expression-place": [
        (put(MAIN, URL, "@item()"), add(loop("l", read("@string(item())")))),
        (put(MAIN, URL, "@trigger().scheduledTime"), nothing),
        (put(MAIN, URL, "@triggerBody().fileName"), event(blobPathEndsWith=".csv")),
    ],
    "unknown-activity": [
        (add(read("@string(activity('note_cuont').output)", after("note_count"))), nothing),
        # Twice read, once told.
        (add(read("@{activity('x').output} @{activity('X').output}")), nothing),
    ],
    "activity-order": [
        (
            add(read("@string(activity('pause').output)")),
            # What stood inside a container can be read when that has ended.
            add(read("@string(activity('pause').output)", after("is_long", "Completed"))),
        ),
        (
            add(read("@{activity('note_count').output} @{activity('note_count').status}")),
            add(read("@{activity('note_count').output}", after("is_long"))),
        ),
        (
            add(choice("c", wait("a"), read("@string(activity('a').output)"))),
            add(choice("c", wait("a"), read("@string(activity('a').output)", after("a")))),
        ),
    ],
    "unknown-variable": [
        (put(MAIN, URL, "@variables('host')"), nothing),
        (add(set_variable("s", "txt", "x")), nothing),
    ],
    "unknown-parameter": [
        (put(MAIN, URL, "@pipeline().parameters.dya"), put(MAIN, URL, "@pipeline().parameters.DAY"))
    ],
    "unknown-global-parameter": [
        (
            put(MAIN, URL, "@pipeline().globalParameters.host"),
            put(MAIN, URL, "@pipeline().globalParameters.environment"),
        )
    ],
    "unknown-output": [
        (
            put(
                MAIN,
                "properties/activities/1/typeProperties/headers/x",
                expression("@activity('get_key').outputs"),
            ),
            add(read("@string(activity('note_count').Duration)", after("note_count"))),
        ),
        (
            add(lookup("l"), read("@string(activity('l').output.value)", after("l"))),
            add(lookup("l"), read("@string(activity('l')?.output?.value)", after("l"))),
        ),
        (
            add(lookup("l", firstRowOnly=False), read("@string(activity('l').output.firstRow)", after("l"))),
            add(lookup("l", firstRowOnly=False), read("@string(activity('l').output.value)", after("l"))),
        ),
        (
            add(metadata("m", "exists"), read("@string(activity('m').output.childItems)", after("m"))),
            add(metadata("m", "childItems"), read("@string(activity('m').output.childItems)", after("m"))),
        ),
    ],
    "unknown-system-variable": [(put(MAIN, URL, "@pipeline().RunID2"), put(MAIN, URL, "@pipeline().runid"))],
    "missing-at": [
        (put(MAIN, URL, expression("concat('a', 'b')")), put(MAIN, URL, expression("https://example.invalid"))),
    ],
    "endless-until": [
        (add(until("u", "@equals(1, 2)", wait("w"))), add(until("u", "@equals(1, 1)", wait("w")))),
        (
            add(until("u", "@variables('done')", wait("w")), variables=DONE),
            add(
                until("u", "@variables('done')", set_variable("s", "done", expression("@equals(1, 1)"))),
                variables=DONE,
            ),
        ),
    ],
    "activity-circle": [
        (
            add(wait("a", after("b", "Failed")), wait("b", after("a"))),
            add(wait("a"), wait("b", after("a"))),
        )
    ],
    "pipeline-circle": [
        (
            add(
                {
                    "name": "again",
                    "type": "ExecutePipeline",
                    "typeProperties": {"pipeline": reference("pl_main", "Pipeline")},
                }
            ),
            nothing,
        )
    ],
    "unknown-dependency": [(add(wait("a", after("isLong"))), add(wait("a", after("is_long"))))],
    "nesting": [
        (add(choice("c", choice("d"))), add(loop("l", choice("d")))),
        (add(choice("c", loop("l"))), add(loop("l", switch("s", "a")))),
        (add(loop("l", loop("m"))), nothing),
        (add(loop("l", until("u", "@equals(1, 1)"))), nothing),
        (add(loop("l", choice("c", switch("s", "a")))), nothing),
        (
            add(
                choice(
                    "c",
                    {
                        "name": "v",
                        "type": "Validation",
                        "typeProperties": {"dataset": reference("ds_gold", "Dataset", table="t")},
                    },
                )
            ),
            add(
                {
                    "name": "v",
                    "type": "Validation",
                    "typeProperties": {"dataset": reference("ds_gold", "Dataset", table="t")},
                }
            ),
        ),
    ],
    "completed-beside-others": [
        (
            add(wait("w", after("is_long", "Completed", "Succeeded"))),
            add(wait("w", after("is_long", "Completed", "Skipped"))),
        )
    ],
    "impossible-dependency": [
        (
            add(wait("w", after("is_long", "Succeeded"), after("is_long", "Failed"))),
            add(wait("w", after("is_long", "Succeeded", "Failed"))),
        )
    ],
    "self-reference": [
        (
            add(set_variable("s", "text", expression("@concat(variables('text'), 'x')"))),
            add(set_variable("s", "text", expression("@concat('text', 'x')"))),
        )
    ],
    "parallel-variable": [
        (
            add(loop("l", set_variable("s", "text", "x"))),
            add(loop("l", set_variable("s", "text", "x"), isSequential=True)),
        )
    ],
    "repeated-case": [(add(switch("s", "a", "b", "a")), add(switch("s", "a", "A")))],
    "inactive-activity": [(add(wait("w", state="Inactive")), add(wait("w", state="Active")))],
    "limit": [
        (add(*(wait(f"w{n}") for n in range(78))), add(*(wait(f"w{n}") for n in range(77)))),
        (add(switch("s", *map(str, range(26)))), add(switch("s", *map(str, range(25))))),
        (
            put(FINISH, "properties/description", "x" * 205_000),
            put(FINISH, "properties/description", "x" * 200_000),
        ),
    ],
    "out-of-range": [
        (put(FINISH, "properties/concurrency", 0), put(FINISH, "properties/concurrency", 1)),
        (add(wait("w", seconds="ten")), add(wait("w", seconds="10"))),
        (add(wait("w", seconds=-1)), add(wait("w", seconds=expression("@add(1, 2)")))),
        (add(web("w", policy={"retry": -1})), add(web("w", policy={"retry": 0}))),
        (put(MAIN, "properties/activities/3/typeProperties/batchCount", 51), nothing),
        (add(web("w", httpRequestTimeout="00:11:00")), add(web("w", httpRequestTimeout="00:10:00"))),
    ],
    "policy-range": [
        (add(web("w", policy={"timeout": "0.00:09:59"})), add(web("w", policy={"timeout": "0.00:10:00"}))),
        (add(web("w", policy={"timeout": "ten"})), add(web("w", policy={"timeout": ""}))),
        (
            add(web("w", policy={"retryIntervalInSeconds": 29})),
            add(web("w", policy={"retryIntervalInSeconds": 30})),
        ),
    ],
    "trigger-recurrence": [
        (recurrence(interval=0), recurrence(interval=1000)),
        (put(DAILY, fields("startTime"), REMOVED), nothing),
        (recurrence(startTime="tomorrow"), recurrence(startTime="2026-01-01T03:00:00.0000000")),
        (recurrence(endTime="2026-01-01T03:00:00"), recurrence(endTime="2026-01-01T03:00:01")),
        (window(endTime="2020-01-01T00:00:00Z"), window(endTime="2027-01-01T00:00:00Z")),
    ],
    "trigger-schedule": [
        (schedule(minutes=[75]), schedule(minutes=[0, 59])),
        (schedule(hours=[24]), schedule(hours=[0, 23])),
        (schedule(weekDays=["Monday"]), both(recurrence(frequency="Week"), schedule(weekDays=["Monday"]))),
        (schedule(monthDays=[1]), both(recurrence(frequency="Month"), schedule(monthDays=[1, -1]))),
        (both(recurrence(frequency="Month"), schedule(monthDays=[32])), nothing),
        (
            both(recurrence(frequency="Month"), schedule(monthlyOccurrences=[{"day": "Monday", "occurrence": 6}])),
            both(
                recurrence(frequency="Month"), schedule(monthlyOccurrences=[{"day": "Monday", "occurrence": -1}])
            ),
        ),
    ],
    "trigger-time-zone": [
        (recurrence(timeZone="Europe/Berlin"), recurrence(timeZone="Romance Standard Time")),
        (
            recurrence(startTime="2026-01-01T03:00:00Z"),
            recurrence(startTime="2026-01-01T03:00:00Z", timeZone="UTC"),
        ),
    ],
    "trigger-window": [
        (window(frequency="Minute", interval=4), window(frequency="Minute", interval=5)),
        (window(delay="5 minutes"), window(delay="00:05:00")),
        (window(maxConcurrency=51), window(maxConcurrency=50)),
        (window(retryPolicy={"count": -1}), window(retryPolicy={"count": 2, "intervalInSeconds": 30})),
        (put(WINDOW, "properties/typeProperties/dependsOn/0/offset", "1.00:00:00"), nothing),
        (put(WINDOW, "properties/typeProperties/dependsOn/0/size", "00:00:00"), nothing),
        (
            put(
                WINDOW,
                "properties/typeProperties/dependsOn/1",
                {
                    "type": "TumblingWindowTriggerDependencyReference",
                    "referenceTrigger": reference("tr_daily", "Trigger"),
                },
            ),
            nothing,
        ),
    ],
    "trigger-event": [
        (event(), event(blobPathBeginsWith="/in/")),
        (
            event("CustomEventsTrigger", "@triggerBody().event.subject", events=[]),
            event("CustomEventsTrigger", "@triggerBody().event.subject"),
        ),
    ],
    "trigger-field": [
        (
            put(DAILY, "properties/pipelines/0/parameters/day", "@trigger().outputs.windowStartTime"),
            put(DAILY, "properties/pipelines/0/parameters/day", "@trigger().startTime"),
        ),
        (
            put(WINDOW, "properties/pipeline/parameters/day", "@triggerBody().fileName"),
            put(WINDOW, "properties/pipeline/parameters/day", "@trigger().outputs.windowEndTime"),
        ),
        (
            event(value="@trigger().scheduledTime", blobPathEndsWith=".csv"),
            event(value="@trigger().outputs.body.folderPath", blobPathEndsWith=".csv"),
        ),
    ],
    "dataset-linked-service": [
        (
            both(
                file(
                    "linkedService/ls_rest.json",
                    {
                        "name": "ls_rest",
                        "properties": {
                            "type": "RestService",
                            "typeProperties": {
                                "url": "https://example.invalid",
                                "authenticationType": "Anonymous",
                            },
                        },
                    },
                ),
                put("dataset/ds_sql.json", "properties/linkedServiceName/referenceName", "ls_rest"),
                lambda documents: documents.pop(SQL),
                lambda documents: documents.pop("linkedService/ls_vault.json"),
            ),
            nothing,
        )
    ],
    "copy-type": [
        (put(MAIN, f"{COPY}/typeProperties/source/type", "JsonSource"), nothing),
        (
            put(MAIN, f"{COPY}/typeProperties/sink/type", "SqlDWSink"),
            put(MAIN, f"{COPY}/typeProperties/sink/type", "SqlSink"),
        ),
        (add(lookup("l", kind="DelimitedTextSource")), add(lookup("l"))),
    ],
    "variable-kind": [
        (
            add(append("a", "text", "x")),
            add(
                append("a", "list", "x"), read("@string(variables('list'))"), variables={"list": {"type": "Array"}}
            ),
        ),
        (
            add(set_variable("s", "text", expression("@add(1, 2)"))),
            add(set_variable("s", "text", expression("@string(add(1, 2))"))),
        ),
        (
            put(FINISH, "properties/variables/text/defaultValue", ["x"]),
            put(FINISH, "properties/variables/text/defaultValue", "x"),
        ),
    ],
    "web-body": [
        (add(web("w", method="POST")), add(web("w", method="POST", body={"a": 1}))),
        (add(web("w", body="x")), add(web("w", method="DELETE", body="x"))),
    ],
    "secret": [
        (
            put(MAIN, URL, "https://f.azurewebsites.net/api/x?code=AbCd1234567890abcdef=="),
            put(MAIN, URL, "https://x.invalid?code=DE"),
        ),
        (
            put(MAIN, URL, "https://user:hunter22@example.invalid/"),
            put(MAIN, URL, "https://example.invalid:8080/a@b"),
        ),
        (
            put(MAIN, "properties/activities/1/typeProperties/headers/x-functions-key", "abc123"),
            put(MAIN, "properties/activities/1/typeProperties/headers/x-functions-key", "**********"),
        ),
        (
            both(
                add(parameters={"api_key": {"type": "string", "defaultValue": "CG-abcdefghij"}}),
                add(read("@pipeline().parameters.api_key")),
            ),
            both(
                add(parameters={"api_key": {"type": "string", "defaultValue": ""}}),
                add(read("@pipeline().parameters.api_key")),
            ),
        ),
        (
            put(BRICKS, "properties/typeProperties/accessToken", {"type": "SecureString", "value": "hunter2"}),
            put(BRICKS, "properties/typeProperties/accessToken", {"type": "SecureString", "value": "**********"}),
        ),
    ],
    "secret-shown": [
        (put(MAIN, "properties/activities/0/policy/secureOutput", False), nothing),
        (
            add(
                web("k", policy={"secureOutput": True}),
                set_variable(
                    "s",
                    "text",
                    expression("@activity('k').output.v"),
                    dependsOn=[after("k")],
                    policy={"secureInput": True},
                ),
            ),
            add(
                web("k", policy={"secureOutput": True}),
                set_variable(
                    "s",
                    "other",
                    expression("@activity('k').output.v"),
                    dependsOn=[after("k")],
                    policy={"secureInput": True, "secureOutput": True},
                ),
                web("r", headers={"x": "@variables('other')"}, policy={"secureInput": True}),
                variables={"other": {"type": "String"}},
            ),
        ),
        (
            both(
                add(parameters={"token": {"type": "SecureString", "defaultValue": ""}}),
                add(read("@pipeline().parameters.token")),
            ),
            both(
                add(parameters={"token": {"type": "SecureString", "defaultValue": ""}}),
                add(web("r", headers={"x": "@pipeline().parameters.token"}, policy={"secureInput": True})),
            ),
        ),
    ],
    "encrypted-credential": [(put(SQL, "properties/typeProperties/encryptedCredential", "eyJ4IjoieSJ9"), nothing)],
    "notebook": [
        (
            put(MAIN, NOTEBOOK, f"@concat({ENVIRONMENT}, '/04_gold')"),
            put(MAIN, NOTEBOOK, f"@concat({ENVIRONMENT}, '/03_silver')"),
        ),
    ],
    "house-name": [
        (file("pipeline/Main.json", {"name": "Main", "properties": {"activities": []}}), nothing),
    ],
    "green-failure": [(put(MAIN, "properties/activities/6", REMOVED), nothing)],
}
ROWS = [
    pytest.param(rule, fails, passes, id=f"{rule}-{number}")
    for rule, pairs in EXAMPLES.items()
    for number, (fails, passes) in enumerate(pairs)
]


def rules_broken(folder, change, **options):
    documents = good_factory()
    change(documents)
    notebooks = folder / "notebooks"
    notebooks.mkdir(parents=True)
    cell = {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": 'run_id: str = ""\nday: str = ""'}
    (notebooks / "03_silver.ipynb").write_text(json.dumps({"cells": [cell]}))
    factory = load_factory(write_factory(folder / "factory", documents))
    return [finding.rule for finding in check_factory(factory, notebooks, **options)]


@pytest.mark.parametrize(("rule", "fails", "passes"), ROWS)
def test_a_rule_is_broken_by_its_example_alone(rule, fails, passes, tmp_path):
    house_style = RULES[rule].house
    assert rules_broken(tmp_path / "fails", fails, house_style=house_style) == [rule]
    assert rules_broken(tmp_path / "passes", passes, house_style=house_style) == []


def test_every_rule_has_an_example_a_reason_and_a_source():
    assert EXAMPLES.keys() == RULES.keys()
    for name, rule in RULES.items():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", name)
        assert rule.severity in SEVERITIES
        assert rule.says.endswith(".") and rule.why.endswith("."), name
        assert rule.source.startswith(("https://learn.microsoft.com/", "https://www.rfc-editor.org/")), name


def test_the_page_of_rules_is_that_of_the_rules():
    assert PAGE.read_text(encoding="utf-8") == rules_page()
