"""What tests in several folders share: one Spark session."""

import pytest

from coinlake import platform
from tests.support import small_run


@pytest.fixture(scope="session")
def spark():
    """A local session, or a client of the server that SPARK_REMOTE names."""
    session = platform.spark()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """The lake of one small batch run that nothing disturbed."""
    lake = tmp_path_factory.mktemp("whole") / "lake"
    small_run.execute(lake)
    return lake
