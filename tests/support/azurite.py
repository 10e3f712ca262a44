"""Azurite, Microsoft's emulator of blob storage, over TLS, with an account of our own: for `make test-azurite`."""

import base64
import contextlib
import datetime
import hashlib
import hmac
import ipaddress
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from coinlake_ops.project import ROOT

VERSION = "3.37.0"
FOLDER = ROOT / "lake" / "azurite"
ACCOUNT = "coinlaketest"
PASSWORD = "changeit"
START_SECONDS = 30


class Unavailable(Exception):
    """Azurite cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Storage:
    """A running emulator: its port, the account's key, and the trust store for Java."""

    port: int
    key: str
    certificate: Path
    trust_store: Path

    def address(self, container: str) -> str:
        """The address of a container, in the form of production."""
        return f"abfss://{container}@{ACCOUNT}.dfs.core.windows.net"

    def make_container(self, name: str) -> None:
        """Create a container, signed with the account's key (Storage REST API, "Authorize with Shared Key")."""
        date = formatdate(usegmt=True)
        headers = {"x-ms-date": date, "x-ms-version": "2021-12-02"}
        canonical = "\n".join(f"{key}:{value}" for key, value in sorted(headers.items()))
        resource = f"/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
        text = "PUT" + "\n" * 12 + f"{canonical}\n{resource}"
        digest = hmac.new(base64.b64decode(self.key), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
        url = f"https://127.0.0.1:{self.port}/{ACCOUNT}/{name}?restype=container"
        requests.put(url, headers=headers, verify=str(self.certificate), timeout=30).raise_for_status()


def install() -> Path:
    """The emulator's program; npm fetches it once. Raises Unavailable with the reason."""
    program = FOLDER / "node_modules" / ".bin" / "azurite-blob"
    if program.exists():
        return program
    if shutil.which("npm") is None:
        raise Unavailable("npm is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), f"azurite@{VERSION}"]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode:
        raise Unavailable(f"npm cannot install azurite {VERSION}: {answer.stderr.strip().splitlines()[-1:]}")
    return program


@contextlib.contextmanager
def running(folder: Path):
    """An emulator with its data below `folder`, ready to answer. Raises Unavailable with the reason."""
    program = install()
    certificate, private = _certificate(folder)
    trust_store = folder / "trust.p12"
    trusted = pkcs12.PKCS12Certificate(x509.load_pem_x509_certificate(certificate.read_bytes()), b"azurite")
    protection = serialization.BestAvailableEncryption(PASSWORD.encode())
    trust_store.write_bytes(pkcs12.serialize_java_truststore([trusted], protection))
    key = base64.b64encode(os.urandom(64)).decode()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(program),
        *("--blobHost", "127.0.0.1", "--blobPort", str(port), "-l", str(folder / "data")),
        *("--cert", str(certificate), "--key", str(private), "--loose", "--skipApiVersionCheck", "--silent"),
    ]
    server = subprocess.Popen(command, env=os.environ | {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}, cwd=folder)
    try:
        _wait(server, port)
        yield Storage(port, key, certificate, trust_store)
    finally:
        # Asked to end, it waits for open connections; its data is thrown away anyway.
        server.kill()
        server.wait()


def _wait(server: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise Unavailable(f"azurite did not answer on port {port} within {START_SECONDS} seconds")


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its private key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.TraditionalOpenSSL
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return certificate, private
