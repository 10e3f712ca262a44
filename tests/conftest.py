"""What tests in several folders share: one Spark session."""

import pytest

from coinlake import platform


@pytest.fixture(scope="session")
def spark():
    """A local session, or a client of the server that SPARK_REMOTE names."""
    session = platform.spark()
    yield session
    session.stop()
