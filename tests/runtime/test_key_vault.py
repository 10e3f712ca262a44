"""Secrets from Key Vault, by the official clients, over TLS, with the token of a managed identity.

The vault is a server of this test under its real name: only the name is resolved to this machine.
"""

import datetime
import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from coinlake import runtime
from coinlake.errors import ConfigurationError
from tests.support.planted import VAULT_KEY as KEY

HOST = "kv-coinlake-test.vault.azure.net"
TOKEN = "a token for the vault"


class _Vault(BaseHTTPRequestHandler):
    """Answers 401 with the challenge until the token comes, then secrets."""

    secrets: dict[str, str] = {}

    def do_GET(self):
        name = urlsplit(self.path).path.removeprefix("/secrets/").strip("/")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            challenge = (
                'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            )
            _send(self, 401, {"error": {"code": "Unauthorized"}}, {"WWW-Authenticate": challenge})
        elif name in self.secrets:
            _send(
                self,
                200,
                {"value": self.secrets[name], "id": f"https://{HOST}/secrets/{name}/1", "attributes": {}},
            )
        else:
            _send(self, 404, {"error": {"code": "SecretNotFound", "message": f"{KEY} is not here"}})

    def log_message(self, *_):
        pass


class _Identity(BaseHTTPRequestHandler):
    """The endpoint at which a machine of Azure gets the token of its managed identity."""

    def do_GET(self):
        asked = parse_qs(urlsplit(self.path).query)
        if self.headers.get("X-IDENTITY-HEADER") != "local" or asked["resource"] != ["https://vault.azure.net"]:
            _send(self, 400, {"error": "invalid_request"})
        else:
            token = {"access_token": TOKEN, "expires_on": "4000000000", "token_type": "Bearer"}
            _send(self, 200, token | {"resource": asked["resource"][0]})

    def log_message(self, *_):
        pass


def _send(handler, status, document, headers=None):
    body = json.dumps(document).encode()
    handler.send_response(status)
    for name, value in {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **(headers or {}),
    }.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for the vault's name that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "vault.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def _serve(handler, context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@pytest.fixture
def vault(certificate, monkeypatch):
    """The address of a vault that holds one secret, reached as a machine with a managed identity."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setattr(_Vault, "secrets", {"coingecko-api-key": f"{KEY}\n"})
    servers = [_serve(_Vault, context), _serve(_Identity)]
    real, here = socket.getaddrinfo, ("127.0.0.1", servers[0].server_port)

    def resolve(host, port, *rest, **named):
        return real(*(here if host == HOST else (host, port)), *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{servers[1].server_port}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "local")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    yield f"https://{HOST}"
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_secret_comes_from_the_vault_and_never_shows_itself(vault):
    secret = runtime.get_secret("coingecko-api-key", vault_url=vault, environ={})
    assert secret.reveal() == KEY
    assert KEY not in f"{secret} {secret!r}"


def test_a_scope_that_cannot_be_asked_here_leaves_the_vault(vault):
    assert runtime.get_secret("coingecko-api-key", "coinlake", vault, dbutils=None, environ={}).reveal() == KEY


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda m: m.setattr(_Vault, "secrets", {}), "ResourceNotFoundError"),
        (lambda m: m.setenv("IDENTITY_HEADER", "wrong"), "ClientAuthenticationError|CredentialUnavailableError"),
    ],
)
def test_a_vault_that_refuses_is_named_without_what_it_said(vault, monkeypatch, spoil, kind):
    spoil(monkeypatch)
    with pytest.raises(
        ConfigurationError, match=rf"Key Vault {vault} did not give the secret .* \(({kind})\)"
    ) as refused:
        runtime.get_secret("coingecko-api-key", vault_url=vault, environ={})
    assert KEY not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_server_that_only_pretends_to_be_the_vault_is_not_believed(vault, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setattr("azure.core.pipeline.policies.RetryPolicy.increment", lambda *_, **__: False)
    with pytest.raises(ConfigurationError, match="ServiceRequestError"):
        runtime.get_secret("coingecko-api-key", vault_url=vault, environ={})
