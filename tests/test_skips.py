"""In CI a test that is skipped for a reason that nobody has allowed is a failure."""

import pytest

from tests.support import recordings

pytestmark = pytest.mark.processes

TESTS = """
import pytest

@pytest.mark.skipif(True, reason="COINLAKE_AXE does not name an axe.min.js")
def test_allowed():
    pass

@pytest.mark.skip(reason="it is Monday")
def test_marked():
    pass

def test_within():
    pytest.skip("no time")

@pytest.fixture
def thing():
    pytest.skip("no thing")

def test_with_a_fixture(thing):
    pass

@pytest.mark.xfail(reason="known")
def test_that_may_fail():
    assert False
"""
RECORDED = "no recorded responses at /shared/recordings; set COINLAKE_SHARED"


@pytest.fixture
def run(pytester, monkeypatch):
    """Runs a module of tests with the plugin; returns the result."""

    def run(ci: str, source: str = TESTS):
        monkeypatch.setenv("CI", ci)
        pytester.makepyfile(source)
        return pytester.runpytest_inprocess("-p", "tests.support.skips", "-p", "no:cacheprovider", "-rA")

    return run


def test_a_skip_that_is_not_on_the_list_fails_in_ci(run):
    result = run("true")
    result.assert_outcomes(failed=1, errors=2, skipped=1, xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            f"*_fails_in_ci.py:*: skipped, which CI does not allow for this reason: {reason}"
            for reason in ("no thing", "it is Monday", "no time")
        ]
    )


def test_elsewhere_a_skip_is_a_skip(run):
    result = run("")
    result.assert_outcomes(skipped=4, xfailed=1)
    assert result.ret == pytest.ExitCode.OK


def test_a_skipped_file_fails_too(run):
    result = run("true", "import pytest\npytest.importorskip('no_such_module')\n")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*does not allow for this reason: could not import 'no_such_module'*"])


@pytest.mark.parametrize(
    ("named", "exists", "allowed"), [(False, False, True), (False, True, False), (True, False, False)]
)
def test_recordings_may_be_missing_where_nobody_says_that_they_are_there(
    run, monkeypatch, tmp_path, named, exists, allowed
):
    monkeypatch.setattr(recordings, "SHARED", tmp_path if exists else tmp_path / "nowhere")
    monkeypatch.delenv("COINLAKE_SHARED", raising=False)
    if named:
        monkeypatch.setenv("COINLAKE_SHARED", str(tmp_path / "nowhere"))
    result = run("true", f"import pytest\n\n@pytest.mark.skip(reason={RECORDED!r})\ndef test(): pass\n")
    result.assert_outcomes(skipped=int(allowed), errors=int(not allowed))
