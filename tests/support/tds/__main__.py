"""A double in a process of its own, which can be killed.

python -m tests.support.tds DATABASE_FILE PORT CERTIFICATE KEY [REQUEST]: prints its address and serves until
its input ends; REQUEST is the start of the request that kills it.
"""

import sys
from pathlib import Path

from tests.support.tds import Double


def main(path: str, port: str, certificate: str, key: str, fatal: str = "") -> None:
    with Double(path=Path(path), port=int(port), certificate=(Path(certificate), Path(key))) as server:
        if fatal:
            server.fault(fatal, "kill")
        print(server.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
