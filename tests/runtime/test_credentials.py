import pickle
import traceback
from types import SimpleNamespace

import pytest

from coinlake import runtime
from coinlake.errors import ConfigurationError
from tests.support.planted import API_KEY as KEY


def test_a_secret_shows_itself_nowhere_but_when_revealed():
    secret = runtime.Secret(KEY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>30}", "%s" % secret, repr({"key": secret})]  # noqa: UP031
    assert KEY not in " ".join(shown)
    assert secret.reveal() == KEY


def test_a_secret_cannot_be_written_to_a_file_by_pickle():
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(runtime.Secret(KEY))


def test_the_environment_variable_carries_the_name_in_capitals():
    environ = {"COINLAKE_COINGECKO_API_KEY": f" {KEY}\n"}
    assert runtime.get_secret("coingecko-api-key", environ=environ).reveal() == KEY


def test_nobody_has_it():
    assert runtime.get_secret("coingecko-api-key", environ={}) is None
    assert runtime.get_secret("coingecko-api-key", environ={"COINLAKE_COINGECKO_API_KEY": ""}) is None


def test_the_secret_scope_comes_before_the_environment():
    asked = []

    def scope_get(scope, key):
        asked.append((scope, key))
        return KEY

    dbutils = SimpleNamespace(secrets=SimpleNamespace(get=scope_get))
    environ = {"COINLAKE_COINGECKO_API_KEY": "another"}
    secret = runtime.get_secret("coingecko-api-key", scope="prod", dbutils=dbutils, environ=environ)
    assert (secret.reveal(), asked) == (KEY, [("prod", "coingecko-api-key")])


def test_a_scope_that_refuses_is_an_error_without_the_cause():
    def scope_get(scope, key):
        raise PermissionError(f"Authorization: {KEY}")

    dbutils = SimpleNamespace(secrets=SimpleNamespace(get=scope_get))
    with pytest.raises(ConfigurationError, match="secret scope 'prod' did not give") as caught:
        runtime.get_secret("coingecko-api-key", scope="prod", dbutils=dbutils, environ={})
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_key_vault_is_asked_by_azure_identity(monkeypatch):
    asked = []

    class FakeClient:
        def __init__(self, vault_url, credential):
            asked.append((vault_url, type(credential).__name__))

        def get_secret(self, name):
            asked.append(name)
            return SimpleNamespace(value=KEY)

    monkeypatch.setattr("azure.keyvault.secrets.SecretClient", FakeClient)
    secret = runtime.get_secret("coingecko-api-key", vault_url="https://v.vault.azure.net", environ={})
    assert secret.reveal() == KEY
    assert asked == [("https://v.vault.azure.net", "DefaultAzureCredential"), "coingecko-api-key"]
