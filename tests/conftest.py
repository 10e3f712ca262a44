"""What tests in several folders share: one Spark session, one Spark server."""

import pytest

from coinlake import platform
from ops import spark_server

WITH_SPARK = ("tests/spark/", "tests/notebooks/", "tests/recordings/test_whole_chain")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """`make test` has two processes: one takes every test with Spark, the other the files without it."""
    from xdist.scheduler import LoadFileScheduling

    class SparkInOneProcess(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "spark" if nodeid.startswith(WITH_SPARK) else super()._split_scope(nodeid)

    return SparkInOneProcess(config, log)


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
