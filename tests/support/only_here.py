"""A plugin of pytest: no test reaches a machine other than this one.

An audit hook of Python, which no code can go around: it sees every socket of this process before it opens.
It does not see processes that a test starts, nor libraries with sockets of their own: Java, grpc, mssql-python.
Source: Python documentation, "Audit events table".
"""

import ipaddress
import socket
import sys

FAMILIES = (socket.AF_INET, socket.AF_INET6)
NAMES = (None, "", "localhost", "0.0.0.0", "::", socket.gethostname())


class LeftTheMachine(BaseException):
    """A test was about to ask another machine: no handler of errors may take it for a network that is down."""


def _is_here(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else host
    if text in NAMES:
        return True
    try:
        return ipaddress.ip_address(str(text).partition("%")[0]).is_loopback
    except ValueError:
        return False


def watch(event: str, arguments: tuple) -> None:
    """Refuses what would leave the machine; see sys.addaudithook."""
    if not event.startswith("socket."):
        return
    host: object = None
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        sender, address = arguments
        host = address[0] if address and sender.family in FAMILIES else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    if not _is_here(host):
        raise LeftTheMachine(f"A test must not reach {host}: {event}.")


sys.addaudithook(watch)
