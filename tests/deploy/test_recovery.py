"""The page for when something went wrong: its commands and statements are such, and it names what is there."""

import re
import shlex

import pytest
import sqlglot

from coinlake import schema
from coinlake_ops.azure import template
from coinlake_ops.project import ROOT
from tests.support import environment

ALL_TABLES = schema.TABLES
PAGE = (ROOT / "coinlake_ops/azure/RECOVERY.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w*)\n(.+?)^ *```$", PAGE, flags=re.MULTILINE | re.DOTALL)
STATEMENTS = [text.strip() for kind, block in BLOCKS if kind == "sql" for text in block.split(";\n")]
LINES = [line.strip() for kind, block in BLOCKS if not kind for line in block.splitlines()]
LINES += re.findall(r"`((?:coinlake|az|databricks) [^`]+)`", PAGE)
# What each command of Azure needs to do its work. Source: Azure CLI reference.
NEEDED = {
    "az datafactory pipeline create-run": {"-g", "--factory-name", "--name"},
    "az sql db restore": {"-g", "-s", "-n", "--dest-name", "--time"},
    "az sql db rename": {"-g", "-s", "-n", "--new-name"},
    "az sql db delete": {"-g", "-s", "-n"},
    "az sql db geo-backup list": {"-g", "-s"},
    "az sql db geo-backup restore": {"--geo-backup-id", "--dest-database", "--dest-server", "-g"},
    "az keyvault secret list-deleted": {"--vault-name"},
    "az keyvault secret recover": {"--vault-name", "--name"},
    "az keyvault secret list-versions": {"--vault-name", "--name"},
    "az keyvault recover": {"--name", "--location"},
    "az storage fs list-deleted-path": {"--account-name", "-f", "--auth-mode"},
    "az storage fs undelete-path": {"--account-name", "-f", "--deleted-path-name", "--deletion-id", "--auth-mode"},
    "az storage container restore": {"--account-name", "--name", "--deleted-version", "--auth-mode"},
    "az storage account failover": {"--name"},
}


def test_every_section_of_the_table_is_there_and_none_besides():
    linked = re.findall(r"\| \[.+?\]\(#(.+?)\)", PAGE)
    sections = [title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", PAGE, flags=re.MULTILINE)]
    assert linked == sections


def test_commands_of_azure_are_whole_and_name_what_a_deployment_makes():
    seen = set()
    for line in LINES:
        if line.startswith("az ") and "--deleted-time" not in line and line != "az sql db restore":
            words = shlex.split(line)
            options = {word for word in words if word.startswith("-")}
            verb = " ".join(words[: next(place for place, word in enumerate(words) if word.startswith("-"))])
            assert options == NEEDED[verb], line
            seen.add(verb)
    assert seen == NEEDED.keys()
    names = {
        *(environment.DEV.key_vault, environment.DEV.sql_server, environment.DEV.factory),
        *(environment.DEV.storage_account, environment.DEV.resource_group),
    }
    assert {name for name in names if name not in " ".join(LINES)} == set()


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_is_about_a_table_that_is_there(statement):
    [name] = re.findall(r"coinlake_dev\.(\w+\.\w+)", statement)
    [table] = [table for table in ALL_TABLES if table.qualified_name == name]
    if statement.startswith("SELECT"):
        tree = sqlglot.parse_one(statement, read="databricks")
        assert {column.name for column in tree.find_all(sqlglot.exp.Column)} <= {*table.column_names}
    else:
        # Databricks SQL language reference: RESTORE, DESCRIBE HISTORY.
        assert re.fullmatch(
            r"RESTORE TABLE [\w.]+ TO VERSION AS OF \d+|DESCRIBE HISTORY [\w.]+( LIMIT \d+)?", statement
        )


def test_the_days_are_those_of_the_template():
    resources = {one["type"]: one["properties"] for one in template.read()["resources"]}
    blobs = resources["Microsoft.Storage/storageAccounts/blobServices"]
    assert (
        blobs["deleteRetentionPolicy"] == blobs["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 7}
    )
    assert resources["Microsoft.KeyVault/vaults"]["softDeleteRetentionInDays"] == 90
