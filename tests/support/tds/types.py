"""Types and values (2.2.5.4, 2.2.5.5): how T-SQL's types stand on the wire."""

import re
import struct
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.tds.wire import Reader

# Latin1_General_100_BIN2: English, sorted by code point, version 100 of the rules.
COLLATION = bytes.fromhex("0904002200")

INTN, BITN, DECIMALN, NUMERICN, FLTN, DATETIMN = 0x26, 0x68, 0x6A, 0x6C, 0x6D, 0x6F
DATEN, DATETIME2N = 0x28, 0x2A
BIGVARCHAR, NVARCHAR, NCHAR, NTEXT = 0xA7, 0xE7, 0xEF, 0x63
FIXED = {0x30: ("<B", 1), 0x32: ("<?", 1), 0x34: ("<h", 2), 0x38: ("<i", 4), 0x3E: ("<d", 8), 0x7F: ("<q", 8)}
NULL_TYPE = 0x1F
MAX = 0xFFFF  # the length of NVARCHAR(MAX): values come in parts
NO_VALUE_IN_PARTS = 0xFFFF_FFFF_FFFF_FFFF
UNKNOWN_LENGTH = 0xFFFF_FFFF_FFFF_FFFE
INTEGERS = {1: "<B", 2: "<h", 4: "<i", 8: "<q"}
FIRST_DAY = date(1, 1, 1)


@dataclass(frozen=True)
class Type:
    """TYPE_INFO: the type's number, its size in bytes, and digits where it has them."""

    token: int
    size: int = 0
    precision: int = 0
    scale: int = 0

    def encode(self) -> bytes:
        """As it stands before values, or in the description of a column."""
        if self.token in (DECIMALN, NUMERICN):
            return bytes([self.token, self.size, self.precision, self.scale])
        if self.token == DATEN:
            return bytes([self.token])
        if self.token == DATETIME2N:
            return bytes([self.token, self.scale])
        if self.token == NVARCHAR:
            return struct.pack("<BH", self.token, self.size) + COLLATION
        return bytes([self.token, self.size])


INT, BIGINT, BIT, FLOAT = Type(INTN, 4), Type(INTN, 8), Type(BITN, 1), Type(FLTN, 8)


def nvarchar(letters: int | None) -> Type:
    """NVARCHAR of so many letters, or NVARCHAR(MAX)."""
    return Type(NVARCHAR, MAX if letters is None else 2 * letters)


def of_duckdb(name: str, letters: int | None = 4000) -> Type:
    """The T-SQL type of a DuckDB type; raises ValueError for one that portable T-SQL does not make."""
    fixed = {"BOOLEAN": BIT, "INTEGER": INT, "BIGINT": BIGINT, "HUGEINT": BIGINT, "DOUBLE": FLOAT}
    fixed |= {"DATE": Type(DATEN), "TIMESTAMP": Type(DATETIME2N, scale=6), "VARCHAR": nvarchar(letters)}
    if name in fixed:
        return fixed[name]
    if digits := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", name):
        precision, scale = map(int, digits.groups())
        size = next(size for most, size in ((9, 5), (19, 9), (28, 13), (38, 17)) if precision <= most)
        return Type(DECIMALN, size, precision, scale)
    raise ValueError(f"portable T-SQL has no type for DuckDB's {name}")


def read_type(reader: Reader) -> Type:
    """TYPE_INFO off a message; raises ValueError for a type that the double does not take."""
    token = reader.byte()
    if token in FIXED or token == NULL_TYPE:
        return Type(token)
    if token in (INTN, BITN, FLTN, DATETIMN):
        return Type(token, reader.byte())
    if token in (DECIMALN, NUMERICN):
        return Type(token, reader.byte(), reader.byte(), reader.byte())
    if token == DATEN:
        return Type(token)
    if token == DATETIME2N:
        return Type(token, scale=reader.byte())
    if token in (BIGVARCHAR, NVARCHAR, NCHAR):
        size = reader.short()
        reader.take(len(COLLATION))
        return Type(token, size)
    if token == NTEXT:
        size = reader.long()
        reader.take(len(COLLATION))
        return Type(token, size)
    raise ValueError(f"type 0x{token:02X} is not known to the double")


