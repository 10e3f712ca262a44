"""The guard that keeps every test on this machine: it must refuse, and no handler of errors may hide that."""

import socket
import urllib.request

import pytest
import requests

from tests.support.only_here import LeftTheMachine

# An address that nobody has, of those kept for documentation: RFC 5737 and RFC 3849.
ELSEWHERE = "192.0.2.1"


def connect(host):
    with socket.socket(socket.AF_INET6) as opened:
        opened.connect_ex((host, 80))


def send(host):
    with socket.socket(type=socket.SOCK_DGRAM) as opened:
        opened.sendto(b"", (host, 53))


@pytest.mark.parametrize(
    "leave",
    [
        lambda: socket.create_connection((ELSEWHERE, 80), timeout=0.1),
        lambda: connect("2001:db8::1"),
        lambda: send(ELSEWHERE),
        lambda: socket.getaddrinfo("management.azure.com", 443),
        lambda: socket.gethostbyname("login.microsoftonline.com"),
        lambda: requests.get("https://management.azure.com", timeout=0.1),
        lambda: urllib.request.urlopen("https://api.coingecko.com", timeout=0.1),
    ],
)
def test_a_test_that_would_ask_another_machine_fails(leave):
    with pytest.raises(LeftTheMachine):
        leave()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_may_be_asked(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection((host, server.getsockname()[1]), timeout=5).close()
