"""What holds for all tests: markers, two kinds of Spark session, and an order for two processes."""

import json
import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from coinlake import process_environment, runtime
from coinlake_ops import spark_server
from tests.support import planted
from tests.support.browser import CHROMIUM

RECORDINGS = Path(__file__).parent / "recordings"
CLASSIC = pytest.param("classic", id=pytest.HIDDEN_PARAM, marks=pytest.mark.spark)
CONNECT = pytest.param("connect", id="connect", marks=pytest.mark.connect)
# `make test` has two processes. What takes longest begins first, the tests of one of these markers in one process
# with one Spark; whoever is done takes the files without Spark, one by one.
LONG = ("connect", "spark")
# The process that hands out the tests collects none: those that do tell it, in a file, which test is a long one.
FOLDER = pytest.StashKey[TemporaryDirectory]()
LEAKS = pytest.StashKey[list[str]]()


def pytest_configure(config):
    """Every run of a test has an API key, as that of a person who has one."""
    os.environ.setdefault(runtime.secret_variable("coingecko-api-key"), planted.API_KEY)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    """What the tests have written is searched for the secrets that they had; one that is found fails the run."""
    config = session.config
    was_told = LEAKS in config.stash
    found = config.stash.setdefault(LEAKS, [])
    written = config._tmp_path_factory._basetemp
    if written and not was_told:
        found += planted.leaks(written, planted.PLANTED)
    if hasattr(config, "workeroutput"):
        config.workeroutput["leaks"] = found
    elif found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        config.get_terminal_writer().line(
            f"\nThe tests have written secrets into {written}: {', '.join(found[:20])}"
        )


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """What a process that ran tests has found."""
    node.config.stash.setdefault(LEAKS, []).extend(getattr(node, "workeroutput", {}).get("leaks", ()))


def pytest_generate_tests(metafunc):
    """A test with a Spark session runs in a classic one, and over Spark Connect too if it is in the sample.

    With COINLAKE_SESSIONS=both all of them do, but those that only look at what a server has left.
    """
    if "spark" in metafunc.fixturenames:
        marks = {mark.name for mark in metafunc.definition.iter_markers()}
        looks_on = "connect" in marks or "standing_server" in metafunc.fixturenames
        all_of_them = os.environ.get("COINLAKE_SESSIONS") == "both" and not looks_on
        kinds = [CLASSIC, CONNECT] if all_of_them or "both_sessions" in marks else [CLASSIC]
        metafunc.parametrize("spark", kinds, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Marks what is certain, and puts the long ones first."""
    for item in items:
        if "standing_server" in item.fixturenames:
            item.add_marker("connect")
        if item.path.is_relative_to(RECORDINGS):
            item.add_marker("evidence")
    result = yield
    items.sort(key=place)
    if hasattr(config, "workerinput"):
        groups = {item.nodeid: LONG[place(item)] for item in items if place(item) < len(LONG)}
        Path(config.workerinput["groups"]).write_text(json.dumps(groups), encoding="utf-8")
    return result


def place(item: pytest.Item) -> int:
    """The place of the first marker in LONG that the test has; behind them all, if it has none."""
    marks = {mark.name for mark in item.iter_markers()}
    return next((place for place, name in enumerate(LONG) if name in marks), len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    """Tells a process that runs tests where to write the groups."""
    if FOLDER not in node.config.stash:
        node.config.stash[FOLDER] = TemporaryDirectory(prefix="coinlake-tests-")
    node.workerinput["groups"] = f"{node.config.stash[FOLDER].name}/{node.gateway.id}.json"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The long ones stay together and in their place."""
    from xdist.scheduler import LoadFileScheduling

    class LongOnesTogether(LoadFileScheduling):
        def schedule(self):
            files = Path(config.stash[FOLDER].name).glob("*.json")
            self.groups = json.loads(next(files).read_text(encoding="utf-8"))
            super().schedule()

        def _split_scope(self, nodeid):
            return self.groups.get(nodeid) or super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return LongOnesTogether(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """A test without a Spark session finds this process as if it never had one, whatever tests went before it."""
    if "spark" in item.fixturenames:
        return (yield)
    # PySpark listens to Ctrl-C too.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name in process_environment.OURS:
                environment.delenv(name, raising=False)
            return (yield)
    finally:
        signal.signal(signal.SIGINT, heard)


@pytest.fixture(scope="session")
def spark(request):
    """A Spark session: a classic one, or a client of the standing server."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("SPARK_REMOTE", raising=False)
        if request.param == "connect":
            for name, value in request.getfixturevalue("standing_server").environment.items():
                environment.setenv(name, value)
        # PySpark sets it for a client, and never takes it back.
        environment.setenv("SPARK_CONNECT_MODE_ENABLED", "1")
        environment.delenv("SPARK_CONNECT_MODE_ENABLED")
        session = runtime.spark()
        yield session
        session.stop()


@pytest.fixture(scope="session")
def standing_server(tmp_path_factory):
    """A Spark server for runs of notebooks, one after another: only the first of them finds it cold."""
    with spark_server.start(tmp_path_factory.mktemp("server")) as standing:
        planted.PLANTED.add(standing.token)
        yield standing


@pytest.fixture(scope="module")
def browser():
    """The installed Chromium, which the tests of a file share; see tests.support.browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
