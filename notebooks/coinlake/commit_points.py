"""Commit points: the moments at which what stands in a lake changes for whoever reads it next.

A run may be cut off at any moment; what the next one finds depends on which of these moments were past. Whoever
wants to cut a run off at one of them listens: the environment variable COINLAKE_COMMIT_POINTS names a Unix socket,
to which each commit point is announced before and after, from whatever process of the run; the process goes on
when it is answered. Without the variable nothing happens.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

LISTENER = "COINLAKE_COMMIT_POINTS"
BEFORE, AFTER = "before", "after"


@contextmanager
def commit_point(what: str) -> Iterator[None]:
    """The block makes one change that others see, such as `append cleaned_data.coin_prices`."""
    _announce(BEFORE, what)
    yield
    _announce(AFTER, what)


def _announce(moment: str, what: str) -> None:
    listener = os.environ.get(LISTENER)
    if listener:
        with socket.socket(socket.AF_UNIX) as told:
            told.connect(listener)
            told.sendall(f"{moment} {what}\n".encode())
            told.recv(1)
