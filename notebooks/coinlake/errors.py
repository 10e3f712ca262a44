"""The errors that people meet: what is wrong, where, and what to do next.

CoinlakeError
  ConfigurationError    a parameter, an environment's file or a place that does not fit
  ApiError              an answer that makes it useless to go on asking
  LandingError          a run that could not be landed, a landed file that is missing or has changed
  StorageError          a table that is missing, is not what its description says, or must not be touched
  WarehouseError        a load that lost rows, broke a rule or found another warehouse than it left
"""

import builtins
import re


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


def in_words(kind: str, text: str) -> str:
    """What a person needs of an error of the class `kind`: its message without a stack and without colours.

    Python's own errors need their class to be understood; others speak for themselves.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    said = re.split(r"\n+(?:JVM stacktrace|== SQL ==|Traceback \(most recent call last\))", plain)[0].strip()
    if not said:
        return kind
    return f"{kind}: {said}" if hasattr(builtins, kind) else said
