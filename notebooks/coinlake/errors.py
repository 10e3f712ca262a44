"""The errors that people meet: what is wrong, where, and what to do next.

CoinlakeError
  ConfigurationError    a parameter, an environment's file or a place that does not fit
  ApiError              an answer that makes it useless to go on asking
  LandingError          a run that could not be landed, a landed file that is missing or has changed
  StorageError          a table that is missing, is not what its description says, or must not be touched
  WarehouseError        a load that lost rows, broke a rule or found another warehouse than it left
    DamagedWarehouse    its file cannot be read any more
"""

import builtins
import re
import shlex
from urllib.parse import unquote

# What Spark and Delta say of a table's file that is missing, cut or overwritten.
DAMAGE = (
    "[FAILED_READ_FILE",
    "[DELTA_FILE_NOT_FOUND",
    "[DELTA_LOG_FILE_NOT_FOUND",
    "[DELTA_STATE_RECOVER_ERROR",
    "[DELTA_TRUNCATED_TRANSACTION_LOG",
    "[DELTA_VERSIONS_NOT_CONTIGUOUS",
    "FileNotFoundException",
    "JsonParseException",
    "JsonEOFException",
    "is not a Parquet file",
)
# What Python, Java and DuckDB say of a disk that takes no more.
FULL = ("No space left on device", "Disk quota exceeded")
# Where a lake in a folder keeps its tables: the lake, the schema, the table.
TABLE_FILE = re.compile(
    r"(?:file:(?://)?)?(/(?:(?!file:)[^\n])*?)/tables/(raw_data|cleaned_data|aggregated_data)/(\w+)"
)
MADE_AGAIN = {"raw_data": "silver", "cleaned_data": "silver", "aggregated_data": "gold"}
RAISED_BY_US = re.compile(r"coinlake\.errors\.StorageError: ([^\n]+)")


class CoinlakeError(Exception):
    """A problem that the reader of the message can solve.

    The message names what is wrong, where (table, file, parameter) and what to do next.
    """


class ConfigurationError(CoinlakeError):
    """A parameter, an environment's file or a place that does not fit."""


class ApiError(CoinlakeError):
    """An answer that makes it useless to go on asking."""


class LandingError(CoinlakeError):
    """A run that could not be landed, or a landed file that is missing or has changed."""


class StorageError(CoinlakeError):
    """A table that is missing, is not what its description says, or must not be touched."""


class WarehouseError(CoinlakeError):
    """A load that lost rows, broke a rule of the warehouse, or found another warehouse than it left."""


class DamagedWarehouse(WarehouseError):
    """The warehouse's file cannot be read any more: it was cut, or something else wrote into it."""


def rebuilt_by(lake: str, schema: str) -> str:
    """The command that makes the tables of a schema again, in a lake that is a folder."""
    return f"coinlake rebuild {MADE_AGAIN[schema]} --lake {shlex.quote(lake)}"


def brought_up_to_date_by(lake: str) -> str:
    """The command that takes in what the layers of a lake lack of the one below."""
    return f"coinlake run {shlex.quote(f'LAKE_PATH={lake}')}"


def damage(text: str) -> str | None:
    """What an error of Spark or Delta means, where it means that a table's file is damaged or gone; else None.

    The text tells, and not the class: an error of a session of its own is of another class than the same one
    through a server. What this package itself raised in a worker of the server is found in its text, too.
    """
    ours = RAISED_BY_US.search(text)
    if ours:
        return ours[1]
    found = TABLE_FILE.search(text)
    if not found or not any(said in text for said in DAMAGE):
        return None
    return damaged_file(unquote(found[1]), found[2], found[3])


def full_disk(text: str) -> str | None:
    """What an error means, where it means that a disk is full; else None."""
    if not any(said in text for said in FULL):
        return None
    return (
        "The disk of the lake, or that of temporary files, is full: free some space, and run again. "
        "Nothing is lost: what was being written is completed or made again then."
    )


def damaged_file(lake: str, schema: str, table: str) -> str:
    """What a person needs to know where a file of a table is damaged or gone, in a lake that is a folder."""
    return (
        f"{schema}.{table}: a file of this table in {lake}/tables is missing or damaged. Nothing is lost, the "
        f"table can be made again: {rebuilt_by(lake, schema)}"
    )


def in_words(kind: str, text: str) -> str:
    """What a person needs of an error of the class `kind`: its message without a stack and without colours.

    Python's own errors need their class to be understood; others speak for themselves.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    meant = full_disk(plain) or damage(plain)
    if meant:
        return meant
    said = re.split(r"\n+(?:JVM stacktrace|== SQL ==|Traceback \(most recent call last\))", plain)[0].strip()
    if not said:
        return kind
    return f"{kind}: {said}" if hasattr(builtins, kind) else said
