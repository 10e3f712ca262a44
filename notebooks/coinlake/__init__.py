"""The code that the notebooks share: from CoinGecko's answers to a star schema and to reports."""

__version__ = "0.1.0"
