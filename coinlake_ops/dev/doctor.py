"""Looks at this machine and says, line by line, what is fine and what to do about the rest."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from coinlake import process_environment, runtime
from coinlake.errors import CoinlakeError
from coinlake_ops import project, spark_server

GIB = 1024**3
NEEDED_MEMORY_GIB = 4
NEEDED_DISK_GIB = 1


def examine() -> bool:
    """Print one line a check; returns whether nothing must be done."""
    healthy = True
    for name, check in CHECKS.items():
        try:
            classification, shown = "ok", check()
        except CoinlakeError as problem:
            classification, shown, healthy = "TO DO", str(problem), False
        print(f"{name:<12}{classification:<7}{shown}")
    return healthy


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 12):
        raise CoinlakeError(
            f"Python {sys.version.split()[0]}: install 3.11 or 3.12, delete .venv, run make again."
        )
    return f"{sys.version.split()[0]} in {Path(sys.prefix).name}"


def _packages() -> str:
    if project.IS_INSTALLED:
        return _required_packages()
    wrong = [
        f"{name} is {installed or 'missing'}, not {pin}" for name, pin, installed in _pins() if installed != pin
    ]
    if wrong:
        raise CoinlakeError("; ".join(wrong) + ". Delete .venv/ready and run make again.")
    return f"{len(list(_pins()))} pinned packages are installed"


def _pins() -> Iterator[tuple[str, str, str | None]]:
    for line in (project.ROOT / "requirements.txt").read_text().splitlines():
        pin, _, _ = line.partition("#")
        name, equals, version = pin.strip().partition("==")
        if equals:
            yield name, version, _installed(name.partition("[")[0])


def _required_packages() -> str:
    """What the installed package asks for, without its extras."""
    # Imported here: an environment that is set up from the pins need not have it.
    from packaging.requirements import Requirement

    required = [Requirement(text) for text in importlib.metadata.requires("coinlake") or ()]
    required = [one for one in required if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = [
        f"{one.name} is {installed or 'missing'}, not {one.specifier}"
        for one in required
        if not one.specifier.contains(installed := _installed(one.name) or "", prereleases=True)
    ]
    if wrong:
        raise CoinlakeError("; ".join(wrong) + ". Install the package again: pip install coinlake")
    return f"{len(required)} required packages are installed"


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _environment() -> str:
    ignored = process_environment.ignored()
    return f"ignored, as coinlake brings its own: {', '.join(ignored)}" if ignored else "nothing to ignore"


def _user() -> str:
    return runtime.require_user()


def _folder() -> str:
    home = project.home()
    if not os.access(home, os.W_OK):
        raise CoinlakeError(f"{home} cannot be written: name another folder in COINLAKE_HOME or LAKE_PATH.")
    lakes = [home, *(path for path in (home / "lake").glob("*") if path.is_dir())]
    if warning := next(filter(None, map(spark_server.others_may_write, lakes)), ""):
        raise CoinlakeError(warning[0].upper() + warning[1:])
    return str(home)


def _java() -> str:
    return str(runtime.find_java())


def _spark() -> str:
    return f"{importlib.metadata.version('pyspark')} in {_below(runtime.spark_home())}"


def _below(folder: Path) -> Path:
    return folder.relative_to(sys.prefix) if folder.is_relative_to(sys.prefix) else folder


def _delta() -> str:
    runtime.require_delta_jars()
    return f"{runtime.delta_version()}, jars beside Spark's own"


def _memory() -> str:
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    available = _available_memory() or free
    if available < NEEDED_MEMORY_GIB * GIB:
        raise CoinlakeError(
            f"{available / GIB:.1f} GiB free, a run needs {NEEDED_MEMORY_GIB}. Close other programs."
        )
    return f"{available / GIB:.1f} GiB free"


def _available_memory() -> int | None:
    """Linux's own estimate, which counts what the page cache would give back; None elsewhere."""
    told = Path("/proc/meminfo")
    if not told.exists():
        return None
    lines = dict(line.split(":") for line in told.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _disk() -> str:
    free = shutil.disk_usage(project.home()).free
    if free < NEEDED_DISK_GIB * GIB:
        raise CoinlakeError(f"{free / GIB:.1f} GiB free: free some space, or delete old lakes.")
    return f"{free / GIB:.1f} GiB free"


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    return found or "none: the tests that look at reports in a browser are skipped"


CHECKS: dict[str, Callable[[], str]] = {
    "Python": _python,
    "Packages": _packages,
    "Environment": _environment,
    "User": _user,
    "Folder": _folder,
    "Java": _java,
    "Spark": _spark,
    "Delta": _delta,
    "Memory": _memory,
    "Disk": _disk,
    "Chromium": _chromium,
}
