"""Key Vault's data plane."""

from tests.support import tokens
from tests.support.internet import Answer, Request


class FakeVault:
    """Secrets by name, for whoever has a token for Key Vault."""

    def __init__(self, host: str):
        self.host = host
        self.state: dict[str, str] = {}

    def answers(self, host: str) -> bool:
        return host == self.host

    def handle(self, request: Request) -> Answer:
        if tokens.claims(request.headers.get("Authorization")).get("aud") != "https://vault.azure.net":
            challenge = 'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"'
            return Answer(401, {"error": {"code": "Unauthorized"}}, {"WWW-Authenticate": challenge})
        if request.path.strip("/") == "secrets":
            listed = [
                {"id": f"https://{self.host}/secrets/{name}", "attributes": {"enabled": True}}
                for name in self.state
            ]
            return Answer(200, {"value": listed})
        name = request.path.removeprefix("/secrets/").strip("/")
        if request.method == "PUT":
            self.state[name] = request.json["value"]
        if name not in self.state:
            return Answer(404, {"error": {"code": "SecretNotFound", "message": f"{name} was not found"}})
        identity = f"https://{self.host}/secrets/{name}/1"
        return Answer(200, {"value": self.state[name], "id": identity, "attributes": {"enabled": True}})
