"""The wheel: what it holds, that it works without its checkout, and what it asks for."""

import ast
import importlib.metadata
import itertools
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from packaging.requirements import Requirement

from coinlake_ops import databricks_runtime, notebooks
from coinlake_ops.project import ROOT

pytestmark = pytest.mark.processes

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = {"coinlake": ROOT / "notebooks" / "coinlake", "coinlake_ops": ROOT / "coinlake_ops"}
BUILD = "import hatchling.build, sys; print(getattr(hatchling.build, sys.argv[1])(sys.argv[2]))"


def built(how: str, folder) -> zipfile.ZipFile:
    done = subprocess.run([sys.executable, "-c", BUILD, how, folder], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(folder / done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built("build_wheel", tmp_path_factory.mktemp("wheel"))


def in_repository(*patterns: str) -> set[str]:
    """The files of the checkout that match and that git would take."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split() if (ROOT / name).is_file()}


def test_it_holds_the_two_packages_with_their_data_and_copies_of_what_they_read(wheel):
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    ours = {name.removeprefix("notebooks/") for name in in_repository("notebooks/coinlake", "coinlake_ops")}
    sql = {f"coinlake/packaged/{name}" for name in in_repository("sql", "reports/assets")}
    others = in_repository("adf", "parameters", "requirements.txt", ":(glob)notebooks/*.ipynb")
    assert names == ours | sql | {f"coinlake_ops/packaged/{name}" for name in others}


def test_an_editable_installation_is_a_plain_pth_file(tmp_path):
    with built("build_editable", tmp_path) as editable:
        assert [name for name in editable.namelist() if ".dist-info/" not in name] == ["_coinlake.pth"]
        assert editable.read("_coinlake.pth").decode().splitlines() == [str(ROOT), str(ROOT / "notebooks")]


def test_it_brings_the_command(wheel):
    [entry_points] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "coinlake = coinlake_ops.__main__:main" in wheel.read(entry_points).decode()


def test_it_works_in_an_empty_folder_and_knows_nothing_of_the_checkout(wheel, tmp_path):
    site, empty = tmp_path / "site", tmp_path / "empty"
    wheel.extractall(site)
    empty.mkdir()

    def python(*arguments):
        environment = os.environ | {"PYTHONPATH": str(site), "COLUMNS": "200"}
        environment.pop("COINLAKE_HOME", None)
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True)

    code = """if True:
        import json
        from coinlake import project_files, runtime
        from coinlake.reports.page import page
        from coinlake.warehouse.sql import scripts
        from coinlake_ops import environment, notebooks, parameter_files, project
        places = {
            "package": project_files.PACKAGE, "home": project.home(),
            "lake": runtime.resolve_path("lake/simulated"),
            "migrations": len(scripts.migrations()), "notebooks": [path.stem for path in notebooks.all_paths()],
            "declared": notebooks.declared_parameters(notebooks.path("00_setup"))["lake_path"],
            "coins": parameter_files.load("local", ["coins=10"])["coins"],
            "plotly": "2.35.2" in page.plotly_js()[:400],
            "environment": environment.read("dev", placeholders=True).name,
        }
        print(json.dumps(places, default=str))
    """
    answer = python("-c", code)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {
        "package": str(site / "coinlake"),
        "home": str(empty),
        "lake": str(empty / "lake/simulated"),
        "migrations": len(list((ROOT / "sql/warehouse/migrations").glob("*.sql"))),
        "notebooks": [path.stem for path in notebooks.all_paths()],
        "declared": "lake/course",
        "coins": 10,
        "plotly": True,
        "environment": "dev",
    }
    assert "Run the whole pipeline" in python("-m", "coinlake_ops", "--help").stdout
    refused = python("-m", "coinlake_ops", "check")
    assert refused.returncode == 1
    assert refused.stderr.startswith("`coinlake check` works on the files of a checkout")
    assert list(empty.iterdir()) == []


RANGES = {
    requirement.name.lower(): requirement
    for text in itertools.chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    if (requirement := Requirement(text)).name != "coinlake"
}


def test_every_range_begins_at_the_version_that_the_tests_run_with():
    pins = databricks_runtime.pins()
    begins = {name: min(re.findall(r"[=>]=([\d.]+)", str(one.specifier))) for name, one in RANGES.items()}
    assert begins == {name: pins[name] for name in RANGES}


def test_the_extras_together_are_all():
    extras = PROJECT["optional-dependencies"]
    assert extras["all"] == [f"coinlake[{','.join(name for name in extras if name != 'all')}]"]


def imported(package: str) -> set[str]:
    """The top-level packages that the modules of a package import, anywhere."""
    found = set()
    for path in PACKAGES[package].rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(PACKAGES)


# Comes with a package that is asked for, and belongs to it: ipykernel, jinja2, nbconvert, papermill, requests.
INSEPARABLE = {"IPython", "jupyter_client", "jupyter_core", "markupsafe", "nbclient", "nbformat", "urllib3"}
# Builds the wheel; a project of its own, on no registry.
ELSEWHERE = {"adf_lab", "hatchling"}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_the_code_imports_is_asked_for(package):
    distributions = importlib.metadata.packages_distributions()
    missing = {
        name
        for name in imported(package) - INSEPARABLE - ELSEWHERE
        if not {each.lower().replace("_", "-") for each in distributions.get(name, ())} & set(RANGES)
    }
    assert missing == set()


def test_one_module_of_each_package_asks_where_it_stands():
    """Others may name a file beside them; the root of the project is asked from these two."""
    asking = {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "__file__" in line and "with_name" not in line and "pyspark.__file__" not in line
    }
    assert asking == {"coinlake/project_files.py", "coinlake_ops/project.py"}


def test_only_modules_that_are_started_as_programs_end_as_programs():
    programs = {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*.py")
        if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
    }
    assert programs == {
        "coinlake_ops/__main__.py",
        "coinlake_ops/dev/bootstrap.py",
        "coinlake_ops/housekeeping.py",
        "coinlake_ops/spark_server/supervisor.py",
        "coinlake_ops/spark_server/training.py",
    }
