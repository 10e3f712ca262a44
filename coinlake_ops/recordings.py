"""Makes recordings, called tapes, from loose response bodies, and lists what is on one."""

from collections.abc import Iterable
from pathlib import Path

from coinlake import bronze
from coinlake.errors import CoinlakeError


def add(
    tape: str,
    *,
    endpoint: str,
    url: str,
    fetched_at: str,
    status: int,
    headers: Iterable[str],
    bodies: Iterable[str],
) -> str:
    """Put response bodies on a tape as one run; says what it did.

    `bodies` are names of files, `headers` texts such as `NAME:VALUE`; the rest is that of `bronze.add_recording`.
    Raises CoinlakeError for a body that cannot be read, or an answer that no service can have given.
    """
    run = bronze.add_recording(
        tape,
        endpoint=endpoint,
        url=url,
        fetched_at=fetched_at,
        status=status,
        headers=dict(_header(text) for text in headers),
        bodies=[_body(name) for name in bodies],
    )
    return f"{tape}: run {run} added" if run else f"{tape}: it is on the tape already"


def listing(tape: str) -> list[str]:
    """The runs of a tape as the lines of a table."""
    rows = [
        f"{row['run']:<25} {row['moment']:<24} {row['endpoint']:<18} "
        f"{row['responses']:>5} {row['errors']:>6} {row['bytes']:>11,}"
        for row in bronze.Recording(tape).overview()
    ]
    return [f"{'run':<25} {'moment':<24} {'endpoint':<18} {'data':>5} {'errors':>6} {'bytes':>11}", *rows]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise CoinlakeError("A --header has no colon. Write it as NAME:VALUE.")
    return name, value


def _body(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as problem:
        raise CoinlakeError(f"The body {name} cannot be read: {problem.strerror}.") from None
