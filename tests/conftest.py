"""What tests in several folders share: one Spark session, one Spark server."""

import pytest

from coinlake import platform
from ops import spark_server


@pytest.fixture(scope="session")
def spark():
    """A local session, or a client of the server that SPARK_REMOTE names."""
    session = platform.spark()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def standing_server(tmp_path_factory):
    """A Spark server for runs of notebooks, one after another: only the first of them finds it cold."""
    with spark_server.start(tmp_path_factory.mktemp("server")) as standing:
        yield standing
