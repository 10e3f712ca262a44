"""The double of Azure SQL Database: as strict as the service, and true to the protocol byte by byte."""

import socket
import ssl
import struct
from datetime import date, datetime
from decimal import Decimal

import mssql_python
import pytest

from tests.support import azure  # settles which driver is used
from tests.support.tds import Double, requests, types
from tests.support.tds.engine import Database
from tests.support.tds.tokens import Column, ServerError
from tests.support.tds.types import BIGINT, BIT, FLOAT, INT, Type, nvarchar
from tests.support.tds.wire import END_OF_MESSAGE, HEADER, IGNORE, RESET_CONNECTION, Channel, Kind, Plain, Reader

pytestmark = azure.only_double

TEXT = "COLLATE Latin1_General_100_BIN2"
SCHEMA = (
    "CREATE SCHEMA s",
    f"CREATE TABLE s.p (k INT NOT NULL, n NVARCHAR(3) {TEXT} NULL, CONSTRAINT pk_p PRIMARY KEY (k))",
    """CREATE TABLE s.c (
        k INT NOT NULL,
        p INT NULL,
        d DECIMAL(9, 2) NULL,
        CONSTRAINT pk_c PRIMARY KEY (k),
        CONSTRAINT fk_c_p FOREIGN KEY (p) REFERENCES s.p(k),
        CONSTRAINT ck_c_d CHECK (d > 0)
    )""",
    "INSERT INTO s.p (k, n) VALUES (1, 'a')",
    "INSERT INTO s.c (k, p, d) VALUES (1, 1, 5)",
)

ERRORS = {
    "INSERT INTO s.p (k, n) VALUES (1, 'a')": 2627,
    "INSERT INTO s.p (k, n) VALUES (NULL, 'a')": 515,
    "INSERT INTO s.p (k, n) VALUES (2, 'abcd')": 2628,
    "INSERT INTO s.p (k) VALUES (99999999999)": 8115,
    "INSERT INTO s.p (k, x) VALUES (1, 2)": 207,
    "INSERT INTO x.p (k) VALUES (1)": 208,
    "INSERT INTO s.c (k, p, d) VALUES (2, 7, 1)": 547,
    "INSERT INTO s.c (k, p, d) VALUES (2, 1, 0)": 547,
    "UPDATE s.c SET p = 9": 547,
    "UPDATE s.p SET x = 1": 207,
    "DELETE FROM s.p WHERE k = 1": 547,
    "DELETE FROM s.x": 208,
    "MERGE INTO s.p AS t USING (SELECT 9 AS k UNION ALL SELECT 9 AS k) AS u ON t.k = u.k "
    "WHEN NOT MATCHED THEN INSERT (k) VALUES (u.k);": 2627,
    "MERGE INTO s.p AS t USING (SELECT k FROM s.p UNION ALL SELECT k FROM s.p) AS u ON t.k = u.k "
    "WHEN MATCHED THEN UPDATE SET n = NULL;": 8672,
    "DROP TABLE s.p": 3726,
    "DROP TABLE s.x": 208,
    "TRUNCATE TABLE s.p": 4712,
    "CREATE TABLE s.p (k INT NULL)": 2714,
    "CREATE TABLE x.p (k INT NULL)": 2760,
    "CREATE SCHEMA s": 2714,
    "SELECT x FROM s.p": 207,
    "SELECT k FROM s.x": 208,
    "SELECT k FROM x.p": 208,
    "SELECT CAST(n AS INT) AS x FROM s.p": 245,
    "SELECT k FROM s.p LIMIT 1": 50000,
    "SELECT k FROM s.p WITH (NOLOCK)": 50000,
    "SELECT GETDATE() AS x": 50000,
    "EXEC s.anything": 50000,
    "IF 1 = 1 SELECT k FROM s.p": 50000,
    "SELECT k FROM s.p; SELECT k FROM s.p": 50000,
    "WAITFOR DELAY '00:00:01'": 50000,
}


@pytest.fixture
def database():
    """A database of two small tables, one referring to the other."""
    made = Database("coinlake")
    session = made.session()
    for batch in SCHEMA:
        session.execute(batch)
    session.close()
    yield made
    made.close()


@pytest.fixture
def session(database):
    """A session on it that rolls back whole transactions."""
    opened = database.session()
    opened.xact_abort = True
    yield opened
    opened.close()


def rows(session, table: str) -> list[tuple]:
    columns = ", ".join(column.name for column in session.columns(table))
    return sorted(session.execute(f"SELECT {columns} FROM {table}").rows)


def number(session, batch: str) -> int:
    """The number of the error that a batch gives."""
    with pytest.raises(ServerError) as error:
        session.execute(batch)
    return error.value.number


