"""The plugin of pytest: the fixture `adf`, and how much of a factory the tests have seen.

It is a module of its own, and imports adf_lab when a test asks for it: pytest loads plugins before it measures
anything, and tests of other things need not wait.
"""

from pathlib import Path

import pytest

TITLE = "Data Factory"
coverage_key: pytest.StashKey = pytest.StashKey()
factories_key: pytest.StashKey = pytest.StashKey()


def pytest_addoption(parser):
    """The options of this plugin."""
    group = parser.getgroup("adf", TITLE)
    group.addoption("--adf-factory", metavar="FOLDER", help="folder of the factory under test")
    help_ = "print which activities, branches and outcomes the tests have seen"
    group.addoption("--adf-cov", action="store_true", help=help_)
    group.addoption("--adf-cov-missing", action="store_true", help="print also what they have not seen")
    help_ = "fail if the tests have seen less than so many percent of them"
    group.addoption("--adf-cov-fail-under", type=float, metavar="PERCENT", help=help_)
    parser.addini("adf_factory", "folder of the factory under test, from the folder of this file")


def pytest_configure(config):
    """The marker of this plugin."""
    help_ = "adf_factory(folder): the folder of the factory under test, from the folder of the test's file"
    config.addinivalue_line("markers", help_)


@pytest.fixture(scope="session")
def load_adf(pytestconfig):
    """A function of a factory's folder, and of the folder of files with answers, that gives a FactoryUnderTest.

    For fixtures of a wider scope; a test has `adf`.
    """
    from adf_lab.testing import FactoryUnderTest

    def load(root, folder=None):
        return FactoryUnderTest(root, folder, _coverage(pytestconfig))

    return load


@pytest.fixture
def adf(request, load_adf):
    """The factory under test, a FactoryUnderTest of the test's own.

    It is the folder that the marker adf_factory, the option --adf-factory or the ini option adf_factory names,
    else the nearest one above the test's file. Paths of answers begin at the folder of the test's file.
    """
    folder = request.path.parent
    under_test = load_adf(_root(request, folder), folder)
    request.node.stash[factories_key] = under_test
    return under_test


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A test that has failed shows its runs."""
    report = yield
    under_test = item.stash.get(factories_key, None)
    if report.failed and under_test is not None and report.when == "call":
        report.sections += [(f"{TITLE}: {run.record.pipeline}", run.tree()) for run in under_test.runs]
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Hand the coverage to the process that began this one, or fail if it is too little."""
    config = session.config
    if hasattr(config, "workeroutput"):
        if coverage_key in config.stash:
            config.workeroutput["adf_coverage"] = config.stash[coverage_key].as_dict()
        return
    least = config.option.adf_cov_fail_under
    if least is not None and exitstatus == pytest.ExitCode.OK and _coverage(config).percent() < least:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Take over what a process of pytest-xdist has seen."""
    data = getattr(node, "workeroutput", {}).get("adf_coverage")
    if data:
        _coverage(node.config).merge(data)


def pytest_terminal_summary(terminalreporter, config):
    """Print the coverage."""
    option = config.option
    if not (option.adf_cov or option.adf_cov_missing or option.adf_cov_fail_under is not None):
        return
    coverage = _coverage(config)
    terminalreporter.section(f"{TITLE}: what the tests have seen")
    for line in coverage.table() or ["No test has loaded a factory."]:
        terminalreporter.write_line(line)
    if option.adf_cov_missing:
        terminalreporter.write_line("")
        for line in coverage.told():
            terminalreporter.write_line(line)
    if option.adf_cov_fail_under is not None and coverage.percent() < option.adf_cov_fail_under:
        least = f"{option.adf_cov_fail_under:g} %"
        terminalreporter.write_line(f"\nFailed: {coverage.percent():.1f} % were seen, and {least} are required.")


def _coverage(config):
    from adf_lab.testing import Coverage

    return config.stash.setdefault(coverage_key, Coverage())


def _root(request, folder):
    marker = request.node.get_closest_marker("adf_factory")
    config = request.config
    if marker:
        return folder / marker.args[0]
    if config.option.adf_factory:
        return config.invocation_params.dir / config.option.adf_factory
    if config.getini("adf_factory"):
        return (config.inipath.parent if config.inipath else config.rootpath) / config.getini("adf_factory")
    nearest = next((path for path in [folder, *folder.parents] if _is_factory(path)), None)
    if nearest is None:
        raise pytest.UsageError(
            f"No folder above {folder} is a factory: name its folder with the ini option adf_factory, with "
            "--adf-factory, or with the marker adf_factory."
        )
    return nearest


def _is_factory(path: Path) -> bool:
    return (path / "pipeline").is_dir()
