"""The loads of the DuckDB file again, into Azure SQL Database through Microsoft's driver."""

import shutil

import pytest
import test_embedded_warehouse as embedded_tests
from conftest import star

from coinlake.warehouse import loading
from tests.support import azure
from tests.support.tds import Double

FIRST = {"bitcoin": 63_000.0, "ethereum": 1_800.0}


@pytest.fixture
def embedded(tmp_path):
    """In place of the file: a database without a warehouse."""
    if azure.URL:
        yield azure.on_real_server()
        return
    with Double() as server:
        yield azure.on_double(server)


@pytest.fixture(scope="module")
def _built_server(tmp_path_factory):
    path = tmp_path_factory.mktemp("server") / "coinlake.duckdb"
    with Double(path=path) as server:
        loading.load(azure.on_double(server), star(**FIRST), "first")
    return path


@pytest.fixture
def loaded(tmp_path, request):
    """In place of the file: a warehouse of two coins."""
    if azure.URL:
        warehouse = azure.on_real_server()
        loading.load(warehouse, star(**FIRST), "first")
        yield warehouse
        return
    path = shutil.copy(request.getfixturevalue("_built_server"), tmp_path / "coinlake.duckdb")
    with Double(path=path) as server:
        yield azure.on_double(server)


class TestExactness(embedded_tests.TestExactness):
    pass


class TestLog(embedded_tests.TestLog):
    pass


class TestViews(embedded_tests.TestViews):
    pass
