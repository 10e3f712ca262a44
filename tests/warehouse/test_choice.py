"""Which warehouse the parameters name."""

import pytest

from coinlake import warehouse
from coinlake.errors import ConfigurationError


def test_without_a_server_the_warehouse_is_a_file_of_the_lake(tmp_path):
    chosen = warehouse.choose(str(tmp_path))
    assert (type(chosen), chosen.path) == (warehouse.DuckDBWarehouse, tmp_path / "warehouse.duckdb")


def test_the_warehouse_of_a_laptop_cannot_stand_on_a_volume():
    with pytest.raises(ConfigurationError, match=r"is a volume, .* Name sql_server and sql_database"):
        warehouse.choose("/Volumes/coinlake_dev/raw_data/lake")
