"""Where the warehouse's SQL stands, and in which order it runs."""

import hashlib
from pathlib import Path

from coinlake import project_files

# Beside notebooks/ wherever the project goes: a deployment takes both folders.
FOLDER = project_files.path("sql/warehouse")
AZURE = project_files.path("sql/azure")


def migrations() -> list[Path]:
    """The numbered files that build the warehouse, in order; each runs once and never changes again."""
    return sorted((FOLDER / "migrations").glob("*.sql"))


def repeatables() -> list[Path]:
    """Staging tables and views: made anew whenever their text changes."""
    return [path for kind in ("staging", "views") for path in sorted((FOLDER / kind).glob("*.sql"))]


def merge_file(table: str) -> Path:
    """The three statements that load one table: mark what is gone, merge, delete."""
    return FOLDER / "merge" / f"{table}.sql"


def azure_objects() -> list[Path]:
    """Indexes and procedures of Azure SQL Database: made anew whenever their text changes."""
    return [path for kind in ("indexes", "procedures") for path in sorted((AZURE / kind).glob("*.sql"))]


def azure_access(name: str) -> Path:
    """Who may do what on Azure SQL Database: roles, or user."""
    return AZURE / "access" / f"{name}.sql"


def azure_session(name: str) -> Path:
    """What a session on Azure SQL Database says first and last: open, read, lock, unlock."""
    return AZURE / "session" / f"{name}.sql"


def name(path: Path) -> str:
    """What schema_version calls a file: its folder and name, for example views/coin_day."""
    return f"{path.parent.name}/{path.stem}"


def checksum(path: Path) -> str:
    """SHA-256 of the file's text, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