class TestEngine:
    @pytest.mark.parametrize("batch", ERRORS)
    def test_an_error_has_the_number_of_the_real_one_and_changes_nothing(self, session, batch):
        assert number(session, batch) == ERRORS[batch]
        assert (rows(session, "s.p"), rows(session, "s.c")) == ([(1, "a")], [(1, 1, Decimal("5.00"))])

    def test_columns_have_the_types_of_their_definition(self, session):
        session.execute(f"CREATE TABLE s.t (a BIT NOT NULL, b NVARCHAR(MAX) {TEXT} NULL, c DATETIME2(6) NULL)")
        assert session.columns("s.t") == [
            Column("a", BIT, False),
            Column("b", nvarchar(None), True),
            Column("c", Type(types.DATETIME2N, scale=6), True),
        ]
        assert session.columns("s.p") == [Column("k", INT, False), Column("n", nvarchar(3), True)]

    def test_an_error_ends_the_transaction(self, session):
        session.begin()
        session.execute("INSERT INTO s.p (k) VALUES (2)")
        assert number(session, "INSERT INTO s.p (k) VALUES (2)") == 2627
        assert session.transaction == 0
        assert rows(session, "s.p") == [(1, "a")]

    def test_without_xact_abort_the_client_must_roll_back(self, session):
        session.xact_abort = False
        session.begin()
        session.execute("INSERT INTO s.p (k) VALUES (2)")
        assert number(session, "INSERT INTO s.p (k) VALUES (2)") == 2627
        assert number(session, "SELECT k FROM s.p") == 3930
        with pytest.raises(ServerError, match="3930"):
            session.commit()
        session.rollback()
        assert rows(session, "s.p") == [(1, "a")]

    def test_foreign_keys_see_what_the_transaction_did(self, session):
        session.begin()
        session.execute("INSERT INTO s.p (k) VALUES (2)")
        session.execute("UPDATE s.c SET p = 2")
        session.execute("DELETE FROM s.p WHERE k = 1")
        session.commit()
        assert (rows(session, "s.p"), rows(session, "s.c")) == ([(2, None)], [(1, 2, Decimal("5.00"))])

    def test_definitions_are_rolled_back_too(self, session):
        session.begin()
        session.execute("CREATE TABLE s.late (p INT NULL, CONSTRAINT fk_late FOREIGN KEY (p) REFERENCES s.p(k))")
        session.rollback()
        assert number(session, "SELECT p FROM s.late") == 208
        session.execute("DELETE FROM s.c")
        session.execute("DROP TABLE s.c")
        session.execute("TRUNCATE TABLE s.p")

    def test_two_writers_of_one_row_conflict_at_once(self, database, session):
        other = database.session()
        for writer in (session, other):
            writer.begin()
        session.execute("UPDATE s.p SET n = 'b'")
        assert number(other, "UPDATE s.p SET n = 'c'") == 1205
        other.close()
        session.commit()
        assert rows(session, "s.p") == [(1, "b")]

    def test_what_nobody_has_committed_nobody_else_sees(self, database, session):
        other = database.session()
        session.begin()
        session.execute("INSERT INTO s.p (k) VALUES (2)")
        assert rows(other, "s.p") == [(1, "a")]
        session.commit()
        assert rows(other, "s.p") == [(1, "a"), (2, None)]
        other.close()

    def test_one_session_holds_a_lock_until_it_ends(self, database, session):
        other = database.session()
        assert [database.lock("load", holder) for holder in (session, session, other)] == [True, True, False]
        session.reset()
        assert database.lock("load", other)
        other.close()

    def test_bulk_rows_are_checked_one_and_all(self, session):
        sent = [("k", INT), ("n", nvarchar(3))]
        for faulty, error in (((3, "abcd"), 4815), ((None, "b"), 515), ((1, "b"), 2627)):
            with pytest.raises(ServerError) as refusal:
                session.load("s.p", sent, [(2, "ok"), faulty])
            assert refusal.value.number == error
        assert session.load("s.p", sent, [(2, "ok"), (3, None)]) == 2
        assert rows(session, "s.p") == [(1, "a"), (2, "ok"), (3, None)]


