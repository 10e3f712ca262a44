"""A notebook whose input is missing says at its start which notebook comes first."""

import nbformat
import pytest

from coinlake.errors import LandingError, StorageError
from coinlake_ops import notebooks


def start(name, lake_path):
    """Runs what a notebook does before its first lesson: the cells of parameters and imports."""
    namespace = {"__name__": "__main__"}
    parameters, imports = nbformat.read(notebooks.path(name), as_version=4).cells[1:3]
    exec(parameters.source, namespace)
    namespace["lake_path"] = lake_path
    exec(imports.source, namespace)


def test_the_notebook_that_comes_first_is_named(spark, tmp_path):
    place = str(tmp_path / "lake")
    with pytest.raises(LandingError, match=r"Nothing is landed in .*\. Run notebook 01_ingest_market_data"):
        start("03_stream_to_silver", place)
    with pytest.raises(StorageError, match=r"coin_prices, .*\. Run notebook 03_stream_to_silver first"):
        start("04_build_gold", place)
    with pytest.raises(StorageError, match=r"fact_market_snapshot\. Run notebook 04_build_gold first"):
        start("05_load_sql", place)
