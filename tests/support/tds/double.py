"""The server: accepts connections, answers requests, and fails when it is told to."""

import contextlib
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqlglot import tokenize
from sqlglot.tokens import TokenType

from tests.support.tds import procedure, requests, tokens, types
from tests.support.tds.certificate import make_certificate
from tests.support.tds.engine import Answer, Database
from tests.support.tds.objects import COMPILED
from tests.support.tds.tokens import Column, ServerError
from tests.support.tds.types import BIT, INT, nvarchar
from tests.support.tds.wire import RESET_CONNECTION, Channel, Encrypted, Gone, Kind, Message, Plain, Reader

# Texts of the real service for the errors that tests ask for.
TEXTS = {
    1205: "Transaction (Process ID 61) was deadlocked on lock resources with another process and has been chosen "
    "as the deadlock victim. Rerun the transaction.",
    233: "A connection was successfully established with the server, but then an error occurred during the login "
    "process. (provider: Shared Memory Provider, error: 0 - No process is on the other end of the pipe.)",
    615: "Could not find database ID 5, name 'coinlake'.",
    926: "Database 'coinlake' cannot be opened. It has been marked SUSPECT by recovery.",
    4060: 'Cannot open database "coinlake" requested by the login. The login failed.',
    4221: "Login to read-secondary failed due to long wait on 'HADR_DATABASE_WAIT_FOR_TRANSITION_TO_VERSIONING'.",
    40540: "The service has encountered an error processing your request. Please try again.",
    42109: "The SQL pool is warming up. Please try again.",
    10928: "Resource ID: 1. The request limit for the database is 60 and has been reached.",
    10929: "Resource ID: 1. The request minimum guarantee is 0, maximum limit is 60, and the current usage for "
    "the database is 61. However, the server is currently too busy to support requests greater than 0.",
    40197: "The service has encountered an error processing your request. Please try again. Error code 4221.",
    40501: "The service is currently busy. Retry the request after 10 seconds. Incident ID: 1. Code: 1.",
    40613: "Database 'coinlake' on server 'double' is not currently available. Please retry the connection later.",
    40615: "Cannot open server 'double' requested by the login. Client with IP address '192.0.2.1' is not allowed "
    "to access the server.",
    49918: "Cannot process request. Not enough resources to process request. Please retry your request later.",
}
SPACES = re.compile(r"\s+")
COMMENT = re.compile(r"(?m)^\s*--.*$")
DECLARED = re.compile(r"DECLARE @(\w+) INT = (\d+);\s+")


@dataclass
class Fault:
    """What goes wrong: an error number; "drop" before the request is done, or "drop after" it was; or "kill",
    which ends the whole process at once.

    `when` is the start of a request as `Double.requests` shows it (login, commit, bulk …, or T-SQL), or how many
    requests from now it is.
    """

    when: str | int
    what: int | str
    times: int


class Dropped(Exception):
    """The connection is cut on purpose."""


