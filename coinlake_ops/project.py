"""Where the project's files are for what works from outside: a checkout, or the copies that a wheel brings.

This is the one module of the package that asks where it stands; bootstrap.py, which runs before anything is
installed, is started in the checkout.
"""

from pathlib import Path

from coinlake import project_files
from coinlake.errors import CoinlakeError

PACKAGE = Path(__file__).resolve().parent
_PACKAGED = PACKAGE / "packaged"
IS_INSTALLED = _PACKAGED.is_dir()
# The checkout, or its files that an installed package reads: notebooks/, parameters/, adf/, requirements.txt.
ROOT = _PACKAGED if IS_INSTALLED else PACKAGE.parent


def home() -> Path:
    """The folder that relative paths such as lake/simulated count from: see `coinlake.project_files.home`."""
    return project_files.home()


def require_checkout(command: str) -> None:
    """Raises CoinlakeError where a command that writes or checks the project's own files has no checkout."""
    if IS_INSTALLED:
        raise CoinlakeError(
            f"`{command}` works on the files of a checkout, and this is an installed package. "
            "Clone the repository and use the command there."
        )
