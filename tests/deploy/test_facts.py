from dataclasses import asdict

import pytest
import yaml

from coinlake.errors import CoinlakeError
from coinlake_ops import environment as environments
from tests.support.environment import DEV


def written(tmp_path, **changes):
    values = asdict(DEV) | {"running_triggers": ["tr_daily"]} | changes
    values.pop("name")
    kept = {name: value for name, value in values.items() if value is not None}
    (tmp_path / "dev.yml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    return tmp_path


def test_a_file_that_is_filled_in_is_read(tmp_path):
    assert environments.read("dev", written(tmp_path)) == DEV


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_files_of_the_repository_wait_for_five_values_and_have_everything_else(environment):
    with pytest.raises(CoinlakeError) as refused:
        environments.read(environment)
    lines = str(refused.value).splitlines()
    assert lines[0] == f"coinlake_ops/azure/{environment}.yml is not ready:"
    assert [line.split()[0] for line in lines[1:]] == [
        "subscription",
        "tenant",
        "platform_group_id",
        "databricks_application_object_id",
        "alert_email",
    ]
    assert all("is still to be filled in" in line for line in lines[1:])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"tenant": None}, "tenant is missing"),
        ({"tenent": "x"}, "tenent is unknown"),
        ({"storage_account": "st-coinlake"}, "storage_account: 'st-coinlake' is not 3 to 24 lower-case letters"),
        ({"key_vault": "a" * 25}, f"key_vault: '{'a' * 25}' is not 3 to 24 letters"),
        ({"monthly_budget": 0}, "monthly_budget: 0 is not a whole number above 0"),
        ({"monthly_budget": True}, "monthly_budget: True is not a whole number above 0"),
        ({"budget_from": "2026-12-02"}, "budget_from: '2026-12-02' is not the first day of the month"),
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
    with pytest.raises(CoinlakeError, match=r"no coinlake_ops/azure/test.yml.*dev, prod"):
        environments.read("test")


def test_the_two_files_of_an_environment_must_agree(tmp_path):
    with pytest.raises(CoinlakeError) as refused:
        environments.load("dev", written(tmp_path, key_vault="kv-other"))
    assert "key_vault_url in parameters/dev.yml" in str(refused.value)
    assert "'https://kv-other.vault.azure.net'" in str(refused.value)
