"""Make tapes from loose response bodies, and list what is on one.

    python -m coinlake_ops.tape add --endpoint coins_markets --url '/coins/markets?vs_currency=usd&page=1' \\
        --fetched-at 2026-08-12T14:22:00Z --status 200 page1.json page2.json --to lake/tapes/august
    python -m coinlake_ops.tape list lake/tapes/august
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coinlake import bronze, sources
from coinlake.errors import CoinlakeError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except CoinlakeError as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m coinlake_ops.tape", description="Tapes of recorded responses."
    )
    commands = parser.add_subparsers(required=True, metavar="add|list")

    add = commands.add_parser(
        "add",
        help="put response bodies on a tape",
        description="Put response bodies on a tape as one run. Several bodies are the run's pages. "
        "Adding the same again changes nothing.",
    )
    add.add_argument("bodies", nargs="+", metavar="BODY", help="files with one response body each")
    add.add_argument("--endpoint", required=True, help=f"one of {', '.join(sources.SOURCES)}")
    add.add_argument("--url", required=True, help="the address asked; keys in it are left out")
    add.add_argument("--fetched-at", required=True, help="UTC instant of the answer: 2026-08-12T14:22:00Z")
    add.add_argument("--status", type=int, default=200, help="HTTP status of the answer (default 200)")
    add.add_argument("--header", action="append", default=[], metavar="NAME:VALUE", help="a response header")
    add.add_argument("--to", required=True, metavar="TAPE", help="folder of the tape; made when missing")
    add.set_defaults(run=_add)

    listing = commands.add_parser("list", help="show what is on a tape")
    listing.add_argument("tape", metavar="TAPE")
    listing.set_defaults(run=_list)
    return parser


def _add(options: argparse.Namespace) -> int:
    run = bronze.add_recording(
        options.to,
        endpoint=options.endpoint,
        url=options.url,
        fetched_at=options.fetched_at,
        status=options.status,
        headers=dict(_header(text) for text in options.header),
        bodies=[_body(name) for name in options.bodies],
    )
    print(f"{options.to}: run {run} added" if run else f"{options.to}: it is on the tape already")
    return 0


def _list(options: argparse.Namespace) -> int:
    print(f"{'run':<25} {'moment':<24} {'endpoint':<18} {'data':>5} {'errors':>6} {'bytes':>11}")
    for row in bronze.Recording(options.tape).overview():
        print(
            f"{row['run']:<25} {row['moment']:<24} {row['endpoint']:<18} "
            f"{row['responses']:>5} {row['errors']:>6} {row['bytes']:>11,}"
        )
    return 0


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


if __name__ == "__main__":
    sys.exit(main())
