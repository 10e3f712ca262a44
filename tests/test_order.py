"""The order of the tests, in one process and in two: what tests/conftest.py makes of the markers."""

import pytest

from coinlake_ops.project import ROOT

pytestmark = pytest.mark.processes

INI = "[pytest]\nmarkers =\n    spark\n    connect\n    both_sessions\n    evidence\n"
FIRST = """
import pytest

def test_plain(): pass

@pytest.mark.spark
def test_spark(): pass

@pytest.mark.spark
@pytest.mark.connect
def test_connect_and_spark(): pass
"""
SECOND = """
import pytest

@pytest.mark.both_sessions
def test_both(spark, request): assert spark == request.node.callspec.params["spark"]

def test_classic(spark): pass

@pytest.mark.connect
def test_that_looks_on(spark): assert spark == "classic"

@pytest.fixture(scope="session")
def spark(request):
    return request.param
"""
ORDER = [
    "test_first.py::test_connect_and_spark",
    "test_second.py::test_both[connect]",
    "test_second.py::test_that_looks_on",
    "test_first.py::test_spark",
    "test_second.py::test_both",
    "test_second.py::test_classic",
    "test_first.py::test_plain",
]


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs two files of tests under the project's conftest; returns the lines of the report that name a test."""

    def run(*options: str, sessions: str = "") -> list[str]:
        monkeypatch.setenv("COINLAKE_SESSIONS", sessions)
        pytester.makeini(INI)
        pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
        pytester.makepyfile(test_first=FIRST, test_second=SECOND)
        result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider", *options)
        assert result.ret == 0
        return [line for line in result.outlines if "PASSED" in line]

    return run


def test_in_one_process_the_tests_of_a_server_come_first_and_those_without_spark_last(run):
    ordered = [line.split()[0] for line in run()]
    groups = [ordered[:3], ordered[3:6], ordered[6:]]
    assert [sorted(group) for group in groups] == [sorted(ORDER[:3]), sorted(ORDER[3:6]), ORDER[6:]]


def test_in_two_processes_each_long_group_stays_in_one(run):
    workers = {}
    for line in run("-n", "2"):
        worker, test = line.split()[0], line.split()[-1]
        workers[test] = worker
    assert sorted(workers) == sorted(ORDER)
    of_server, of_spark = ({workers[test] for test in group} for group in (ORDER[:3], ORDER[3:6]))
    assert len(of_server) == len(of_spark) == 1
    assert of_server != of_spark


def test_all_tests_but_those_that_look_on_run_in_both_sessions_when_told(run):
    ordered = [line.split()[0] for line in run(sessions="both")]
    assert sorted(ordered) == sorted([*ORDER, "test_second.py::test_classic[connect]"])
