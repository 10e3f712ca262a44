"""Where the project's own files are: beside the package in a checkout, inside it when a wheel is installed.

A checkout, and a Databricks workspace that the folder notebooks/ was imported into, has `sql/` and `reports/` two
folders above this package. A wheel brings copies of what the code reads in `packaged/`, under the same names.
This is the one module of the package that asks where it stands.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# What a Python of another process needs on its path to import the package.
IMPORTED_FROM = PACKAGE.parent
_PACKAGED = PACKAGE / "packaged"
# Whether this is a wheel that was installed, and no checkout.
IS_INSTALLED = _PACKAGED.is_dir()


def path(name: str) -> Path:
    """One of the project's files or folders by its name in the repository, for example `sql/warehouse`."""
    return (_PACKAGED if IS_INSTALLED else PACKAGE.parents[1]) / name


def home() -> Path:
    """The folder that relative paths such as lake/simulated count from, wherever a notebook runs.

    The environment variable COINLAKE_HOME, or the checkout; for an installed package the current folder.
    """
    given = os.environ.get("COINLAKE_HOME")
    if given:
        return Path(given)
    return Path.cwd() if IS_INSTALLED else PACKAGE.parents[1]
