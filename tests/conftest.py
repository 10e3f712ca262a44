"""What tests in several folders share: one Spark session, one Spark server."""

import pytest

from coinlake import runtime
from coinlake_ops import spark_server

# `make test` has two processes. What takes longest begins first, each of these in one process with one Spark;
# whoever is done takes the files without Spark, one by one.
LONG = (
    ("tests/notebooks/", "tests/recordings/test_whole_chain", "tests/spark/test_over_connect"),
    ("tests/spark/",),
)


def _place(nodeid: str) -> int:
    return next((place for place, starts in enumerate(LONG) if nodeid.startswith(starts)), len(LONG))


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _place(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The long ones stay together and in their place."""
    from xdist.scheduler import LoadFileScheduling

    class LongOnesTogether(LoadFileScheduling):
        def _split_scope(self, nodeid):
            place = _place(nodeid)
            return LONG[place][0] if place < len(LONG) else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return LongOnesTogether(config, log)


@pytest.fixture(scope="session")
def spark():
    """A local session, or a client of the server that SPARK_REMOTE names."""
    session = runtime.spark()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def standing_server(tmp_path_factory):
    """A Spark server for runs of notebooks, one after another: only the first of them finds it cold."""
    with spark_server.start(tmp_path_factory.mktemp("server")) as standing:
        yield standing
