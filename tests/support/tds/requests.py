"""What a client sends: PRELOGIN (2.2.6.5), LOGIN7 (2.2.6.4), calls (2.2.6.6) and bulk rows (2.2.6.1)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.tds import types
from tests.support.tds.types import Type
from tests.support.tds.wire import Reader

# PRELOGIN options
VERSION, ENCRYPTION, FEDERATED, END = 0x00, 0x01, 0x06, 0xFF
ENCRYPTION_UNAVAILABLE, ENCRYPTION_REQUIRED = 0x02, 0x03

PROCEDURES = {10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec", 15: "sp_unprepare"}
NEXT_CALL = (0xFF, 0xFE, 0x80)


def read_prelogin(body: bytes) -> dict[int, bytes]:
    """The options of a PRELOGIN message."""
    options, reader = {}, Reader(body)
    while (option := reader.byte()) != END:
        start, size = struct.unpack(">HH", reader.take(4))
        options[option] = body[start : start + size]
    return options


def write_prelogin(options: dict[int, bytes]) -> bytes:
    """A PRELOGIN message of these options."""
    head, data = b"", b""
    start = 5 * len(options) + 1
    for option, value in options.items():
        head += struct.pack(">BHH", option, start + len(data), len(value))
        data += value
    return head + bytes([END]) + data


@dataclass(frozen=True)
class Login:
    """Who wants in, where to, and with what; password and token never show themselves."""

    version: int
    packet_size: int
    user: str
    database: str
    password: str = field(repr=False)
    token: str | None = field(repr=False)


def read_login(body: bytes) -> Login:
    """A LOGIN7 message; raises ValueError when it is cut short."""
    reader = Reader(body)
    reader.long()
    version, packet_size = reader.long(), reader.long()
    places = struct.unpack_from("<18H", body, 36)
    # Pairs of place and length: host, user, password, program, server, extension, library, language, database
    _host, user, password, _program, _server, extension, _library, _language, database = zip(
        places[::2], places[1::2], strict=True
    )

    def text(place: tuple[int, int]) -> bytes:
        return body[place[0] : place[0] + 2 * place[1]]

    # Each byte has its halves swapped and 0xA5 laid over it.
    plain = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in text(password))
    has_extension = body[27] & 0x10
    token = _token(body, struct.unpack_from("<I", body, extension[0])[0]) if has_extension else None
    return Login(
        version,
        packet_size,
        text(user).decode("utf-16-le"),
        text(database).decode("utf-16-le"),
        plain.decode("utf-16-le"),
        token,
    )


def _token(body: bytes, start: int) -> str | None:
    """The access token among the features of a login."""
    reader = Reader(body[start:])
    while (feature := reader.byte()) != 0xFF:
        data = Reader(reader.take(reader.long()))
        if feature == 0x02:
            library = data.byte() >> 1
            if library != 0x01:
                raise ValueError(f"federated login by library {library}: only a ready access token is known")
            return data.take(data.long()).decode("utf-16-le")
    return None


@dataclass(frozen=True)
class Call:
    """A call of a system procedure: its name and its parameters as (name, value)."""

    procedure: str
    parameters: list[tuple[str, Any]]


def read_calls(reader: Reader) -> Iterator[Call]:
    """The calls of one message, behind its headers."""
    while reader:
        letters = reader.short()
        name = (
            PROCEDURES.get(number := reader.short(), f"procedure {number}")
            if letters == 0xFFFF
            else reader.text(letters)
        )
        reader.short()
        parameters = []
        while reader and reader.peek() not in NEXT_CALL:
            parameter = reader.text(reader.byte())
            reader.byte()
            parameters.append((parameter, types.read_value(reader, types.read_type(reader))))
        if reader:
            reader.byte()
        yield Call(name.lower(), parameters)


def read_bulk(reader: Reader) -> tuple[list[tuple[str, Type]], list[list[Any]]]:
    """The columns (name, type) and the rows of a bulk load."""
    columns: list[tuple[str, Type]] = []
    rows = []
    while reader:
        match token := reader.byte():
            case 0x81:
                columns = [_bulk_column(reader) for _ in range(reader.short())]
            case 0xD1:  # ROW
                rows.append([types.read_value(reader, kind) for _, kind in columns])
            case 0xD2:  # NBCROW: first which values are missing, a bit each
                missing = reader.take((len(columns) + 7) // 8)
                rows.append(
                    [
                        None if missing[place // 8] >> place % 8 & 1 else types.read_value(reader, kind)
                        for place, (_, kind) in enumerate(columns)
                    ]
                )
            case 0xFD:  # DONE: drivers differ in the width of the count, and it says nothing new
                reader.rest()
            case _:
                raise ValueError(f"token 0x{token:02X} has no place in a bulk load")
    return columns, rows


def _bulk_column(reader: Reader) -> tuple[str, Type]:
    reader.take(6)
    kind = types.read_type(reader)
    return reader.text(reader.byte()), kind