class TestValues:
    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (INT, [0, -(2**31), 2**31 - 1, None]),
            (BIGINT, [2**63 - 1, -(2**63), None]),
            (BIT, [True, False, None]),
            (FLOAT, [0.1, 5e-324, -1.7976931348623157e308, None]),
            (types.of_duckdb("DECIMAL(9,2)"), [Decimal("9999999.99"), Decimal("-0.01"), None]),
            (types.of_duckdb("DECIMAL(38,18)"), [Decimal("-12345678901234567890.123456789012345678"), None]),
            (Type(types.DATEN), [date(1, 1, 1), date(9999, 12, 31), None]),
            (
                Type(types.DATETIME2N, scale=6),
                [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), None],
            ),
            (nvarchar(4000), ["", "ü🐕", " x ", None]),
            (nvarchar(None), ["", "🐕" * 5000, None]),
        ],
    )
    def test_what_is_written_is_read(self, kind, values):
        reader = Reader(kind.encode() + b"".join(types.write_value(kind, value) for value in values))
        assert types.read_type(reader) == kind
        assert [types.read_value(reader, kind) for _ in values] == values
        assert not reader

    def test_a_digit_that_cannot_be_held_is_refused(self):
        tick = Reader(b"\x08" + (1).to_bytes(5, "little") + b"\0\0\0")
        with pytest.raises(ValueError, match="has a digit more"):
            types.read_value(tick, Type(types.DATETIME2N, scale=7))

    def test_a_type_that_is_not_portable_is_refused(self):
        with pytest.raises(ValueError, match="0xF1 is not known"):  # XML
            types.read_type(Reader(b"\xf1"))

    def test_bulk_rows_with_and_without_a_map_of_what_is_missing(self):
        described = b"\x81\x02\0" + b"".join(
            struct.pack("<IH", 0, 9) + kind.encode() + bytes([1]) + name.encode("utf-16-le")
            for name, kind in (("k", INT), ("n", nvarchar(3)))
        )
        whole = b"\xd1" + types.write_value(INT, 1) + types.write_value(nvarchar(3), "ab")
        mapped = b"\xd2" + bytes([0b10]) + types.write_value(INT, 2)
        columns, found = requests.read_bulk(Reader(described + whole + mapped + b"\xfd" + bytes(8)))
        assert columns == [("k", INT), ("n", nvarchar(3))]
        assert found == [[1, "ab"], [2, None]]


class TestPackets:
    @pytest.fixture
    def pair(self):
        here, there = socket.socketpair()
        yield Channel(Plain(here)), there
        here.close()
        there.close()

    def test_a_long_message_is_cut_and_joined(self, pair):
        channel, there = pair
        channel.packet_size = 512
        body = bytes(range(256)) * 5
        channel.send(body)
        received = Channel(Plain(there)).receive()
        assert (received.kind, received.body) == (Kind.REPLY, body)

    def test_every_packet_is_as_large_as_agreed_and_the_last_one_says_so(self, pair):
        channel, there = pair
        channel.packet_size = 512
        channel.send(bytes(1000))
        heads = []
        for size in (512, 504):
            heads.append(HEADER.unpack(Plain(there).read(size)[:8])[:3])
        assert heads == [(4, 0, 512), (4, END_OF_MESSAGE, 504)]

    def test_a_message_that_is_taken_back_is_skipped(self, pair):
        channel, there = pair
        for status, body in ((END_OF_MESSAGE | IGNORE, b"no"), (END_OF_MESSAGE, b"yes")):
            there.sendall(HEADER.pack(1, status, 8 + len(body), 0, 1, 0) + body)
        assert channel.receive().body == b"yes"


@pytest.fixture
def server():
    with Double() as double:
        yield double


@pytest.fixture
def driver(server):
    """Microsoft's driver, connected."""
    mssql_python.pooling(enabled=False)
    connection = mssql_python.connect(
        f"Server={server.address};Database=coinlake;UID={server.user};PWD={{{server.password}}};Encrypt=yes;"
        f"ServerCertificate={server.certificate}",
        autocommit=True,
    )
    for batch in SCHEMA:
        connection.execute(batch)
    yield connection
    connection.close()


