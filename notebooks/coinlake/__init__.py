"""The code that the notebooks share: from CoinGecko's answers to a star schema and to reports."""

from typing import TYPE_CHECKING

from coinlake.errors import CoinlakeError

if TYPE_CHECKING:
    from coinlake.lakehouse import Lakehouse

__version__ = "0.1.0"

__all__ = ["CoinlakeError", "Lakehouse", "__version__"]


def __getattr__(name: str):
    # Spark takes a second to import, and not everybody who imports the package needs it.
    if name == "Lakehouse":
        from coinlake.lakehouse import Lakehouse

        return Lakehouse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
