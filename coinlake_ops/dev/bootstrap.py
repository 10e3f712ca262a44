"""Builds .venv from requirements.txt and makes Spark ready; run in the checkout as coinlake_ops/dev/bootstrap.py.

The Makefile runs it by its path with any Python 3.11 or 3.12, for it needs nothing but Python itself.
What is already right is left alone, so it can be run again after a failure.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path.cwd()
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
READY = VENV / "ready"
PINS = (ROOT / "requirements.txt", ROOT / "pyproject.toml", ROOT / "adf_lab" / "pyproject.toml")
LOG = ROOT / ".venv-setup.log"
ELSEWHERE = {"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"}


def main() -> int:
    """Bring .venv up to date; returns the exit code."""
    if not PINS[0].exists():
        print(f"{ROOT} is no checkout of coinlake: it has no requirements.txt.", file=sys.stderr)
        return 2
    pins = hashlib.sha256(b"".join(path.read_bytes() for path in PINS)).hexdigest()
    if READY.exists() and READY.read_text() == pins:
        READY.touch()
        return 0
    print("Setting up once: Python packages, Delta's jars and a start-up archive for Spark.")
    print("This takes some minutes and about 2.3 GB, and needs the network.", flush=True)
    LOG.unlink(missing_ok=True)
    return (
        _make_venv()
        or _step("packages", "-m", "pip", "install", "--quiet", "-r", "requirements.txt")
        or _step("Delta's jars", "-m", "coinlake_ops", "setup", "fetch-jars")
        or _step("one copy of PySpark", "-m", "coinlake_ops", "setup", "drop-zip")
        or _step("start-up archive", "-m", "coinlake_ops", "setup", "make-archive")
        or _finish(pins)
    )


def _make_venv() -> int:
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        print(f"Python {sys.version.split()[0]} will not do: install Python 3.11 or 3.12.", file=sys.stderr)
        return 1
    if PYTHON.exists() and _version_of(PYTHON) == sys.version_info[:2]:
        return 0
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        venv.create(VENV, with_pip=True)
    except subprocess.CalledProcessError:
        print(
            "Python cannot make a virtual environment: its ensurepip is missing. On Debian and Ubuntu: "
            f"apt install python3.{sys.version_info.minor}-venv",
            file=sys.stderr,
        )
        return 1
    return 0


def _version_of(python: Path) -> tuple[int, int] | None:
    shown = subprocess.run(
        [python, "-c", "import sys; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    if shown.returncode != 0:
        return None
    major, minor = map(int, shown.stdout.split())
    return major, minor


def _step(what: str, *command: str) -> int:
    """Run one part of the set-up with .venv's Python; its output goes to a log and is shown if it fails."""
    with LOG.open("ab") as log:
        start = log.tell()
        done = subprocess.run(
            [PYTHON, *command], cwd=ROOT, env=_environment(), stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        said = LOG.read_bytes()[start:].decode(errors="replace").strip().splitlines()
        print(f"Set-up failed at: {what}. The end of {LOG.name}:", *said[-15:], sep="\n  ", file=sys.stderr)
        print("Check the network and the disk, then run the same command again.", file=sys.stderr)
    else:
        print(f"  {what}: ok", flush=True)
    return done.returncode


def _environment() -> dict[str, str]:
    """This process's variables without those by which Python and pip would use other folders than .venv."""
    return {name: value for name, value in os.environ.items() if name not in ELSEWHERE}


def _finish(pins: str) -> int:
    LOG.unlink()
    READY.write_text(pins)
    return 0


if __name__ == "__main__":
    sys.exit(main())
