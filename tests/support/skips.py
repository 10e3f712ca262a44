"""A plugin of pytest: which tests may be skipped in CI, and why; any other skip is a failure there.

CI is where the environment variable CI is "true", as on GitHub and in Azure DevOps.
"""

import os
import re

import pytest

from tests.support import recordings

# Reasons as they are printed (regular expressions), and what is missing.
ALLOWED = {
    r"COINLAKE_AXE does not name an axe\.min\.js": "axe-core is no Python package",
    r"a real server does not fail on demand": "where AZURE_SQL_TEST_URL names one, the double rests",
    r"COINLAKE_TABULAR_ENGINE does not name Microsoft's tabular engine": "its licence is Microsoft's own",
    r"ADF_LAB_EVALUATOR does not name a Python with Microsoft's evaluator": "it needs an old .NET",
    r"Microsoft's JDBC driver is not there.*": "a Java library that Maven fetches",
}


def is_allowed(reason: str) -> bool:
    """Whether a test may be skipped in CI for this reason."""
    if recordings.MISSING.match(reason):
        # Recordings stay outside of the repository; but who names a folder of them means it.
        return not os.environ.get("COINLAKE_SHARED") and not recordings.SHARED.exists()
    return any(re.fullmatch(pattern, reason) for pattern in ALLOWED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """The report of a test, judged."""
    return _judged((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """The report of a whole file, judged."""
    return _judged((yield))


def _judged(report):
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        path, line, text = report.longrepr
        reason = text.removeprefix("Skipped: ")
        if not is_allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: skipped, which CI does not allow for this reason: {reason}"
    return report
