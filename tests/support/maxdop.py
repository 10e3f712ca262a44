"""maxdop, the command around Microsoft's own parser of T-SQL."""

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("maxdop")
# The grammar of SQL Server 2022; Azure SQL Database knows at least that much.
GRAMMAR = "2022"


def faults(path: Path) -> str:
    """What the parser says of a file; empty, if it takes it."""
    parsed = subprocess.run([PROGRAM, "--parser-version", GRAMMAR, path], capture_output=True, text=True)
    assert bool(parsed.stderr) == bool(parsed.returncode)
    return parsed.stderr
