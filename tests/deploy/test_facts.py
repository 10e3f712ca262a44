"""The file of an environment: made from a template, overridden by variables, and every wrong value named."""

import io
from dataclasses import asdict

import pytest
import yaml

from coinlake.errors import CoinlakeError
from coinlake_ops import cli, parameter_files
from coinlake_ops import environment as environments
from coinlake_ops.deploy import environment_file
from tests.support.environment import DEV, TO_FILL_IN


def written(folder, **changes):
    values = asdict(DEV) | {"running_triggers": ["tr_daily"]} | changes
    values.pop("name")
    kept = {name: value for name, value in values.items() if value is not None}
    (folder / "dev.yml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    return folder


def test_a_file_that_is_filled_in_is_read_before_its_template(only_templates):
    written(only_templates)
    assert environments.read("dev") == DEV


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_template_waits_for_seven_values_and_has_everything_else(environment):
    with pytest.raises(CoinlakeError) as refused:
        environments.read(environment)
    first, *lines, last = str(refused.value).splitlines()
    assert first.endswith(f"/{environment}.example.yml is not ready:")
    assert [line.split()[0] for line in lines] == TO_FILL_IN
    assert all("is still to be filled in" in line for line in lines)
    assert last == f"Fill it in: coinlake deploy init {environment}"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tenant": None}, "tenant is missing"),
        ({"tenent": "x"}, "tenent is unknown"),
        ({"storage_account": "st-coinlake"}, "storage_account: 'st-coinlake' is not 3 to 24 lower-case letters"),
        ({"key_vault": "a" * 25}, f"key_vault: '{'a' * 25}' is not 3 to 24 letters"),
        ({"monthly_budget": -1}, "monthly_budget: -1 is not a whole number of at least 0"),
        ({"sql_vcores": 0}, "sql_vcores: 0 is not a whole number of at least 1"),
        ({"monthly_budget": True}, "monthly_budget: True is not a whole number of at least 0"),
        ({"running_triggers": "tr_daily"}, "running_triggers: 'tr_daily' is not a list"),
        ({"alert_email": "nobody"}, "alert_email: 'nobody' is not an address"),
        ({"platform_group": "a`b"}, "platform_group: 'a`b' is not display name"),
    ],
)
def test_every_wrong_value_is_named(tmp_path, changes, fault):
    with pytest.raises(CoinlakeError) as refused:
        environments.read("dev", written(tmp_path, **changes))
    [_, line] = str(refused.value).splitlines()
    assert line.strip().startswith(fault)


def test_an_unknown_environment_is_told_which_there_are():
    with pytest.raises(CoinlakeError, match=r"There is no \S+/test.yml. Environments of the cloud are: dev, prod"):
        environments.read("test")


# Variables


def variables(**values):
    return {f"COINLAKE_AZURE_{name.upper()}": str(value) for name, value in values.items()}


def test_variables_alone_describe_an_environment():
    given = {name: getattr(DEV, name) for name in TO_FILL_IN}
    assert environments.read("dev", environ=variables(**given)) == DEV


def test_a_variable_goes_before_the_file_unless_it_is_empty(tmp_path):
    given = variables(location="northeurope", key_vault="", sql_vcores=2, running_triggers="tr_daily, tr_hourly")
    found = environments.read("dev", written(tmp_path), environ=given)
    assert (found.location, found.key_vault, found.sql_vcores) == ("northeurope", "kv-coinlake-dev", 2)
    assert found.running_triggers == ("tr_daily", "tr_hourly")


def test_a_variable_of_a_wrong_form_is_named_like_a_value_of_the_file(tmp_path):
    with pytest.raises(CoinlakeError, match="sql_vcores: 'many' is not a whole number of at least 1"):
        environments.read("dev", written(tmp_path), environ=variables(sql_vcores="many"))


# What follows from it


def test_the_notebooks_are_told_the_addresses_of_the_environment(tmp_path):
    folder = written(tmp_path, key_vault="kv-coinlake-mine", sql_server="sql-coinlake-mine", sql_database="market")
    _, parameters = environments.load("dev", folder)
    assert parameters == parameter_files.load("dev") | {
        "key_vault_url": "https://kv-coinlake-mine.vault.azure.net",
        "sql_server": "sql-coinlake-mine.database.windows.net",
        "sql_database": "market",
    }


def test_parameters_that_contradict_what_is_made_are_refused(tmp_path, monkeypatch):
    wrong = parameter_files.load("dev") | {"lake_path": "/Volumes/other/raw_data/lake"}
    monkeypatch.setattr(parameter_files, "load", lambda _: wrong)
    with pytest.raises(CoinlakeError, match=r"lake_path in parameters/dev.yml is '/Volumes/other/raw_data/lake'"):
        environments.load("dev", written(tmp_path))


# coinlake deploy init