def read_value(reader: Reader, kind: Type) -> Any:
    """A value of a type: bool, int, float, Decimal, str, date, datetime, or None."""
    if kind.token == NULL_TYPE:
        return None
    if kind.token in FIXED:
        layout, size = FIXED[kind.token]
        return struct.unpack(layout, reader.take(size))[0]
    if kind.token in (BIGVARCHAR, NVARCHAR, NCHAR):
        data = _read_parts(reader) if kind.size == MAX else _read_sized(reader)
        return None if data is None else data.decode("latin-1" if kind.token == BIGVARCHAR else "utf-16-le")
    if kind.token == NTEXT:
        size = reader.long()
        return None if size == 0xFFFF_FFFF else reader.take(size).decode("utf-16-le")
    size = reader.byte()
    return _decode(kind, reader.take(size)) if size else None


def write_value(kind: Type, value: Any) -> bytes:
    """A value as a ROW token carries it; raises OverflowError when it does not fit."""
    if kind.token == NVARCHAR:
        return _write_text(kind, value)
    if value is None:
        return b"\0"
    data = _encode(kind, value)
    return bytes([len(data)]) + data


def _write_text(kind: Type, value: str | None) -> bytes:
    if value is None:
        return struct.pack("<Q", NO_VALUE_IN_PARTS) if kind.size == MAX else struct.pack("<H", 0xFFFF)
    data = value.encode("utf-16-le")
    if kind.size != MAX:
        return struct.pack("<H", len(data)) + data
    part = struct.pack("<I", len(data)) + data if data else b""
    return struct.pack("<Q", len(data)) + part + struct.pack("<I", 0)


def _read_sized(reader: Reader) -> bytes | None:
    size = reader.short()
    return None if size == 0xFFFF else reader.take(size)


def _read_parts(reader: Reader) -> bytes | None:
    total = int.from_bytes(reader.take(8), "little")
    if total == NO_VALUE_IN_PARTS:
        return None
    parts = []
    while size := reader.long():
        parts.append(reader.take(size))
    data = b"".join(parts)
    if total not in (UNKNOWN_LENGTH, len(data)):
        raise ValueError(f"a value of {total} bytes came with {len(data)}")
    return data


def _decode(kind: Type, data: bytes) -> Any:
    match kind.token:
        case 0x68:  # BITN
            return data != b"\0"
        case 0x26:  # INTN
            return struct.unpack(INTEGERS[len(data)], data)[0]
        case 0x6D:  # FLTN
            return struct.unpack("<d" if len(data) == 8 else "<f", data)[0]
        case 0x6A | 0x6C:  # DECIMALN, NUMERICN: sign, then the digits
            digits = tuple(map(int, str(int.from_bytes(data[1:], "little"))))
            return Decimal((0 if data[0] else 1, digits, -kind.scale))
        case 0x28:  # DATEN
            return FIRST_DAY + timedelta(days=int.from_bytes(data, "little"))
        case 0x2A:  # DATETIME2N: ticks of the scale, then the day
            microseconds, rest = divmod(int.from_bytes(data[:-3], "little") * 10**6, 10**kind.scale)
            if rest:
                raise ValueError("DATETIME2(7) has a digit more than DATETIME2(6) can hold")
            day = FIRST_DAY + timedelta(days=int.from_bytes(data[-3:], "little"))
            return datetime(day.year, day.month, day.day) + timedelta(microseconds=microseconds)
        case _:
            raise ValueError(f"type 0x{kind.token:02X} is not known to the double")


def _encode(kind: Type, value: Any) -> bytes:
    match kind.token:
        case 0x68:  # BITN
            return bytes([bool(value)])
        case 0x26:  # INTN
            return int(value).to_bytes(kind.size, "little", signed=True)
        case 0x6D:  # FLTN
            return struct.pack("<d", value)
        case 0x6A:  # DECIMALN
            sign, digits, exponent = value.as_tuple()
            number = int("".join(map(str, digits))) * 10 ** (kind.scale + exponent)
            return bytes([not sign]) + number.to_bytes(kind.size - 1, "little")
        case 0x28:  # DATEN
            return (value - FIRST_DAY).days.to_bytes(3, "little")
        case 0x2A:  # DATETIME2N
            ticks = (value - datetime(value.year, value.month, value.day)) // timedelta(microseconds=1)
            return ticks.to_bytes(5, "little") + (value.date() - FIRST_DAY).days.to_bytes(3, "little")
        case _:
            raise ValueError(f"type 0x{kind.token:02X} is not known to the double")
