"""Packets (2.2.3), the TLS that runs inside them (2.2.6.5), and a reader for what they carry."""

import socket
import ssl
import struct
from enum import IntEnum
from typing import NamedTuple, Protocol

HEADER = struct.Struct(">BBHHBB")  # type, status, length, process id, packet number, window
END_OF_MESSAGE = 0x01
IGNORE = 0x02
RESET_CONNECTION = 0x08


class Kind(IntEnum):
    """What a message is."""

    BATCH = 0x01
    CALL = 0x03
    REPLY = 0x04
    ATTENTION = 0x06
    BULK = 0x07
    TRANSACTION = 0x0E
    LOGIN = 0x10
    PRELOGIN = 0x12


class Message(NamedTuple):
    """The packets of one message, joined; `status` is that of the first."""

    kind: int
    status: int
    body: bytes


class Gone(Exception):
    """The other side closed the connection."""


class Stream(Protocol):
    """Bytes in both directions."""

    def read(self, count: int) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class Plain:
    """A socket as a stream."""

    def __init__(self, connection: socket.socket):
        self.connection = connection

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        parts = []
        while count:
            part = self.connection.recv(count)
            if not part:
                raise Gone
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        self.connection.sendall(data)


class Encrypted:
    """TLS over a socket. Its handshake travels in PRELOGIN messages, everything after it does not."""

    def __init__(self, plain: Plain, context: ssl.SSLContext):
        self._plain = plain
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arriving, self._leaving, server_side=True)

    def shake_hands(self, channel: "Channel") -> None:
        """Negotiate over the channel; raises Gone or ssl.SSLError when the client does not agree."""
        done = False
        while not done:
            try:
                self._tls.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                pass
            if self._leaving.pending:
                channel.send(self._leaving.read(), Kind.PRELOGIN)
            if not done:
                self._arriving.write(channel.receive().body)

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        parts = []
        while count:
            try:
                part = self._tls.read(count)
            except ssl.SSLWantReadError:
                data = self._plain.connection.recv(65536)
                if not data:
                    raise Gone from None
                self._arriving.write(data)
                continue
            if not part:
                raise Gone
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._plain.write(self._leaving.read())


class Channel:
    """Whole messages over a stream."""

    def __init__(self, stream: Stream):
        self.stream = stream
        self.packet_size = 4096

    def receive(self) -> Message:
        """The next message; one that its sender takes back while sending is skipped."""
        while True:
            first, status = None, 0
            body = bytearray()
            while not status & END_OF_MESSAGE:
                kind, status, length, *_ = HEADER.unpack(self.stream.read(HEADER.size))
                body += self.stream.read(length - HEADER.size)
                first = first or (kind, status)
            if not status & IGNORE:
                return Message(*first, bytes(body))

    def send(self, body: bytes, kind: Kind = Kind.REPLY) -> None:
        """One message, cut into packets."""
        room = self.packet_size - HEADER.size
        pieces = [body[start : start + room] for start in range(0, len(body), room)] or [b""]
        packets = bytearray()
        for number, piece in enumerate(pieces, 1):
            status = END_OF_MESSAGE if number == len(pieces) else 0
            packets += HEADER.pack(kind, status, len(piece) + HEADER.size, 0, number % 256, 0) + piece
        self.stream.write(bytes(packets))


class Reader:
    """Takes values off the front of a message."""

    def __init__(self, data: bytes):
        self._data = memoryview(data)
        self.position = 0

    def __bool__(self) -> bool:
        return self.position < len(self._data)

    def take(self, count: int) -> bytes:
        """So many bytes; raises ValueError when the message ends before."""
        end = self.position + count
        if end > len(self._data):
            raise ValueError(f"message of {len(self._data)} bytes ends inside a value at {self.position}")
        piece = bytes(self._data[self.position : end])
        self.position = end
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def peek(self) -> int:
        return self._data[self.position]

    def short(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def long(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def text(self, letters: int) -> str:
        """UTF-16 text of so many code units."""
        return self.take(2 * letters).decode("utf-16-le")

    def rest(self) -> bytes:
        return self.take(len(self._data) - self.position)

    def skip_headers(self) -> int:
        """Read ALL_HEADERS (2.2.5.3); returns the transaction that the request believes to be in."""
        end = self.position + self.long()
        transaction = 0
        while self.position < end:
            stop = self.position + self.long()
            if self.short() == 2:
                transaction = int.from_bytes(self.take(8), "little")
            self.position = stop
        return transaction


def short_text(text: str) -> bytes:
    """B_VARCHAR: a length of one byte, then UTF-16."""
    encoded = text.encode("utf-16-le")
    return bytes([len(encoded) // 2]) + encoded


def long_text(text: str) -> bytes:
    """US_VARCHAR: a length of two bytes, then UTF-16."""
    encoded = text.encode("utf-16-le")
    return struct.pack("<H", len(encoded) // 2) + encoded
