"""A Java that only says its version: no test of what is done with a Java needs one to start."""

from pathlib import Path


def fake_java(folder: Path, version: str) -> Path:
    """A shell script at <folder>/bin/java that answers -version and repeats its arguments; returns its path."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"""#!/bin/sh\n[ "$1" = -version ] && echo 'openjdk version "{version}"' >&2\necho "$@"\n""")
    binary.chmod(0o755)
    return binary
