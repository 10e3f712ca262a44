"""One Spark session for all Spark tests."""

import pytest

from coinlake import platform


@pytest.fixture(scope="session")
def spark():
    """A local session, or a client of the server that SPARK_REMOTE names."""
    session = platform.spark()
    yield session
    session.stop()
