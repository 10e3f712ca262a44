"""The warehouse in Azure SQL Database, by Microsoft's driver mssql-python.

Rows travel by bulk copy, over a connection of their own, into the staging tables; merges and deletes are one
transaction. The service may drop a connection at any moment, and says by words only that it was its own fault
(the driver's exceptions carry no number), so the whole load is what is done again: see `TRANSIENT`.
"""

import logging
import os
import random
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from coinlake import runtime
from coinlake.errors import CoinlakeError, ConfigurationError, WarehouseError
from coinlake.runtime import Secret
from coinlake.warehouse.base import LOADED, Change, Done, Parameters, Session, Warehouse
from coinlake.warehouse.sql import portable_tsql, scripts

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SECRET_NAME = "sql-connection"
PROVIDER = "MSSQL_PYTHON_NATIVE_PROVIDER"  # the environment variable that settles which driver is used

# Seconds before each new attempt. A serverless database that sleeps takes a minute to wake (40613 until then).
PAUSES = (5.0, 10.0, 20.0, 40.0, 60.0)
LOGIN_SECONDS = 30
BULK_SECONDS = 1800

# What the service says when asking again can help, by error number. Bulk copy shows the number, other statements
# the words only. Source: Microsoft.Data.SqlClient, SqlConfigurableRetryFactory.BaselineTransientErrors, and the
# documentation of Azure SQL Database, "Troubleshoot transient connection errors".
TRANSIENT = {
    233: "then an error occurred during the login process",
    615: "Could not find database ID",
    926: "It has been marked SUSPECT by recovery",
    1204: "cannot obtain a LOCK resource",
    1205: "deadlocked",
    1222: "Lock request time out period exceeded",
    3961: "modified by a DDL statement in another concurrent transaction",
    4060: "Cannot open database",
    4221: "Login to read-secondary failed due to long wait",
    10928: "limit for the database is",
    10929: "minimum guarantee is",
    40143: "The service has encountered an error",
    40197: "The service has encountered an error",
    40501: "The service is currently busy",
    40540: "The service has encountered an error",
    40613: "is not currently available",
    42108: "Can not connect to the SQL pool since it is paused",
    42109: "The SQL pool is warming up",
    49918: "Not enough resources to process request",
    49919: "Too many create or update operations in progress",
    49920: "Too many operations in progress",
}
# What the driver says when the connection broke.
BROKEN = (
    "Communication link failure",
    "Connection closed",
    "Connection reset",
    "Connection refused",
    "Broken pipe",
    "TCP Provider",
    "connection is broken",
    "Connection is closed",
    "timed out",
    "Timeout expired",
    "Failed to receive token",
    "unexpected eof",
    "A network-related or instance-specific error",
)
# What to do about what no new attempt can change, or none has changed.
REMEDIES = {
    "Cannot open database": "Check sql_database, and that this identity is a user there (sql/azure/access).",
    "Login failed": "Check the secret, or that this identity is a user of the database (sql/azure/access).",
    "is not allowed to access the server": "Add this machine's address to the server's firewall rules.",
    "certificate verify failed": "The server's certificate is not trusted: check the parameter sql_server.",
    "Deny Public Network Access": "The server is closed to the internet: be inside its network.",
    "permission was denied": "Give this identity the role coinlake_loader (sql/azure/access).",
}

NAME = re.compile(r"[^\[\]'\"$;]{1,128}")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EntraId:
    """Who somebody is in Microsoft Entra ID: a group's object id or an identity's application id, a GUID."""

    guid: str
    is_group: bool = False

    def filled(self, batch: str) -> str:
        """A batch of user_by_id.sql with this id, its bytes in the order of SQL Server's UNIQUEIDENTIFIER."""
        sid = UUID(self.guid).bytes_le.hex().upper()
        return batch.replace("0" * 32, sid).replace("TYPE = E", f"TYPE = {'X' if self.is_group else 'E'}")


class Unavailable(WarehouseError):
    """The server cannot do it just now; the same work may succeed a little later."""


