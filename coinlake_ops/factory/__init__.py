"""Coinlake's own Data Factory: what `adf_lab` needs to check adf/ and to run it on this machine."""

from coinlake_ops.factory import parameters
from coinlake_ops.factory.cli import FACTORY, NOTEBOOKS, main

__all__ = ["FACTORY", "NOTEBOOKS", "main", "parameters"]
