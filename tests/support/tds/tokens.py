"""The tokens of an answer (2.2.7), each as the bytes that the server sends."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from tests.support.tds import types
from tests.support.tds.types import Type
from tests.support.tds.wire import long_text, short_text

SERVER = "double"
VERSION_7_4 = 0x74000004

# ENVCHANGE
DATABASE, PACKET_SIZE, SQL_COLLATION = 1, 4, 7
BEGAN, COMMITTED, ROLLED_BACK, RESET = 8, 9, 10, 18

# DONE, and its variants inside and at the end of a procedure
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF
MORE, FAILED, IN_TRANSACTION, COUNTED, ATTENTION, ONE_OF_MANY = 0x01, 0x02, 0x04, 0x10, 0x20, 0x80


class Column(NamedTuple):
    """A column of a result or of a table."""

    name: str
    type: Type
    nullable: bool = True


class ServerError(Exception):
    """An error of the server: number and severity class as the real one has them, and the text."""

    def __init__(self, number: int, text: str, severity: int = 16, state: int = 1):
        super().__init__(f"{number}: {text}")
        self.number, self.text, self.severity, self.state = number, text, severity, state


def login_accepted(database: str, packet_size: int) -> bytes:
    """What a client hears when it is let in: its database, collation and packet size."""
    name = short_text("Microsoft SQL Server")
    body = b"\x01" + struct.pack(">I", VERSION_7_4) + name + bytes([12, 0, 0x07, 0xD0])
    return (
        _environment(DATABASE, short_text(database) + short_text("master"))
        + _environment(SQL_COLLATION, bytes([5]) + types.COLLATION + b"\0")
        + b"\xad"
        + struct.pack("<H", len(body))
        + body
        + _environment(PACKET_SIZE, short_text(str(packet_size)) + short_text("4096"))
    )


def token_accepted() -> bytes:
    """FEATUREEXTACK for a login with an access token."""
    return b"\xae" + b"\x02" + struct.pack("<I", 0) + b"\xff"


def transaction_changed(what: int, transaction: int) -> bytes:
    """ENVCHANGE: a transaction began (its new number) or ended (its old one)."""
    number = bytes([8]) + struct.pack("<Q", transaction)
    return _environment(what, number + b"\0" if what == BEGAN else b"\0" + number)


def connection_reset() -> bytes:
    """ENVCHANGE: the session is as new."""
    return _environment(RESET, b"\0\0")


def error(problem: ServerError) -> bytes:
    """ERROR."""
    body = struct.pack("<IBB", problem.number, problem.state, problem.severity)
    body += long_text(problem.text) + short_text(SERVER) + short_text("") + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(body)) + body


def columns(described: Sequence[Column]) -> bytes:
    """COLMETADATA."""
    body = struct.pack("<H", len(described))
    for column in described:
        flags = 0x0001 if column.nullable else 0x0000
        body += struct.pack("<IH", 0, flags | 0x0008) + column.type.encode() + short_text(column.name)
    return b"\x81" + body


def rows(described: Sequence[Column], values: Iterable[Sequence[Any]]) -> bytes:
    """ROW, as many as there are."""
    kinds = [column.type for column in described]
    return b"".join(
        b"\xd1" + b"".join(types.write_value(kind, value) for kind, value in zip(kinds, row, strict=True))
        for row in values
    )


def done(status: int = 0, count: int | None = None, token: int = DONE) -> bytes:
    """DONE, DONEPROC or DONEINPROC; a count is sent when there is one."""
    return struct.pack("<BHHQ", token, status | (COUNTED if count is not None else 0), 0, count or 0)


def return_status(value: int = 0) -> bytes:
    """RETURNSTATUS of a procedure."""
    return b"\x79" + struct.pack("<i", value)


def returned(name: str, value: int) -> bytes:
    """RETURNVALUE: an output parameter, always INT here."""
    kind = types.INT
    return (
        b"\xac" + struct.pack("<H", 0) + short_text(name) + b"\x01" + struct.pack("<IH", 0, 0)
        + kind.encode() + types.write_value(kind, value)
    )  # fmt: skip


def _environment(kind: int, values: bytes) -> bytes:
    return b"\xe3" + struct.pack("<HB", 1 + len(values), kind) + values
