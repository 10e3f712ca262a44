"""Tokens of Microsoft Entra ID as the fakes read them: JSON Web Tokens whose signature nobody checks."""

import base64
import json


def of(scope: str, person: str = "") -> str:
    """A token for a scope; a person's has a claim `upn`, a service principal's has none."""
    claims = {"aud": scope.removesuffix("/.default")} | ({"upn": person} if person else {"appid": "deployer"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims, {}))


def claims(authorization: str | None) -> dict[str, str]:
    """What the token of an Authorization header says; nothing when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1])) if scheme == "Bearer" else {}
