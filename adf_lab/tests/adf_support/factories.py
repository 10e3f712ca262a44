"""A small factory without a fault, as documents by file, to be broken in tests."""

import copy
import json


def expression(text):
    return {"value": text, "type": "Expression"}


def after(name, *conditions):
    return {"activity": name, "dependencyConditions": list(conditions) or ["Succeeded"]}


def reference(name, kind, **parameters):
    target = {"referenceName": name, "type": f"{kind}Reference"}
    return target | ({"parameters": parameters} if parameters else {})


VAULT = "@concat(pipeline().globalParameters.keyVaultUrl, 'secrets/api-key?api-version=7.4')"
SILVER = "@concat('/Shared/', pipeline().globalParameters.environment, '/03_silver')"

MAIN = [
    {
        "name": "get_key",
        "type": "WebActivity",
        "policy": {"timeout": "0.00:10:00", "retry": 2, "retryIntervalInSeconds": 30, "secureOutput": True},
        "typeProperties": {
            "method": "GET",
            "url": expression(VAULT),
            "authentication": {"type": "MSI", "resource": "https://vault.azure.net"},
        },
    },
    {
        "name": "ping",
        "type": "WebActivity",
        "dependsOn": [after("get_key")],
        "policy": {"secureInput": True},
        "typeProperties": {
            "method": "GET",
            "url": "https://example.invalid/ping",
            "headers": {"x-cg-demo-api-key": expression("@activity('get_key').output.value")},
        },
    },
    {
        "name": "silver",
        "type": "DatabricksNotebook",
        "dependsOn": [after("ping")],
        "linkedServiceName": reference("ls_databricks", "LinkedService"),
        "typeProperties": {
            "notebookPath": expression(SILVER),
            "baseParameters": {
                "run_id": expression("@pipeline().RunId"),
                "day": expression("@pipeline().parameters.day"),
            },
        },
    },
    {
        "name": "load_tables",
        "type": "ForEach",
        "dependsOn": [after("silver")],
        "typeProperties": {
            "items": expression("@pipeline().parameters.tables"),
            "batchCount": 4,
            "activities": [
                {
                    "name": "load_table",
                    "type": "Copy",
                    "inputs": [reference("ds_gold", "Dataset", table=expression("@item().name"))],
                    "outputs": [reference("ds_sql", "Dataset", table=expression("@item().name"))],
                    "typeProperties": {"source": {"type": "ParquetSource"}, "sink": {"type": "AzureSqlSink"}},
                }
            ],
        },
    },
    {
        "name": "finish",
        "type": "ExecutePipeline",
        "dependsOn": [after("load_tables")],
        "typeProperties": {
            "pipeline": reference("pl_finish", "Pipeline"),
            "waitOnCompletion": True,
            "parameters": {"count": expression("@length(pipeline().parameters.tables)")},
        },
    },
    {
        "name": "alert",
        "type": "WebActivity",
        "dependsOn": [after("finish", "Failed", "Skipped")],
        "typeProperties": {"method": "POST", "url": "https://example.invalid/alert", "body": {"run": "failed"}},
    },
    {
        "name": "stop",
        "type": "Fail",
        "dependsOn": [after("alert", "Completed")],
        "typeProperties": {"message": "a step has failed", "errorCode": "E1"},
    },
]
FINISH = [
    {
        "name": "note_count",
        "type": "SetVariable",
        "typeProperties": {
            "variableName": "text",
            "value": expression("@concat('tables: ', string(pipeline().parameters.count))"),
        },
    },
    {
        "name": "is_long",
        "type": "IfCondition",
        "dependsOn": [after("note_count")],
        "typeProperties": {
            "expression": expression("@greater(length(variables('text')), 100)"),
            "ifTrueActivities": [{"name": "pause", "type": "Wait", "typeProperties": {"waitTimeInSeconds": 1}}],
        },
    },
]
GOOD = {
    "factory/adf_test.json": {
        "name": "adf_test",
        "location": "westeurope",
        "properties": {
            "globalParameters": {
                "environment": {"type": "string", "value": "dev"},
                "keyVaultUrl": {"type": "string", "value": "https://kv.vault.azure.net/"},
            }
        },
    },
    "pipeline/pl_main.json": {
        "name": "pl_main",
        "properties": {
            "parameters": {
                "day": {"type": "string", "defaultValue": "2026-01-01"},
                "tables": {"type": "array", "defaultValue": [{"name": "dim_coin"}]},
            },
            "activities": MAIN,
        },
    },
    "pipeline/pl_finish.json": {
        "name": "pl_finish",
        "properties": {
            "parameters": {"count": {"type": "int"}},
            "variables": {"text": {"type": "String"}},
            "activities": FINISH,
        },
    },
    "dataset/ds_gold.json": {
        "name": "ds_gold",
        "properties": {
            "type": "Parquet",
            "linkedServiceName": reference("ls_lake", "LinkedService", account="lake"),
            "parameters": {"table": {"type": "string"}},
            "typeProperties": {
                "location": {
                    "type": "AzureBlobFSLocation",
                    "fileSystem": "gold",
                    "folderPath": expression("@dataset().table"),
                }
            },
        },
    },
    "dataset/ds_sql.json": {
        "name": "ds_sql",
        "properties": {
            "type": "AzureSqlTable",
            "linkedServiceName": reference("ls_sql", "LinkedService"),
            "parameters": {"table": {"type": "string"}},
            "typeProperties": {"schema": "stage", "table": expression("@dataset().table")},
        },
    },
    "linkedService/ls_lake.json": {
        "name": "ls_lake",
        "properties": {
            "type": "AzureBlobFS",
            "parameters": {"account": {"type": "string"}},
            "typeProperties": {"url": "https://@{linkedService().account}.dfs.core.windows.net/"},
        },
    },
    "linkedService/ls_sql.json": {
        "name": "ls_sql",
        "properties": {
            "type": "AzureSqlDatabase",
            "typeProperties": {
                "connectionString": {
                    "type": "AzureKeyVaultSecret",
                    "store": reference("ls_vault", "LinkedService"),
                    "secretName": "sql",
                }
            },
        },
    },
    "linkedService/ls_vault.json": {
        "name": "ls_vault",
        "properties": {"type": "AzureKeyVault", "typeProperties": {"baseUrl": "https://kv.vault.azure.net/"}},
    },
    "linkedService/ls_databricks.json": {
        "name": "ls_databricks",
        "properties": {
            "type": "AzureDatabricks",
            "typeProperties": {
                "domain": "https://adb-1.1.azuredatabricks.net",
                "authentication": "MSI",
                "workspaceResourceId": "/subscriptions/1",
                "newClusterVersion": "18.x-scala2.13",
                "newClusterNumOfWorker": "1",
            },
        },
    },
    "trigger/tr_daily.json": {
        "name": "tr_daily",
        "properties": {
            "type": "ScheduleTrigger",
            "runtimeState": "Stopped",
            "typeProperties": {
                "recurrence": {
                    "frequency": "Day",
                    "interval": 1,
                    "startTime": "2026-01-01T03:00:00",
                    "timeZone": "W. Europe Standard Time",
                }
            },
            "pipelines": [
                {
                    "pipelineReference": reference("pl_main", "Pipeline"),
                    "parameters": {"day": "@formatDateTime(trigger().scheduledTime, 'yyyy-MM-dd')"},
                }
            ],
        },
    },
    "trigger/tr_window.json": {
        "name": "tr_window",
        "properties": {
            "type": "TumblingWindowTrigger",
            "runtimeState": "Stopped",
            "pipeline": {
                "pipelineReference": reference("pl_main", "Pipeline"),
                "parameters": {"day": "@formatDateTime(trigger().outputs.windowStartTime, 'yyyy-MM-dd')"},
            },
            "typeProperties": {
                "frequency": "Hour",
                "interval": 24,
                "startTime": "2026-01-01T00:00:00Z",
                "maxConcurrency": 1,
                "dependsOn": [
                    {"type": "SelfDependencyTumblingWindowTriggerReference", "offset": "-1.00:00:00"},
                ],
            },
        },
    },
}


def good_factory():
    """Documents by file; a fresh copy."""
    return copy.deepcopy(GOOD)


def write_factory(folder, documents):
    """Write documents below a folder and return it."""
    for file, document in documents.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return folder