class Double:
    """Listens on 127.0.0.1 from `with` to its end. `path` keeps the database in a file.

    `requests` lists what clients asked for, one line each; `certificate` is the file that they must trust.
    """

    def __init__(
        self,
        database: str = "coinlake",
        user: str = "loader",
        password: str = "Correct-Horse-7!",
        token: str = "an access token",
        path: Path | None = None,
        port: int = 0,
        certificate: tuple[Path, Path] | None = None,
    ):
        self.user, self.password, self.token = user, password, token
        self.database = Database(database, path)
        self.requests: list[str] = []
        self.certificate, key = certificate or make_certificate()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.maximum_version = ssl.TLSVersion.TLSv1_2
        self._tls.load_cert_chain(self.certificate, key)
        self._faults: list[Fault] = []
        self._mutex = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    @property
    def address(self) -> str:
        """Host and port, as connection strings write them."""
        return f"127.0.0.1,{self._listener.getsockname()[1]}"

    def __enter__(self) -> "Double":
        self._acceptor.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(10)
        self._listener.close()
        with self._mutex:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # its client has cut it already
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self.database.close()

    def fault(self, when: str | int, what: int | str, times: int = 1) -> None:
        """Let a coming request go wrong, so many times."""
        with self._mutex:
            self._faults.append(Fault(len(self.requests) + when if isinstance(when, int) else when, what, times))

    def heal(self) -> None:
        """Forget the faults that did not happen."""
        with self._mutex:
            self._faults.clear()

    def arrives(self, request: str) -> int | str | None:
        """Note a request; returns what shall go wrong with it."""
        request = SPACES.sub(" ", request).strip()
        with self._mutex:
            place = len(self.requests)
            self.requests.append(request)
            for fault in self._faults:
                due = fault.when == place if isinstance(fault.when, int) else request.startswith(fault.when)
                if due and fault.times:
                    fault.times -= 1
                    return fault.what
        return None

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._mutex:
                self._connections.add(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            Conversation(self, connection, self._tls).run()
        except (Gone, Dropped, OSError):
            pass
        finally:
            with self._mutex:
                self._connections.discard(connection)
            connection.close()


class Conversation:
    """One client, from its first message to its last."""

    def __init__(self, server: Double, connection: socket.socket, tls: ssl.SSLContext):
        self._server = server
        self._plain = Plain(connection)
        self._tls = tls
        self._channel = Channel(self._plain)
        self._prepared: dict[int, tuple[str | None, str]] = {}
        self._bulk: str | None = None

    def run(self) -> None:
        """Raises Gone when the client leaves, Dropped when a fault cuts it off."""
        self._greet()
        self._session = self._server.database.session()
        try:
            if self._log_in():
                while True:
                    self._answer(self._channel.receive())
        finally:
            self._session.close()

    def _greet(self) -> None:
        asked = requests.read_prelogin(self._channel.receive().body)
        answer = {
            requests.VERSION: bytes([12, 0, 0x07, 0xD0, 0, 0]),
            requests.ENCRYPTION: bytes([requests.ENCRYPTION_REQUIRED]),
        }
        if requests.FEDERATED in asked:
            answer[requests.FEDERATED] = b"\x01"
        self._channel.send(requests.write_prelogin(answer))
        if asked[requests.ENCRYPTION][0] == requests.ENCRYPTION_UNAVAILABLE:
            raise Gone
        stream = Encrypted(self._plain, self._tls)
        stream.shake_hands(self._channel)
        self._channel.stream = stream

    def _log_in(self) -> bool:
        login = requests.read_login(self._channel.receive().body)
        server = self._server
        try:
            after = self._fail_if_told("login")
            if login.version != tokens.VERSION_7_4:
                raise ServerError(17832, f"The double speaks TDS 7.4, the client 0x{login.version:08X}.", 20)
            if login.token is not None and login.token != server.token:
                raise ServerError(18456, "Login failed for user '<token-identified principal>'.", 14)
            if login.token is None and (login.user, login.password) != (server.user, server.password):
                raise ServerError(18456, f"Login failed for user '{login.user}'.", 14)
            if login.database != server.database.name:
                raise ServerError(
                    4060, f'Cannot open database "{login.database}" requested by the login. The login failed.', 11
                )
        except ServerError as problem:
            self._channel.send(tokens.error(problem) + tokens.done(tokens.FAILED))
            return False
        after()
        self._channel.packet_size = min(max(login.packet_size, 512), 32767)
        answer = tokens.login_accepted(server.database.name, self._channel.packet_size)
        self._channel.send(answer + (tokens.token_accepted() if login.token else b"") + tokens.done())
        return True

    def _fail_if_told(self, request: str) -> Callable[[], None]:
        """Note a request. Returns what is to be called once it is done, before it is answered."""
        what = self._server.arrives(request)
        if what == "kill":
            os._exit(9)
        if what == "drop":
            raise Dropped
        if isinstance(what, int):
            raise ServerError(what, TEXTS[what], 13 if what == 1205 else 16)

        def after() -> None:
            if what == "drop after":
                raise Dropped

        return after

    def _answer(self, message: Message) -> None:
        before = self._session.transaction
        head = b""
        if message.status & RESET_CONNECTION:
            self._session.reset()
            head = tokens.connection_reset()
        try:
            body = self._dispatch(message)
        except ServerError as problem:
            body = tokens.error(problem) + self._done(tokens.FAILED)
        except ValueError as problem:
            refusal = ServerError(50000, f"The double cannot read this: {problem}")
            body = tokens.error(refusal) + self._done(tokens.FAILED)
        self._channel.send(head + self._transaction_news(before) + body)

    def _transaction_news(self, before: int) -> bytes:
        now = self._session.transaction
        if before == now:
            return b""
        news = b""
        if before:
            news += tokens.transaction_changed(self._ended, before)
        if now:
            news += tokens.transaction_changed(tokens.BEGAN, now)
        return news

    def _done(self, status: int = 0, count: int | None = None, token: int = tokens.DONE) -> bytes:
        return tokens.done(status | (tokens.IN_TRANSACTION if self._session.transaction else 0), count, token)

    def _dispatch(self, message: Message) -> bytes:
        self._ended = tokens.ROLLED_BACK
        if message.kind == Kind.ATTENTION:
            return self._done(tokens.ATTENTION)
        if message.kind == Kind.BULK:
            return self._load(Reader(message.body))
        reader = Reader(message.body)
        believed = reader.skip_headers()
        if believed != self._session.transaction:
            raise ServerError(3989, f"The request is for transaction {believed}, not {self._session.transaction}.")
        match message.kind:
            case Kind.BATCH:
                return self._batch(reader.rest().decode("utf-16-le"))
            case Kind.CALL:
                return self._calls(reader)
            case Kind.TRANSACTION:
                return self._transaction(reader.short())
        raise ValueError(f"a message of kind 0x{message.kind:02X}")

    def _transaction(self, request: int) -> bytes:
        match request:
            case 5:
                after = self._fail_if_told("begin")
                self._session.begin()
            case 7:
                after = self._fail_if_told("commit")
                self._commit()
            case 8:
                after = self._fail_if_told("rollback")
                self._session.rollback()
            case _:
                raise ValueError(f"transaction request {request}")
        after()
        return self._done()

    def _commit(self) -> None:
        self._session.commit()
        self._ended = tokens.COMMITTED

    def _batch(self, text: str) -> bytes:
        after = self._fail_if_told(text)
        line = SPACES.sub(" ", COMMENT.sub("", text)).strip().rstrip(";").strip()
        for pattern, special in SPECIAL:
            if found := re.fullmatch(pattern, line, re.IGNORECASE):
                answers = special(self, *found.groups())
                break
        else:
            answers = self._object(line)
        if answers is None:
            if any(token.token_type == TokenType.PLACEHOLDER for token in tokenize(text, read="tsql")):
                raise ServerError(102, "Incorrect syntax near '?'.", 15)
            # A declaration that gives a value is a statement of its own, done without a count.
            declared, (statement, values) = _with_variables(text)
            answers = [Answer()] * declared + [self._session.execute(statement, values)]
        after()
        parts = [
            self._tokens(answer, tokens.DONE, more=place < len(answers)) for place, answer in enumerate(answers, 1)
        ]
        return b"".join(parts) or self._done()

    def _object(self, line: str) -> list[Answer] | None:
        """What stands beside tables is made in a statement like any other; None when this is nothing of it."""
        for pattern, work in COMPILED:
            if found := pattern.fullmatch(line):
                with self._session.statement():
                    return work(self._session, *found.groups())
        return None

    def _tokens(self, answer: Answer, token: int, more: bool) -> bytes:
        status = tokens.MORE if more else 0
        if not answer.columns:
            return self._done(status, answer.changed, token)
        rows = tokens.rows(answer.columns, answer.rows)
        return tokens.columns(answer.columns) + rows + self._done(status, len(answer.rows), token)

    def _calls(self, reader: Reader) -> bytes:
        calls = list(requests.read_calls(reader))
        parts = []
        for place, call in enumerate(calls, 1):
            status = tokens.MORE | tokens.ONE_OF_MANY if place < len(calls) else 0
            try:
                parts.append(self._call(call.procedure, [value for _, value in call.parameters]))
            except ServerError as problem:
                parts.append(tokens.error(problem))
                status |= tokens.FAILED
            parts.append(self._done(status, token=tokens.DONE_PROCEDURE))
        return b"".join(parts)

    def _call(self, name: str, values: list) -> bytes:
        handle = b""
        match name, values:
            case "sp_executesql", [text, *rest]:
                declared, *parameters = rest or [""]
            case "sp_prepexec", [_, declared, text, *parameters]:
                handle = tokens.returned("handle", self._prepare(declared, text))
            case "sp_prepare", [_, declared, text, *_options]:
                return tokens.return_status() + tokens.returned("handle", self._prepare(declared, text))
            case "sp_execute", [number, *parameters] if number in self._prepared:
                declared, text = self._prepared[number]
            case "sp_unprepare", [number] if self._prepared.pop(number, None):
                return tokens.return_status()
            case _:
                raise ServerError(2812, f"Could not find stored procedure '{name}' with such parameters.")
        after = self._fail_if_told(text)
        names = [name.upper() for name in re.findall(r"@(\w+)", declared or "")]
        if len(names) != len(parameters):
            raise ServerError(8178, f"The call declares {len(names)} parameters and gives {len(parameters)}.")
        values = dict(zip(names, parameters, strict=True))
        if called := procedure.CALL.fullmatch(text):
            answer = procedure.call(self._session, *called.groups(), values)
        else:
            answer = self._session.execute(*with_values(text, values))
        after()
        return self._tokens(answer, tokens.DONE_IN_PROCEDURE, more=True) + tokens.return_status() + handle

    def _prepare(self, declared: str | None, text: str) -> int:
        number = len(self._prepared) + 1
        self._prepared[number] = (declared, text)
        return number

    # What drivers and the warehouse say beside portable T-SQL: SPECIAL leads here.

    def setting(self, name: str, value: str) -> list[Answer]:
        """SET: two settings mean something here, the others are those that portable T-SQL does not depend on."""
        if name.upper() == "XACT_ABORT":
            self._session.xact_abort = value.upper() == "ON"
        elif name.upper() == "IMPLICIT_TRANSACTIONS":
            self._session.implicit_transactions = value.upper() == "ON"
        return []

    def nothing(self) -> list[Answer]:
        """Taken without effect."""
        return []

    def autocommit(self) -> list[Answer]:
        """What the JDBC driver says when its autocommit is turned on."""
        self._session.implicit_transactions = False
        return self.commit()

    def begin(self) -> list[Answer]:
        self._session.begin()
        return []

    def commit(self) -> list[Answer]:
        self._commit()
        return []

    def rollback(self) -> list[Answer]:
        self._session.rollback()
        return []

    def lock(self, resource: str) -> list[Answer]:
        """sp_getapplock for the session, without waiting: 0 is granted, -1 is not."""
        granted = 0 if self._server.database.lock(resource, self._session) else -1
        return [Answer([Column("granted", INT)], [(granted,)])]

    def unlock(self, _resource: str) -> list[Answer]:
        """sp_releaseapplock: this session has one lock at most."""
        self._server.database.unlock(self._session)
        return []

    def announce_bulk(self, table: str, columns: str) -> list[Answer]:
        """INSERT BULK: the next message has the rows."""
        known = {column.name for column in self._session.columns(_plain(table))}
        named = re.findall(r"\[(.+?)\] ", columns)
        if unknown := [name for name in named if name not in known]:
            raise ServerError(207, f"Invalid column name '{unknown[0]}'.")
        self._bulk = _plain(table)
        return []

    def describe_table(self, table: str) -> list[Answer]:
        """What mssql-python asks before a bulk copy: open transactions, columns, and their collations."""
        columns = self._session.columns(_plain(table))
        collations = [(place, column.name, "Latin1_General_100_BIN2") for place, column in enumerate(columns, 1)]
        return [
            Answer([Column("", INT)], [(int(bool(self._session.transaction)),)]),
            Answer(columns, []),
            Answer(
                [Column("colid", INT), Column("name", nvarchar(128)), Column("collation", nvarchar(128))],
                collations,
            ),
        ]

    def edition(self) -> list[Answer]:
        """Which engine it is: 5 is Azure SQL Database."""
        return [Answer([Column("", INT)], [(5,)])]

    def describe_columns(self, table: str) -> list[Answer]:
        """What Spark asks before it reads or writes, and the JDBC driver before a bulk copy: the columns."""
        return [Answer(self._session.columns(_plain(table)), [])]

    def describe_collations(self, table: str) -> list[Answer]:
        """And their collations, and whether they are computed."""
        rows = [
            ("Latin1_General_100_BIN2" if column.type.token == types.NVARCHAR else None, False)
            for column in self._session.columns(_plain(table))
        ]
        return [Answer([Column("collation_name", nvarchar(128)), Column("is_computed", BIT)], rows)]

    def _load(self, reader: Reader) -> bytes:
        table, self._bulk = self._bulk, None
        if table is None:
            raise ServerError(4022, "Bulk load data was expected but not sent. The batch will be terminated.")
        after = self._fail_if_told(f"bulk {table}")
        columns, rows = requests.read_bulk(reader)
        count = self._session.load(table, columns, rows)
        after()
        return self._done(count=count)


LOCK = (
    r"DECLARE @granted INT; EXEC @granted = sp_getapplock @Resource = N'(\S+)', @LockMode = 'Exclusive', "
    r"@LockOwner = 'Session', @LockTimeout = 0; SELECT @granted AS granted"
)
SPECIAL: tuple[tuple[str, Callable[..., list[Answer]]], ...] = (
    (r"SET (\w+) (ON|OFF|\d+)", Conversation.setting),
    (r"SET TRANSACTION ISOLATION LEVEL (?:READ COMMITTED|SNAPSHOT)", Conversation.nothing),
    (r"SET IMPLICIT_TRANSACTIONS OFF IF @@TRANCOUNT > 0 COMMIT TRAN", Conversation.autocommit),
    (r"BEGIN TRAN(?:SACTION)?", Conversation.begin),
    (r"(?:IF @@TRANCOUNT > 0 )?COMMIT(?: TRAN(?:SACTION)?)?", Conversation.commit),
    (r"(?:IF @@TRANCOUNT > 0 )?ROLLBACK(?: TRAN(?:SACTION)?)?", Conversation.rollback),
    (LOCK, Conversation.lock),
    (r"EXEC sp_releaseapplock @Resource = N'(\S+)', @LockOwner = 'Session'", Conversation.unlock),
    (r"INSERT BULK (\S+) \((.+?)\)(?: WITH \(.+\))?", Conversation.announce_bulk),
    (r"SELECT CAST\(SERVERPROPERTY\('EngineEdition'\) as INT\)", Conversation.edition),
    (r"SELECT \* FROM (\S+) WHERE 1=0", Conversation.describe_columns),
    (r"sp_executesql N'SET FMTONLY ON SELECT \* FROM (\S+) '", Conversation.describe_columns),
    (
        r"select collation_name, is_computed from sys\.columns where object_id=OBJECT_ID\('(\S+)'\)"
        r"(?: order by column_id ASC)?",
        Conversation.describe_collations,
    ),
    (r"SELECT @@TRANCOUNT;? .*SET FMTONLY ON.* FROM (\S+?)'.*", Conversation.describe_table),
)


def with_values(text: str, values: Mapping[str, Any]) -> tuple[str, list]:
    """A statement with ? where variables stood, and the value of each in order.

    Raises ServerError 137 for a variable that nobody declared.
    """
    parts, used, end = [], [], 0
    found = tokenize(text, read="tsql")
    for token, following in pairwise(found):
        if token.token_type == TokenType.PARAMETER:
            if following.text.upper() not in values:
                raise ServerError(137, f'Must declare the scalar variable "@{following.text}".', 15)
            parts += [text[end : token.start], "?"]
            used.append(values[following.text.upper()])
            end = following.end + 1
    return "".join([*parts, text[end:]]), used


def _with_variables(text: str) -> tuple[int, tuple[str, list]]:
    """How many declarations a batch begins with, and the rest as with_values gives it."""
    values = {}
    while declared := DECLARED.match(text):
        values[declared[1].upper()] = int(declared[2])
        text = text[declared.end() :]
    return len(values), with_values(text, values)


def _plain(table: str) -> str:
    return table.replace("[", "").replace("]", "")