AZ = {
    "account show": {"id": DEV.subscription, "tenantId": DEV.tenant, "user": {"name": "anna@example.org"}},
    "ad group show --group coinlake-platform": {"id": DEV.platform_group_id},
    "ad group show --group coinlake-engineers": {"id": DEV.engineers_group_id},
    "ad group show --group coinlake-analysts": {"id": DEV.analysts_group_id},
    "ad sp show --id 2ff814a6-3304-4ab8-85cb-cd0e6f879c1d": {"id": DEV.databricks_application_object_id},
}


def answering(answers, asked):
    """Somebody who answers what is written down, and takes what is offered otherwise."""

    def ask(name, meaning, offered):
        asked.append(name)
        return answers[name].pop(0) if answers.get(name) else offered

    return ask


def test_init_asks_what_az_does_not_know_and_writes_a_file_that_is_ready(only_templates):
    asked = []
    ask = answering({"suffix": ["no-dash", "x7"], "alert_email": ["nobody", "data@example.org"]}, asked)
    path = environment_file.write("dev", ask, lambda arguments: AZ.get(" ".join(arguments)), {})
    assert path == only_templates / "dev.yml"
    assert asked == [
        *("resource_group", "location", "suffix", "suffix"),
        *("platform_group", "engineers_group", "analysts_group", "alert_email", "alert_email"),
    ]
    expected = asdict(DEV) | {
        "storage_account": "stcoinlakedevx7",
        "key_vault": "kv-coinlake-dev-x7",
        "factory": "adf-coinlake-dev-x7",
        "sql_server": "sql-coinlake-dev-x7",
    }
    assert asdict(environments.read("dev")) == expected
    text = path.read_text(encoding="utf-8")
    assert "# Groups of Entra ID." in text
    assert "template" not in text
    with pytest.raises(CoinlakeError, match="is there already"):
        environment_file.write("dev", ask, lambda _: None, {})


def test_a_question_that_is_asked_again_says_what_the_answer_lacked(only_templates):
    questions = []

    def ask(name, meaning, offered):
        questions.append((name, meaning))
        return {"location": "west europe" if len(questions) == 1 else "westeurope", "suffix": "x7"}.get(
            name, offered
        )

    given = variables(**{name: getattr(DEV, name) for name in [*TO_FILL_IN, "resource_group"]})
    environment_file.write("dev", ask, lambda _: None, given)
    meaning = "a region in one word, such as westeurope"
    assert questions[:2] == [("location", meaning), ("location", f"not 'west europe', but {meaning}")]


def test_a_question_that_nobody_answers_ends_init_and_leaves_no_file(only_templates, monkeypatch, capsys):
    monkeypatch.setattr(environment_file, "azure_cli", lambda _: None)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert cli.main(["deploy", "init", "dev"]) == cli.INTERRUPTED
    assert capsys.readouterr().err.startswith("\nInterrupted at a question, and nothing was written.")
    assert not (only_templates / "dev.yml").exists()


def test_init_without_az_asks_for_everything_or_takes_variables():
    asked, ids = [], {name: [getattr(DEV, name)] for name in TO_FILL_IN}
    environment_file.write("dev", answering(ids | {"suffix": ["x7"]}, asked), lambda _: None, {})
    assert set(TO_FILL_IN) <= set(asked)
    asked.clear()
    given = variables(**{name: getattr(DEV, name) for name in [*TO_FILL_IN, "resource_group", "location"]})
    environment_file.write("prod", answering({"suffix": ["x7"]}, asked), lambda _: None, given)
    assert asked == ["suffix", "platform_group", "engineers_group", "analysts_group"]
    assert environments.read("prod").alert_email == DEV.alert_email


def test_the_azure_cli_is_asked_for_json_and_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment_file.azure_cli(["account", "show"]) is None
    program = tmp_path / "az"
    program.write_text(
        '#!/bin/sh\n[ "$*" = "account show --output json" ] && echo \'{"id": 1}\'\n', encoding="utf-8"
    )
    program.chmod(0o755)
    assert environment_file.azure_cli(["account", "show"]) == {"id": 1}
    assert environment_file.azure_cli(["ad", "sp"]) is None


def test_the_command_init_asks_on_the_terminal(only_templates, monkeypatch, capsys):
    for name in TO_FILL_IN:
        monkeypatch.setenv(f"COINLAKE_AZURE_{name.upper()}", getattr(DEV, name))
    monkeypatch.setattr(environment_file, "azure_cli", lambda _: None)
    monkeypatch.setattr(
        "typer.prompt", lambda text, default: {"suffix": "x7"}.get(text.partition(":")[0], default)
    )
    assert cli.main(["deploy", "init", "dev"]) == 0
    assert (
        capsys.readouterr().out
        == f"{only_templates / 'dev.yml'} is ready. See: coinlake deploy plan --environment dev\n"
    )
    assert environments.read("dev").sql_server == "sql-coinlake-dev-x7"
    assert cli.main(["deploy", "init", "test"]) == cli.WRONG_CALL
