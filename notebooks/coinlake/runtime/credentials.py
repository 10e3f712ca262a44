"""Secrets: where a key comes from, and an object that holds it without ever showing it."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from coinlake.errors import ConfigurationError


class Secret:
    """A text that never prints itself: only `reveal` gives it away."""

    __slots__ = ("_text",)

    def __init__(self, text: str):
        self._text = text

    def reveal(self) -> str:
        """The text itself; hand it only to what must have it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled: it would stand readable in a file.")


def secret_variable(name: str) -> str:
    """The environment variable of a secret: coingecko-api-key is COINLAKE_COINGECKO_API_KEY."""
    return "COINLAKE_" + name.upper().replace("-", "_")


def get_secret(
    name: str,
    scope: str = "",
    vault_url: str = "",
    *,
    dbutils: Any = None,
    environ: Mapping[str, str] = os.environ,
) -> Secret | None:
    """The secret called `name`, or None when nobody has it.

    Asked in this order: the Databricks secret scope (where `dbutils` is), the Azure Key Vault `vault_url`
    (signed in by azure-identity), the environment variable COINLAKE_<NAME>.
    Raises ConfigurationError when a scope or vault that is named does not answer; the cause is not chained,
    because tracebacks of cloud libraries print requests.
    """
    text = ""
    if scope and dbutils is not None:
        text = _ask(f"secret scope {scope!r}", name, lambda: dbutils.secrets.get(scope=scope, key=name))
    elif vault_url:
        text = _ask(f"Key Vault {vault_url}", name, lambda: _from_vault(vault_url, name))
    text = (text or environ.get(secret_variable(name), "")).strip()
    return Secret(text) if text else None


def _ask(where: str, name: str, read: Callable[[], str]) -> str:
    try:
        return read()
    except Exception as problem:
        kind = type(problem).__name__
    raise ConfigurationError(
        f"The {where} did not give the secret {name!r} ({kind}). "
        "Check that it exists there and that this identity may read it."
    )


def _from_vault(vault_url: str, name: str) -> str:
    from azure.identity import DefaultAzureCredential
    from azure.keyvault.secrets import SecretClient

    return SecretClient(vault_url, DefaultAzureCredential()).get_secret(name).value or ""
