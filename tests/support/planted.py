"""Secrets that the tests hand out, and where they turned up: nothing that is written may hold one."""

from collections.abc import Iterable
from pathlib import Path

API_KEY = "CG-9f8e7d6c5b4a"
VAULT_KEY = "CG-a-key-that-must-not-be-shown"
# Tokens of servers that were started join these two.
PLANTED = {API_KEY, VAULT_KEY}


def leaks(folder: Path, secrets: Iterable[str]) -> list[str]:
    """The files below a folder that hold one of the secrets, in their content or their name."""
    wanted = [secret.encode() for secret in secrets]
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if any(secret in bytes(path) for secret in wanted)
        or (path.is_file() and not path.is_symlink() and _holds(path, wanted))
    )


def _holds(path: Path, secrets: list[bytes]) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        # A test took the right to read it away.
        return False
    return any(secret in content for secret in secrets)