class TestDriver:
    def test_parameters_keep_every_type(self, driver):
        driver.execute(
            "CREATE TABLE s.t (a INT NULL, b BIGINT NULL, c BIT NULL, d DATE NULL, e DATETIME2(6) NULL, "
            f"f FLOAT(53) NULL, g DECIMAL(38, 18) NULL, h NVARCHAR(MAX) {TEXT} NULL)"
        )
        values = (
            1, 2**63 - 1, True, date(2026, 8, 12), datetime(2026, 8, 12, 14, 22, 0, 123456), 0.1,
            Decimal("12345678901234567890.123456789012345678"), "ü🐕" * 3000,
        )  # fmt: skip
        question = "INSERT INTO s.t (a, b, c, d, e, f, g, h) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        cursor = driver.cursor()
        for row in (values, (None,) * 8):
            cursor.execute(question, row)
            assert cursor.rowcount == 1
        found = cursor.execute("SELECT a, b, c, d, e, f, g, h FROM s.t ORDER BY a").fetchall()
        assert [tuple(row) for row in found] == [(None,) * 8, values]

    def test_many_rows_in_batched_calls(self, driver):
        cursor = driver.cursor()
        cursor.executemany("INSERT INTO s.p (k, n) VALUES (?, ?)", [(n, str(n)) for n in range(2, 102)])
        assert cursor.execute("SELECT COUNT(*) AS rows FROM s.p").fetchval() == 101

    def test_a_prepared_statement_runs_again(self, driver):
        cursor = driver.cursor()
        for n in (2, 3):
            cursor.execute("INSERT INTO s.p (k) VALUES (?)", n)
        assert cursor.execute("SELECT COUNT(*) AS rows FROM s.p WHERE k > ?", 1).fetchval() == 2

    def test_commit_and_rollback(self, driver):
        driver.setautocommit(False)
        for n, end in ((2, driver.rollback), (3, driver.commit)):
            driver.execute("INSERT INTO s.p (k) VALUES (?)", n)
            end()
        driver.setautocommit(True)
        assert [row[0] for row in driver.execute("SELECT k FROM s.p ORDER BY k").fetchall()] == [1, 3]

    @pytest.mark.parametrize(
        ("batch", "kind", "text"),
        [
            ("INSERT INTO s.p (k) VALUES (1)", mssql_python.IntegrityError, "PRIMARY KEY"),
            ("SELECT k FROM s.x", mssql_python.ProgrammingError, "Invalid object name"),
            ("SELECT @x AS x", mssql_python.DatabaseError, 'Must declare the scalar variable "@x"'),
            ("SELECT IIF(k > 1, 1, 0) AS x FROM s.p", mssql_python.DatabaseError, "The double refuses to guess"),
        ],
    )
    def test_errors_reach_the_client(self, driver, batch, kind, text):
        with pytest.raises(kind, match=text):
            driver.execute(batch)


