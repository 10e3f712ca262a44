"""Warehouses in a DuckDB file: one that does not exist yet, and one of two coins."""

import pytest

from coinlake import warehouse
from coinlake.warehouse import DuckDBWarehouse
from tests.support.warehouse_rows import star


@pytest.fixture
def embedded(tmp_path):
    """A warehouse that does not exist yet."""
    return DuckDBWarehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture(scope="session")
def _built(tmp_path_factory):
    built = DuckDBWarehouse(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")
    warehouse.load_changes(built, star(bitcoin=63_000.0, ethereum=1_800.0), "first")
    return built.path


@pytest.fixture
def loaded(embedded, _built):
    """A warehouse of two coins."""
    embedded.path.write_bytes(_built.read_bytes())
    return embedded