class AzureSqlWarehouse(Warehouse):
    """The warehouse in one database of a server, for one load at a time.

    `identity` signs in: a connection secret "UID=…;PWD=…", or a credential of azure-identity.
    `certificate` is the server's own certificate (a PEM file) where no public authority vouches for it; of
    the driver's two providers only mssql-odbc heeds it.
    `wait` gets the seconds before a new attempt; `chance` gives numbers from 0 to 1 that spread them.
    """

    def __init__(
        self,
        server: str,
        database: str,
        identity: "Secret | TokenCredential",
        *,
        certificate: Path | None = None,
        pauses: Sequence[float] = PAUSES,
        wait: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.server = server
        self.database = database
        self._identity = identity
        self._certificate = certificate
        self._pauses = pauses
        self._wait = wait
        self._chance = chance

    @property
    def name(self) -> str:
        """Server and database."""
        return f"{self.server}/{self.database}"

    def fingerprint(self) -> str:
        """The rows of each table, and the last load that wrote one."""
        counts = [f"(SELECT COUNT(*) FROM {table.qualified_name}) AS {table.name}" for table in LOADED]
        last = "(SELECT COALESCE(MAX(load_id), 0) FROM control.load_log) AS last_load"
        (row,) = self.query(f"SELECT {', '.join([last, *counts])}").to_dict("records")
        return " ".join(f"{name}={count}" for name, count in row.items())

    def __repr__(self) -> str:
        return f"AzureSqlWarehouse({self.server!r}, {self.database!r})"

    def extras(self) -> list[Path]:
        """Indexes, and the procedure that Data Factory calls."""
        return scripts.azure_objects()

    def give_access(
        self, users: Mapping[str, Iterable[str]], ids: Mapping[str, EntraId] = MappingProxyType({})
    ) -> None:
        """Make the roles, and users with them: role -> names in Microsoft Entra ID. An administrator's work.

        Names are those of managed identities, service principals, groups or people; doing it twice is harmless.
        The server asks the directory for a name without an id, which a service principal must not.
        Raises WarehouseError, among others when the warehouse is not built yet: roles need its schemas.
        """
        by_name = portable_tsql.read(scripts.azure_access("user"))
        by_id = portable_tsql.read(scripts.azure_access("user_by_id"))
        with self._connected() as session:
            session.run(scripts.azure_access("roles"))
            for role, names in users.items():
                for name in names:
                    for batch in by_id if name in ids else by_name:
                        self._about_member(session, ids[name].filled(batch) if name in ids else batch, role, name)

    def take_access(self, members: Mapping[str, Iterable[str]]) -> None:
        """Take members out of roles: role -> names; who is in no role can do nothing. An administrator's work."""
        (batch,) = portable_tsql.read(scripts.azure_access("member_goes"))
        with self._connected() as session:
            for role, names in members.items():
                for name in names:
                    self._about_member(session, batch, role, name)

    def _about_member(self, session: "AzureSqlSession", batch: str, role: str, name: str) -> None:
        if not NAME.fullmatch(name):
            raise ConfigurationError(f"{name!r} cannot be a user of {self}: a name has no quotes or brackets.")
        session.execute(batch.replace("$(principal)", name).replace("$(role)", role), f"user {name}")

    def attempt(self, work: Callable[[], Done]) -> Done:
        """Do the work; begin it anew, after a growing pause, while the server cannot be reached or is too busy.

        Raises WarehouseError when the last attempt fails too.
        """
        for pause in self._pauses:
            try:
                return work()
            except Unavailable as problem:
                seconds = pause * (0.5 + 0.5 * self._chance())
                log.warning("%s Trying again in %.0f seconds.", problem, seconds)
            self._wait(seconds)
        return work()

    @contextmanager
    def reading(self) -> Iterator["AzureSqlSession | None"]:
        """A session that sees the database as of one moment; None before the first load."""
        with self._connected() as session:
            session.run(scripts.azure_session("read"))
            with session.transaction():
                built = session.query(
                    "SELECT COUNT(*) AS answer FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'reporting'"
                )
                yield session if built.column("answer")[0].as_py() else None

    @contextmanager
    def writing(self) -> Iterator["AzureSqlSession"]:
        """A session that holds the lock of loads; what it does outside a transaction is only staging."""
        with self._connected() as session:
            answer = session.run(scripts.azure_session("lock"))
            if answer is None or answer["granted"][0].as_py() < 0:
                # Perhaps only an attempt of our own, whose broken connection the server still holds open.
                raise Unavailable(f"Another load of {self} is under way. Wait until it has ended and load again.")
            yield session
            session.run(scripts.azure_session("unlock"))

    @contextmanager
    def _connected(self) -> Iterator["AzureSqlSession"]:
        driver = _driver()
        signing_in = {} if isinstance(self._identity, Secret) else {"token_provider": self._identity}
        with self.errors("connection"):
            connection = driver.connect(
                self._connection_string(), autocommit=True, timeout=LOGIN_SECONDS, **signing_in
            )
        try:
            session = AzureSqlSession(connection, self)
            session.run(scripts.azure_session("open"))
            yield session
        finally:
            connection.close()

    def _connection_string(self) -> str:
        parts = {
            "Server": self.server,
            "Database": self.database,
            "Encrypt": "yes",
            "TrustServerCertificate": "no",
            "ConnectRetryCount": "0",  # a session that comes back by itself would come back without its lock
        }
        if self._certificate:
            parts["ServerCertificate"] = str(self._certificate)
        if isinstance(self._identity, Secret):
            parts |= _sign_in(self._identity)
        return ";".join(f"{name}={_in_braces(value)}" for name, value in parts.items())

    @contextmanager
    def errors(self, where: str) -> Iterator[None]:
        """Turn what the driver raises into WarehouseError or Unavailable, without a secret in it."""
        message = ""
        try:
            yield
        except CoinlakeError:
            raise
        except Exception as problem:
            message = self._without_secrets(getattr(problem, "ddbc_error", "") or str(problem))
        # Raised out here, so that no traceback leads to the driver's own exception.
        if message:
            raise _failure(f"{self.server}, {self.database}, {where}", message)

    def _without_secrets(self, text: str) -> str:
        if isinstance(self._identity, Secret):
            text = text.replace(_sign_in(self._identity)["PWD"], "***")
        return text


class AzureSqlSession(Session):
    """A connection of mssql-python; it takes any T-SQL."""

    def __init__(self, connection: Any, warehouse: AzureSqlWarehouse) -> None:
        self._connection = connection
        self._warehouse = warehouse

    def execute(self, batch: str, where: str, parameters: Parameters = ()) -> int:
        """Run one batch; returns the rows that it changed."""
        with self._warehouse.errors(where), self._connection.cursor() as cursor:
            cursor.execute(*_bound(batch, parameters))
            changed = cursor.rowcount
            # Declarations come first in a batch: what counts, and what fails, is the statement after them.
            while cursor.nextset():
                changed = cursor.rowcount
            return max(changed, 0)

    def query(self, select: str, where: str = "query", parameters: Parameters = ()) -> pa.Table:
        """The answer to one SELECT; text in Arrow's type for text, which the driver gives as large text."""
        with self._warehouse.errors(where), self._connection.cursor() as cursor:
            cursor.execute(*_bound(select, parameters))
            while cursor.description is None and cursor.nextset():
                pass
            return cursor.arrow()

    def run(self, path: Path) -> pa.Table | None:
        """Run a file of sql/azure; returns the answer of its last batch, if there is one."""
        answer = None
        for batch in portable_tsql.read(path):
            with self._warehouse.errors(scripts.name(path)), self._connection.cursor() as cursor:
                cursor.execute(batch)
                while cursor.description is None and cursor.nextset():
                    pass
                answer = cursor.arrow() if cursor.description else None
        return answer

    def stage(self, change: Change, load_id: int) -> None:
        """Bulk copy: one statement, in its own connection and transaction."""
        rows = change.rows
        rows = rows.append_column("load_id", pa.array([load_id] * rows.num_rows, pa.int32()))
        if not rows.num_rows:
            return
        name = f"staging.{change.table.name}"
        with self._warehouse.errors(name), self._connection.cursor() as cursor:
            cursor.bulkcopy_arrow(
                name,
                rows,
                timeout=BULK_SECONDS,
                column_mappings=rows.column_names,
                table_lock=True,
                keep_nulls=True,
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What happens inside is committed together, or rolled back."""
        with self._warehouse.errors("BEGIN TRANSACTION"):
            self._connection.setautocommit(False)
        try:
            yield
        except BaseException:
            self._give_up()
            raise
        with self._warehouse.errors("COMMIT"):
            self._connection.commit()
            self._connection.setautocommit(True)

    def _give_up(self) -> None:
        try:
            self._connection.rollback()
            self._connection.setautocommit(True)
        except Exception as problem:
            # The connection is gone, and the transaction went with it: what broke it is the error to show.
            log.debug("No rollback: %s", type(problem).__name__)

    def settle_keys(self) -> None:
        """Nothing to do: the server checks keys against what the transaction did so far."""


def sign_in(
    secret_scope: str = "", key_vault_url: str = "", service_credential: str = ""
) -> "Secret | TokenCredential":
    """Who loads: on Databricks a service credential of Unity Catalog, else the secret sql-connection where there
    is one, else a credential of azure-identity.

    The last is the first of these that answers: the managed identity of this machine, the service principal in
    AZURE_CLIENT_ID and its companions, the account of `az login`. Machines of Databricks have none of them.
    Raises ConfigurationError when there is no such service credential.
    """
    if service_credential:
        return _service_credential(service_credential)
    secret = runtime.get_secret(SECRET_NAME, secret_scope, key_vault_url, dbutils=runtime.dbutils())
    if secret:
        return secret
    from azure.identity import (
        AzureCliCredential,
        ChainedTokenCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
    )

    return ChainedTokenCredential(ManagedIdentityCredential(), EnvironmentCredential(), AzureCliCredential())


def _service_credential(name: str) -> "TokenCredential":
    """The managed identity behind a service credential, which only Unity Catalog lends out."""
    utilities = runtime.dbutils()
    if utilities is None:
        raise ConfigurationError(
            f"sql_credential is {name!r}, but service credentials exist only on Databricks: leave it empty here."
        )
    try:
        return utilities.credentials.getServiceCredentialsProvider(name)
    except Exception as problem:
        raise ConfigurationError(
            f"Unity Catalog does not lend the service credential {name!r} ({type(problem).__name__}). "
            "Check that it exists and that this identity has ACCESS on it: coinlake governance diff"
        ) from None


@cache
def _driver() -> Any:
    """mssql-python, set up for a machine as bare as it may be."""
    import mssql_python

    # Its ODBC driver needs libltdl, which minimal systems lack; its Rust driver needs nothing.
    if sys.platform == "linux" and not find_library("ltdl") and not os.environ.get(PROVIDER):
        mssql_python.native_provider = "mssql-odbc"  # type: ignore[attr-defined]  # read, but not declared
    # A pooled connection keeps the lock of loads after its session was closed.
    mssql_python.pooling(enabled=False)
    return mssql_python


def _sign_in(secret: Secret) -> dict[str, str]:
    """User and password of a connection secret; raises ConfigurationError that shows nothing of it."""
    found = re.fullmatch(r"UID=([^;]+);\s*PWD=(\{([^}]|}})+}|[^;{][^;]*);?", secret.reveal(), re.IGNORECASE)
    if not found:
        raise ConfigurationError(
            f"The secret {SECRET_NAME} is not of the form UID=<user>;PWD=<password>. Write it so: server, "
            "database and encryption are not its business."
        )
    user, password, _ = found.groups()
    if password.startswith("{"):
        password = password[1:-1].replace("}}", "}")
    return {"UID": user, "PWD": password}


def _in_braces(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def _bound(batch: str, parameters: Parameters) -> tuple[Any, ...]:
    """The batch and its values; variables are declared in front of it."""
    if isinstance(parameters, Mapping):
        declared = [f"DECLARE @{name} INT = {int(value)};\n" for name, value in parameters.items()]
        return ("".join([*declared, batch]),)
    return (batch, tuple(parameters)) if parameters else (batch,)


def _failure(where: str, text: str) -> WarehouseError:
    """The error to raise for what the driver said: Unavailable when asking again can help."""
    text = re.sub(r"^(\[[^]]*\]\s*)+", "", text).strip()  # [Microsoft][SQL Server]
    number = re.search(r"Sql Error: (\d+)", text)
    lower = text.lower()
    may_pass = (number and int(number[1]) in TRANSIENT) or any(
        words.lower() in lower for words in (*TRANSIENT.values(), *BROKEN)
    )
    remedy = next((advice for words, advice in REMEDIES.items() if words.lower() in lower), "")
    kind = Unavailable if may_pass else WarehouseError
    return kind(f"{where}: {text} {remedy}".rstrip())