class Client:
    """The bare protocol, for what no driver sends when it is asked."""

    def __init__(self, server: Double, encryption: int = 1):
        host, port = server.address.split(",")
        self._socket = socket.create_connection((host, int(port)), timeout=10)
        self._plain = encryption == requests.ENCRYPTION_UNAVAILABLE
        self._channel = Channel(Plain(self._socket))
        self._channel.send(requests.write_prelogin({0: bytes(6), 1: bytes([encryption])}), Kind.PRELOGIN)
        self.greeting = requests.read_prelogin(self._channel.receive().body)

    def __enter__(self) -> "Client":
        if not self._plain:
            self._shake_hands()
        return self

    def _shake_hands(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        arriving, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arriving, leaving)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._channel.send(leaving.read(), Kind.PRELOGIN)
                arriving.write(self._channel.receive().body)
        self._channel.stream = Secure(self._socket, tls, arriving, leaving)

    def __exit__(self, *problem: object) -> None:
        self._socket.close()

    def log_in(self, server: Double, version: int = 0x74000004) -> bytes:
        """LOGIN7 with user, password and database; returns the answer."""
        texts = [b""] * 9
        password = bytes(((b << 4 | b >> 4) & 0xFF) ^ 0xA5 for b in server.password.encode("utf-16-le"))
        texts[1], texts[2] = server.user.encode("utf-16-le"), password
        texts[8] = server.database.name.encode("utf-16-le")
        start, places = 94, b""
        for text in texts:
            places += struct.pack("<HH", start, len(text) // 2)
            start += len(text)
        fixed = struct.pack("<IIIIIBBBBII", version, 4096, 0, 0, 0, 0, 0, 0, 0, 0, 0) + places
        body = (fixed + bytes(94 - 4 - len(fixed))) + b"".join(texts)
        return self.ask(Kind.LOGIN, struct.pack("<I", len(body) + 4) + body)

    def ask(self, kind: Kind, body: bytes, status: int = 0) -> bytes:
        """One message and the body of its answer."""
        message = HEADER.pack(kind, status | END_OF_MESSAGE, len(body) + 8, 0, 1, 0) + body
        self._channel.stream.write(message)
        return self._channel.receive().body

    def batch(self, text: str, transaction: int = 0, status: int = 0) -> bytes:
        return self.ask(Kind.BATCH, headers(transaction) + text.encode("utf-16-le"), status)

    def call(self, procedure: str, *parameters: bytes) -> bytes:
        name = struct.pack("<H", len(procedure)) + procedure.encode("utf-16-le")
        return self.ask(Kind.CALL, headers() + name + bytes(2) + b"".join(parameters))


class Secure:
    """The client's side of TLS, as a stream."""

    def __init__(self, connection, tls, arriving, leaving):
        self._socket, self._tls, self._arriving, self._leaving = connection, tls, arriving, leaving

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            try:
                data += self._tls.read(count - len(data))
            except ssl.SSLWantReadError:
                self._arriving.write(self._socket.recv(65536))
        return data

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._socket.sendall(self._leaving.read())


def headers(transaction: int = 0) -> bytes:
    """ALL_HEADERS with the transaction that the client believes to be in."""
    return struct.pack("<IIHQI", 22, 18, 2, transaction, 1)


def text_parameter(value: str) -> bytes:
    return b"\0\0" + nvarchar(4000).encode() + types.write_value(nvarchar(4000), value)


def int_parameter(value: int) -> bytes:
    return b"\0\0" + INT.encode() + types.write_value(INT, value)


def error_number(answer: bytes) -> int | None:
    """The number of the error that an answer begins with."""
    return struct.unpack_from("<I", answer, 3)[0] if answer[0] == 0xAA else None


class TestProtocol:
    @pytest.fixture
    def client(self, server):
        with Client(server) as opened:
            assert opened.log_in(server)[0] == 0xE3
            yield opened

    def test_nothing_but_encrypted_connections(self, server):
        with Client(server) as willing, Client(server, requests.ENCRYPTION_UNAVAILABLE) as plain:
            assert willing.greeting[1] == plain.greeting[1] == bytes([requests.ENCRYPTION_REQUIRED])
            assert plain._socket.recv(1) == b""

    def test_another_version_of_the_protocol_is_refused(self, server):
        with Client(server) as client:
            assert error_number(client.log_in(server, version=0x73000003)) == 17832

    def test_a_client_that_is_cut_off_while_the_double_ends_is_no_error(self):
        for _ in range(30):
            with Double() as server:
                host, port = server.address.split(",")
                with socket.create_connection((host, int(port))) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def test_an_attention_is_acknowledged(self, client):
        assert client.ask(Kind.ATTENTION, b"") == struct.pack("<BHHQ", 0xFD, 0x20, 0, 0)

    def test_prepare_execute_unprepare(self, client):
        client.batch("CREATE SCHEMA s")
        client.batch("CREATE TABLE s.t (x INT NULL)")
        declared, text = text_parameter("@P1 INT"), text_parameter("INSERT INTO s.t (x) VALUES (@P1)")
        prepared = client.call("sp_prepare", int_parameter(0), declared, text, int_parameter(1))
        handle = prepared[prepared.index(0xAC) :]
        assert types.INT.encode() + b"\x04\x01\0\0\0" in handle
        done = client.call("sp_execute", int_parameter(1), int_parameter(7))
        # The count of the statement inside, the status of the procedure, and its end.
        assert done == (
            struct.pack("<BHHQ", 0xFF, 0x11, 0, 1) + b"\x79" + bytes(4) + struct.pack("<BHHQ", 0xFE, 0, 0, 0)
        )
        assert client.call("sp_unprepare", int_parameter(1))[0] == 0x79
        assert error_number(client.call("sp_execute", int_parameter(1), int_parameter(7))) == 2812

    def test_other_procedures_are_refused(self, client):
        assert error_number(client.call("xp_cmdshell", text_parameter("dir"))) == 2812

    def test_a_request_for_another_transaction_is_refused(self, client):
        assert error_number(client.batch("SELECT 1 AS x", transaction=7)) == 3989

    def test_a_question_mark_is_no_parameter_in_a_batch(self, client):
        assert error_number(client.batch("SELECT ? AS x")) == 102

    def test_a_reset_connection_is_as_new(self, client, server):
        begun = client.batch("BEGIN TRANSACTION")
        assert begun[:4] == b"\xe3\x0b\0\x08"
        transaction = struct.unpack_from("<Q", begun, 5)[0]
        assert client.batch("SELECT 1 AS x", transaction)[0] == 0x81
        answer = client.batch("SELECT 1 AS x", status=RESET_CONNECTION)
        assert answer[:4] == b"\xe3\x03\0\x12"
        assert client.batch("SELECT 1 AS x")[0] == 0x81

    def test_rows_without_an_announcement_are_refused(self, client):
        assert error_number(client.ask(Kind.BULK, b"\x81\0\0")) == 4022

    def test_what_cannot_be_read_is_an_error_and_not_the_end(self, client):
        assert error_number(client.call("sp_executesql", b"\0\0\xf1")) == 50000
        assert client.batch("SELECT 1 AS x")[0] == 0x81
