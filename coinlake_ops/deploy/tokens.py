"""Tokens that are kept while they last: a deployment makes hundreds of calls, and `az` takes a second a token.

Source: Azure SDK for Python, azure-identity: AzureCliCredential does not cache; whoever calls it must.
"""

import time
from collections.abc import Callable
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from databricks.sdk.oauth import Token, TokenSource

# A token is asked anew this long before its end, so that none ends on the way.
MARGIN_SECONDS = 300


class KeptTokens:
    """A credential that asks another one for a token only when it holds none that lasts; of one tenant."""

    def __init__(self, credential: TokenCredential, clock: Callable[[], float] = time.time):
        self._credential = credential
        self._clock = clock
        self._kept: dict[tuple[str, ...], AccessToken] = {}

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for the scopes; raises ClientAuthenticationError when nobody is signed in.

        A service that asks for more (`claims`) has refused the token that is kept.
        """
        kept = self._kept.get(scopes)
        if kept is None or kept.expires_on - MARGIN_SECONDS <= self._clock() or options.get("claims"):
            kept = self._kept[scopes] = self._credential.get_token(*scopes, **options)
        return kept


class DatabricksTokens(TokenSource):
    """The tokens of one scope as the SDK of Databricks takes them."""

    def __init__(self, credential: TokenCredential, scope: str):
        self._credential = credential
        self._scope = scope

    def token(self) -> Token:
        """See TokenSource."""
        return Token(access_token=self._credential.get_token(self._scope).token)

    def are_of_a_person(self) -> bool:
        """Whether a person is signed in, and no service principal or managed identity."""
        return "upn" in self.token().jwt_claims()
